"""Evaluation sets that must not be in the data, and caps on concepts: what is found, drawn and reported."""

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Unpack

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.balance.stage import Balance, draws_of
from pipelines.dedup_text.stage import DedupText
from pipelines.digest.stage import Digest
from pipelines.frame import ledger
from pipelines.frame.copies import taken_out
from pipelines.frame.engine import Engine
from pipelines.frame.engines.local import LocalEngine
from pipelines.frame.run import plan_stage
from pipelines.frame.stage import Job
from pipelines.select import removals
from schemas.tables import BALANCE, DIGESTS
from tests.copied_job import Page, Shown, a_job, copies, find_copies, prose, rows
from tests.recipe_parts import RecipeParts

HOST = "https://a.example"
QUESTION = "in what year did the first keeper of the old lighthouse leave the island for ever and why"
WORDS = QUESTION.split()


def page(name: str, *nodes: str | Shown, **about: Any) -> Page:
    return Page(f"{HOST}/{name}", nodes, **about)


def a_list(folder: Path, ending: str) -> str:
    """The question in a file of that kind, at some depth where the kind has any."""
    path = folder / f"quiz.{ending}"
    nested = {"id": 7, "qa": {"questions": ["none", {"text": QUESTION}], "answer": None}}
    if ending == "parquet":
        pq.write_table(pa.table({"id": [1, 2], "qa": [["none", QUESTION], None], "answer": ["x", None]}), path)
    elif ending == "txt":
        path.write_text(f"a short line\n\n{QUESTION}\n")
    else:
        lines = f"{json.dumps({'id': 1})}\n{json.dumps(nested)}\nno JSON at all\n".encode()
        path.write_bytes(gzip.compress(lines) if ending.endswith(".gz") else lines)
    return str(path)


@pytest.mark.parametrize("ending", ["txt", "jsonl", "jsonl.gz", "ndjson", "parquet"])
def test_a_document_that_shares_thirteen_words_with_a_set_is_named_with_it(tmp_path: Path, ending: str) -> None:
    sets = [{"name": "quiz", "texts": a_list(tmp_path, ending)}]
    pages = [
        page("thirteen", f"{prose(1)} {' '.join(WORDS[3:16]).upper()}."),
        page("twelve", f"{prose(2)} {' '.join(WORDS[3:15])}."),
        page("over-two-nodes", f"{prose(3)} {' '.join(WORDS[:9])}", " ".join(WORDS[9:])),
        page("short", "a short line"), page("none", prose(4)), page("empty"),
    ]  # fmt: skip
    job = find_copies(a_job(tmp_path / "job", pages, [3], decontaminate=sets))
    assert copies(job, pages) == {
        (f"{HOST}/{name} 0", -1, "benchmark", "quiz") for name in ("thirteen", "over-two-nodes")
    }


def test_the_recipe_says_how_many_words_and_every_set_is_looked_for(tmp_path: Path) -> None:
    other = tmp_path / "other.txt"
    other.write_text("a phrase of five words\n")
    sets = [
        {"name": "quiz", "texts": a_list(tmp_path, "txt"), "ngram": 8},
        {"name": "other", "texts": str(other), "ngram": 5},
    ]
    pages = [
        page("eight", f"{prose(1)} {' '.join(WORDS[:8])}"), page("five", f"{prose(2)}: a phrase of five words"),
        page("both", f"{QUESTION} a phrase of five words"), page("seven", f"{prose(1)} {' '.join(WORDS[:7])}"),
    ]  # fmt: skip
    job = find_copies(a_job(tmp_path / "job", pages, decontaminate=sets))
    assert copies(job, pages) == {
        (f"{HOST}/eight 0", -1, "benchmark", "quiz"), (f"{HOST}/both 0", -1, "benchmark", "quiz"),
        (f"{HOST}/five 0", -1, "benchmark", "other"),
    }  # fmt: skip
    assert [row["benchmarks"] for row in rows(job, DIGESTS)] == [["quiz"], ["other"], ["quiz", "other"], []]


def test_a_document_of_a_set_makes_no_other_go(tmp_path: Path) -> None:
    text = f"{prose(1)} {prose(2)}"
    pages = [page("in-the-set", text, QUESTION, score=0.99), page("clean", text, prose(5, 8), score=0.5)]
    sets = [{"name": "quiz", "texts": a_list(tmp_path, "txt")}]
    settings: RecipeParts = {"dedup": {"text": {"near": {"jaccard": 0.5}}}}
    assert len(copies(find_copies(a_job(tmp_path / "dirty", pages, **settings)), pages)) == 1
    clean: RecipeParts = {**settings, "decontaminate": sets}
    found = copies(find_copies(a_job(tmp_path / "job", pages, **clean)), pages)
    assert found == {(f"{HOST}/in-the-set 0", -1, "benchmark", "quiz")}


