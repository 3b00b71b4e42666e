"""The verdicts table of a batch: what is kept, and every rule that anything failed, with value and bound."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from filters.lists import as_lists
from filters.nodes import Nodes
from filters.rules import Failure, as_json
from pipelines.select.judging import Judgement
from schemas.statuses import Scope
from schemas.tables import VERDICTS

Indices = npt.NDArray[np.int64]


def verdicts(ids: pa.Array, judged: Judgement) -> pa.RecordBatch:
    """A verdict for every document of a batch, in its order."""
    nodes = judged.nodes
    columns = {
        "doc_id": ids,
        "kept": pa.array(judged.document_kept),
        "node_kept": _lists(nodes.document, nodes.documents, pa.array(judged.node_survives)),
        **_failed(judged),
    }
    return pa.RecordBatch.from_arrays([columns[name] for name in VERDICTS.schema.names], schema=VERDICTS.schema)


def _failed(judged: Judgement) -> dict[str, pa.Array]:
    """The failed_ lists: a document's own rules, then those of its nodes, in the order of the rules."""
    failures = [
        (scope, failure)
        for scope in (Scope.DOCUMENT, Scope.NODE, Scope.IMAGE)
        for failure in judged.failures[scope]
        if failure.failed.any()
    ]
    items = [_items(scope, failure, judged.nodes) for scope, failure in failures]
    document = _joined([documents for documents, _, _ in items])
    order = np.argsort(document, kind="stable")
    number = pa.array(_joined([np.full(len(documents), i) for i, (documents, _, _) in enumerate(items)])[order])
    columns = {
        "scope": _strings([scope.value for scope, _ in failures]).take(number),
        "position": pa.array(_joined([positions for _, positions, _ in items])[order], pa.int32()),
        "rule": _strings([failure.rule for _, failure in failures]).take(number),
        "value": pa.concat_arrays([_strings([]), *(values for _, _, values in items)]).take(pa.array(order)),
        "bound": _strings([failure.bound for _, failure in failures]).take(number),
    }
    return {
        f"failed_{name}": _lists(document[order], judged.nodes.documents, column) for name, column in columns.items()
    }


def _items(scope: Scope, failure: Failure, nodes: Nodes) -> tuple[Indices, Indices, pa.Array]:
    """Document, position (-1: the document) and value of each item that fails a rule."""
    failed = np.flatnonzero(failure.failed)
    values = _as_json(failure.values.take(pa.array(failed)))
    if scope is Scope.DOCUMENT:
        return failed, np.full(len(failed), -1), values
    return nodes.document[failed], nodes.position[failed], values


def _joined(parts: Sequence[Indices]) -> Indices:
    return np.concatenate([np.zeros(0, np.int64), *parts])


def _strings(values: Sequence[str]) -> pa.Array:
    return pa.array(values, pa.string())


def _as_json(values: pa.Array) -> pa.Array:
    """Each value as JSON; every different one is written once."""
    coded = values.dictionary_encode(null_encoding="encode")
    return _strings([as_json(value) for value in coded.dictionary.to_pylist()]).take(coded.indices)


def _lists(document: Indices, documents: int, items: pa.Array) -> pa.Array:
    """Items as one list a document; `document` (ascending) says whose each is."""
    return as_lists(np.bincount(document, minlength=documents), items)
