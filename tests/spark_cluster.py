"""A real Spark cluster for tests: built and started by deploy/spark's scripts, as a user does it."""

import contextlib
import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

_SCRIPTS = Path(__file__).parents[1] / "deploy" / "spark"
_NOT_TO_BE_HAD = (3, 4)  # Java, or what Maven downloads


@dataclass(frozen=True)
class SparkCluster:
    """Where a cluster answers, and the processes of its parts, to be killed. Logs are in `folder`/logs and /work."""

    folder: Path
    jar: Path
    master: str
    job_endpoint: str
    worker_pool: str
    pids: dict[str, int]

    def executors(self) -> list[int]:
        """Processes of executors: none before the first pipeline."""
        workers = [pid for name, pid in self.pids.items() if name.startswith("worker-")]
        return [child for worker in workers for child in _children(worker)]

    def pool(self) -> int:
        """The pool's process, which is another one once this is killed."""
        return _children(self.pids["pool"])[0]

    def python_workers(self) -> list[int]:
        """Processes that run stages now: children of the one that the pool forks them from."""
        return [worker for helper in _children(self.pool()) for worker in _children(helper)]


@contextlib.contextmanager
def spark_cluster(folder: Path, workers: int = 2) -> Iterator[SparkCluster]:
    """A master, one-core workers, a pool and a job server on loopback. Skips where Java is not to be had."""
    if importlib.util.find_spec("pyspark") is None:
        pytest.skip("pyspark is not installed: the extra `spark` has it")
    jar = _job_server_jar()
    try:
        _cluster("start", folder, f"--jar={jar}", f"--workers={workers}", "--memory=512m")
        state = json.loads((folder / "cluster.json").read_text())
        pids = {part["name"]: part["pid"] for part in state["parts"]}
        yield SparkCluster(folder, jar, state["master"], state["job_endpoint"], state["worker_pool"], pids)
    finally:
        _cluster("stop", folder)


def _job_server_jar() -> Path:
    built = subprocess.run([_SCRIPTS / "build.sh"], capture_output=True, text=True, check=False)
    if built.returncode in _NOT_TO_BE_HAD:
        pytest.skip(built.stderr.strip().splitlines()[-1])
    assert built.returncode == 0, built.stdout + built.stderr
    return Path(built.stdout.split()[-1])


def _cluster(command: str, folder: Path, *options: str) -> None:
    arguments = [sys.executable, str(_SCRIPTS / "cluster.py"), command, "--folder", str(folder), *options]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _children(pid: int) -> list[int]:
    """Processes started by any thread of a process."""
    lists = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for children in lists for child in children.read_text().split()]
