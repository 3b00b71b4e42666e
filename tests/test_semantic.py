"""Clusters of embeddings and the nearest better row, against plain loops."""

import numpy as np
import pytest

from filters.embeddings import Floats, unit
from filters.semantic import centres_of, nearest_better, nearest_centres


def drawn(count: int, width: int = 32, seed: int = 0) -> Floats:
    return unit(np.random.default_rng(seed).normal(size=(count, width)))


def around(centres: Floats, each: int, spread: float, seed: int = 1) -> tuple[Floats, list[int]]:
    rng = np.random.default_rng(seed)
    owner = rng.permutation(np.repeat(np.arange(len(centres)), each))
    noise = rng.normal(size=(len(owner), centres.shape[1])) * spread / np.sqrt(centres.shape[1])
    return unit(centres[owner] + noise), owner.tolist()


@pytest.mark.parametrize("count", [0, 1, 2, 700, 2500])
def test_of_every_row_the_nearest_before_it_is_found(count: int) -> None:
    rows = drawn(count)
    similarity, nearest = nearest_better(rows)
    assert len(similarity) == len(nearest) == count
    for row in range(count):
        if row == 0:
            assert np.isnan(similarity[0]) and nearest[0] == -1
            continue
        cosines = rows[:row] @ rows[row]
        assert similarity[row] == pytest.approx(cosines.max(), abs=1e-4)
        assert cosines[nearest[row]] == pytest.approx(cosines.max(), abs=1e-4)


def test_of_equal_rows_the_first_is_the_nearest_and_no_cosine_is_above_one() -> None:
    rows = np.repeat(drawn(1), 1500, axis=0)
    similarity, nearest = nearest_better(rows)
    assert (nearest[1:] == 0).all()
    assert (similarity[1:] == 1).all()


def test_whatever_the_bound_no_two_that_stay_are_nearer_than_it() -> None:
    rows, _ = around(drawn(40), 15, 0.3)
    similarity, _ = nearest_better(rows)
    for bound in (0.5, 0.8, 0.9, 0.95):
        kept = rows[~(similarity > bound)]
        cosines = kept @ kept.T - 2 * np.eye(len(kept))
        assert cosines.max() <= bound + 1e-4
        assert len(kept) < len(rows)


def test_clusters_that_are_there_are_found() -> None:
    rows, owner = around(drawn(12, seed=5), 80, 0.3)
    centres = centres_of(rows, 40)
    nearest = nearest_centres(rows, centres)
    owners_of = [set(np.array(owner)[nearest == cluster].tolist()) for cluster in range(40)]
    assert max(map(len, owners_of)) == 1, "no cluster holds rows of two planted ones"
    assert len({owner for some in owners_of for owner in some}) == 12


def test_more_centres_than_distinct_rows_are_no_error() -> None:
    rows = np.repeat(drawn(2), 5, axis=0)
    nearest = nearest_centres(rows, centres_of(rows, 8))
    assert len(set(nearest[:5].tolist())) == len(set(nearest[5:].tolist())) == 1
    assert nearest[0] != nearest[9]
