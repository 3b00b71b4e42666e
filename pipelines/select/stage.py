"""The select stage: applies the recipe's rules to a partition and writes its verdicts."""

from collections.abc import Sequence
from typing import Any, ClassVar

from filters.nodes import SIGNAL_COLUMNS
from pipelines.frame import partitions, tables
from pipelines.frame.stage import Read, Span, Stage
from pipelines.frame.task import Task
from pipelines.select.image_columns import COLUMNS, MEASURED, FetchedImages
from pipelines.select.verdicts import Counts, judge
from schemas.recipe import Recipe
from schemas.statuses import StageName
from schemas.tables import DOCUMENTS, IMAGE_SIGNALS, IMAGES, VERDICTS


class Select(Stage):
    """verdicts from documents and images: only numbers are read, so that a moved threshold costs seconds."""

    name: ClassVar[StageName] = StageName.SELECT
    reads: ClassVar[tuple[Read, ...]] = (
        Read(StageName.EXTRACT, "documents", Span.FILE),
        Read(StageName.FETCH, "images"),
        Read(StageName.MEASURE, "image_signals"),
    )
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
        fetched = tables.read_table(task.workspace, IMAGES, task.number, COLUMNS)
        images = FetchedImages(fetched, tables.read_table(task.workspace, IMAGE_SIGNALS, task.number, MEASURED))
        seen = _seen_before(task)
        with task.table(VERDICTS) as verdicts:
            for batch in tables.read_batches(task.workspace, DOCUMENTS, task.number, ("doc_id", *SIGNAL_COLUMNS)):
                verdicts.write_batch(judge(batch, images, seen, task.recipe, counts))


def _seen_before(task: Task) -> frozenset[str]:
    """Documents of earlier slices of the same file: what extract drops inside a slice is dropped across slices too."""
    earlier = (
        p for p in partitions.load(task.workspace) if p.path == task.partition.path and p.start < task.partition.start
    )
    return frozenset(
        doc_id
        for sibling in earlier
        for doc_id in tables.read_table(task.workspace, DOCUMENTS, sibling.partition, ["doc_id"])["doc_id"].to_pylist()
    )
