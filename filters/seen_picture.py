"""An image file's first frame as a person sees it: 8 bits, upright, on a white page, and no larger than it has to be.

Loaders that take an RGBA image's colours for its content see what nobody is meant to see: most often black.
"""

import contextlib
import math

import numpy as np
from PIL import ExifTags, Image

# The size at which pictures are measured: as many pixels as 512 by 512, which is what vision encoders look at. A bound
# means the same for a thumbnail and for a photograph of 50 million pixels only if both are measured at one size.
PIXELS = 512 * 512
# JPEG decoders can scale down while decoding, by another filter than ours. To twice the sides that are needed, the
# variance of the Laplacian stays within 6 % of what it is otherwise; to these sides themselves only within 18 %.
_DRAFT = 2
_WHITE = (255, 255, 255, 255)
# https://www.cipa.jp/std/documents/download_e.html?DC-008-Translation-2023-E, 4.6.5.1.6 Orientation
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def reduced(image: Image.Image) -> Image.Image:
    """A just opened image in mode RGB, or RGBA where it has transparency, with at most `PIXELS` pixels, upright.

    Pixels are averaged over the area that they cover, and never made up: smaller images keep their size.
    """
    size = _reduced_size(*image.size)
    image.draft(None, (size[0] * _DRAFT, size[1] * _DRAFT))
    image.load()
    small = in_8_bits(image)
    small = small.convert("RGBA" if small.has_transparency_data else "RGB")
    if small.size != size:
        small = small.resize(size, Image.Resampling.BOX)  # premultiplied with alpha, by Pillow
    return upright(small, image)


def upright(picture: Image.Image, image: Image.Image) -> Image.Image:
    """What was made of an image, turned as the image's EXIF says that it is to be shown."""
    turn = _UPRIGHT.get(_orientation(image))
    return picture.transpose(turn) if turn is not None else picture


def on_white(image: Image.Image) -> Image.Image:
    """An RGB or RGBA image as RGB, with white where it is transparent, as browsers show it."""
    if image.mode == "RGB":
        return image
    page = Image.new("RGBA", image.size, _WHITE)
    page.alpha_composite(image)
    return page.convert("RGB")


def in_8_bits(image: Image.Image) -> Image.Image:
    """A grey image of 16 bits scaled to 8, any other as it is. Pillow's own conversion cuts off what is above 255."""
    if not image.mode.startswith("I"):
        return image
    return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))


def _reduced_size(width: int, height: int) -> tuple[int, int]:
    scale = min(1.0, math.sqrt(PIXELS / (width * height)))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 to 8; else 0. Pictures with broken EXIF are shown as they are stored."""
    with contextlib.suppress(Exception):
        found = image.getexif().get(ExifTags.Base.Orientation)
        return found if isinstance(found, int) else 0
    return 0
