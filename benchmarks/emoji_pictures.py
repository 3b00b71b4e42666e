"""Pixels of emoji: every concept of every wanted set, drawn once with its transparency and kept in one file per set.

Nothing is augmented here. A stored picture has its colours multiplied by its alpha, so that it can be turned, resized
and laid over anything without a dark or a bright rim.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import resvg_py
from emoji_concepts import Concept, drawn_concepts
from emoji_sets import EmojiSet, read_drawings
from PIL import Image
from tqdm import tqdm

SIDE = 64

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Pictures:
    """The pictures of one set."""

    codes: list[str]
    """Of the concepts that the set draws."""
    pixels: Pixels
    """Shape (pictures, 4, SIDE, SIDE), colours multiplied by the alpha in the last channel."""
    repeats: frozenset[str]
    """Codes whose drawing is, byte for byte, that of an earlier one: no model can tell these apart."""

    def on_white(self, code: str) -> Image.Image:
        """The picture of a concept as a page would show it."""
        picture = self.pixels[self.codes.index(code)].astype(np.int64)
        flat = picture[:3] + 255 - picture[3:]
        return Image.fromarray(flat.clip(0, 255).astype(np.uint8).transpose(1, 2, 0))


def read_pictures(emoji_set: EmojiSet, concepts: Sequence[Concept], folder: Path) -> Pictures:
    """The pictures of a set from the folder's file, which is made if it is not there."""
    path = folder / f"{emoji_set.name}-{emoji_set.version}-{SIDE}.npz"
    if not path.exists():
        made = _draw(emoji_set, concepts, folder)
        np.savez_compressed(path, codes=made.codes, pixels=made.pixels, repeats=sorted(made.repeats))
    with np.load(path) as stored:
        repeats = frozenset(str(code) for code in stored["repeats"])
        return Pictures([str(code) for code in stored["codes"]], stored["pixels"], repeats)


def _draw(emoji_set: EmojiSet, concepts: Sequence[Concept], folder: Path) -> Pictures:
    drawings = read_drawings(emoji_set, folder)
    names = drawn_concepts(concepts, drawings, folder)
    codes = [concept.code for concept in concepts if concept.code in names]
    documents = [drawings.svg(names[code], SIDE) for code in codes]
    first = {document: code for code, document in reversed(list(zip(codes, documents, strict=True)))}
    repeats = frozenset(code for code, document in zip(codes, documents, strict=True) if first[document] != code)
    pixels = np.stack([rasterised(document) for document in tqdm(documents, desc=emoji_set.name, unit="picture")])
    return Pictures(codes, pixels, repeats)


def rasterised(document: str) -> Pixels:
    """An SVG document's pixels, of shape (4, height, width), colours multiplied by alpha."""
    # Letters are outlines in every set but a few drawings; system fonts would make those differ between machines.
    png = bytes(resvg_py.svg_to_bytes(svg_string=document, skip_system_fonts=True))
    with Image.open(io.BytesIO(png)) as picture:
        pixels = np.asarray(picture.convert("RGBA"), np.uint16).transpose(2, 0, 1)
    colours = (pixels[:3] * pixels[3:] + 127) // 255
    return np.concatenate((colours, pixels[3:])).astype(np.uint8)
