"""Texts of blocks, and their characters counted."""

from bisect import bisect_right
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple, overload

import numpy as np
import numpy.typing as npt

from filters.characters import LETTER, SPACE, UNSPACED, class_table
from pipelines.extract import native
from pipelines.extract.columns import Columns

Ints = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]

_ENDERS = ".!?。！？…؟।"
_COMMAS = ",;:、，；：،؛"
_LAST = ".!?。！？…؟।:：”»"


class Counters(NamedTuple):
    """Characters and words of texts, each an array of one number for each text."""

    solid: Ints
    words: Ints
    letters: Ints
    upper: Ints
    digits: Ints
    enders: Ints
    commas: Ints
    ended: Ints  # 1 where the last character ends a sentence, a quotation or a list's introduction
    spaced: Ints  # all characters
    breaks: Ints  # line breaks that the page asks for


@cache
def flags() -> npt.NDArray[np.uint8]:
    """What each code point is counted as, bits of `native`."""
    classes = class_table()
    table = np.zeros(len(classes), np.uint8)
    table[classes != SPACE] |= native.SOLID
    table[:2] = 0
    table[classes >= LETTER] |= native.LETTER
    table[[p for p in range(0x600) if chr(p).isupper()]] |= native.UPPER
    table[0x30:0x3A] |= native.DIGIT
    table[classes == UNSPACED] |= native.UNSPACED
    for marks, bit in ((_ENDERS, native.ENDER), (_COMMAS, native.COMMA), (_LAST, native.FINAL)):
        table[[ord(mark) for mark in marks]] |= bit
    return table


class Texts(Sequence[str]):
    """Texts that lie one after another in UTF-8, made when they are asked for: most blocks are never looked at."""

    def __init__(self, written: bytes, ends: Ints) -> None:
        self._written = written
        self._ends = [0, *ends.tolist()]

    def __len__(self) -> int:
        return len(self._ends) - 1

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> list[str]: ...
    def __getitem__(self, at: int | slice) -> str | list[str]:
        if isinstance(at, slice):
            return [self[i] for i in range(*at.indices(len(self)))]
        at = at if at >= 0 else at + len(self)
        return self._written[self._ends[at] : self._ends[at + 1]].decode("utf-8", "replace")

    def holding(self, what: bytes) -> list[int]:
        """The texts that hold these bytes, found without making the others."""
        found = []
        at = self._written.find(what)
        while at >= 0:
            i = bisect_right(self._ends, at) - 1
            inside = at + len(what) <= self._ends[i + 1]
            if inside:
                found.append(i)
            at = self._written.find(what, self._ends[i + 1] if inside else at + 1)
        return found


def write(columns: Columns, first: Ints, last: Ints) -> tuple[Texts, Hashes, Counters]:
    """Texts behind tokens first[i] to last[i], both included, in one line each; their hashes; what they are made of."""
    table = flags()
    written = np.empty(len(columns.texts), np.uint8)
    ends, hashes = np.empty(len(first), np.int64), np.empty(len(first), np.uint64)
    counts = np.empty((len(native.COUNTERS), len(first)), np.int64)
    native.write_texts(
        columns.texts, columns.text_begins, first, last, len(first), table, len(table), written, ends, hashes, counts
    )
    return Texts(written[: ends[-1] if len(ends) else 0].tobytes(), ends), hashes, Counters(*counts)
