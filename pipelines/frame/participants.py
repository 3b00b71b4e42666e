"""Documents of a partition that take part in what comes after the screen and text deduplication."""

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from filters.nodes import Nodes
from filters.screening import page_opts_out, screen, screen_columns
from pipelines.frame import tables
from pipelines.frame.copies import taken_out
from pipelines.frame.storage import Workspace
from schemas.recipe import Recipe
from schemas.tables import DOCUMENTS


def participants(
    workspace: Workspace, partition: int, recipe: Recipe, columns: Sequence[str], rows: int = tables.BATCH_ROWS
) -> Iterator[pa.RecordBatch]:
    """Batches of the documents that pass the screen, are no copies and let their images be used, in their order."""
    gone = taken_out(workspace, partition)
    needed = sorted({"doc_id", "directives", *columns, *screen_columns(recipe)})
    for batch in tables.read_batches(workspace, DOCUMENTS, partition, needed, rows):
        stays = screen(Nodes(batch), recipe).passed & np.fromiter(
            (
                doc_id not in gone and not page_opts_out(directives, recipe.fetch.consent)
                for doc_id, directives in zip(
                    batch.column("doc_id").to_pylist(), batch.column("directives").to_pylist(), strict=True
                )
            ),
            np.bool_,
            batch.num_rows,
        )
        yield batch.filter(pa.array(stays)).select(list(columns))
