"""The engine of one machine: work in this process where it is little, else in worker processes; shuffles through files.

It needs no Beam. Importing it takes longer than most stages of a small job, its runner shares work out before it begins
instead of when a worker is free, and holds shuffles in memory.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from pipelines.frame.engine import Engine, EngineFailed
from pipelines.frame.engines.pool import pulled
from pipelines.frame.engines.spill import BUCKET_BYTES, exchange_through_files
from pipelines.frame.exchange import Plan
from pipelines.frame.memory import give_back, keep_small
from pipelines.frame.rounds import RoundFailed, conclusions
from pipelines.frame.storage import Workspace
from pipelines.frame.task import Assignment, largest_first
from pipelines.frame.work import work_on
from schemas.recipe import Recipe

if TYPE_CHECKING:
    from pipelines.frame.stage import Job, Stage

_FEW = 64  # partitions of a light stage that are sooner done here than workers are there


class LocalEngine(Engine):
    """So many workers on this machine; every core unless said otherwise."""

    def __init__(self, workers: int = 0) -> None:
        self.workers = workers or len(os.sched_getaffinity(0))

    def __enter__(self) -> Self:
        keep_small()
        return self

    def work(self, stage: "Stage", todo: Sequence[Assignment], job: "Job") -> None:
        """The largest partitions first."""
        try:
            known = conclusions(stage.rounds(job.recipe), job.workspace, job.partitions, job.recipe)
        except RoundFailed as error:
            raise EngineFailed(str(error)) from error
        here = stage.light and len(todo) <= _FEW
        work = _Work(stage, tuple(known), job.workspace.root, job.recipe, tidy=not here)
        workers = min(self.workers, stage.most_workers(job.recipe) or self.workers)
        for _ in self._each(work, largest_first(todo), 1 if here else workers):
            pass
        give_back()

    def exchange(self, plan: Plan) -> None:
        """In this process where little is shuffled among few partitions."""
        here = len(plan.sources) <= _FEW and plan.total_bytes <= BUCKET_BYTES
        exchange_through_files(plan, lambda do, items: self._each(do, items, 1 if here else self.workers))
        give_back()

    @staticmethod
    def _each(do: Callable[[Any], Any], items: Sequence[Any], workers: int) -> Iterable[Any]:
        workers = min(workers, len(items))
        return pulled(do, items, workers) if workers > 1 else map(do, items)


@dataclass(frozen=True)
class _Work:
    stage: "Stage"
    known: tuple[Any, ...]
    root: str
    recipe: Recipe
    tidy: bool
    """Give memory back after each partition; of light ones, of which it takes a third of the time, only once."""

    def __call__(self, assignment: Assignment) -> None:
        work_on(self.stage, assignment, self.known, Workspace(self.root), self.recipe)
        if self.tidy:
            give_back()
