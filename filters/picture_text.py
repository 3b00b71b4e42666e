"""The text in a picture, by RapidOCR (extra `ocr`): PaddleOCR's detection and recognition on ONNX Runtime.

https://github.com/RapidAI/RapidOCR (Apache-2.0), with PP-OCRv4's models, which the package brings. They read Latin
letters, without most accents, digits, and Chinese.

Reading takes half a second and more. So a test comes first: detection alone, on the picture made small, where letters
that a person could read are still lines to the detector. A picture in which it finds no line is not read.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from filters.image_header import Unusable, read_image
from filters.seen_picture import in_8_bits, on_white, upright

# The longer side at which the test looks, and beyond which pictures are made smaller before they are read.
_TEST_SIDE, _READ_SIDE = 480, 1600
# Of what is thinner than this there is nothing to read. A line takes some 20 ms, and a page of text has a hundred.
_LEAST_SIDE, _MOST_LINES = 8, 64

Pixels = npt.NDArray[np.uint8]


def read_text(content: bytes, max_pixels: int) -> Sequence[str] | Unusable:
    """Lines of text from top to bottom, none where the test or the reading finds none; or why there is no picture."""
    picture = read_image(content, max_pixels, _look)
    if isinstance(picture, Unusable):
        return picture
    return lines_of(picture) if holds_text(picture) else ()


def holds_text(picture: Pixels) -> bool:
    """The test: whether anything in a picture, (h, w, 3) in BGR, looks like a line of text."""
    return bool(len(_lines_in(np.asarray(_within(Image.fromarray(picture), _TEST_SIDE)))))


def lines_of(picture: Pixels) -> list[str]:
    """What is read in a picture, (h, w, 3) in BGR: its largest lines, if there are many."""
    lines = _lines_in(picture)
    if len(lines) > _MOST_LINES:
        heights = np.linalg.norm(lines[:, 3] - lines[:, 0], axis=1)
        lines = lines[np.sort(np.argsort(-heights, kind="stable")[:_MOST_LINES])]
    if not len(lines):
        return []
    engine = _engine()
    read, _ = engine.text_rec(engine.get_crop_img_list(picture, list(lines)))
    return [text for text, sureness in read if text and sureness >= engine.text_score]


def _lines_in(picture: Pixels) -> npt.NDArray[np.float32]:
    """Corners of what looks like lines of text, (n, 4, 2), from top to bottom."""
    if min(picture.shape[:2]) < _LEAST_SIDE:
        return np.zeros((0, 4, 2), np.float32)
    boxes, _ = _engine()(picture, use_cls=False, use_rec=False)
    return np.array(boxes or (), np.float32).reshape(-1, 4, 2)


def _look(image: Image.Image) -> Pixels:
    """As a page shows it, in BGR as OpenCV has it."""
    image.draft("RGB", (_READ_SIDE, _READ_SIDE))
    image.load()
    plain = in_8_bits(image)
    plain = on_white(plain.convert("RGBA")) if plain.has_transparency_data else plain.convert("RGB")
    shown = _within(upright(plain, image), _READ_SIDE)
    return np.ascontiguousarray(np.asarray(shown)[:, :, ::-1])


def _within(picture: Image.Image, side: int) -> Image.Image:
    """A picture whose longer side is at most `side`; smaller ones stay."""
    longer = max(picture.size)
    if longer <= side:
        return picture
    width, height = (max(1, round(length * side / longer)) for length in picture.size)
    return picture.resize((width, height), Image.Resampling.BOX)


@cache
def _engine() -> Any:
    import os

    # Read once, when ONNX Runtime starts: from 1.29 on it would else report to its makers, from Linux too.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import cv2
    from rapidocr_onnxruntime import RapidOCR

    cv2.setNumThreads(1)  # there is a worker for every core
    # "max": pictures are not made larger before lines are looked for, which would take most of the time.
    return RapidOCR(intra_op_num_threads=1, inter_op_num_threads=1, det_limit_type="max")
