"""The engine that hands work to a runner of Beam: pipelines, their options, and deadlines for clusters that hang."""

import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.frame import alive
from pipelines.frame.engine import Engine, EngineFailed
from pipelines.frame.exchange import Plan
from pipelines.frame.memory import keep_small
from pipelines.frame.storage import Workspace
from pipelines.frame.task import Assignment, largest_first

if TYPE_CHECKING:
    import apache_beam as beam

    from pipelines.frame.stage import Job, Stage

_POLL_SECONDS = 2.0


@dataclass(frozen=True)
class Deadlines:
    """How long a cluster may take until the first worker works, and how long none may say anything, in seconds."""

    root: str
    start: float
    silence: float


class BeamEngine(Engine):
    """Any runner, by Beam's own options, `--runner` among them."""

    def __init__(self, beam_args: Sequence[str], workers: int = 0, deadlines: Deadlines | None = None) -> None:
        self.workers = workers
        self._args, self._deadlines = tuple(beam_args), deadlines

    def work(self, stage: "Stage", todo: Sequence[Assignment], job: "Job") -> None:
        """One pipeline: the rounds of the stage, then its partitions, the largest first."""
        from pipelines.frame.pipeline import Work, forget_todo, say_todo

        keep_small()
        say_todo(stage, largest_first(todo), job.workspace.root)
        try:
            self._run(f"curate-{stage.name}", Work(stage, len(todo), job, self._told))
        finally:
            forget_todo(job.workspace.root)

    def exchange(self, plan: Plan) -> None:
        """One pipeline."""
        from pipelines.frame.pipeline import Exchange

        self._run(f"curate-{plan.name}", Exchange(plan, self._told))

    @property
    def _told(self) -> str | None:
        return self._deadlines.root if self._deadlines else None

    def _run(self, name: str, whole: "beam.PTransform") -> None:
        import apache_beam as beam
        from apache_beam.options.pipeline_options import PipelineOptions

        name = name.replace("_", "-")
        pipeline = beam.Pipeline(options=PipelineOptions(["--job_name", name, *self._args], save_main_session=False))
        pipeline | "Curate" >> whole
        try:
            result = pipeline.run()
            if self._deadlines is None:
                result.wait_until_finish()
            else:
                self.submitted(result)
                self._wait(result, self._deadlines)
                self.ended()
        except EngineFailed:
            raise
        except Exception as error:
            raise EngineFailed(f"{_last_line(error)}{self.where_to_look()}") from error

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

        workspace = Workspace(deadlines.root)
        alive.forget(workspace)
        heard, since, worked = frozenset[str](), time.monotonic(), False
        try:
            while not PipelineState.is_terminal(result.state):
                time.sleep(_POLL_SECONDS)
                now = alive.signs(workspace)
                if now != heard:
                    heard, since, worked = now, time.monotonic(), True
                patience = deadlines.silence if worked else deadlines.start
                if time.monotonic() - since > patience:
                    raise EngineFailed(self._said_of_silence(patience, worked))
            result.wait_until_finish()  # raises if it failed
        except BaseException:
            with contextlib.suppress(Exception):
                result.cancel()
            self.ended()
            raise
        finally:
            alive.forget(workspace)

    def _said_of_silence(self, seconds: float, worked: bool) -> str:
        what = "no worker gave a sign of life for" if worked else "no worker began to work within"
        return f"{what} {seconds:.0f} s{self.where_to_look()}"


def _last_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[-1] if lines else 'without a message'}"
