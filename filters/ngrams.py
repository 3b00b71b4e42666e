"""Repeated n-grams of words in documents and their texts, for 2 to 10 words, each order from what the one before left.

Wherever n + 1 words are repeated, their first n are too. Each order so looks only at what the one before left, which in
ordinary text is little from three words on.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from filters.words import Words

Counts = npt.NDArray[np.int64]
Ratios = npt.NDArray[np.float32]

# Orders and their meaning: Gopher (arXiv 2112.11446), table A1.
TOP_ORDERS = (2, 3, 4)
DUPLICATE_ORDERS = (5, 6, 7, 8, 9, 10)
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


@dataclass(frozen=True)
class _Grams:
    """n-grams at `places`; `group` is equal where they are; `count` and `first` say how often and where it is first."""

    places: Counts
    group: Counts
    count: Counts
    first: Counts

    def repeated(self) -> npt.NDArray[np.bool_]:
        """Which places hold an n-gram that occurs more than once."""
        return self.count[self.group] > 1


def repeated_words(words: Words, sizes: Counts) -> RepeatedWords:
    """Repetition in documents of sizes[i] texts each, which follow one another in `words`."""
    document = np.repeat(np.arange(len(sizes)), sizes)[words.owner]
    width = words.widths[words.ids]
    lengths = np.bincount(document, minlength=len(sizes))
    ends = np.cumsum(lengths)[document]
    grams = _Grams(np.arange(len(document)), *_grouped(document * len(words.index) + words.ids))
    top: dict[int, Counts] = {}
    duplicate: dict[int, Counts] = {}
    for n in range(2, DUPLICATE_ORDERS[-1] + 1):
        grams = _longer(grams, n, words, ends)
        if n in TOP_ORDERS:
            top[n] = _top(grams, n, document, width, len(sizes))
        if n in DUPLICATE_ORDERS:
            duplicate[n] = _duplicate(grams, n, document, width, len(sizes))
        if n == _WORD_REPETITION:
            repetition = _repetition(grams, document, lengths)
            text_repetition = _repetition_in_texts(grams, words)
    return RepeatedWords(repetition, text_repetition, top, duplicate)


def _grouped(keys: Counts) -> tuple[Counts, Counts, Counts]:
    """Group of each key, and of each group its size and its first place."""
    if not len(keys):
        return keys, keys, keys
    order = np.argsort(keys)
    begins = np.concatenate(([True], keys[order][1:] != keys[order][:-1]))
    starts = np.flatnonzero(begins)
    group = np.empty(len(keys), np.int64)
    group[order] = np.cumsum(begins) - 1
    return group, np.diff(np.concatenate((starts, [len(keys)]))), np.minimum.reduceat(order, starts)


def _longer(grams: _Grams, n: int, words: Words, ends: Counts) -> _Grams:
    """The n-grams at places where n - 1 words are repeated and n words fit."""
    chosen = grams.repeated() & (grams.places + n <= ends[grams.places])
    places = grams.places[chosen]
    group, count, first = _grouped(grams.group[chosen] * len(words.index) + words.ids[places + n - 1])
    return _Grams(places, group, count, places[first])


def _top(grams: _Grams, n: int, document: Counts, width: Counts, documents: int) -> Counts:
    """Of n-grams that occur equally often, the first one counts; spaces between its words count too."""
    often = np.flatnonzero(grams.count > 1)
    first, count = grams.first[often], grams.count[often]
    order = np.lexsort((first, -count, document[first]))
    owner = document[first[order]]
    leading = order[np.concatenate(([True], owner[1:] != owner[:-1]))] if len(order) else order
    ends = np.concatenate(([0], np.cumsum(width)))
    characters = ends[first[leading] + n] - ends[first[leading]] + n - 1
    top = np.zeros(documents, np.int64)
    top[document[first[leading]]] = characters * count[leading]
    return top


def _duplicate(grams: _Grams, n: int, document: Counts, width: Counts, documents: int) -> Counts:
    again = grams.places[grams.places != grams.first[grams.group]]
    edges = np.bincount(again, minlength=len(document) + 1) - np.bincount(again + n, minlength=len(document) + 1)
    covered = np.cumsum(edges[:-1]) > 0
    return np.bincount(document[covered], weights=width[covered], minlength=documents).astype(np.int64)


def _repetition(grams: _Grams, owner: Counts, lengths: Counts) -> Ratios:
    """Share of all windows of five words."""
    repeated = np.bincount(owner[grams.places[grams.repeated()]], minlength=len(lengths))
    return (repeated / np.maximum(lengths - _WORD_REPETITION + 1, 1)).astype(np.float32)


def _repetition_in_texts(grams: _Grams, words: Words) -> Ratios:
    """The same within each text: what is repeated there is repeated in its document."""
    inside = words.owner[grams.places] == words.owner[grams.places + _WORD_REPETITION - 1]
    chosen = inside & grams.repeated()
    places = grams.places[chosen]
    group, count, first = _grouped(grams.group[chosen] * len(words.counts) + words.owner[places])
    return _repetition(_Grams(places, group, count, places[first]), words.owner, words.counts)
