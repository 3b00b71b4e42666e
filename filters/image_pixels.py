"""Image signals from pixels: an image file's bytes to values. What a value is too low or too high for, rules decide."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from filters.image_header import Unusable, read_image
from filters.nsfw import nsfw_probability
from filters.seen_picture import on_white, reduced

# Enough for any bound; what is cut off is where platforms' logarithms and processors' kernels may differ.
_DECIMALS = 4


@dataclass(frozen=True)
class PixelSignals:
    """What the pixels of one image say, all of it on the picture of `filters.seen_picture`.

    `nsfw` is None where it was not asked for.
    """

    blur: float
    entropy: float
    transparency: float
    nsfw: float | None


def measure_pixels(content: bytes, max_pixels: int, *, nsfw: bool) -> PixelSignals | Unusable:
    """The signals of a file, or why it cannot be read as an image. At most `max_pixels` are decoded."""
    return read_image(content, max_pixels, lambda image: _measure(reduced(image), nsfw))


def _measure(picture: Image.Image, nsfw: bool) -> PixelSignals:
    seen = on_white(picture)
    grey = seen.convert("L")
    return PixelSignals(
        blur=round(laplacian_variance(np.asarray(grey)), _DECIMALS),
        entropy=round(max(0.0, grey.entropy()), _DECIMALS),
        transparency=round(transparency(picture), _DECIMALS),
        nsfw=round(nsfw_probability(seen), _DECIMALS) if nsfw else None,
    )


def laplacian_variance(grey: npt.NDArray[np.uint8]) -> float:
    """Variance of the Laplacian of an (h, w) image, the focus measure LAPV of Pertuz et al. 2013 (Pech-Pacheco 2000).

    The same as `cv2.Laplacian(grey, cv2.CV_64F).var()`: kernel 0 1 0, 1 -4 1, 0 1 0, mirrored at the edges. Sums are of
    integers, hence exact, in whatever order a processor adds them.
    """
    padded = np.pad(grey.astype(np.int16), 1, mode="reflect")
    inner = padded[1:-1, 1:-1]
    around = padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:]
    values = around - 4 * inner
    squares = int(np.square(values, dtype=np.int32).sum(dtype=np.int64))
    total, count = int(values.sum(dtype=np.int64)), values.size
    return (count * squares - total * total) / (count * count)


def transparency(picture: Image.Image) -> float:
    """How much of an RGB or RGBA picture the page shines through: 0 for an opaque one, 1 for one that is not seen."""
    if picture.mode == "RGB":
        return 0.0
    histogram = picture.getchannel("A").histogram()
    opacity = sum(level * count for level, count in enumerate(histogram))
    return 1.0 - opacity / (255 * picture.width * picture.height)
