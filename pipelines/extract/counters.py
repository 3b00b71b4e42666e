"""Characters of many texts counted at once."""

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from filters.characters import LETTER, SPACE, UNSPACED, class_table

Ints = npt.NDArray[np.int64]

_ENDERS = ".!?。！？…؟।"
_COMMAS = ",;:、，；：،؛"
_LAST = ".!?。！？…؟।:：”»"
_LAST_POINTS = np.array(sorted(map(ord, _LAST)), np.uint32)
_TABLE_SIZE = 0x40000
_BITS = 21
_FIELD = np.uint64((1 << _BITS) - 1)


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


@cache
def _packed() -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64], npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """For each code point, counters packed by threes into 21 bits each, so that one running sum counts three things.

    A sum may run over into the next counter; the difference of two does not, as long as no text has 2²¹ characters.
    """
    classes = class_table()
    one = np.uint64(1)
    first = np.zeros(_TABLE_SIZE, np.uint64)
    solid = classes != SPACE
    solid[:2] = False
    first[solid] += one
    first[classes >= LETTER] += one << np.uint64(_BITS)
    first[[p for p in range(0x600) if chr(p).isupper()]] += one << np.uint64(2 * _BITS)
    second = np.zeros(_TABLE_SIZE, np.uint64)
    second[0x30:0x3A] += one
    for marks, shift in ((_ENDERS, _BITS), (_COMMAS, 2 * _BITS)):
        second[[ord(m) for m in marks]] += one << np.uint64(shift)
    return first, second, solid, classes == UNSPACED


def count(texts: Sequence[str]) -> Counters:
    """Counters of texts; a text of 2²¹ characters or more is counted modulo that."""
    joined = "\0".join(texts) + "\0"
    points = np.minimum(np.frombuffer(joined.encode("utf-32-le", "replace"), dtype=np.uint32), _TABLE_SIZE - 1)
    ends = np.cumsum(np.fromiter(map(len, texts), np.int64, len(texts)) + 1) - 1
    first, second, solid_table, unspaced = _packed()
    solid = solid_table[points]
    word = solid.copy()
    word[1:] &= ~solid[:-1]
    word |= unspaced[points]

    def fields(values: npt.NDArray[np.uint64]) -> tuple[Ints, Ints, Ints]:
        sums = np.cumsum(values, dtype=np.uint64)[ends]  # the separator at the end counts nothing
        sums[1:] -= sums[:-1].copy()
        middle = (sums >> np.uint64(_BITS)) & _FIELD
        return (
            (sums & _FIELD).astype(np.int64),
            middle.astype(np.int64),
            (sums >> np.uint64(2 * _BITS)).astype(np.int64),
        )

    solids, letters, upper = fields(first[points])
    digits, enders, commas = fields(second[points])
    sums = np.cumsum(word, dtype=np.int64)[ends]
    words = np.diff(sums, prepend=0)
    ended = np.isin(points[np.maximum(ends - 1, 0)], _LAST_POINTS).astype(np.int64)
    return Counters(solids, words, letters, upper, digits, enders, commas, ended)
