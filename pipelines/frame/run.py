"""Runs a stage: finds missing and outdated partitions, does those in one Beam pipeline, checks what came out."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
from apache_beam.metrics import Metrics

from pipelines.frame import ledger
from pipelines.frame.engine import Engine
from pipelines.frame.memory import give_back, keep_small
from pipelines.frame.partitions import Partition
from pipelines.frame.stage import Job, Stage, assignments
from pipelines.frame.storage import Workspace
from pipelines.frame.task import Assignment, Task, describe, errors_name
from pipelines.frame.watch import WorkerDied, workers_watched
from schemas.ledger import LedgerRecord
from schemas.recipe import Recipe
from schemas.statuses import StageName


class StageFailed(RuntimeError):
    """A stage could not be finished: partitions failed, or more items than the recipe's max_error_rate allows."""


@dataclass(frozen=True)
class StagePlan:
    """What of a stage is done and what is to do."""

    stage: Stage
    todo: tuple[Assignment, ...]
    total: int


def plan_stage(stage: Stage, job: Job) -> StagePlan:
    """Compare the ledger with the fingerprints that would be computed now. Upstream stages must be done."""
    upstream = {read.stage: ledger.read_all(job.workspace, read.stage) for read in stage.reads}
    records = ledger.read_all(job.workspace, stage.name)
    wanted = assignments(stage, job, upstream)
    there = {name for folder in stage.writes for name in job.workspace.list(folder)}
    todo = tuple(a for a in wanted if not _is_done(records.get(a.partition.partition), a, there))
    return StagePlan(stage, todo, len(wanted))


def _is_done(record: LedgerRecord | None, assignment: Assignment, there: set[str]) -> bool:
    """Whether a record is of this very work, and what it wrote is still there."""
    if record is None or record.fingerprint != assignment.fingerprint:
        return False
    return all(output.path in there for output in record.outputs)


def run_stage(plan: StagePlan, job: Job, engine: Engine) -> None:
    """Do what a plan says, then the stage's own finish.

    Raises:
        StageFailed: see there. What was done stays done.
    """
    stage = plan.stage
    if plan.todo:
        for folder in (*stage.writes, f"ledger/{stage.name}", f"errors/{stage.name}"):
            job.workspace.remove_leftovers(folder)
        for assignment in plan.todo:
            ledger.invalidate(job.workspace, stage.name, assignment.partition.partition)
        _run_pipeline(plan, job, engine)
    records = ledger.read_all(job.workspace, stage.name)
    _check(plan, job, records)
    stage.finish(job, records)


def _run_pipeline(plan: StagePlan, job: Job, engine: Engine) -> None:
    name = plan.stage.name
    try:
        with workers_watched(), engine.pipeline(f"curate-{name}", len(plan.todo), plan.stage.light) as pipeline:
            pipeline | name.title() >> RunStage(plan, job, engine)
    except WorkerDied as error:
        raise StageFailed(
            f"{name}: a worker process was killed ({error}); if memory ran out, use fewer --workers or a smaller "
            "input.split_bytes; the same command goes on from here"
        ) from error


class RunStage(beam.PTransform):
    """Every assignment of a plan done and committed by some worker; the numbers of the partitions come out."""

    def __init__(self, plan: StagePlan, job: Job, engine: Engine) -> None:
        super().__init__()
        self._plan, self._job, self._engine = plan, job, engine

    def expand(self, pipeline: beam.Pipeline) -> "beam.PCollection[int]":
        """Assignments, spread over the workers, each with what the stage gathered for it, worked on."""
        stage = self._plan.stage
        spread = (
            pipeline
            | "Todo" >> beam.Create(self._engine.spread(self._plan.todo))
            | "Spread" >> beam.GroupByKey()
            | "Ungroup" >> beam.FlatMap(_values)
        )
        everything = pipeline | "Partitions" >> beam.Create(self._job.partitions) | beam.Reshuffle()
        given = stage.gather(everything, self._job)
        paired = spread | "Pair" >> beam.Map(_alone) if given is None else _join(spread, given)
        work = _Work(stage, self._job.recipe, self._job.workspace.root)
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
    """Does one partition. A failing partition is recorded and does not stop the others."""

    def __init__(self, stage: Stage, recipe: Recipe, root: str) -> None:
        self._stage, self._recipe, self._root = stage, recipe, root
        self._done = Metrics.counter("curate", f"{stage.name}_partitions")

    def setup(self) -> None:
        """Once a process, before its first partition."""
        keep_small()

    def process(self, element: tuple[Assignment, Sequence[Any]]) -> Iterator[int]:
        assignment, given = element
        task = Task(self._stage.name, assignment, Workspace(self._root), self._recipe)
        try:
            self._stage.process(task, given)
            task.commit()
        except Exception as error:  # noqa: BLE001 - reported by the driver, which then fails the stage
            failed = describe(error, task.number, assignment.partition.path) | {"partition_failed": True}
            task.workspace.write_text(errors_name(task.stage, task.number), json.dumps(failed) + "\n")
        finally:
            task.abandon()
            give_back()
        self._done.inc()
        yield task.number


def _check(plan: StagePlan, job: Job, records: dict[int, LedgerRecord]) -> None:
    failed = [a.partition for a in plan.todo if a.partition.partition not in records]
    if failed:
        raise StageFailed(_partitions_failed(plan.stage.name, job.workspace, failed, plan.total))
    errors = sum(record.errors for record in records.values())
    items = sum(_items(record) for record in records.values())
    if errors > job.recipe.max_error_rate * items:
        raise StageFailed(
            f"{plan.stage.name}: {errors} of {items} items failed, more than max_error_rate "
            f"{job.recipe.max_error_rate:g} allows; see {job.workspace.path(f'errors/{plan.stage.name}/')}"
        )


def _items(record: LedgerRecord) -> int:
    return max((tally.taken for tally in record.tallies.values()), default=0)


def _partitions_failed(stage: StageName, workspace: Workspace, failed: Sequence[Partition], total: int) -> str:
    name = errors_name(stage, failed[0].partition)
    try:
        error = json.loads(workspace.read_text(name).splitlines()[0])
        why = f"{error['error']}: {error['message']} ({error['where']}, {error['key']})"
    except FileNotFoundError:
        why = "its worker ended before it could say why"
    return f"{stage}: {len(failed)} of {total} partitions failed; partition {failed[0].partition}: {why}"
