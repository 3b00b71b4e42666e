"""The work on one partition, from its task to its commit, wherever it is done."""

import json
from collections.abc import Sequence
from typing import Any

from pipelines.frame.stage import Stage
from pipelines.frame.storage import Workspace
from pipelines.frame.stores.errors import StoreFailed
from pipelines.frame.task import Assignment, Task, describe, errors_name
from schemas.recipe import Recipe


def work_on(stage: Stage, assignment: Assignment, known: Sequence[Any], workspace: Workspace, recipe: Recipe) -> None:
    """Do a partition. One that fails is recorded, for the driver to report, and does not stop the others.

    Its memory is the caller's to give back.
    """
    task = Task(stage.name, assignment, workspace, recipe)
    try:
        stage.process(task, known)
        task.commit()
    except Exception as error:  # noqa: BLE001 - reported by the driver, which then fails the stage
        failed = describe(error, task.number, assignment.partition.path) | {"partition_failed": True}
        try:
            workspace.write_text(errors_name(task.stage, task.number), json.dumps(failed) + "\n")
        except StoreFailed:
            raise error from None
    finally:
        task.abandon()
