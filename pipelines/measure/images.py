"""A partition's images out of their tar, each file decoded once, and what was measured on it."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import pyarrow.compute as pc

from filters.image_header import Unusable
from filters.image_pixels import PixelSignals, measure_pixels
from pipelines.frame import tables
from pipelines.frame.image_files import ImageFiles
from pipelines.frame.task import Task
from schemas.statuses import ImageStatus
from schemas.tables import IMAGES

_COLUMNS = ("url", "status", "sha256", "shard", "offset", "length")
_FAILED_BY_US = Unusable(ImageStatus.ERROR, "see the errors file")


def measured_rows(task: Task) -> Iterator[dict[str, Any]]:
    """A row of image_signals for each image that was got, in the order of the table, which is that of the tar."""
    with ImageFiles(task.workspace) as files:
        images = _Images(task, files)
        for row in _fetched(task):
            yield _row(row["url"], images.measure(row))


def _fetched(task: Task) -> Iterator[dict[str, Any]]:
    for batch in tables.read_batches(task.workspace, IMAGES, task.number, _COLUMNS):
        yield from batch.filter(pc.equal(batch.column("status"), ImageStatus.OK.value)).to_pylist()


def _row(url: str, found: PixelSignals | Unusable) -> dict[str, Any]:
    if isinstance(found, Unusable):
        return {"url": url, "measure_status": found.status.value, "measure_message": found.message}
    return {"url": url, "measure_status": ImageStatus.OK.value, **asdict(found)}


class _Images:
    """Measures images. Of equal files only the first is read."""

    def __init__(self, task: Task, files: ImageFiles) -> None:
        self._task, self._files = task, files
        self._known: dict[str, PixelSignals | Unusable] = {}

    def measure(self, row: dict[str, Any]) -> PixelSignals | Unusable:
        """The signals of an image by its row, counted."""
        found: PixelSignals | Unusable = _FAILED_BY_US
        with self._task.guard("images", row["url"]):
            found = self._known.get(row["sha256"]) or self._read_and_measure(row)
            tally = self._task.tally("images")
            tally.drop(found.status) if isinstance(found, Unusable) else tally.keep()
        return found

    def _read_and_measure(self, row: dict[str, Any]) -> PixelSignals | Unusable:
        content = self._files.read(row)
        if isinstance(content, Unusable):
            return content  # not remembered: of another copy the tar may hold everything
        self._task.bytes_in += len(content)
        recipe = self._task.recipe
        found = measure_pixels(content, recipe.fetch.max_pixels, nsfw=recipe.measure.nsfw)
        return self._known.setdefault(row["sha256"], found)
