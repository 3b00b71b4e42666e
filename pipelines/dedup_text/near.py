"""Exact and near copies of texts: candidates by equal bands, checked by their similarity where one of them lives.

Which texts are compared does not depend on where files are cut: of each text one document, the first of the job, is
paired with others. Of a band's documents travel digest, text and address; of candidates one sketch of n-grams, once to
each partition where it has a partner, so that a page with a million copies costs its home no more than any other.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from filters.lists import known_values
from filters.minhash import enough_bands, similarities, sketch
from filters.word_hashes import Hashes, mixed, words_of
from pipelines.dedup_text.pool import Pool, address, partition_of, row_of
from pipelines.frame import tables
from pipelines.frame.engine import Engine
from pipelines.frame.exchange import Array, by_key, columns, exchange, range_of, ranges_for
from schemas.recipe import TextDuplicates
from schemas.tables import DOCUMENTS

CANDIDATES, EDGES = "candidates", "edges"
_RECORD_BYTES, _CANDIDATE_BYTES, _SKETCH_BYTES = 25, 20, 2500
# More than a signature has bands.
_ALL_WORDS = 1 << 16
# Digests of whole texts are told from those of bands by what they are mixed with.
_WHOLE_TEXT = np.uint64(0xA5A5A5A5A5A5A5A5)
_PAIRS_AT_ONCE, _TEXTS_AT_ONCE = 1000, 128
_Sketch = npt.NDArray[np.uint32]


def find_copies(engine: Engine, pool: Pool, partitions: list[int], documents: int, settings: TextDuplicates) -> None:
    """Write pairs of copies to the scratch step EDGES: two arrays of addresses, by the partition of the second."""
    bands = settings.near.bands if settings.near else 0
    total = documents * (bands + settings.exact) * _RECORD_BYTES
    ranges = ranges_for(total)
    exchange(
        engine, "candidates", partitions, _EmitBands(pool, settings, ranges), _Pairs(ranges), _KeepCandidates(pool),
        total_bytes=total,
    )  # fmt: skip
    candidates = pool.scratch.size(CANDIDATES) // _CANDIDATE_BYTES
    exchange(
        engine, "similarities", pool.scratch.keys(CANDIDATES), _EmitSketches(pool), _Compare(pool),
        total_bytes=candidates * _SKETCH_BYTES,
    )  # fmt: skip


@dataclass(frozen=True)
class _EmitBands:
    """(digest, text, address, is of the whole text). Equal texts of a partition are paired at once; one travels."""

    pool: Pool
    settings: TextDuplicates
    ranges: int

    def __call__(self, partition: int) -> Iterator[tuple[int, list[Array]]]:
        rows, table = self.pool.read(partition, ["text", "bands"], before="near")
        has_text = np.asarray(table.column("text").is_valid())
        table, addresses = table.filter(pa.array(has_text)), address(partition, rows[has_text])
        texts = np.asarray(table.column("text"), np.uint64)
        records = self._records(addresses, texts, table)
        yield from by_key(range_of(records[0], self.ranges), records)
        at_home = pairs(mixed(texts ^ _WHOLE_TEXT), addresses, np.ones(len(texts), np.bool_))
        if len(at_home[0]):  # these are home already: a key behind the ranges passes them through
            yield self.ranges + partition, at_home

    def _records(self, addresses: Hashes, texts: Hashes, table: pa.Table) -> list[Array]:
        # Equal texts have equal bands: the first of them stands for all of a partition.
        _, first = np.unique(texts, return_index=True)
        lists = table.column("bands").take(pa.array(first)).combine_chunks()
        bands = np.asarray(lists.flatten(), np.uint64)
        lengths = np.asarray(lists.value_lengths().fill_null(0), np.int64)
        if self.settings.near is None:
            bands, lengths = bands[:0], np.zeros_like(lengths)
        owner = np.concatenate((np.repeat(first, lengths), first))
        kind = np.arange(len(owner)) >= len(bands)
        return [np.concatenate((bands, mixed(texts[first] ^ _WHOLE_TEXT))), texts[owner], addresses[owner], kind]


def shared(digests: Hashes) -> npt.NDArray[np.int64]:
    """Where digests stand that are there more than once. Most are not, and sorting by more than one key is slow."""
    order = np.argsort(digests)
    again = np.zeros(len(order), np.bool_)
    np.equal(digests[order][1:], digests[order][:-1], out=again[1:])
    company = again.copy()
    company[:-1] |= again[1:]
    return order[company]


def first_of_each(digests: Hashes, texts: Hashes, addresses: Hashes) -> npt.NDArray[np.int64]:
    """Where the smallest address of each text with each digest stands."""
    order = np.lexsort((addresses, texts, digests))
    again = (digests[order][1:] == digests[order][:-1]) & (texts[order][1:] == texts[order][:-1])
    return order[np.concatenate((np.ones(1, np.bool_), ~again))[: len(order)]]


def pairs(digests: Hashes, addresses: Hashes, whole: Array) -> list[Array]:
    """Pairs of documents with an equal digest (smaller address, larger, in how many digests), each once.

    Each document with the smallest and with the one before it: enough to connect them, if some pairs turn out to be
    unlike, and linear in their number. A digest of whole texts counts as all bands and more.
    """
    order = shared(digests)
    order = order[np.lexsort((addresses[order], digests[order]))]
    digests, addresses, whole = digests[order], addresses[order], whole[order]
    begins = np.concatenate((np.ones(1, np.bool_), digests[1:] != digests[:-1]))[: len(digests)]
    later = np.flatnonzero(~begins)
    smallest, before = addresses[np.flatnonzero(begins)[np.cumsum(begins)[later] - 1]], addresses[later - 1]
    apart = before != smallest
    agreeing = np.where(whole[later], _ALL_WORDS, 1).astype(np.int32)
    return _summed(
        np.concatenate((smallest, before[apart])),
        np.concatenate((addresses[later], addresses[later][apart])),
        np.concatenate((agreeing, agreeing[apart])),
    )


def _summed(left: Hashes, right: Hashes, agreeing: Array) -> list[Array]:
    """Each pair once, with all digests in which it agrees."""
    order = np.lexsort((right, left))
    left, right, agreeing = left[order], right[order], agreeing[order]
    again = (left[1:] == left[:-1]) & (right[1:] == right[:-1])
    first = np.flatnonzero(np.concatenate((np.ones(1, np.bool_), ~again))[: len(left)])
    total = np.add.reduceat(agreeing, first) if len(first) else agreeing
    apart = left[first] != right[first]
    return [left[first][apart], right[first][apart], total[apart]]


@dataclass(frozen=True)
class _Pairs:
    ranges: int

    def __call__(self, key: int, values: list[list[Array]]) -> Iterator[tuple[int, list[Array]]]:
        found = columns(values) if key >= self.ranges else self._pairs(*columns(values))
        yield from by_key(partition_of(found[0]), found)

    @staticmethod
    def _pairs(digests: Hashes, texts: Hashes, addresses: Hashes, whole: Array) -> list[Array]:
        """Of a band's equal texts, of several partitions, only the first has partners; equal texts themselves all."""
        some = shared(digests)
        digests, texts, addresses, whole = digests[some], texts[some], addresses[some], whole[some]
        kept = whole.astype(np.bool_)
        kept[first_of_each(digests, texts, addresses)] = True
        return pairs(digests[kept], addresses[kept], whole[kept])


