"""Jobs whose documents and images are written by a test, ready to be judged: no crawl, no network."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipelines.frame import fingerprints, ledger, partitions, tables
from pipelines.frame.engines.beam import BeamEngine
from pipelines.frame.engines.local import LocalEngine
from pipelines.frame.partitions import Partition
from pipelines.frame.run import plan_stage, run_stage
from pipelines.frame.stage import Job
from pipelines.frame.storage import Workspace
from pipelines.select.stage import Select
from schemas.ledger import LedgerRecord, Output
from schemas.recipe import Recipe
from schemas.tables import DOCUMENTS, IMAGES, TABLES, VERDICTS

Node = int | tuple[int, int] | None


@dataclass(frozen=True)
class Page:
    """A document of nodes: a text with so many words, or an image of a width and height; None is one not fetched."""

    doc_id: str
    nodes: Sequence[Node]
    language: str = "en"

    @property
    def row(self) -> dict[str, Any]:
        count = len(self.nodes)
        lists = {f.name: [None] * count for f in DOCUMENTS.schema if pa.types.is_list(f.type)}
        words = [node if isinstance(node, int) else None for node in self.nodes]
        return {
            **lists,
            "doc_id": self.doc_id, "url": f"https://a.example/{self.doc_id}", "warc_path": "/in/a", "warc_offset": 0,
            "language": self.language, "directives": [], "licenses": [],
            "texts": ["text" if isinstance(node, int) else None for node in self.nodes],
            "images": [None if isinstance(node, int) else self.url(at) for at, node in enumerate(self.nodes)],
            "node_words": words,
            "node_characters": [None if n is None else 5 * n for n in words],
        }  # fmt: skip

    def url(self, position: int) -> str:
        return f"https://a.example/{self.doc_id}-{position}.jpg"

    @property
    def image_rows(self) -> list[dict[str, Any]]:
        return [
            {
                "key": "0", "url": self.url(at), "url_hash": "", "status": "not_found" if node is None else "ok",
                "width": node[0] if node else None, "height": node[1] if node else None, "format": "jpeg",
            }
            for at, node in enumerate(self.nodes)
            if not isinstance(node, int)
        ]  # fmt: skip


def a_job(root: Path, pages: Sequence[Page], cuts: Sequence[int] = (), **recipe: Any) -> Job:
    """A job over pages that are cut into partitions before the pages of these numbers, extracted and fetched."""
    workspace, bounds = Workspace(str(root)), [0, *cuts, len(pages)]
    planned = []
    for number, (start, end) in enumerate(pairwise(bounds)):
        planned.append(Partition(number, "/in/a.warc", start, end, len(pages), "d"))
        part = pages[start:end]
        _write_tables(workspace, number, {
            DOCUMENTS.name: [page.row for page in part],
            IMAGES.name: [row for page in part for row in page.image_rows],
        })  # fmt: skip
    partitions.save(workspace, planned)
    return Job(workspace, Recipe.model_validate(recipe), tuple(planned))


def _write_tables(workspace: Workspace, number: int, rows: dict[str, list[dict[str, Any]]]) -> None:
    """Every table that select reads of a partition, empty where there are no rows for it, and what the ledger says."""
    outputs: dict[str, list[Output]] = {}
    for read in Select.reads:
        table = TABLES[read.name]
        name = tables.name_of(table, number)
        with workspace.staged(name) as path:
            writer = tables.TableWriter(table, path)
            writer.write_rows(rows.get(table.name, []))
            writer.close()
            outputs.setdefault(read.stage, []).append(Output(path=name, bytes=0, sha256=fingerprints.of_file(path)))
    for stage, written in outputs.items():
        ledger.write(workspace, LedgerRecord(stage=stage, partition=number, fingerprint="", outputs=written))


def select(job: Job, *beam_args: str) -> list[int]:
    """Judge what is outdated; its partitions."""
    plan = plan_stage(Select(), job)
    run_stage(plan, job, BeamEngine(beam_args) if beam_args else LocalEngine(1))
    return [assignment.partition.partition for assignment in plan.todo]


def verdicts(job: Job) -> list[dict[str, Any]]:
    """All verdicts in the order of the documents."""
    found = [tables.read_table(job.workspace, VERDICTS, p.partition).to_pylist() for p in job.partitions]
    return [row for part in found for row in part]


def kept_nodes(job: Job) -> list[list[bool]]:
    """Which nodes of each document are kept."""
    return [row["node_kept"] for row in verdicts(job)]
