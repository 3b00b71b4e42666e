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
from filters.characters import JOINT, Characters

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
    return measure_documents([[text] for text in texts], languages)[0]


def measure_documents(
    documents: Sequence[Sequence[str]], languages: Sequence[str | None]
) -> tuple[TextSignals, TextSignals]:
    """Signals of all texts of documents, one after another, and of the documents: their texts joined by blank lines.

    The letters of a text are looked at once; a document is a stretch of texts.
    """
    texts = [text for document in documents for text in document]
    sizes = np.fromiter(map(len, documents), np.int64, len(documents))
    owner = np.repeat(np.arange(len(documents)), sizes)
    characters = Characters(texts)
    words, stops = _words(texts, [languages[i] for i in owner.tolist()], characters.unspaced())
    lengths = np.fromiter(map(len, words), np.int64, len(words))
    numbers = _numbered(words, sizes)
    nodes = TextSignals(
        words=characters.words(),
        characters=characters.lengths,
        special_characters=characters.special(),
        stop_words=stops,
        punctuation_marks=characters.marks(),
        character_repetition_ratio=repetition.character_repetition(
            characters.points, characters.starts, characters.lengths
        ),
        word_repetition_ratio=repetition.word_repetition(numbers, np.cumsum(lengths) - lengths, lengths),
    )
    return nodes, _joined(nodes, characters, numbers, lengths, sizes)


def _numbered(words: Sequence[Sequence[str]], sizes: npt.NDArray[np.int64]) -> npt.NDArray[np.uint32]:
    """Words of all texts one after another, those that are equal in a document by equal numbers."""
    numbered: list[int] = []
    begin = 0
    for size in sizes.tolist():
        known: dict[str, int] = {}
        numbered += [known.setdefault(word, len(known)) for some in words[begin : begin + size] for word in some]
        begin += size
    return np.array(numbered, dtype=np.uint32)


def _joined(
    nodes: TextSignals, characters: Characters, numbers: npt.NDArray[np.uint32], lengths: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.int64],
) -> TextSignals:  # fmt: skip
    """Signals of documents from those of their texts; only repetition has to be looked for again."""
    ends = np.cumsum(sizes)

    def summed(values: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        sums = np.concatenate((np.zeros(1, np.int64), np.cumsum(values)))
        total: npt.NDArray[np.int64] = sums[ends] - sums[ends - sizes]
        return total

    joints = len(JOINT) * np.maximum(sizes - 1, 0)
    stops = iter(nodes.stop_words)
    counted = [[next(stops) for _ in range(size)] for size in sizes.tolist()]
    first_text = np.minimum(ends - sizes, max(len(lengths) - 1, 0))
    starts = characters.starts[first_text] if len(lengths) else np.zeros(len(sizes), np.int64)
    all_characters = summed(characters.lengths) + joints
    all_words = summed(lengths)
    word_starts = np.concatenate((np.zeros(1, np.int64), np.cumsum(lengths)))[ends - sizes]
    return TextSignals(
        words=summed(nodes.words),
        characters=all_characters,
        special_characters=summed(nodes.special_characters) + joints,
        stop_words=[None if None in some else sum(n for n in some if n is not None) for some in counted],
        punctuation_marks=summed(nodes.punctuation_marks),
        character_repetition_ratio=repetition.character_repetition(characters.points, starts, all_characters),
        word_repetition_ratio=repetition.word_repetition(numbers, word_starts, all_words),
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


@cache
def stop_words_of(language: str | None) -> frozenset[str]:
    """Stop words of a language from the stop-words package; empty where it has none."""
    try:
        return frozenset(get_stop_words(language)) if language else frozenset()
    except StopWordError:
        return frozenset()
