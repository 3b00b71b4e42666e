"""How well a scorer tells pairs of an image and its text from negatives: areas under the ROC curve.

Two kinds of negatives. *Shuffled*: the image with a text of another page, drawn by a seed, the same ones for every
scorer. *Page*: of each pair the hardest negative of its own page by the scorer itself, which is the highest cosine of
its image with another text of the page or of its text with another image. That each scorer is held against what is
hardest for itself favours none; negatives that one scorer found hard would be easier for every other.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from filters.adapter_training import Integers, Pairs
from filters.adapters import Adapter, cosines
from filters.embeddings import Floats, unit

DRAWS = 4  # shuffled negatives of a pair
_STACK = 1 << 22  # numbers in float32 that pages of one size take at once
_NONE = np.float32(np.nan)


@dataclass(frozen=True)
class Areas:
    """Areas between 0 and 1, ties counting half; null where there is nothing to compare."""

    page: float | None
    shuffled: float | None

    @property
    def both(self) -> float | None:
        """The mean of what there is: the one figure by which scorers are compared."""
        known = [area for area in (self.page, self.shuffled) if area is not None]
        return sum(known) / len(known) if known else None


@dataclass(frozen=True, eq=False)
class Scored:
    """Cosines of n pairs by one scorer: of each with its own, its page's hardest (NaN: it has none), and as drawn."""

    own: Floats
    page: Floats
    shuffled: Floats

    def areas(self, rows: Integers) -> Areas:
        """Over some of the pairs, which may come more than once."""
        own, page, shuffled = self.own[rows], self.page[rows], self.shuffled[rows].ravel()
        return Areas(auc(own[~np.isnan(page)], page), auc(own, shuffled))


def auc(positives: Floats, negatives: Floats) -> float | None:
    """The chance that a positive is above a negative, half of it where they are equal (Mann and Whitney).

    Negatives that are NaN are left out; null where either kind is missing, or a positive is NaN.
    """
    ordered = np.sort(negatives[~np.isnan(negatives)])
    if not len(positives) or not len(ordered) or np.isnan(positives).any():
        return None
    below = np.searchsorted(ordered, positives, "left") + np.searchsorted(ordered, positives, "right")
    return float(below.mean() / (2 * len(ordered)))


def shuffled_partners(pairs: Pairs, rng: np.random.Generator) -> Integers:
    """For each of n pairs the numbers of DRAWS others whose texts are its negatives; -1 for one that cannot be one."""
    count = len(pairs)
    drawn = rng.integers(0, max(count, 1), (count, DRAWS))
    own = np.arange(count)[:, None]
    wrong = (pairs.pages[drawn] == pairs.pages[own]) | (pairs.text_ids[drawn] == pairs.text_ids[own])
    wrong |= pairs.image_ids[drawn] == pairs.image_ids[own]
    return np.where(wrong, -1, drawn)


def scored(pairs: Pairs, adapter: Adapter | None, partners: Integers) -> Scored:
    """Everything that areas are made of, by an adapter or by the frozen embeddings themselves."""
    images = adapter.image(pairs.images) if adapter else unit(pairs.images)
    texts = adapter.text(pairs.texts) if adapter else unit(pairs.texts)
    shuffled = np.stack([cosines(images, texts[drawn]) for drawn in partners.T], axis=1)
    return Scored(cosines(images, texts), _hardest(pairs, images, texts), np.where(partners < 0, _NONE, shuffled))


def _hardest(pairs: Pairs, images: Floats, texts: Floats) -> Floats:
    """For each pair its page's hardest negative; NaN where the page shows nothing else."""
    hardest = np.full(len(pairs), _NONE, np.float32)
    for rows in _pages_of_one_size(pairs.pages, images.shape[1]):  # pages x pairs of each
        found = images[rows] @ texts[rows].transpose(0, 2, 1)
        same = pairs.text_ids[rows][:, :, None] == pairs.text_ids[rows][:, None, :]
        same |= pairs.image_ids[rows][:, :, None] == pairs.image_ids[rows][:, None, :]
        found[same] = -np.inf
        best = np.maximum(found.max(2), found.max(1))
        hardest[rows] = np.where(np.isinf(best), _NONE, best)
    return hardest


def _pages_of_one_size(pages: Integers, width: int) -> Iterator[npt.NDArray[np.int64]]:
    """Rows of pages with as many pairs each, as many pages at once as fit."""
    order = np.argsort(pages, kind="stable")
    _, begins, sizes = np.unique(pages[order], return_index=True, return_counts=True)
    for size in np.unique(sizes).tolist():
        of_size = begins[sizes == size]
        step = max(1, _STACK // (size * width))
        for begin in range(0, len(of_size), step):
            yield order[of_size[begin : begin + step, None] + np.arange(size)]
