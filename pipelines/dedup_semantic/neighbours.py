"""The nearest better picture of each over the whole job: a sample, clusters of it, then pairs inside each cluster.

What travels is a record for each distinct file of a partition, with its embedding, to the one worker that has its
cluster: some kilobyte a picture. A cluster fits into a worker's memory. One that is much larger than the others (a
shop's thumbnails, plots of one program) is cut by a hash of the files into parts that do; pairs across these are not
seen.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from filters.embeddings import Floats, unit
from filters.one_thread import one_thread
from filters.semantic import centres_of, nearest_better, nearest_centres
from filters.word_hashes import mixed
from pipelines.dedup_semantic.embedded import Embedded, Hashes, best_images, embedded, file_numbers
from pipelines.frame import tables
from pipelines.frame.engine import Engine
from pipelines.frame.exchange import Array, WholeJob, by_key, columns, exchange, range_of
from pipelines.frame.task import Task
from schemas.statuses import ScoreStatus, StageName
from schemas.tables import SCORES, SEMANTIC_DUPLICATES

_SAMPLE, _CLUSTERS, _NEIGHBOURS = "sample", "clusters", "neighbours"
_USUAL_RECORD_BYTES = 48 + 2 * 768
# Pictures of the sample for each cluster, and at most: 100,000 of 768 numbers are 300 MB.
_SAMPLED, _MOST_SAMPLED, _FEWEST_SAMPLED = 64, 100_000, 8
# A cluster that has so many times the pictures of the average is cut.
_LARGE = 4


@dataclass(frozen=True)
class Corpus(WholeJob):
    """Scores of a job, by partition."""

    stage: ClassVar[str] = StageName.DEDUP_SEMANTIC

    @property
    def per_cluster(self) -> int:
        """Pictures that a cluster has on average."""
        assert self.recipe.dedup.semantic is not None
        return self.recipe.dedup.semantic.pictures_per_cluster


def find_neighbours(engine: Engine, corpus: Corpus, partitions: list[int], rows: int) -> None:
    """Leave to each partition what is nearest to its pictures; `rows` is how many scores the job has."""
    count = -(-rows // corpus.per_cluster)
    if count > 1:
        wanted = min(count * _SAMPLED, _MOST_SAMPLED)
        exchange(
            engine, "sample", partitions, _Offer(corpus, wanted / rows), _Take(corpus),
            total_bytes=wanted * _USUAL_RECORD_BYTES,
        )  # fmt: skip
        _cut(corpus, count, rows)
    steps = _Emit(corpus), _Compare(), _Keep(corpus)
    exchange(engine, "neighbours", partitions, *steps, total_bytes=rows * _USUAL_RECORD_BYTES)


def write_neighbours(task: Task) -> None:
    """Write a row for each score of the partition that is ok."""
    found = Corpus(task.workspace.root, task.recipe).scratch.read(_NEIGHBOURS, task.number)
    known = _Known(*found) if found else None
    tally = task.tally("pictures")
    with task.table(SEMANTIC_DUPLICATES) as table:
        for batch in tables.read_batches(
            task.workspace, SCORES, task.number, ("doc_id", "position", "sha256", "score_status")
        ):
            files = file_numbers(batch.column("sha256"))
            rows = batch.to_pylist()
            for row, file in zip(rows, files, strict=True):
                if row["score_status"] == ScoreStatus.OK.value:
                    own = {"doc_id": row["doc_id"], "position": row["position"]}
                    table.write_rows([own | (known.of(file) if known else {})])
                    tally.keep()


@dataclass(frozen=True)
class _Known:
    """What came back for a partition's files, ascending."""

    files: Hashes
    similarity: Floats
    high: Hashes
    low: Hashes

    def of(self, file: np.uint64) -> dict[str, float | str]:
        """Columns of a file; none where no picture is both near and better."""
        place = int(np.searchsorted(self.files, file))
        if place == len(self.files) or self.files[place] != file or np.isnan(self.similarity[place]):
            return {}
        nearest = f"{self.high[place]:016x}{self.low[place]:016x}"
        return {"semantic_similarity": float(self.similarity[place]), "nearest": nearest}


@dataclass(frozen=True)
class _Offer:
    """Pictures whose file's hash is below a bound: a share of all, the same wherever they are."""

    corpus: Corpus
    share: float

    def __call__(self, partition: int) -> Iterator[tuple[int, list[Array]]]:
        bound = np.uint64(min(self.share, 1) * (2**64 - 2**12))
        for some in embedded(self.corpus.workspace, partition):
            keys = mixed(some.files)
            low = np.flatnonzero(keys <= bound)
            if len(low):
                whose = np.full(len(low), partition)
                yield 0, [keys[low], whose, np.full(len(low), some.rows.shape[1]), some.rows[low].ravel()]


