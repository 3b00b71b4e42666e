"""Starts, shows and ends a standalone Spark cluster on this machine that runs Beam's Python pipelines.

It has the parts that a real cluster has: a master, workers, a pool of Python workers, and Beam's job server.
"""

import argparse
import contextlib
import importlib.util
import json
import os
import re
import shutil
import sys
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from processes import Part, PartFailed, await_answer, end, free_port, launch, listens

_STATE = "cluster.json"
_FOLDERS = ("logs", "scratch", "work")
_START_SECONDS = 90.0
# Half the processor time of starting up, on a machine that has better things to do; Python does the work.
_LIGHT_JVM = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:-UsePerfData"
_Started = tuple[Part, Callable[[], bool]]
_EXAMPLE = """\
example:
  %(prog)s start --folder /tmp/spark --jar "$(deploy/spark/build.sh)"
  %(prog)s status --folder /tmp/spark
  %(prog)s stop --folder /tmp/spark
"""


@dataclass
class Cluster:
    """Where a cluster's parts answer, and which processes they are. Written to cluster.json in its folder."""

    master: str = ""
    master_ui: str = ""
    worker_pool: str = ""
    job_endpoint: str = ""
    parts: list[Part] = field(default_factory=list)

    def save(self, folder: Path) -> None:
        """Write the state; readers see the old or the new one."""
        beside = folder / f"{_STATE}.new"
        beside.write_text(json.dumps(asdict(self), indent=2) + "\n")
        beside.replace(folder / _STATE)

    @classmethod
    def load(cls, folder: Path) -> "Cluster":
        """Read the state.

        Raises:
            FileNotFoundError: no cluster was started in this folder.
        """
        state = json.loads((folder / _STATE).read_text())
        return cls(**state | {"parts": [Part(**part) for part in state["parts"]]})


class Starter:
    """Starts the parts of a cluster; each is awaited."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options, self._folder, self._host = options, options.folder.resolve(), options.host
        self._spark = spark_home()
        for name in _FOLDERS:
            shutil.rmtree(self._folder / name, ignore_errors=True)
            (self._folder / name).mkdir(parents=True)
        self.cluster = Cluster()

    def start(self) -> Cluster:
        """Start everything, or nothing.

        Raises:
            PartFailed: a part did not start; those before it have been ended again.
        """
        try:
            self._await(*self._master())
            rest = [
                self._pool(),
                self._job_server(),
                *(self._worker(number) for number in range(self._options.workers)),
            ]
            for part, answers in rest:
                self._await(part, answers)
        except BaseException:
            stop(self._folder)
            raise
        return self.cluster

    def _master(self) -> _Started:
        port, ui = self._port("master_port"), free_port(self._host)
        self.cluster.master, self.cluster.master_ui = f"spark://{self._host}:{port}", f"http://{self._host}:{ui}"
        arguments = ["--host", self._host, "--port", str(port), "--webui-port", str(ui)]
        command = [self._bin("spark-class"), "org.apache.spark.deploy.master.Master", *arguments]
        return self._run("master", command), lambda: self._workers_alive() is not None

    def _worker(self, number: int) -> _Started:
        cores, memory = self._options.cores, f"{self._options.cores * self._options.memory}m"
        arguments = ["--host", self._host, "--cores", str(cores), "--memory", memory, "--webui-port", "0"]
        arguments += ["--work-dir", str(self._folder / "work"), self.cluster.master]
        command = [self._bin("spark-class"), "org.apache.spark.deploy.worker.Worker", *arguments]
        return self._run(f"worker-{number}", command), lambda: (self._workers_alive() or 0) > number

    def _pool(self) -> _Started:
        port = self._port("pool_port")
        self.cluster.worker_pool = f"localhost:{port}"
        command = [sys.executable, "-m", "curate.cli.main", "worker-pool", "--port", str(port)]
        # Started again where it ends, as systemd or Kubernetes does on a real node.
        keep = ["/bin/sh", "-c", 'while :; do "$@"; sleep 0.2; done', "pool", *command]
        return self._run("pool", keep), lambda: listens("127.0.0.1", port)

    def _job_server(self) -> _Started:
        port, memory = self._port("job_port"), f"{self._options.memory}m"
        self.cluster.job_endpoint = f"{self._host}:{port}"
        command = [self._bin("spark-submit"), "--name", "curate", "--master", self.cluster.master]
        # One core an executor, since one Python works for an executor, whatever its cores.
        command += ["--driver-memory", memory, "--executor-memory", memory, "--executor-cores", "1"]
        command += ["--driver-java-options", self._java_options()]
        command += ["--conf", f"spark.executor.extraJavaOptions={self._java_options()}"]
        command += [argument for pair in self._options.conf for argument in ("--conf", pair)]
        command += [str(self._options.jar), f"--job-host={self._host}", f"--job-port={port}"]
        command += [
            "--artifact-port=0",
            "--expansion-port=-1",
            f"--artifacts-dir={self._folder / 'scratch'}",
        ]
        return self._run("job-server", command), lambda: listens(self._host, port)

    def _run(self, name: str, command: Sequence[str]) -> Part:
        environment = os.environ | {
            "SPARK_HOME": str(self._spark),
            "SPARK_CONF_DIR": str(self._folder / "scratch"),  # settings of another cluster stay out of this one
            "SPARK_LOCAL_IP": self._host,
            "SPARK_LOCAL_DIRS": str(self._folder / "scratch"),
            "SPARK_DAEMON_JAVA_OPTS": self._java_options(),
            "SPARK_DAEMON_MEMORY": "256m",
        }
        part = launch(name, command, self._folder / "logs" / f"{name}.log", environment)
        self.cluster.parts.append(part)
        self.cluster.save(self._folder)
        return part

    @staticmethod
    def _await(part: Part, answers: Callable[[], bool]) -> None:
        await_answer(part, answers, _START_SECONDS)

    def _workers_alive(self) -> int | None:
        """How many workers the master knows; None while it does not answer."""
        address = f"{self.cluster.master_ui}/json/"
        with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=2) as page:  # noqa: S310 - http
            return int(json.load(page)["aliveworkers"])
        return None

    def _port(self, option: str) -> int:
        given: int = getattr(self._options, option)
        if given and listens(self._host, given):
            raise PartFailed(f"port {given} of {self._host} is taken; give another --{option.replace('_', '-')}")
        return given or free_port(self._host)

    def _java_options(self) -> str:
        return f"{_LIGHT_JVM} -Djava.io.tmpdir={self._folder / 'scratch'}"

    def _bin(self, name: str) -> str:
        return str(self._spark / "bin" / name)


def stop(folder: Path) -> None:
    """End a cluster's processes, and remove what only they needed. Logs stay: those of executors are under work/."""
    with contextlib.suppress(FileNotFoundError):
        end(Cluster.load(folder).parts)
        (folder / _STATE).unlink()
    shutil.rmtree(folder / "scratch", ignore_errors=True)
    for copied in (folder / "work").glob("*/*/*.jar"):
        copied.unlink()


