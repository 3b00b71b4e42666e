"""What is written in a partition's pictures, and how much of their best texts that is."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow.compute as pc

from filters.image_header import Unusable
from filters.picture_text import read_text
from filters.text_overlap import text_overlap
from pipelines.frame import tables
from pipelines.frame.image_files import ImageFiles
from pipelines.frame.task import Task
from schemas.statuses import ImageStatus, OcrStatus, ScoreStatus
from schemas.tables import IMAGES, SCORES

# Of each picture that was read, by SHA-256: its lines, or why it could not be read.
Pictures = Mapping[str, Sequence[str] | Unusable]

_IMAGE_COLUMNS = ("url", "status", "sha256", "shard", "offset", "length")
_SCORE_COLUMNS = ("doc_id", "position", "sha256", "score_status", "best_text")
# A picture of a page of text holds some 4,000 characters; nobody needs more of them in a table.
_MOST_CHARACTERS = 4000
_FAILED_BY_US = Unusable(ImageStatus.ERROR, "see the errors file")


def read_pictures(task: Task) -> Pictures:
    """The text of each file of the partition that has a score, in the order of the tar."""
    wanted = {row["sha256"] for row in _scored(task)}
    found: dict[str, Sequence[str] | Unusable] = {}
    with ImageFiles(task.workspace) as files:
        for batch in tables.read_batches(task.workspace, IMAGES, task.number, _IMAGE_COLUMNS):
            for row in batch.filter(pc.equal(batch.column("status"), ImageStatus.OK.value)).to_pylist():
                if row["sha256"] in wanted:
                    wanted.remove(row["sha256"])
                    found[row["sha256"]] = _FAILED_BY_US
                    with task.guard("pictures", row["url"]):
                        found[row["sha256"]] = _counted(task, _read(task, files.read(row)))
    return found


def _counted(task: Task, picture: Sequence[str] | Unusable) -> Sequence[str] | Unusable:
    tally = task.tally("pictures")
    if isinstance(picture, Unusable):
        tally.drop(picture.status)
    elif picture:
        tally.keep()
    else:
        tally.drop(OcrStatus.NO_TEXT)
    return picture


def _read(task: Task, content: bytes | Unusable) -> Sequence[str] | Unusable:
    if isinstance(content, Unusable):
        return content
    task.bytes_in += len(content)
    lines = read_text(content, task.recipe.fetch.max_pixels)
    return lines if isinstance(lines, Unusable) else _cut_off(lines)


def overlap_rows(task: Task, pictures: Pictures) -> Iterator[dict[str, Any]]:
    """A row for each score of the partition that is ok, counted."""
    tally = task.tally("images")
    for row in _scored(task):
        picture = pictures[row["sha256"]]
        found: dict[str, Any] = {"doc_id": row["doc_id"], "position": row["position"]}
        if isinstance(picture, Unusable):
            found |= {"ocr_status": picture.status.value, "ocr_message": picture.message}
            tally.drop(picture.status)
        else:
            status = OcrStatus.READ if picture else OcrStatus.NO_TEXT
            found |= {"ocr_status": status.value, "image_text": "\n".join(picture) or None}
            found["text_overlap"] = text_overlap(row["best_text"], picture)
            tally.keep()
        yield found


def _scored(task: Task) -> Iterator[dict[str, Any]]:
    for batch in tables.read_batches(task.workspace, SCORES, task.number, _SCORE_COLUMNS):
        yield from batch.filter(pc.equal(batch.column("score_status"), ScoreStatus.OK.value)).to_pylist()


def _cut_off(lines: Sequence[str]) -> Sequence[str]:
    kept, left = [], _MOST_CHARACTERS
    for line in lines:
        if left <= 0:
            break
        kept.append(line[:left])
        left -= len(line) + 1
    return kept
