"""Characters by class, counted for many texts at once: every text of a batch in one array of code points."""

import unicodedata
from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]

# Special characters come first, letters last, so that each is one comparison.
SPACE, SPECIAL, MARK, DIGIT, LETTER, UPPER, UNSPACED = range(7)
CLASSES = UNSPACED + 1
# Scripts written without spaces: Thai, Lao, Burmese, Khmer, kana, Han. Each of their letters counts as a word, since
# whitespace tokens of such text are whole sentences.
UNSPACED_RANGES = (
    (0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x3040, 0x30FF), (0x31F0, 0x31FF), (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0xFF66, 0xFF9F), (0x20000, 0x3FFFF),
)  # fmt: skip
JOINT = "\n\n"
PUNCTUATION_MARKS = ",;:?!." + "、，；：？！。．،؛؟।"
_TABLE_SIZE = 0x40000


_OF_CATEGORY = {
    **dict.fromkeys(("Ll", "Lm", "Lo", "Mn", "Mc", "Me"), LETTER), **dict.fromkeys(("Lu", "Lt"), UPPER), "Nd": DIGIT,
}  # fmt: skip


@cache
def class_table() -> npt.NDArray[np.uint8]:
    """Class of every code point below 0x40000; letters include the marks that complete them (Indic vowels, accents)."""
    table = np.full(_TABLE_SIZE, SPECIAL, dtype=np.uint8)
    chars = [chr(point) for point in range(0x20000)]
    table[: len(chars)] = [_OF_CATEGORY.get(category, SPECIAL) for category in map(unicodedata.category, chars)]
    spaces = np.fromiter(map(str.isspace, chars), np.bool_, len(chars))
    table[: len(chars)][spaces] = SPACE
    for first, last in UNSPACED_RANGES:
        block = table[first : last + 1]
        block[(block == LETTER) if first < 0x20000 else slice(None)] = UNSPACED
    table[[ord(mark) for mark in PUNCTUATION_MARKS]] = MARK
    return table


class Characters:
    """Code points of many texts, joined by blank lines.

    `points` is uint32, as long as all texts and what joins them; text i takes [starts[i], starts[i] + lengths[i]). So a
    document's texts, which follow one another, are one stretch.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self.lengths: Counts = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
        self.starts: Counts = np.cumsum(self.lengths + len(JOINT)) - self.lengths - len(JOINT)
        joined = JOINT.join(texts) + JOINT
        self.points = np.frombuffer(joined.encode("utf-32-le", "replace"), dtype=np.uint32)