def test_a_list_that_has_changed_is_read_again(tmp_path: Path) -> None:
    quiz, concepts = tmp_path / "quiz.txt", tmp_path / "concepts.txt"
    pages = [page("1", QUESTION), page("2", "a red squirrel and a lighthouse")]
    recipe: RecipeParts = {
        "decontaminate": [{"name": "quiz", "texts": str(quiz)}],
        "balance": {"concepts": str(concepts)},
    }
    found = []
    for question, concept in ((QUESTION, "squirrel"), (prose(7), "badger"), (QUESTION, "squirrel")):
        quiz.write_text(question)
        concepts.write_text(concept)
        job = find_copies(a_job(tmp_path / "job", pages, **recipe), Digest)
        found.append([(row["benchmarks"], row["concepts"]) for row in rows(job, DIGESTS)])
    assert found == [[(["quiz"], []), ([], [0])], [([], []), ([], [])], [(["quiz"], []), ([], [0])]]


CONCEPTS = ["lighthouse", "red squirrel", "squirrel", "badger", "never seen"]


def balanced(root: Path, pages: Sequence[Page], cap: int, cuts: Sequence[int] = (), engine: Engine | None = None,
             **recipe: Unpack[RecipeParts]) -> Job:  # fmt: skip
    (root / "concepts.txt").write_text("\n".join(CONCEPTS) + "\n")
    settings: RecipeParts = {"balance": {"concepts": str(root / "concepts.txt"), "cap": cap}, **recipe}
    return find_copies(a_job(root / "job", pages, cuts, **settings), Digest, DedupText, Balance, engine=engine)


def a_zoo(size: int = 600) -> list[Page]:
    """Of every six pages five with a lighthouse, two with a red squirrel, one with a badger, one with nothing."""
    nodes = (
        ("the lighthouse",), ("Lighthouse!",), ("a light", Shown(f"{HOST}/x.jpg", "A lighthouse at night")),
        ("lighthouse and a Red  Squirrel",), ("lighthouse", "red squirrel", "lighthouse, badger"), ("red", "nothing"),
    )  # fmt: skip
    return [page(f"{n}", *nodes[n % 6]) for n in range(size)]


def kept(job: Job) -> set[str]:
    return {row["doc_id"] for row in rows(job, BALANCE) if row["draw"] < row["probability"]}


def test_probabilities_are_the_sum_of_cap_by_count_over_the_concepts(tmp_path: Path) -> None:
    pages = a_zoo()
    found = {row["doc_id"]: row["probability"] for row in rows(balanced(tmp_path, pages, 50, [100, 350]), BALANCE)}
    # 500 pages have a lighthouse, 200 a red squirrel and so a squirrel, 100 a badger.
    lighthouse, squirrel, badger = 50 / 500, 50 / 200, 50 / 100
    expected = [lighthouse] * 3 + [lighthouse + 2 * squirrel, min(1.0, lighthouse + 2 * squirrel + badger)]
    for n, p in enumerate(pages):
        assert found.get(p.doc_id) == (None if n % 6 == 5 else pytest.approx(expected[n % 6], rel=1e-6))


def test_rare_concepts_are_never_dropped(tmp_path: Path) -> None:
    pages = a_zoo(60)
    job = balanced(tmp_path, pages, 50)
    assert {row["probability"] for row in rows(job, BALANCE)} == {1.0}
    assert len(kept(job)) == 50


def test_a_smaller_cap_keeps_a_subset_and_about_as_many_as_it_says(tmp_path: Path) -> None:
    pages, before = a_zoo(3000), None
    for cap in (2500, 500, 100, 1):
        (tmp_path / f"{cap}").mkdir()
        job = balanced(tmp_path / f"{cap}", pages, cap)
        now = kept(job)
        expected = sum(row["probability"] for row in rows(job, BALANCE))
        assert abs(len(now) - expected) < 4 * max(expected, 1) ** 0.5
        assert before is None or now < before
        before = now


def test_draws_are_even_and_the_same_whenever_they_are_made() -> None:
    ids = [p.doc_id for p in a_zoo(20_000)]
    draws = draws_of(ids)
    assert draws.dtype == np.float32
    assert draws_of(ids[::-1]).tolist() == draws[::-1].tolist()
    assert (draws >= 0).all()
    assert (draws < 1).all()
    assert np.abs(np.histogram(draws, 10, (0, 1))[0] / 2000 - 1).max() < 0.1
    assert draws_of([]).tolist() == []
    assert draws_of(["f" * 32, "0" * 32]).max() < 1


