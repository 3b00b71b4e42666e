"""Paragraphs that a host shows again and again: counted by host over the job, all but the best document's first go."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.dedup_text.pool import Pool, address, doc_id_of, halves, partition_of
from pipelines.frame.engine import Engine
from pipelines.frame.exchange import Array, by_key, columns, exchange, range_of, ranges_for
from schemas.recipe import ParagraphSettings

PARAGRAPHS = "paragraphs"
_RECORD_BYTES = 52
# Of a document about so many paragraphs are long enough, and of these few are repeated in their partition.
_PER_DOCUMENT = 12


def find_repeated(
    engine: Engine, pool: Pool, partitions: list[int], documents: int, settings: ParagraphSettings
) -> None:
    """Write to each partition the digests of its repeated paragraphs, with the address and position that stays."""
    total = documents * _PER_DOCUMENT * _RECORD_BYTES
    ranges = ranges_for(total)
    exchange(engine, "paragraphs", partitions, _Count(pool, settings, ranges), _Repeated(settings.copies), _Keep(pool),
             total_bytes=total)  # fmt: skip


@dataclass(frozen=True)
class _Nodes:
    """Paragraphs of a partition that may be repeated: digest, row, position, one after another."""

    digests: npt.NDArray[np.uint64]
    rows: npt.NDArray[np.int64]
    positions: npt.NDArray[np.int64]


def _nodes(rows: npt.NDArray[np.int64], lists: pa.ListArray) -> tuple[_Nodes, npt.NDArray[np.int64]]:
    """Nodes with a digest, and the index of their document in `rows`."""
    values = lists.flatten()
    owner = np.asarray(pc.list_parent_indices(lists), np.int64)
    lengths = np.bincount(owner, minlength=len(rows))
    position = np.arange(len(owner)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    known = np.asarray(values.is_valid())
    digests = np.asarray(values.fill_null(0), np.uint64)[known]
    return _Nodes(digests, rows[owner[known]], position[known]), owner[known]


@dataclass(frozen=True)
class _Count:
    """(digest, how often it is here, quality, id, address and position of the best document's first)."""

    pool: Pool
    settings: ParagraphSettings
    ranges: int

    def __call__(self, partition: int) -> Iterator[tuple[int, list[Array]]]:
        rows, table = self.pool.read(partition, ["paragraphs", "quality", "doc_id"])
        nodes, owner = _nodes(rows, _combined(table.column("paragraphs")))
        keys = range_of(nodes.digests, self.ranges)
        high, low = halves(table.column("doc_id"))
        quality = -np.asarray(table.column("quality"), np.float64)[owner]
        order = np.lexsort((nodes.positions, low[owner], high[owner], quality, nodes.digests))
        digests = nodes.digests[order]
        first = np.flatnonzero(np.concatenate((np.ones(1, np.bool_), digests[1:] != digests[:-1]))[: len(digests)])
        best = order[first]
        counts = np.add.reduceat(self._counted(digests, owner[order]), first) if len(first) else first
        record = [
            nodes.digests[best], counts, quality[order[first]], high[owner[best]], low[owner[best]],
            address(partition, nodes.rows[best]), nodes.positions[best].astype(np.uint32),
        ]  # fmt: skip
        yield from by_key(keys[best], record)

    def _counted(self, digests: npt.NDArray[np.uint64], owner: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """1 for each occurrence that counts, of those that are sorted by digest and document."""
        if self.settings.counted == "occurrences":
            return np.ones(len(digests), np.int64)
        again = (digests[1:] == digests[:-1]) & (owner[1:] == owner[:-1])
        return np.concatenate((np.ones(1, np.int64), (~again).astype(np.int64)))[: len(digests)]


@dataclass(frozen=True)
class _Repeated:
    copies: int

    def __call__(self, key: int, values: list[list[Array]]) -> Iterator[tuple[int, list[Array]]]:
        digests, counts, quality, high, low, addresses, positions = columns(values)
        order = np.lexsort((addresses, low, high, quality, digests))
        ordered = digests[order]
        leads = np.concatenate((np.ones(1, np.bool_), ordered[1:] != ordered[:-1]))
        group = np.cumsum(leads) - 1
        often = np.bincount(group, weights=counts[order])[group] >= self.copies
        best = order[np.flatnonzero(leads)[group]][often]
        some = order[often]
        record = [digests[some], addresses[best], positions[best], high[best], low[best]]
        yield from by_key(partition_of(addresses[some]), record)


@dataclass(frozen=True)
class _Keep:
    pool: Pool

    def __call__(self, partition: int, values: list[list[Array]]) -> Iterator[tuple[int, list[Array]]]:
        self.pool.scratch.write(PARAGRAPHS, partition, columns(values))
        yield from ()


@dataclass(frozen=True)
class RepeatedParagraph:
    """A copy: a node of a document, and the document that keeps the paragraph, if any does."""

    row: int
    position: int
    survivor: str | None


def repeated_paragraphs(pool: Pool, partition: int, settings: ParagraphSettings) -> list[RepeatedParagraph]:
    """Nodes of a partition that go, in their order."""
    found = pool.scratch.read(PARAGRAPHS, partition)
    if found is None:
        return []
    digests, best, place, high, low = found
    order = np.argsort(digests)
    digests, best, place, high, low = (column[order] for column in (digests, best, place, high, low))
    rows, table = pool.read(partition, ["paragraphs"])
    nodes, _ = _nodes(rows, _combined(table.column("paragraphs")))
    index = np.minimum(np.searchsorted(digests, nodes.digests), len(digests) - 1)
    listed = digests[index] == nodes.digests
    stays = best[index] == address(partition, nodes.rows)
    if settings.counted == "occurrences":
        stays &= place[index] == nodes.positions
    keeps = settings.keep == "first"
    return [
        RepeatedParagraph(
            int(nodes.rows[i]), int(nodes.positions[i]),
            doc_id_of(int(high[index[i]]), int(low[index[i]])) if keeps else None,
        )
        for i in np.flatnonzero(listed & ~(stays & keeps)).tolist()
    ]  # fmt: skip


def _combined(column: pa.ChunkedArray | pa.Array) -> pa.ListArray:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
