"""The pack stage: a partition's kept documents into shards, cut by samples and bytes, in the order of the WARC."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any, BinaryIO, ClassVar

import pyarrow as pa

from pipelines.frame import tables
from pipelines.frame.shards import ShardWriter
from pipelines.frame.stage import Job, Read, Stage
from pipelines.frame.storage import Workspace, local_copy
from pipelines.frame.task import Task
from pipelines.pack import manifest, placement
from pipelines.pack.placement import Placed
from pipelines.pack.samples import Row, Sample, make_sample
from schemas.ledger import LedgerRecord
from schemas.recipe import PackSettings, Recipe
from schemas.sample import EXTENSIONS
from schemas.statuses import ImageStatus, StageName
from schemas.tables import DOCUMENTS, IMAGES, SCORES, VERDICTS

_DOCUMENT_COLUMNS = (
    "doc_id", "url", "warc_path", "warc_offset", "crawled_at", "title", "language", "language_score", "texts", "images",
    "alts", "captions",
)  # fmt: skip
_IMAGE_COLUMNS = (
    "key", "url", "status", "sha256", "phash", "width", "height", "format", "bytes", "shard", "offset", "length",
)  # fmt: skip
# Texts are the bulk of a row: few rows at a time.
_BATCH = 32


class TablesDiffer(RuntimeError):
    """Verdicts do not belong to the documents beside them, or images not to their table."""


class Pack(Stage):
    """shards from verdicts, documents and images."""

    name: ClassVar[StageName] = StageName.PACK
    reads: ClassVar[tuple[Read, ...]] = (
        Read(StageName.SELECT, "verdicts"),
        Read(StageName.EXTRACT, "documents"),
        Read(StageName.FETCH, "images"),
    )
    writes: ClassVar[tuple[str, ...]] = ("shards",)
    light: ClassVar[bool] = True

    def settings(self, recipe: Recipe) -> dict[str, Any]:
        """How shards are cut."""
        return recipe.pack.fingerprinted()

    def reads_under(self, recipe: Recipe) -> tuple[Read, ...]:
        """With a scorer its scores, which go into the samples."""
        return (*self.reads, Read(StageName.SCORE, "scores")) if recipe.score else self.reads

    def process(self, task: Task, known: Sequence[Any]) -> None:
        """Write the partition's samples."""
        images = _images(task.workspace, task.number)
        settings = task.recipe.pack
        placeholders = settings.pii.placeholders if settings.pii else {}
        scores = _scores(task.workspace, task.number, task.recipe)
        shards = _Shards(task)
        try:
            with _ImageReader(task.workspace) as reader:
                for document, kept in _kept_documents(task.workspace, task.number):
                    with task.guard("documents", document["url"]):
                        of_images = scores.of(document["doc_id"]) if scores else None
                        sample = make_sample(
                            document, _placed(document, kept, of_images, settings), images, reader.read,
                            merge_texts=settings.merge_texts, placeholders=placeholders, scores=of_images,
                        )  # fmt: skip
                        shards.add(sample)
        finally:
            shards.close()

    def finish(self, job: Job, records: dict[int, LedgerRecord]) -> None:
        """Write manifest and card."""
        manifest.write(job.workspace, job.recipe, records)


def _images(workspace: Workspace, partition: int) -> Mapping[str, Row]:
    """Rows of the images that there are, by URL, with the extension that they are stored under."""
    rows = tables.read_table(workspace, IMAGES, partition, _IMAGE_COLUMNS).to_pylist()
    return {
        row["url"]: {**row, "extension": EXTENSIONS[row["format"]]}
        for row in rows
        if row["status"] == ImageStatus.OK.value
    }


