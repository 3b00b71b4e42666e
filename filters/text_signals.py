"""Text signals of a batch of texts: counts first, so that ratios can be formed again over what rules have kept."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from filters import lines, pii, repetition
from filters.characters import DIGIT, JOINT, MARK, SPACE, UNSPACED, UPPER, Characters, Counts
from filters.ngrams import DUPLICATE_ORDERS, TOP_ORDERS, RepeatedWords, repeated_words
from filters.word_lists import ListedWords, flagged_words_of, spam_words_of, stop_words_of
from filters.words import Words
from schemas.tables import TEXT_COUNTS

Mask = npt.NDArray[np.bool_]
# Null where the language of a text has no list.
LISTED = ("stop_words", "common_words", "flagged_words", "spam_words")
# Gopher (arXiv 2112.11446, A.1.1): a document has at least two of them.
GOPHER_STOP_WORDS = frozenset({"the", "be", "to", "of", "and", "that", "have", "with"})


@dataclass(frozen=True)
class TextSignals:
    """Signals of n texts or documents by name, each an array of length n, or a list with None for what has no value."""

    values: Mapping[str, npt.NDArray[Any] | list[int | None]]

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def column(self, name: str) -> pa.Array:
        """One signal as an Arrow array."""
        return pa.array(self.values[name])


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
    lowered = [text.lower() for text in texts]
    characters = Characters(texts)
    unspaced = characters.by_class[:, UNSPACED] > 0
    words = Words(lowered, unspaced)
    repeated = repeated_words(words, sizes)
    of_texts = np.repeat(np.array(languages, dtype=object), sizes)
    nodes: dict[str, Any] = {
        **_character_counts(characters),
        **_word_counts(words),
        **_listed(words, of_texts, unspaced),
        **lines.line_counts(characters),
        **lines.symbol_counts(characters, texts),
        **lines.phrase_counts(texts, lowered, characters.by_class[:, DIGIT]),
        **pii.counts(texts, characters.by_class[:, DIGIT]),
        "sentences": lines.sentences(characters, characters.words()),
        "character_repetition_ratio": repetition.character_repetition(
            characters.points, characters.starts, characters.lengths
        ),
        "word_repetition_ratio": repeated.text_repetition,
    }
    joined = _joined(nodes, sizes)
    return TextSignals(nodes), TextSignals(
        {
            **joined,
            **lines.duplicate_ratios(documents, joined["characters"]),
            **_repetition(characters, joined["characters"], sizes, repeated),
            "gopher_stop_words": _distinct(words, languages, sizes),
        }
    )


def _character_counts(characters: Characters) -> dict[str, Counts]:
    by_class = characters.by_class
    return {
        "words": characters.words(),
        "characters": characters.lengths,
        "special_characters": characters.special(),
        "punctuation_marks": by_class[:, MARK],
        "spaces": by_class[:, SPACE],
        "digits": by_class[:, DIGIT],
        "uppercase_letters": by_class[:, UPPER],
    }


def _word_counts(words: Words) -> dict[str, Counts]:
    return {"alphabetic_words": words.total(words.alphabetic), "word_characters": words.total(words.widths)}


def _listed(words: Words, languages: npt.NDArray[np.object_], unspaced: Mask) -> dict[str, list[int | None]]:
    """How many words of each text are on the lists of its language; None without a list, and without spaces."""
    lists = ListedWords(words)
    masks_of: dict[str, Callable[[str | None], Mask | None]] = {
        "stop_words": lambda language: lists.listed(stop_words_of(language)),
        "common_words": lists.common,
        "flagged_words": lambda language: lists.listed(flagged_words_of(language)),
        "spam_words": lambda language: lists.listed(spam_words_of(language)),
    }
    known = sorted({language for language in languages.tolist() if language is not None})
    number = {language: i for i, language in enumerate(known)}
    of_text = np.array([number.get(language, len(known)) for language in languages.tolist()], np.int64)
    counted: dict[str, list[int | None]] = {}
    for name in LISTED:
        masks = [*(masks_of[name](language) for language in known), None]
        table = np.array([np.zeros(len(words.index), np.bool_) if mask is None else mask for mask in masks])
        hits = words.owner[table[of_text[words.owner], words.ids]]
        totals = np.bincount(hits, minlength=len(languages)).tolist()
        without = (np.array([mask is None for mask in masks])[of_text] | unspaced).tolist()
        counted[name] = [None if lacks else total for total, lacks in zip(totals, without, strict=True)]
    return counted


def _joined(nodes: Mapping[str, Any], sizes: Counts) -> dict[str, Any]:
    """Counts of documents from those of their texts: what has no value in one of the texts has none in the document."""
    ends = np.cumsum(sizes)

    def summed(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        sums = np.concatenate(([0], np.cumsum(values)))
        return sums[ends] - sums[ends - sizes]

    joined: dict[str, Any] = {name: summed(nodes[name]) for name in TEXT_COUNTS if name not in LISTED}
    for name in LISTED:
        unknown = summed(np.array([value is None for value in nodes[name]], np.int64)) > 0
        totals = summed(np.array([value or 0 for value in nodes[name]], np.int64))
        pairs = zip(totals.tolist(), unknown.tolist(), strict=True)
        joined[name] = [None if lacks else total for total, lacks in pairs]
    joints = len(JOINT) * np.maximum(sizes - 1, 0)
    for name in ("characters", "special_characters", "spaces"):
        joined[name] = joined[name] + joints
    return joined


def _repetition(
    characters: Characters, lengths: Counts, sizes: Counts, repeated: RepeatedWords
) -> dict[str, npt.NDArray[np.float32]]:
    """What repeats itself in documents, which cannot be summed from their texts."""
    first_text = np.minimum(np.cumsum(sizes) - sizes, max(len(characters.starts) - 1, 0))
    starts = characters.starts[first_text] if len(characters.starts) else np.zeros(len(sizes), np.int64)
    masses = {
        **{f"top_{n}gram_character_ratio": repeated.top[n] for n in TOP_ORDERS},
        **{f"duplicate_{n}gram_character_ratio": repeated.duplicate[n] for n in DUPLICATE_ORDERS},
    }
    return {
        "character_repetition_ratio": repetition.character_repetition(characters.points, starts, lengths),
        "word_repetition_ratio": repeated.word_repetition,
        **{name: (mass / np.maximum(lengths, 1)).astype(np.float32) for name, mass in masses.items()},
    }


def _distinct(words: Words, languages: Sequence[str | None], sizes: Counts) -> list[int | None]:
    """How many different ones of Gopher's eight stop words an English document has."""
    document = np.repeat(np.arange(len(sizes)), sizes)[words.owner]
    totals = np.zeros(len(sizes), np.int64)
    for word in GOPHER_STOP_WORDS & words.index.keys():
        totals[np.unique(document[words.ids == words.index[word]])] += 1
    return [total if language == "en" else None for total, language in zip(totals.tolist(), languages, strict=True)]
