"""Jobs on a real Spark cluster of two workers: the bytes of a local run, whatever is killed, and errors that say so."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.frame import ledger
from pipelines.frame.storage import Workspace
from tests.spark_cluster import SparkCluster

CUT = ("--workers", "2", "--set", "input.split_bytes=200000")
SHORT = (*CUT, "--until", "digest")


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("local") / "out"
    ran = run("demo", str(out), *CUT)
    assert ran.returncode == 0, ran.stderr
    return out


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "curate.cli.main", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=280)


def on(cluster: SparkCluster) -> tuple[str, ...]:
    return (
        "--engine",
        "spark",
        "--spark-job-endpoint",
        cluster.job_endpoint,
        "--spark-worker-pool",
        cluster.worker_pool,
    )


def tables(out: Path, *folders: str) -> dict[str, bytes]:
    return {str(p.relative_to(out)): p.read_bytes() for folder in folders for p in sorted((out / folder).iterdir())}


def free_port() -> int:
    with socket.socket() as some:
        some.bind(("127.0.0.1", 0))
        return int(some.getsockname()[1])


def test_the_demo_gives_the_bytes_of_a_local_run(cluster: SparkCluster, local: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    ran = run("demo", str(out), *CUT, *on(cluster))
    assert ran.returncode == 0, ran.stderr
    folders = sorted(path.name for path in local.iterdir() if path.is_dir() and path.name != "ledger")
    assert tables(out, *folders) == tables(local, *folders)
    assert {p.name for p in out.iterdir()} == {p.name for p in local.iterdir()}, "something is left behind"
    assert not list(out.rglob(".*tmp-*"))


@pytest.mark.faults
@pytest.mark.parametrize("victim", ["an executor", "a Python worker", "the worker pool"])
def test_what_is_killed_in_the_middle_is_replaced_and_nothing_is_lost(
    cluster: SparkCluster, local: Path, tmp_path: Path, victim: str
) -> None:
    out = tmp_path / "out"
    victims: dict[str, Callable[[], list[int]]] = {
        "an executor": cluster.executors,
        "a Python worker": cluster.python_workers,
        "the worker pool": lambda: [cluster.pool()],
    }
    with subprocess.Popen([sys.executable, "-m", "curate.cli.main", "demo", str(out), *SHORT, *on(cluster)],
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:  # fmt: skip
        when_begun(process, out)
        os.kill(victims[victim]()[-1], signal.SIGKILL)
        _, said = process.communicate(timeout=200)
    assert process.returncode == 0, said
    assert tables(out, "documents", "digests") == tables(local, "documents", "digests")
    assert not list(out.rglob(".*tmp-*"))


@pytest.mark.faults
def test_a_driver_that_is_killed_leaves_a_job_that_the_next_run_ends_before_it_goes_on(
    cluster: SparkCluster, local: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    arguments = ("demo", str(out), *SHORT, *on(cluster))
    with subprocess.Popen([sys.executable, "-m", "curate.cli.main", *arguments],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:  # fmt: skip
        when_begun(process, out)
        process.kill()
    job = json.loads((out / "submitted.json").read_text())["job"]
    ran = run(*arguments)
    assert ran.returncode == 0, ran.stderr
    assert tables(out, "documents", "digests") == tables(local, "documents", "digests")
    assert state_of(cluster, job) in ("CANCELLED", "DONE")
    assert not (out / "submitted.json").exists()


def when_begun(process: "subprocess.Popen[str] | subprocess.Popen[bytes]", out: Path) -> None:
    """Wait until a partition is done, or one more is being done."""
    while process.poll() is None and not ledger.partitions_in(Workspace(str(out)), "extract"):
        time.sleep(0.01)


def state_of(cluster: SparkCluster, job: str) -> str:
    import grpc
    from apache_beam.portability.api import beam_job_api_pb2, beam_job_api_pb2_grpc

    with grpc.insecure_channel(cluster.job_endpoint) as channel:
        asked = beam_job_api_pb2.GetJobStateRequest(job_id=job)
        state = beam_job_api_pb2_grpc.JobServiceStub(channel).GetState(asked, timeout=10).state
    return str(beam_job_api_pb2.JobState.Enum.Name(state))


def test_without_a_worker_pool_the_run_ends_with_what_to_look_at(cluster: SparkCluster, tmp_path: Path) -> None:
    nowhere = f"localhost:{free_port()}"
    spark = ("--engine", "spark", "--spark-job-endpoint", cluster.job_endpoint, "--spark-worker-pool", nowhere)
    ran = run("demo", str(tmp_path / "out"), *SHORT, *spark)
    assert ran.returncode == 1
    assert f"what the worker pools ({nowhere} on every node) print" in ran.stderr.splitlines()[-1]


@pytest.mark.faults
def test_a_cluster_without_free_workers_is_given_up_after_the_time_that_was_set(
    cluster: SparkCluster, tmp_path: Path
) -> None:
    spark = ("--engine", "spark", "--spark-master", cluster.master, "--spark-job-server", str(cluster.jar))
    began = time.monotonic()
    ran = run("demo", str(tmp_path / "out"), *SHORT, *spark, "--spark-worker-pool", cluster.worker_pool,
              "--start-timeout", "15")  # fmt: skip
    assert ran.returncode == 1
    assert "no worker began to work within 15 s" in ran.stderr and "job-server.log" in ran.stderr
    assert time.monotonic() - began < 120


def test_a_master_that_is_not_there_and_a_jar_that_is_no_job_server_are_said(
    cluster: SparkCluster, tmp_path: Path
) -> None:
    other = tmp_path / "other.jar"
    shutil.copy(Path(__file__), other)
    missing = f"spark://127.0.0.1:{free_port()}"
    for master, jar, said in (
        (missing, cluster.jar, f"no Spark master answers at {missing}"),
        (cluster.master, other, "the job server ended at once"),
    ):
        spark = ("--engine", "spark", "--spark-master", master, "--spark-job-server", str(jar))
        ran = run("demo", str(tmp_path / "out"), *SHORT, *spark)
        assert ran.returncode == 1
        assert said in ran.stderr.splitlines()[-1]
