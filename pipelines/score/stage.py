"""The score stage: a partition's images and texts through a CLIP model, and a row for each image of a document."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from typing import TYPE_CHECKING, Any, ClassVar

from pipelines.frame.participants import participants
from pipelines.frame.stage import Read, Stage
from pipelines.frame.task import Task
from schemas.recipe import Recipe
from schemas.statuses import ScoreStatus, StageName
from schemas.tables import SCORES

if TYPE_CHECKING:
    from pipelines.score.pictures import Unusables
    from pipelines.score.scoring import Page

COLUMNS = ("doc_id", "url", "language", "texts", "images", "alts", "captions")
# Texts of so many documents are embedded together.
_BLOCK = 256
# So many blocks of pages may wait until all pictures are embedded, some megabytes each.
_BLOCKS_AHEAD = 8


class Score(Stage):
    """scores from documents and images: images are read once and in order, texts batched across documents."""

    name: ClassVar[StageName] = StageName.SCORE
    reads: ClassVar[tuple[Read, ...]] = (
        Read(StageName.EXTRACT, "documents"),
        Read(StageName.DEDUP_TEXT, "text_duplicates"),
        Read(StageName.BALANCE, "balance"),
        Read(StageName.FETCH, "images"),
    )
    writes: ClassVar[tuple[str, ...]] = ("scores",)

    def wanted(self, recipe: Recipe) -> bool:
        """With a scorer."""
        return recipe.score is not None

    def most_workers(self, recipe: Recipe) -> int | None:
        """One for every GPU; where there is none, as many as the machine has."""
        from pipelines.score.devices import gpus

        return gpus() or None

    def accelerator(self, recipe: Recipe) -> str | None:
        """As the recipe says."""
        return recipe.score.accelerator if recipe.score else None

    def settings(self, recipe: Recipe) -> dict[str, Any]:
        """The model, the texts, and which documents take part."""
        from filters.clip import weights_digest  # the model's files count, not only its name

        assert recipe.score is not None
        return {
            "score": recipe.score.fingerprinted(),
            "weights": weights_digest(recipe.score),
            "screen": recipe.screen.fingerprinted(),
            "consent": recipe.fetch.consent.fingerprinted(),
            "max_pixels": recipe.fetch.max_pixels,
        }

    def process(self, task: Task, known: Sequence[Any]) -> None:
        """Embed the partition's images and the texts of its documents, and compare."""
        from filters.clip import shared_model  # with PyTorch: only where there is something to score
        from pipelines.frame.stores import scratch
        from pipelines.score.devices import decode_threads, own_device
        from pipelines.score.embeddings import EmbeddingFile
        from pipelines.score.pictures import embed_pictures
        from pipelines.score.scoring import Scorer

        assert task.recipe.score is not None
        model = shared_model(task.recipe.score, own_device())
        halved = model.halved.copy()
        threads = task.recipe.score.decode_threads or decode_threads()
        with (
            EmbeddingFile(scratch.folder()) as images,
            EmbeddingFile(scratch.folder()) as texts,
            task.table(SCORES) as table,
            ThreadPoolExecutor(1) as beside,
        ):
            # Beside the texts: these are work for the processor and for the model in turn, and so are pictures.
            stop = Event()
            pictures = beside.submit(embed_pictures, task, model, images, threads, stop)
            try:
                scorer = Scorer(task, model, images, texts)
                for pages in _until_embedded(map(scorer.read, _blocks(task)), pictures):
                    rows = [row for page in pages for row in scorer.rows(page, pictures.result())]
                    table.write_rows(rows)
                    _count(task, rows)
            finally:
                stop.set()
        for kind, count in (model.halved - halved).items():
            task.tally(f"batches of {kind}").drop("out_of_memory", count)


def _until_embedded(blocks: Iterable["list[Page]"], pictures: "Future[Unusables]") -> Iterator["list[Page]"]:
    """Blocks of pages, held back until the pictures are embedded: few of them."""
    waiting: deque[list[Page]] = deque()
    for block in blocks:
        waiting.append(block)
        if pictures.done() or len(waiting) == _BLOCKS_AHEAD:
            pictures.result()
            while waiting:
                yield waiting.popleft()
    pictures.result()
    yield from waiting


def _blocks(task: Task) -> Iterator[list[dict[str, Any]]]:
    for batch in participants(task.workspace, task.number, task.recipe, COLUMNS, _BLOCK):
        yield batch.to_pylist()


def _count(task: Task, rows: Sequence[dict[str, Any]]) -> None:
    images = task.tally("images")
    for row in rows:
        if row["score_status"] == ScoreStatus.OK:
            images.keep()
        else:
            images.drop(row["score_status"])
