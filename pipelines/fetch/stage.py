"""The fetch stage: a partition's images as a tar in img2dataset's layout, and one row for every URL that was wanted."""

from collections.abc import Sequence
from typing import Any, ClassVar

from pipelines.fetch.wanted import Wanted, wanted_images
from pipelines.frame import tables
from pipelines.frame.stage import Read, Span, Stage
from pipelines.frame.task import Task
from schemas.recipe import Recipe
from schemas.statuses import StageName
from schemas.tables import HOSTS


class Fetch(Stage):
    """images from documents: taken from the WARC or the network, or a status that says why not."""

    name: ClassVar[StageName] = StageName.FETCH
    version: ClassVar[int] = 2  # perceptual hashes of transparent pictures
    reads: ClassVar[tuple[Read, ...]] = (
        Read(StageName.EXTRACT, "documents"),
        Read(StageName.EXTRACT, "warc_images", Span.FILE),
        Read(StageName.DEDUP_TEXT, "text_duplicates"),
        Read(StageName.DEDUP_TEXT, "frequent_images"),
        Read(StageName.BALANCE, "balance"),
        Read(StageName.HOSTS, "hosts", decides=False),
    )
    writes: ClassVar[tuple[str, ...]] = ("images",)

    def __init__(self, workers: int = 1) -> None:
        self._workers = workers

    def settings(self, recipe: Recipe) -> dict[str, Any]:
        """The screen and everything of fetch that is not about speed."""
        return {
            "screen": recipe.screen.fingerprinted(),
            "fetch": recipe.fetch.fingerprinted(),
            "warc_images": recipe.extract.warc_images,
        }

    def process(self, task: Task, known: Sequence[Any]) -> None:
        """Collect what the partition's documents want and write it in the order of the keys."""
        from pipelines.fetch.images import fetch_images  # with all that a request takes: only where one may be made

        wanted = wanted_images(task.workspace, task.number, task.recipe)
        self._count_documents(task, wanted)
        fetch_images(task, wanted, self._sharers(task))

    def _sharers(self, task: Task) -> dict[str, int]:
        """For each host, how many workers may ask it at the same time."""
        rows = tables.read_table(task.workspace, HOSTS, task.number).to_pylist()
        return {row["host"]: min(row["partitions"], self._workers) for row in rows}

    @staticmethod
    def _count_documents(task: Task, wanted: Wanted) -> None:
        documents = task.tally("documents")
        documents.keep(wanted.documents_passed)
        for rule, count in wanted.documents_dropped.items():
            documents.drop(rule, count)
