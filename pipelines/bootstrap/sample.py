"""The sample of pairs that adapters are trained and measured on: whole pages, those whose ids have the lowest hashes.

What the sample is does not depend on how the corpus is cut. Each partition offers the pages below a bound that lets
twice as many rows pass as are wanted; of these the lowest are taken. So no more than that travels, whatever the
size of the corpus, and nobody holds more than the sample.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from filters.adapter_training import Pairs
from filters.bootstrapping import Sample, folds_of
from filters.embeddings import Vectors
from filters.word_hashes import mixed
from pipelines.frame import tables
from pipelines.frame.exchange import Array, WholeJob, by_key, columns
from schemas.statuses import ScoreStatus, StageName
from schemas.tables import SCORES

Hashes = npt.NDArray[np.uint64]

SAMPLE = "sample"
# A page of thumbnails must not be the sample; of a larger one those with the lowest hashes are taken.
PAGE_PAIRS = 64
_OFFERED = 2  # times the pairs that are wanted: rows without a score are not known beforehand
_SALT = np.uint64(0xA54FF53A5F1D36F1)
EMBEDDINGS = ("image_embedding", "text_embedding")


@dataclass(frozen=True)
class Corpus(WholeJob):
    """All scores of a job."""

    stage: ClassVar[str] = StageName.BOOTSTRAP


@dataclass(frozen=True)
class Offer:
    """From each partition its pages below a bound, as (hash, position, width, embeddings) by range of its hash.

    `rows` is how many rows the scores of the job have, `wanted` how many pairs are.
    """

    corpus: Corpus
    rows: int
    wanted: int
    ranges: int

    def __call__(self, partition: int) -> Iterator[tuple[int, list[Array]]]:
        """(range, arrays) of a partition; embeddings only of the row groups that hold any of the pages."""
        workspace = self.corpus.workspace
        table = tables.read_table(workspace, SCORES, partition, ["doc_id", "position", "score_status"])
        hashes, rows = self._chosen(table)
        for some, found in tables.read_rows(workspace, SCORES, partition, ["clip_score", *EMBEDDINGS], rows):
            own = hashes[np.searchsorted(rows, some)]
            yield from self._packed(own, table.column("position").to_numpy()[some], found)

    def _chosen(self, table: pa.Table) -> tuple[Hashes, npt.NDArray[np.int64]]:
        """Rows with a score whose page is below the bound, and the hashes of their pages; few of each page."""
        hashes = page_hashes(table.column("doc_id").to_pylist())
        ok = pc.equal(table.column("score_status"), ScoreStatus.OK.value).to_numpy()
        rows = np.flatnonzero(ok & (hashes <= self._bound))
        at = mixed(hashes[rows] + table.column("position").to_numpy()[rows].astype(np.uint64))
        order = np.lexsort((at, hashes[rows]))
        place = _place_in_run(hashes[rows][order])
        rows = np.sort(rows[order[place < PAGE_PAIRS]])
        return hashes[rows], rows

    @property
    def _bound(self) -> np.uint64:
        share = _OFFERED * self.wanted / max(self.rows, 1)
        return np.uint64(2**64 - 1) if share >= 1 else np.uint64(int(share * 2**64))

    def _packed(self, hashes: Hashes, positions: Array, found: pa.Table) -> Iterator[tuple[int, list[Array]]]:
        scores = found.column("clip_score").to_numpy(zero_copy_only=False)
        images, texts = (Vectors.of(found.column(name)) for name in EMBEDDINGS)
        usable = images.usable & texts.usable & (images.widths == texts.widths) & np.isfinite(scores)
        for width in np.unique(images.widths[usable]).tolist():
            rows = np.flatnonzero(usable & (images.widths == width))
            keys = np.minimum(hashes[rows] // np.uint64(max(int(self._bound) // self.ranges, 1)), self.ranges - 1)
            for key, (some,) in by_key(keys, [rows]):
                count = np.full(len(some), width, np.int64)
                yield key, [
                    hashes[some], positions[some].astype(np.int64), count,
                    images.rows(some).ravel(), texts.rows(some).ravel(),
                ]  # fmt: skip


@dataclass(frozen=True)
class Keep:
    """Writes what was offered of a range of hashes, in their order."""

    corpus: Corpus

    def __call__(self, key: int, values: list[list[Array]]) -> Iterator[tuple[int, list[Array]]]:
        """Pairs of the width that most of them have: a job has one scorer, and so one width."""
        widths, counts = np.unique(np.concatenate([value[2] for value in values]), return_counts=True)
        width = int(widths[np.argmax(counts)])
        hashes, positions, _, images, texts = columns([v for v in values if v[2][0] == width])
        order = np.lexsort((positions, hashes))
        flat = [some.reshape(-1, width)[order].ravel() for some in (images, texts)]
        self.corpus.scratch.write(SAMPLE, key, [hashes[order], np.array([width]), *flat])
        yield from ()


def page_hashes(doc_ids: Sequence[str]) -> Hashes:
    """For each id a number that is even over all 64-bit ones, the same whenever it is asked."""
    halves = np.array([(int(i[:16], 16), int(i[16:], 16)) for i in doc_ids], np.uint64).reshape(-1, 2)
    return mixed(mixed(halves[:, 0] ^ _SALT) + halves[:, 1])


@dataclass(frozen=True, eq=False)
class Drawn:
    """The sample, and up to which hash pages are in it."""

    sample: Sample
    last: np.uint64


def folds_up_to(last: np.uint64, doc_ids: Sequence[str], folds: int) -> npt.NDArray[np.int64]:
    """For each page the fold that it is in, of a sample of the pages up to a hash; -1 where it is in none."""
    hashes = page_hashes(doc_ids)
    return np.where(hashes <= last, folds_of(hashes, folds), -1)


def load(corpus: Corpus, wanted: int, folds: int) -> Drawn:
    """The sample: of what was kept the pages with the lowest hashes, as many as make no more pairs than are wanted."""
    parts: list[list[Array]] = []
    held = 0
    for key in corpus.scratch.keys(SAMPLE):
        if held > wanted:
            break
        parts.append(corpus.scratch.arrays(SAMPLE, key))
        held += len(parts[-1][0])
    return drawn(parts, wanted, folds)


def drawn(parts: Sequence[Sequence[Array]], wanted: int, folds: int) -> Drawn:
    """A sample of parts in the order of their hashes, each (hashes, width, images, texts)."""
    width = int(max((int(part[1][0]) for part in parts), default=0))
    parts = [part for part in parts if int(part[1][0]) == width]
    hashes = np.concatenate([part[0] for part in parts] or [np.empty(0, np.uint64)])
    _, pages = np.unique(hashes, return_inverse=True)
    count = len(hashes)
    if count > wanted:  # whole pages only
        count = int(np.searchsorted(pages, pages[wanted]))
    images, texts = (
        np.concatenate([part[at].reshape(-1, width) for part in parts] or [np.empty((0, 0), np.float16)])[:count]
        for at in (2, 3)
    )
    pairs = Pairs(images, texts, pages[:count].astype(np.int64), _equal(images), _equal(texts))
    return Drawn(Sample(pairs, folds_of(hashes[:count], folds)), hashes[count - 1] if count else np.uint64(0))


def _equal(vectors: npt.NDArray[np.float16]) -> npt.NDArray[np.int64]:
    """The same number for equal rows."""
    if not vectors.size:
        return np.zeros(len(vectors), np.int64)
    rows = np.ascontiguousarray(vectors).view(np.dtype((np.void, vectors.shape[1] * vectors.itemsize))).ravel()
    return np.unique(rows, return_inverse=True)[1].astype(np.int64)


def _place_in_run(values: Array) -> npt.NDArray[np.int64]:
    """Of each of ordered values how many equal ones stand before it."""
    return np.arange(len(values)) - np.searchsorted(values, values, "left")
