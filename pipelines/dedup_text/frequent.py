"""Image URLs that more documents show than the recipe allows: logos, banners, icons. They are never fetched."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc

from pipelines.dedup_text.pool import Pool
from pipelines.frame.engine import Engine
from pipelines.frame.exchange import Array, by_key, columns, exchange, range_of, ranges_for

FREQUENT = "frequent"
_RECORD_BYTES = 20
_PER_DOCUMENT = 6


def find_frequent(engine: Engine, pool: Pool, partitions: list[int], documents: int, most: int) -> None:
    """Write to each partition the digests of its image URLs that more than `most` documents show, and how many do."""
    total = documents * _PER_DOCUMENT * _RECORD_BYTES
    exchange(engine, "image-urls", partitions, _Count(pool, ranges_for(total)), _TooMany(most), _Keep(pool),
             total_bytes=total)  # fmt: skip


@dataclass(frozen=True)
class _Count:
    """(digest, documents of this partition that show it, partition)."""

    pool: Pool
    ranges: int

    def __call__(self, partition: int) -> Iterator[tuple[int, list[Array]]]:
        _, table = self.pool.read(partition, ["images"])
        lists = table.column("images").combine_chunks()
        values, owner = lists.flatten(), np.asarray(pc.list_parent_indices(lists), np.uint64)
        known = np.asarray(values.is_valid())
        digests = np.asarray(values.fill_null(0), np.uint64)[known]
        shown = np.unique(np.stack((digests, owner[known])), axis=1)[0]
        distinct, counts = np.unique(shown, return_counts=True)
        keys = range_of(distinct, self.ranges)
        record = [distinct, counts, np.full(len(distinct), partition, np.uint32)]
        yield from by_key(keys, record)


@dataclass(frozen=True)
class _TooMany:
    most: int

    def __call__(self, key: int, values: list[list[Array]]) -> Iterator[tuple[int, list[Array]]]:
        digests, counts, homes = columns(values)
        _, index = np.unique(digests, return_inverse=True)
        total = np.bincount(index, weights=counts).astype(np.int64)[index]
        often = total > self.most
        yield from by_key(homes[often], [digests[often], total[often]])


@dataclass(frozen=True)
class _Keep:
    pool: Pool

    def __call__(self, partition: int, values: list[list[Array]]) -> Iterator[tuple[int, list[Array]]]:
        self.pool.scratch.write(FREQUENT, partition, columns(values))
        yield from ()


def frequent_images(pool: Pool, partition: int) -> dict[int, int]:
    """Digests of a partition's image URLs that are too frequent, with the number of documents."""
    found = pool.scratch.read(FREQUENT, partition)
    if found is None:
        return {}
    digests, totals = found
    return dict(zip(digests.tolist(), totals.tolist(), strict=True))
