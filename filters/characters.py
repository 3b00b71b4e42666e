"""Characters by class, counted for many texts at once: every text of a batch in one array of code points."""

import unicodedata
from collections.abc import Sequence
from functools import cache, cached_property

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]

# Special characters come first, letters last, so that each is one comparison.
SPACE, SPECIAL, MARK, DIGIT, LETTER, UPPER, UNSPACED = range(7)
_CLASSES = UNSPACED + 1
# Scripts written without spaces: Thai, Lao, Burmese, Khmer, kana, Han. Each of their letters counts as a word, since
# whitespace tokens of such text are whole sentences.
_UNSPACED_RANGES = (
    (0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x3040, 0x30FF), (0x31F0, 0x31FF), (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0xFF66, 0xFF9F), (0x20000, 0x3FFFF),
)  # fmt: skip
JOINT = "\n\n"
PUNCTUATION_MARKS = ",;:?!." + "、，；：？！。．،؛؟।"
_TABLE_SIZE = 0x40000


@cache
def class_table() -> npt.NDArray[np.uint8]:
    """Class of every code point below 0x40000; letters include the marks that complete them (Indic vowels, accents)."""
    table = np.full(_TABLE_SIZE, SPECIAL, dtype=np.uint8)
    for point in range(0x20000):
        category = unicodedata.category(chr(point))
        if category[0] in "LM":
            table[point] = UPPER if category in ("Lu", "Lt") else LETTER
        elif category == "Nd":
            table[point] = DIGIT
        elif chr(point).isspace():
            table[point] = SPACE
    for first, last in _UNSPACED_RANGES:
        block = table[first : last + 1]
        block[(block == LETTER) if first < 0x20000 else slice(None)] = UNSPACED
    table[[ord(mark) for mark in PUNCTUATION_MARKS]] = MARK
    return table


class Characters:
    """Code points of many texts, joined by blank lines, with their classes.

    `points` is uint32, `classes` uint8, both as long as all texts and what joins them; text i takes
    [starts[i], starts[i] + lengths[i]). So a document's texts, which follow one another, are one stretch.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self.lengths: Counts = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
        self.starts: Counts = np.cumsum(self.lengths + len(JOINT)) - self.lengths - len(JOINT)
        joined = JOINT.join(texts) + JOINT
        self.points = np.frombuffer(joined.encode("utf-32-le", "replace"), dtype=np.uint32)

    @cached_property
    def classes(self) -> npt.NDArray[np.uint8]:
        """Class of each character."""
        classes: npt.NDArray[np.uint8] = class_table()[np.minimum(self.points, _TABLE_SIZE - 1)]
        return classes

    @cached_property
    def by_class(self) -> Counts:
        """How many characters of each class a text has: n rows, a column a class."""
        texts = len(self.lengths)
        row = np.repeat(np.arange(texts, dtype=np.int64) * _CLASSES, self.lengths + len(JOINT))
        counted: Counts = np.bincount(row + self.classes[: len(row)], minlength=texts * _CLASSES)
        counted = counted.reshape(texts, _CLASSES)
        counted[:, SPACE] -= len(JOINT)
        return counted

    def owners(self, positions: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """The text in which each position lies."""
        owner: npt.NDArray[np.int64] = np.searchsorted(self.starts, positions, "right") - 1
        return owner

    def count_at(self, positions: npt.NDArray[np.int64]) -> Counts:
        """How many of some positions lie in each text."""
        counted: Counts = np.bincount(self.owners(positions), minlength=len(self.lengths))
        return counted

    def special(self) -> Counts:
        """Characters that are no letters: whitespace, digits, punctuation and symbols, as OBELICS counts them."""
        counted: Counts = self.by_class[:, :LETTER].sum(axis=1)
        return counted

    def words(self) -> Counts:
        """Whitespace-separated tokens with a letter or digit, and each letter of a script without spaces."""
        solid = self.classes != SPACE
        begins = np.flatnonzero(solid & ~np.concatenate(([False], solid[:-1])))
        written = (self.classes >= DIGIT) & (self.classes <= UPPER)
        has_word = np.logical_or.reduceat(written, begins) if len(begins) else np.zeros(0, np.bool_)
        return self.count_at(begins[has_word]) + self.by_class[:, UNSPACED]
