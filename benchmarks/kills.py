"""Kills parts of runs on Spark at random moments and compares the shards with those of a run that nobody disturbed.

    python benchmarks/kills.py CLUSTER executor --runs 20 -- demo --workers 2 --set input.split_bytes=100000
    python benchmarks/kills.py CLUSTER pool --runs 20 -- run default --input 'crawl/*.warc.gz'
    python benchmarks/kills.py CLUSTER driver --runs 20 -- demo

CLUSTER is the folder of a cluster that deploy/spark/cluster.py has started. What follows -- is a command of curate
without its output. `executor` kills the JVM of an executor, `worker` a Python worker, `pool` the worker pool, which its
supervisor starts again, and `driver` curate itself; where a run then ends with an error, the same command is given
again.
"""

import argparse
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

_RUN_SECONDS = 900.0
_EXECUTOR = "CoarseGrainedExecutorBackend"


@dataclass(frozen=True)
class Disturbed:
    """What became of one run: when it was hit, how long it took, how often the command was given."""

    hit: float
    seconds: float
    commands: int
    same: bool


def main() -> None:
    """Print a line a run, then a summary; exit status 1 where shards differ."""
    own, _, command = _split(sys.argv[1:])
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cluster", type=Path)
    parser.add_argument("victim", choices=("executor", "worker", "pool", "driver"))
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(own)
    with tempfile.TemporaryDirectory(prefix="curate-kills-") as folder:
        runs = Runs(options.cluster, command, Path(folder))
        usual = min(runs.undisturbed() for _ in range(2))  # the first has to start executors
        print(f"undisturbed: {usual:.1f} s", flush=True)
        rng, done = random.Random(options.seed), []
        for number in range(options.runs):
            done.append(runs.disturbed(options.victim, rng.uniform(0.05, 0.95) * usual))
            print(number, done[-1], flush=True)
    same = sum(run.same for run in done)
    lost = sorted(run.seconds - usual for run in done)
    print(f"{same} of {len(done)} with the same shards; seconds lost: median {lost[len(lost) // 2]:.1f}, "
          f"most {lost[-1]:.1f}; command given again in {sum(run.commands > 1 for run in done)}")  # fmt: skip
    sys.exit(same != len(done))


def _split(arguments: list[str]) -> tuple[list[str], str, list[str]]:
    at = arguments.index("--") if "--" in arguments else len(arguments)
    return arguments[:at], "--", arguments[at + 1 :]


class Runs:
    """Runs of one command on one cluster."""

    def __init__(self, cluster: Path, command: Sequence[str], folder: Path) -> None:
        self._state, self._folder, self._count = json.loads((cluster / "cluster.json").read_text()), folder, 0
        self._command, self._expected = list(command), ""

    def undisturbed(self) -> float:
        """Seconds of a run; its shards are what others are compared with."""
        began, out = time.monotonic(), self._next_out()
        assert self._start(out).wait(_RUN_SECONDS) == 0, "the undisturbed run failed"
        digest = _digest(out)
        assert self._expected in ("", digest), "two undisturbed runs differ"
        self._expected = digest
        return time.monotonic() - began

    def disturbed(self, victim: str, after: float) -> Disturbed:
        """A run that is hit after so many seconds."""
        out, began = self._next_out(), time.monotonic()
        run = self._start(out)
        time.sleep(after)
        self._hit(victim, run)
        commands = 1
        while run.wait(_RUN_SECONDS) != 0:
            if victim != "driver":
                print("  ", self._last_line(), flush=True)
            commands += 1
            assert commands < 6, "it does not come to an end"
            run = self._start(out)
        leftovers = [*out.rglob(".*tmp-*"), *out.glob("scratch")]
        same = _digest(out) == self._expected and not leftovers
        return Disturbed(round(after, 1), round(time.monotonic() - began, 1), commands, same)

    def _hit(self, victim: str, run: "subprocess.Popen[bytes]") -> None:
        if victim == "driver":
            run.kill()
        elif victim == "executor":
            _kill_one(pid for pid, line in _processes() if _EXECUTOR in line and self._port in line)
        else:
            supervisor = next(part["pid"] for part in self._state["parts"] if part["name"] == "pool")
            pools = [pid for pid, _ in _processes() if _parent(pid) == supervisor]
            servers = {pid for pid, _ in _processes() if _parent(pid) in pools}
            _kill_one(pools if victim == "pool" else [pid for pid, _ in _processes() if _parent(pid) in servers])

    @property
    def _port(self) -> str:
        """The master's, which executors are told."""
        return str(self._state["master"].rpartition(":")[2])

    def _start(self, out: Path) -> "subprocess.Popen[bytes]":
        name, *rest = self._command
        placed = [str(out), *rest] if name == "demo" else [*rest, "--output", str(out)]
        spark = ["--engine", "spark", "--spark-job-endpoint", self._state["job_endpoint"],
                 "--spark-worker-pool", self._state["worker_pool"]]  # fmt: skip
        command = [sys.executable, "-m", "curate.cli.main", name, *placed, *spark]
        with open(self._folder / "log", "ab") as log:
            return subprocess.Popen(command, stdout=log, stderr=log)

    def _last_line(self) -> str:
        return (self._folder / "log").read_text().splitlines()[-1]

    def _next_out(self) -> Path:
        self._count += 1
        return self._folder / str(self._count)


def _digest(out: Path) -> str:
    files = sorted((out / "shards").iterdir())
    return hashlib.sha256(
        b"".join(p.name.encode() + hashlib.sha256(p.read_bytes()).digest() for p in files)
    ).hexdigest()


def _processes() -> list[tuple[int, str]]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append((int(path.parent.name), path.read_bytes().replace(b"\0", b" ").decode(errors="replace")))
        except OSError:  # it ended meanwhile
            continue
    return found


def _kill_one(found: Iterable[int]) -> None:
    some = list(found)
    if some:
        os.kill(random.choice(some), signal.SIGKILL)


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


if __name__ == "__main__":
    main()
