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

from filters.characters import DIGIT, UNSPACED, Characters, class_table

Hashes = npt.NDArray[np.uint64]
Integers = npt.NDArray[np.int64]
_SOLID, _ALONE = 1, 2
_CODE_POINTS, _LAST_CASED = 0x110000, 0x20000
# Their lower case is two characters, and another one at the end of a word; that of all others is one, and the same.
_DOTTED_I, _SIGMA = "\u0130", "\u03a3"
# The 64 fractional bits of the golden ratio, odd as it must be to lose no information in a product modulo 2**64.
_BASE = np.uint64(0x9E3779B97F4A7C15)


def _powers(count: int) -> Hashes:
    return np.multiply.accumulate(np.full(count, _BASE, np.uint64))


def mixed(values: Hashes) -> Hashes:
    """Every bit of the result depends on every bit of the value: the finaliser of splitmix64 (Steele et al. 2014)."""
    mixed = values >> np.uint64(30)
    mixed ^= values
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(27)
    mixed *= np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return mixed


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
        grams = Words(_windows(self.hashes, n)[self._inside(n)], windows)
        few = np.flatnonzero((windows == 0) & (self.counts > 0))
        if not short or not len(few):
            return grams
        whole = self.whole()[few]
        return Words(np.insert(grams.hashes, grams.starts[few], whole), windows + np.isin(np.arange(len(windows)), few))

    def _inside(self, n: int) -> npt.NDArray[np.bool_]:
        """Of all windows of n words those that lie in one text."""
        inside = np.ones(max(len(self.hashes) - n + 1, 0), np.bool_)
        ends = self.starts + self.counts
        for back in range(1, n):
            over = ends[self.counts >= back] - back
            inside[over[over < len(inside)]] = False
        return inside

    def whole(self) -> Hashes:
        """One hash for all words of each text in their order; of no words it is 0."""
        position = np.arange(len(self.hashes)) - np.repeat(self.starts, self.counts)
        weights = _weights(1 << int(self.counts.max(initial=1)).bit_length())
        sums = np.zeros(len(self.hashes) + 1, np.uint64)
        np.multiply(self.hashes, weights.take(position), out=sums[1:])
        np.cumsum(sums, out=sums)
        total = sums[self.starts + self.counts] - sums[self.starts]
        return np.where(self.counts > 0, mixed(total + self.counts.astype(np.uint64)), np.uint64(0))


def words_of(texts: Sequence[str]) -> Words:
    """Words of texts, without regard to case and width forms."""
    characters = Characters([_folded(text) for text in texts])
    points = characters.points.astype(np.intp)  # as which NumPy would have to read it for each table
    kinds, values = _letters()
    begins, ends = _stretches(kinds.take(points))
    # By the power of its place in all texts, less that of its word's first letter: so a word is the same anywhere.
    powers, inverses = _tables(1 << int(len(points) - 1).bit_length())
    sums = np.zeros(len(points) + 1, np.uint64)
    values.take(points, out=sums[1:], mode="clip")
    sums[1:] *= powers[: len(points)]
    np.cumsum(sums, out=sums)
    hashes = (sums[ends] - sums[begins]) * inverses[begins]
    return Words(mixed(hashes), np.diff(np.searchsorted(begins, np.append(characters.starts, len(points)))))


def _stretches(kinds: npt.NDArray[np.uint8]) -> tuple[Integers, Integers]:
    """Where words begin and end: letters and digits in a row, and each letter of a script without spaces."""
    solid, alone = kinds == _SOLID, kinds == _ALONE
    begins, ends = solid.copy(), solid.copy()
    begins[1:] &= ~solid[:-1]
    ends[:-1] &= ~solid[1:]
    return np.flatnonzero(begins | alone), np.flatnonzero(ends | alone) + 1


@cache
def _tables(count: int) -> tuple[Hashes, Hashes]:
    """Powers of the base, from its first on, and their inverses modulo 2**64, from the zeroth on."""
    inverse = np.full(count, pow(int(_BASE), -1, 1 << 64), np.uint64)
    inverse[0] = 1
    return _powers(count), np.multiply.accumulate(inverse)


def _folded(text: str) -> str:
    """A text in one of its forms, but for case, which code points tell."""
    if text.isascii():
        return text
    text = unicodedata.normalize("NFKC", text)
    return text.lower() if _DOTTED_I in text or _SIGMA in text else text


@cache
def _letters() -> tuple[npt.NDArray[np.uint8], Hashes]:
    """Of every code point whether it is part of a word, alone a word or neither; and the number of its lower case.

    No character is 0, which would not be seen at the end of a word.
    """
    lowered = np.arange(_CODE_POINTS)
    for point in range(_LAST_CASED):
        small = chr(point).lower()
        lowered[point] = ord(small) if len(small) == 1 else point
    table = class_table()
    classes = table[np.minimum(lowered, len(table) - 1)]
    kinds = np.where(classes == UNSPACED, _ALONE, np.where(classes >= DIGIT, _SOLID, 0))
    return kinds.astype(np.uint8), lowered.astype(np.uint64) + np.uint64(1)


@cache
def _weights(count: int) -> Hashes:
    """By which words are multiplied for their place in a text."""
    return mixed(np.arange(count, dtype=np.uint64) + _BASE)


def _windows(hashes: Hashes, n: int) -> Hashes:
    """Hash of every window of n words, over the borders of texts too: a polynomial, by Horner's rule."""
    size = max(len(hashes) - n + 1, 0)
    total = np.zeros(size, np.uint64)
    for j in reversed(range(n)):
        total += hashes[j : j + size]
        total *= _BASE
    return mixed(total)
