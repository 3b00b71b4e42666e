"""Verdicts of a batch of documents: node and image rules first, then document rules on what these have kept."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from filters.nodes import Mask, Nodes
from filters.rules import Failure, as_json, evaluate, first_reasons, passed
from filters.screening import page_opts_out, screen
from pipelines.select.image_columns import FetchedImages, image_columns, opted_out
from schemas.ledger import Tally
from schemas.recipe import Recipe
from schemas.statuses import DropReason, ImageStatus, Scope
from schemas.tables import VERDICTS

_FAILED = ("scope", "position", "rule", "value", "bound")


@dataclass
class Counts:
    """What became of documents, texts and images: each kept, or counted under its first reason."""

    documents: Tally = field(default_factory=Tally)
    texts: Tally = field(default_factory=Tally)
    images: Tally = field(default_factory=Tally)


def judge(
    batch: pa.RecordBatch, images: FetchedImages, seen: frozenset[str], recipe: Recipe, counts: Counts
) -> pa.RecordBatch:
    """A verdict for every document of a batch, in its order. Those whose id was `seen` before are dropped."""
    nodes = Nodes(batch)
    everything = np.ones(len(nodes.document), np.bool_)
    is_image = ~nodes.is_text
    screening = screen(nodes, recipe)
    columns = image_columns(nodes, images)
    text_failures = evaluate(recipe.select.node, Scope.NODE, nodes.text_columns(), nodes.is_text)
    status = _status_failure(batch, nodes, columns, recipe)
    status.failed[:] &= screening.passed[nodes.document]  # of the others no image was asked for
    fetched = is_image & ~status.failed
    image_failures = [status, *evaluate(recipe.select.image, Scope.IMAGE, columns, fetched)]
    node_kept = passed([*text_failures, *image_failures], everything)
    document_failures = [
        _duplicate_failure(batch, seen),
        *_renamed(screening.failures),
        *evaluate(recipe.select.document, Scope.DOCUMENT, nodes.document_columns(node_kept), screening.passed),
    ]
    document_kept = passed(document_failures, np.ones(nodes.documents, np.bool_))
    node_survives = node_kept & document_kept[nodes.document]

    _count(counts.documents, document_failures, np.ones(nodes.documents, np.bool_))
    _count_nodes(counts.texts, text_failures, nodes.is_text, node_survives)
    _count_nodes(counts.images, image_failures, is_image, node_survives)
    return _verdicts(batch, nodes, document_kept, node_survives, document_failures, [*text_failures, *image_failures])


def _status_failure(batch: pa.RecordBatch, nodes: Nodes, columns: Any, recipe: Recipe) -> Failure:
    """Images that were not got, as a failed rule of its own."""
    pages = [page_opts_out(said, recipe.fetch.consent) for said in batch.column("directives").to_pylist()]
    missing = np.asarray(pc.equal(columns["status"], ImageStatus.NOT_REQUESTED.value))
    by_page = opted_out(nodes, pages) & missing
    status = pc.if_else(pa.array(by_page), ImageStatus.PAGE_OPTED_OUT.value, columns["status"])
    failed = ~nodes.is_text & np.asarray(pc.not_equal(status, ImageStatus.OK.value))
    return Failure(DropReason.IMAGE_STATUS, as_json(ImageStatus.OK.value), failed, status)


def _duplicate_failure(batch: pa.RecordBatch, seen: frozenset[str]) -> Failure:
    """Documents that an earlier slice of the file has too."""
    ids = batch.column("doc_id")
    again = np.array([doc_id in seen for doc_id in ids.to_pylist()], np.bool_)
    return Failure(DropReason.DUPLICATE_RECORD, as_json("once in a file"), again, ids)


def _renamed(failures: Sequence[Failure]) -> list[Failure]:
    """Failures of the screen, so named that they are told from those of select."""
    return [Failure(f"screen.{f.rule}", f.bound, f.failed, f.values) for f in failures]


def _count(tally: Tally, failures: Sequence[Failure], among: Mask) -> None:
    tally.keep(int(np.count_nonzero(passed(failures, among))))
    for reason, count in first_reasons(failures, among).items():
        tally.drop(reason, count)


def _count_nodes(tally: Tally, failures: Sequence[Failure], among: Mask, survives: Mask) -> None:
    """Count nodes by their own first reason, else by their document's end; an image's status is a reason of its own."""
    tally.keep(int(np.count_nonzero(among & survives)))
    for reason, count in first_reasons(failures, among).items():
        if reason != DropReason.IMAGE_STATUS:
            tally.drop(reason, count)
    for failure in failures:
        if failure.rule == DropReason.IMAGE_STATUS:
            values = failure.values.filter(pa.array(failure.failed)).to_pylist()
            for status, count in sorted(Counter(values).items()):
                tally.drop(f"{DropReason.IMAGE_STATUS}.{status}", count)
    with_document = int(np.count_nonzero(passed(failures, among) & ~survives))
    if with_document:
        tally.drop(DropReason.DOCUMENT_DROPPED, with_document)


def _verdicts(
    batch: pa.RecordBatch,
    nodes: Nodes,
    document_kept: Mask,
    node_survives: Mask,
    document_failures: Sequence[Failure],
    node_failures: Sequence[Failure],
) -> pa.RecordBatch:
    failed: list[dict[str, list[Any]]] = [{name: [] for name in _FAILED} for _ in range(nodes.documents)]
    for failure in document_failures:
        for document in np.flatnonzero(failure.failed).tolist():
            _append(failed[document], Scope.DOCUMENT, -1, failure, document)
    for failure in node_failures:
        scope = Scope.NODE if failure.rule.startswith(Scope.NODE) else Scope.IMAGE
        for node in np.flatnonzero(failure.failed).tolist():
            _append(failed[nodes.document[node]], scope, int(nodes.position[node]), failure, node)
    offsets = pa.array(np.concatenate(([0], np.cumsum(np.bincount(nodes.document, minlength=nodes.documents)))))
    columns = {
        "doc_id": batch.column("doc_id"),
        "kept": pa.array(document_kept),
        "node_kept": pa.ListArray.from_arrays(pc.cast(offsets, pa.int32()), pa.array(node_survives)),
        **{f"failed_{name}": [row[name] for row in failed] for name in _FAILED},
    }
    schema = VERDICTS.schema
    arrays = [
        c if isinstance(c := columns[name], pa.Array) else pa.array(c, schema.field(name).type) for name in schema.names
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _append(row: dict[str, list[Any]], scope: Scope, position: int, failure: Failure, index: int) -> None:
    values = (scope.value, position, failure.rule, failure.value(index), failure.bound)
    for name, value in zip(_FAILED, values, strict=True):
        row[name].append(value)
