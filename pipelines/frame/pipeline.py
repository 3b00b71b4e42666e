"""The Beam pipeline of a stage: partitions spread over workers, each with what the stage has learnt from all."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import apache_beam as beam
from apache_beam.metrics import Metrics

from pipelines.frame.memory import keep_small
from pipelines.frame.rounds import conclusions_by_beam
from pipelines.frame.stage import Job, Stage
from pipelines.frame.storage import Workspace
from pipelines.frame.task import Assignment
from pipelines.frame.work import work_on
from schemas.recipe import Recipe


class RunStage(beam.PTransform):
    """Every assignment done and committed by some worker; the numbers of the partitions come out.

    `todo` are assignments with the key by which they are spread over the workers.
    """

    def __init__(self, stage: Stage, todo: Sequence[tuple[int, Assignment]], job: Job) -> None:
        super().__init__()
        self._stage, self._todo, self._job = stage, todo, job

    def expand(self, pipeline: beam.Pipeline) -> "beam.PCollection[int]":
        """Assignments, spread over the workers, each with what the stage gathered for it, worked on."""
        stage, job = self._stage, self._job
        spread = (
            pipeline
            | "Todo" >> beam.Create(self._todo)
            | "Spread" >> beam.GroupByKey()
            | "Ungroup" >> beam.FlatMap(_values)
        )
        everything = pipeline | "Partitions" >> beam.Create(job.partitions) | beam.Reshuffle()
        rounds = stage.rounds(job.recipe)
        if rounds:
            given = conclusions_by_beam(rounds, job.workspace.root, everything, job.recipe)
        else:
            given = stage.gather(everything, job)
        paired = spread | "Pair" >> beam.Map(_alone) if given is None else _join(spread, given)
        work = _Work(stage, job.recipe, job.workspace.root)
        return paired | "Process" >> beam.ParDo(work)


def _join(spread: "beam.PCollection[Assignment]", given: "beam.PCollection[Any]") -> "beam.PCollection[Any]":
    by_number = spread | "ByNumber" >> beam.Map(lambda a: (a.partition.partition, a))
    return (by_number, given) | "Join" >> beam.CoGroupByKey() | "Joined" >> beam.FlatMap(_with_values)


def _alone(assignment: Assignment) -> tuple[Assignment, tuple[()]]:
    return assignment, ()


def _values(group: tuple[int, Iterable[Assignment]]) -> Iterable[Assignment]:
    return group[1]


def _with_values(
    joined: tuple[int, tuple[Iterable[Assignment], Iterable[Any]]],
) -> Iterator[tuple[Assignment, list[Any]]]:
    assigned, given = joined[1]
    values = list(given)
    for assignment in assigned:
        yield assignment, values


class _Work(beam.DoFn):
    """Does one partition."""

    def __init__(self, stage: Stage, recipe: Recipe, root: str) -> None:
        self._stage, self._recipe, self._root = stage, recipe, root
        self._done = Metrics.counter("curate", f"{stage.name}_partitions")

    def setup(self) -> None:
        """Once a process, before its first partition."""
        keep_small()

    def process(self, element: tuple[Assignment, Sequence[Any]]) -> Iterator[int]:
        assignment, given = element
        work_on(self._stage, assignment, given, Workspace(self._root), self._recipe)
        self._done.inc()
        yield assignment.partition.partition
