"""Phrases found in texts by their words: concepts of a list, n-grams of evaluation sets."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from filters.word_hashes import Hashes, Words, words_of


@dataclass(frozen=True)
class Ngrams:
    """Distinct n-grams of words, by hash, ascending."""

    n: int
    hashes: Hashes

    def found_in(self, texts: Words) -> npt.NDArray[np.bool_]:
        """Which texts hold one of them."""
        grams = texts.ngrams(self.n)
        hits = np.isin(grams.hashes, self.hashes)
        owner = np.repeat(np.arange(len(grams.counts)), grams.counts)
        found = np.zeros(len(grams.counts), np.bool_)
        found[owner[hits]] = True
        return found


def ngrams_of(texts: Iterable[str], n: int) -> Ngrams:
    """All n-grams of texts; texts of fewer words have none, since they would be found everywhere."""
    return Ngrams(n, np.unique(words_of(list(texts)).ngrams(n).hashes))


@dataclass(frozen=True)
class Concepts:
    """A list of phrases, by number of words: their hashes, ascending, and their places in the list."""

    by_length: tuple[tuple[int, Hashes, npt.NDArray[np.int64]], ...]
    count: int

    def found_in(self, texts: Words) -> list[list[int]]:
        """For each text the places of the concepts that it holds, ascending, each once."""
        pairs = [self._found(texts, *some) for some in self.by_length]
        owner = np.concatenate([np.zeros(0, np.int64), *(pair[0] for pair in pairs)])
        concept = np.concatenate([np.zeros(0, np.int64), *(pair[1] for pair in pairs)])
        distinct = np.unique(np.stack((owner, concept)), axis=1)
        bounds = np.searchsorted(distinct[0], np.arange(len(texts.counts) + 1))
        return [distinct[1, begin:end].tolist() for begin, end in pairwise(bounds.tolist())]

    @staticmethod
    def _found(
        texts: Words, n: int, hashes: Hashes, places: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        grams = texts.ngrams(n)
        nearest = np.minimum(np.searchsorted(hashes, grams.hashes), len(hashes) - 1)
        hits = hashes[nearest] == grams.hashes
        owner = np.repeat(np.arange(len(grams.counts)), grams.counts)
        return owner[hits], places[nearest[hits]]


def concepts_of(phrases: Sequence[str]) -> Concepts:
    """A list of phrases to look for; of equal ones the first counts, those without words are never found."""
    words = words_of(phrases)
    by_length = []
    for n in sorted(set(words.counts.tolist()) - {0}):
        which = np.flatnonzero(words.counts == n)
        hashes, first = np.unique(_hashes_of(words, which, n), return_index=True)
        by_length.append((n, hashes, which[first]))
    return Concepts(tuple(by_length), len(phrases))


def _hashes_of(words: Words, which: npt.NDArray[np.int64], n: int) -> Hashes:
    index = words.starts[which][:, None] + np.arange(n)
    return Words(words.hashes[index].ravel(), np.full(len(which), n)).ngrams(n).hashes
