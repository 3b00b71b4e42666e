"""The standalone cluster of deploy/spark: it runs pipelines on all its workers, recovers, and leaves nothing behind."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.spark_cluster import SparkCluster, spark_cluster

_CLUSTER = Path(__file__).parents[1] / "deploy" / "spark" / "cluster.py"
_ELEMENTS = 6


def test_each_element_is_a_task_and_both_workers_take_their_share(cluster: SparkCluster, tmp_path: Path) -> None:
    _finish(_submit(cluster, tmp_path, seconds=1.0))
    done = _done(tmp_path)
    assert sorted(element for element, _ in done) == list(range(_ELEMENTS))
    assert len({worker for _, worker in done}) >= 2


@pytest.mark.faults
def test_a_cancelled_pipeline_leaves_no_task_running(cluster: SparkCluster, tmp_path: Path) -> None:
    client = _submit(cluster, tmp_path, seconds=2.0)
    _until(lambda: len(_done(tmp_path)) >= 1)
    client.send_signal(signal.SIGINT)
    client.wait(timeout=60)
    _until(lambda: not cluster.python_workers())
    so_far = len(_done(tmp_path))
    time.sleep(5)
    assert len(_done(tmp_path)) == so_far < _ELEMENTS


def test_a_stage_that_workers_cannot_load_fails_at_once_and_says_why(cluster: SparkCluster, tmp_path: Path) -> None:
    (tmp_path / "only_here.py").write_text("def work(element, seconds, done):\n    return element\n")
    arguments = [cluster.job_endpoint, cluster.worker_pool, str(tmp_path / "done.txt"), "0", "1", "only_here"]
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    client = subprocess.run(
        [sys.executable, "-m", "tests.spark_pipeline", *arguments],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )
    assert client.returncode != 0
    assert "ModuleNotFoundError: No module named 'only_here'" in client.stderr


@pytest.mark.faults
def test_the_pool_comes_back_when_it_is_killed(cluster: SparkCluster, tmp_path: Path) -> None:
    before = cluster.pool()
    os.kill(before, signal.SIGKILL)
    _until(lambda: not Path(f"/proc/{before}").exists())
    host, port = cluster.worker_pool.split(":")
    _until(lambda: _answers(host, int(port)))
    assert cluster.pool() != before
    _finish(_submit(cluster, tmp_path, seconds=0.1))


@pytest.mark.faults
def test_a_stopped_cluster_leaves_no_process(tmp_path: Path) -> None:
    with spark_cluster(tmp_path / "cluster", workers=1) as running:
        _finish(_submit(running, tmp_path, seconds=0.1))
        groups = set(running.pids.values())
        assert _living(groups) >= groups
    assert not _living(groups)
    assert not (tmp_path / "cluster" / "cluster.json").exists()


def test_a_taken_port_is_said_before_anything_runs(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        arguments = ["start", "--folder", str(tmp_path), "--jar", __file__, "--master-port", str(port)]
        failed = subprocess.run(
            [sys.executable, _CLUSTER, *arguments], capture_output=True, text=True, check=False, timeout=60
        )
    assert failed.returncode == 1
    assert f"port {port} of 127.0.0.1 is taken" in failed.stderr


def test_a_jar_that_is_none_ends_the_start_with_the_log_to_read(tmp_path: Path) -> None:
    (tmp_path / "none.jar").write_bytes(b"no jar")
    arguments = ["start", "--folder", str(tmp_path), "--jar", str(tmp_path / "none.jar"), "--workers", "1"]
    failed = subprocess.run([sys.executable, _CLUSTER, *arguments], capture_output=True, text=True, check=False)
    assert failed.returncode == 1
    assert "job-server ended while it was starting" in failed.stderr
    assert str(tmp_path / "logs" / "job-server.log") in failed.stderr
    assert not (tmp_path / "cluster.json").exists()


def test_a_jar_that_is_not_there_is_said_before_anything_runs(tmp_path: Path) -> None:
    arguments = ["start", "--folder", str(tmp_path), "--jar", str(tmp_path / "none.jar")]
    failed = subprocess.run([sys.executable, _CLUSTER, *arguments], capture_output=True, text=True, check=False)
    assert failed.returncode == 1
    assert "none.jar: there is no such file; build.sh makes it" in failed.stderr
    assert not (tmp_path / "logs").exists()


def _submit(cluster: SparkCluster, folder: Path, seconds: float) -> "subprocess.Popen[bytes]":
    arguments = [cluster.job_endpoint, cluster.worker_pool, str(folder / "done.txt"), str(seconds), str(_ELEMENTS)]
    return subprocess.Popen([sys.executable, "-m", "tests.spark_pipeline", *arguments])


def _finish(client: "subprocess.Popen[bytes]") -> None:
    assert client.wait(timeout=120) == 0


def _done(folder: Path) -> list[tuple[int, int]]:
    """(element, process that did it) pairs."""
    path = folder / "done.txt"
    lines = path.read_text().splitlines() if path.exists() else []
    return [(int(element), int(worker)) for element, worker in (line.split() for line in lines)]


def _until(holds: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def _answers(host: str, port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((host, port)) == 0


def _living(groups: set[int]) -> set[int]:
    """Process groups, of these, that have living members."""
    stats = (path.read_text() for path in Path("/proc").glob("[0-9]*/stat"))
    fields = (stat.rpartition(")")[2].split() for stat in stats)
    return {int(field[2]) for field in fields if field[0] != "Z"} & groups
