"""Sketches of a signal's values that merge by addition: exact while few values are distinct, then evenly coarser.

A sketch counts values in bins: the leading bits of the integer that orders doubles as their values do. It is as fine as
`capacity` bins allow for the values that it holds, and as that depends on the values alone, sketches can be merged in
any order and grouping and are the same to the bit. KLL and t-digest are not: what they hold depends on the order.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]
Keys = npt.NDArray[np.uint64]

# 1 MiB a sketch. Continuous values that span 16 powers of two are still told apart by one part in 4096.
CAPACITY = 1 << 16
# Leaves sign and exponent: 4096 bins at most, whose edges are finite.
_COARSEST = 52
_SIGN = np.uint64(1 << 63)


@dataclass(frozen=True, eq=False)
class Sketch:
    """Counts by bin. `keys` (ascending) are ordered integers of doubles without their lowest `level` bits."""

    level: int
    keys: Keys
    counts: npt.NDArray[np.int64]

    @property
    def total(self) -> int:
        """How many values there are."""
        return int(self.counts.sum())

    @property
    def edges(self) -> Values:
        """The lowest value that each bin could hold; with level 0 the values themselves."""
        return _values_of(self.keys << np.uint64(self.level))

    @property
    def ends(self) -> Values:
        """The highest value that each bin could hold."""
        return _values_of((self.keys << np.uint64(self.level)) | np.uint64((1 << self.level) - 1))


def sketch(values: Values, capacity: int = CAPACITY) -> Sketch:
    """The sketch of values. What is not finite was not measured and is left out; -0 is 0."""
    keys, counts = np.unique(_keys_of(values[np.isfinite(values)]), return_counts=True)
    return _fitted(0, keys, counts, capacity)


def from_edges(level: int, edges: Values, counts: npt.NDArray[np.int64]) -> Sketch:
    """A sketch from its level, the edges of its bins and their counts."""
    return Sketch(level, _keys_of(edges) >> np.uint64(level), counts)


def merged(sketches: Iterable[Sketch], capacity: int = CAPACITY) -> Sketch:
    """The sketch of everything that some sketches of the same capacity hold; of none, the empty one."""
    parts = list(sketches)
    if not parts:
        return sketch(np.empty(0), capacity)
    level = max(part.level for part in parts)
    keys = np.concatenate([part.keys >> np.uint64(level - part.level) for part in parts])
    return _fitted(level, *_summed(keys, np.concatenate([part.counts for part in parts])), capacity)


def top_threshold(held: Sketch, share: float) -> float | None:
    """The highest edge at or above which lies at least a share of the values; None where there are none.

    More is kept than asked only where values share the edge's bin: equal ones, or such as the sketch cannot tell apart.
    """
    if not len(held.keys):
        return None
    wanted = -(-Fraction(repr(share)) * held.total // 1)  # 0.1 of 30 is 3, not the 3.0000000000000004 of floats
    at_or_above = np.cumsum(held.counts[::-1])[::-1]
    return float(held.edges[np.flatnonzero(at_or_above >= int(wanted))[-1]])


def count_from(held: Sketch, bound: float) -> int:
    """How many values are at least a bound; the bin that the bound cuts counts as if it were whole."""
    return int(held.counts[held.ends >= bound].sum())


def count_to(held: Sketch, bound: float) -> int:
    """How many values are at most a bound; the bin that the bound cuts counts as if it were whole."""
    return int(held.counts[held.edges <= bound].sum())


def _fitted(level: int, keys: Keys, counts: npt.NDArray[np.int64], capacity: int) -> Sketch:
    """The finest sketch, from a level on, that has room for distinct ascending keys."""
    if len(keys) <= capacity or level == _COARSEST:
        return Sketch(level, keys, counts)
    step = next((s for s in range(1, _COARSEST - level) if _bins(keys, s) <= capacity), _COARSEST - level)
    return Sketch(level + step, *_summed(keys >> np.uint64(step), counts))


def _bins(keys: Keys, step: int) -> int:
    coarser = keys >> np.uint64(step)
    return 1 + int(np.count_nonzero(coarser[1:] != coarser[:-1]))


def _summed(keys: Keys, counts: npt.NDArray[np.int64]) -> tuple[Keys, npt.NDArray[np.int64]]:
    distinct, place = np.unique(keys, return_inverse=True)
    sums = np.zeros(len(distinct), np.int64)
    np.add.at(sums, place, counts)
    return distinct, sums


def _keys_of(values: Values) -> Keys:
    """Integers in the order of the values: the bits of a double, with the sign turned so that they ascend."""
    bits = (values + 0.0).view(np.uint64)  # adding 0 makes -0 the 0 that it equals
    return np.where(bits & _SIGN, ~bits, bits | _SIGN)


def _values_of(keys: Keys) -> Values:
    return np.where(keys & _SIGN, keys ^ _SIGN, ~keys).view(np.float64)
