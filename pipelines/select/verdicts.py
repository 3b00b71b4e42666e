"""The verdicts table of a batch: what is kept, and every rule that anything failed, with value and bound."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

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
    nodes = judged.nodes
    documents, parts = [], []
    for scope in (Scope.DOCUMENT, Scope.NODE, Scope.IMAGE):
        for failure in judged.failures[scope]:
            failed = np.flatnonzero(failure.failed)
            documents.append(failed if scope is Scope.DOCUMENT else nodes.document[failed])
            positions = np.full(len(failed), -1) if scope is Scope.DOCUMENT else nodes.position[failed]
            parts.append(_rows(scope, failure, failed, positions))
    document = np.concatenate(documents)
    order = pa.array(np.argsort(document, kind="stable"))
    rows = pa.concat_tables(parts).combine_chunks().take(order)
    return {
        f"failed_{name}": _lists(np.sort(document), nodes.documents, _whole(rows.column(name)))
        for name in rows.column_names
    }


def _rows(scope: Scope, failure: Failure, failed: Indices, positions: Indices) -> pa.Table:
    count = len(failed)
    return pa.table(
        {
            "scope": pa.repeat(scope.value, count),
            "position": pa.array(positions, pa.int32()),
            "rule": pa.repeat(failure.rule, count),
            "value": _as_json(failure.values.take(pa.array(failed))),
            "bound": pa.repeat(failure.bound, count),
        }
    )


def _as_json(values: pa.Array) -> pa.Array:
    """Each value as JSON; every different one is written once."""
    coded = values.dictionary_encode(null_encoding="encode")
    return pa.array([as_json(value) for value in coded.dictionary.to_pylist()], pa.string()).take(coded.indices)


def _lists(document: Indices, documents: int, items: pa.Array) -> pa.Array:
    """Items as one list a document; `document` (ascending) says whose each is."""
    lengths = np.bincount(document, minlength=documents)
    return pa.ListArray.from_arrays(pa.array(np.concatenate(([0], np.cumsum(lengths))), pa.int32()), items)


def _whole(column: pa.ChunkedArray) -> pa.Array:
    joined = column.combine_chunks()
    return pa.concat_arrays(joined.chunks) if isinstance(joined, pa.ChunkedArray) else joined
