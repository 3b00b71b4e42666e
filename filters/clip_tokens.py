"""Tokens of texts, by the tokenizer of an open_clip model: each text is cut once, counted and embedded from that.

What comes out is what the tokenizer gives (the tests compare them). It is asked once for a text instead of twice, and
its cleaning, which mends broken encodings, is left out for plain ASCII, where it changes nothing but the case.
"""

from array import array
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

Tokens = npt.NDArray[np.int64]

# A sentence occurs on many pages, and is counted before it is cut into what the model sees.
_KNOWN_TEXTS = 1 << 16
_KNOWN_WORDS = 1 << 17


class TextTokens:
    """The tokens of texts. `context_length` is how many a model sees, the two that mark a text's ends among them."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self.context_length = int(tokenizer.context_length)
        self._own = _cuts_words_itself(tokenizer)
        self._special_tokens = dict(getattr(tokenizer, "cache", {}))
        self._ids: Callable[[str], array[int]] = lru_cache(_KNOWN_TEXTS)(self._cut)
        self._count: Callable[[str], int] = lru_cache(_KNOWN_TEXTS)(self._counted)
        if self._own:
            _clean_quickly(tokenizer)

    def count(self, text: str) -> int:
        """How many tokens a text has, however many the model sees; without those that mark its ends."""
        return len(self._ids(text)) if self._own else self._count(text)

    def rows(self, texts: Sequence[str]) -> Tokens:
        """What a text tower takes, (n, context_length): what is longer is cut off, what is shorter filled up."""
        if not self._own:
            return np.asarray(self._tokenizer(list(texts)), np.int64)
        found = np.zeros((len(texts), self.context_length), np.int64)
        found[:, 0] = self._tokenizer.sot_token_id
        for row, text in zip(found, texts, strict=True):
            ids = self._ids(text)[: self.context_length - 2]
            row[1 : len(ids) + 1] = ids
            row[len(ids) + 1] = self._tokenizer.eot_token_id
        return found

    def _cut(self, text: str) -> "array[int]":
        if len(self._tokenizer.cache) > _KNOWN_WORDS:  # it keeps every word that it has seen
            self._tokenizer.cache = dict(self._special_tokens)
        return array("i", self._tokenizer.encode(text))

    def _counted(self, text: str) -> int:
        if hasattr(self._tokenizer, "encode"):
            return len(self._tokenizer.encode(text))
        cleaned = self._tokenizer.clean_fn(text)
        return len(self._tokenizer.tokenizer(cleaned, add_special_tokens=False).input_ids)


def _cuts_words_itself(tokenizer: Any) -> bool:
    """Whether it is open_clip's own, which cuts off what is too long and does nothing else to it."""
    from open_clip.tokenizer import SimpleTokenizer

    return isinstance(tokenizer, SimpleTokenizer) and tokenizer.reduction_fn is None


def _clean_quickly(tokenizer: Any) -> None:
    from open_clip.tokenizer import get_clean_fn

    lower = get_clean_fn("lower")
    if tokenizer.clean_fn is not lower:
        return

    def cleaned(text: str) -> str:
        plain = text.isascii() and "&" not in text and text.replace("\n", " ").isprintable()
        return " ".join(text.split()).lower() if plain else lower(text)

    tokenizer.clean_fn = cleaned
