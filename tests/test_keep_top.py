"""keep_top: the top share of the whole corpus is kept, whatever the slices and the engine."""

import hashlib
import json
import random
from pathlib import Path
from typing import Any

import pytest

from pipelines.frame import ledger
from pipelines.frame.run import StageFailed
from pipelines.select import rule_table, thresholds
from schemas.statuses import StageName
from tests.judged_job import Page, a_job, kept_nodes, select, verdicts

BEAM = "--runner=apache_beam.runners.portability.fn_api_runner.FnApiRunner"
TOP_HALF = {"signal": "width", "keep_top": 0.5}


def pages(count: int, seed: int = 1) -> list[Page]:
    rng = random.Random(seed)
    sizes = [
        [rng.choice([rng.randrange(1, 300), (rng.randrange(50, 900), rng.randrange(50, 900)), None]) for _ in range(9)]
        for _ in range(count)
    ]
    return [Page(f"{number:032x}", nodes, rng.choice(["en", "de"])) for number, nodes in enumerate(sizes)]


def images(*widths: int, height: int = 500) -> Page:
    return Page("".join(f"{width:04x}" for width in widths).zfill(32), [20, *((width, height) for width in widths)])


def files(root: Path) -> dict[str, str]:
    found = sorted(path for folder in ("verdicts", "rules") for path in (root / folder).glob("*"))
    digests = {f"{path.parent.name}/{path.name}": hashlib.sha256(path.read_bytes()).hexdigest() for path in found}
    return digests | {"thresholds.json": (root / "thresholds.json").read_text()}


def test_the_top_of_all_partitions_together_is_kept_with_its_ties(tmp_path: Path) -> None:
    job = a_job(tmp_path, [images(10, 90, 50), images(50, 20), images(30)], [1, 2], select={"image": [TOP_HALF]})
    select(job)
    assert kept_nodes(job) == [[True, False, True, True], [True, True, False], [True, False]]
    (entry,) = thresholds.read(job.workspace)
    assert entry == {
        "rule": "image.width.keep_top", "when": None, "keep_top": 0.5, "threshold": 50.0, "pool": 6, "kept": 3,
        "kept_share": 0.5,
    }  # fmt: skip


def test_a_verdict_says_the_share_and_what_it_came_to(tmp_path: Path) -> None:
    job = a_job(tmp_path, [images(10, 90)], select={"image": [TOP_HALF]})
    select(job)
    (row,) = verdicts(job)
    assert (row["failed_rule"], row["failed_value"]) == (["image.width.keep_top"], ["10"])
    assert [json.loads(bound) for bound in row["failed_bound"]] == [{"keep_top": 0.5, "min": 90.0}]


def test_the_pool_is_what_passes_every_other_bound_of_its_scope_and_the_screen(tmp_path: Path) -> None:
    rules = {
        "screen": {"document": [{"signal": "language", "in": ["en"]}]},
        "select": {"image": [TOP_HALF, {"signal": "height", "min": 100}]},
    }
    crawl = [
        images(100, 200),
        images(900, 901, 902, height=50),  # too low
        Page("f" * 32, [(800, 800), (801, 801)], "de"),  # not past the screen
        images(100, 200),  # the same record again, in a later slice
    ]
    job = a_job(tmp_path, crawl, [3], **rules)
    select(job)
    (entry,) = thresholds.read(job.workspace)
    assert (entry["pool"], entry["threshold"], entry["kept"]) == (2, 200, 1)
    assert kept_nodes(job)[0] == [True, False, True]


def test_several_of_one_scope_have_the_same_pool_and_do_not_narrow_each_other(tmp_path: Path) -> None:
    crawl = [Page("a" * 32, [(100, 400), (200, 300), (300, 200), (400, 100)])]
    job = a_job(tmp_path, crawl, select={"image": [TOP_HALF, {"signal": "height", "keep_top": 0.5}]})
    select(job)
    assert [(e["pool"], e["threshold"]) for e in thresholds.read(job.workspace)] == [(4, 300), (4, 300)]
    assert kept_nodes(job) == [[False] * 4]


