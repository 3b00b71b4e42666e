"""The prior: what it learns from a job's texts, what it is said to be worth, and too little to learn from."""

import json
import random
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

import filters
from curate.cli.main import main
from curate.errors import UserError
from curate.job import JOB_FILE, prepare
from filters import prior
from pipelines.extract.stage import Extract
from pipelines.frame import ledger, partitions, tables
from pipelines.frame.engines.local import LocalEngine
from pipelines.frame.partitions import Partition
from pipelines.frame.run import plan_stage, run_stage
from pipelines.frame.storage import Workspace
from schemas.ledger import LedgerRecord
from schemas.recipe import Recipe
from schemas.tables import ALIGNMENT, DOCUMENTS, SCORES, TABLES, Table
from tests.archives import make_warc, response
from tests.copied_job import Page, Shown

GOOD = "a photograph of the harbour shows boats and people on the pier in the evening light".split()
BAD = "sign up for our newsletter and accept all cookies to continue reading this offer".split()
PLAIN = [f"word{n}" for n in range(300)]


def page(number: int, hosts: int, score: float, rng: random.Random) -> Page:
    """A page whose words tell a little of how its pictures are."""
    words = [rng.choice((GOOD if rng.random() < score else BAD) if rng.random() < 0.3 else PLAIN) for _ in range(60)]
    return Page(
        f"https://{number % hosts}.example/{number}", [" ".join(words), Shown("https://x.example/1.jpg", "alt")]
    )


def a_corpus(count: int, hosts: int = 60, informative: bool = True) -> list[tuple[Page, float]]:
    rng = random.Random(1)
    scores = [rng.random() for _ in range(count)]
    return [(page(n, hosts, score if informative else 0.5, rng), score / 2) for n, score in enumerate(scores)]


def write(workspace: Workspace, table: Table, number: int, rows: Sequence[Any]) -> None:
    with workspace.staged(tables.name_of(table, number)) as path:
        writer = tables.TableWriter(table, path)
        writer.write_rows(rows)
        writer.close()


def a_job(
    root: Path, corpus: Sequence[tuple[Page, float]], cuts: Sequence[int] = (), signal: str = "clip_score"
) -> str:
    workspace, planned = Workspace(str(root)), []
    for number, (start, end) in enumerate(pairwise([0, *cuts, len(corpus)])):
        planned.append(Partition(number, "/in/a.warc", start, end, len(corpus), "d"))
        part = corpus[start:end]
        write(workspace, DOCUMENTS, number, [page.row for page, _ in part])
        scores = [
            {"doc_id": page.doc_id, "position": 1, "sha256": "0" * 64, "score_status": "ok", signal: value}
            for page, value in part
        ]
        table, stage = (SCORES, "score") if signal == "clip_score" else (ALIGNMENT, "bootstrap")
        if table is ALIGNMENT:
            scores = [{name: row[name] for name in ALIGNMENT.schema.names} for row in scores]
        write(workspace, table, number, scores)
        ledger.write(workspace, LedgerRecord(stage=stage, partition=number, fingerprint="", outputs=[]))
    partitions.save(workspace, planned)
    recipe = {"score": {"model": "any"}, **({"bootstrap": {}} if signal == "alignment" else {})}
    versions = {name: table.version for name, table in TABLES.items()}
    (root / JOB_FILE).write_text(yaml.safe_dump({"recipe": recipe, "tables": versions}))
    return str(root)


def run(job: str, output: Path, *options: str) -> int:
    return main(["prior", job, "--output", str(output), "--json", *options])


def test_texts_that_tell_something_save_pictures_at_the_recall_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    job = a_job(tmp_path / "job", a_corpus(3000), [1000, 1700])
    assert run(job, tmp_path / "p.ftz") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["signal"], found["documents"], found["hosts"], found["by_host"]) == ("clip_score", 3000, 60, True)
    figures = found["figures"]
    assert figures["auc"] > 0.75
    assert 0.8 < figures["recall"] <= 1
    assert figures["precision"] > figures["high_share"] + 0.05
    assert 0.15 < figures["saved"] < 0.7
    lines = [prior.line_of([" ".join(words)]) for words in (GOOD, BAD)]
    good, bad = prior.probabilities(tmp_path / "p.ftz", lines)
    assert good > 0.9
    assert bad < 0.1


def test_texts_that_tell_nothing_save_nothing_and_the_figures_say_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(a_job(tmp_path / "job", a_corpus(2000, informative=False)), tmp_path / "p.ftz") == 0
    figures = json.loads(capsys.readouterr().out)["figures"]
    assert abs(figures["auc"] - 0.5) < 0.1
    assert abs(figures["precision"] - figures["high_share"]) < 0.06


