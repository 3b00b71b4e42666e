"""Pairs of embeddings with a known truth: what tests and benchmarks of bootstrapping are planted with.

The model of a scorer: a picture and its text share a concept, a vector of 24 numbers, half of which its page has
settled; each embedding is the concept and, in other directions, numbers that the other one knows nothing of, turned by
one rotation and moved by an offset of its kind. `blur` is the size of those other numbers: a strong scorer has little
of it. An adapter can learn to turn down what the concept is not in. A pair that is not clean has another one's text.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from filters.adapter_training import Pairs
from filters.bootstrapping import Sample, folds_of
from filters.embeddings import Floats, unit

_CONCEPT, _PAGE_PAIRS, _TOPIC = 24, 3, 0.5


@dataclass(frozen=True, eq=False)
class Planted:
    """n pairs: embeddings (n x width, float16 as in scores), the page of each, and whether its text is its own."""

    images: npt.NDArray[np.float16]
    texts: npt.NDArray[np.float16]
    pages: npt.NDArray[np.int64]
    clean: npt.NDArray[np.bool_]

    @property
    def scores(self) -> Floats:
        """Cosines, as a scorer gives them."""
        return np.einsum("ij,ij->i", self.images.astype(np.float32), self.texts.astype(np.float32))

    def sample(self, folds: int = 4, seed: int = 0) -> Sample:
        """All of them, with pages in folds and held out as drawn by the seed."""
        drawn = np.random.default_rng(seed).integers(0, 2**63, int(self.pages.max(initial=-1)) + 1).astype(np.uint64)
        numbers = np.arange(len(self.pages))
        pairs = Pairs(self.images, self.texts, self.pages, numbers, numbers)
        return Sample(pairs, folds_of(drawn, folds)[self.pages])


def plant(pages: int, blur: float, noise: float, seed: int = 0, width: int = 128) -> Planted:
    """Pages of three pairs each, with that share of the texts swapped among one another."""
    rng = np.random.default_rng(seed)
    count = pages * _PAGE_PAIRS
    page = np.repeat(np.arange(pages), _PAGE_PAIRS)
    topics = rng.standard_normal((pages, _CONCEPT))[page]
    concepts = np.sqrt(_TOPIC) * topics + np.sqrt(1 - _TOPIC) * rng.standard_normal((count, _CONCEPT))
    turn = np.linalg.qr(rng.standard_normal((width, width)))[0]
    images, texts = (_embedded(concepts, blur, turn, rng) for _ in range(2))
    partner = swapped(count, noise, rng)
    return Planted(images, texts[partner], page, partner == np.arange(count))


def swapped(count: int, share: float, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """For each of `count` pairs the number of the pair whose text it has: that share of them another one's."""
    partner = np.arange(count)
    some = rng.permutation(count)[: round(share * count)]
    partner[some] = np.roll(some, 1)
    return partner


def _embedded(
    concepts: npt.NDArray[np.float64], blur: float, turn: npt.NDArray[np.float64], rng: np.random.Generator
) -> npt.NDArray[np.float16]:
    width = len(turn)
    own = blur * rng.standard_normal((len(concepts), width - concepts.shape[1]))
    offset = rng.standard_normal(width) / 2
    return unit(np.concatenate([concepts, own], axis=1) @ turn + offset).astype(np.float16)