@dataclass(frozen=True)
class _Take:
    """Writes the sample: each file once, in the order of the hashes, and how many partitions have it.

    Embeddings of one file may differ in their last bits between partitions; the first one's is taken.
    """

    corpus: Corpus

    def __call__(self, key: int, values: list[list[Array]]) -> Iterator[tuple[int, list[Array]]]:
        width, (keys, partition, _, flat) = _of_one_width(values, at=2)
        order = np.lexsort((partition, keys))
        _, first, counts = np.unique(keys[order], return_index=True, return_counts=True)
        rows = flat.reshape(-1, width)[order[first[:_MOST_SAMPLED]]]
        self.corpus.scratch.write(_SAMPLE, 0, [counts[:_MOST_SAMPLED], np.array([width]), rows.ravel()])
        yield from ()


def _cut(corpus: Corpus, count: int, rows: int) -> None:
    """Find the centres of clusters, and into how many parts each is cut."""
    found = corpus.scratch.read(_SAMPLE, 0)
    if found is None:  # no picture has an embedding
        return
    width = int(found[1][0])
    sample = unit(found[2].reshape(-1, width))
    with one_thread():
        centres = centres_of(sample, max(1, min(count, len(sample) // _FEWEST_SAMPLED)))
        records = np.bincount(nearest_centres(sample, centres), found[0], len(centres))
    share = records / records.sum()
    parts = np.maximum(1, np.ceil(share * rows / (_LARGE * corpus.per_cluster))).astype(np.int64)
    corpus.scratch.write(_CLUSTERS, 0, [parts, centres.ravel()])


@dataclass(frozen=True)
class _Emit:
    """(file, pixels, url_hash of its best image, partition, width, embedding) of each distinct file, by cluster."""

    corpus: Corpus

    def __call__(self, partition: int) -> Iterator[tuple[int, list[Array]]]:
        clusters = self.corpus.scratch.read(_CLUSTERS, 0)
        best = best_images(self.corpus.workspace, partition)
        for some in embedded(self.corpus.workspace, partition):
            places = best.places(some.files)
            record = [some.files, best.pixels[places], best.high[places], best.low[places]]
            count, width = some.rows.shape
            record += [np.full(count, partition), np.full(count, width)]
            for key, (at,) in by_key(_keys(some, clusters), [np.arange(count)]):
                yield key, [*(column[at] for column in record), some.rows[at].ravel()]


def _keys(some: Embedded, clusters: Sequence[Array] | None) -> npt.NDArray[np.int64]:
    """The cluster of each picture, or the part of one that was cut."""
    width = some.rows.shape[1]
    if clusters is None or len(clusters[1]) != len(clusters[0]) * width:
        return np.zeros(len(some.files), np.int64)
    parts, centres = clusters[0], clusters[1].reshape(-1, width)
    with one_thread():
        nearest = nearest_centres(unit(some.rows), centres)
    first = np.cumsum(parts) - parts
    keys: npt.NDArray[np.int64] = first[nearest]
    for cut in np.flatnonzero(parts > 1).tolist():
        own = nearest == cut
        keys[own] += range_of(mixed(some.files[own]), int(parts[cut])).astype(np.int64)
    return keys


@dataclass(frozen=True)
class _Compare:
    """To the partitions of each picture of a cluster: file, cosine with the nearest better one, and its url_hash."""

    def __call__(self, key: int, values: list[list[Array]]) -> Iterator[tuple[int, list[Array]]]:
        width, (files, pixels, high, low, partition, _, flat) = _of_one_width(values, at=5)
        order = np.lexsort((partition, files, low, high, -pixels))
        _, first, which = np.unique(files[order], return_index=True, return_inverse=True)
        leads = np.sort(first)  # of each file the best image, better ones first
        rows = order[leads]
        with one_thread():
            similarity, nearest = nearest_better(unit(flat.reshape(-1, width)[rows]))
        better = rows[nearest]
        back = np.searchsorted(leads, first)[which]  # from every record, ordered, to its file's lead
        record = [files[order], similarity[back], high[better][back], low[better][back]]
        yield from by_key(partition[order], record)


@dataclass(frozen=True)
class _Keep:
    """Writes what came to a partition, by file."""

    corpus: Corpus

    def __call__(self, partition: int, values: list[list[Array]]) -> Iterator[tuple[int, list[Array]]]:
        found = columns(values)
        order = np.argsort(found[0], kind="stable")
        self.corpus.scratch.write(_NEIGHBOURS, partition, [column[order] for column in found])
        yield from ()


def _of_one_width(values: Sequence[Sequence[Array]], at: int) -> tuple[int, list[Array]]:
    """Values whose embeddings have the width of most, and that width, which stands in their column `at`."""
    widths, counts = np.unique(np.concatenate([value[at] for value in values]), return_counts=True)
    width = int(widths[np.argmax(counts)])
    return width, columns([value for value in values if value[at][0] == width])
