"""The engine that hands work to a runner of Beam: pipelines, their options, and deadlines for clusters that hang."""

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pipelines.frame import ledger
from pipelines.frame.engine import Engine, EngineFailed
from pipelines.frame.engines import alive
from pipelines.frame.exchange import Plan
from pipelines.frame.memory import keep_small
from pipelines.frame.storage import Workspace
from pipelines.frame.task import Assignment, largest_first

if TYPE_CHECKING:
    from pipelines.frame.engines.pipeline import Whole
    from pipelines.frame.stage import Job, Stage

_STATE_SECONDS = 0.2
_SIGNS_SECONDS = 5.0
_RETRY_SECONDS = 5.0
_OF_THE_WORK = "Traceback (most recent call last)"  # what failed is Python
# What would fail again; the second is what our job server for Spark says after a minute.
_FINAL = (_OF_THE_WORK, "does not answer, or took no application")


@dataclass(frozen=True)
class Deadlines:
    """How long a cluster may take until the first worker works, and how long none may say anything, in seconds."""

    root: str
    start: float
    silence: float


class BeamEngine(Engine):
    """Any runner, by Beam's own options, `--runner` among them."""

    tries: ClassVar[int] = 1
    """How often a pipeline is submitted where it fails for reasons of the cluster."""

    def __init__(self, beam_args: Sequence[str], workers: int = 0, deadlines: Deadlines | None = None) -> None:
        self.workers = workers
        self._args, self._deadlines = tuple(beam_args), deadlines

    def work(self, stage: "Stage", todo: Sequence[Assignment], job: "Job") -> None:
        """One pipeline: the rounds of the stage, then its partitions, the largest first."""
        from pipelines.frame.engines.pipeline import Work, forget_todo, say_todo

        keep_small()

        def left() -> "Whole | None":
            done = set(ledger.partitions_in(job.workspace, stage.name))
            some = [a for a in largest_first(todo) if a.partition.partition not in done]
            say_todo(stage, some, job.workspace.root)
            return Work(stage, len(some), job, self._told) if some else None

        try:
            self._run(f"curate-{stage.name}", left)
        finally:
            forget_todo(job.workspace.root)

    def exchange(self, plan: Plan) -> None:
        """One pipeline."""
        from pipelines.frame.engines.pipeline import Exchange

        self._run(f"curate-{plan.name}", lambda: Exchange(plan, self._told))

    @property
    def _told(self) -> str | None:
        return self._deadlines.root if self._deadlines else None

    def _run(self, name: str, left: Callable[[], "Whole | None"]) -> None:
        """Have done what is left; again if the cluster failed, and not the work."""
        for attempt in range(1, self.tries + 1):
            whole = left()
            if whole is None:
                return
            try:
                self._run_once(name.replace("_", "-"), whole)
                return
            except EngineFailed:
                raise
            except Exception as error:
                if attempt == self.tries or any(final in str(error) for final in _FINAL):
                    raise EngineFailed(f"{_in_a_line(error)}{self.where_to_look()}") from error
                time.sleep(_RETRY_SECONDS)
                self.recover()

    def _run_once(self, name: str, whole: "Whole") -> None:
        import apache_beam as beam
        from apache_beam.options.pipeline_options import PipelineOptions

        arguments = ["--job_name", name, *self.options_for(whole), *self._args]
        pipeline = beam.Pipeline(options=PipelineOptions(arguments, save_main_session=False))
        pipeline | "Curate" >> whole
        result = pipeline.run()
        if self._deadlines is None:
            result.wait_until_finish()
        else:
            self.submitted(result)
            self._wait(result, self._deadlines)
            self.ended()

    def options_for(self, whole: "Whole") -> list[str]:
        """Options of one pipeline."""
        return []

    def recover(self) -> None:
        """Before a pipeline is submitted again."""

    def submitted(self, result: Any) -> None:
        """After a pipeline was handed over."""

    def ended(self) -> None:
        """After it has ended well."""

    def where_to_look(self) -> str:
        """What to say of logs behind an error."""
        return ""

    def _wait(self, result: Any, deadlines: Deadlines) -> None:
        """Until the pipeline ends, or nothing was heard of it for too long."""
        from apache_beam.runners.runner import PipelineState

        workspace, worked = Workspace(deadlines.root), False
        heard = alive.signs(workspace)
        since = looked = time.monotonic()
        try:
            while not PipelineState.is_terminal(result.state):
                time.sleep(_STATE_SECONDS)
                if time.monotonic() - looked < _SIGNS_SECONDS:
                    continue
                now, looked = alive.signs(workspace), time.monotonic()
                if now != heard:
                    heard, since, worked = now, looked, True
                patience = deadlines.silence if worked else deadlines.start
                if looked - since > patience:
                    raise EngineFailed(self._said_of_silence(patience, worked))
            result.wait_until_finish()  # raises if it failed
        except BaseException:
            with contextlib.suppress(Exception):
                result.cancel()
            self.ended()
            raise

    def _said_of_silence(self, seconds: float, worked: bool) -> str:
        what = "no worker gave a sign of life for" if worked else "no worker began to work within"
        return f"{what} {seconds:.0f} s{self.where_to_look()}"


def _in_a_line(error: Exception) -> str:
    """The last line of a traceback, or the first of what a cluster says."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = lines[-1 if _OF_THE_WORK in str(error) else 0] if lines else "without a message"
    return f"{type(error).__name__}: {said}"
