"""Of each component of copies the best stays: by the recipe's signal, then by the smallest id. Never the first seen."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pipelines.dedup_text.pool import KINDS, Drop, Pool, address, halves, losers, partition_of, row_of
from pipelines.frame import tables
from pipelines.frame.engine import Engine
from pipelines.frame.exchange import Array, by_key, columns, exchange, range_of, ranges_for
from schemas.statuses import DuplicateKind
from schemas.tables import DIGESTS

_RECORD_BYTES = 44
_LABEL_BYTES = 16


def drop_copies(engine: Engine, pool: Pool, labels: str, step: str) -> None:
    """Read labels (address, label) from a scratch step; write what is dropped, at home, to another."""
    total = pool.scratch.size(labels) // _LABEL_BYTES * _RECORD_BYTES
    ranges = ranges_for(total)
    exchange(engine, "survivors", pool.scratch.keys(labels), _Members(pool, labels), _Qualities(pool, ranges), _Best(),
             Drop(pool.scratch, step), total_bytes=total)  # fmt: skip


@dataclass(frozen=True)
class _Members:
    """To each document's home: its label."""

    pool: Pool
    labels: str

    def __call__(self, source: int) -> Iterator[tuple[int, list[Array]]]:
        nodes, labels = self.pool.scratch.arrays(self.labels, source)
        yield from by_key(partition_of(nodes), [nodes, labels])


@dataclass(frozen=True)
class _Qualities:
    """From home: label, quality, id, address and text of each."""

    pool: Pool
    ranges: int

    def __call__(self, partition: int, values: list[list[Array]]) -> Iterator[tuple[int, list[Array]]]:
        nodes, labels = np.unique(np.stack(columns(values)), axis=1)
        rows = row_of(nodes)
        table = tables.read_table(self.pool.workspace, DIGESTS, partition, ["quality", "doc_id", "text"]).take(rows)
        quality = -np.asarray(table.column("quality"), np.float64)
        texts = np.asarray(table.column("text").fill_null(0), np.uint64)
        record = [labels, quality, *halves(table.column("doc_id")), address(partition, rows), texts]
        yield from by_key(range_of(labels * np.uint64(0x9E3779B97F4A7C15), self.ranges), record)


@dataclass(frozen=True)
class _Best:
    def __call__(self, key: int, values: list[list[Array]]) -> Iterator[tuple[int, list[Array]]]:
        labels, quality, high, low, addresses, texts = columns(values)
        order = np.lexsort((addresses, low, high, quality, labels))
        ordered = labels[order]
        leads = np.concatenate((np.ones(1, np.bool_), ordered[1:] != ordered[:-1]))
        survivor = order[np.flatnonzero(leads)[np.cumsum(leads) - 1]]
        copies, survivor = order[~leads], survivor[~leads]
        exact = texts[copies] == texts[survivor]
        kinds = np.where(exact, KINDS.index(DuplicateKind.EXACT), KINDS.index(DuplicateKind.NEAR))
        yield from by_key(*losers(addresses[copies], kinds, high[survivor], low[survivor]))
