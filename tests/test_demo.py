"""The main job from end to end on the bundled crawl: what comes out, that it adds up, and that it is the same again."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from curate.cli.main import main
from pipelines.frame import ledger
from pipelines.frame.storage import Workspace
from tests.shard_members import members

STAGES = (
    "extract", "digest", "dedup_text", "balance", "hosts", "fetch", "measure", "dedup_images", "select", "pack"
)  # fmt: skip
MUSEUM, OVEN = "https://harbour-museum.example", "https://oven-and-kiln.example"
GARDEN, YAMA = "https://garten-werkstatt.example", "https://yama-no-techo.example"


def _curate(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "curate.cli.main", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=200)


def _said(*arguments: str) -> Any:
    """What a command prints as JSON; where it prints nothing, why."""
    ran = _curate(*arguments, "--json")
    assert ran.stdout, (ran.returncode, ran.stderr)
    return json.loads(ran.stdout)


def _shards(out: Path) -> dict[str, str]:
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted((out / "shards").iterdir())}


def _explain(out: Path, url: str) -> list[dict[str, Any]]:
    captures: list[dict[str, Any]] = _said("explain", str(out), url)
    return captures


def _image(out: Path, page: str, image: str) -> dict[str, Any]:
    nodes = _explain(out, page)[0]["nodes"]
    return next(node for node in nodes if node.get("image", "").endswith(image))


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    out = tmp_path_factory.mktemp("demo") / "out"
    ran = _curate("demo", str(out), "--workers", "1")
    assert ran.returncode == 0, ran.stderr
    assert "What next" in ran.stdout
    yield out


def test_the_counts_add_up_and_nothing_failed(demo: Path) -> None:
    status = _said("status", str(demo))
    assert status["adds_up"], status["problems"]
    assert [stage["stage"] for stage in status["stages"]] == list(STAGES)
    assert all(stage["done"] == stage["partitions"] == 1 and stage["errors"] == 0 for stage in status["stages"])
    extract = status["stages"][0]
    assert extract["counts"]["records"]["in"] == 133
    assert extract["counts"]["pdfs"]["out"] == 2
    reasons = extract["counts"]["images"]["reasons"]
    assert reasons["vector_graphic"] == 1, "kama-danmen.svg"
    assert reasons["boilerplate"] >= 3 and reasons["tracking_pixel"] >= 1, "the logos and the basket, and a pixel"
    assert [(skip["length"], skip["reason"]) for skip in extract["skipped"]] == [(955, "damaged_gzip")]
    counts = {stage["stage"]: stage["counts"] for stage in status["stages"]}
    measure, select = counts["measure"]["images"], counts["select"]
    assert select["documents"]["out"] >= 30
    assert (measure["in"], measure["reasons"]) == (measure["out"], {})
    assert not {"image.blur.min", "image.entropy.min", "image.nsfw.max"} & set(select["images"]["reasons"])


def test_the_shards_are_valid(demo: Path) -> None:
    ran = _curate("validate", str(demo))
    assert ran.returncode == 0, ran.stdout
    assert "all valid" in ran.stdout


@pytest.mark.parametrize(
    ("page", "image"),
    [
        (f"{MUSEUM}/birds/ringing-station", "/img/redshank.webp"),
        (f"{GARDEN}/beete/kompost-schichten", "/bilder/kompost.jpg"),
    ],
)
def test_pictures_in_the_warc_are_used_without_a_network(demo: Path, page: str, image: str) -> None:
    found = _image(demo, page, image)
    assert (found["status"], found["source"], found["kept"]) == ("ok", "warc", True)


@pytest.mark.parametrize(
    ("image", "rule", "value"),
    [
        ("/img/watch.jpg", "image.status", "not_requested"),
        ("/img/dividers.jpg", "image.status", "undecodable"),
        ("/pics/members/kiln-door.jpg", "image.status", "not_an_image"),
        ("/pics/test-tiles.png", "image.status", "too_many_pixels"),
        ("/bilder/krume.jpg", "image.status", "opted_out"),
        ("/bilder/wintergrat.jpg", "image.status", "tdm_reserved"),
        ("/img/fog-gun.jpg", "image.status", "not_requested"),
        ("/img/station-log.jpg", "image.status", "not_requested"),
    ],
)
def test_planted_picture_faults_end_as_the_status_that_they_are(demo: Path, image: str, rule: str, value: str) -> None:
    import pyarrow.parquet as pq

    rows = {row["url"]: row for row in pq.read_table(demo / "images" / "00000.parquet").to_pylist()}
    row = next(row for url, row in rows.items() if url.endswith(image))
    assert row["status"] == value
    documents = pq.read_table(demo / "documents" / "00000.parquet", columns=["url", "images"]).to_pylist()
    page = next(document["url"] for document in documents if row["url"] in document["images"])
    failed = _image(demo, page, image)["failed"]
    assert {"rule": rule, "value": json.dumps(value), "bound": '"ok"'} in failed


def test_planted_page_faults_end_as_they_should(demo: Path) -> None:
    assert _explain(demo, f"{MUSEUM}/quay/painted-houses")[0]["failed"][0]["rule"] == "screen.document.noai.max"
    assert _explain(demo, f"{OVEN}/bread/today")[0]["kept"] is False
    washi = _explain(demo, f"{YAMA}/kami/washi")[0]
    assert washi["kept"] is True
    assert washi["language"] == "ja"
    assert "�" not in json.dumps(washi, ensure_ascii=False)
    apple = _explain(demo, f"{GARDEN}/obst/apfelbaum-schneiden")[0]
    assert apple["language"] == "de"
    assert any("ä" in node.get("text", "") for node in apple["nodes"])
    assert _explain(demo, f"{OVEN}/clay/lost-notebook") == []


def test_a_second_run_does_nothing_and_says_so(demo: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in demo.rglob("*") if path.is_file()}
    ran = _curate("demo", str(demo), "--workers", "1")
    assert ran.returncode == 0
    assert "nothing to do" in ran.stderr
    assert {path: path.stat().st_mtime_ns for path in demo.rglob("*") if path.is_file()} == before


def test_a_moved_image_rule_runs_select_and_pack_alone(demo: Path, tmp_path: Path) -> None:
    out = tmp_path / "moved"
    shutil.copytree(demo, out)
    ran = _curate("demo", str(out), "--workers", "1", "--set", "select.image.width.min=400")
    assert ran.returncode == 0
    assert [line.split()[0] for line in ran.stderr.splitlines() if " partitions in " in line] == ["select", "pack"]
    assert _shards(out) != _shards(demo)
    back = _curate("demo", str(out), "--workers", "1")
    assert back.returncode == 0
    assert _shards(out) == _shards(demo)


def test_two_workers_make_the_same_bytes_and_another_split_the_same_samples(demo: Path, tmp_path: Path) -> None:
    split = ("--set", "input.split_bytes=100000")
    for name, workers in (("one", "1"), ("two", "2")):
        assert _curate("demo", str(tmp_path / name), "--workers", workers, *split).returncode == 0
    assert _shards(tmp_path / "one") == _shards(tmp_path / "two")
    assert len(_shards(tmp_path / "one")) > len(_shards(demo))
    assert members(tmp_path / "one") == members(demo)


@pytest.mark.parametrize("stage", STAGES)
def test_killed_in_the_middle_of_a_stage_the_next_run_ends_with_the_same_bytes(
    demo: Path, tmp_path: Path, stage: str
) -> None:
    out = tmp_path / "killed"
    arguments = ["demo", str(out), "--workers", "2", "--set", "input.split_bytes=100000"]
    with subprocess.Popen([sys.executable, "-m", "curate.cli.main", *arguments],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:  # fmt: skip
        workspace = Workspace(str(out))
        while process.poll() is None and not ledger.partitions_in(workspace, stage):
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
    ran = _curate(*arguments)
    assert ran.returncode == 0, ran.stderr
    assert members(out) == members(demo)
    assert not list(out.rglob(".*tmp-*"))


def test_an_interrupted_run_stops_at_once_and_says_how_to_go_on(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "curate.cli.main",
        "demo",
        str(tmp_path / "out"),
        "--set",
        "input.split_bytes=50000",
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        workspace = Workspace(str(tmp_path / "out"))
        while process.poll() is None and not ledger.partitions_in(workspace, "extract"):
            time.sleep(0.01)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
    assert time.monotonic() - began < 5
    assert process.returncode == 130
    assert "the same command goes on from here" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "defualt", "--input", "x", "--output", "o"], "did you mean 'default'?"),
        (["run", "default", "--input", "nothing*.warc.gz", "--output", "o"], "no such file"),
        (["run", "default", "--output", "o"], "no inputs"),
        (["run", "default", "--input", "x", "--output", "o", "--until", "pakc"], "did you mean 'pack'?"),
        (["status", "o"], "holds no job"),
        (["validate", "o"], "no shards"),
        (["recipes", "obelisk"], "did you mean 'obelics'?"),
    ],
)
def test_a_wrong_command_is_one_line_exit_2_and_nothing_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert said in error
    assert len(error.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_other_inputs_in_the_same_output_are_refused(demo: Path, tmp_path: Path) -> None:
    out, other = tmp_path / "out", tmp_path / "other.warc.gz"
    shutil.copytree(demo, out)
    other.write_bytes(b"")
    ran = _curate("run", "default", "--input", str(other), "--output", str(out))
    assert ran.returncode == 2
    assert "give the same inputs" in ran.stderr
    assert _shards(out) == _shards(demo)


def _workers(driver: int) -> list[int]:
    """Processes that a driver's fork server has forked, by the group that they share, without the server itself."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it ended meanwhile
            continue
        if int(fields[2]) == driver:
            found.append((int(stat.parent.name), int(fields[1])))
    return [process for process, parent in found if parent not in (driver, os.getpid())]


