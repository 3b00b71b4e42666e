"""Words of many texts as numbers into one vocabulary: what is asked of a word is asked once, not at each place."""

import string
from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

from filters import native
from filters.characters import UNSPACED_RANGES, Characters

Counts = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

# Stripped from both ends of a word before it is looked up or compared; letters and digits of any script stay.
EDGES = (
    string.punctuation + "¡¿«»§°·…–—―‐‑‘’‚“”„‹›•†‡‰′″、。〈〉《》「」『』【】〔〕〜・！（），．：；？［］｛｝～،؛؟।॥"
)
APOSTROPHES = "’‘ʼ"  # read as '
# Behind it are no letters; the last of the table stands for all of them.
_TABLE_SIZE = 0x40001


@cache
def flags() -> npt.NDArray[np.uint8]:
    """What each code point is to words, bits of `native`."""
    chars = np.arange(_TABLE_SIZE - 1, dtype=np.uint32).view("U1")
    table = np.zeros(_TABLE_SIZE, np.uint8)
    for asked, bit in (
        (np.strings.isspace, native.SPACE), (np.strings.isalnum, native.ALNUM), (np.strings.isalpha, native.ALPHA),
        (np.strings.isdecimal, native.DECIMAL),
    ):  # fmt: skip
        table[:-1] |= asked(chars) * np.uint8(bit)
    for first, last in UNSPACED_RANGES:
        table[first : last + 1] |= native.ALONE
    table[[ord(char) for char in EDGES]] |= native.EDGE
    table[[ord(char) for char in APOSTROPHES]] |= native.APOSTROPHE
    return table


class Words:
    """Words of n lower-cased texts, punctuation stripped from their ends; tokens without letter or digit are none.

    `ids` are numbers into a vocabulary of v words, text after text; `owners` the text of each, `counts` of shape (n,)
    how many a text has. Each letter of a script without spaces is a word.

    Word i of the vocabulary is written[ends[i - 1] : ends[i]], as code points; `widths` are their numbers, `alphabetic`
    tells which have a letter, `hashes` tell words apart.
    """

    def __init__(self, characters: Characters, unspaced: Mask) -> None:
        table = flags()
        most = len(characters.points)
        ids, owners, ends = np.empty((3, most), np.int64)
        hashes, self.written = np.empty(most, np.uint64), np.empty(most, np.uint32)
        kinds, distinct = np.empty(most, np.uint8), np.zeros(1, np.int64)
        count = native.number_words(
            characters.points, characters.starts, characters.lengths, len(unspaced), unspaced, table, len(table), ids,
            owners, self.written, ends, hashes, kinds, distinct,
        )  # fmt: skip
        self.ids, self.owners = ids[:count], owners[:count]
        self.ends, self.hashes, self.kinds = ends[: distinct[0]], hashes[: distinct[0]], kinds[: distinct[0]]
        self.counts: Counts = np.bincount(self.owners, minlength=len(unspaced))
        self.widths: Counts = np.diff(self.ends, prepend=0)
        self.alphabetic: Mask = (self.kinds & native.ALPHA) != 0

    def total(self, values: npt.NDArray[np.int64] | Mask) -> Counts:
        """Sum over each text of a value that every word of the vocabulary has."""
        summed = np.bincount(self.owners, weights=values[self.ids], minlength=len(self.counts))
        return summed.astype(np.int64)


def hashes_of(words: Sequence[str]) -> npt.NDArray[np.uint64]:
    """The number of each word, as `Words.hashes`."""
    points = np.frombuffer("".join(words).encode("utf-32-le", "replace"), np.uint32)
    hashes = np.empty(len(words), np.uint64)
    native.hash_words(points, np.cumsum(np.fromiter(map(len, words), np.int64, len(words))), len(words), hashes)
    return hashes


def hashes_of_packed(words: bytes) -> npt.NDArray[np.uint64]:
    """The numbers of all words in lists of words in msgpack; keys and values of maps are none."""
    hashes = np.empty(len(words), np.uint64)
    return hashes[: native.hash_packed(words, len(words), hashes)].copy()
