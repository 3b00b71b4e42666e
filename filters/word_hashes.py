"""Words of many texts as 64-bit numbers: what duplicates, repeated paragraphs, benchmarks and concepts are found by.

Upper and lower case, punctuation, width forms and spacing make no difference. In scripts without spaces each letter is
a word.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from filters.characters import DIGIT, UNSPACED, Characters

Hashes = npt.NDArray[np.uint64]
Integers = npt.NDArray[np.int64]
# The 64 fractional bits of the golden ratio, odd as it must be to lose no information in a product modulo 2**64.
_BASE = np.uint64(0x9E3779B97F4A7C15)


def _powers(count: int) -> Hashes:
    return np.multiply.accumulate(np.full(count, _BASE, np.uint64))


def mixed(values: Hashes) -> Hashes:
    """Every bit of the result depends on every bit of the value: the finaliser of splitmix64 (Steele et al. 2014)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


@dataclass(frozen=True)
class Words:
    """Words of n texts one after another; text i has hashes[starts[i] : starts[i] + counts[i]]."""

    hashes: Hashes
    counts: Integers

    @property
    def starts(self) -> Integers:
        """Where each text's words begin."""
        return np.cumsum(self.counts) - self.counts

    def joined(self, sizes: Integers) -> "Words":
        """The words of stretches of texts: of sizes[0] texts, of the sizes[1] texts behind them, and so on."""
        ends = np.cumsum(sizes)
        sums = np.concatenate((np.zeros(1, np.int64), np.cumsum(self.counts)))
        return Words(self.hashes, sums[ends] - sums[ends - sizes])

    def ngrams(self, n: int, *, short: bool = False) -> "Words":
        """The n-grams of each text, in order and with repeats. With `short` a text of fewer words is one n-gram itself.

        An n-gram's hash depends on its words and their order, not on what it was cut from.
        """
        windows = np.maximum(self.counts - n + 1, 0)
        grams = Words(_windows(self.hashes, n)[_offsets(self.starts, windows)], windows)
        if not short:
            return grams
        few = np.flatnonzero((windows == 0) & (self.counts > 0))
        whole = self.whole()[few]
        return Words(np.insert(grams.hashes, grams.starts[few], whole), windows + np.isin(np.arange(len(windows)), few))

    def whole(self) -> Hashes:
        """One hash for all words of each text in their order; of no words it is 0."""
        position = np.arange(len(self.hashes)) - np.repeat(self.starts, self.counts)
        weight = mixed(position.astype(np.uint64) + _BASE)
        sums = np.concatenate((np.zeros(1, np.uint64), np.cumsum(self.hashes * weight, dtype=np.uint64)))
        total = sums[self.starts + self.counts] - sums[self.starts]
        return np.where(self.counts > 0, mixed(total + self.counts.astype(np.uint64)), np.uint64(0))


def words_of(texts: Sequence[str]) -> Words:
    """Words of texts, without regard to case and width forms."""
    characters = Characters([_folded(text) for text in texts])
    kinds = characters.classes
    unspaced = kinds == UNSPACED
    solid = (kinds >= DIGIT) & ~unspaced
    begins = solid.copy()
    begins[1:] &= ~solid[:-1]
    first = np.flatnonzero(begins | unspaced)
    if not len(first):
        return Words(np.zeros(0, np.uint64), np.zeros(len(texts), np.int64))
    # By the power of its place in all texts, less that of its word's first letter: so a word is the same anywhere.
    powers, inverses = _tables(1 << int(len(kinds) - 1).bit_length())
    terms = (characters.points + np.uint32(1)) * powers[: len(kinds)]
    terms *= solid | unspaced
    sums = np.add.reduceat(terms, first) * inverses[first]
    return Words(mixed(sums), np.diff(np.searchsorted(first, np.append(characters.starts, len(kinds)))))


@cache
def _tables(count: int) -> tuple[Hashes, Hashes]:
    """Powers of the base, from its first on, and their inverses modulo 2**64, from the zeroth on."""
    inverse = np.full(count, pow(int(_BASE), -1, 1 << 64), np.uint64)
    inverse[0] = 1
    return _powers(count), np.multiply.accumulate(inverse)


def _folded(text: str) -> str:
    return (text if text.isascii() else unicodedata.normalize("NFKC", text)).lower()


def _windows(hashes: Hashes, n: int) -> Hashes:
    """Hash of every window of n words, over the borders of texts too."""
    size = max(len(hashes) - n + 1, 0)
    total = np.zeros(size, np.uint64)
    for power, j in zip(_powers(n), range(n), strict=True):
        total += hashes[j : j + size] * power
    return mixed(total)


def _offsets(starts: Integers, lengths: Integers) -> Integers:
    """Indices of stretches: starts[i], starts[i] + 1, … for lengths[i] of them."""
    within = np.arange(int(lengths.sum())) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return within + np.repeat(starts, lengths)
