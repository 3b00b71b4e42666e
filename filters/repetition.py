"""Repetition inside texts: how much of a text its most frequent n-grams make up, for many texts at once.

Definitions as in OBELICS (utils/filtering_utils.py), which took them from BLOOM's ROOTS corpus.
"""

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]
Ratios = npt.NDArray[np.float32]
_BASE = np.uint64(0x9E3779B97F4A7C15)
# Twenty bits for the index of a text in its batch, the rest for the hash: 10,000 n-grams of one text collide with a
# probability of three in a million.
_HASH_BITS = np.uint64(44)


def character_repetition(values: npt.NDArray[np.uint32], starts: npt.NDArray[np.int64],
                         lengths: npt.NDArray[np.int64], n: int = 10) -> Ratios:  # fmt: skip
    """Share of n-grams that are among the top min(sqrt(distinct), not singletons); 0 for texts shorter than n.

    `values` holds the items of all texts one after another, text i at [starts[i], starts[i] + lengths[i]).
    """
    text, count = _ngram_counts(values, starts, lengths, n)
    texts = len(lengths)
    distinct = np.bincount(text, minlength=texts)
    repeated = np.bincount(text[count > 1], minlength=texts)
    top = np.minimum(np.sqrt(distinct).astype(np.int64), repeated)
    candidates = np.flatnonzero(count > 1)
    order = candidates[np.lexsort((-count[candidates], text[candidates]))]
    rank = np.arange(len(order)) - (np.cumsum(repeated) - repeated)[text[order]]
    return _share(text, count, order[rank < top[text[order]]], texts)


def _ngram_counts(
    values: npt.NDArray[np.uint32], starts: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64], n: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """For each distinct n-gram of each text: the text's index and how often it occurs there, sorted by text."""
    windows = np.maximum(lengths - n + 1, 0)
    text = np.repeat(np.arange(len(lengths), dtype=np.uint64), windows)
    if not len(text):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    offset = np.arange(len(text)) + np.repeat(starts - (np.cumsum(windows) - windows), windows)
    # The text's index above, the hash below: one sort of plain integers, which NumPy does in SIMD, groups both.
    keys = np.sort((text << _HASH_BITS) | (_window_hashes(values, n)[offset] >> (np.uint64(64) - _HASH_BITS)))
    first = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1])))
    count = np.diff(np.concatenate((first, [len(keys)])))
    return (keys[first] >> _HASH_BITS).astype(np.int64), count


def _window_hashes(values: npt.NDArray[np.uint32], n: int) -> Hashes:
    """Polynomial hash of every window of n items, modulo 2**64."""
    wide = values.astype(np.uint64) + np.uint64(1)
    size = max(len(wide) - n + 1, 0)
    hashes = np.zeros(size, dtype=np.uint64)
    for j in range(n):
        hashes = hashes * _BASE + wide[j : j + size]
    return (hashes ^ (hashes >> np.uint64(29))) * _BASE


def _share(
    text: npt.NDArray[np.int64], count: npt.NDArray[np.int64], chosen: npt.NDArray[np.int64], texts: int
) -> Ratios:
    total = np.bincount(text, weights=count, minlength=texts)
    mass = np.bincount(text[chosen], weights=count[chosen], minlength=texts)
    return (mass / np.maximum(total, 1)).astype(np.float32)
