"""Residual adapters: small maps on the frozen, unit-length embeddings of a scorer's images and texts.

What becomes of an embedding x is the direction of x + max(0, x U + c) V, with U of width x 64 and V of 64 x width, as
in CLIP-Adapter (Gao et al. 2021, arXiv 2110.04544, where the residual is weighted by hand; here V begins at zero
instead, so that an adapter begins as the identity). This is what an adapter does; `filters.adapter_training` trains it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from filters.embeddings import Embeddings, Floats, unit

BOTTLENECK = 64
ARRAYS = 6  # of an adapter
# Rows that are multiplied at once: always as many, the last ones filled up, so that what becomes of an embedding does
# not depend on which others it comes with. BLAS adds up in another order at the edges of a matrix.
_BLOCK = 128
_AT_ONCE = 32 * _BLOCK  # what is held in float32 of embeddings that are stored in float16


@dataclass(frozen=True, eq=False)
class Tower:
    """The map of one kind of embeddings: `down` is width x bottleneck, `bias` bottleneck, `up` bottleneck x width."""

    down: Floats
    bias: Floats
    up: Floats

    @classmethod
    def identity(cls, mean: Floats, rng: np.random.Generator, bottleneck: int = BOTTLENECK) -> Self:
        """A map that changes nothing yet: `up` is zero. Its bias takes away the mean embedding (width) of what it gets.

        Embeddings of one kind lie in a narrow cone (Liang et al. 2022, arXiv 2203.02053): without the bias all of them
        would pass the same rectifiers.
        """
        width = len(mean)
        down = rng.standard_normal((width, bottleneck), np.float32)
        return cls(down, -np.einsum("i,ij->j", mean, down), np.zeros((bottleneck, width), np.float32))

    def __call__(self, embeddings: Embeddings) -> Floats:
        """Embeddings (n x width, any float type) by the map, of unit length, float32."""
        count, width = embeddings.shape
        mapped = np.empty((count, width), np.float32)
        block = np.zeros((_BLOCK, width), np.float32)
        for begin in range(0, count, _BLOCK):
            rows = min(_BLOCK, count - begin)
            block[:rows] = embeddings[begin : begin + rows]
            mapped[begin : begin + rows] = self._of_block(block)[:rows]
        return mapped

    def _of_block(self, block: Floats) -> Floats:
        hidden = np.maximum(block @ self.down + self.bias, 0)
        return unit(block + hidden @ self.up)


@dataclass(frozen=True, eq=False)
class Adapter:
    """The maps of images and of texts."""

    image: Tower
    text: Tower

    def cosines(self, images: Embeddings, texts: Embeddings) -> Floats:
        """The cosine of each of n images with its text, by the maps; both n x width."""
        found = np.empty(len(images), np.float32)
        for begin in range(0, len(images), _AT_ONCE):
            some = slice(begin, begin + _AT_ONCE)
            found[some] = cosines(self.image(images[some]), self.text(texts[some]))
        return found

    @property
    def width(self) -> int:
        """Of the embeddings that it takes."""
        return self.image.down.shape[0]

    def flat(self) -> list[Floats]:
        """Its numbers as one-dimensional arrays, for `from_flat`."""
        return [getattr(tower, f.name).ravel() for tower in (self.image, self.text) for f in fields(Tower)]

    @classmethod
    def from_flat(cls, arrays: Sequence[Floats]) -> Self:
        """The adapter whose numbers these are.

        Raises:
            ValueError: where there are not as many as an adapter has.
        """
        if len(arrays) != ARRAYS:
            raise ValueError(f"an adapter has {ARRAYS} arrays, not {len(arrays)}")
        return cls(*(_tower(*arrays[at : at + 3]) for at in (0, 3)))

    def named(self) -> dict[str, Floats]:
        """Its arrays by name, as they stand in an .npz file."""
        towers = {"image": self.image, "text": self.text}
        return {f"{name}_{f.name}": getattr(tower, f.name) for name, tower in towers.items() for f in fields(Tower)}


def cosines(images: Embeddings, texts: Embeddings) -> Floats:
    """The cosine of each pair of n unit-length rows, float32."""
    return np.einsum("ij,ij->i", np.asarray(images, np.float32), np.asarray(texts, np.float32))


def _tower(down: Floats, bias: Floats, up: Floats) -> Tower:
    return Tower(down.reshape(-1, len(bias)), bias, up.reshape(len(bias), -1))
