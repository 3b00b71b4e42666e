"""Why a page came out as it did: its nodes with their verdicts, found by URL in a job's tables."""

import contextlib
import json
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from filters.urls import canonical
from pipelines.frame import ledger, partitions, tables
from pipelines.frame.storage import Workspace
from schemas.statuses import ClipText, DropReason, StageName
from schemas.tables import (
    ALIGNMENT,
    DOCUMENTS,
    IMAGE_DUPLICATES,
    IMAGE_SIGNALS,
    IMAGES,
    SCORES,
    SEMANTIC_DUPLICATES,
    TEXT_OVERLAP,
    VERDICTS,
    Table,
)

_COPY_RULES = (DropReason.DUPLICATE.value + ".", DropReason.PARAGRAPH.value)
_IMAGE_FACTS = (
    "status", "error_message", "width", "height", "format", "bytes", "source", "sha256",
    "measure_status", "measure_message", "blur", "entropy", "transparency", "nsfw",
    "kind", "survivor", "copies",
)  # fmt: skip
# What stages that most recipes do without say of image nodes.
_OF_NODES = {
    StageName.SCORE: SCORES, StageName.BOOTSTRAP: ALIGNMENT, StageName.OCR: TEXT_OVERLAP,
    StageName.DEDUP_SEMANTIC: SEMANTIC_DUPLICATES,
}  # fmt: skip
_SCORES = (
    "score_status", "score_message", "clip_score", "clip_text", "best_text", *(f"similarity_{t}" for t in ClipText),
    "alignment", "ocr_status", "ocr_message", "image_text", "text_overlap", "semantic_similarity", "nearest",
)  # fmt: skip


def explain(workspace: Workspace, url: str) -> list[dict[str, Any]]:
    """Every capture of a page that became a document, with a verdict for each of its nodes where select has run."""
    wanted = {url, canonical(url) or url}
    found = [
        _explain_one(workspace, number, document)
        for number in _extracted(workspace)
        for document in _rows(workspace, DOCUMENTS, number, "url", wanted)
    ]
    _name_copies(workspace, found)
    return found


def _name_copies(workspace: Workspace, found: list[dict[str, Any]]) -> None:
    """Beside each verdict that names the document kept in place of a copy, add that document's URL."""
    failed = [f for capture in found for some in (capture, *capture["nodes"]) for f in some["failed"]]
    copies = [f for f in failed if f["rule"].startswith(_COPY_RULES)]
    ids = {value for f in copies if (value := json.loads(f["value"])) is not None}
    urls = {
        row["doc_id"]: row["url"]
        for number in (_extracted(workspace) if ids else ())
        for row in _rows(workspace, DOCUMENTS, number, "doc_id", ids, ("doc_id", "url"))
    }
    for copy in copies:
        copy["copy_of"] = urls.get(json.loads(copy["value"]))


def similar_urls(workspace: Workspace, url: str) -> list[str]:
    """URLs of documents that look like one that was not found."""
    known = [
        found
        for number in _extracted(workspace)
        for found in tables.read_table(workspace, DOCUMENTS, number, ["url"]).column("url").to_pylist()
    ]
    return get_close_matches(url, known, n=3, cutoff=0.5)


def _extracted(workspace: Workspace) -> list[int]:
    done = set(ledger.partitions_in(workspace, StageName.EXTRACT))
    return [p.partition for p in partitions.load(workspace) if p.partition in done]


def _rows(
    workspace: Workspace,
    table: Table,
    number: int,
    column: str,
    values: set[str],
    columns: Sequence[str] | None = None,
) -> Iterator[dict[str, Any]]:
    with contextlib.suppress(FileNotFoundError):
        for batch in tables.read_batches(workspace, table, number, columns):
            mask = pc.is_in(batch.column(column), pa.array(sorted(values), pa.string()))
            yield from batch.filter(mask).to_pylist()


def _explain_one(workspace: Workspace, number: int, document: dict[str, Any]) -> dict[str, Any]:
    done = ledger.read(workspace, StageName.SELECT, number) is not None
    verdict = next(_rows(workspace, VERDICTS, number, "doc_id", {document["doc_id"]}), None) if done else None
    urls = {url for url in document["images"] if url is not None}
    images: dict[str, dict[str, Any]] = {url: {} for url in urls}
    for table in (IMAGES, IMAGE_SIGNALS, IMAGE_DUPLICATES) if urls else ():
        for row in _rows(workspace, table, number, "url", urls):
            images[row["url"]] |= row
    failed = _failed(verdict) if verdict else {}
    scores: dict[int, dict[str, Any]] = {}
    for table in _tables_of_nodes(workspace, number) if urls else ():
        columns = ["doc_id", "position", *(name for name in _SCORES if name in table.schema.names)]
        for row in _rows(workspace, table, number, "doc_id", {document["doc_id"]}, columns):
            scores.setdefault(row["position"], {}).update(row)
    return {
        "url": document["url"],
        "doc_id": document["doc_id"],
        "partition": number,
        "warc": f"{document['warc_path']}@{document['warc_offset']}",
        "title": document["title"],
        "language": document["language"],
        "language_score": document["language_score"],
        "kept": verdict["kept"] if verdict else None,
        "failed": failed.get(-1, []),
        "nodes": [
            _node(document, position, verdict, failed, images, scores.get(position, {}))
            for position in range(len(document["texts"]))
        ],
    }


def _tables_of_nodes(workspace: Workspace, number: int) -> list[Table]:
    """Those of stages that have done the partition."""
    return [table for stage, table in _OF_NODES.items() if ledger.read(workspace, stage, number)]


def _failed(verdict: dict[str, Any]) -> dict[int, list[dict[str, Any]]]:
    """Failed rules by position, -1 for the document's own."""
    by_position: dict[int, list[dict[str, Any]]] = {}
    columns = [verdict[f"failed_{name}"] for name in ("position", "rule", "value", "bound")]
    for position, rule, value, bound in zip(*columns, strict=True):
        by_position.setdefault(position, []).append({"rule": rule, "value": value, "bound": bound})
    return by_position


def _node(
    document: dict[str, Any],
    position: int,
    verdict: dict[str, Any] | None,
    failed: dict[int, list[dict[str, Any]]],
    images: dict[str, dict[str, Any]],
    scores: dict[str, Any],
) -> dict[str, Any]:
    text, url = document["texts"][position], document["images"][position]
    node: dict[str, Any] = {"position": position, "kept": verdict["node_kept"][position] if verdict else None}
    if text is not None:
        node |= {"text": text, "words": document["node_words"][position]}
    else:
        facts = images[url]
        node |= {"image": url, "alt": document["alts"][position], **{k: facts.get(k) for k in _IMAGE_FACTS}}
        node |= {name: scores[name] for name in _SCORES if scores.get(name) is not None}
    return node | {"failed": failed.get(position, [])}
