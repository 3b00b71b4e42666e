"""The dedup_text stage: which documents and paragraphs are copies of others, found by exchanges over all partitions."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from pipelines.dedup_text.equal import drop_equal
from pipelines.dedup_text.frequent import find_frequent, frequent_images
from pipelines.dedup_text.near import EDGES, find_copies
from pipelines.dedup_text.paragraphs import find_repeated, repeated_paragraphs
from pipelines.dedup_text.pool import SCREENED, STEPS, Pool, Screen
from pipelines.dedup_text.survivors import drop_copies
from pipelines.frame import ledger, tables
from pipelines.frame.components import components
from pipelines.frame.engine import Engine
from pipelines.frame.exchange import exchange
from pipelines.frame.stage import Job, Read, Span, Stage
from pipelines.frame.task import Task
from schemas.recipe import Recipe
from schemas.statuses import DropReason, DuplicateKind, StageName
from schemas.tables import DIGESTS, DOCUMENTS, FREQUENT_IMAGES, TEXT_DUPLICATES

_LABELS = "labels"


class DedupText(Stage):
    """text_duplicates and frequent_images from digests: digests and addresses travel, documents never."""

    name: ClassVar[StageName] = StageName.DEDUP_TEXT
    reads: ClassVar[tuple[Read, ...]] = (
        Read(StageName.DIGEST, "digests", Span.ALL),
        Read(StageName.EXTRACT, "documents", Span.ALL),
    )
    writes: ClassVar[tuple[str, ...]] = ("text_duplicates", "frequent_images")
    light: ClassVar[bool] = True

    def settings(self, recipe: Recipe) -> dict[str, Any]:
        """What takes part, and what a copy is."""
        return {
            "screen": recipe.screen.fingerprinted(),
            "text": recipe.dedup.text.fingerprinted(),
            "benchmarks": [benchmark.name for benchmark in recipe.decontaminate],
        }

    def prepare(self, job: Job, engine: Engine) -> None:
        """Do the exchanges, each among what those before it have left."""
        pool, settings = Pool(job.workspace.root, job.recipe), job.recipe.dedup.text
        pool.scratch.clear()
        partitions = [p.partition for p in job.partitions]
        counts = ledger.read_all(job.workspace, StageName.DIGEST).values()
        documents = sum(record.tallies["documents"].out for record in counts if "documents" in record.tallies)
        exchange(engine, SCREENED, partitions, Screen(pool))
        if settings.url:
            drop_equal(engine, pool, partitions, documents, DuplicateKind.URL)
        if settings.exact or settings.near:
            find_copies(engine, pool, partitions, documents, settings)
            components(engine, pool.scratch, EDGES, _LABELS)
            drop_copies(engine, pool, _LABELS, "near")
        if settings.image_sets:
            drop_equal(engine, pool, partitions, documents, DuplicateKind.IMAGE_SET)
        if settings.paragraphs:
            find_repeated(engine, pool, partitions, documents, settings.paragraphs)
        if settings.max_image_documents:
            find_frequent(engine, pool, partitions, documents, settings.max_image_documents)

    def process(self, task: Task, known: Sequence[Any]) -> None:
        """Write what was found of the partition."""
        pool = Pool(task.workspace.root, task.recipe)
        ids = tables.read_table(task.workspace, DIGESTS, task.number, ["doc_id"]).column("doc_id").to_pylist()
        with task.table(TEXT_DUPLICATES) as duplicates:
            _write_documents(task, pool, ids, duplicates)
            _write_paragraphs(task, pool, ids, duplicates)
        with task.table(FREQUENT_IMAGES) as frequent:
            _write_frequent(task, pool, frequent)

    def clean_up(self, job: Job) -> None:
        """Remove what the exchanges left."""
        Pool(job.workspace.root, job.recipe).scratch.clear()


def _write_documents(task: Task, pool: Pool, ids: Sequence[str], table: tables.TableWriter) -> None:
    screened, in_sets = pool.screened(task.number), pool.in_sets(task.number)
    tally = task.tally("documents")
    rows = [(row, DuplicateKind.BENCHMARK, name) for row, name in in_sets.items()]
    for step in STEPS:
        found = pool.dropped(task.number, step)
        rows += list(zip(found.rows.tolist(), found.kinds, found.survivors, strict=True))
    for row, kind, survivor in sorted(rows):
        table.write_rows([_row(ids[row], -1, kind, survivor)])
    for kind, count in sorted(Counter(kind for _, kind, _ in rows).items()):
        in_a_set = kind is DuplicateKind.BENCHMARK
        tally.drop(DropReason.BENCHMARK if in_a_set else f"{DropReason.DUPLICATE}.{kind}", count)
    again = int(np.count_nonzero(screened == 2))
    screened_out = int(np.count_nonzero(screened == 0)) - len(in_sets)
    for reason, count in (("screen", screened_out), (DropReason.DUPLICATE_RECORD, again)):
        if count:
            tally.drop(reason, count)
    tally.keep(len(ids) - tally.taken)


def _row(doc_id: str, position: int, kind: DuplicateKind, survivor: str | None) -> dict[str, Any]:
    return {"doc_id": doc_id, "position": position, "kind": kind.value, "survivor": survivor}


def _write_paragraphs(task: Task, pool: Pool, ids: Sequence[str], table: tables.TableWriter) -> None:
    settings = task.recipe.dedup.text.paragraphs
    if settings is None:
        return
    found = repeated_paragraphs(pool, task.number, settings)
    table.write_rows([_row(ids[p.row], p.position, DuplicateKind.PARAGRAPH, p.survivor) for p in found])
    if found:
        task.tally("paragraphs").drop(DuplicateKind.PARAGRAPH, len(found))


def _write_frequent(task: Task, pool: Pool, table: tables.TableWriter) -> None:
    found = frequent_images(pool, task.number)
    if not found:
        return
    digests = tables.read_table(task.workspace, DIGESTS, task.number, ["images"]).column("images")
    urls = tables.read_table(task.workspace, DOCUMENTS, task.number, ["images"]).column("images")
    known = dict(
        zip(digests.combine_chunks().flatten().to_pylist(), urls.combine_chunks().flatten().to_pylist(), strict=True)
    )
    table.write_rows(
        sorted(({"url": known[d], "documents": n} for d, n in found.items()), key=lambda row: str(row["url"]))
    )
    task.tally("frequent_images").drop("too_frequent", len(found))
