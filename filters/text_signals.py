"""Text signals of a batch of texts: counts first, so that ratios can be formed again over what rules have kept."""

import re
import string
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from stop_words import StopWordError, get_stop_words

from filters import repetition
from filters.characters import Characters

_UNSPACED_LETTER = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f"
    "\U00020000-\U0003ffff]|[^\\s\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf"
    "\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff]+"
)
# Stripped from both ends of a word before it is looked up or compared; letters and digits of any script stay.
_EDGES = (
    string.punctuation + "¡¿«»§°·…–—―‐‑‘’‚“”„‹›•†‡‰′″、。〈〉《》「」『』【】〔〕〜・！（），．：；？［］｛｝～،؛؟।॥"
)


@dataclass(frozen=True)
class TextSignals:
    """Signals of n texts, each an array of length n. `stop_words` is null where the language has no list."""

    words: npt.NDArray[np.int64]
    characters: npt.NDArray[np.int64]
    special_characters: npt.NDArray[np.int64]
    stop_words: list[int | None]
    punctuation_marks: npt.NDArray[np.int64]
    character_repetition_ratio: npt.NDArray[np.float32]
    word_repetition_ratio: npt.NDArray[np.float32]

    def column(self, name: str) -> pa.Array:
        """One signal as an Arrow array."""
        return pa.array(getattr(self, name))


def measure(texts: Sequence[str], languages: Sequence[str | None]) -> TextSignals:
    """Signals of texts, each in a language given by its ISO 639-1 code."""
    characters = Characters(texts)
    words, stops = _words(texts, languages, characters.unspaced())
    lengths = np.fromiter(map(len, words), dtype=np.int64, count=len(words))
    starts = np.cumsum(lengths) - lengths
    return TextSignals(
        words=characters.words(),
        characters=characters.lengths,
        special_characters=characters.special(),
        stop_words=stops,
        punctuation_marks=characters.marks(),
        character_repetition_ratio=repetition.character_repetition(
            characters.points, characters.starts, characters.lengths
        ),
        word_repetition_ratio=repetition.word_repetition(_numbered(words), starts, lengths),
    )


def _words(
    texts: Sequence[str], languages: Sequence[str | None], unspaced: npt.NDArray[np.int64]
) -> tuple[list[list[str]], list[int | None]]:
    words, stops = [], []
    for text, language, has_unspaced in zip(texts, languages, unspaced > 0, strict=True):
        lower = text.lower()
        tokens = _UNSPACED_LETTER.findall(lower) if has_unspaced else lower.split()
        found = [word for token in tokens if (word := token if token.isalnum() else token.strip(_EDGES))]
        listed = stop_words_of(language) if not has_unspaced else None
        words.append(found)
        stops.append(sum(map(listed.__contains__, found)) if listed else None)
    return words, stops


def _numbered(texts: Sequence[Sequence[str]]) -> npt.NDArray[np.uint32]:
    """Words of all texts one after another, equal words by equal numbers."""
    numbers: dict[str, int] = {}
    flat = [numbers.setdefault(word, len(numbers)) for words in texts for word in words]
    return np.array(flat, dtype=np.uint32)


@cache
def stop_words_of(language: str | None) -> frozenset[str]:
    """Stop words of a language from the stop-words package; empty where it has none."""
    try:
        return frozenset(get_stop_words(language)) if language else frozenset()
    except StopWordError:
        return frozenset()
