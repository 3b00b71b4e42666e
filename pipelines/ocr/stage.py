"""The ocr stage: pictures that seem to hold text are read, and compared with their best texts."""

from collections.abc import Sequence
from typing import Any, ClassVar

from pipelines.frame.stage import Read, Stage
from pipelines.frame.task import Task
from schemas.recipe import Recipe
from schemas.statuses import StageName
from schemas.tables import TEXT_OVERLAP


class Ocr(Stage):
    """text_overlap from scores and images: each file is read once, however many pages show it."""

    name: ClassVar[StageName] = StageName.OCR
    reads: ClassVar[tuple[Read, ...]] = (Read(StageName.SCORE, "scores"), Read(StageName.FETCH, "images"))
    writes: ClassVar[tuple[str, ...]] = (TEXT_OVERLAP.name,)

    def wanted(self, recipe: Recipe) -> bool:
        """Where it is asked for."""
        return recipe.ocr

    def settings(self, recipe: Recipe) -> dict[str, Any]:
        """Up to which size pictures are read."""
        return {"max_pixels": recipe.fetch.max_pixels}

    def process(self, task: Task, known: Sequence[Any]) -> None:
        """Read the partition's pictures in the order of the tar, then go through its scores."""
        from pipelines.ocr.reading import overlap_rows, read_pictures  # with the recogniser

        pictures = read_pictures(task)
        with task.table(TEXT_OVERLAP) as table:
            for row in overlap_rows(task, pictures):
                table.write_rows([row])