@dataclass(frozen=True)
class _KeepCandidates:
    pool: Pool

    def __call__(self, partition: int, values: list[list[Array]]) -> Iterator[tuple[int, list[Array]]]:
        self.pool.scratch.write(CANDIDATES, partition, _summed(*columns(values)))
        yield from ()


@dataclass(frozen=True)
class _EmitSketches:
    """To each partition with a partner: the pairs, whether they are sure to be alike, and of the left documents of
    the others a sketch each.
    """

    pool: Pool

    def __call__(self, partition: int) -> Iterator[tuple[int, list[Array]]]:
        left, right, agreeing = self.pool.scratch.arrays(CANDIDATES, partition)
        near = self.pool.recipe.dedup.text.near
        sure = agreeing >= (enough_bands(near) if near else _ALL_WORDS)
        sketches = sketches_of(self.pool, partition, np.unique(row_of(left[~sure])))
        for home, (lefts, rights, known) in by_key(partition_of(right), [left, right, sure]):
            needed = np.unique(row_of(lefts[~known]))
            some = [sketches[row] for row in needed.tolist()]
            lengths = np.array([len(s) for s in some], np.int64)
            yield home, [lefts, rights, known, address(partition, needed), lengths, _joined(some)]


@dataclass(frozen=True)
class _Compare:
    pool: Pool

    def __call__(self, partition: int, values: list[list[Array]]) -> Iterator[tuple[int, list[Array]]]:
        left, right, alike = columns([value[:3] for value in values])
        sent = {a: s for value in values for a, s in _unjoined(*value[3:])}
        unsure = np.flatnonzero(~alike)
        unsure = unsure[np.argsort(right[unsure], kind="stable")]  # in the order in which their texts are read
        for begin in range(0, len(unsure), _PAIRS_AT_ONCE):
            some = unsure[begin : begin + _PAIRS_AT_ONCE]
            own = sketches_of(self.pool, partition, np.unique(row_of(right[some])))
            found = similarities([sent[a] for a in left[some].tolist()], [own[r] for r in row_of(right[some]).tolist()])
            near = self.pool.recipe.dedup.text.near
            alike[some] = found >= (near.jaccard if near else 1.0)
        if alike.any():
            self.pool.scratch.write(EDGES, partition, [left[alike], right[alike]])
        yield from ()


