"""Copies of pictures over the whole job: equal and similar hashes, how many documents show them, which is the best.

What travels is one record for each distinct picture of a partition, so that one that is everywhere costs as many
records as there are partitions, whatever the number of its URLs and pages.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from filters.hamming import alike, block_keys
from filters.word_hashes import mixed
from pipelines.dedup_images.pictures import pictures_of
from pipelines.frame.components import components
from pipelines.frame.engine import Engine
from pipelines.frame.exchange import Array, WholeJob, by_key, columns, exchange, range_of, ranges_for

STAGE = "dedup_images"
DISTINCT, SIMILAR, LABELS, COPIES = "distinct", "similar", "labels", "copies"
_RECORD_BYTES = 52


@dataclass(frozen=True)
class Corpus(WholeJob):
    """Pictures of a job, by partition."""

    stage: ClassVar[str] = STAGE


def find_copies(engine: Engine, corpus: Corpus, partitions: list[int], images: int) -> None:
    """Write to each partition what is known of its pictures that have copies."""
    total = images * _RECORD_BYTES
    ranges = ranges_for(total)
    distance = corpus.recipe.dedup.images.perceptual_distance
    exchange(engine, "pictures", partitions, _Emit(corpus, ranges), _Collect(corpus), total_bytes=total)
    if distance:
        keyed = images * 16 * (distance + 2) * (distance + 1) // 2
        exchange(engine, "similar", corpus.scratch.keys(DISTINCT), _EmitBlocks(corpus, distance, ranges_for(keyed)),
                 _Alike(corpus, distance), total_bytes=keyed)  # fmt: skip
        components(engine, corpus.scratch, SIMILAR, LABELS)
    sources = [*corpus.scratch.keys(DISTINCT), *(-1 - key for key in corpus.scratch.keys(LABELS))]
    steps = _EmitLabelled(corpus, ranges), _Join(ranges), _Best(), _Keep(corpus)
    exchange(engine, "copies", sources, *steps, total_bytes=total)


@dataclass(frozen=True)
class _Emit:
    """(identity, documents, pixels, url_hash and file of the best, partition) of each distinct picture."""

    corpus: Corpus
    ranges: int

    def __call__(self, partition: int) -> Iterator[tuple[int, list[Array]]]:
        pictures = pictures_of(self.corpus.workspace, partition, self.corpus.recipe)
        distinct, index = np.unique(pictures.identity, return_inverse=True)
        shown = np.unique(np.stack((index[pictures.shown_row], pictures.shown_in)), axis=1)[0]
        documents = np.bincount(shown, minlength=len(distinct))
        order = np.lexsort((pictures.low, pictures.high, -pictures.pixels, index))
        best = order[np.searchsorted(index[order], np.arange(len(distinct)))]
        record: list[Array] = [
            distinct, documents, pictures.pixels[best], pictures.high[best], pictures.low[best], pictures.files[best],
            np.full(len(distinct), partition, np.uint32),
        ]  # fmt: skip
        keys = range_of(mixed(distinct), self.ranges)
        yield from by_key(keys, record)


@dataclass(frozen=True)
class _Collect:
    corpus: Corpus

    def __call__(self, key: int, values: list[list[Array]]) -> Iterator[tuple[int, list[Array]]]:
        self.corpus.scratch.write(DISTINCT, key, columns(values))
        yield from ()


@dataclass(frozen=True)
class _EmitBlocks:
    """(block key, perceptual hash); what stands for a file instead has no neighbours and does no harm."""

    corpus: Corpus
    distance: int
    ranges: int

    def __call__(self, source: int) -> Iterator[tuple[int, list[Array]]]:
        hashes = np.unique(self.corpus.scratch.arrays(DISTINCT, source)[0])
        blocks = block_keys(hashes, self.distance)
        flat, owner = blocks.ravel(), np.repeat(hashes, blocks.shape[1])
        keys = range_of(flat, self.ranges)
        yield from by_key(keys, [flat, owner])


@dataclass(frozen=True)
class _Alike:
    corpus: Corpus
    distance: int

    def __call__(self, key: int, values: list[list[Array]]) -> Iterator[tuple[int, list[Array]]]:
        keys, hashes = columns(values)
        left, right = alike(keys, hashes, self.distance)
        if len(left):
            self.corpus.scratch.write(SIMILAR, key, [left, right])
        yield from ()


@dataclass(frozen=True)
class _EmitLabelled:
    """Records of pictures, and as records of partition -1 the labels of those that have similar ones."""

    corpus: Corpus
    ranges: int

    def __call__(self, source: int) -> Iterator[tuple[int, list[Array]]]:
        if source >= 0:
            record = self.corpus.scratch.arrays(DISTINCT, source)
            record[6] = record[6].astype(np.int64)
        else:
            nodes, labels = (np.asarray(c) for c in self.corpus.scratch.arrays(LABELS, -1 - source))
            none = np.zeros(len(nodes), np.int64)
            record = [nodes, none, none, labels, np.zeros_like(nodes), np.zeros_like(nodes), none - 1]
        keys = range_of(mixed(record[0]), self.ranges)
        yield from by_key(keys, record)


@dataclass(frozen=True)
class _Join:
    """Each record with its label, by label."""

    ranges: int

    def __call__(self, key: int, values: list[list[Array]]) -> Iterator[tuple[int, list[Array]]]:
        record = columns(values)
        labelled = record[6] < 0
        known, first = np.unique(record[0][labelled], return_index=True)
        label_of = record[3][labelled][first]
        record = [column[~labelled] for column in record]
        labels = record[0].copy()
        if len(known):
            index = np.minimum(np.searchsorted(known, labels), len(known) - 1)
            labels = np.where(known[index] == labels, label_of[index], labels)
        yield from by_key(range_of(mixed(labels), self.ranges), [labels, *record])


@dataclass(frozen=True)
class _Best:
    """To the partitions of each picture with copies: identity, documents over all, url_hash and file of the best."""

    def __call__(self, key: int, values: list[list[Array]]) -> Iterator[tuple[int, list[Array]]]:
        labels, identity, documents, pixels, high, low, files, partition = columns(values)
        order = np.lexsort((files, low, high, -pixels, labels))
        ordered = labels[order]
        leads = np.concatenate((np.ones(1, np.bool_), ordered[1:] != ordered[:-1]))
        group = np.cumsum(leads) - 1
        total = np.bincount(group, weights=documents[order]).astype(np.int64)[group]
        best = order[np.flatnonzero(leads)[group]]
        record = [identity[order], total, high[best], low[best], files[best]]
        yield from by_key(partition[order], record)


@dataclass(frozen=True)
class _Keep:
    corpus: Corpus

    def __call__(self, partition: int, values: list[list[Array]]) -> Iterator[tuple[int, list[Array]]]:
        self.corpus.scratch.write(COPIES, partition, columns(values))
        yield from ()
