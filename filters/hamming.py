"""Perceptual hashes that differ in few bits, found without comparing all pairs.

Hashes of 64 bits are cut into d + 2 blocks. Two that differ in at most d bits agree in at least two of these, so it is
enough to compare those that share a pair of blocks: with d = 4, fifteen pairs of about 21 bits each.
"""

from itertools import combinations

import numpy as np
import numpy.typing as npt

from filters.word_hashes import Hashes, mixed

_BITS = 64
# A hash is compared with so many others of its key at most, the next ones in order: where thousands share a key they
# are variants of few pictures, which their neighbours connect.
_NEIGHBOURS = 64


def block_keys(hashes: Hashes, distance: int) -> Hashes:
    """Keys of each hash, (n, pairs of blocks); two hashes within the distance have one in common."""
    bounds = np.linspace(0, _BITS, distance + 3).astype(int)
    blocks = []
    for low, high in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        mask = np.uint64((1 << (high - low)) - 1)
        blocks.append((hashes >> np.uint64(low)) & mask)
    keys = [
        mixed((blocks[a] << np.uint64(32)) + blocks[b] + mixed(np.array([index + 1], np.uint64)))
        for index, (a, b) in enumerate(combinations(range(len(blocks)), 2))
    ]
    return np.stack(keys, axis=1)


def distances(left: Hashes, right: Hashes) -> npt.NDArray[np.int64]:
    """In how many bits pairs of hashes differ."""
    return np.bitwise_count(left ^ right).astype(np.int64)


def alike(keys: Hashes, hashes: Hashes, distance: int) -> tuple[Hashes, Hashes]:
    """Pairs of distinct hashes with an equal key that differ in at most `distance` bits; smaller first, each once."""
    order = np.lexsort((hashes, keys))
    keys, hashes = keys[order], hashes[order]
    left, right = [np.zeros(0, np.uint64)], [np.zeros(0, np.uint64)]
    for step in range(1, _NEIGHBOURS + 1):
        same = keys[step:] == keys[:-step]
        if not same.any():
            break
        a, b = hashes[:-step][same], hashes[step:][same]
        near = (a != b) & (distances(a, b) <= distance)
        left.append(a[near])
        right.append(b[near])
    pairs = np.unique(np.stack((np.concatenate(left), np.concatenate(right))), axis=1)
    return pairs[0], pairs[1]


def nearest(hashes: Hashes, listed: Hashes) -> npt.NDArray[np.int64]:
    """Distance of each hash to the nearest one of a list; more than 64 where the list is empty."""
    best = np.full(len(hashes), _BITS + 1, np.int64)
    for some in listed:
        np.minimum(best, distances(hashes, np.full(len(hashes), some)), out=best)
    return best
