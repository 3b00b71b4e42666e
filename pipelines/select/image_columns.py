"""Image signals of the image nodes of a batch: what fetch and measure found out, by URL, and what the page says."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from filters.formed import Form, Formed, Forms, sources
from filters.nodes import Nodes
from pipelines.select.node_scores import SIGNALS, NodeScores
from schemas.signals import names
from schemas.statuses import DuplicateKind, ImageStatus, Scope

# What select needs of the images table.
COLUMNS = ("url", "url_hash", "status", "width", "height", "bytes", "format", "frames", "sha256")
# What it needs of image_signals.
_PIXEL_SIGNALS = ("blur", "entropy", "transparency", "nsfw")
MEASURED = ("url", "measure_status", *_PIXEL_SIGNALS)
# What it needs of image_duplicates.
COPIES = ("url", "kind", "survivor", "copies")
_OK = ImageStatus.OK.value
_NOT_WANTED = ImageStatus.NOT_REQUESTED.value


class FetchedImages:
    """The images of one partition, looked up by URL."""

    def __init__(self, table: pa.Table, measured: pa.Table, copies: pa.Table) -> None:
        self._table = _with_copies(_with_signals(table, measured), copies).combine_chunks()
        self._urls = table.column("url").combine_chunks()

    def rows(self, urls: pa.Array) -> pa.Array:
        """Row of each URL; null where it was not asked for, or is none."""
        return pc.index_in(urls, self._urls, skip_nulls=True)

    def take(self, column: str, rows: pa.Array) -> pa.Array:
        """Values of a column at rows, null at null."""
        if not self._table.num_rows:
            return pa.nulls(len(rows), self._table.schema.field(column).type)
        taken = self._table.column(column).take(rows)
        return taken.combine_chunks() if isinstance(taken, pa.ChunkedArray) else taken


def _with_signals(table: pa.Table, measured: pa.Table) -> pa.Table:
    """Images with their pixel signals; those that could not be measured carry the reason as their status."""
    rows = pc.index_in(table.column("url"), measured.column("url").combine_chunks())
    failed = measured.column("measure_status").take(rows)
    failed = pc.if_else(pc.equal(failed, _OK), pa.scalar(None, pa.string()), failed)
    status = pc.coalesce(failed, table.column("status"))
    for name in _PIXEL_SIGNALS:
        table = table.append_column(name, measured.column(name).take(rows))
    return table.set_column(table.schema.get_field_index("status"), "status", status)


def _with_copies(table: pa.Table, copies: pa.Table) -> pa.Table:
    """Images with the documents that show them or a copy, the best copy where another one is, and evaluation sets."""
    rows = pc.index_in(table.column("url"), copies.column("url").combine_chunks())
    kind, survivor = (copies.column(name).take(rows) for name in ("kind", "survivor"))
    in_set = pc.fill_null(pc.equal(kind, DuplicateKind.BENCHMARK.value), False)
    nothing = pa.scalar(None, pa.string())
    got = pc.if_else(pc.equal(table.column("status"), _OK), 1, pa.scalar(None, pa.int64()))
    columns = {
        "copies": pc.coalesce(copies.column("copies").take(rows), got),
        "best_copy": pc.coalesce(pc.if_else(in_set, nothing, survivor), table.column("url_hash")),
        "benchmark": pc.if_else(in_set, survivor, nothing),
    }
    for name, column in columns.items():
        table = table.append_column(name, column)
    return table


@dataclass(frozen=True)
class ImageColumns:
    """What image signals are formed from: nodes, images, and the row of each node's image, null where it has none."""

    nodes: Nodes
    images: FetchedImages
    scores: NodeScores
    rows: pa.Array

    @classmethod
    def of(cls, nodes: Nodes, images: FetchedImages, scores: NodeScores) -> Self:
        """The images of a batch's nodes."""
        return cls(nodes, images, scores, images.rows(nodes.flat("images")))

    def signals(self) -> Formed:
        """Signals of scope image for every node (null where the node is text), and `status`."""
        return Formed(names(Scope.IMAGE), _FORMS, self, self._source)

    def take(self, name: str) -> pa.Array:
        """A column of the images, by node."""
        return self.images.take(name, self.rows)

    def _source(self, name: str) -> pa.Array:
        return self.nodes.flat(name) if name in _OF_PAGES else self.take(name)


def page_columns_for(signals: Iterable[str]) -> set[str]:
    """Columns of `documents` that image signals are formed from, beside `images`."""
    return sources(_FORMS, signals) & _OF_PAGES


def _longer_by_shorter(_: ImageColumns, width: pa.Array, height: pa.Array) -> pa.Array:
    sides = [pc.cast(side, pa.float64()) for side in (width, height)]
    return pc.divide(pc.max_element_wise(*sides, skip_nulls=False), pc.min_element_wise(*sides, skip_nulls=False))


def _word_counts(_: ImageColumns, texts: pa.Array) -> pa.Array:
    return pc.list_value_length(pc.utf8_split_whitespace(texts))


def _status(columns: ImageColumns) -> pa.Array:
    return pc.fill_null(columns.take("status"), _NOT_WANTED)


def _urls(columns: ImageColumns) -> pa.Array:
    return columns.nodes.flat("images")


def _score(columns: ImageColumns, *, name: str) -> pa.Array:
    return columns.scores.of(name, columns.nodes)


_OF_PAGES = {"alts", "rendered_width", "rendered_height"}
_FORMS: Forms = {
    "status": Form((), _status),
    "image_url": Form((), _urls),
    "aspect_ratio": Form(("width", "height"), _longer_by_shorter),
    "alt_words": Form(("alts",), _word_counts),
    **{name: Form((), partial(_score, name=name)) for name in SIGNALS},
}


def opted_out(nodes: Nodes, pages: Sequence[bool]) -> npt.NDArray[np.bool_]:
    """Nodes on pages that forbid the use of their images."""
    by_page = np.asarray(pages, np.bool_)
    return by_page[nodes.document] if len(by_page) else np.zeros(0, np.bool_)
