"""Whole jobs with inputs and output in an object store, on good days and bad ones: the bytes of a local run."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import s3fs

from schemas.recipe import Recipe
from tests.s3_store import KEY, SECRET, Requests, environment, proxy, s3_server
from tests.shard_members import members

SAMPLE = files("curate.sample") / "crawl.warc.gz"
INPUT, OUTPUT = "s3://crawls/in/crawl.warc.gz", "s3://crawls/out"
SETTINGS = ("--set", "fetch.enabled=false")


def _curate(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "curate.cli.main", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=280, env=environment)


def _shards(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "shards").iterdir()}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with s3_server(tmp_path_factory.mktemp("s3"), "crawls") as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def store(server: str) -> s3fs.S3FileSystem:
    """The store as this process sees it, without a proxy."""
    fs = s3fs.S3FileSystem(endpoint_url=server, key=KEY, secret=SECRET, use_listings_cache=False)
    fs.pipe_file(INPUT, SAMPLE.read_bytes())
    return fs


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same job on disk."""
    out = tmp_path_factory.mktemp("local") / "out"
    arguments = ("run", "default", "--input", str(SAMPLE), "--output", str(out), "--workers", "1", *SETTINGS)
    ran = _curate(dict(os.environ), *arguments)
    assert ran.returncode == 0, ran.stderr
    return out


