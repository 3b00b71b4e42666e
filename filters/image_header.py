"""Facts of an image file: size and format from its header, before anything is decoded; then whether it decodes."""

import io
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import imagehash
from PIL import Image, UnidentifiedImageError

from filters.seen_picture import in_8_bits, on_white, reduced
from schemas.sample import EXTENSIONS
from schemas.statuses import ImageStatus

T = TypeVar("T")

# What browsers show and training loaders read. Other decoders of Pillow are not let near fetched bytes.
FORMATS = {"JPEG": "jpeg", "MPO": "jpeg", "PNG": "png", "WEBP": "webp", "GIF": "gif", "AVIF": "avif", "BMP": "bmp"}
_OPENED = tuple(name for name in FORMATS if name != "MPO")  # which the JPEG reader turns into where it finds one
_OTHER_IMAGES = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?(?:<!--(?>.*?-->)\s*+)*+(?:<!DOCTYPE svg[^>]*>\s*)?<svg\b"
    rb"|II\*\x00|MM\x00\*|\x00\x00\x01\x00"
    rb"|\x00\x00\x00\x0cJXL |\xff\x0a|\xff\x4f\xff\x51|\x00\x00\x00\x0cjP  |8BPS|P[1-7]\s|.{4}ftyp(?:heic|heix|mif1)",
    re.DOTALL | re.IGNORECASE,
)
_KNOWN_IMAGES = re.compile(rb"\xff\xd8\xff|\x89PNG|GIF8|BM|RIFF.{4}WEBP|.{4}ftypavi[fs]", re.DOTALL)
# JPEG decoders can scale down while decoding; 64 pixels suffice for a perceptual hash made from 32 by 32.
_DRAFT = (64, 64)


@dataclass(frozen=True)
class ImageFacts:
    """What an image file is. `phash` is a 64-bit DCT hash of the first frame, 16 hex characters."""

    format: str
    width: int
    height: int
    frames: int
    phash: str


@dataclass(frozen=True)
class Unusable:
    """Why a file is no image that can be used."""

    status: ImageStatus
    message: str


def inspect(content: bytes, max_pixels: int) -> ImageFacts | Unusable:
    """Facts of a file, or why it cannot be used. At most `max_pixels` are decoded."""
    return read_image(content, max_pixels, _facts)


def read_image(content: bytes, max_pixels: int, look: Callable[[Image.Image], T]) -> T | Unusable:
    """What `look` makes of a file opened as an image, or why the file cannot be used; `look` decodes it."""
    if not content:
        return Unusable(ImageStatus.EMPTY, "no bytes")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(io.BytesIO(content), formats=_OPENED) as image:
                return _too_large(image, max_pixels) or look(image)
        except UnidentifiedImageError:
            return _unidentified(content)
        except Image.DecompressionBombError as error:
            return Unusable(ImageStatus.TOO_MANY_PIXELS, str(error))
        except Exception as error:  # noqa: BLE001 - decoders of hostile bytes raise anything; here that is data
            return Unusable(ImageStatus.UNDECODABLE, f"{type(error).__name__}: {error}"[:200])


def _too_large(image: Image.Image, max_pixels: int) -> Unusable | None:
    width, height = image.size
    if width * height > max_pixels:
        return Unusable(ImageStatus.TOO_MANY_PIXELS, f"{width}x{height}")
    if width < 1 or height < 1:
        return Unusable(ImageStatus.UNDECODABLE, f"{width}x{height}")
    return None


def _facts(image: Image.Image) -> ImageFacts:
    width, height = image.size
    name = FORMATS[image.format or ""]
    # The further images of an MPO are previews and depth maps of one photograph, not an animation.
    frames = int(getattr(image, "n_frames", 1)) if image.format != "MPO" else 1
    return ImageFacts(name, width, height, frames, str(imagehash.phash(_hashed(image))))


def _hashed(image: Image.Image) -> Image.Image:
    """What the hash is made of: the image itself, but for those whose plain grey values show something else.

    The colours behind transparent pixels are mostly black: hashed as they are, all black drawings on transparency are
    one picture. Of 16 bits all but the darkest 256 levels would be white.
    """
    if image.has_transparency_data:
        return on_white(reduced(image))
    image.draft("RGB", _DRAFT)
    return in_8_bits(image)


def _unidentified(content: bytes) -> Unusable:
    if _OTHER_IMAGES.match(content[:4096]):
        return Unusable(ImageStatus.UNSUPPORTED_FORMAT, "an image, but in none of " + ", ".join(EXTENSIONS))
    if _KNOWN_IMAGES.match(content):
        return Unusable(ImageStatus.UNDECODABLE, "begins as an image, but cannot be read as one")
    return Unusable(ImageStatus.NOT_AN_IMAGE, f"begins with {content[:24]!r}")
