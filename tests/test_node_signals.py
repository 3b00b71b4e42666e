"""Signals as rules see them: of nodes, and of documents over what is left of their nodes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from filters.nodes import Nodes, columns_for
from filters.text_signals import measure_documents
from schemas.signals import SIGNALS, names
from schemas.statuses import Scope
from schemas.tables import DOCUMENT_REPETITIONS, DOCUMENTS, REPETITIONS, TEXT_COUNTS

_IMAGE = None
_WHOLE = (*REPETITIONS, *DOCUMENT_REPETITIONS, "gopher_stop_words")


def _batch(*documents: Sequence[str | None], code: str | None = "en") -> pa.RecordBatch:
    """Documents of texts and images as extract writes them; columns that no text signal needs are null."""
    texts = [[node for node in document if node is not None] for document in documents]
    of_texts, whole = measure_documents(texts, [code] * len(documents))
    columns: dict[str, Any] = {name: whole.column(name) for name in _WHOLE}
    columns["images"] = [["x" if node is None else None for node in document] for document in documents]
    for name in (*TEXT_COUNTS, *REPETITIONS):
        values = iter(of_texts.column(name).to_pylist())
        columns[f"node_{name}"] = [[None if node is None else next(values) for node in some] for some in documents]
    columns["node_perplexity"] = [[None] * len(document) for document in documents]
    arrays = [
        pa.array(columns[field.name], field.type) if field.name in columns else pa.nulls(len(documents), field.type)
        for field in DOCUMENTS.schema
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=pa.schema([f.with_nullable(True) for f in DOCUMENTS.schema]))


def _nodes(*documents: Sequence[str | None], code: str | None = "en") -> Nodes:
    return Nodes(_batch(*documents, code=code))


def _document(nodes: Nodes, *dropped: int) -> dict[str, Any]:
    kept = np.ones(len(nodes.document), np.bool_)
    kept[list(dropped)] = False
    return {name: column.to_pylist()[0] for name, column in nodes.document_columns(kept).items()}


def test_every_signal_of_nodes_and_documents_has_a_column() -> None:
    nodes = _nodes(["A line of text.", _IMAGE])
    of_nodes = [name for name in names(Scope.NODE) if name not in nodes.text_columns()]
    of_documents = [name for name in names(Scope.DOCUMENT) if name not in _document(nodes)]
    assert (of_nodes, of_documents) == ([], [])
    assert set(nodes.text_columns()) <= {name for scope, name in SIGNALS if scope == Scope.NODE}


def test_each_signal_is_formed_from_the_columns_that_are_read_for_it() -> None:
    batch = _batch(["A line of 3 texts.", _IMAGE, "It is the light."], [_IMAGE], ["Words: #1"])
    everything = Nodes(batch)
    kept = np.array([True, True, False, True, True])
    for scope, whole in ((Scope.NODE, everything.text_columns()), (Scope.DOCUMENT, everything.document_columns(kept))):
        for name in names(scope):
            nodes = Nodes(batch.select(["images", *sorted(columns_for(scope, [name]))]))
            alone = nodes.text_columns() if scope is Scope.NODE else nodes.document_columns(kept)
            assert alone[name].equals(whole[name]), name
        with pytest.raises(KeyError):
            whole["wrods"]


def test_ratios_of_nodes() -> None:
    nodes = _nodes(["MIT 1999, see example.org #1 #2", _IMAGE, "It is the light."])
    found = {name: column.to_pylist() for name, column in nodes.text_columns().items()}
    assert found["uppercase_ratio"][0] == pytest.approx(3 / 26)
    assert found["digit_ratio"][0] == pytest.approx(6 / 31)
    assert found["symbol_word_ratio"][0] == pytest.approx(2 / 6)
    assert found["alphabetic_word_ratio"][0] == pytest.approx(3 / 6)
    assert found["mean_word_length"][2] == pytest.approx(12 / 4)
    assert found["terminal_line_ratio"] == [0, None, 1]
    assert found["common_word_ratio"][2] == 1
    assert found["stop_word_ratio"][2] == pytest.approx(3 / 4)


def test_documents_are_judged_by_the_texts_that_are_left() -> None:
    nodes = _nodes(["Write to jane@harbour.org!", _IMAGE, "It is the light. It is red.", "SHARE"])
    everything, rest = _document(nodes), _document(nodes, 0, 3)
    assert (everything["emails"], rest["emails"]) == (1, 0)
    assert (everything["sentences"], rest["sentences"]) == (4, 2)
    assert (everything["words"], rest["words"]) == (11, 7)
    assert (everything["longest_text_words"], rest["longest_text_words"]) == (7, 7)
    assert (everything["mean_text_words"], rest["mean_text_words"]) == (pytest.approx(11 / 3), 7)
    assert (everything["spam_word_ratio"], rest["spam_word_ratio"]) == (pytest.approx(1 / 11), 0)
    assert rest["uppercase_ratio"] == pytest.approx(2 / 21)
    assert rest["words_per_image"] == 7


def test_joints_count_as_space_as_in_the_joined_text() -> None:
    texts = ["Ab", "Cd", "Ef"]
    assert _document(_nodes(texts))["uppercase_ratio"] == pytest.approx(3 / 6)


def test_nothing_left_and_nothing_to_divide_by_are_null() -> None:
    nothing = _document(_nodes(["A text.", "12"]), 0, 1)
    for name in ("mean_word_length", "stop_word_ratio", "mean_text_words", "words_per_image", "terminal_line_ratio"):
        assert nothing[name] is None
    assert nothing["longest_text_words"] == nothing["words"] == 0


def test_what_a_language_has_no_list_for_is_null() -> None:
    nodes = _nodes(["Usa ka balay.", _IMAGE], code="ceb")
    for columns in (_document(nodes), {name: column.to_pylist()[0] for name, column in nodes.text_columns().items()}):
        for name in ("stop_words", "stop_word_ratio", "common_word_ratio", "flagged_word_ratio", "spam_word_ratio"):
            assert columns[name] is None
    assert _document(nodes)["gopher_stop_words"] is None


def test_the_nearest_image_is_one_of_the_same_page() -> None:
    nodes = _nodes(["a", "b", _IMAGE, "c"], ["d", "e"], ["f", _IMAGE])
    assert nodes.text_columns()["image_distance"].to_pylist() == [2, 1, 0, 1, None, None, 1, 0]
    assert _nodes(["a"]).text_columns()["image_distance"].to_pylist() == [None]
