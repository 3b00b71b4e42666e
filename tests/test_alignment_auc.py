"""Areas under the ROC curve are what their definitions say, with ties, and the same negatives hold for every scorer."""

from itertools import product
from typing import Any

import numpy as np
import pytest

from filters.adapter_training import Pairs
from filters.alignment_auc import Areas, auc, scored, shuffled_partners
from filters.embeddings import unit


def some_pairs(pages: list[int], seed: int = 0, text_ids: Any = None, image_ids: Any = None) -> Pairs:
    rng, count = np.random.default_rng(seed), len(pages)
    images, texts = (unit(rng.standard_normal((count, 8))) for _ in range(2))
    numbers = np.arange(count)
    return Pairs(
        images, texts, np.array(pages), numbers if image_ids is None else np.array(image_ids),
        numbers if text_ids is None else np.array(text_ids),
    )  # fmt: skip


def test_an_area_is_the_share_of_comparisons_that_are_won_with_ties_as_halves() -> None:
    rng = np.random.default_rng(0)
    positives, negatives = (rng.integers(0, 6, size).astype(np.float32) for size in (17, 23))
    won = [1.0 if p > n else 0.5 if p == n else 0.0 for p, n in product(positives, negatives)]
    assert auc(positives, negatives) == pytest.approx(sum(won) / len(won))
    assert auc(positives, positives) == 0.5


def test_what_cannot_be_compared_has_no_area() -> None:
    one, none, nan = np.ones(1, np.float32), np.ones(0, np.float32), np.full(1, np.nan, np.float32)
    assert [auc(one, none), auc(none, one), auc(one, nan), auc(nan, one)] == [None] * 4
    assert auc(2 * one, np.concatenate((one, nan))) == 1.0
    assert Areas(None, 0.75).both == 0.75
    assert Areas(0.5, 0.75).both == 0.625
    assert Areas(None, None).both is None


def test_the_hardest_negative_of_a_page_is_the_highest_of_its_other_texts_and_images() -> None:
    pages = [4, 1, 1, 4, 9, 1, 4]
    pairs = some_pairs(pages)
    found = scored(pairs, None, shuffled_partners(pairs, np.random.default_rng(0)))
    cosines = pairs.images @ pairs.texts.T
    for i, page in enumerate(pages):
        others = [j for j, other in enumerate(pages) if other == page and j != i]
        hardest = max((max(cosines[i, j], cosines[j, i]) for j in others), default=np.nan)
        assert found.page[i] == pytest.approx(hardest, abs=1e-6, nan_ok=True)
        assert found.own[i] == pytest.approx(cosines[i, i], abs=1e-6)


def test_a_text_or_a_picture_that_a_page_shows_twice_is_no_negative() -> None:
    pairs = some_pairs([0, 0, 1, 1], text_ids=[5, 5, 6, 7], image_ids=[1, 2, 3, 3])
    assert np.isnan(scored(pairs, None, np.zeros((4, 4), np.int64)).page).all()


def test_shuffled_negatives_are_texts_of_other_pages_and_the_seeds_own() -> None:
    pairs = some_pairs([n // 3 for n in range(60)], text_ids=[n % 7 for n in range(60)])
    partners = shuffled_partners(pairs, np.random.default_rng(1))
    rows, draws = np.nonzero(partners >= 0)
    drawn = partners[rows, draws]
    assert len(drawn) > 150
    assert (pairs.pages[rows] != pairs.pages[drawn]).all()
    assert (pairs.text_ids[rows] != pairs.text_ids[drawn]).all()
    assert (partners == shuffled_partners(pairs, np.random.default_rng(1))).all()
    assert (partners != shuffled_partners(pairs, np.random.default_rng(2))).any()


def test_pages_may_count_more_than_once() -> None:
    pairs = some_pairs([0, 0, 1, 1])
    found = scored(pairs, None, np.array([[2], [3], [0], [1]]))
    once, twice = found.areas(np.array([0, 1])), found.areas(np.array([0, 0, 1, 1]))
    assert once == twice
    assert found.areas(np.array([], np.int64)) == Areas(None, None)
