"""Jobs over documents that were made up: a workspace as extract leaves it, and stages run on it as a job runs them."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from planted import NODE_WORDS, Texts

from filters.word_hashes import mixed
from pipelines.frame import fingerprints, ledger, partitions, tables
from pipelines.frame.engines.local import LocalEngine
from pipelines.frame.partitions import Partition
from pipelines.frame.run import plan_stage, run_stage
from pipelines.frame.stage import Job, Stage
from pipelines.frame.storage import Workspace
from schemas.ledger import LedgerRecord, Output
from schemas.recipe import Recipe
from schemas.statuses import StageName
from schemas.tables import DOCUMENTS


def run(stage: Stage, job: Job, workers: int = 1) -> None:
    """Do a stage as a job does."""
    with LocalEngine(workers) as engine:
        run_stage(plan_stage(stage, job), job, engine)


def nodes_of(text: str) -> Texts:
    """A text cut into nodes."""
    tokens = text.split()
    return [" ".join(tokens[i : i + NODE_WORDS]) for i in range(0, len(tokens), NODE_WORDS)]


def write_job(root: Path, recipe: Recipe, partitioned: Iterator[tuple[int, list[Texts]]]) -> Job:
    """A workspace as extract leaves it: for every partition the number of its first document, and nodes of all."""
    workspace, slices = Workspace(str(root)), []
    for number, (first, documents) in enumerate(partitioned):
        name = tables.name_of(DOCUMENTS, number)
        with workspace.staged(name) as path:
            writer = tables.TableWriter(DOCUMENTS, path)
            for begin in range(0, len(documents), tables.BATCH_ROWS):
                writer.write_batch(_rows(first + begin, documents[begin : begin + tables.BATCH_ROWS]))
            writer.close()
            output = Output(path=name, bytes=path.stat().st_size, sha256=fingerprints.of_file(path))
        ledger.write(
            workspace, LedgerRecord(stage=StageName.EXTRACT, partition=number, fingerprint="", outputs=[output])
        )
        slices.append(Partition(number, f"planted-{number:05d}.warc.gz", 0, output.bytes, output.bytes, output.sha256))
    partitions.save(workspace, slices)
    return Job(workspace, recipe, tuple(slices))


def doc_id(number: int) -> str:
    """The id of a document: as evenly spread as digests are."""
    high, low = mixed(np.array([2 * number + 1, 2 * number + 2], np.uint64)).tolist()
    return f"{high:016x}{low:016x}"


def _rows(first: int, documents: Sequence[Texts]) -> pa.RecordBatch:
    """Rows of `documents`, each with two images: its own, and a logo that its host shows everywhere."""
    numbers = range(first, first + len(documents))
    hosts = [f"host{number % 9973}.test" for number in numbers]
    texts = [[*nodes, None, None] for nodes in documents]
    pictures = [
        [*([None] * len(nodes)), f"http://{host}/{number}.jpg", f"http://{host}/logo.png"]
        for host, number, nodes in zip(hosts, numbers, documents, strict=True)
    ]
    counts = [[None if text is None else text.count(" ") + 1 for text in nodes] for nodes in texts]
    known = {
        "doc_id": [doc_id(number) for number in numbers],
        "url": [f"http://{host}/{number}" for host, number in zip(hosts, numbers, strict=True)],
        "warc_path": ["planted.warc.gz"] * len(texts),
        "warc_offset": list(numbers),
        "crawled_at": [1_700_000_000_000 + number for number in numbers],
        "language_score": [0.9] * len(texts),
        "texts": texts,
        "images": pictures,
        "words": [sum(filter(None, row)) for row in counts],
        "node_words": counts,
        "node_characters": [[None if text is None else len(text) for text in nodes] for nodes in texts],
    }
    nothing = [[None] * len(nodes) for nodes in texts]
    for field in DOCUMENTS.schema:
        per_node = field.name.startswith(("node_", "alts", "captions", "rendered_")) and field.name != "node_languages"
        known.setdefault(field.name, nothing if per_node else [None] * len(texts))
    schema = DOCUMENTS.schema
    return pa.RecordBatch.from_arrays([pa.array(known[f.name], f.type) for f in schema], schema=schema)
