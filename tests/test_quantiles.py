"""Sketches: the same to the bit however they are merged, and as near to the true quantile as they say."""

import math
import random
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.quantiles import CAPACITY, Sketch, count_from, count_to, from_edges, merged, sketch, top_threshold

Floats = npt.NDArray[np.float64]
SHARES = (0.01, 0.1, 0.3, 0.5, 0.7, 0.999, 1.0)


def as_bytes(held: Sketch) -> tuple[int, bytes, bytes]:
    return held.level, held.keys.tobytes(), held.counts.tobytes()


def kth_largest(values: Floats, share: float) -> float:
    """By sorting all of them; the share as the decimal that it was written as."""
    per_mille = round(share * 1000)
    return float(np.sort(values)[::-1][max(-(-per_mille * len(values) // 1000), 1) - 1])


def _some(seed: int, size: int) -> dict[str, Floats]:
    rng = np.random.default_rng(seed)
    return {
        "uniform": rng.random(size),
        "cosines": rng.normal(0.24, 0.06, size).astype(np.float32).astype(np.float64),
        "around zero": rng.normal(0, 1, size),
        "log-normal": rng.lognormal(8, 3, size),
        "negative": -rng.exponential(5, size),
        "pixels": rng.integers(1, 6000, size).astype(np.float64),
        "near one": 1 - rng.exponential(0.01, size).clip(0, 1),
        "mostly zero": np.where(rng.random(size) < 0.9, 0.0, rng.random(size)),
    }


DISTRIBUTIONS = tuple(_some(0, 1))


@pytest.mark.parametrize("name", DISTRIBUTIONS)
@pytest.mark.parametrize("capacity", [1, 7, 100, 5000])
def test_parts_merged_in_any_order_and_grouping_are_the_sketch_of_the_whole(name: str, capacity: int) -> None:
    values, rng = _some(3, 20_000)[name], random.Random(5)
    whole = as_bytes(sketch(values, capacity))
    for parts in (2, 3, 17):
        owner = np.random.default_rng(parts).integers(0, parts, len(values))
        pieces = [sketch(values[owner == part], capacity) for part in range(parts)]
        assert as_bytes(merged(pieces, capacity)) == whole
        while len(pieces) > 1:  # a random tree, as a runner's combiner might build it
            rng.shuffle(pieces)
            pieces = [merged(pieces[:2], capacity), *pieces[2:]]
        assert as_bytes(pieces[0]) == whole


@given(st.lists(st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=30), max_size=8), st.integers(1, 40))
def test_any_doubles_at_all_merge_to_the_sketch_of_the_whole(parts: list[list[float]], capacity: int) -> None:
    pieces = [sketch(np.array(part, np.float64), capacity) for part in parts]
    everything = np.array([value for part in parts for value in part], np.float64)
    assert as_bytes(merged(pieces[::-1], capacity)) == as_bytes(sketch(everything, capacity))
    assert merged(pieces, capacity).total == int(np.isfinite(everything).sum())


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_few_distinct_values_give_the_exact_quantile(name: str, share: float) -> None:
    values = _some(11, 30_001)[name]
    held = sketch(values)
    assert held.level == 0 and top_threshold(held, share) == kth_largest(values, share)


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_many_distinct_values_give_it_to_one_part_in_a_thousand(name: str, share: float) -> None:
    values = _some(12, 400_000)[name]
    found, true = top_threshold(sketch(values), share), kth_largest(values, share)
    assert found is not None and found <= true and true - found <= abs(true) / 1000
    kept = int((values >= found).sum())
    assert kept >= round(share * 1000) * len(values) / 1000, "never fewer than asked for"
    ties = int((values == true).sum())
    assert kept <= share * len(values) + ties + 0.002 * len(values)


def test_values_that_a_full_sketch_cannot_tell_apart_are_all_kept() -> None:
    spread = np.geomspace(1e-300, 1e300, 2 * CAPACITY)
    cluster = 5.0 + np.arange(1000) * 2.0**-50
    found = top_threshold(sketch(np.concatenate([spread, cluster])), 0.3)
    assert found is not None
    assert np.isin((cluster >= found).sum(), [0, 1000])


def test_ties_at_the_threshold_are_kept_and_share_one_keeps_everything() -> None:
    values = np.array([1.0, 2.0, 2.0, 2.0, 3.0])
    assert [top_threshold(sketch(values), share) for share in (0.2, 0.21, 0.4, 0.8, 0.81, 1.0)] == [3, 2, 2, 2, 1, 1]
    assert top_threshold(sketch(np.full(1000, 0.25)), 0.001) == 0.25


@pytest.mark.parametrize(("share", "of", "kept"), [(0.1, 30, 3), (0.7, 10, 7), (0.29, 100, 29), (0.001, 5, 1)])
def test_a_share_is_the_decimal_that_it_is_written_as(share: float, of: int, kept: int) -> None:
    values = np.arange(of, dtype=np.float64)
    found = top_threshold(sketch(values), share)
    assert found is not None and int((values >= found).sum()) == kept


def test_signs_and_zeros_are_in_the_order_of_numbers() -> None:
    values = np.array([0.0, -0.0, -1.5, 5e-324, -5e-324, 2.0, -3.0])
    held = sketch(values)
    assert held.edges.tolist() == [-3.0, -1.5, -5e-324, 0.0, 5e-324, 2.0]
    assert held.counts.tolist() == [1, 1, 1, 2, 1, 1]


@pytest.mark.parametrize("capacity", [1, 2, 50, CAPACITY])
def test_what_is_not_finite_is_left_out_and_never_comes_out(capacity: int) -> None:
    largest = np.finfo(np.float64).max
    values = np.array([math.inf, -math.inf, math.nan, largest, -largest, 5e-324, -5e-324, *np.geomspace(1e-300, 1e300)])
    held = sketch(values, capacity)
    assert held.total == len(values) - 3
    assert np.isfinite(held.edges).all() and np.isfinite(held.ends).all()
    assert all(math.isfinite(top_threshold(held, share) or 0.0) for share in SHARES)


@pytest.mark.parametrize("nothing", [[], [math.nan, math.inf]])
def test_of_nothing_there_is_no_threshold(nothing: Sequence[float]) -> None:
    held = merged([sketch(np.array(nothing, np.float64)), merged(())])
    assert (top_threshold(held, 0.5), held.total, count_from(held, 0), count_to(held, 0)) == (None, 0, 0, 0)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_counts_from_and_to_a_bound_are_those_of_the_values(name: str) -> None:
    values = _some(13, 5000)[name]
    exact, coarse = sketch(values), sketch(values, 64)
    for bound in np.quantile(values, [0, 0.1, 0.5, 0.9, 1]).tolist():
        assert count_from(exact, bound) == (values >= bound).sum()
        assert count_to(exact, bound) == (values <= bound).sum()
        assert count_from(coarse, bound) >= (values >= bound).sum()
    for edge, end in zip(coarse.edges.tolist(), coarse.ends.tolist(), strict=True):
        assert count_from(coarse, edge) == (values >= edge).sum()
        assert count_to(coarse, end) == (values <= end).sum()


def test_a_sketch_is_the_same_after_it_was_stored_as_numbers() -> None:
    for capacity in (CAPACITY, 64):
        held = sketch(_some(14, 5000)["around zero"], capacity)
        assert as_bytes(from_edges(held.level, held.edges, held.counts)) == as_bytes(held)
