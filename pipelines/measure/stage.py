"""The measure stage: a partition's images read once from their tar, and a row of signals for each that fetch got."""

from collections.abc import Sequence
from typing import Any, ClassVar

from pipelines.frame.stage import Read, Stage
from pipelines.frame.task import Task
from schemas.recipe import Recipe
from schemas.statuses import StageName
from schemas.tables import IMAGE_SIGNALS


class Measure(Stage):
    """image_signals from images: each file is decoded once, however many URLs have it."""

    name: ClassVar[StageName] = StageName.MEASURE
    reads: ClassVar[tuple[Read, ...]] = (Read(StageName.FETCH, "images"),)
    writes: ClassVar[tuple[str, ...]] = ("image_signals",)

    def settings(self, recipe: Recipe) -> dict[str, Any]:
        """What is measured, and up to which size; fetch has no larger images, but what it resized may have grown."""
        return {"measure": recipe.measure.fingerprinted(), "max_pixels": recipe.fetch.max_pixels}

    def process(self, task: Task, known: Sequence[Any]) -> None:
        """Measure the partition's images in the order of the table, which is that of the tar."""
        from pipelines.measure.images import measured_rows  # with decoders and models: only where they are needed

        with task.table(IMAGE_SIGNALS) as table:
            for row in measured_rows(task):
                table.write_rows([row])
