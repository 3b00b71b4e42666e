"""The bootstrap stage: rounds over a job's scores, what they leave, and that it is the same however the job is cut."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from filters.adapters import Adapter
from filters.alignment_auc import auc
from filters.bootstrapping import Sample, folds_of
from pipelines.bootstrap import sample
from pipelines.bootstrap.sample import Corpus, Keep, Offer, load, page_hashes
from pipelines.bootstrap.stage import Bootstrap
from pipelines.frame import ledger
from pipelines.frame.engines import local
from pipelines.frame.engines.beam import BeamEngine
from pipelines.frame.engines.local import LocalEngine
from pipelines.frame.exchange import exchange
from pipelines.frame.stage import Job
from schemas.recipe import Recipe
from schemas.statuses import StageName
from tests.planted_pairs import Planted, plant
from tests.scored_job import Row, a_scored_job, aligned, bootstrap, doc_id, rows_of, without_a_score, write_scores

SETTINGS = {"rounds": 1, "seeds": 4, "top": 0.68}
BEAM = "--runner=apache_beam.runners.portability.fn_api_runner.FnApiRunner"


def said(job: Job) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(job.workspace.read_text("bootstrap/rounds.json"))
    return report


def scores_of(rows: list[Row]) -> list[Any]:
    return [np.float32(row["clip_score"]) for row in rows if row["score_status"] == "ok"]


def helped_corpus() -> Planted:
    return plant(pages=900, blur=0.3, noise=0.25, seed=2, width=256)


def helped() -> list[Row]:
    return rows_of(helped_corpus())


def not_helped() -> list[Row]:
    return rows_of(plant(pages=120, blur=0.3, noise=0.1))


@pytest.fixture(scope="module")
def accepted(tmp_path_factory: pytest.TempPathFactory) -> Job:
    job = a_scored_job(tmp_path_factory.mktemp("accepted"), helped(), [100, 1500], SETTINGS)
    bootstrap(job)
    return job


def test_an_accepted_round_gives_every_pair_its_cosine_by_the_adapter(accepted: Job) -> None:
    report, corpus = said(accepted), helped_corpus()
    assert [(entry["round"], entry["accepted"], entry["failed"]) for entry in report["rounds"]] == [(1, True, [])]
    assert (report["scorer"], report["ended"]) == ("round 1", "all rounds were done")
    with np.load(Path(accepted.workspace.root) / "bootstrap" / "adapter.npz") as arrays:
        adapter = Adapter.from_flat([arrays[name].ravel() for name in arrays.files])
    found = aligned(accepted)
    assert [(row["doc_id"], row["position"]) for row in found] == [
        (row["doc_id"], row["position"]) for row in rows_of(corpus)
    ]
    values = np.array([row["alignment"] for row in found], np.float32)
    held_out = folds_of(page_hashes([row["doc_id"] for row in found]), 4) < 0
    by_it = adapter.cosines(corpus.images, corpus.texts)
    np.testing.assert_array_equal(values[held_out], by_it[held_out])
    assert np.mean(values[~held_out] == by_it[~held_out]) == pytest.approx(0.25, abs=0.05)  # others have not seen them


def test_what_was_accepted_tells_clean_pairs_from_swapped_ones_better_than_the_score_did(accepted: Job) -> None:
    corpus = helped_corpus()
    after = np.array([row["alignment"] for row in aligned(accepted)], np.float32)
    before, now = (auc(of[corpus.clean], of[~corpus.clean]) for of in (corpus.scores, after))
    assert before is not None
    assert now is not None
    assert now > before


def test_every_figure_of_a_round_is_written_down(accepted: Job) -> None:
    report = said(accepted)
    (entry,) = report["rounds"]
    assert set(entry["gains"]) == {"before", "random", "everything"}
    trainings = {name: [len(run) for run in runs] for name, runs in entry["areas"].items()}
    assert trainings == {"before": [1] * 4, "top": [3] * 4, "random": [3] * 4, "everything": [3] * 4}
    best = report["tried_passes"].index(entry["passes"]["top"])
    top = np.mean([run[best]["both"] for run in entry["areas"]["top"]])
    before = np.mean([run[0]["both"] for run in entry["areas"]["before"]])
    assert entry["gains"]["before"]["mean"] == pytest.approx(top - before, abs=1e-5)
    assert report["sample"]["pairs"] == 2700
    assert report["sample"]["training_pairs"] + report["sample"]["held_out_pairs"] == 2700


def test_a_round_that_is_no_gain_keeps_the_score_and_says_over_what_it_was_none(tmp_path: Path) -> None:
    rows = not_helped()
    job = a_scored_job(tmp_path, rows)
    bootstrap(job)
    report = said(job)
    (entry,) = report["rounds"]
    assert not entry["accepted"]
    assert entry["failed"]
    assert report["ended"] == f"round 1 was no gain over: {', '.join(entry['failed'])}"
    assert report["scorer"] == "frozen"
    assert [np.float32(row["alignment"]) for row in aligned(job)] == scores_of(rows)
    assert job.workspace.list("bootstrap") == ["bootstrap/rounds.json"]


@pytest.mark.parametrize("count", [0, 1, 30])
def test_too_few_pairs_are_no_round_and_no_error(tmp_path: Path, count: int) -> None:
    rows = rows_of(plant(pages=count, blur=1, noise=0))
    job = a_scored_job(tmp_path, rows, [len(rows)])
    bootstrap(job)
    assert said(job)["rounds"] == []
    assert said(job)["ended"] == "too few pairs"
    assert [np.float32(row["alignment"]) for row in aligned(job)] == scores_of(rows)


def test_rows_that_cannot_be_used_are_counted_and_left_out_of_the_sample(accepted: Job, tmp_path: Path) -> None:
    rows, broken = helped(), 40
    for number in range(broken):  # a text of another page's words each, so that rows stay as they are
        row = dict(rows[number])
        row["position"] += 100_000
        embedding = row["image_embedding"].copy()
        embedding[3] = np.nan
        row["image_embedding"] = (embedding, None, embedding[:0], embedding[:7])[number % 4]
        rows.append(row)
    rows += [without_a_score(3), without_a_score(4, "no_text"), without_a_score(5_000)]
    job = a_scored_job(tmp_path, rows, [700], SETTINGS)
    bootstrap(job)
    assert said(job) == said(accepted)
    found = aligned(job)
    assert len(found) == len(rows) - 3
    assert [row["alignment"] for row in found[-broken:]] == [None] * broken
    assert found[:-broken] == aligned(accepted)
    tallies = [record.tallies["pairs"] for record in ledger.read_all(job.workspace, StageName.BOOTSTRAP).values()]
    assert [sum(of) for of in zip(*((t.taken, t.out) for t in tallies), strict=True)] == [2740, 2700]
    assert sum(t.reasons.get("not_finite", 0) for t in tallies) == broken


def test_scores_that_are_no_numbers_are_no_pairs(tmp_path: Path) -> None:
    rows = [{**row, "clip_score": float("nan")} for row in not_helped()]
    job = a_scored_job(tmp_path, rows)
    bootstrap(job)
    assert said(job)["sample"]["pairs"] == 0
    assert {row["alignment"] for row in aligned(job)} == {None}


def test_workers_engines_and_slices_make_no_difference(
    accepted: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = a_scored_job(tmp_path / "one", helped(), [], SETTINGS)
    bootstrap(other)
    beam = a_scored_job(tmp_path / "beam", helped(), [100, 1500], SETTINGS)
    bootstrap(beam, BeamEngine([BEAM]))
    monkeypatch.setattr(local, "BUCKET_BYTES", 0)  # nothing is done in this process
    monkeypatch.setattr(local, "_FEW", 0)
    two = a_scored_job(tmp_path / "two", helped(), [100, 1500], SETTINGS)
    bootstrap(two, LocalEngine(2))
    assert aligned(other) == aligned(accepted)
    for job in (two, beam):
        for name in (*accepted.workspace.list("alignment"), *accepted.workspace.list("bootstrap")):
            assert (Path(job.workspace.root) / name).read_bytes() == (Path(accepted.workspace.root) / name).read_bytes()
    for name in accepted.workspace.list("bootstrap"):
        assert (Path(other.workspace.root) / name).read_bytes() == (Path(accepted.workspace.root) / name).read_bytes()


def test_nothing_is_done_twice_and_what_is_gone_is_made_again(tmp_path: Path) -> None:
    job = a_scored_job(tmp_path, not_helped(), [50, 90])
    assert bootstrap(job) == [0, 1, 2]
    before = said(job)
    assert bootstrap(job) == []
    job.workspace.remove("bootstrap/rounds.json")
    assert bootstrap(job) == [0]
    job.workspace.remove("alignment/00001.parquet")
    assert bootstrap(job) == [1]
    assert said(job) == before
    write_scores(job.workspace, 2, [*not_helped()[90:], without_a_score(1)])
    assert bootstrap(job) == [0, 1, 2]


def test_without_the_section_the_stage_is_not_wanted() -> None:
    assert not Bootstrap().wanted(Recipe())
    assert Bootstrap().wanted(Recipe.model_validate({"score": {"model": "any"}, "bootstrap": {}}))


# --- the sample


def drawn(root: Path, rows: list[Row], wanted: int, cuts: list[int]) -> Sample:
    job = a_scored_job(root, rows, cuts)
    corpus = Corpus(job.workspace.root, job.recipe)
    offer = Offer(corpus, len(rows), wanted, ranges=5)
    exchange(LocalEngine(1), "sample", [p.partition for p in job.partitions], offer, Keep(corpus))
    return load(corpus, wanted, folds=3).sample


def test_the_sample_is_whole_pages_of_the_lowest_hashes_however_rows_are_cut(tmp_path: Path) -> None:
    corpus = plant(pages=400, blur=1, noise=0)
    rows = rows_of(corpus)
    found = [drawn(tmp_path / f"{cuts}", rows, 100, cuts) for cuts in ([], [7, 301, 302, 900])]
    for of in found:
        assert len(of.pairs) == 99
        lowest = np.argsort(page_hashes([doc_id(page) for page in range(400)]))[:33]
        expected = np.flatnonzero(np.isin(corpus.pages, lowest))
        assert sorted(map(bytes, of.pairs.images)) == sorted(map(bytes, corpus.images[expected]))
    for name in ("images", "texts", "pages", "image_ids", "text_ids"):
        np.testing.assert_array_equal(getattr(found[0].pairs, name), getattr(found[1].pairs, name))
    np.testing.assert_array_equal(found[0].folds, found[1].folds)


def test_no_partition_offers_much_more_than_is_wanted(tmp_path: Path) -> None:
    rows = rows_of(plant(pages=1500, blur=1, noise=0, width=32))
    job = a_scored_job(tmp_path, rows)
    offer = Offer(Corpus(job.workspace.root, job.recipe), len(rows), wanted=300, ranges=4)
    offered = [(key, arrays) for key, arrays in offer(0)]
    assert 450 < sum(len(arrays[0]) for _, arrays in offered) < 750
    assert {key for key, _ in offered} == set(range(4))
    assert sum(array.nbytes for _, arrays in offered for array in arrays) < 750 * (2 * 2 * 32 + 32)


def test_a_page_of_thumbnails_is_not_the_sample(tmp_path: Path) -> None:
    rows = rows_of(plant(pages=100, blur=1, noise=0))
    for row in rows[:240]:
        row["doc_id"] = doc_id(0)
    found = [drawn(tmp_path / f"{cuts}", rows, 290, cuts) for cuts in ([], [260])]
    for of in found:
        assert len(of.pairs) == sample.PAGE_PAIRS + 60
        assert np.bincount(of.pairs.pages).max() == sample.PAGE_PAIRS


def test_equal_embeddings_are_known_as_such(tmp_path: Path) -> None:
    rows = rows_of(plant(pages=50, blur=1, noise=0))
    for row in rows[::10]:
        row["text_embedding"] = rows[0]["text_embedding"]
    found = drawn(tmp_path, rows, 1000, [60]).pairs
    assert np.bincount(found.text_ids).max() == 15
    assert len(np.unique(found.image_ids)) == 150
