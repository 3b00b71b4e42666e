"""The documents that still take part: those that pass the screen and were not found to be copies by a step before."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from filters.nodes import Nodes
from filters.screening import screen, screen_columns
from pipelines.frame import tables
from pipelines.frame.copies import in_earlier_slices
from pipelines.frame.exchange import Array, Scratch, WholeJob, columns
from schemas.statuses import DuplicateKind
from schemas.tables import DIGESTS, DOCUMENTS

STAGE = "dedup_text"
SCREENED = "screened"
# Steps that drop whole documents, in the order in which they are done.
STEPS = ("url", "near", "image_set")
KINDS = tuple(DuplicateKind)
_ROW_BITS = np.uint64(32)
# Only numbers and URLs are read, so more rows at a time than where texts are: each batch has a fixed cost.
_ROWS = 1024
Integers = npt.NDArray[np.int64]


def address(partition: int, rows: Array) -> npt.NDArray[np.uint64]:
    """A number for each document of the job: partition and row. It says where the document lives."""
    return (np.uint64(partition) << _ROW_BITS) | rows.astype(np.uint64)


def partition_of(addresses: npt.NDArray[np.uint64]) -> Array:
    """Partitions of documents."""
    return addresses >> _ROW_BITS


def row_of(addresses: npt.NDArray[np.uint64]) -> Integers:
    """Rows of documents in their partitions."""
    return (addresses & np.uint64(0xFFFFFFFF)).astype(np.int64)


def halves(doc_ids: pa.ChunkedArray) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    """Document ids, 32 hex characters, as two numbers each; in the same order as the ids."""
    raw = np.frombuffer(bytes.fromhex("".join(doc_ids.to_pylist())), ">u8").astype(np.uint64).reshape(-1, 2)
    return raw[:, 0], raw[:, 1]


def doc_id_of(high: int, low: int) -> str:
    """The id that two halves make."""
    return f"{high:016x}{low:016x}"


@dataclass(frozen=True)
class Dropped:
    """Documents of one partition that are copies: row, kind, halves of the survivor's id."""

    rows: Integers
    kinds: list[DuplicateKind]
    survivors: list[str]


@dataclass(frozen=True)
class Pool(WholeJob):
    """Documents of a job, by partition."""

    stage: ClassVar[str] = STAGE

    def read(self, partition: int, names: Sequence[str], before: str = "") -> tuple[Integers, pa.Table]:
        """Rows of a partition that take part in a step, and columns of `digests` for them."""
        rows = np.flatnonzero(self.taking_part(partition, before))
        table = tables.read_table(self.workspace, DIGESTS, partition, [*names])
        return rows, table.take(pa.array(rows)).combine_chunks()

    def in_sets(self, partition: int) -> dict[int, str]:
        """Rows of documents that evaluation sets hold, with the first set that does."""
        if not any(benchmark.texts for benchmark in self.recipe.decontaminate):
            return {}
        found = tables.read_table(self.workspace, DIGESTS, partition, ["benchmarks"]).column("benchmarks")
        return {row: names[0] for row, names in enumerate(found.to_pylist()) if names}

    def screened(self, partition: int) -> Array:
        """What Screen found of each row."""
        return self.scratch.arrays(SCREENED, partition)[0]

    def taking_part(self, partition: int, before: str = "") -> npt.NDArray[np.bool_]:
        """By row: passes the screen, is in no evaluation set, and no step before (empty: any) dropped it."""
        mask = self.screened(partition) == 1
        for step in STEPS[: STEPS.index(before) if before else None]:
            mask[self.dropped(partition, step).rows] = False
        return mask

    def dropped(self, partition: int, step: str) -> Dropped:
        """What a step dropped of a partition, by row."""
        found = self.scratch.read(step, partition)
        if found is None:
            return Dropped(np.zeros(0, np.int64), [], [])
        rows, kinds, high, low = found
        order = np.argsort(rows, kind="stable")
        ids = [doc_id_of(h, w) for h, w in zip(high[order].tolist(), low[order].tolist(), strict=True)]
        return Dropped(rows[order].astype(np.int64), [KINDS[k] for k in kinds[order].tolist()], ids)


@dataclass(frozen=True)
class Screen:
    """Applies the screen to a partition and remembers who takes part: 1, or 2 for who would, were it not in an
    earlier slice of the file. What an evaluation set holds takes no part.
    """

    pool: Pool

    def __call__(self, partition: int) -> Iterator[tuple[int, Sequence[Array]]]:
        """Emits nothing."""
        masks = [np.zeros(0, np.bool_)]
        again = [np.zeros(0, np.bool_)]
        earlier = pa.array(sorted(in_earlier_slices(self.pool.workspace, partition)), pa.string())
        rules = self.pool.recipe.screen.document
        names = ("doc_id", *screen_columns(self.pool.recipe)) if rules else ("doc_id",)
        for batch in tables.read_batches(self.pool.workspace, DOCUMENTS, partition, names, _ROWS):
            passed = screen(Nodes(batch), self.pool.recipe).passed if rules else np.ones(batch.num_rows, np.bool_)
            masks.append(passed)
            again.append(np.asarray(pc.is_in(batch.column("doc_id"), earlier)))
        clean = np.concatenate(masks)
        clean[list(self.pool.in_sets(partition))] = False
        stored = clean.astype(np.uint8) << np.concatenate(again).astype(np.uint8)
        self.pool.scratch.write(SCREENED, partition, [stored])
        yield from ()


@dataclass(frozen=True)
class Drop:
    """Keeps at each document's home what a step found: row, kind, halves of the survivor's id."""

    scratch: Scratch
    step: str

    def __call__(self, partition: int, values: list[list[Array]]) -> Iterator[tuple[int, list[Array]]]:
        """Emits nothing."""
        self.scratch.write(self.step, partition, columns(values))
        yield from ()


def losers(
    addresses: npt.NDArray[np.uint64], kinds: Array, high: Array, low: Array
) -> tuple[Array, list[Array]]:  # fmt: skip
    """Copies as they travel home: the partition of each, and row, kind, halves of the survivor's id."""
    rows: Any = addresses & np.uint64(0xFFFFFFFF)
    return partition_of(addresses), [rows.astype(np.uint32), kinds.astype(np.uint8), high, low]
