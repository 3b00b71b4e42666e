"""The select stage: applies the recipe's rules to a partition and writes its verdicts."""

from collections.abc import Sequence
from typing import Any, ClassVar

from filters.nodes import SIGNAL_COLUMNS
from pipelines.frame import tables
from pipelines.frame.stage import Read, Stage
from pipelines.frame.task import Task
from pipelines.select.image_columns import COLUMNS, FetchedImages
from pipelines.select.verdicts import Counts, judge
from schemas.recipe import Recipe
from schemas.statuses import StageName
from schemas.tables import DOCUMENTS, IMAGES, VERDICTS


class Select(Stage):
    """verdicts from documents and images: only numbers are read, so that a moved threshold costs seconds."""

    name: ClassVar[StageName] = StageName.SELECT
    reads: ClassVar[tuple[Read, ...]] = (Read(StageName.EXTRACT, "documents"), Read(StageName.FETCH, "images"))
    writes: ClassVar[tuple[str, ...]] = ("verdicts",)
    light: ClassVar[bool] = True

    def settings(self, recipe: Recipe) -> dict[str, Any]:
        """All rules."""
        return {
            "screen": recipe.screen.fingerprinted(),
            "select": recipe.select.fingerprinted(),
            "consent": recipe.fetch.consent.fingerprinted(),
        }

    def process(self, task: Task, given: Sequence[Any]) -> None:
        """Judge the partition's documents batch by batch."""
        counts = Counts(task.tally("documents"), task.tally("texts"), task.tally("images"))
        images = FetchedImages(tables.read_table(task.workspace, IMAGES, task.number, COLUMNS))
        with task.table(VERDICTS) as verdicts:
            for batch in tables.read_batches(task.workspace, DOCUMENTS, task.number, ("doc_id", *SIGNAL_COLUMNS)):
                verdicts.write_batch(judge(batch, images, task.recipe, counts))