def spark_home() -> Path:
    """Folder of a Spark 3.5: SPARK_HOME, else that of the installed pyspark."""
    if os.environ.get("SPARK_HOME"):
        return Path(os.environ["SPARK_HOME"])
    found = importlib.util.find_spec("pyspark")
    if found is None or found.origin is None:
        raise PartFailed("no Spark: set SPARK_HOME to a Spark 3.5, or install one with: pip install 'curate[spark]'")
    return Path(found.origin).parent


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; exit status 0 if all parts run (start, status) or none does any more (stop)."""
    options = _parser().parse_args(argv)
    try:
        return int(options.command(options))
    except PartFailed as error:
        print(f"cluster.py: {error}", file=sys.stderr)
        return 1


def _start(options: argparse.Namespace) -> int:
    with contextlib.suppress(FileNotFoundError):
        if any(part.is_running for part in Cluster.load(options.folder).parts):
            raise PartFailed(f"a cluster is running in {options.folder}; stop it first, or give another --folder")
    if not options.jar.is_file():
        raise PartFailed(f"--jar {options.jar}: there is no such file; build.sh makes it and prints its path")
    _print(Starter(options).start())
    return 0


def _stop(options: argparse.Namespace) -> int:
    stop(options.folder)
    return 0


def _status(options: argparse.Namespace) -> int:
    try:
        cluster = Cluster.load(options.folder)
    except FileNotFoundError:
        print(f"no cluster in {options.folder}")
        return 1
    _print(cluster)
    return 0 if all(part.is_running for part in cluster.parts) else 1


def _print(cluster: Cluster) -> None:
    print(f"master        {cluster.master}  (page: {cluster.master_ui})")
    print(f"job endpoint  {cluster.job_endpoint}")
    print(f"worker pool   {cluster.worker_pool}")
    print(f"run with      --engine spark --spark-job-endpoint {cluster.job_endpoint}"
          f" --spark-worker-pool {cluster.worker_pool}")  # fmt: skip
    for part in cluster.parts:
        print(f"{part.name:12}  {'runs' if part.is_running else 'ENDED'}  pid {part.pid}  {part.log}")


def _mebibytes(size: str) -> int:
    """Spark's way of giving memory, such as 512m or 2g."""
    match = re.fullmatch(r"(\d+)([mg])", size)
    if match is None:
        raise argparse.ArgumentTypeError(f"{size!r} is not a size such as 512m or 2g")
    return int(match[1]) * (1024 if match[2] == "g" else 1)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=_EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True, metavar="start | status | stop")
    starting = commands.add_parser(
        "start", help="start a cluster", formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    starting.set_defaults(command=_start)
    starting.add_argument("--jar", type=Path, required=True, help="Beam's job server, as build.sh makes it")
    starting.add_argument("--host", default="127.0.0.1", help="address to which everything binds")
    starting.add_argument("--workers", type=int, default=2, help="Spark workers")
    starting.add_argument("--cores", type=int, default=1, help="cores of a worker, each with an executor")
    starting.add_argument(
        "--memory",
        type=_mebibytes,
        default="1g",
        help="of an executor's JVM, one a core; Python takes its own beside it",
    )
    starting.add_argument(
        "--conf", action="append", default=[], metavar="KEY=VALUE", help="option of Spark; repeatable"
    )
    for name in ("master", "pool", "job"):
        starting.add_argument(f"--{name}-port", type=int, default=0, help="0 is any free one")
    stopping = commands.add_parser("stop", help="end a cluster's processes, and no others")
    stopping.set_defaults(command=_stop)
    showing = commands.add_parser("status", help="show where the parts answer, and which run")
    showing.set_defaults(command=_status)
    for command in (starting, stopping, showing):
        command.add_argument("--folder", type=Path, required=True, help="for state, logs and scratch files")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
