"""Which rule drops how much: by itself, first, together with others, and how many items would be kept at other bounds.

Counts over items that were judged by one list of rules; they add up over batches and partitions.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from filters import quantiles
from filters.quantiles import Sketch, Values
from filters.rules import Failure, Mask, Threshold, firsts, numbers

# Bins of a curve, 8 KiB at most: values that span eight powers of two are told apart by one part in 32 or better.
CURVE_BINS = 1 << 9
_MOVABLE = ("min", "max", "keep_top")


@dataclass(frozen=True, eq=False)
class RuleCounts:
    """What one rule did to the items of its list.

    `judged`: items that it speaks of; `failed`: those it drops, `first` before any rule above it, `alone` as the only
    one; `both[j]`: items that it and the j-th rule of the list drop. Of `candidates`, the items that could be kept at
    all, and that no other rule drops, `curve` holds the values that its bound decides about, and `regardless` are kept
    at any bound.
    """

    rule: str
    bound: str
    judged: int
    failed: int
    first: int
    alone: int
    both: npt.NDArray[np.int64]
    candidates: int
    curve: Sketch
    regardless: int
    threshold: Threshold | None = None

    @property
    def test(self) -> str:
        """The kind of bound, such as min."""
        return self.rule.rpartition(".")[2]

    @property
    def has_curve(self) -> bool:
        """Whether the rule's bound is a number that can be moved."""
        return self.test in _MOVABLE

    @property
    def bins(self) -> Values:
        """Ascending bounds between which the curve cannot tell values apart; at each it is exact."""
        return self.curve.ends if self.test == "max" else self.curve.edges

    def kept_at(self, bound: float) -> int:
        """How many items all rules of the list keep if this one's bound is moved, others and thresholds staying.

        Exact where the curve's bins hold one value each, else off by no more than the bin that the bound cuts.
        """
        count = quantiles.count_to if self.test == "max" else quantiles.count_from
        return self.regardless + count(self.curve, bound)


def count_rules(failures: Sequence[Failure], among: Mask, candidates: Mask) -> list[RuleCounts]:
    """Counts of every rule of a list over the items of `among`, in the order of the list; see RuleCounts."""
    failed = np.array([failure.failed & among for failure in failures], np.bool_).reshape(len(failures), len(among))
    times = failed.sum(axis=0)
    as_floats = failed.astype(np.float64)  # products of integers do not use BLAS
    both = (as_floats @ as_floats.T).astype(np.int64)
    first = firsts(failures, among)
    return [
        RuleCounts(
            failure.rule,
            failure.bound,
            judged=_count(failure.concerned & among),
            failed=_count(own),
            first=first[place],
            alone=_count(own & (times == 1)),
            both=both[place],
            candidates=_count(candidates),
            threshold=failure.threshold,
            **_curve(failure, candidates & (times == own)),
        )
        for place, (failure, own) in enumerate(zip(failures, failed, strict=True))
    ]


def _curve(failure: Failure, spared: Mask) -> dict[str, Any]:
    """The curve over items that no other rule drops."""
    if failure.test not in _MOVABLE:
        return {"curve": _NO_CURVE, "regardless": 0}
    values = numbers(failure.values)
    decided = spared & failure.concerned & np.isfinite(values)
    curve = quantiles.sketch(values[decided], CURVE_BINS)
    return {"curve": curve, "regardless": _count(spared & ~decided & ~failure.failed)}


def _count(mask: Mask) -> int:
    return int(np.count_nonzero(mask))


def added(parts: Iterable[Sequence[RuleCounts]]) -> list[RuleCounts]:
    """Counts of the same rules over different items, together; none where there are no parts."""
    return [_added(list(of_rule)) for of_rule in zip(*parts, strict=True)]


def _added(parts: Sequence[RuleCounts]) -> RuleCounts:
    sums = {name: sum(getattr(part, name) for part in parts) for name in _SUMMED}
    curve = quantiles.merged((part.curve for part in parts), CURVE_BINS)
    both = np.stack([part.both for part in parts]).sum(axis=0)
    return replace(parts[0], both=both, curve=curve, **sums)


_SUMMED = ("judged", "failed", "first", "alone", "candidates", "regardless")
_NO_CURVE = quantiles.sketch(np.empty(0), CURVE_BINS)
