"""A partition's images: each distinct file read in the order of the tar, decoded ahead of the model, embedded once."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from threading import Event
from typing import Any

import numpy as np
import pyarrow.compute as pc

from filters.clip import ClipModel, Picture
from filters.clip_picture import clip_picture
from filters.image_header import Unusable
from pipelines.frame import tables
from pipelines.frame.image_files import ImageFiles
from pipelines.frame.task import Task
from pipelines.score.ahead import ahead
from pipelines.score.embeddings import EmbeddingFile, Embeddings
from schemas.statuses import ImageStatus
from schemas.tables import IMAGES

NOT_FINITE = Unusable(ImageStatus.ERROR, "the embedding of the image")
_COLUMNS = ("status", "sha256", "shard", "offset", "length")


Unusables = dict[str, Unusable]


def fetched_files(task: Task) -> dict[str, str]:
    """SHA-256 of each image of the partition that was got, by URL."""
    return {row["url"]: row["sha256"] for row in _fetched(task, ("url", "status", "sha256"))}


def embed_pictures(task: Task, model: ClipModel, into: EmbeddingFile, threads: int, stop: Event) -> Unusables:
    """Embed every image of the partition that was got, under its SHA-256; those without an embedding, and why.

    Where nobody wants them any more, `stop` says so.
    """
    unusable: Unusables = {}
    size = model.batch_sizes["images"]
    shape = partial(_shape, model=model, max_pixels=task.recipe.fetch.max_pixels)
    with ImageFiles(task.workspace) as files:
        usable = _usable(ahead(shape, _contents(task, files), threads, size), unusable)
        while not stop.is_set() and (batch := list(islice(usable, size))):
            _keep(batch, model.embed_images([picture for _, picture in batch]), unusable, into)
    return unusable


def _keep(batch: Sequence[tuple[str, Picture]], found: Embeddings, unusable: Unusables, into: EmbeddingFile) -> None:
    finite = [bool(np.isfinite(embedding).all()) for embedding in found]
    into.add([sha256 for (sha256, _), fine in zip(batch, finite, strict=True) if fine], found[np.array(finite)])
    unusable |= {sha256: NOT_FINITE for (sha256, _), fine in zip(batch, finite, strict=True) if not fine}


def _contents(task: Task, files: ImageFiles) -> Iterator[tuple[str, bytes | Unusable]]:
    """SHA-256 and bytes of each distinct file; of equal ones the first is read."""
    seen = set[str]()
    for row in _fetched(task, _COLUMNS):
        if row["sha256"] in seen:
            continue
        seen.add(row["sha256"])
        content = files.read(row)
        if isinstance(content, bytes):
            task.bytes_in += len(content)
        yield row["sha256"], content


def _fetched(task: Task, columns: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    for batch in tables.read_batches(task.workspace, IMAGES, task.number, columns):
        yield from batch.filter(pc.equal(batch.column("status"), ImageStatus.OK.value)).to_pylist()


def _shape(item: tuple[str, bytes | Unusable], model: ClipModel, max_pixels: int) -> tuple[str, Picture | Unusable]:
    sha256, content = item
    if isinstance(content, Unusable):
        return sha256, content
    return sha256, clip_picture(content, max_pixels, model.image_size, model.preprocess)


def _usable(shaped: Iterator[tuple[str, Picture | Unusable]], unusable: Unusables) -> Iterator[tuple[str, Picture]]:
    for sha256, picture in shaped:
        if isinstance(picture, Unusable):
            unusable[sha256] = picture
        else:
            yield sha256, picture