def test_the_same_job_gives_the_same_model_however_it_is_cut(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    corpus = a_corpus(800)
    for name, cuts in (("one", []), ("three", [5, 400])):
        assert run(a_job(tmp_path / name, corpus, cuts), tmp_path / f"{name}.ftz") == 0
    assert (tmp_path / "one.ftz").read_bytes() == (tmp_path / "three.ftz").read_bytes()
    one, three = capsys.readouterr().out.strip().split("\n}\n")
    assert json.loads(one + "}") == json.loads(three)


def test_alignment_goes_before_the_score_and_few_hosts_are_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    job = a_job(tmp_path / "job", a_corpus(800, hosts=3), signal="alignment")
    assert main(["prior", job, "--output", str(tmp_path / "p.ftz"), "--documents", "700"]) == 0
    said = capsys.readouterr().out
    assert "700 documents of 3 hosts have alignment" in said
    assert "too few to hold some out" in said
    assert "pictures not scored" in said


@pytest.mark.parametrize("count", [0, 20, 60])
def test_too_few_documents_are_an_error_that_says_so(
    tmp_path: Path, count: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(a_job(tmp_path / "job", a_corpus(count)), tmp_path / "p.ftz") == 2
    said = capsys.readouterr().err
    assert "documents" in said
    assert "50" in said


def test_a_signal_that_is_always_the_same_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    corpus = [(page, 0.25) for page, _ in a_corpus(300)]
    assert run(a_job(tmp_path / "job", corpus), tmp_path / "p.ftz") == 2
    assert "have the same value 0.25" in capsys.readouterr().err


def test_a_folder_that_is_not_there_is_found_before_anything_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(str(tmp_path), tmp_path / "nowhere" / "p.ftz") == 2
    assert "there is no folder" in capsys.readouterr().err


def test_a_line_is_what_fasttext_reads_as_words() -> None:
    assert prior.line_of(["Two\nlines", None, "", " and  MORE "]) == "two lines and more"
    assert prior.line_of(["__label__high is __only__ a word"]) == "label__high is only__ a word"
    assert len(prior.line_of(["word " * 5000])) == 2000


def test_the_threshold_keeps_the_recall_that_is_asked_for() -> None:
    probable, high = np.array([0.9, 0.8, 0.7, 0.6, 0.5]), np.array([True, False, True, True, False])
    assert prior.threshold_for(probable, high, 0.6) == 0.7
    assert prior.threshold_for(probable, high, 0.7) == 0.6
    images = np.array([1, 1, 1, 1, 6])
    found = prior.figures((probable, high), (probable, high), images, 1.0)
    assert (found.recall, found.precision) == (1.0, 0.75)
    assert found.saved == pytest.approx(0.6)
    with pytest.raises(ValueError, match="no document to calibrate on is high"):
        prior.threshold_for(probable, np.zeros(5, np.bool_), 0.9)


# --- the next crawl


def a_page_of(words: Sequence[str], number: int) -> bytes:
    body = f"<h1>{words[0]}</h1><p>{' '.join([*words] * 3)}</p><img src='/{number}.jpg' alt='{words[1]}'>"
    html = f"<!DOCTYPE html><html><body><article>{body}</article></body></html>"
    return response(f"http://n{number}.test/a", html.encode())


def extracted(folder: Path, model: str | None) -> list[Any]:
    records = [a_page_of(words, number) for number, words in enumerate((GOOD, BAD))]
    settings = {"extract": {"alignment_prior": model}}
    job = prepare(Recipe.model_validate(settings), [make_warc(folder / "a.warc.gz", records)], str(folder / "out"), 1)
    run_stage(plan_stage(Extract(), job), job, LocalEngine(1))
    return tables.read_table(job.workspace, DOCUMENTS, 0).to_pylist()


def test_the_next_crawl_is_judged_by_it_before_anything_is_fetched(tmp_path: Path) -> None:
    model = tmp_path / "p.ftz"
    assert run(a_job(tmp_path / "job", a_corpus(3000), [1000]), model) == 0
    good, bad = extracted(tmp_path, str(model))
    lines = [
        prior.line_of_document(row["title"], zip(row["texts"], row["alts"], row["captions"], strict=True))
        for row in (good, bad)
    ]
    assert [good["alignment_prior"], bad["alignment_prior"]] == pytest.approx(prior.probabilities(model, lines))
    assert good["alignment_prior"] > 0.8 and bad["alignment_prior"] < 0.2
    screen = {"screen": {"document": [{"signal": "alignment_prior", "min": 0.5}]}}
    with pytest.raises(ValueError, match=r"needs what measures it: give extract\.alignment_prior"):
        Recipe.model_validate(screen)
    recipe = Recipe.model_validate({**screen, "extract": {"alignment_prior": str(model)}})
    assert recipe.screen.document[0].signal == "alignment_prior"
    assert [row["alignment_prior"] for row in extracted(tmp_path, None)] == [None, None]


def test_another_model_of_the_same_name_extracts_again(tmp_path: Path) -> None:
    model = tmp_path / "p.ftz"
    found = []
    for share in ("0.3", "0.1"):
        assert run(a_job(tmp_path / share, a_corpus(3000)), model, "--share", share) == 0
        found.append(Extract().settings(Recipe.model_validate({"extract": {"alignment_prior": str(model)}})))
    assert found[0] != found[1]


@pytest.mark.parametrize(("content", "said"), [(None, "there is no file"), (b"no model", "is no model of fastText")])
def test_a_prior_that_cannot_be_read_is_told_before_anything_is_written(
    tmp_path: Path, content: bytes | None, said: str
) -> None:
    model = tmp_path / "p.ftz"
    if content is not None:
        model.write_bytes(content)
    with pytest.raises(UserError, match=rf"extract\.alignment_prior: .*{said}"):
        extracted(tmp_path, str(model))
    assert not (tmp_path / "out").exists()


def test_a_language_model_is_no_prior() -> None:
    model = str(Path(filters.__file__).parent / "data" / "lid.176.ftz")
    said = prior.problem(model)
    assert said is not None and "is no prior" in said
