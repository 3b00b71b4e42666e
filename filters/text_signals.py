"""Text signals of a batch of texts: counts first, so that ratios can be formed again over what rules have kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from filters import lines, pii, repetition
from filters.characters import DIGIT, JOINT, MARK, SPACE, UNSPACED, UPPER, Characters, Counts
from filters.native import LISTS
from filters.ngrams import DUPLICATE_ORDERS, TOP_ORDERS, RepeatedWords, repeated_words
from filters.word_lists import Listed
from filters.words import Words
from schemas.tables import TEXT_COUNTS


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
    counted = lines.Counted(characters)
    digits, unspaced = counted.by_class[DIGIT], counted.by_class[UNSPACED] > 0
    lower = Characters(lowered)
    words = Words(lower, unspaced)
    repeated = repeated_words(words, sizes)
    listed = Listed(words, languages, sizes)
    nodes: dict[str, Any] = {
        **counted.of,
        "characters": characters.lengths,
        "special_characters": counted.special(),
        "punctuation_marks": counted.by_class[MARK],
        "spaces": counted.by_class[SPACE],
        "digits": digits,
        "uppercase_letters": counted.by_class[UPPER],
        "alphabetic_words": words.total(words.alphabetic),
        "word_characters": words.total(words.widths),
        **_where_known(listed, unspaced),
        **lines.phrase_counts(texts, lowered, lower, digits),
        **pii.counts(texts, digits),
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
            "gopher_stop_words": [
                number if language == "en" else None
                for number, language in zip(listed.gopher.tolist(), languages, strict=True)
            ],
        }
    )


def _where_known(listed: Listed, unspaced: npt.NDArray[np.bool_]) -> dict[str, list[int | None]]:
    """Words on lists; None where the language has no list, and in scripts without spaces."""
    return {
        name: [None if lacks else total for total, lacks in zip(totals, without, strict=True)]
        for name, totals, without in zip(
            LISTS, listed.counts.tolist(), (listed.unknown | unspaced).tolist(), strict=True
        )
    }


def _joined(nodes: Mapping[str, Any], sizes: Counts) -> dict[str, Any]:
    """Counts of documents from those of their texts: what has no value in one of the texts has none in the document."""
    ends = np.cumsum(sizes)

    def summed(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        sums = np.concatenate(([0], np.cumsum(values)))
        return sums[ends] - sums[ends - sizes]

    joined: dict[str, Any] = {name: summed(nodes[name]) for name in TEXT_COUNTS if name not in LISTS}
    for name in LISTS:
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
