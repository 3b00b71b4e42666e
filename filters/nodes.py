"""Nodes and documents of a batch as columns of signals: flat arrays over all nodes, and sums over the kept ones."""

from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from schemas.tables import DOCUMENT_REPETITIONS, REPETITIONS, TEXT_COUNTS

Mask = npt.NDArray[np.bool_]
Columns = Mapping[str, pa.Array]
# Counts that are signals themselves.
_PLAIN_COUNTS = (
    "words", "characters", "stop_words", "lines", "sentences", "curly_brackets", "lorem_ipsum", "javascript",
    "policy_phrases", "navigation_phrases", "social_counters", "bylines", "dates", "emails", "ip_addresses",
    "phone_numbers", "card_numbers", "ibans",
)  # fmt: skip
# Null in a document where one of its texts has none.
_LISTED = ("stop_words", "common_words", "flagged_words", "spam_words")
# OBELICS judges a document's text with its paragraphs joined by a blank line, whose two characters count as special.
_JOINT = 2

_PAGE_MEASURES = ("page_type", "page_type_score", "text_density", "link_density", "template_repetition")
# Columns of `documents` that Nodes may be asked for. The texts, most of a table's bytes, are not among them.
SIGNAL_COLUMNS = (
    "images", "alts", "rendered_width", "rendered_height", "directives", "language", "language_score",
    "page_type", "page_type_score", "text_density", "link_density", "template_repetition", "published_at", "licenses",
    *REPETITIONS, *DOCUMENT_REPETITIONS, "gopher_stop_words", "perplexity",
    *(f"node_{name}" for name in (*TEXT_COUNTS, *REPETITIONS, "perplexity")),
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
        return {
            **{name: counts[name] for name in _PLAIN_COUNTS},
            **ratios(counts),
            **{name: self.flat(f"node_{name}") for name in (*REPETITIONS, "perplexity")},
            "image_distance": self._image_distance(),
        }

    def _image_distance(self) -> pa.Array:
        """Places between each node and the nearest image of its page; null where it has none."""
        n = len(self.is_text)
        images = np.flatnonzero(~self.is_text)
        if not len(images):
            return pa.nulls(n, pa.float64())
        place = np.arange(n)
        after = np.searchsorted(images, place)
        distance = np.full(n, np.inf)
        for neighbour in (images[np.maximum(after - 1, 0)], images[np.minimum(after, len(images) - 1)]):
            same = self.document[neighbour] == self.document
            distance = np.where(same, np.minimum(distance, np.abs(place - neighbour)), distance)
        return pa.array(distance, mask=np.isinf(distance))

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
            "spaces": pa.array(counts["spaces"] + joints),
        }
        words, texts, images = (
            joined["words"],
            pa.array(kept_texts),
            self._sum((kept & ~self.is_text).astype(np.float64)),
        )
        directives = self._batch.column("directives").to_pylist()
        own = (
            "language", "language_score", *_PAGE_MEASURES, *REPETITIONS, *DOCUMENT_REPETITIONS, "gopher_stop_words",
            "perplexity",
        )  # fmt: skip
        return {
            **{name: self._batch.column(name) for name in own},
            **{name: joined[name] for name in _PLAIN_COUNTS},
            "characters": pa.array(counts["characters"]),
            **ratios(joined),
            "texts": texts,
            "images": pa.array(images),
            "longest_text_words": pa.array(self._longest_text(kept)),
            "mean_text_words": _divide(words, texts),
            "words_per_image": _divide(words, pa.array(images)),
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
        if name in _LISTED:
            unknown = self._sum((self.is_text & ~known).astype(np.float64)) > 0
            total[unknown] = np.nan
        return total

    def _longest_text(self, kept: Mask) -> npt.NDArray[np.float64]:
        """Words of the longest text that is kept; 0 where none is."""
        words = np.asarray(pc.fill_null(self.flat("node_words"), 0), dtype=np.float64)
        longest = np.zeros(self.documents, np.float64)
        np.maximum.at(longest, self.document, np.where(kept & self.is_text, words, 0.0))
        return longest

    def _sum(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.bincount(self.document, weights=values, minlength=self.documents).astype(np.float64)


# Numerator and denominator of each ratio.
_RATIOS = {
    "special_character_ratio": ("special_characters", "characters"),
    "stop_word_ratio": ("stop_words", "words"),
    "flagged_word_ratio": ("flagged_words", "words"),
    "spam_word_ratio": ("spam_words", "words"),
    "common_word_ratio": ("common_words", "alphabetic_words"),
    "alphabetic_word_ratio": ("alphabetic_words", "words"),
    "mean_word_length": ("word_characters", "words"),
    "bullet_line_ratio": ("bullet_lines", "lines"),
    "ellipsis_line_ratio": ("ellipsis_lines", "lines"),
    "terminal_line_ratio": ("terminal_lines", "lines"),
    "digit_ratio": ("digits", "characters"),
}


def ratios(counts: Columns) -> Columns:
    """The ratios of text counts; null where there is nothing to divide by."""
    number = {name: _floats(column) for name, column in counts.items()}
    words, marks = number["words"], number["punctuation_marks"]
    symbols = pc.max_element_wise(number["hash_marks"], number["ellipses"], skip_nulls=False)
    return {
        **{name: _divide(number[upper], number[lower]) for name, (upper, lower) in _RATIOS.items()},
        "punctuation_ratio": _divide(marks, cast(pa.Array, pc.add(words, marks))),
        "symbol_word_ratio": _divide(symbols, words),
        "uppercase_ratio": _divide(
            number["uppercase_letters"], cast(pa.Array, pc.subtract(number["characters"], number["spaces"]))
        ),
    }


def _floats(column: pa.Array) -> pa.Array:
    return pc.cast(column, pa.float64())


def _divide(numerator: pa.Array, denominator: pa.Array) -> pa.Array:
    return pc.divide(numerator, pc.if_else(pc.equal(denominator, 0.0), pa.scalar(None, pa.float64()), denominator))


def _carries(directives: Sequence[Sequence[str] | None], name: str) -> pa.Array:
    return pa.array([float(name in (listed or ())) for listed in directives])