@pytest.fixture(scope="module")
def stormy(server: str, store: s3fs.S3FileSystem, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A run that is killed in the middle and given again, while the store refuses every tenth request."""
    scratch, home, log = (tmp_path_factory.mktemp(name) for name in ("scratch", "home", "proxy"))
    arguments = ("run", "default", "--input", INPUT, "--output", OUTPUT, "--workers", "2", *SETTINGS)
    with proxy(server, log / "log", slow_down=10) as requests:
        given = environment(requests.endpoint, TMPDIR=str(scratch), HOME=str(home))
        command = [sys.executable, "-m", "curate.cli.main", *arguments]
        with subprocess.Popen(command, env=given, stderr=subprocess.PIPE, text=True) as killed:
            while not store.exists(f"{OUTPUT}/ledger/extract/00000.json") and killed.poll() is None:
                time.sleep(0.05)
            killed.kill()
            _, said = killed.communicate(timeout=60)
        done = store.find(OUTPUT)
        ran = _curate(given, *arguments)
        faults = Counter(line["fault"] for line in requests.seen())
    assert (killed.returncode, ran.returncode) == (-signal.SIGKILL, 0), said + ran.stderr
    logs = said + ran.stdout + ran.stderr
    return {"done": done, "said": ran.stderr, "logs": logs, "faults": faults, "local": (scratch, home)}


def test_with_every_tenth_request_refused_and_a_kill_in_between_the_shards_are_those_of_a_local_run(
    local: Path, store: s3fs.S3FileSystem, stormy: dict[str, Any]
) -> None:
    found = {path.rsplit("/", 1)[-1]: store.cat_file(path) for path in store.find(f"{OUTPUT}/shards")}
    assert found == _shards(local) and len(found) == 3
    assert stormy["faults"]["slow_down"] > 25
    assert not any("/digests/" in path for path in stormy["done"]), "the first run was over when it was killed"


def test_nothing_is_left_but_what_belongs_to_the_job(
    local: Path, store: s3fs.S3FileSystem, stormy: dict[str, Any]
) -> None:
    names = {path.removeprefix("crawls/out/") for path in store.find(OUTPUT)}
    assert names == {str(path.relative_to(local)) for path in local.rglob("*") if path.is_file()}
    assert store.call_s3("list_multipart_uploads", Bucket="crawls").get("Uploads", []) == []
    left = [path for folder in stormy["local"] for path in folder.rglob("*") if path.is_file()]
    assert left == [], "scratch of the killed run or of the other, or what a library keeps at home"


def test_credentials_are_in_no_file_and_no_line_of_output(store: s3fs.S3FileSystem, stormy: dict[str, Any]) -> None:
    held = [path for path in store.find(OUTPUT) for secret in (KEY, SECRET) if secret.encode() in store.cat_file(path)]
    assert held == [] and KEY not in stormy["logs"] and SECRET not in stormy["logs"]


@pytest.fixture(scope="module")
def calm(server: str, stormy: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Requests]:
    with proxy(server, tmp_path_factory.mktemp("calm") / "log") as requests:
        yield requests


def test_a_second_run_finds_nothing_to_do_and_reads_each_record_once(calm: Requests) -> None:
    arguments = ("run", "default", "--input", INPUT, "--output", OUTPUT, *SETTINGS)
    ran = _curate(environment(calm.endpoint), *arguments)
    assert ran.returncode == 0 and "nothing to do" in ran.stderr
    assert not calm.seen(kind="PUT")
    records = Counter(line["path"] for line in calm.seen(kind="GET") if "/ledger/" in line["path"])
    assert set(records.values()) == {1} and len(records) == 10
    assert not [line for line in calm.seen(kind="GET") if "/in/" in line["path"]], "the input is the same still"


def test_status_explain_tune_and_validate_read_a_job_in_a_store(calm: Requests, local: Path) -> None:
    given = environment(calm.endpoint)
    page = "https://harbour-museum.example/birds/ringing-station"
    for arguments in (("status", "{}", "--rules", "--json"), ("explain", "{}", page, "--json"),
                      ("tune", "{}", "--set", "select.image.width.min=450", "--json")):  # fmt: skip
        there, here = (
            _curate(given, *(argument.format(place) for argument in arguments)).stdout for place in (OUTPUT, str(local))
        )
        assert json.loads(there.replace(INPUT, str(SAMPLE))) == json.loads(here)
    checked = _curate(given, "validate", OUTPUT)
    assert checked.returncode == 0 and "all valid" in checked.stdout


def test_a_dataloader_with_workers_reads_shards_from_a_store(
    calm: Requests, local: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch_data = pytest.importorskip("torch.utils.data")
    import curate

    for name, value in environment(calm.endpoint).items():
        monkeypatch.setenv(name, value)
    s3fs.S3FileSystem.clear_instance_cache()
    there, here = (
        [d.key for batch in torch_data.DataLoader(curate.load(place), num_workers=2, collate_fn=list) for d in batch]
        for place in (OUTPUT, str(local))
    )
    written = {name.partition(".")[0] for name in members(local)}
    assert len(written) > 30 and sorted(there) == sorted(here) == sorted(written)


def test_more_partitions_are_no_more_listings_of_any_stage(
    server: str, store: s3fs.S3FileSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from curate.job import prepare
    from curate.stages import stages
    from pipelines.frame.engines.local import LocalEngine
    from pipelines.frame.run import plan_stage, run_stage

    listings: dict[int, dict[str, int]] = {}
    with proxy(server, tmp_path / "log") as requests:
        for name, value in environment(requests.endpoint).items():
            monkeypatch.setenv(name, value)
        s3fs.S3FileSystem.clear_instance_cache()
        for slice_bytes in (320_000, 130_000):
            settings = {"fetch": {"enabled": False}, "input": {"split_bytes": slice_bytes}, "measure": {"nsfw": False}}
            recipe = Recipe.model_validate(settings)
            job = prepare(recipe, [INPUT], f"s3://crawls/cut-{slice_bytes}", 1)
            counts = listings[len(job.partitions)] = {}
            for stage in stages(job.recipe):
                requests.forget()
                run_stage(plan_stage(stage, job), job, LocalEngine(1))
                counts[stage.name.value] = requests.kinds()["LIST"]
    assert set(listings) == {2, 5} and listings[2] == listings[5]


def test_images_that_are_not_those_of_their_table_are_not_packed(local: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(local, out)
    images = out / "images" / "00000.tar"
    images.write_bytes(images.read_bytes().replace(b"JFIF", b"JFIG"))
    (out / "ledger" / "pack" / "00000.json").unlink()
    arguments = ("run", "default", "--input", str(SAMPLE), "--output", str(out), "--workers", "1", *SETTINGS)
    ran = _curate(dict(os.environ), *arguments)
    assert ran.returncode == 1 and "more than max_error_rate" in ran.stderr
    assert "is not the image" in (out / "errors" / "pack" / "00000.jsonl").read_text()