def test_a_min_beside_it_in_the_rule_is_a_rule_of_its_own(tmp_path: Path) -> None:
    crawl = [images(10, 20, 30, 40, 50, 60)]
    job = a_job(tmp_path / "one", crawl, select={"image": [{"signal": "width", "min": 30, "keep_top": 0.5}]})
    two = a_job(tmp_path / "two", crawl, select={"image": [{"signal": "width", "min": 30}, TOP_HALF]})
    select(job), select(two)
    assert files(tmp_path / "one") == files(tmp_path / "two")
    assert kept_nodes(job) == [[True, False, False, False, False, True, True]]


def test_what_was_not_measured_is_not_in_the_pool_and_kept_unless_the_rule_says_drop(tmp_path: Path) -> None:
    texts = [Page("a" * 32, [1, 2, 3, 4]), Page("b" * 32, [5, None])]
    rule = {"signal": "punctuation_ratio", "keep_top": 0.5}  # never measured here
    for missing, kept in (("keep", True), ("drop", False)):
        job = a_job(tmp_path / missing, texts, select={"node": [{**rule, "missing": missing}]})
        select(job)
        assert kept_nodes(job) == [[kept] * 4, [kept, False]]
        (entry,) = thresholds.read(job.workspace)
        assert (entry["pool"], entry["threshold"], entry["kept_share"]) == (0, None, None)


def test_a_corpus_of_equal_values_is_kept_whole_and_one_of_nothing_is_no_error(tmp_path: Path) -> None:
    job = a_job(tmp_path / "equal", [images(*[70] * 5), images(*[70] * 6)], [1], select={"image": [TOP_HALF]})
    select(job)
    assert all(all(kept) for kept in kept_nodes(job))
    assert thresholds.read(job.workspace)[0]["kept_share"] == 1.0
    nothing = a_job(tmp_path / "nothing", [], [0, 0], select={"image": [TOP_HALF], "document": [TOP_HALF_WORDS]})
    assert select(nothing) == [0, 1, 2]
    assert [entry["threshold"] for entry in thresholds.read(nothing.workspace)] == [None, None]


TOP_HALF_WORDS = {"signal": "words", "keep_top": 0.5}


def test_a_condition_makes_a_pool_of_its_own(tmp_path: Path) -> None:
    rules = [{**TOP_HALF_WORDS, "when": {"signal": "language", "in": [code]}} for code in ("en", "de")]
    crawl = [Page(f"{n:032x}", [n], "en" if n < 100 else "de") for n in (10, 20, 30, 40, 1000, 2000)]
    job = a_job(tmp_path, crawl, [2], select={"document": rules})
    select(job)
    assert [row["kept"] for row in verdicts(job)] == [False, False, True, True, False, True]
    found = [(entry["when"]["in"], entry["threshold"]) for entry in thresholds.read(job.workspace)]
    assert found == [(["en"], 30), (["de"], 2000)]


def test_documents_are_measured_on_the_nodes_that_the_node_thresholds_left(tmp_path: Path) -> None:
    crawl = [Page("a" * 32, [100, 1, 1, 1]), Page("b" * 32, [90, 80]), Page("c" * 32, [70, 2, 60])]
    rules = {"node": [TOP_HALF_WORDS], "document": [{"signal": "words", "keep_top": 0.6}]}
    job = a_job(tmp_path, crawl, [1, 2], select=rules)
    select(job)
    # Nodes: the top 5 of 9 are 100, 90, 80, 70, 60. Documents are then of 100, 170 and 130 words.
    assert [(e["rule"], e["threshold"], e["pool"]) for e in thresholds.read(job.workspace)] == [
        ("node.words.keep_top", 60, 9),
        ("document.words.keep_top", 130, 3),
    ]
    assert [row["kept"] for row in verdicts(job)] == [False, True, True]


