"""A round is accepted where the choice of pairs was a gain, and only there; it says over what it was none."""

import math
from dataclasses import replace

import numpy as np
import pytest

from filters.adapters import Adapter, Tower
from filters.alignment_auc import Areas, auc
from filters.bootstrapping import (
    PASSES,
    Rival,
    Run,
    Sample,
    Scorer,
    folds_of,
    judged,
    no_worse,
    run_seed,
    scorer_of,
    scores_of,
    too_few,
    top_rows,
)
from filters.embeddings import unit
from tests.planted_pairs import Planted, plant

TOP = 0.68


def helped() -> Planted:
    return plant(pages=900, blur=0.3, noise=0.3, width=256)


def runs_on(corpus: Planted, seeds: int = 4) -> list[Run]:
    return [run_seed(corpus.sample(seeds), None, TOP, seed) for seed in range(seeds)]


@pytest.fixture(scope="module")
def helped_runs() -> list[Run]:
    return runs_on(helped())


def an_adapter() -> Adapter:
    identity = Tower.identity(np.zeros(4, np.float32), np.random.default_rng(0))
    return Adapter(identity, identity)


def a_run(before: float, **areas: float | None) -> Run:
    """One in which all trainings of a slice came to the same."""
    some = {name: [Areas(None, area)] * len(PASSES) for name, area in areas.items()}
    return Run(Areas(None, before), some, [an_adapter()] * len(PASSES))


def some_runs(top: list[float], before: float = 0.6, random: float = 0.6, everything: float = 0.6) -> list[Run]:
    return [a_run(before, top=area, random=random, everything=everything) for area in top]


def test_where_noise_harms_and_the_scorer_knows_it_the_choice_is_a_gain_over_all_three(helped_runs: list[Run]) -> None:
    found = judged(helped_runs)
    assert found.failed == found.lost == []
    assert all(gain.mean > gain.spread > 0 for gain in found.gains.values())


def test_where_adapting_is_all_the_gain_a_round_fails_by_everything_and_not_by_what_was_before() -> None:
    found = judged(runs_on(plant(pages=900, blur=1.0, noise=0.3), seeds=3))
    assert Rival.EVERYTHING in found.failed
    assert Rival.BEFORE not in found.failed


def test_each_slice_counts_by_the_training_that_was_best_for_it() -> None:
    def run(shift: float) -> Run:
        areas = {"top": (0.6, 0.7, 0.8), "random": (0.7, 0.6, 0.5), "everything": (0.6, 0.75, 0.6)}
        each = {name: [Areas(None, area + shift) for area in some] for name, some in areas.items()}
        return Run(Areas(None, 0.6 + shift), each, [an_adapter() for _ in PASSES])

    runs = [run(0.0), run(0.01)]
    found = judged(runs)
    assert found.best == {"top": 2, "random": 0, "everything": 1}
    assert {rival: round(gain.mean, 6) for rival, gain in found.gains.items()} == {
        "before": 0.2, "random": 0.1, "everything": 0.05,
    }  # fmt: skip
    assert [*scorer_of(runs, found).adapters] == [run.adapters[2] for run in runs]


def test_a_gain_within_the_spread_is_none() -> None:
    assert judged(some_runs([0.70, 0.71, 0.72, 0.71])).failed == []
    assert judged(some_runs([0.60, 0.71, 0.52, 0.70])).failed == [*Rival]
    assert judged(some_runs([0.70, 0.71, 0.72], everything=0.72)).failed == [Rival.EVERYTHING]
    assert judged(some_runs([0.70, 0.71, 0.72], random=0.705, before=0.9)).failed == [Rival.BEFORE, Rival.RANDOM]


def test_the_spread_is_the_quantile_of_t_times_the_deviation_of_one_seed() -> None:
    found = judged(some_runs([0.70, 0.72, 0.74])).gains[Rival.BEFORE]
    assert found.mean == pytest.approx(0.12)
    assert found.spread == pytest.approx(2.920 * 0.02)


def test_a_gain_that_costs_more_than_noise_against_other_negatives_is_said_to_lose_there() -> None:
    def run(page: float, shuffled: float) -> Run:
        areas = {"top": Areas(page, shuffled), "random": Areas(0.4, 0.8), "everything": Areas(0.4, 0.8)}
        each = {name: [area] * len(PASSES) for name, area in areas.items()}
        return Run(Areas(0.5, 0.9), each, [an_adapter()] * len(PASSES))

    lost = judged([run(0.8, 0.85), run(0.81, 0.851), run(0.8, 0.852)])
    assert (lost.failed, lost.lost) == ([], ["shuffled"])
    assert judged([run(0.8, 0.89), run(0.81, 0.90), run(0.8, 0.91)]).lost == []


def test_what_cannot_be_measured_is_no_gain() -> None:
    runs = [*some_runs([0.7, 0.8]), a_run(0.6, top=None, random=0.6, everything=0.6)]
    assert judged(runs).failed == [*Rival]
    assert math.isnan(judged(runs).gains[Rival.RANDOM].mean)


def test_the_adapter_that_goes_on_is_that_of_the_median_seed() -> None:
    assert judged(some_runs([0.9, 0.7, 0.8, 0.6, 0.85])).median == 2
    assert judged(some_runs([0.9, 0.7])).median == 1


