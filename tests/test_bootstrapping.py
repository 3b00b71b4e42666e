"""A round is accepted where the choice of pairs was a gain, and only there; it says over what it was none."""

import math
from dataclasses import replace

import numpy as np
import pytest

from filters.adapters import Adapter, Tower, unit
from filters.alignment_auc import Areas, auc
from filters.bootstrapping import Rival, Run, Sample, Scorer, folds_of, judged, no_worse, run_seed, scores_of, too_few
from filters.bootstrapping import top_rows as top
from tests.planted_pairs import Planted, plant

NOISY_AND_STRONG = {"pages": 1200, "blur": 0.5, "noise": 0.5}
LARGE_AND_WEAK = {"pages": 1500, "blur": 1.0, "noise": 0.3}


def runs_on(corpus: Planted, seeds: int = 4) -> list[Run]:
    return [run_seed(corpus.sample(seeds), None, 0.5, seed) for seed in range(seeds)]


def a_run(**areas: float | None) -> Run:
    identity = Tower.identity(np.zeros(4, np.float32), np.random.default_rng(0))
    return Run({name: Areas(None, area) for name, area in areas.items()}, Adapter(identity, identity))


def some_runs(top: list[float], before: float = 0.6, random: float = 0.6, everything: float = 0.6) -> list[Run]:
    return [a_run(top=area, before=before, random=random, everything=everything) for area in top]


def test_where_noise_harms_and_the_scorer_knows_it_the_choice_is_a_gain_over_all_three() -> None:
    found = judged(runs_on(plant(**NOISY_AND_STRONG)))  # type: ignore[arg-type]
    assert found.failed == []
    assert all(gain.mean > gain.spread > 0 for gain in found.gains.values())


def test_where_adapting_is_all_the_gain_a_round_fails_by_everything_and_not_by_what_was_before() -> None:
    found = judged(runs_on(plant(**LARGE_AND_WEAK), seeds=3))  # type: ignore[arg-type]
    assert Rival.EVERYTHING in found.failed
    assert Rival.BEFORE not in found.failed


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
        before, controls = Areas(0.5, 0.9), Areas(0.4, 0.8)
        areas = {"top": Areas(page, shuffled), "before": before, "random": controls, "everything": controls}
        return Run(areas, a_run().adapter)

    lost = judged([run(0.8, 0.85), run(0.81, 0.851), run(0.8, 0.852)])
    assert (lost.failed, lost.lost) == ([], ["shuffled"])
    assert judged([run(0.8, 0.89), run(0.81, 0.90), run(0.8, 0.91)]).lost == []


def test_what_cannot_be_measured_is_no_gain() -> None:
    runs = [*some_runs([0.7, 0.8]), a_run(top=None, before=0.6, random=0.6, everything=0.6)]
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
    assert all((a == b).all() for a, b in zip(first.adapter.flat(), again.adapter.flat(), strict=True))


def test_the_top_slice_is_that_share_of_the_highest_scores() -> None:
    scores, rows = np.array([5, 1, 4, 4, 4, 9], np.float32), np.array([0, 1, 2, 3, 4])
    assert top(scores, rows, 0.4).tolist() == [0, 2]
    assert top(scores, rows, 0.41).tolist() == [0, 2, 3]
    assert top(scores, rows, 0.01).tolist() == [0]


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


def test_a_page_is_scored_by_the_adapter_that_has_not_seen_it() -> None:
    corpus = plant(pages=1200, blur=0.5, noise=0.5)
    sample, found = corpus.sample(4), runs_on(corpus)
    adapters = [run.adapter for run in found]
    scorer = Scorer(adapters, kept=2)
    scores = scores_of(sample, scorer)
    for fold in (-1, 0, 1, 2, 3):
        rows = np.flatnonzero(sample.folds == fold)
        own = adapters[fold if fold >= 0 else 2].cosines(corpus.images[rows], corpus.texts[rows])
        assert (scores[rows] == own).all()
    by_heart = adapters[2].cosines(corpus.images, corpus.texts)
    seen = sample.folds >= 0
    before, unseen, learnt = (
        auc(of[seen & corpus.clean], of[seen & ~corpus.clean]) or 0 for of in (corpus.scores, scores, by_heart)
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
