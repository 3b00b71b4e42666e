"""Pages to rows of `documents`: language and text signals measured over a batch of pages at once."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from filters import language, text_signals
from filters.nodes import ratios
from filters.text_signals import TextSignals
from pipelines.extract.page import Page
from pipelines.frame.warc import Record
from schemas.tables import DOCUMENTS, REPETITIONS, TEXT_COUNTS

_NODE_FIELDS = {
    "texts": "text", "images": "image", "alts": "alt", "captions": "caption",
    "rendered_width": "rendered_width", "rendered_height": "rendered_height",
}  # fmt: skip
_ID_CHARACTERS = 32


@dataclass(frozen=True)
class ExtractedPage:
    """A page with the record it came from."""

    doc_id: str
    record: Record
    warc_path: str
    encoding: str
    page: Page


def document_id(record: Record) -> str:
    """32 hex characters from record id and URL; from date and URL where a record has no id (ARC)."""
    identity = record.record_id or (record.date.isoformat() if record.date else "")
    return hashlib.sha256(f"{identity}\n{record.url}".encode("utf-8", "surrogatepass")).hexdigest()[:_ID_CHARACTERS]


def to_batch(pages: Sequence[ExtractedPage]) -> pa.RecordBatch:
    """Rows of pages, in their order."""
    texts = [page.page.text for page in pages]
    languages, scores = language.identify(texts)
    columns: dict[str, Any] = {
        **_page_columns(pages),
        "language": languages,
        "language_score": scores,
        **{name: [[getattr(n, attribute) for n in p.page.nodes] for p in pages]
           for name, attribute in _NODE_FIELDS.items()},
        **_node_signals(pages, languages),
        **_document_signals(texts, languages),
    }  # fmt: skip
    schema = DOCUMENTS.schema
    arrays = [_array(columns[name], schema.field(name).type) for name in schema.names]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _array(values: Any, kind: pa.DataType) -> pa.Array:
    return pc.cast(values, kind) if isinstance(values, pa.Array) else pa.array(values, kind)


def _page_columns(pages: Sequence[ExtractedPage]) -> dict[str, Any]:
    return {
        "doc_id": [p.doc_id for p in pages],
        "url": [p.record.url for p in pages],
        "warc_path": [p.warc_path for p in pages],
        "warc_offset": [p.record.offset for p in pages],
        "crawled_at": [p.record.date for p in pages],
        "title": [p.page.title for p in pages],
        "encoding": [p.encoding for p in pages],
        "directives": [p.page.directives for p in pages],
    }


def _node_signals(pages: Sequence[ExtractedPage], languages: Sequence[str | None]) -> dict[str, Any]:
    """Signals of all text nodes, as lists parallel to the nodes, null where a node is an image."""
    flat = [(i, node.text) for i, p in enumerate(pages) for node in p.page.nodes]
    texts = [text for _, text in flat if text is not None]
    measured = text_signals.measure(texts, [languages[i] for i, text in flat if text is not None])
    offsets = [0]
    for page in pages:
        offsets.append(offsets[-1] + len(page.page.nodes))
    numbers = iter(range(len(texts)))
    taken = pa.array([next(numbers) if text is not None else None for _, text in flat], pa.int64())
    return {
        f"node_{name}": pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), measured.column(name).take(taken))
        for name in (*TEXT_COUNTS, *REPETITIONS)
    }


def _document_signals(texts: Sequence[str], languages: Sequence[str | None]) -> dict[str, Any]:
    measured: TextSignals = text_signals.measure(texts, languages)
    counts = {name: measured.column(name) for name in TEXT_COUNTS}
    return {**counts, **ratios(counts), **{name: measured.column(name) for name in REPETITIONS}}
