"""The dedup_images stage: for each picture how many documents show it or a copy, and which copy is the best."""

from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from filters.hamming import nearest
from pipelines.dedup_images.copies import COPIES, Corpus, find_copies
from pipelines.dedup_images.pictures import Pictures, pictures_of
from pipelines.frame import fingerprints, ledger, storage
from pipelines.frame.engine import Engine
from pipelines.frame.stage import Job, Read, Span, Stage
from pipelines.frame.task import Task
from schemas.recipe import Recipe
from schemas.statuses import DuplicateKind, StageName
from schemas.tables import IMAGE_DUPLICATES


class DedupImages(Stage):
    """image_duplicates from images: hashes, counts and numbers of partitions travel, pictures never."""

    name: ClassVar[StageName] = StageName.DEDUP_IMAGES
    reads: ClassVar[tuple[Read, ...]] = (
        Read(StageName.EXTRACT, "documents", Span.ALL),
        Read(StageName.DEDUP_TEXT, "text_duplicates", Span.ALL),
        Read(StageName.BALANCE, "balance", Span.ALL),
        Read(StageName.FETCH, "images", Span.ALL),
    )
    writes: ClassVar[tuple[str, ...]] = ("image_duplicates",)
    light: ClassVar[bool] = True

    def settings(self, recipe: Recipe) -> dict[str, Any]:
        """How far hashes of copies may differ, which documents count, and what evaluation sets hold."""
        return {
            "screen": recipe.screen.fingerprinted(),
            "distance": recipe.dedup.images.perceptual_distance,
            "benchmarks": [
                [b.name, b.distance, [fingerprints.of_input(p, storage.size_of(p)) for p in _files(b.images)]]
                for b in recipe.decontaminate
                if b.images
            ],
        }

    def prepare(self, job: Job, engine: Engine) -> None:
        """Do the exchanges."""
        corpus = Corpus(job.workspace.root, job.recipe)
        corpus.scratch.clear()
        listed_hashes.cache_clear()  # of an earlier run in this process
        fetched = ledger.read_all(job.workspace, StageName.FETCH).values()
        images = sum(record.tallies["images"].out for record in fetched if "images" in record.tallies)
        find_copies(engine, corpus, [p.partition for p in job.partitions], images)

    def process(self, task: Task, known: Sequence[Any]) -> None:
        """Write a row for each of the partition's pictures that has copies, or is in an evaluation set."""
        corpus = Corpus(task.workspace.root, task.recipe)
        pictures = pictures_of(task.workspace, task.number, task.recipe, with_documents=False)
        rows = _copies(corpus, task.number, pictures) | _in_benchmarks(task.recipe, pictures)
        with task.table(IMAGE_DUPLICATES) as table:
            table.write_rows([{"url": pictures.urls[row], **found} for row, found in sorted(rows.items())])
        tally = task.tally("pictures")
        own = [f"{high:016x}{low:016x}" for high, low in pictures.hashes.tolist()]
        lesser = Counter(found["kind"] for row, found in rows.items() if found["survivor"] != own[row])
        tally.keep(len(own) - lesser.total())
        for kind, count in sorted(lesser.items()):
            tally.drop(kind, count)

    def clean_up(self, job: Job) -> None:
        """Remove what the exchanges left."""
        Corpus(job.workspace.root, job.recipe).scratch.clear()


def _copies(corpus: Corpus, partition: int, pictures: Pictures) -> dict[int, dict[str, Any]]:
    found = corpus.scratch.read(COPIES, partition)
    if found is None:
        return {}
    identity, total, high, low, files = found
    order = np.argsort(identity)
    index = order[np.searchsorted(identity[order], pictures.identity)]
    rows = {}
    for row, i in enumerate(index.tolist()):
        is_best = pictures.high[row] == high[i] and pictures.low[row] == low[i]
        if is_best and total[i] < 2:
            continue
        kind = DuplicateKind.EXACT if pictures.files[row] == files[i] else DuplicateKind.PERCEPTUAL
        rows[row] = {"kind": kind.value, "survivor": f"{high[i]:016x}{low[i]:016x}", "copies": int(total[i])}
    return rows


def _in_benchmarks(recipe: Recipe, pictures: Pictures) -> dict[int, dict[str, Any]]:
    rows: dict[int, dict[str, Any]] = {}
    for benchmark in reversed(recipe.decontaminate):
        if benchmark.images:
            near = nearest(pictures.phashes, listed_hashes(benchmark.images)) <= benchmark.distance
            row = {"kind": DuplicateKind.BENCHMARK.value, "survivor": benchmark.name, "copies": None}
            rows |= dict.fromkeys(np.flatnonzero(near).tolist(), row)
    return rows


@cache
def listed_hashes(path: str) -> npt.NDArray[np.uint64]:
    """Perceptual hashes of an evaluation set: lines of a file, or of the images in a folder."""
    if not storage.is_folder(path):
        return np.unique(np.array([int(line, 16) for line in storage.lines_in(path) if line], np.uint64))
    from filters.image_header import ImageFacts, inspect

    found = []
    for name in _files(path):
        with storage.open_read(name) as file:
            facts = inspect(file.read(), max_pixels=1 << 28)
        if isinstance(facts, ImageFacts):
            found.append(int(facts.phash, 16))
    return np.unique(np.array(found, np.uint64))


def _files(path: str) -> list[str]:
    return storage.files_in(path) if storage.is_folder(path) else [path]
