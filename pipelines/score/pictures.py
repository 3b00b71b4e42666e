"""A partition's images: each distinct file read in the order of the tar, decoded ahead of the model, embedded once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
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
_COLUMNS = ("url", "status", "sha256", "shard", "offset", "length")


@dataclass
class Pictures:
    """Files of a partition's images by URL, and why those that have no embedding have none."""

    files: dict[str, str] = field(default_factory=dict)
    unusable: dict[str, Unusable] = field(default_factory=dict)


def embed_pictures(task: Task, model: ClipModel, into: EmbeddingFile, batch_size: int, threads: int) -> Pictures:
    """Embed every image of the partition that was got, under its SHA-256."""
    pictures = Pictures()
    shape = partial(_shape, model=model, max_pixels=task.recipe.fetch.max_pixels)
    with ImageFiles(task.workspace) as files:
        contents = _contents(task, files, pictures)
        shaped = ahead(shape, contents, threads, batch_size)
        usable = _usable(shaped, pictures)
        while batch := list(islice(usable, batch_size)):
            _keep(batch, model.embed_images([picture for _, picture in batch]), pictures, into)
    return pictures


def _keep(batch: Sequence[tuple[str, Picture]], found: Embeddings, pictures: Pictures, into: EmbeddingFile) -> None:
    finite = [bool(np.isfinite(embedding).all()) for embedding in found]
    into.add([sha256 for (sha256, _), fine in zip(batch, finite, strict=True) if fine], found[np.array(finite)])
    pictures.unusable |= {sha256: NOT_FINITE for (sha256, _), fine in zip(batch, finite, strict=True) if not fine}


def _contents(task: Task, files: ImageFiles, pictures: Pictures) -> Iterator[tuple[str, bytes | Unusable]]:
    """SHA-256 and bytes of each distinct file; of equal ones the first is read."""
    seen = set(pictures.files.values())
    for batch in tables.read_batches(task.workspace, IMAGES, task.number, _COLUMNS):
        rows: list[Mapping[str, Any]] = batch.filter(pc.equal(batch.column("status"), ImageStatus.OK.value)).to_pylist()
        for row in rows:
            pictures.files[row["url"]] = row["sha256"]
            if row["sha256"] in seen:
                continue
            seen.add(row["sha256"])
            content = files.read(row)
            if isinstance(content, bytes):
                task.bytes_in += len(content)
            yield row["sha256"], content


def _shape(item: tuple[str, bytes | Unusable], model: ClipModel, max_pixels: int) -> tuple[str, Picture | Unusable]:
    sha256, content = item
    if isinstance(content, Unusable):
        return sha256, content
    return sha256, clip_picture(content, max_pixels, model.image_size, model.preprocess)


def _usable(shaped: Iterator[tuple[str, Picture | Unusable]], pictures: Pictures) -> Iterator[tuple[str, Picture]]:
    for sha256, picture in shaped:
        if isinstance(picture, Unusable):
            pictures.unusable[sha256] = picture
        else:
            yield sha256, picture