def test_a_seed_is_the_same_whenever_it_is_run() -> None:
    corpus = plant(pages=150, blur=0.8, noise=0.3)
    first, again, other = (run_seed(corpus.sample(), None, 0.5, seed) for seed in (3, 3, 4))
    assert first.areas == again.areas
    assert first.areas != other.areas
    assert len(first.adapters) == len(PASSES)
    for one, two in zip(first.adapters, again.adapters, strict=True):
        assert all((a == b).all() for a, b in zip(one.flat(), two.flat(), strict=True))


def test_the_top_slice_is_that_share_of_the_highest_scores() -> None:
    scores, rows = np.array([5, 1, 4, 4, 4, 9], np.float32), np.array([0, 1, 2, 3, 4])
    assert top_rows(scores, rows, 0.4).tolist() == [0, 2]
    assert top_rows(scores, rows, 0.41).tolist() == [0, 2, 3]
    assert top_rows(scores, rows, 0.01).tolist() == [0]


def test_what_training_pages_show_too_is_not_measured_on() -> None:
    sample = plant(pages=60, blur=1, noise=0).sample()
    held, training = np.flatnonzero(sample.folds < 0), sample.training
    assert set(sample.measured) == set(held)
    text_ids, image_ids = sample.pairs.text_ids.copy(), sample.pairs.image_ids.copy()
    text_ids[held[0]], image_ids[held[1]] = text_ids[training[0]], image_ids[training[1]]
    again = Sample(replace(sample.pairs, text_ids=text_ids, image_ids=image_ids), sample.folds)
    assert set(again.measured) == set(held[2:])


def test_a_third_of_the_pages_is_held_out_and_the_others_are_in_folds_by_their_hashes() -> None:
    hashes = np.random.default_rng(0).integers(0, 2**63, 9000).astype(np.uint64)
    folds = folds_of(hashes, 4)
    assert all(1350 < count < 1650 for count in np.bincount(folds[folds >= 0]))
    assert 2850 < np.count_nonzero(folds < 0) < 3150
    assert (folds_of(hashes[::-1], 4) == folds[::-1]).all()
    assert (folds_of(hashes, 7) < 0).tolist() == (folds < 0).tolist()


def test_a_page_is_scored_by_the_adapter_that_has_not_seen_it(helped_runs: list[Run]) -> None:
    corpus = helped()
    sample, scorer = corpus.sample(4), Scorer([run.adapters[-1] for run in helped_runs], kept=2)
    scores = scores_of(sample, scorer)
    for fold in (-1, 0, 1, 2, 3):
        rows = np.flatnonzero(sample.folds == fold)
        own = scorer.adapters[fold if fold >= 0 else 2].cosines(corpus.images[rows], corpus.texts[rows])
        assert (scores[rows] == own).all()


def test_what_an_adapter_was_trained_on_it_knows_by_heart_and_so_does_not_score() -> None:
    corpus = plant(pages=1200, blur=0.5, noise=0.5)
    sample = corpus.sample(2)
    scorer = Scorer([run_seed(sample, None, 0.5, seed).adapters[-1] for seed in range(2)], kept=0)
    by_heart, seen = scorer.adapters[0].cosines(corpus.images, corpus.texts), sample.folds == 1
    before, unseen, learnt = (
        auc(of[seen & corpus.clean], of[seen & ~corpus.clean]) or 0
        for of in (corpus.scores, scores_of(sample, scorer), by_heart)
    )
    assert learnt < before < unseen


def test_a_sample_can_be_too_small() -> None:
    assert too_few(plant(pages=20, blur=1, noise=0).sample(), 0.5)
    assert too_few(plant(pages=300, blur=1, noise=0).sample(), 0.01)
    assert not too_few(plant(pages=300, blur=1, noise=0).sample(), 0.5)
    assert too_few(plant(pages=0, blur=1, noise=0).sample(), 0.5)
    enough = plant(pages=300, blur=1, noise=0).sample()
    assert too_few(Sample(enough.pairs, np.minimum(enough.folds, 0)), 0.5), "all pages are in the fold left out"


def test_an_adapter_that_is_worse_over_all_held_out_pairs_is_found_out() -> None:
    sample = plant(pages=200, blur=0.5, noise=0).sample()
    rng = np.random.default_rng(0)
    towers = [Tower.identity(np.zeros(128, np.float32), rng) for _ in range(2)]
    noise = [replace(t, up=rng.standard_normal(t.up.shape, np.float32)) for t in towers]
    assert not no_worse(sample, Scorer([Adapter(*noise)], 0), None)
    assert no_worse(sample, Scorer([Adapter(*towers)], 0), None)


def test_scores_are_cosines_of_the_embeddings() -> None:
    corpus = plant(pages=50, blur=1, noise=0.3)
    np.testing.assert_allclose(scores_of(corpus.sample(), None), corpus.scores, atol=1e-5)
    rng = np.random.default_rng(0)
    identity = Adapter(*(Tower.identity(np.zeros(128, np.float32), rng) for _ in range(2)))
    found = scores_of(corpus.sample(1), Scorer([identity], 0))
    images, texts = (unit(some) for some in (corpus.images, corpus.texts))
    np.testing.assert_allclose(found, np.einsum("ij,ij->i", images, texts), atol=1e-5)
