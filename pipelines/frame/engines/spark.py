"""The engine for a Spark cluster: Beam's portable runner through a job server, given or started here for the run."""

import contextlib
import json
import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from subprocess import STDOUT, Popen
from types import FrameType
from typing import TYPE_CHECKING, Any, Self

from pipelines.frame.engine import EngineFailed
from pipelines.frame.engines import alive
from pipelines.frame.engines.beam import BeamEngine, Deadlines
from pipelines.frame.storage import Workspace

if TYPE_CHECKING:
    from pipelines.frame.engines.pipeline import Whole

_SUBMITTED = "submitted.json"
_CONNECT_SECONDS = 10.0
_JOB_SERVER_SECONDS = 90.0
_ONE_CORE = "spark.executor.cores=1"  # an executor has one Python, however many cores
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class SparkCluster:
    """Where a cluster is: the endpoint of a job server, or a Spark master and the jar of a job server to be started."""

    worker_pool: str
    job_endpoint: str = ""
    master: str = ""
    jar: str = ""


class SparkEngine(BeamEngine):
    """Work on a Spark cluster whose nodes run worker pools. Ends what it started, and what nobody waits for."""

    tries = 3

    def __init__(
        self, cluster: SparkCluster, deadlines: Deadlines, workers: int = 0, beam_args: Sequence[str] = ()
    ) -> None:
        super().__init__(beam_args, workers, deadlines)
        self._cluster, self._own_args, self._root = cluster, tuple(beam_args), deadlines.root
        self._server: JobServer | None = None

    def __enter__(self) -> Self:
        """Connect, and end what a run that was killed has left running.

        Raises:
            EngineFailed: where no job server answers, or it cannot be started.
        """
        self._connect()
        for number in (signal.SIGINT, signal.SIGTERM):
            if threading.current_thread() is threading.main_thread():
                signal.signal(number, _interrupt)
        self._cancel_earlier()
        return self

    def _connect(self) -> None:
        self._endpoint = self._cluster.job_endpoint
        if not self._endpoint:
            _check_master(self._cluster.master)
            self._server = JobServer(self._cluster.master, self._cluster.jar)
            self._endpoint = self._server.start()
        elif not _answers(self._endpoint, _CONNECT_SECONDS):
            raise EngineFailed(f"no job server answers at {self._endpoint}; is it running, can this machine reach it?")
        self._args = (
            "--runner=PortableRunner", f"--job_endpoint={self._endpoint}", "--job_server_timeout=30",
            "--environment_type=EXTERNAL", f"--environment_config={self._cluster.worker_pool}",
            "--experiments=disable_logging_submission_environment", "--storage_level=MEMORY_AND_DISK",
            # Tasks of a pipeline share a Python: a new one for each would load models again.
            "--environment_cache_millis=5000", *self._own_args,
        )  # fmt: skip

    def recover(self) -> None:
        """Start another job server if ours has ended."""
        if self._server is not None and not self._server.lives:
            self._connect()

    def __exit__(self, *raised: object) -> None:
        """Stop the job server if it was started here."""
        alive.forget(Workspace(self._root))
        if self._server is not None:
            self._server.stop(keep_log=raised[0] is not None)

    def options_for(self, whole: "Whole") -> list[str]:
        """As many tasks as there are pieces of work, so that executors pull them (our job server knows this option)."""
        return [f"--spark_parallelism={whole.width}"]

    def where_to_look(self) -> str:
        """Logs by who writes them."""
        server = f"the job server's ({self._server.log})" if self._server else "the job server's"
        return (
            f"; look at {server}, at stderr of the executors on the Spark master's page, and at what the worker pools "
            f"({self._cluster.worker_pool} on every node) print"
        )

    def submitted(self, result: Any) -> None:
        """Write down which job it is, so that it can be ended if this process is killed."""
        said = {"endpoint": self._endpoint, "job": result._job_id}
        Workspace(self._root).write_text(_SUBMITTED, json.dumps(said))

    def ended(self) -> None:
        """Forget it."""
        Workspace(self._root).remove(_SUBMITTED)

    def _cancel_earlier(self) -> None:
        workspace = Workspace(self._root)
        with contextlib.suppress(FileNotFoundError, ValueError):
            said = json.loads(workspace.read_text(_SUBMITTED))
            if said["endpoint"] == self._endpoint:
                _cancel(self._endpoint, said["job"])
            self.ended()


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Unwind, so that the cluster is told; a second interrupt ends at once."""
    signal.signal(number, signal.SIG_DFL)
    raise KeyboardInterrupt


def _cancel(endpoint: str, job: str) -> None:
    """End a job and wait until it has ended; nothing happens where the server does not know it."""
    import grpc
    from apache_beam.portability.api import beam_job_api_pb2, beam_job_api_pb2_grpc
    from apache_beam.runners.portability.portable_runner import TERMINAL_STATES

    with contextlib.suppress(grpc.RpcError), grpc.insecure_channel(endpoint) as channel:
        service = beam_job_api_pb2_grpc.JobServiceStub(channel)
        asked = beam_job_api_pb2.GetJobStateRequest(job_id=job)
        deadline = time.monotonic() + _CONNECT_SECONDS
        while service.GetState(asked, timeout=_CONNECT_SECONDS).state not in TERMINAL_STATES:
            service.Cancel(beam_job_api_pb2.CancelJobRequest(job_id=job), timeout=_CONNECT_SECONDS)
            if time.monotonic() > deadline:
                return
            time.sleep(0.5)


def _check_master(master: str) -> None:
    """Spark itself would try for a minute. Masters of YARN and Kubernetes are not asked."""
    if master.startswith("spark://"):
        endpoints = master.removeprefix("spark://").split(",")
        if not any(_answers(endpoint, _CONNECT_SECONDS) for endpoint in endpoints):
            raise EngineFailed(f"no Spark master answers at {master}; is it running, can this machine reach it?")


def _answers(endpoint: str, seconds: float) -> bool:
    host, _, port = endpoint.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=seconds):
            return True
    except (OSError, ValueError):
        return False


class JobServer:
    """Beam's job server as a driver of Spark, started by spark-submit and stopped with this process."""

    def __init__(self, master: str, jar: str) -> None:
        self._master, self._jar = master, jar
        self._folder = Path(tempfile.mkdtemp(prefix="curate-spark-"))
        self.log = self._folder / "job-server.log"
        self._process: Popen[bytes] | None = None

    def start(self) -> str:
        """Start it and wait until it answers; its endpoint.

        Raises:
            EngineFailed: where there is no spark-submit or the server ends or is silent; the log says more.
        """
        port = _free_port()
        command = [
            spark_submit(), "--name", "curate", "--master", self._master, "--conf", _ONE_CORE, self._jar,
            f"--artifacts-dir={self._folder / 'artifacts'}",
            f"--job-port={port}", "--artifact-port=0", "--expansion-port=-1",
        ]  # fmt: skip
        with self.log.open("wb") as log:
            self._process = Popen(  # noqa: S603 - the paths are the user's own
                command,
                stdout=log,
                stderr=STDOUT,
                process_group=0,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - before any thread is started
            )
        endpoint, deadline = f"localhost:{port}", time.monotonic() + _JOB_SERVER_SECONDS
        while not _answers(endpoint, 1.0):
            if self._process.poll() is not None:
                raise EngineFailed(f"the job server ended at once: {self._last_line()}; see {self.log}")
            if time.monotonic() > deadline:
                self.stop(keep_log=True)
                raise EngineFailed(f"the job server does not answer after {_JOB_SERVER_SECONDS:.0f} s; see {self.log}")
            time.sleep(0.2)
        return endpoint

    @property
    def lives(self) -> bool:
        """Whether its process is there."""
        return self._process is not None and self._process.poll() is None

    def stop(self, keep_log: bool) -> None:
        """End it and its children."""
        if self._process is not None and self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                self._wait(5.0)
            if self._process.poll() is None:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
        if not keep_log:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _wait(self, seconds: float) -> None:
        from subprocess import TimeoutExpired

        assert self._process is not None
        with contextlib.suppress(TimeoutExpired):
            self._process.wait(seconds)

    def _last_line(self) -> str:
        lines = [line.strip() for line in self.log.read_text(errors="replace").splitlines() if line.strip()]
        said = [line for line in lines if "Error" in line or "Exception" in line]
        return (said or lines or ["it said nothing"])[-1]


def spark_submit() -> str:
    """The spark-submit of SPARK_HOME, of the path, or of an installed pyspark.

    Raises:
        EngineFailed: where there is none.
    """
    homes = [os.environ.get("SPARK_HOME")]
    spec = find_spec("pyspark")
    homes += [spec.submodule_search_locations[0]] if spec and spec.submodule_search_locations else []
    found = [f"{home}/bin/spark-submit" for home in homes[:1] if home]
    found += [path for path in [shutil.which("spark-submit")] if path]
    found += [f"{home}/bin/spark-submit" for home in homes[1:]]
    for path in found:
        if os.access(path, os.X_OK):
            return path
    raise EngineFailed("there is no spark-submit: set SPARK_HOME, or give --spark-job-endpoint of a running job server")


def _free_port() -> int:
    with socket.socket() as some:
        some.bind(("127.0.0.1", 0))
        return int(some.getsockname()[1])


def _die_with_parent() -> None:
    """Ask Linux for a SIGTERM when the driver dies, so that kill -9 of a run leaves no cluster busy."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
