"""What select reads of a partition: its documents in batches, what was measured on its images, and earlier copies."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from filters.nodes import columns_for
from filters.rules import signals_of
from filters.screening import screen_columns
from pipelines.frame import tables
from pipelines.frame.copies import in_earlier_slices
from pipelines.frame.partitions import Partition
from pipelines.frame.storage import Workspace
from pipelines.select import removals
from pipelines.select.image_columns import COLUMNS, COPIES, MEASURED, FetchedImages, page_columns_for
from pipelines.select.judging import Evidence, gather
from pipelines.select.node_scores import read_scores
from schemas.recipe import Recipe, SelectRules
from schemas.statuses import Scope
from schemas.tables import DOCUMENTS, IMAGE_DUPLICATES, IMAGE_SIGNALS, IMAGES

# Only numbers and URLs are read, so more rows at a time than where texts are: each batch has a fixed cost.
_BATCH = 512


@dataclass(frozen=True)
class Batch:
    """A batch of documents, and what speaks for and against them and their nodes."""

    documents: pa.RecordBatch
    evidence: Evidence


def read(
    workspace: Workspace, partition: Partition, recipe: Recipe, rules: Sequence[SelectRules] = ()
) -> Iterator[Batch]:
    """A partition's documents in their order, in one batch or more: rules are counted where there is nothing too.

    They can be judged by the recipe's rules, or else by any of `rules`.
    """
    number = partition.partition
    rules = rules or (recipe.select,)
    columns = _columns(recipe, rules)
    fetched = tables.read_table(workspace, IMAGES, number, COLUMNS)
    measured = tables.read_table(workspace, IMAGE_SIGNALS, number, MEASURED)
    images = FetchedImages(fetched, measured, tables.read_table(workspace, IMAGE_DUPLICATES, number, COPIES))
    named = set().union(*(signals_of(some.image) for some in rules))
    scores = read_scores(workspace, number, recipe, named)
    removed = removals.read(workspace, number, recipe)
    seen = in_earlier_slices(workspace, number)
    batch = None
    for batch in tables.read_batches(workspace, DOCUMENTS, number, columns, _BATCH):
        yield Batch(batch, gather(batch, images, scores, seen, removed, recipe))
    if batch is None:
        nothing = pa.RecordBatch.from_pylist([], pa.schema([DOCUMENTS.schema.field(name) for name in columns]))
        yield Batch(nothing, gather(nothing, images, scores, seen, removed, recipe))


def _columns(recipe: Recipe, rules: Sequence[SelectRules]) -> list[str]:
    """Columns of `documents` that the screen, the rules and what goes into a verdict need."""
    needed = {"doc_id", "directives", *screen_columns(recipe)}
    for some in rules:
        needed |= columns_for(Scope.NODE, signals_of(some.node))
        needed |= columns_for(Scope.DOCUMENT, signals_of(some.document))
        needed |= page_columns_for(signals_of(some.image))
    return sorted(needed)
