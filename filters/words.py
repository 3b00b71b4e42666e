"""Words of many texts as numbers into one vocabulary: what is asked of a word is asked once, not at each place."""

import re
import string
from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_UNSPACED_LETTER = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f"
    "\U00020000-\U0003ffff]|[^\\s\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf"
    "\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff]+"
)
# Stripped from both ends of a word before it is looked up or compared; letters and digits of any script stay.
_EDGES = (
    string.punctuation + "¡¿«»§°·…–—―‐‑‘’‚“”„‹›•†‡‰′″、。〈〉《》「」『』【】〔〕〜・！（），．：；？［］｛｝～،؛؟।॥"
)
_APOSTROPHES = str.maketrans("’‘ʼ", "'''")


class Words:
    """Lower-cased words of many texts, punctuation stripped from their ends; tokens without letter or digit are none.

    `ids` are indices into `vocabulary`, text after text; text i has counts[i] of them. Each letter of a script without
    spaces is a word.
    """

    def __init__(self, lowered: Sequence[str], unspaced: Mask) -> None:
        raw: defaultdict[str, int] = defaultdict()
        raw.default_factory = raw.__len__
        tokens: list[int] = []
        sizes = []
        for text, has_unspaced in zip(lowered, unspaced.tolist(), strict=True):
            found = _UNSPACED_LETTER.findall(text) if has_unspaced else text.split()
            tokens += map(raw.__getitem__, found)
            sizes.append(len(found))
        self.index: dict[str, int] = {}
        number = np.fromiter(map(self._number, raw), np.int64, len(raw))
        ids = number[np.array(tokens, np.int64)]
        owner = np.repeat(np.arange(len(sizes)), sizes)
        self.ids: Counts = ids[ids >= 0]
        self.owner: Counts = owner[ids >= 0]
        self.counts: Counts = np.bincount(self.owner, minlength=len(sizes))

    def _number(self, token: str) -> int:
        if token.isalnum():
            return self.index.setdefault(token, len(self.index))
        word = token.strip(_EDGES)
        if not word.isalnum():
            word = word.translate(_APOSTROPHES)
            if not any(map(str.isalnum, word)):
                return -1
        return self.index.setdefault(word, len(self.index))

    @cached_property
    def vocabulary(self) -> list[str]:
        """Each word once."""
        return list(self.index)

    @cached_property
    def widths(self) -> Counts:
        """Characters of each word of the vocabulary."""
        return np.fromiter(map(len, self.vocabulary), np.int64, len(self.index))

    @cached_property
    def alphabetic(self) -> Mask:
        """Words of the vocabulary that have a letter."""
        flags = (word.isalpha() or any(map(str.isalpha, word)) for word in self.vocabulary)
        return np.fromiter(flags, np.bool_, len(self.index))

    def total(self, values: npt.NDArray[np.int64] | Mask) -> Counts:
        """Sum over each text of a value that every word of the vocabulary has."""
        summed = np.bincount(self.owner, weights=values[self.ids], minlength=len(self.counts))
        return summed.astype(np.int64)
