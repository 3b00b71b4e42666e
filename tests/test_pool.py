"""Worker processes: every item is done, each by whoever is free, whatever happens to the processes."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from pipelines.frame.engine import EngineFailed
from pipelines.frame.engines.local import LocalEngine
from pipelines.frame.engines.pool import pulled
from pipelines.frame.exchange import Scratch, exchange
from tests.test_exchange import CountNumbers, EmitNumbers, KeepNumbers


@dataclass(frozen=True)
class Sleep:
    """Takes as many seconds as asked, or with 0 until two processes are there; who did it and when it ended."""

    meeting: Path

    def __call__(self, seconds: float) -> tuple[float, int]:
        (self.meeting / str(os.getpid())).touch()
        while not seconds and len(list(self.meeting.iterdir())) < 2:
            time.sleep(0.01)
        time.sleep(seconds)
        return seconds, os.getpid()


@dataclass(frozen=True)
class DieOnce:
    """Kills its process at the items from `at` on, as often as there are files in a folder to remove."""

    folder: Path
    at: int

    def __call__(self, item: int) -> int:
        if item >= self.at:
            for file in self.folder.iterdir():
                file.unlink(missing_ok=True)
                os.kill(os.getpid(), signal.SIGKILL)
        return item


@dataclass(frozen=True)
class Fail:
    def __call__(self, item: int) -> int:
        raise ValueError(f"item {item}")


def lives(folder: Path, count: int) -> Path:
    folder.mkdir()
    for number in range(count):
        (folder / str(number)).touch()
    return folder


def test_a_long_piece_of_work_keeps_no_other_waiting(tmp_path: Path) -> None:
    done = list(pulled(Sleep(tmp_path), [0, 0, 3, *[0.1] * 10], 2))
    (slow,) = (process for seconds, process in done if seconds == 3)
    assert [seconds for seconds, process in done if process == slow][-1] == 3, "it took no other after the long one"
    assert done[-1] == (3, slow), "the long one ends last, when the other has done all the rest"


def test_every_item_is_done_once_and_what_it_returns_comes_back() -> None:
    assert sorted(pulled(abs, list(range(-50, 50)), 3)) == sorted(map(abs, range(-50, 50)))


def test_when_processes_die_the_rest_is_done_all_the_same(tmp_path: Path) -> None:
    assert sorted(pulled(DieOnce(lives(tmp_path / "lives", 2), 5), list(range(20)), 2)) == list(range(20))


def test_work_that_kills_its_process_each_time_ends_with_a_reason_after_the_others_were_done(tmp_path: Path) -> None:
    found: list[int] = []
    with pytest.raises(EngineFailed, match="a worker process was killed"):
        found.extend(pulled(DieOnce(lives(tmp_path / "lives", 99), 19), list(range(20)), 2))
    assert sorted(found) == list(range(19))


def test_an_error_of_the_work_is_raised_here() -> None:
    with pytest.raises(ValueError, match="item"):
        list(pulled(Fail(), [1, 2, 3], 2))


@dataclass(frozen=True)
class EmitAndDie:
    """Emits half of what EmitNumbers does before its process dies for the first time."""

    folder: Path

    def __call__(self, source: int):  # type: ignore[no-untyped-def]
        for place, keyed in enumerate(EmitNumbers()(source)):
            yield keyed
            for file in self.folder.iterdir() if place == 2 else ():
                file.unlink(missing_ok=True)
                os.kill(os.getpid(), signal.SIGKILL)


def test_a_source_that_died_half_way_counts_once_in_an_exchange(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipelines.frame.engines import local

    monkeypatch.setattr(local, "_FEW", 0)
    found = []
    for name, emit in (("calm", EmitNumbers()), ("dying", EmitAndDie(lives(tmp_path / "lives", 2)))):
        scratch = Scratch(str(tmp_path / name), "test")
        engine = LocalEngine(2)
        exchange(engine, "numbers", list(range(7)), emit, CountNumbers(), KeepNumbers(scratch), total_bytes=1000)
        read = [scratch.arrays("counts", source) for source in range(7)]
        found.append([sorted(zip(*(a.tolist() for a in arrays), strict=True)) for arrays in read])
    assert found[0] == found[1]
    assert not list((tmp_path / "lives").iterdir()), "nobody died"
    assert np.sum([len(rows) for rows in found[0]]) > 1000


def test_workers_end_when_their_driver_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "driver.py"
    script.write_text(
        "import os, sys, time\n"
        "from pipelines.frame.engines.pool import pulled\n"
        "def nap(path):\n"
        "    open(path + str(os.getpid()), 'w').close()\n"
        "    time.sleep(60)\n"
        "if __name__ == '__main__':\n"
        "    list(pulled(nap, [sys.argv[1]] * 2, 2))\n"
    )
    (tmp_path / "pids").mkdir()
    environment = {**os.environ, "PYTHONPATH": "."}
    with subprocess.Popen([sys.executable, str(script), f"{tmp_path}/pids/"], env=environment) as p:
        while len(list((tmp_path / "pids").iterdir())) < 2:
            time.sleep(0.02)
            assert p.poll() is None
        p.kill()
    pids = [int(file.name) for file in (tmp_path / "pids").iterdir()]
    deadline = time.monotonic() + 10
    while any(Path(f"/proc/{pid}").exists() for pid in pids):
        assert time.monotonic() < deadline, "workers outlive their driver"
        time.sleep(0.05)
