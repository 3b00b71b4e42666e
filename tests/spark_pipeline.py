"""A small pipeline on a cluster, in a process of its own, so that it can be interrupted: one element, one task."""

import importlib
import os
import sys
import time

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions


class ClusterOptions(PipelineOptions):
    """The job server's own option, of which Beam does not know."""

    @classmethod
    def _add_argparse_args(cls, parser: beam.options.pipeline_options._BeamArgumentParser) -> None:
        parser.add_argument("--spark_parallelism", type=int)


def main(job_endpoint: str, worker_pool: str, done: str, seconds: str, elements: str, module: str = "") -> None:
    """Have each element take some seconds, and noted in a file when it is done; by this module, or by another one."""
    work = importlib.import_module(module).work if module else _work
    options = PipelineOptions(
        flags=[],
        runner="PortableRunner",
        job_endpoint=job_endpoint,
        environment_type="EXTERNAL",
        environment_config=worker_pool,
        experiments=["disable_logging_submission_environment"],
        spark_parallelism=int(elements),
    )
    pipeline = beam.Pipeline(options=options)
    _ = pipeline | beam.Create(range(int(elements))) | beam.Map(work, float(seconds), done)
    running = pipeline.run()
    try:
        running.wait_until_finish()
    except KeyboardInterrupt:
        running.cancel()


def _work(element: int, seconds: float, done: str) -> None:
    time.sleep(seconds)
    with open(done, "a") as out:
        out.write(f"{element} {os.getpid()}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
