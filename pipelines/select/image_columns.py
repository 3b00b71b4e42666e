"""Image signals of the image nodes of a batch: what fetch and measure found out, by URL, and what the page says."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from filters.nodes import Nodes
from schemas.statuses import DuplicateKind, ImageStatus

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
        self._row = {url: row for row, url in enumerate(table.column("url").to_pylist())}

    def rows(self, urls: Sequence[str | None]) -> pa.Array:
        """Row of each URL; null where it was not asked for, or is none."""
        return pa.array([self._row.get(url) if url is not None else None for url in urls], pa.int64())

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


def image_columns(nodes: Nodes, images: FetchedImages) -> Mapping[str, pa.Array]:
    """Signals of scope image for every node (null where the node is text), and `status`."""
    urls = nodes.flat("images")
    rows = images.rows(urls.to_pylist())
    taken = {name: images.take(name, rows) for name in (*COLUMNS, *_PIXEL_SIGNALS, "copies") if name != "url"}
    width, height = (pc.cast(taken[side], pa.float64()) for side in ("width", "height"))
    return {
        **taken,
        "status": pc.fill_null(taken["status"], _NOT_WANTED),
        "aspect_ratio": pc.divide(pc.max_element_wise(width, height, skip_nulls=False),
                                  pc.min_element_wise(width, height, skip_nulls=False)),
        "rendered_width": nodes.flat("rendered_width"),
        "rendered_height": nodes.flat("rendered_height"),
        "image_url": urls,
        "alt_words": _word_counts(nodes.flat("alts")),
    }  # fmt: skip


def _word_counts(texts: pa.Array) -> pa.Array:
    return pc.list_value_length(pc.utf8_split_whitespace(texts))


def opted_out(nodes: Nodes, pages: Sequence[bool]) -> npt.NDArray[np.bool_]:
    """Nodes on pages that forbid the use of their images."""
    by_page = np.asarray(pages, np.bool_)
    return by_page[nodes.document] if len(by_page) else np.zeros(0, np.bool_)
