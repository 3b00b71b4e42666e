"""MinHash: how often pairs of known similarity agree in a band, and how close similarities of sketches come."""

import math

import numpy as np
import pytest

from filters import minhash
from filters.minhash import SKETCH, bands_of, recall, similarities, sketch
from filters.word_hashes import Hashes, Words, mixed
from schemas.recipe import NearSettings

DEFAULT = NearSettings()


def pair_of(jaccard: float, size: int, seed: int) -> tuple[Hashes, Hashes]:
    """Two sets of about `size` n-grams whose similarity is that, up to rounding."""
    union = mixed(np.arange(size, dtype=np.uint64) + np.uint64(seed * 1_000_003))
    common = round(jaccard * size)
    middle = common + (size - common) // 2
    return union[:middle], np.concatenate((union[:common], union[middle:]))


def words_of_sets(sets: list[Hashes]) -> Words:
    return Words(np.concatenate(sets), np.array([len(some) for some in sets], np.int64))


@pytest.mark.parametrize("settings", [DEFAULT, NearSettings(permutations=128, bands=32)])
@pytest.mark.parametrize("similarity", [0.5, 0.6, 0.7, 0.8, 0.9])
def test_pairs_agree_in_a_band_as_often_as_recall_says(similarity: float, settings: NearSettings) -> None:
    pairs, size = 1500, 200
    sets = [some for seed in range(pairs) for some in pair_of(similarity, size, seed)]
    bands, which = bands_of(words_of_sets(sets), settings)
    assert bands.shape == (2 * pairs, settings.bands)
    assert which.tolist() == list(range(2 * pairs))
    share = float((bands[::2] == bands[1::2]).any(axis=1).mean())
    expected = recall(similarity, settings)
    error = math.sqrt(expected * (1 - expected) / pairs)
    assert abs(share - expected) < 4 * error + 0.004


def test_recall_is_what_the_recipe_says_of_it() -> None:
    assert recall(0.85, DEFAULT) == pytest.approx(0.998, abs=0.001)
    assert recall(0.8, DEFAULT) == pytest.approx(0.968, abs=0.001)
    assert (recall(0, DEFAULT), recall(1, DEFAULT)) == (0, 1)


def test_equal_sets_have_equal_bands_and_texts_without_ngrams_have_none() -> None:
    one, _ = pair_of(0.5, 50, 1)
    nothing = np.zeros(0, np.uint64)
    bands, which = bands_of(words_of_sets([nothing, one, nothing, np.repeat(one[::-1], 3)]), DEFAULT)
    assert which.tolist() == [1, 3]
    assert (bands[0] == bands[1]).all()
    assert len(np.unique(bands[0])) == DEFAULT.bands
    empty, which = bands_of(words_of_sets([nothing, nothing]), DEFAULT)
    assert empty.shape == (0, DEFAULT.bands)
    assert which.tolist() == []


def test_unlike_texts_agree_in_no_band() -> None:
    sets = [some for seed in range(500) for some in pair_of(0.0, 100, seed)]
    bands, _ = bands_of(words_of_sets(sets), DEFAULT)
    assert len(np.unique(bands)) == bands.size


@pytest.mark.parametrize("size", [1, 2, 5, 100, 900])
@pytest.mark.parametrize("jaccard", [0.0, 0.2, 0.8, 1.0])
def test_similarities_of_small_texts_are_exact(size: int, jaccard: float) -> None:
    one, other = pair_of(jaccard, size, 3)
    expected = len(np.intersect1d(one, other)) / len(np.union1d(one, other))
    assert similarities([sketch(one)], [sketch(other)]).tolist() == [expected]


@pytest.mark.parametrize("sizes", [(5000, 5000), (30_000, 30_000)])
@pytest.mark.parametrize("jaccard", [0.2, 0.5, 0.8, 0.95])
def test_similarities_of_long_texts_are_close(sizes: tuple[int, int], jaccard: float) -> None:
    pairs = [pair_of(jaccard, size, seed) for seed in range(10) for size in sizes]
    sketches = [[sketch(some) for some in side] for side in zip(*pairs, strict=True)]
    assert all(len(some) == SKETCH for side in sketches for some in side)
    found = similarities(*sketches)
    assert np.abs(found - jaccard).max() < 0.05
    assert abs(float(found.mean()) - jaccard) < 0.02


def test_a_short_text_and_a_long_one_that_holds_it_are_compared_as_they_are() -> None:
    long, _ = pair_of(1.0, 20_000, 5)
    found = similarities([sketch(long[:500]), sketch(long[:12_000])], [sketch(long), sketch(long)])
    assert found == pytest.approx([500 / 20_000, 0.6], abs=0.05)


def test_pairs_are_compared_alone_whatever_else_is_compared() -> None:
    pairs = [pair_of(seed / 20, 50 + seed * 200, seed) for seed in range(20)]
    left, right = ([sketch(some) for some in side] for side in zip(*pairs, strict=True))
    together = similarities(left, right).tolist()
    assert together == [similarities([a], [b]).tolist()[0] for a, b in zip(left, right, strict=True)]
    assert similarities([], []).tolist() == []
    assert similarities([sketch(np.zeros(0, np.uint64))] * 2, [left[0], sketch(np.zeros(0, np.uint64))]).tolist() == [
        0,
        0,
    ]


def test_the_version_of_signatures_names_what_they_are_made_by() -> None:
    assert minhash.signature_version().startswith("rensa-")


@pytest.mark.parametrize("settings", [NearSettings(), NearSettings(jaccard=0.5), NearSettings(jaccard=1.0)])
def test_texts_under_the_bound_hardly_ever_agree_in_enough_bands(settings: NearSettings) -> None:
    from scipy.stats import binom

    agree = settings.jaccard ** (settings.permutations // settings.bands)
    enough = minhash.enough_bands(settings)
    assert binom.sf(enough - 1, settings.bands, agree) <= 1e-6
    assert enough == 0 or binom.sf(enough - 2, settings.bands, agree) > 1e-6
