"""Runs a stage: finds missing and outdated partitions, has those done, checks what came out."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.frame import ledger
from pipelines.frame.engine import Engine
from pipelines.frame.memory import keep_small
from pipelines.frame.partitions import Partition
from pipelines.frame.rounds import RoundFailed, conclusions
from pipelines.frame.stage import Job, Stage, assignments
from pipelines.frame.storage import Workspace
from pipelines.frame.task import Assignment, errors_name
from pipelines.frame.watch import WorkerDied, workers_watched
from pipelines.frame.work import work_on
from schemas.ledger import LedgerRecord
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
    upstream = {read.stage: ledger.read_all(job.workspace, read.stage) for read in stage.reads_under(job.recipe)}
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
        _do(plan, job, engine)
    records = ledger.read_all(job.workspace, stage.name)
    _check(plan, job, records)
    stage.finish(job, records)


def _do(plan: StagePlan, job: Job, engine: Engine) -> None:
    stage = plan.stage
    try:
        with workers_watched():
            keep_small()
            stage.prepare(job, engine)
            if engine.is_local and (stage.light or engine.worker_count == 1) and not stage.shuffles(job.recipe):
                _run_here(plan, job)
            else:
                _run_pipeline(plan, job, engine)
            stage.clean_up(job)
    except WorkerDied as error:
        raise StageFailed(
            f"{stage.name}: a worker process was killed ({error}); if memory ran out, use fewer --workers or a smaller "
            "input.split_bytes; the same command goes on from here"
        ) from error


def _run_here(plan: StagePlan, job: Job) -> None:
    """Light work, and that of one worker, in a loop: importing Beam takes longer than most of it."""
    try:
        known = conclusions(plan.stage.rounds(job.recipe), job.workspace, job.partitions, job.recipe)
    except RoundFailed as error:
        raise StageFailed(f"{plan.stage.name}: {error}") from error
    given = (tuple(known),)
    for assignment in plan.todo:
        work_on(plan.stage, assignment, given, job.workspace, job.recipe)


def _run_pipeline(plan: StagePlan, job: Job, engine: Engine) -> None:
    from pipelines.frame.pipeline import RunStage

    name = plan.stage.name
    with engine.pipeline(f"curate-{name}", len(plan.todo), plan.stage.light) as pipeline:
        pipeline | name.title() >> RunStage(plan.stage, engine.spread(plan.todo), job)


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
