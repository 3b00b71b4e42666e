"""Repeated n-grams of words in documents and their texts, for 2 to 10 words, each order from what the one before left.

Wherever n + 1 words are repeated, their first n are too. Each order so looks only at what the one before left, which in
ordinary text is little from three words on.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from filters import native
from filters.words import Words

Counts = npt.NDArray[np.int64]
Ratios = npt.NDArray[np.float32]

# Orders and their meaning: Gopher (arXiv 2112.11446), table A1.
TOP_ORDERS, DUPLICATE_ORDERS = native.TOP_ORDERS, native.DUPLICATE_ORDERS
_WORD_REPETITION = 5  # OBELICS, configs/config_filter_web_documents.yaml


@dataclass(frozen=True)
class RepeatedWords:
    """Arrays of length d (documents) or n (texts).

    word_repetition, text_repetition: share of the 5-grams that occur more than once in the document, the text.
    top[n]: characters of the most frequent n-gram, at all its places; 0 where none occurs twice.
    duplicate[n]: characters of words inside an n-gram that was there before, each counted once.
    """

    word_repetition: Ratios
    text_repetition: Ratios
    top: dict[int, Counts]
    duplicate: dict[int, Counts]


def repeated_words(words: Words, sizes: Counts) -> RepeatedWords:
    """Repetition in documents of sizes[i] texts each, which follow one another in `words`."""
    texts = np.concatenate((np.zeros(1, np.int64), np.cumsum(words.counts)))
    ends = np.cumsum(sizes)
    lengths = texts[ends] - texts[ends - sizes]
    in_documents, in_texts = np.zeros(len(sizes), np.int64), np.zeros(len(words.counts), np.int64)
    masses = np.zeros((len(TOP_ORDERS) + len(DUPLICATE_ORDERS), len(sizes)), np.int64)
    native.repeated_words(
        words.ids, words.owners, words.widths, lengths, len(sizes), in_documents, in_texts, masses
    )  # fmt: skip
    by_order = dict(zip((*TOP_ORDERS, *DUPLICATE_ORDERS), masses, strict=True))
    return RepeatedWords(
        _share(in_documents, lengths), _share(in_texts, words.counts), {n: by_order[n] for n in TOP_ORDERS},
        {n: by_order[n] for n in DUPLICATE_ORDERS},
    )  # fmt: skip


def _share(repeated: Counts, lengths: Counts) -> Ratios:
    """Share of all windows of five words."""
    return (repeated / np.maximum(lengths - _WORD_REPETITION + 1, 1)).astype(np.float32)
