"""Runs a stage: finds missing and outdated partitions, has those done, checks what came out."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.frame import ledger
from pipelines.frame.engine import Engine, EngineFailed
from pipelines.frame.partitions import Partition
from pipelines.frame.stage import Job, Stage, assignments
from pipelines.frame.storage import Workspace
from pipelines.frame.task import Assignment, errors_name
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
    return record is not None and _is_of(record, assignment) and all(output.path in there for output in record.outputs)


def _is_of(record: LedgerRecord | None, assignment: Assignment) -> bool:
    return record is not None and record.fingerprint == assignment.fingerprint


def run_stage(plan: StagePlan, job: Job, engine: Engine) -> None:
    """Do what a plan says, then the stage's own finish.

    Raises:
        StageFailed: see there. What was done stays done.
    """
    stage = plan.stage
    if plan.todo:
        _remove_leftovers(stage, job)
        ledger.invalidate_all(job.workspace, stage.name, {a.partition.partition for a in plan.todo})
        try:
            _do(plan, job, engine)
        finally:
            _remove_leftovers(stage, job)
    records = ledger.read_all(job.workspace, stage.name)
    _check(plan, job, records)
    stage.finish(job, records)


def _remove_leftovers(stage: Stage, job: Job) -> None:
    """What workers that were killed have left half-written."""
    for folder in (*stage.writes, f"ledger/{stage.name}", f"errors/{stage.name}"):
        job.workspace.remove_leftovers(folder)


def _do(plan: StagePlan, job: Job, engine: Engine) -> None:
    stage = plan.stage
    try:
        stage.prepare(job, engine)
        engine.work(stage, plan.todo, job)
        stage.clean_up(job)
    except EngineFailed as error:
        raise StageFailed(f"{stage.name}: {error}; the same command goes on from here") from error


def _check(plan: StagePlan, job: Job, records: dict[int, LedgerRecord]) -> None:
    failed = [a.partition for a in plan.todo if not _is_of(records.get(a.partition.partition), a)]
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
