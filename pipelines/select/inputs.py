"""What select reads of a partition: its documents in batches, what was measured on its images, and earlier copies."""

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from filters.nodes import SIGNAL_COLUMNS
from pipelines.frame import tables
from pipelines.frame.copies import in_earlier_slices
from pipelines.frame.partitions import Partition
from pipelines.frame.storage import Workspace
from pipelines.select import removals
from pipelines.select.image_columns import COLUMNS, COPIES, MEASURED, FetchedImages
from pipelines.select.judging import Evidence, gather
from schemas.recipe import Recipe
from schemas.tables import DOCUMENTS, IMAGE_DUPLICATES, IMAGE_SIGNALS, IMAGES

# Only numbers and URLs are read, so more rows at a time than where texts are: each batch has a fixed cost.
_BATCH = 512
_COLUMNS = ("doc_id", *SIGNAL_COLUMNS)


@dataclass(frozen=True)
class Batch:
    """A batch of documents, and what speaks for and against them and their nodes."""

    documents: pa.RecordBatch
    evidence: Evidence


def read(workspace: Workspace, partition: Partition, recipe: Recipe) -> Iterator[Batch]:
    """A partition's documents in their order, in one batch or more: rules are counted where there is nothing too."""
    number = partition.partition
    fetched = tables.read_table(workspace, IMAGES, number, COLUMNS)
    measured = tables.read_table(workspace, IMAGE_SIGNALS, number, MEASURED)
    images = FetchedImages(fetched, measured, tables.read_table(workspace, IMAGE_DUPLICATES, number, COPIES))
    removed = removals.read(workspace, number, recipe)
    seen = in_earlier_slices(workspace, number)
    batch = None
    for batch in tables.read_batches(workspace, DOCUMENTS, number, _COLUMNS, _BATCH):
        yield Batch(batch, gather(batch, images, seen, removed, recipe))
    if batch is None:
        nothing = pa.RecordBatch.from_pylist([], pa.schema([DOCUMENTS.schema.field(name) for name in _COLUMNS]))
        yield Batch(nothing, gather(nothing, images, seen, removed, recipe))
