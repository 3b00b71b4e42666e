"""Nodes and documents of a batch as columns of signals: flat arrays over all nodes, and sums over the kept ones."""

from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from schemas.tables import REPETITIONS, TEXT_COUNTS

Mask = npt.NDArray[np.bool_]
Columns = Mapping[str, pa.Array]
# OBELICS judges a document's text with its paragraphs joined by a blank line, whose two characters count as special.
_JOINT = 2

_PAGE_MEASURES = ("page_type", "page_type_score", "text_density", "link_density", "template_repetition")
# Columns of `documents` that Nodes may be asked for. The texts, most of a table's bytes, are not among them.
SIGNAL_COLUMNS = (
    "images", "alts", "rendered_width", "rendered_height", "directives", "language", "language_score",
    "page_type", "page_type_score", "text_density", "link_density", "template_repetition", "published_at", "licenses",
    *REPETITIONS, *(f"node_{name}" for name in (*TEXT_COUNTS, *REPETITIONS)),
)  # fmt: skip


class Nodes:
    """All nodes of a batch of `documents`, one after another: n nodes, each a text or an image."""

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

    def flat(self, column: str) -> pa.Array:
        """A list column of the batch as one value a node."""
        return pc.list_flatten(self._batch.column(column))

    def text_columns(self) -> Columns:
        """Signals of scope node, for every node (null where the node is an image)."""
        counts = {name: self.flat(f"node_{name}") for name in TEXT_COUNTS}
        repetition = {name: self.flat(f"node_{name}") for name in REPETITIONS}
        return {"words": counts["words"], "characters": counts["characters"], **ratios(counts), **repetition}

    def document_columns(self, kept: Mask) -> Columns:
        """Signals of scope document, with counts and ratios over the nodes that a mask keeps.

        Repetition is the exception: it does not add up from nodes, so it stays what extract measured on all texts.
        """
        kept_texts = self._sum((kept & self.is_text).astype(np.float64))
        joints = np.maximum(kept_texts - 1, 0) * _JOINT
        counts = {name: self._sum_kept(name, kept) for name in TEXT_COUNTS}
        joined = {
            **{name: pa.array(values, from_pandas=True) for name, values in counts.items()},
            "characters": pa.array(counts["characters"] + joints),
            "special_characters": pa.array(counts["special_characters"] + joints),
        }
        directives = self._batch.column("directives").to_pylist()
        own = ("language", "language_score", *_PAGE_MEASURES, *REPETITIONS)
        return {
            **{name: self._batch.column(name) for name in own},
            "words": joined["words"],
            "characters": pa.array(counts["characters"]),
            **ratios(joined),
            "texts": pa.array(kept_texts),
            "images": pa.array(self._sum((kept & ~self.is_text).astype(np.float64))),
            "published_year": pc.year(self._batch.column("published_at")),
            "licensed": pc.cast(pc.greater(pc.list_value_length(self._batch.column("licenses")), 0), pa.float64()),
            "noai": _carries(directives, "noai"),
            "tdm_reserved": _carries(directives, "tdm-reservation"),
        }

    def _sum_kept(self, name: str, kept: Mask) -> npt.NDArray[np.float64]:
        """Sum over kept text nodes; NaN where none of a document's nodes has the value (a language without a list)."""
        values = np.asarray(pc.cast(self.flat(f"node_{name}"), pa.float64()).to_numpy(zero_copy_only=False))
        known = ~np.isnan(values) & self.is_text
        total = self._sum(np.where(known & kept, np.nan_to_num(values), 0.0))
        if name == "stop_words":
            unknown = self._sum((self.is_text & ~known).astype(np.float64)) > 0
            total[unknown] = np.nan
        return total

    def _sum(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.bincount(self.document, weights=values, minlength=self.documents).astype(np.float64)


def ratios(counts: Columns) -> Columns:
    """The ratios of text counts; null where there is nothing to divide by."""
    words, marks = _floats(counts["words"]), _floats(counts["punctuation_marks"])
    return {
        "special_character_ratio": _divide(_floats(counts["special_characters"]), _floats(counts["characters"])),
        "stop_word_ratio": _divide(_floats(counts["stop_words"]), words),
        "punctuation_ratio": _divide(marks, cast(pa.Array, pc.add(words, marks))),
    }


def _floats(column: pa.Array) -> pa.Array:
    return pc.cast(column, pa.float64())


def _divide(numerator: pa.Array, denominator: pa.Array) -> pa.Array:
    return pc.divide(numerator, pc.if_else(pc.equal(denominator, 0.0), pa.scalar(None, pa.float64()), denominator))


def _carries(directives: Sequence[Sequence[str] | None], name: str) -> pa.Array:
    return pa.array([float(name in (listed or ())) for listed in directives])
