"""Characters by class, counted for many texts at once: every text of a batch in one array of code points."""

import unicodedata
from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]

SPACE, SPECIAL, DIGIT, LETTER, UNSPACED = range(5)
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
            table[point] = LETTER
        elif category == "Nd":
            table[point] = DIGIT
        elif chr(point).isspace():
            table[point] = SPACE
    for first, last in _UNSPACED_RANGES:
        block = table[first : last + 1]
        block[(block == LETTER) if first < 0x20000 else slice(None)] = UNSPACED
    return table


@cache
def _mark_table() -> npt.NDArray[np.bool_]:
    table = np.zeros(_TABLE_SIZE, dtype=np.bool_)
    table[[ord(mark) for mark in PUNCTUATION_MARKS]] = True
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
        self.classes = class_table()[np.minimum(self.points, _TABLE_SIZE - 1)]

    def count(self, mask: npt.NDArray[np.bool_]) -> Counts:
        """How many positions of each text a mask over all positions selects."""
        summed = np.concatenate(([0], np.cumsum(mask, dtype=np.int64)))
        counted: Counts = summed[self.starts + self.lengths] - summed[self.starts]
        return counted

    def special(self) -> Counts:
        """Characters that are no letters: whitespace, digits, punctuation and symbols, as OBELICS counts them."""
        return self.count(self.classes < LETTER)

    def marks(self) -> Counts:
        """Punctuation marks."""
        return self.count(_mark_table()[np.minimum(self.points, _TABLE_SIZE - 1)])

    def words(self) -> Counts:
        """Whitespace-separated tokens with a letter or digit, and each letter of a script without spaces."""
        solid = self.classes != SPACE
        begins = solid & ~np.concatenate(([False], solid[:-1]))
        token = np.cumsum(begins) - 1
        has_word = np.zeros(int(token[-1]) + 1 if len(token) else 0, dtype=np.bool_)
        has_word[token[(self.classes == LETTER) | (self.classes == DIGIT)]] = True
        spaced = np.zeros(len(self.points), dtype=np.bool_)
        spaced[begins] = has_word
        return self.count(spaced) + self.count(self.classes == UNSPACED)

    def unspaced(self) -> Counts:
        """Letters of scripts without spaces."""
        return self.count(self.classes == UNSPACED)