FULL: dict[str, Any] = {
    "node": [{"signal": "words", "keep_top": 0.8}, {"signal": "words", "max": 280}],
    "image": [{"signal": "width", "keep_top": 0.6}, {"signal": "aspect_ratio", "max": 3}],
    "document": [{"signal": "words", "keep_top": 0.7}, {"signal": "images", "min": 1}],
}


def test_slices_and_engines_make_no_difference(tmp_path: Path) -> None:
    crawl = pages(60)
    whole = a_job(tmp_path / "whole", crawl, select=FULL)
    select(whole)
    assert 5 < sum(row["kept"] for row in verdicts(whole)) < 40
    for name, cuts in (("two", [31]), ("many", [1, 2, 17, 17, 40, 59])):
        here, beam = (a_job(tmp_path / f"{name}-{engine}", crawl, cuts, select=FULL) for engine in ("here", "beam"))
        select(here), select(beam, BEAM)
        assert files(tmp_path / f"{name}-here") == files(tmp_path / f"{name}-beam")
        assert verdicts(here) == verdicts(whole)
        assert thresholds.read(here.workspace) == thresholds.read(whole.workspace)


def test_only_with_keep_top_do_partitions_depend_on_one_another(tmp_path: Path) -> None:
    crawl = [images(10, 90), images(50, 20), Page("c" * 32, [(30, 30)])]
    changed = [crawl[0], crawl[1], Page("c" * 32, [(400, 30)])]  # another picture under the same address
    for name, rule, outdated in (("top", TOP_HALF, [0, 1, 2]), ("min", {"signal": "width", "min": 40}, [2])):
        assert select(a_job(tmp_path / name, crawl, [1, 2], select={"image": [rule]})) == [0, 1, 2]
        assert select(a_job(tmp_path / name, crawl, [1, 2], select={"image": [rule]})) == []
        assert select(a_job(tmp_path / name, changed, [1, 2], select={"image": [rule]})) == outdated


def test_a_recipe_without_it_leaves_no_thresholds_of_an_earlier_one(tmp_path: Path) -> None:
    select(a_job(tmp_path, [images(10, 90)], select={"image": [TOP_HALF]}))
    assert (tmp_path / "thresholds.json").exists()
    select(a_job(tmp_path, [images(10, 90)], select={"image": [{"signal": "width", "min": 5}]}))
    assert not (tmp_path / "thresholds.json").exists()


@pytest.mark.parametrize("cuts", [[], [20, 40]])
def test_what_rules_did_adds_up_over_partitions_and_to_the_tallies(tmp_path: Path, cuts: list[int]) -> None:
    job = a_job(tmp_path, pages(60), cuts, select=FULL)
    select(job)
    parts = [rule_table.read(job.workspace, p.partition) for p in job.partitions]
    first: dict[str, int] = {}
    for part in parts:
        for of_scope in part.values():
            for counts in of_scope:
                first[counts.rule] = first.get(counts.rule, 0) + counts.first
    tallied: dict[str, int] = {}
    for record in ledger.read_all(job.workspace, StageName.SELECT).values():
        for tally in record.tallies.values():
            assert tally.adds_up
            for reason, count in tally.reasons.items():
                rule = "image.status" if reason.startswith("image.status") else reason
                tallied[rule] = tallied.get(rule, 0) + count
    tallied.pop("document_dropped")
    assert {rule: count for rule, count in first.items() if count} == tallied


def test_a_partition_that_cannot_be_read_fails_the_stage_with_its_number(tmp_path: Path) -> None:
    job = a_job(tmp_path, [images(10, 90), images(50)], [1], select={"image": [TOP_HALF]})
    (tmp_path / "images" / "00001.parquet").write_bytes(b"not a table")
    with pytest.raises(StageFailed, match=r"^select: partition 1 \(/in/a\.warc\): ArrowInvalid"):
        select(job)
