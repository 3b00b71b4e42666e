"""Nodes and documents of a batch as columns of signals: flat arrays over all nodes, and sums over the kept ones."""

from collections.abc import Iterable
from functools import partial

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from filters.formed import Form, Formed, Forms, sources
from filters.ratios import RATIOS, divided
from schemas.signals import names
from schemas.statuses import Scope
from schemas.tables import REPETITIONS, TEXT_COUNTS

Mask = npt.NDArray[np.bool_]
Doubles = npt.NDArray[np.float64]
# Null in a document where one of its texts has none.
_LISTED = ("stop_words", "common_words", "flagged_words", "spam_words")
# OBELICS judges a document's text with its paragraphs joined by a blank line, whose two characters count as special.
_JOINT = 2
_JOINED = {name: f"joined_{name}" for name in ("characters", "special_characters", "spaces")}


class Nodes:
    """All nodes of a batch of `documents`, one after another: n nodes, each a text or an image.

    The batch needs the column `images`, and what `columns_for` says of the signals that are asked for.
    """

    def __init__(self, batch: pa.RecordBatch) -> None:
        self._batch = batch
        self.documents = batch.num_rows
        images = batch.column("images")
        self.document: npt.NDArray[np.int64] = np.asarray(pc.list_parent_indices(images), dtype=np.int64)
        counts = np.bincount(self.document, minlength=self.documents)
        self.position: npt.NDArray[np.int64] = np.arange(len(self.document)) - np.repeat(
            np.cumsum(counts) - counts, counts
        )
        self.is_text: Mask = np.asarray(pc.is_null(pc.list_flatten(images)))

    def column(self, name: str) -> pa.Array:
        """A column of the batch."""
        return self._batch.column(name)

    def flat(self, name: str) -> pa.Array:
        """A list column of the batch as one value a node."""
        return pc.list_flatten(self.column(name))

    def text_columns(self) -> Formed:
        """Signals of scope node, for every node (null where the node is an image)."""
        return Formed(names(Scope.NODE), _OF_NODES, self, self.column)

    def document_columns(self, kept: Mask) -> Formed:
        """Signals of scope document, with counts and ratios over the nodes that a mask keeps.

        Repetition is the exception: it does not add up from nodes, so it stays what extract measured on all texts.
        """
        return Formed(names(Scope.DOCUMENT), _OF_DOCUMENTS, _Kept(self, kept), self.column)


def columns_for(scope: Scope, signals: Iterable[str]) -> set[str]:
    """Columns of `documents` that signals of nodes or documents are formed from, beside `images`."""
    return sources(_OF_NODES if scope is Scope.NODE else _OF_DOCUMENTS, signals)


# --- of nodes


def _flat(nodes: Nodes, column: pa.Array) -> pa.Array:
    return pc.list_flatten(column)


def _image_distance(nodes: Nodes) -> pa.Array:
    """Places between each node and the nearest image of its page; null where it has none."""
    n = len(nodes.is_text)
    images = np.flatnonzero(~nodes.is_text)
    if not len(images):
        return pa.nulls(n, pa.float64())
    place = np.arange(n)
    after = np.searchsorted(images, place)
    distance = np.full(n, np.inf)
    for neighbour in (images[np.maximum(after - 1, 0)], images[np.minimum(after, len(images) - 1)]):
        same = nodes.document[neighbour] == nodes.document
        distance = np.where(same, np.minimum(distance, np.abs(place - neighbour)), distance)
    return pa.array(distance, mask=np.isinf(distance))


_OF_NODES: Forms = {
    **{name: Form((f"node_{name}",), _flat) for name in (*TEXT_COUNTS, *REPETITIONS, "perplexity")},
    **RATIOS,
    "image_distance": Form((), _image_distance),
}

# --- of documents


class _Kept:
    """Sums by document over the nodes that a mask keeps."""

    def __init__(self, nodes: Nodes, kept: Mask) -> None:
        self.nodes, self.texts, self.images = nodes, kept & nodes.is_text, kept & ~nodes.is_text

    def sum(self, values: npt.NDArray[np.generic]) -> Doubles:
        """Sums of values of all nodes."""
        return np.bincount(self.nodes.document, weights=values, minlength=self.nodes.documents).astype(np.float64)


def _text_count(kept: _Kept) -> pa.Array:
    return pa.array(kept.sum(kept.texts))


def _image_count(kept: _Kept) -> pa.Array:
    return pa.array(kept.sum(kept.images))


def _summed(kept: _Kept, column: pa.Array, *, listed: bool) -> pa.Array:
    """Sum over kept text nodes; null where one of a document's texts has no value (a language without a list)."""
    values = np.asarray(pc.cast(pc.list_flatten(column), pa.float64()).to_numpy(zero_copy_only=False))
    known = ~np.isnan(values) & kept.nodes.is_text
    total = kept.sum(np.where(known & kept.texts, values, 0.0))
    if listed:
        total[kept.sum(kept.nodes.is_text & ~known) > 0] = np.nan
    return pa.array(total, from_pandas=True)


def _joined(kept: _Kept, count: pa.Array, texts: pa.Array) -> pa.Array:
    """A count of characters with those of the joints."""
    return pa.array(np.asarray(count) + np.maximum(np.asarray(texts) - 1, 0) * _JOINT)


def _longest(kept: _Kept, column: pa.Array) -> pa.Array:
    """The largest value of a text that is kept; 0 where none is."""
    values = np.asarray(pc.fill_null(pc.list_flatten(column), 0), dtype=np.float64)
    longest = np.zeros(kept.nodes.documents, np.float64)
    np.maximum.at(longest, kept.nodes.document, np.where(kept.texts, values, 0.0))
    return pa.array(longest)


def _year(kept: _Kept, times: pa.Array) -> pa.Array:
    return pc.year(times)


def _has_any(kept: _Kept, lists: pa.Array) -> pa.Array:
    return pc.cast(pc.greater(pc.list_value_length(lists), 0), pa.float64())


def _carries(kept: _Kept, directives: pa.Array, *, name: str) -> pa.Array:
    said = np.asarray(pc.fill_null(pc.equal(pc.list_flatten(directives), name), False))
    carries = np.zeros(len(directives), np.float64)
    carries[np.asarray(pc.list_parent_indices(directives))[said]] = 1
    return pa.array(carries)


def _over_joined(form: Form) -> Form:
    return Form(tuple(_JOINED.get(name, name) for name in form.of), form.by)


_OF_DOCUMENTS: Forms = {
    **{name: Form((f"node_{name}",), partial(_summed, listed=name in _LISTED)) for name in TEXT_COUNTS},
    **{joined: Form((name, "texts"), _joined) for name, joined in _JOINED.items()},
    **{name: _over_joined(form) for name, form in RATIOS.items()},
    "texts": Form((), _text_count),
    "images": Form((), _image_count),
    "longest_text_words": Form(("node_words",), _longest),
    "mean_text_words": Form(("words", "texts"), divided),
    "words_per_image": Form(("words", "images"), divided),
    "published_year": Form(("published_at",), _year),
    "licensed": Form(("licenses",), _has_any),
    "noai": Form(("directives",), partial(_carries, name="noai")),
    "tdm_reserved": Form(("directives",), partial(_carries, name="tdm-reservation")),
}

# All that any signal of documents is formed from.
SIGNAL_COLUMNS = ("images", *sorted(columns_for(Scope.DOCUMENT, names(Scope.DOCUMENT))))
