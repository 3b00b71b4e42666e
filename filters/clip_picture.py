"""An image file as what a CLIP model looks at: upright, on white, in the model's own size, 8 bits a channel."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from PIL import Image

from filters.image_header import Unusable, read_image
from filters.seen_picture import in_8_bits, on_white, upright

# JPEG decoders can scale down while decoding: to so many times the size that is wanted, the rest being resized as the
# model has it, but to no fewer pixels than _LEAST_SIDE. docs/benchmarks.md has what that does to scores.
_DRAFT, _LEAST_SIDE = 8, 1024


def clip_picture(
    content: bytes, max_pixels: int, size: int, preprocess: Callable[[Image.Image], Image.Image]
) -> npt.NDArray[np.uint8] | Unusable:
    """The picture, (3, h, w), or why the file cannot be read as an image. At most `max_pixels` are decoded.

    `preprocess` are a model's steps from an RGB image to one of `size`. Transparency shows white, as img2dataset made
    it in the pictures that models were trained on (resizer.py), and as pages show it.
    """

    side = max(size * _DRAFT, _LEAST_SIDE)

    def look(image: Image.Image) -> npt.NDArray[np.uint8]:
        image.draft("RGB", (side, side))
        image.load()
        plain = in_8_bits(image)
        plain = on_white(plain.convert("RGBA")) if plain.has_transparency_data else plain.convert("RGB")
        return np.ascontiguousarray(np.asarray(preprocess(upright(plain, image))).transpose(2, 0, 1))

    return read_image(content, max_pixels, look)
