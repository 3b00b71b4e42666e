"""Where a job runs: what a person can get wrong about it is said in a line, before anything is written."""

import json
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from curate.cli.main import main
from pipelines.frame.engine import EngineFailed
from pipelines.frame.engines import alive
from pipelines.frame.engines import beam as beam_engine
from pipelines.frame.engines.alive import Beacon
from pipelines.frame.engines.beam import BeamEngine, Deadlines
from pipelines.frame.storage import Workspace

SPARK = ("--engine", "spark")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--engine", "local", "--", "--runner=X"), "--engine local does not use"),
        (("--", "--flink_master=x"), "give --engine beam or spark"),
        (("--engine", "beam"), "which runner?"),
        (("--spark-master", "spark://h:7077"), "--spark-master needs --engine spark"),
        (SPARK, "either --spark-job-endpoint, or --spark-master"),
        ((*SPARK, "--spark-job-endpoint", "h:1", "--spark-master", "spark://h:2"), "either --spark-job-endpoint"),
        ((*SPARK, "--spark-master", "spark://h:7077"), "which job server?"),
        ((*SPARK, "--spark-master", "spark://h:1", "--spark-job-server", "no.jar"), "no.jar: there is no such file"),
    ],
)
def test_options_that_contradict_one_another_are_one_line_exit_2_and_nothing_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], options: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["demo", str(tmp_path / "out"), *options]) == 2
    error = capsys.readouterr().err
    assert said in error and len(error.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_job_server_that_does_not_answer_is_said_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but nobody listens
        endpoint = f"127.0.0.1:{taken.getsockname()[1]}"
        began = time.monotonic()
        assert main(["demo", str(tmp_path / "out"), *SPARK, "--spark-job-endpoint", endpoint]) == 1
    assert time.monotonic() - began < 15
    assert f"no job server answers at {endpoint}" in capsys.readouterr().err


def test_a_pipeline_that_fails_ends_the_stage_with_the_reason_in_a_line(tmp_path: Path) -> None:
    from pipelines.frame.exchange import exchange
    from tests.test_exchange import CountNumbers, EmitNumbers

    class Broken(CountNumbers):
        def __call__(self, key, values):  # type: ignore[no-untyped-def]
            raise ValueError("a merge that fails")

    with pytest.raises(EngineFailed, match="a merge that fails") as failed:
        exchange(BeamEngine(("--runner=FnApiRunner",)), "numbers", [0, 1], EmitNumbers(), Broken())
    assert len(str(failed.value).splitlines()) == 1


def test_a_beacon_speaks_at_once_while_there_is_work_and_is_silent_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alive, "_EVERY", 0.2)
    workspace, beacon = Workspace(str(tmp_path)), Beacon(str(tmp_path))
    assert alive.signs(workspace) == frozenset()
    with beacon.lit():
        first = alive.signs(workspace)
        assert len(first) == 1
        deadline = time.monotonic() + 5
        while alive.signs(workspace) == first:
            assert time.monotonic() < deadline, "no second sign"
            time.sleep(0.02)
    silent = alive.signs(workspace)
    time.sleep(0.6)
    assert alive.signs(workspace) == silent
    beacon.close()
    alive.forget(workspace)
    assert alive.signs(workspace) == frozenset()


class Stuck:
    """What a cluster that hangs looks like to the driver, after a worker has begun to work or before."""

    def __init__(self, root: str, speaks: bool) -> None:
        self.cancelled, self._root, self._speaks = False, root, speaks

    @property
    def state(self) -> str:
        if self._speaks:
            self._speaks = False
            with Beacon(self._root).lit():
                pass
        return "RUNNING"

    def cancel(self) -> None:
        self.cancelled = True


@pytest.mark.parametrize(("speaks", "said"), [(False, "no worker began to work"), (True, "no worker gave a sign")])
def test_a_cluster_that_hangs_is_given_up_and_told_to_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, speaks: bool, said: str
) -> None:
    monkeypatch.setattr(beam_engine, "_STATE_SECONDS", 0.01)
    monkeypatch.setattr(beam_engine, "_SIGNS_SECONDS", 0.05)
    deadlines = Deadlines(str(tmp_path), start=99 if speaks else 0.3, silence=0.3 if speaks else 99)
    stuck, engine = Stuck(str(tmp_path), speaks), BeamEngine((), deadlines=deadlines)
    with pytest.raises(EngineFailed, match=said):
        engine._wait(stuck, deadlines)
    assert stuck.cancelled


def test_an_interrupted_run_by_beam_ends_with_130_and_says_how_to_go_on(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "curate.cli.main", "demo", str(tmp_path / "out"), "--engine", "beam"]
    with subprocess.Popen([*command, "--", "--runner=FnApiRunner"], stderr=subprocess.PIPE, text=True) as run:
        while run.poll() is None and not (tmp_path / "out" / "job.yaml").exists():
            time.sleep(0.01)
        run.send_signal(signal.SIGINT)
        _, said = run.communicate(timeout=30)
    assert run.returncode == 130, said
    assert "the same command goes on from here" in said


def test_by_a_runner_of_beam_the_demo_gives_the_same_shards(tmp_path: Path) -> None:
    shards = []
    for name, options in (("own", ()), ("beam", ("--engine", "beam", "--", "--runner=FnApiRunner"))):
        cut = ("--set", "input.split_bytes=100000", "--workers", "1")
        command = [sys.executable, "-m", "curate.cli.main", "demo", str(tmp_path / name), *cut, *options]
        ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=250)
        assert ran.returncode == 0, ran.stderr
        shards.append({p.name: p.read_bytes() for p in sorted((tmp_path / name / "shards").iterdir())})
        assert not (tmp_path / name / "scratch").exists(), "scratch is left"
    assert shards[0] == shards[1]
    assert json.loads(shards[0]["manifest.json"])