def test_a_worker_that_is_killed_is_replaced_and_the_same_bytes_come_out(demo: Path, tmp_path: Path) -> None:
    arguments = ["demo", str(tmp_path / "out"), "--workers", "2", "--set", "input.split_bytes=100000"]
    command = [sys.executable, "-m", "curate.cli.main", *arguments]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                          start_new_session=True) as process:  # fmt: skip
        workspace = Workspace(str(tmp_path / "out"))
        while process.poll() is None and not ledger.partitions_in(workspace, "extract"):
            time.sleep(0.001)
        os.kill(_workers(process.pid)[-1], signal.SIGKILL)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert members(tmp_path / "out") == members(demo)
    assert not list((tmp_path / "out").rglob(".*tmp-*"))


def test_a_record_that_occurs_twice_in_a_file_is_one_sample_however_the_file_is_cut(tmp_path: Path) -> None:
    from importlib.resources import files

    sample = (files("curate.sample") / "crawl.warc.gz").read_bytes()
    twice = tmp_path / "twice.warc.gz"
    twice.write_bytes(sample + sample)
    for name, split in (("whole", "0"), ("cut", "200000")):
        ran = _curate("run", "default", "--input", str(twice), "--output", str(tmp_path / name), "--workers", "1",
                      "--set", f"input.split_bytes={split}", "--set", "fetch.enabled=false")  # fmt: skip
        assert ran.returncode == 0, ran.stderr
        assert _said("status", str(tmp_path / name))["adds_up"]
    assert members(tmp_path / "whole") == members(tmp_path / "cut")
    assert len(members(tmp_path / "cut")) > 60


def test_a_shard_that_was_removed_is_noticed_and_made_again(demo: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(demo, out)
    next((out / "shards").glob("*.tar")).unlink()
    checked = _curate("validate", str(out))
    assert (checked.returncode, "in the manifest, but not there" in checked.stdout) == (1, True)
    ran = _curate("demo", str(out), "--workers", "1")
    assert [line.split()[0] for line in ran.stderr.splitlines() if " partitions in " in line] == ["pack"]
    assert _shards(out) == _shards(demo)


def test_an_output_that_cannot_be_written_and_an_input_that_is_no_archive_are_said_in_a_line(tmp_path: Path) -> None:
    text = tmp_path / "text.warc.gz"
    text.write_bytes(b"hello")
    ran = _curate("run", "default", "--input", str(text), "--output", str(text / "sub"))
    assert (ran.returncode, len(ran.stderr.splitlines())) == (2, 1)
    assert "cannot be written" in ran.stderr
    ran = _curate("run", "default", "--input", str(text), "--output", str(tmp_path / "out"), "--until", "extract")
    assert "no input holds any record" in ran.stdout
    assert "not_an_archive" in ran.stdout
