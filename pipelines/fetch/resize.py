"""Resizing where the recipe asks for it, by img2dataset's Resizer (extra `resize`); else bytes stay as they came."""

import io
import os
from dataclasses import dataclass
from functools import cache
from typing import Any

from filters.image_header import ImageFacts, Unusable
from schemas.recipe import ResizeSettings
from schemas.sample import EXTENSIONS
from schemas.statuses import ImageStatus


@dataclass(frozen=True)
class StoredImage:
    """An image as it is stored."""

    content: bytes
    extension: str
    width: int
    height: int


def resize(content: bytes, facts: ImageFacts, settings: ResizeSettings | None) -> StoredImage | Unusable:
    """The image as the recipe wants it stored."""
    if settings is None:
        return StoredImage(content, EXTENSIONS[facts.format], facts.width, facts.height)
    made, width, height, _, _, error = _resizer(settings)(io.BytesIO(content))
    if error is not None:
        return Unusable(ImageStatus.RESIZE_FAILED, str(error))
    return StoredImage(bytes(made), settings.encode_format, width, height)


@cache
def _resizer(settings: ResizeSettings) -> Any:
    # Without this albumentations, which img2dataset imports, asks its makers for a newer version of itself.
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
    from img2dataset.resizer import Resizer

    return Resizer(
        image_size=settings.size,
        resize_mode=settings.mode,
        resize_only_if_bigger=settings.only_if_bigger,
        encode_format=settings.encode_format,
        encode_quality=settings.encode_quality,
    )
