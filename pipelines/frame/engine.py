"""Where a pipeline runs: Beam's options for an engine, and how partitions are shared out among its workers."""

import heapq
import os
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.frame.task import Assignment

if TYPE_CHECKING:
    import apache_beam as beam


@dataclass(frozen=True)
class Engine:
    """An engine and its size. `beam_args` go to Beam as they are; a `--runner` among them replaces the local one."""

    workers: int = 0
    beam_args: tuple[str, ...] = ()

    @property
    def is_local(self) -> bool:
        """Whether pipelines run in processes of this machine."""
        return not any(arg.startswith("--runner") for arg in self.beam_args)

    @property
    def worker_count(self) -> int:
        """Workers that work at the same time; every core unless said otherwise."""
        return self.workers or len(os.sched_getaffinity(0))

    def pipeline(self, name: str, tasks: int, light: bool) -> "beam.Pipeline":
        """An empty pipeline. One worker, or light work, stays in this process: another one takes seconds to start."""
        import apache_beam as beam
        from apache_beam.options.pipeline_options import PipelineOptions
        from apache_beam.runners.portability.fn_api_runner import FnApiRunner
        from apache_beam.transforms.environments import SubprocessSDKEnvironment

        if not self.is_local:
            return beam.Pipeline(options=PipelineOptions(["--job_name", name, *self.beam_args]))
        workers = 1 if light else min(self.worker_count, tasks)
        options = PipelineOptions([f"--direct_num_workers={workers}", *self.beam_args])
        # FnApiRunner by name: DirectRunner would first try to download another runner.
        if workers == 1:
            return beam.Pipeline(runner=FnApiRunner(), options=options)
        command = f"exec {shlex.quote(sys.executable)} -m pipelines.frame.worker"
        processes = SubprocessSDKEnvironment.from_command_string(command_string=command)
        return beam.Pipeline(runner=FnApiRunner(default_environment=processes), options=options)

    def spread(self, todo: Sequence[Assignment]) -> list[tuple[int, Assignment]]:
        """Assignments with the key by which they are shuffled to workers.

        The local runner gives each worker one bundle, so there the work is shared out by size, largest first; elsewhere
        each partition has a key of its own and workers take the next one when they are free.
        """
        if not self.is_local:
            return [(a.partition.partition, a) for a in todo]
        loads = [(0, worker) for worker in range(min(self.worker_count, len(todo)))]
        keyed = []
        for assignment in sorted(todo, key=lambda a: (-a.partition.bytes, a.partition.partition)):
            load, worker = heapq.heappop(loads)
            keyed.append((worker, assignment))
            heapq.heappush(loads, (load + assignment.partition.bytes, worker))
        return keyed
