"""Training of an adapter: images and their texts drawn together, away from the others of a batch (InfoNCE).

NumPy alone, as a driver or a worker without a GPU has nothing else. The same pairs and seed give the same numbers.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from filters.adapters import Adapter, Tower
from filters.embeddings import Embeddings, Floats, unit

Integers = npt.NDArray[np.int64]

# Inverse temperatures among which the one begins with which the identity fits the first batch best: CLIP ends at 100,
# small or briefly trained models lie far below, and a few hundred steps do not move it that far.
_SCALES = (5.0, 10.0, 20.0, 40.0, 100.0)
_MOST_SCALE = math.log(100.0)
_AT_ONCE = 4096
_MASKED = np.float32(-1e4)
_BETAS, _EPSILON = (0.9, 0.98), 1e-6


@dataclass(frozen=True)
class Schedule:
    """How long and how fast: so many steps of so many pairs; the rate falls from `rate` to 0 by a cosine."""

    steps: int
    batch: int = 512
    rate: float = 1e-3
    decay: float = 0.1


@dataclass(frozen=True, eq=False)
class Pairs:
    """n pairs to train on: embeddings (n x width), the page of each, and which images and texts are equal (numbers)."""

    images: Embeddings
    texts: Embeddings
    pages: Integers
    image_ids: Integers
    text_ids: Integers

    def __len__(self) -> int:
        return len(self.pages)

    def __getitem__(self, rows: npt.NDArray[Any]) -> "Pairs":
        return Pairs(self.images[rows], self.texts[rows], self.pages[rows], self.image_ids[rows], self.text_ids[rows])


def schedule_for(pairs: int, passes: int, batch: int = 512, most: int = 600) -> Schedule:
    """So many passes over that many pairs, in `most` steps at most; a batch is at most a quarter of the pairs."""
    size = max(2, min(batch, pairs // 4))
    return Schedule(min(passes * pairs // size, most), size)


def trained(pairs: Pairs, rows: Integers, schedule: Schedule, seed: int) -> Adapter:
    """An adapter trained on some rows of the pairs from the identity on.

    Batches are whole pages in an order drawn by the seed, so that what a page shows besides is among the negatives.
    Equal texts, or equal images, of two pairs of a batch are no negatives of each other.
    """
    rng = np.random.default_rng(seed)
    adapter = Adapter(*(Tower.identity(_mean(some, rows), rng) for some in (pairs.images, pairs.texts)))
    log_scale = np.zeros(1, np.float32)
    optimiser = _Adam([*_weights(adapter), log_scale], schedule)
    for step, batch in enumerate(_batches(pairs.pages[rows], schedule, rng)):
        some = pairs[rows[batch]]
        if not step:
            log_scale[0] = _first_scale(some)
        _, gradients = loss_and_gradients(adapter, float(log_scale[0]), some)
        optimiser.step(gradients)
        np.minimum(log_scale, np.float32(_MOST_SCALE), out=log_scale)
    return adapter


def loss_and_gradients(adapter: Adapter, log_scale: float, pairs: Pairs) -> tuple[float, list[Floats]]:
    """InfoNCE in both directions (van den Oord et al. 2018; Radford et al. 2021) over a batch, in nats, and its slopes.

    Slopes are of image down, bias, up, of text down, bias, up, and of the logarithm of the inverse temperature.
    """
    image, text = _Forward.of(adapter.image, pairs.images), _Forward.of(adapter.text, pairs.texts)
    scale = np.float32(math.exp(log_scale))
    logits = scale * (image.out @ text.out.T)
    logits[_same(pairs)] = _MASKED
    loss, slope = _cross_entropy(logits)
    images, texts = slope @ text.out * scale, slope.T @ image.out * scale
    of_scale = np.array([np.sum(slope * logits)], np.float32)
    return loss, [*image.gradients(adapter.image, images), *text.gradients(adapter.text, texts), of_scale]


def _same(pairs: Pairs) -> npt.NDArray[np.bool_]:
    same = pairs.text_ids[:, None] == pairs.text_ids
    same |= pairs.image_ids[:, None] == pairs.image_ids
    np.fill_diagonal(same, False)
    return same


def _cross_entropy(logits: Floats) -> tuple[float, Floats]:
    """The mean over rows and columns of what the diagonal is missed by, and its slope."""
    count = len(logits)
    loss, slope = 0.0, np.zeros_like(logits)
    for axis in (0, 1):
        powers = np.exp(logits - logits.max(axis, keepdims=True))
        shares = powers / powers.sum(axis, keepdims=True)
        loss -= float(np.log(np.maximum(np.diagonal(shares), 1e-30)).mean()) / 2
        slope += shares
    slope[np.diag_indices(count)] -= 2
    return loss, slope / np.float32(2 * count)


@dataclass(frozen=True, eq=False)
class _Forward:
    """What a tower made of a batch on its way."""

    given: Floats
    hidden: Floats
    lengths: Floats
    out: Floats

    @classmethod
    def of(cls, tower: Tower, embeddings: Embeddings) -> "_Forward":
        given = unit(embeddings.astype(np.float32))
        hidden = np.maximum(given @ tower.down + tower.bias, 0)
        raw = given + hidden @ tower.up
        lengths = np.sqrt(np.einsum("ij,ij->i", raw, raw))[:, None]
        return cls(given, hidden, lengths, raw / lengths)

    def gradients(self, tower: Tower, slope: Floats) -> list[Floats]:
        along = np.einsum("ij,ij->i", slope, self.out)[:, None]
        raw = (slope - along * self.out) / self.lengths
        hidden = (raw @ tower.up.T) * (self.hidden > 0)
        return [self.given.T @ hidden, hidden.sum(0), self.hidden.T @ raw]


def _mean(embeddings: Embeddings, rows: Integers) -> Floats:
    total = np.zeros(embeddings.shape[1])
    for begin in range(0, len(rows), _AT_ONCE):
        total += embeddings[rows[begin : begin + _AT_ONCE]].sum(0, np.float64)
    return (total / len(rows)).astype(np.float32)


def _first_scale(pairs: Pairs) -> float:
    cosines = unit(pairs.images.astype(np.float32)) @ unit(pairs.texts.astype(np.float32)).T
    masked = _same(pairs)
    losses = [_cross_entropy(np.where(masked, _MASKED, np.float32(scale) * cosines))[0] for scale in _SCALES]
    return math.log(_SCALES[int(np.argmin(losses))])


def _weights(adapter: Adapter) -> list[Floats]:
    return [array for tower in (adapter.image, adapter.text) for array in (tower.down, tower.bias, tower.up)]


class _Adam:
    """AdamW (Loshchilov and Hutter 2019), in place; only matrices decay."""

    def __init__(self, weights: list[Floats], schedule: Schedule) -> None:
        self._weights, self._schedule, self._done = weights, schedule, 0
        self._first = [np.zeros_like(w) for w in weights]
        self._second = [np.zeros_like(w) for w in weights]

    def step(self, gradients: list[Floats]) -> None:
        """One step down the gradients."""
        rate = self._schedule.rate * 0.5 * (1 + math.cos(math.pi * self._done / self._schedule.steps))
        self._done += 1
        corrections = [np.float32(1 - beta**self._done) for beta in _BETAS]
        for place, slope in enumerate(gradients):
            first, second = self._moments(place, slope)
            weight = self._weights[place]
            if weight.ndim == 2:
                weight *= np.float32(1 - rate * self._schedule.decay)
            root = np.sqrt(second / corrections[1]) + np.float32(_EPSILON)
            weight -= np.float32(rate) * (first / corrections[0]) / root

    def _moments(self, place: int, slope: Floats) -> tuple[Floats, Floats]:
        first, second = self._first[place], self._second[place]
        first += np.float32(1 - _BETAS[0]) * (slope - first)
        second += np.float32(1 - _BETAS[1]) * (slope * slope - second)
        return first, second


def _batches(pages: Integers, schedule: Schedule, rng: np.random.Generator) -> Iterator[Integers]:
    """Rows of each step's batch: pages one after another in a drawn order, drawn anew when all have come."""
    _, page = np.unique(pages, return_inverse=True)
    rows = np.empty(0, np.int64)
    for _ in range(schedule.steps):
        while len(rows) < schedule.batch:
            order = rng.permutation(int(page.max()) + 1)[page]
            rows = np.concatenate((rows, np.argsort(order, kind="stable")))
        yield rows[: schedule.batch]
        rows = rows[schedule.batch :]
