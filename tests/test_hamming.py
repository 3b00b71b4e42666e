"""Perceptual hashes that differ in few bits: all of them are found, and no others."""

from itertools import combinations

import networkx as nx
import numpy as np
import pytest

from filters.hamming import alike, block_keys, distances, nearest
from filters.word_hashes import Hashes


def flipped(hashes: Hashes, bits: int, rng: np.random.Generator) -> Hashes:
    """Each hash with so many different bits turned over."""
    masks = [sum(1 << int(bit) for bit in rng.choice(64, bits, replace=False)) for _ in hashes]
    return hashes ^ np.array(masks, np.uint64)


def found_pairs(hashes: Hashes, distance: int) -> set[tuple[int, int]]:
    keys = block_keys(hashes, distance)
    left, right = alike(keys.ravel(), np.repeat(hashes, keys.shape[1]), distance)
    pairs = list(zip(left.tolist(), right.tolist(), strict=True))
    assert len(set(pairs)) == len(pairs), "a pair came twice"
    return set(pairs)


def all_pairs(hashes: Hashes, distance: int) -> set[tuple[int, int]]:
    """By comparing all with all."""
    hashes = np.unique(hashes)
    left, right = np.triu_indices(len(hashes), 1)
    near = np.bitwise_count(hashes[left] ^ hashes[right]) <= distance
    return set(zip(hashes[left][near].tolist(), hashes[right][near].tolist(), strict=True))


@pytest.mark.parametrize("distance", range(1, 9))
def test_every_pair_within_the_distance_is_found_and_none_beyond(distance: int) -> None:
    rng = np.random.default_rng(distance)
    base = rng.integers(0, 1 << 64, 700, np.uint64)
    planted = [flipped(base[:60], bits, rng) for bits in range(11)]
    hashes = np.unique(np.concatenate((base, *planted)))
    expected = all_pairs(hashes, distance)
    assert len(expected) >= 60 * distance
    assert found_pairs(hashes, distance) == expected


def test_at_distance_nothing_but_equal_hashes_are_alike_and_these_are_one() -> None:
    hashes = np.unique(np.random.default_rng(0).integers(0, 1 << 64, 500, np.uint64))
    assert found_pairs(hashes, 0) == set()
    assert found_pairs(np.concatenate((hashes, hashes)), 0) == set()


@pytest.mark.parametrize("distance", [1, 2, 4, 8])
def test_hashes_that_share_their_keys_with_hundreds_are_still_connected(distance: int) -> None:
    bits = [1 << bit for bit in range(64)]
    center = int(np.random.default_rng(0).integers(0, 1 << 64, 1, np.uint64)[0])
    turned = [0, *bits, *(one | other for one, other in combinations(bits, 2))]
    cloud = np.array([center ^ mask for mask in turned], np.uint64)
    pairs = found_pairs(cloud, distance)
    assert all(a < b and (a ^ b).bit_count() <= distance for a, b in pairs)
    graph = nx.Graph(list(pairs))
    assert len(graph) == len(cloud)
    assert nx.is_connected(graph)


def test_keys_of_a_pair_of_blocks_are_not_those_of_another() -> None:
    keys = block_keys(np.zeros(1, np.uint64), 4)
    assert keys.shape == (1, 15)
    assert len(np.unique(keys)) == 15


def test_distances_and_the_nearest_of_a_list() -> None:
    hashes = np.array([0, 1, (1 << 64) - 1, 0xFF], np.uint64)
    assert distances(hashes, hashes[::-1]).tolist() == [8, 63, 63, 8]
    assert nearest(hashes, np.array([0, 3], np.uint64)).tolist() == [0, 1, 62, 6]
    assert nearest(hashes, np.zeros(0, np.uint64)).tolist() == [65] * 4
    assert nearest(hashes[:0], hashes).tolist() == []
    assert alike(hashes[:0], hashes[:0], 4)[0].tolist() == []
