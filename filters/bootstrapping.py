"""A round of bootstrapping: adapters trained on what a scorer is surest of, and whether that was a gain.

For every seed adapters are trained on the top share of the training pairs by the scorer so far, on a random slice of
the same size and on everything, each for a shorter and a longer time, of which the better one counts. A round is
accepted only where the first beats the scorer before it and both controls by more than the spread over seeds.
docs/bootstrap.md gives the reasons for each choice.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from filters.adapter_training import Integers, Pairs, schedule_for, trained
from filters.adapters import Adapter
from filters.alignment_auc import Areas, scored, shuffled_partners
from filters.embeddings import Embeddings, Floats
from filters.one_thread import one_thread
from filters.word_hashes import mixed

HELD_OUT = 1 / 3  # of the pages
_HELD_OUT_SALT, _FOLD_SALT = np.uint64(0x5851F42D4C957F2D), np.uint64(0x14057B7EF767814F)
LEAST_PAIRS = 50
_STREAM = 0xB007  # keeps these draws apart from those of training with the same seed
# One-sided 95 % quantiles of Student's t by degrees of freedom, from 1 on.
_QUANTILES = (
    6.314, 2.920, 2.353, 2.132, 2.015, 1.943, 1.895, 1.860, 1.833, 1.812, 1.796, 1.782, 1.771, 1.761, 1.753, 1.746,
    1.740, 1.734, 1.729, 1.725, 1.721, 1.717, 1.714, 1.711, 1.708, 1.706, 1.703, 1.701, 1.699, 1.697,
)  # fmt: skip


class Rival(StrEnum):
    """What an adapter trained on the top slice has to beat."""

    BEFORE = "before"
    RANDOM = "random"
    EVERYTHING = "everything"


TOP = "top"
# Passes over a slice of this size. Noise is learnt later than what is common: trained for long, everything is a weak
# control (planted pairs, 30 % swapped: +.136 on clean pairs after 10 passes, but +.064 after 30).
PASSES = (3, 10, 30)


@dataclass(frozen=True, eq=False)
class Sample:
    """Pairs of whole pages, and the fold of each, as `folds_of` says."""

    pairs: Pairs
    folds: Integers

    @property
    def training(self) -> Integers:
        """Rows that may be trained on."""
        return np.flatnonzero(self.folds >= 0)

    @property
    def measured(self) -> Integers:
        """Held-out rows whose image and text no training pair has: what was learnt by heart is no gain."""
        pairs, seen = self.pairs, self.folds >= 0
        known = np.isin(pairs.text_ids, pairs.text_ids[seen]) | np.isin(pairs.image_ids, pairs.image_ids[seen])
        return np.flatnonzero(~seen & ~known)


@dataclass(frozen=True, eq=False)
class Scorer:
    """What a round ends with: an adapter for each fold, trained without it, and which of them is for all other pages.

    What an adapter was trained on it knows by heart, wrong pairs too. So no page is scored by one that has seen it.
    """

    adapters: Sequence[Adapter]
    kept: int

    @property
    def adapter(self) -> Adapter:
        """That for pages that no adapter was trained on."""
        return self.adapters[self.kept]

    def cosines(self, images: Embeddings, texts: Embeddings, folds: Integers) -> Floats:
        """The cosine of each pair (embeddings n x width) of a page of that fold."""
        found = np.empty(len(folds), np.float32)
        with one_thread():
            for fold in np.unique(folds).tolist():
                rows = np.flatnonzero(folds == fold)
                found[rows] = self.adapters[fold if fold >= 0 else self.kept].cosines(images[rows], texts[rows])
        return found


@dataclass(frozen=True, eq=False)
class Run:
    """One seed of a round: the areas by the scorer before it, those of each slice's adapters, and the top slice's.

    Areas of a slice, and the top slice's adapters, are in the order of PASSES.
    """

    before: Areas
    areas: Mapping[str, Sequence[Areas]]
    adapters: Sequence[Adapter]


@dataclass(frozen=True)
class Gain:
    """The mean of gains over seeds, and the spread that it has to exceed."""

    mean: float
    spread: float

    @property
    def is_more_than_noise(self) -> bool:
        """Never where one of them could not be measured."""
        return self.mean > self.spread


@dataclass(frozen=True)
class Judgement:
    """What the seeds of a round came to: gains over each rival, changes by negatives, and whose adapter goes on.

    `best` is for each slice the place in PASSES that was best over all seeds.
    """

    gains: Mapping[Rival, Gain]
    changes: Mapping[str, Gain]
    best: Mapping[str, int]
    median: int

    @property
    def failed(self) -> list[Rival]:
        """The rivals that were not beaten by more than the spread; none where the round is accepted."""
        return [rival for rival, gain in self.gains.items() if not gain.is_more_than_noise]

    @property
    def lost(self) -> list[str]:
        """The kinds of negatives against which the scorer before was better by more than the spread."""
        return [kind for kind, change in self.changes.items() if change.mean < -change.spread]


def folds_of(page_hashes: npt.NDArray[np.uint64], folds: int) -> Integers:
    """For each page the fold that it is in, one for every seed, or -1: a third of them is held out from all training.

    Both by a hash, so that they are the same whatever else is in the sample.
    """
    held_out = mixed(page_hashes ^ _HELD_OUT_SALT) < np.uint64(HELD_OUT * 2**64)
    return np.where(held_out, -1, (mixed(page_hashes ^ _FOLD_SALT) % np.uint64(folds)).astype(np.int64))


def too_few(sample: Sample, top: float) -> bool:
    """Whether a sample has too few pairs for a round: to train on, whichever fold is left out, or to measure on."""
    in_fold = np.bincount(sample.folds[sample.training], minlength=1)
    return (in_fold.sum() - in_fold.max()) * top < LEAST_PAIRS or len(sample.measured) < LEAST_PAIRS


def run_seed(sample: Sample, before: Scorer | None, top: float, seed: int) -> Run:
    """Train and measure with one seed: without the fold of its number, from its own first weights, in its own order.

    Areas are over held-out pages drawn with repetition, so that the spread over seeds is also that of a held-out part
    of this size.
    """
    with one_thread():
        rng = np.random.default_rng((_STREAM, seed))
        slices = _slices(sample, before, top, seed, rng)
        held_out = sample.pairs[sample.measured]
        rows, partners = _pages_drawn(held_out.pages, rng), shuffled_partners(held_out, rng)
        adapters = {name: _trained(sample.pairs, of, len(slices[TOP]), seed) for name, of in slices.items()}
        areas = {
            name: [scored(held_out, adapter, partners).areas(rows) for adapter in some]
            for name, some in adapters.items()
        }
        old = scored(held_out, before.adapter if before else None, partners).areas(rows)
    return Run(old, areas, adapters[TOP])


def judged(runs: Sequence[Run]) -> Judgement:
    """What runs with different seeds come to together.

    The spread is the 95 % quantile of Student's t times the standard deviation of one seed's gain. It is not divided by
    the root of how many there are: they share their held-out pages, whose chance more seeds do not average out.
    """
    best = {name: _best([run.areas[name] for run in runs]) for name in runs[0].areas}
    top = [run.areas[TOP][best[TOP]] for run in runs]
    rivals = {
        rival: [run.before if rival is Rival.BEFORE else run.areas[rival][best[rival]] for run in runs]
        for rival in Rival
    }
    gains = {rival: _gain(_differences(top, theirs, "both")) for rival, theirs in rivals.items()}
    over_before = _differences(top, rivals[Rival.BEFORE], "both")
    changes = {kind: _gain(_differences(top, rivals[Rival.BEFORE], kind)) for kind in ("page", "shuffled")}
    return Judgement(gains, changes, best, int(np.argsort(over_before, kind="stable")[(len(runs) - 1) // 2]))


def scorer_of(runs: Sequence[Run], judgement: Judgement) -> Scorer:
    """What a round ends with where it is accepted."""
    return Scorer([run.adapters[judgement.best[TOP]] for run in runs], judgement.median)


def no_worse(sample: Sample, after: Scorer, before: Scorer | None) -> bool:
    """Whether the adapter that would be kept is not below the scorer before it, over all held-out pairs."""
    held_out = sample.pairs[sample.measured]
    partners = shuffled_partners(held_out, np.random.default_rng(_STREAM))
    adapters = after.adapter, before.adapter if before else None
    with one_thread():
        new, old = (scored(held_out, a, partners).areas(np.arange(len(held_out))).both for a in adapters)
    return new is not None and old is not None and new >= old


def top_rows(scores: Floats, rows: Integers, share: float) -> Integers:
    """The share of rows with the highest scores, ascending; of equal scores the earlier row."""
    wanted = max(1, math.ceil(share * len(rows)))
    return np.sort(rows[np.argsort(-scores[rows], kind="stable")[:wanted]])


def scores_of(sample: Sample, scorer: Scorer | None) -> Floats:
    """The cosine of every pair by a scorer, or by the frozen embeddings."""
    pairs = sample.pairs
    if scorer is not None:
        return scorer.cosines(pairs.images, pairs.texts, sample.folds)
    return np.einsum("ij,ij->i", pairs.images, pairs.texts, dtype=np.float32)


def _slices(
    sample: Sample, before: Scorer | None, top: float, fold: int, rng: np.random.Generator
) -> dict[str, Integers]:
    """Rows that each adapter is trained on: none of the fold."""
    rows = np.flatnonzero((sample.folds >= 0) & (sample.folds != fold))
    best = top_rows(scores_of(sample, before), rows, top)
    return {
        TOP: best,
        Rival.RANDOM: np.sort(rng.permutation(rows)[: len(best)]),
        Rival.EVERYTHING: rows,
    }


def _pages_drawn(pages: Integers, rng: np.random.Generator) -> Integers:
    """Rows of as many pages as there are, drawn with repetition."""
    _, page = np.unique(pages, return_inverse=True)
    count = int(page.max()) + 1
    times = np.bincount(rng.integers(0, count, count), minlength=count)
    return np.repeat(np.arange(len(pages)), times[page])


def _trained(pairs: Pairs, rows: Integers, size: int, seed: int) -> list[Adapter]:
    """Adapters of a slice; each in as many steps as so many passes over a slice of this size take."""
    return [trained(pairs, rows, schedule_for(size, passes), seed) for passes in PASSES]


def _best(areas: Sequence[Sequence[Areas]]) -> int:
    """Of the adapters of a slice that with the highest mean over seeds; of equal ones that of the shorter training."""
    means = [float(np.mean([_number(run[place].both) for run in areas])) for place in range(len(PASSES))]
    return max(range(len(PASSES)), key=lambda place: -math.inf if math.isnan(means[place]) else means[place])


def _differences(ours: Sequence[Areas], theirs: Sequence[Areas], kind: str) -> list[float]:
    """By seed; NaN where either could not be measured."""
    pairs = zip(ours, theirs, strict=True)
    return [_number(getattr(our, kind)) - _number(getattr(their, kind)) for our, their in pairs]


def _number(area: float | None) -> float:
    return math.nan if area is None else area


def _gain(gains: Sequence[float]) -> Gain:
    freedom = len(gains) - 1
    quantile = _QUANTILES[min(freedom, len(_QUANTILES)) - 1]
    return Gain(float(np.mean(gains)), quantile * float(np.std(gains, ddof=1)))