@pytest.mark.parametrize("cuts", [[1], [100, 100, 350, 599]])
def test_every_slicing_draws_the_same(tmp_path: Path, cuts: list[int]) -> None:
    found = []
    for name, at in (("whole", []), ("cut", cuts)):
        (tmp_path / name).mkdir()
        job = balanced(tmp_path / name, a_zoo(), 50, at)
        found.append((rows(job, BALANCE), job.workspace.read_text("concepts.json")))
    assert found[0] == found[1]


def test_by_two_workers_the_same_bytes_come_out(tmp_path: Path) -> None:
    written = []
    for name, engine in (("one", LocalEngine(1)), ("two", LocalEngine(2))):
        (tmp_path / name).mkdir()
        job = balanced(tmp_path / name, a_zoo(), 50, [100, 350], engine)
        written.append([Path(job.workspace.path(n)).read_bytes() for n in job.workspace.list("balance")])
    assert written[0] == written[1]


def test_the_report_says_of_each_concept_how_many_documents_hold_it_and_stay(tmp_path: Path) -> None:
    pages = a_zoo()
    job = balanced(tmp_path, pages, 50, [100, 350])
    report = {entry["concept"]: entry for entry in json.loads(job.workspace.read_text("concepts.json"))}
    stay = kept(job)
    members = {"lighthouse": range(5), "red squirrel": (3, 4), "squirrel": (3, 4), "badger": (4,)}
    assert report == {
        concept: {
            "concept": concept,
            "documents": len(pages) // 6 * len(places),
            "kept": sum(p.doc_id in stay for n, p in enumerate(pages) if n % 6 in places),
        }
        for concept, places in members.items()
    }
    tallies = [record.tallies["documents"] for record in ledger.read_all(job.workspace, "balance").values()]
    assert all(tally.adds_up for tally in tallies)
    assert sum(tally.reasons.get("document.balance", 0) for tally in tallies) == 500 - len(stay)
    assert sum(tally.taken for tally in tallies) == len(pages)


def test_copies_and_screened_pages_are_not_counted(tmp_path: Path) -> None:
    text = f"{prose(1)} lighthouse"
    pages = [
        page("one", text), page("copy", text), page("other", "lighthouse"),
        page("screened", "lighthouse", language="de"),
    ]  # fmt: skip
    settings: RecipeParts = {
        "dedup": {"text": {"exact": True}}, "screen": {"document": [{"signal": "language", "in": ["en"]}]},
    }  # fmt: skip
    job = balanced(tmp_path, pages, 1, [1, 2], **settings)
    assert {row["probability"] for row in rows(job, BALANCE)} == {0.5}
    assert json.loads(job.workspace.read_text("concepts.json"))[0]["documents"] == 2


def test_a_record_that_two_slices_hold_is_counted_once(tmp_path: Path) -> None:
    pages = [page("twice", "lighthouse"), page("other", "lighthouse"), page("twice", "lighthouse")]
    job = balanced(tmp_path, pages, 1, [2])
    assert [row["probability"] for row in rows(job, BALANCE)] == [0.5, 0.5]


def test_without_balance_nothing_is_drawn_and_a_moved_cap_draws_again_alone(tmp_path: Path) -> None:
    pages = a_zoo(30)
    job = find_copies(a_job(tmp_path / "none", pages), Digest, DedupText, Balance)
    assert rows(job, BALANCE) == []
    assert not job.workspace.exists("concepts.json")
    first = balanced(tmp_path, pages, 2, [10])
    moved = Job(first.workspace, first.recipe.model_copy(
        update={"balance": first.recipe.balance.model_copy(update={"cap": 5})}), first.partitions)  # type: ignore[union-attr]  # fmt: skip
    planned = {stage.name: len(plan_stage(stage(), moved).todo) for stage in (Digest, DedupText, Balance)}
    assert planned == {"digest": 0, "dedup_text": 0, "balance": 2}
    assert all(not plan_stage(stage(), first).todo for stage in (Digest, DedupText, Balance))


def test_a_verdict_names_the_documents_own_probability_and_a_bound_that_all_share(tmp_path: Path) -> None:
    job = balanced(tmp_path, a_zoo(), 20, [100])
    for partition in (0, 1):
        of_partition = rows(Job(job.workspace, job.recipe, job.partitions[partition : partition + 1]), BALANCE)
        ids = [row["doc_id"] for row in of_partition]
        empty = removals.Removals(job.recipe, taken_out(job.workspace, partition), {})
        (failure,) = empty.of_documents(pa.array(ids))
        assert failure.bound == '"a draw below the probability"'
        for row, failed, value in zip(of_partition, failure.failed.tolist(), failure.values.to_pylist(), strict=True):
            assert failed == (row["draw"] >= row["probability"])
            assert (value is not None) == failed
            assert not failed or value == f"{row['draw']:.6g}, with a probability of {row['probability']:.6g}"
