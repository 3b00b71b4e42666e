"""Options that say where a job runs, and the engine that they ask for."""

import argparse
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from curate.errors import UserError

if TYPE_CHECKING:
    from pipelines.frame.engine import Engine

# What workers import sooner or later: loaded once, by the process from which they are forked.
IN_WORKERS = (
    "curate.stages", "pipelines.extract.extraction", "pipelines.extract.warm", "pipelines.fetch.images",
    "pipelines.measure.images", "rensa", "phonenumbers",
)  # fmt: skip
FOR_SCORES = ("open_clip", "sentencex", "pipelines.score.scoring")
ENGINES = ("local", "spark", "beam")
_SPARK_OPTIONS = ("spark_job_endpoint", "spark_master", "spark_job_server", "spark_worker_pool")


def add_engine_options(parser: argparse.ArgumentParser) -> None:
    """Options that say where a job runs."""
    group = parser.add_argument_group(
        "engines",
        "where the work is done: in processes of this machine, on a Spark cluster (see deploy/spark), or by any "
        "runner of Beam, such as --engine beam -- --runner=DataflowRunner --project=P",
    )
    group.add_argument(
        "--engine", choices=ENGINES, default=None, help="default: local, or beam where a --runner follows --"
    )
    group.add_argument("--spark-job-endpoint", metavar="HOST:PORT", help="a Beam job server that is running")
    group.add_argument("--spark-master", metavar="URL", help="spark://HOST:PORT, for a job server started for this run")
    group.add_argument("--spark-job-server", metavar="JAR", help="the job server to start (deploy/spark/build.sh)")
    group.add_argument(
        "--spark-worker-pool", metavar="HOST:PORT",
        help="where executors find the worker pool of their node (default: localhost:50000)",
    )  # fmt: skip
    group.add_argument(
        "--start-timeout", metavar="SECONDS", type=float, default=300.0,
        help="on a cluster: how long until a worker begins to work (default: 300)",
    )  # fmt: skip
    group.add_argument(
        "--silence-timeout", metavar="SECONDS", type=float, default=300.0,
        help="on a cluster: how long no worker may give a sign of life (default: 300)",
    )  # fmt: skip


def engine_of(arguments: argparse.Namespace, output: str, also_in_workers: Sequence[str] = ()) -> "Engine":
    """The engine, not yet started; `also_in_workers` are modules that this job needs beside the usual ones.

    Raises:
        UserError: where options are missing or contradict one another.
    """
    beam_args = tuple(arguments.beam_args)
    runner = any(arg.split("=")[0] == "--runner" for arg in beam_args)
    name = arguments.engine or ("beam" if runner else "local")
    given = [option for option in _SPARK_OPTIONS if getattr(arguments, option)]
    if name != "spark" and given:
        raise UserError(f"--{given[0].replace('_', '-')} needs --engine spark")
    if name == "local":
        if beam_args:
            raise UserError(
                "options after -- go to Beam, which --engine local does not use; give --engine beam or spark"
            )
        _warm_up(arguments.workers, output, also_in_workers)
        from pipelines.frame.engines.local import LocalEngine

        return LocalEngine(arguments.workers)
    if name == "beam":
        if not runner:
            raise UserError("--engine beam: which runner? Give it after --, such as -- --runner=DataflowRunner")
        from pipelines.frame.engines.beam import BeamEngine

        return BeamEngine(beam_args, arguments.workers)
    return _spark(arguments, output, beam_args)


def _warm_up(workers: int, output: str, also: Sequence[str]) -> None:
    """Have what workers need imported beside what this process imports meanwhile.

    Not where a job has been judged before: then it is most likely a bound that was moved, which takes no workers.
    """
    from pipelines.frame.engines import fork_server

    if workers != 1 and len(os.sched_getaffinity(0)) > 1:
        judged_before = os.path.isdir(os.path.join(output, "ledger", "select"))
        warm_up = fork_server.prepare if judged_before else fork_server.start
        warm_up([*IN_WORKERS, *also, "pipelines.frame.engines.local"])


def _spark(arguments: argparse.Namespace, output: str, beam_args: tuple[str, ...]) -> "Engine":
    from pipelines.frame.engines.beam import Deadlines
    from pipelines.frame.engines.spark import SparkCluster, SparkEngine
    from pipelines.frame.storage import absolute, exists

    endpoint, master, jar = arguments.spark_job_endpoint, arguments.spark_master, arguments.spark_job_server
    if bool(endpoint) == bool(master):
        raise UserError("--engine spark: give either --spark-job-endpoint, or --spark-master with --spark-job-server")
    if master and not jar:
        raise UserError(
            "--spark-master: which job server? Give --spark-job-server JAR (deploy/spark/build.sh makes one)"
        )
    if master and not exists(jar):
        raise UserError(f"--spark-job-server {jar}: there is no such file")
    cluster = SparkCluster(arguments.spark_worker_pool or "localhost:50000", endpoint or "", master or "", jar or "")
    deadlines = Deadlines(absolute(output), arguments.start_timeout, arguments.silence_timeout)
    return SparkEngine(cluster, deadlines, arguments.workers, beam_args)