class _Scores:
    """Scores of a partition's images by document, which come one after another."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table
        ids = table.column("doc_id").to_pylist()
        self._ranges: dict[str, tuple[int, int]] = {}
        for row, doc_id in enumerate(ids):
            self._ranges[doc_id] = (self._ranges.get(doc_id, (row, 0))[0], row + 1)

    def of(self, doc_id: str) -> dict[int, Row]:
        """Rows of a document by position."""
        begin, end = self._ranges.get(doc_id, (0, 0))
        return {row["position"]: row for row in self._table.slice(begin, end - begin).to_pylist()}


def _scores(workspace: Workspace, partition: int, recipe: Recipe) -> _Scores | None:
    if recipe.score is None:
        return None
    similarities = ["sentence_similarities"] if recipe.pack.placement == "matched" else []
    columns = ["doc_id", "position", "clip_score", "clip_text", *similarities]
    return _Scores(tables.read_table(workspace, SCORES, partition, columns))


def _placed(
    document: Row, kept: Sequence[bool], scores: Mapping[int, Row] | None, settings: PackSettings
) -> Iterable[Placed]:
    if settings.placement == "dom" or scores is None:
        return placement.on_the_page(document, kept)
    similarities = {
        position: found for position, row in scores.items() if (found := row["sentence_similarities"]) is not None
    }
    return placement.matched(document, kept, similarities)


def _kept_documents(workspace: Workspace, partition: int) -> Iterator[tuple[Row, Sequence[bool]]]:
    verdicts = _verdicts(workspace, partition)
    for batch in tables.read_batches(workspace, DOCUMENTS, partition, _DOCUMENT_COLUMNS, _BATCH):
        judged: list[Row] = []
        for doc_id in batch.column("doc_id").to_pylist():
            judged.append(next(verdicts, {"doc_id": None}))
            if doc_id != judged[-1]["doc_id"]:
                raise TablesDiffer(f"partition {partition}: document {doc_id} beside verdict {judged[-1]['doc_id']}")
        kept = [verdict["node_kept"] for verdict in judged if verdict["kept"]]
        documents = batch.filter(pa.array([verdict["kept"] for verdict in judged], pa.bool_()))
        yield from zip(documents.to_pylist(), kept, strict=True)


def _verdicts(workspace: Workspace, partition: int) -> Iterator[Row]:
    for batch in tables.read_batches(workspace, VERDICTS, partition, ("doc_id", "kept", "node_kept")):
        yield from batch.to_pylist()


class _ImageReader(ExitStack):
    """Reads image bytes from image shards, each opened once, in the order of the documents."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self._open: dict[str, BinaryIO] = {}

    def read(self, row: Row) -> bytes:
        """The bytes of an image's row.

        Raises:
            TablesDiffer: where they are not what was fetched.
        """
        shard = row["shard"]
        if shard not in self._open:
            local = self.enter_context(local_copy(self._workspace.path(shard)))
            self._open[shard] = self.enter_context(local.open("rb"))
        self._open[shard].seek(row["offset"])
        content = self._open[shard].read(row["length"])
        if hashlib.sha256(content).hexdigest() != row["sha256"]:
            raise TablesDiffer(f"{shard}: what is at {row['offset']} is not the image {row['sha256']}")
        return content


class _Shards:
    """Writes samples to shards and cuts a new one when the settings say so."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._settings: PackSettings = task.recipe.pack
        self._writer: ShardWriter | None = None
        self._name = ""
        self._index = 0
        self._counts: Counter[str] = Counter()

    def add(self, sample: Sample) -> None:
        """Append a sample, in a new shard if the current one is full."""
        if self._writer is None or self._is_full(sample):
            self.close()
            self._name = f"shards/{self._task.number:05d}-{self._index:03d}.tar"
            self._writer = ShardWriter(self._task.file(self._name))
            self._index += 1
        for name, content in sample.members:
            self._writer.add(name, content)
        self._count(sample)

    def close(self) -> None:
        """Finish the current shard."""
        if self._writer is not None:
            self._writer.close()
            self._task.describe_output(self._name, **self._counts)
            self._writer, self._counts = None, Counter()

    def _is_full(self, sample: Sample) -> bool:
        assert self._writer is not None
        size = sum(len(content) for _, content in sample.members)
        full = self._counts["samples"] >= self._settings.shard_samples
        return full or (self._counts["samples"] > 0 and self._writer.offset + size > self._settings.shard_bytes)

    def _count(self, sample: Sample) -> None:
        for items, count in (("documents", 1), ("texts", sample.text_nodes), ("images", len(sample.images))):
            self._task.tally(items).keep(count)
        self._task.bytes_in += sum(len(content) for _, content in sample.images)
        self._counts.update({f"{manifest.REPLACED}{kind}": count for kind, count in sample.replaced.items()})
        self._counts.update({"samples": 1, "texts": sample.texts, "images": len(sample.images)})
        self._counts.update(f"part:{part}" for part, _ in sample.images)
