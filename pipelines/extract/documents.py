"""Pages to rows of `documents`: language and text signals measured over a batch of pages at once."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from filters import language, perplexity, prior, text_signals
from filters.ratios import ratios
from pipelines.extract.assembly import Node
from pipelines.extract.page import Page
from pipelines.frame.warc import Record
from schemas.recipe import ExtractSettings, PerplexitySettings
from schemas.tables import DOCUMENT_RATIOS, DOCUMENT_REPETITIONS, DOCUMENTS, REPETITIONS, TEXT_COUNTS

_NODE_FIELDS = {
    "texts": "text", "images": "image", "alts": "alt", "captions": "caption",
    "rendered_width": "rendered_width", "rendered_height": "rendered_height",
}  # fmt: skip
_ID_CHARACTERS = 32
_PLAIN = ExtractSettings()
# Texts in one language have 0.9 and more nearly always; in shorter texts than this names and code mislead fastText.
_ONE_LANGUAGE, _LONG_ENOUGH = 0.9, 60


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


def to_batch(pages: Sequence[ExtractedPage], settings: ExtractSettings = _PLAIN) -> pa.RecordBatch:
    """Rows of pages, in their order; with perplexity and prior where the settings name models."""
    texts = [page.page.text for page in pages]
    languages, scores = language.identify(texts)
    columns: dict[str, Any] = {
        **_page_columns(pages),
        "language": languages,
        "language_score": scores,
        "node_languages": [_node_languages(page.page.nodes, score) for page, score in zip(pages, scores, strict=True)],
        **{name: [[getattr(n, attribute) for n in p.page.nodes] for p in pages]
           for name, attribute in _NODE_FIELDS.items()},
        **_signals(pages, languages),
        **_perplexity(pages, texts, settings.perplexity),
        "alignment_prior": _prior(pages, settings.alignment_prior),
    }  # fmt: skip
    schema = DOCUMENTS.schema
    arrays = [_array(columns[name], schema.field(name).type) for name in schema.names]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _node_languages(nodes: Sequence[Node], score: float | None) -> list[str | None] | None:
    """Languages of a page's longer texts where the page as a whole is not clearly in one; None where it is."""
    if score is None or score >= _ONE_LANGUAGE:
        return None
    places = [i for i, node in enumerate(nodes) if node.text is not None and len(node.text) >= _LONG_ENOUGH]
    languages: list[str | None] = [None] * len(nodes)
    for place, found in zip(places, language.identify([nodes[i].text or "" for i in places])[0], strict=True):
        languages[place] = found
    return languages


def _array(values: Any, kind: pa.DataType) -> pa.Array:
    if not isinstance(values, pa.Array):
        return pa.array(values, kind)
    return values if values.type == kind else pc.cast(values, kind)


def _page_columns(pages: Sequence[ExtractedPage]) -> dict[str, Any]:
    return {
        "doc_id": [p.doc_id for p in pages],
        "url": [p.record.url for p in pages],
        "warc_path": [p.warc_path for p in pages],
        "warc_offset": [p.record.offset for p in pages],
        "crawled_at": [p.record.date for p in pages],
        "title": [p.page.head.title for p in pages],
        "encoding": [p.encoding for p in pages],
        "directives": [list(p.page.head.directives) for p in pages],
        "licenses": [list(p.page.head.licenses) for p in pages],
        "published_at": [p.page.head.published for p in pages],
        "page_type": [p.page.measures.kind for p in pages],
        "page_type_score": [p.page.measures.kind_score for p in pages],
        "text_density": [p.page.measures.text_density for p in pages],
        "link_density": [p.page.measures.link_density for p in pages],
        "template_repetition": [p.page.measures.template_repetition for p in pages],
    }


def _signals(pages: Sequence[ExtractedPage], languages: Sequence[str | None]) -> dict[str, Any]:
    """Signals of documents, and of their nodes as lists parallel to the nodes, null where a node is an image."""
    is_text = [node.text is not None for page in pages for node in page.page.nodes]
    nodes, documents = text_signals.measure_documents([page.page.texts for page in pages], languages)
    offsets = pa.array(np.cumsum([0, *(len(page.page.nodes) for page in pages)]), pa.int32())
    mask = np.array(is_text, np.bool_)
    taken = pa.array(np.cumsum(mask) - 1, pa.int64(), mask=~mask)
    counts = {name: documents.column(name) for name in TEXT_COUNTS}
    ratio = ratios(counts)
    return {
        **counts,
        **{name: ratio[name] for name in DOCUMENT_RATIOS if name in ratio},
        **{name: documents.column(name) for name in (*REPETITIONS, *DOCUMENT_REPETITIONS, "gopher_stop_words")},
        **{
            f"node_{name}": pa.ListArray.from_arrays(offsets, nodes.column(name).take(taken))
            for name in (*TEXT_COUNTS, *REPETITIONS)
        },
    }


def _perplexity(
    pages: Sequence[ExtractedPage], texts: Sequence[str], model: PerplexitySettings | None
) -> dict[str, Any]:
    """Perplexity of documents and of their text nodes; null everywhere without a model."""
    nodes = [[node.text for node in page.page.nodes] for page in pages]
    if model is None:
        return {"perplexity": [None] * len(pages), "node_perplexity": [[None] * len(some) for some in nodes]}
    measured = [[perplexity.measure(text, model) for text in some] for some in nodes]
    return {"perplexity": [perplexity.measure(text, model) for text in texts], "node_perplexity": measured}


def _prior(pages: Sequence[ExtractedPage], model: str | None) -> list[float | None]:
    if model is None:
        return [None] * len(pages)
    lines = [
        prior.line_of_document(page.page.head.title, ((n.text, n.alt, n.caption) for n in page.page.nodes))
        for page in pages
    ]
    return prior.measure(model, lines)
