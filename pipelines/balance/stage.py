"""The balance stage: how many documents hold each concept, and so with which probability each of them stays.

Xu et al., Demystifying CLIP Data (MetaCLIP, 2023): of a concept in `count` documents each is kept with a probability of
cap / max(count, cap); of several concepts the chances add up. The draw is a hash of the id, so that it is the same in
every run and for every cap: a smaller cap keeps a subset.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from filters.nodes import SIGNAL_COLUMNS, Nodes
from filters.screening import screen
from filters.word_hashes import mixed
from pipelines.frame import fingerprints, tables
from pipelines.frame.copies import in_earlier_slices, taken_out
from pipelines.frame.engine import Engine
from pipelines.frame.exchange import Array, WholeJob, by_key, columns, exchange
from pipelines.frame.stage import Job, Read, Span, Stage
from pipelines.frame.storage import Workspace, lines_in, size_of
from pipelines.frame.task import Task
from schemas.ledger import LedgerRecord, Tally
from schemas.recipe import Recipe
from schemas.statuses import DropReason, StageName
from schemas.tables import BALANCE, DIGESTS, DOCUMENTS, TEXT_DUPLICATES

REPORT = "concepts.json"
_HELD, _KEPT = "documents of ", "kept of "
_TOTALS = "totals"
# Concepts of a list that one worker sums up: with ninety thousand partitions some hundred MB at most.
_RANGE = 256
# What a partition holds of a long list, about; and the bytes of each that travel.
_USUAL_CONCEPTS, _RECORD_BYTES = 10_000, 24


class Balance(Stage):
    """balance from digests: a probability and a draw for every document with a concept."""

    name: ClassVar[StageName] = StageName.BALANCE
    reads: ClassVar[tuple[Read, ...]] = (
        Read(StageName.EXTRACT, "documents", Span.ALL),
        Read(StageName.DIGEST, "digests", Span.ALL),
        Read(StageName.DEDUP_TEXT, "text_duplicates", Span.ALL),
    )
    writes: ClassVar[tuple[str, ...]] = ("balance",)
    light: ClassVar[bool] = True

    def settings(self, recipe: Recipe) -> dict[str, Any]:
        """The list and the cap."""
        if recipe.balance is None:
            return {}
        path = recipe.balance.concepts
        return {
            "screen": recipe.screen.fingerprinted(),
            "concepts": fingerprints.of_input(path, size_of(path)),
            "cap": recipe.balance.cap,
        }

    def prepare(self, job: Job, engine: Engine) -> None:
        """Bring to every partition how many documents of the job hold each concept that it holds."""
        if job.recipe.balance is None:
            return
        census = Census(job.workspace.root, job.recipe)
        census.scratch.clear()
        partitions = [p.partition for p in job.partitions]
        names = len(lines_in(job.recipe.balance.concepts))
        exchange(engine, "concepts", partitions, _Count(census), _Total(), _Keep(census),
                 total_bytes=len(partitions) * min(names, _USUAL_CONCEPTS) * _RECORD_BYTES)  # fmt: skip

    def clean_up(self, job: Job) -> None:
        """Remove what the exchange left."""
        Census(job.workspace.root, job.recipe).scratch.clear()

    def process(self, task: Task, known: Sequence[Any]) -> None:
        """Draw for each document with a concept."""
        tally = task.tally("documents")
        with task.table(BALANCE) as balance:
            if task.recipe.balance is None:
                return
            ids, lists = documents_with_concepts(task.workspace, task.number, task.recipe)
            found = Census(task.workspace.root, task.recipe).scratch.read(_TOTALS, task.number)
            if found is None:
                tally.keep(len(ids))
                return
            cap = task.recipe.balance.cap
            concepts, counts = found
            chance = dict(zip(concepts.tolist(), (cap / np.maximum(counts, cap)).tolist(), strict=True))
            probabilities = [min(1.0, sum(chance[c] for c in sorted(some))) if some else 1.0 for some in lists]
            draws = draws_of(ids)
            rows = zip(ids, probabilities, draws.tolist(), lists, strict=True)
            balance.write_rows([{"doc_id": i, "probability": p, "draw": d} for i, p, d, some in rows if some])
            gone = draws >= np.array(probabilities, np.float32)
            _count(task, tally, gone, lists)

    def finish(self, job: Job, records: dict[int, LedgerRecord]) -> None:
        """Write for every concept of the list how many documents hold it and how many of them stay."""
        if job.recipe.balance is None:
            return
        names = lines_in(job.recipe.balance.concepts)
        counts: Counter[str] = Counter()
        for record in records.values():
            for output in record.outputs:
                counts.update(output.counts)
        report = [
            {"concept": names[place], "documents": counts[f"{_HELD}{place}"], "kept": counts[f"{_KEPT}{place}"]}
            for place in sorted(int(name.removeprefix(_HELD)) for name in counts if name.startswith(_HELD))
        ]
        text = json.dumps(report, ensure_ascii=False, indent=1) + "\n"
        if not job.workspace.exists(REPORT) or job.workspace.read_text(REPORT) != text:
            job.workspace.write_text(REPORT, text)


def draws_of(doc_ids: Sequence[str]) -> Array:
    """For each id a number in [0, 1), the same whenever it is asked; float32 as it is stored."""
    first = np.array([int(doc_id[:16], 16) for doc_id in doc_ids], np.uint64)
    return ((mixed(first) >> np.uint64(40)).astype(np.float64) / (1 << 24)).astype(np.float32)


def documents_with_concepts(workspace: Workspace, partition: int, recipe: Recipe) -> tuple[list[str], list[list[int]]]:
    """Documents of a partition that pass the screen and are no copies, and the concepts of each."""
    gone = taken_out(workspace, partition, (TEXT_DUPLICATES,)).keys() | in_earlier_slices(workspace, partition)
    ids: list[str] = []
    for batch in tables.read_batches(workspace, DOCUMENTS, partition, ("doc_id", *SIGNAL_COLUMNS)):
        passing = screen(Nodes(batch), recipe).passed
        ids += [i for i, passes in zip(batch.column("doc_id").to_pylist(), passing, strict=True) if passes]
    table = tables.read_table(workspace, DIGESTS, partition, ["doc_id", "concepts"]).to_pydict()
    concepts = dict(zip(table["doc_id"], table["concepts"], strict=True))
    kept = [doc_id for doc_id in ids if doc_id not in gone]
    return kept, [concepts[doc_id] for doc_id in kept]


@dataclass(frozen=True)
class Census(WholeJob):
    """The concepts of a job."""

    stage: ClassVar[str] = StageName.BALANCE


@dataclass(frozen=True)
class _Count:
    """(concept, documents, partition) of each concept of a partition."""

    census: Census

    def __call__(self, partition: int) -> Iterator[tuple[int, list[Array]]]:
        _, lists = documents_with_concepts(self.census.workspace, partition, self.census.recipe)
        concepts, counts = np.unique(np.array([c for some in lists for c in some], np.int64), return_counts=True)
        yield from by_key(concepts // _RANGE, [concepts, counts, np.full(len(concepts), partition)])


@dataclass(frozen=True)
class _Total:
    """To each partition: (concept, documents in the whole job) of its concepts."""

    def __call__(self, key: int, values: list[list[Array]]) -> Iterator[tuple[int, list[Array]]]:
        concepts, counts, homes = columns(values)
        distinct, index = np.unique(concepts, return_inverse=True)
        total = np.bincount(index, weights=counts).astype(np.int64)
        yield from by_key(homes, [distinct[index], total[index]])


@dataclass(frozen=True)
class _Keep:
    census: Census

    def __call__(self, partition: int, values: list[list[Array]]) -> Iterator[tuple[int, list[Array]]]:
        self.census.scratch.write(_TOTALS, partition, columns(values))
        yield from ()


def _count(task: Task, tally: Tally, gone: Array, lists: Sequence[Sequence[int]]) -> None:
    """Count documents, and for the report those of each concept."""
    tally.keep(int(np.count_nonzero(~gone)))
    if gone.any():
        tally.drop(DropReason.BALANCE, int(np.count_nonzero(gone)))
    held = Counter(concept for some in lists for concept in some)
    kept = Counter(
        concept for some, dropped in zip(lists, gone.tolist(), strict=True) if not dropped for concept in some
    )
    counts = {f"{_HELD}{c}": n for c, n in sorted(held.items())} | {f"{_KEPT}{c}": n for c, n in sorted(kept.items())}
    task.describe_output(tables.name_of(BALANCE, task.number), **counts)