def _joined(sketches: Sequence[_Sketch]) -> _Sketch:
    return np.concatenate([np.zeros(0, np.uint32), *sketches])


def _unjoined(addresses: Hashes, lengths: Array, joined: _Sketch) -> Iterator[tuple[int, _Sketch]]:
    yield from zip(addresses.tolist(), np.split(joined, np.cumsum(lengths)[:-1]) if len(lengths) else [], strict=True)


def sketches_of(pool: Pool, partition: int, rows: npt.NDArray[np.int64]) -> dict[int, _Sketch]:
    """Sketches of documents by row; their texts are read and left where they are."""
    near = pool.recipe.dedup.text.near
    if near is None or not len(rows):
        return {}
    found: dict[int, _Sketch] = {}
    for some, texts in _together(tables.read_rows(pool.workspace, DOCUMENTS, partition, ["texts"], rows)):
        found.update(zip(some.tolist(), _sketches(texts, near.ngram), strict=True))
    return found


def _together(parts: Iterable[tuple[npt.NDArray[np.int64], pa.Table]]) -> Iterator[tuple[Array, pa.ListArray]]:
    """Rows and texts of several row groups: of each only a few are asked for."""
    held: list[tuple[Array, pa.Table]] = []
    for part in parts:
        held.append(part)
        if sum(len(rows) for rows, _ in held) >= _TEXTS_AT_ONCE:
            yield _one(held)
            held = []
    if held:
        yield _one(held)


def _one(parts: Sequence[tuple[Array, pa.Table]]) -> tuple[Array, pa.ListArray]:
    rows, batches = zip(*parts, strict=True)
    return np.concatenate(rows), pa.concat_tables(batches).column("texts").combine_chunks()


def _sketches(documents: pa.ListArray, n: int) -> list[_Sketch]:
    texts, rows = known_values(documents)
    words = words_of(texts.to_pylist()).joined(np.bincount(rows, minlength=len(documents)))
    ngrams = words.ngrams(n, short=True)
    return [sketch(some) for some in np.split(ngrams.hashes, np.cumsum(ngrams.counts)[:-1])]
