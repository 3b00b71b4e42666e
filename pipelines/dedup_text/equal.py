"""Documents with an equal digest, of which the latest capture stays: the same page, the same set of images."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc

from pipelines.dedup_text.pool import KINDS, Drop, Pool, address, halves, losers
from pipelines.frame.engine import Engine
from pipelines.frame.exchange import Array, by_key, columns, exchange, range_of, ranges_for
from schemas.statuses import DuplicateKind

_RECORD_BYTES = 40


def drop_equal(engine: Engine, pool: Pool, partitions: list[int], documents: int, kind: DuplicateKind) -> None:
    """Find captures that a later one with the same digest stands for; the digest's column has the kind's name."""
    total = documents * _RECORD_BYTES
    ranges = ranges_for(total)
    steps = _Emit(pool, kind, ranges), _Latest(kind), Drop(pool.scratch, kind)
    exchange(engine, f"{kind}-duplicates", partitions, *steps, total_bytes=total)


@dataclass(frozen=True)
class _Emit:
    pool: Pool
    kind: DuplicateKind
    ranges: int

    def __call__(self, partition: int) -> Iterator[tuple[int, list[Array]]]:
        rows, table = self.pool.read(partition, [self.kind.value, "crawled", "doc_id"], before=self.kind)
        known = pc.is_valid(table.column(self.kind.value))
        rows, table = rows[np.asarray(known)], table.filter(known)
        digests = np.asarray(table.column(self.kind.value), np.uint64)
        keys = range_of(digests, self.ranges)
        record = [
            digests,
            -np.asarray(table.column("crawled")),
            *halves(table.column("doc_id")),
            address(partition, rows),
        ]
        yield from by_key(keys, record)


@dataclass(frozen=True)
class _Latest:
    kind: DuplicateKind

    def __call__(self, key: int, values: list[list[Array]]) -> Iterator[tuple[int, list[Array]]]:
        digests, before, high, low, addresses = columns(values)
        order = np.lexsort((addresses, low, high, before, digests))
        digests = digests[order]
        leads = np.concatenate((np.ones(1, np.bool_), digests[1:] != digests[:-1]))
        survivor = order[np.flatnonzero(leads)[np.cumsum(leads) - 1]]
        copies, survivor = order[~leads], survivor[~leads]
        kinds = np.full(len(copies), KINDS.index(self.kind))
        yield from by_key(*losers(addresses[copies], kinds, high[survivor], low[survivor]))
