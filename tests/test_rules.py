"""The evaluator: which items fail which rule, with value and bound, and that reasons add up."""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from filters.rules import evaluate, first_reasons, passed
from schemas.rules import Rule
from schemas.statuses import Scope


def _rules(*rules: Mapping[str, object]) -> list[Rule]:
    return [Rule.model_validate(rule) for rule in rules]


def _failed(rule: Mapping[str, object], values: Sequence[object], **other: Sequence[object]) -> list[bool]:
    columns = {str(rule["signal"]): pa.array(values), **{name: pa.array(column) for name, column in other.items()}}
    failures = evaluate(_rules(rule), Scope.NODE, columns, np.ones(len(values), np.bool_))
    return (~passed(failures, np.ones(len(values), np.bool_))).tolist()


def test_bounds_include_their_own_value() -> None:
    assert _failed({"signal": "words", "min": 4, "max": 6}, [3, 4, 6, 7]) == [True, False, False, True]


def test_what_could_not_be_measured_is_kept_unless_the_rule_says_drop() -> None:
    assert _failed({"signal": "words", "min": 4}, [None, 3]) == [False, True]
    assert _failed({"signal": "words", "min": 4, "missing": "drop"}, [None, 3]) == [True, True]
    assert _failed({"signal": "format", "not_in": ["gif"]}, [None, "gif", "png"]) == [False, True, False]


def test_lists_and_substrings() -> None:
    assert _failed({"signal": "language", "in": ["en", "de"]}, ["en", "fr", None]) == [False, True, False]
    urls = ["https://a.example/logo.png", "https://a.example/Logo.png", "https://a.example/x.png"]
    assert _failed({"signal": "image_url", "excludes": ["logo", "icon"]}, urls) == [True, False, False]


def test_a_condition_restricts_a_rule_and_a_null_does_not_meet_it() -> None:
    rule = {"signal": "punctuation_ratio", "min": 0.1, "when": {"signal": "words", "min": 12}}
    assert _failed(rule, [0.0, 0.0, 0.0], words=[11, 12, None]) == [False, True, False]


def test_a_failure_names_rule_value_and_bound() -> None:
    columns = {"width": pa.array([149, 150]), "special_character_ratio": pa.array([0.30000001, 1 / 3])}
    rules = _rules({"signal": "width", "min": 150}, {"signal": "special_character_ratio", "max": 0.3})
    width, special = evaluate(rules, Scope.IMAGE, columns, np.ones(2, np.bool_))
    assert (width.rule, width.bound, width.value(0)) == ("image.width.min", "150", "149")
    assert (special.rule, special.bound, special.value(1)) == ("image.special_character_ratio.max", "0.3", "0.333333")


def test_first_reasons_add_up_to_everything_that_was_dropped() -> None:
    rng = np.random.default_rng(7)
    columns = {"words": pa.array(rng.integers(0, 100, 1000)), "characters": pa.array(rng.integers(0, 100, 1000))}
    rules = _rules({"signal": "words", "min": 20, "max": 80}, {"signal": "characters", "min": 50})
    among = rng.random(1000) < 0.7
    failures = evaluate(rules, Scope.NODE, columns, among)
    kept, reasons = passed(failures, among), first_reasons(failures, among)
    assert sum(reasons.values()) + int(kept.sum()) == int(among.sum())
    assert set(reasons) == {"node.words.min", "node.words.max", "node.characters.min"}
    words = np.asarray(columns["words"])
    assert reasons["node.words.min"] == int((among & (words < 20)).sum())


def test_no_items_at_all_are_no_problem() -> None:
    failures = evaluate(_rules({"signal": "words", "min": 1}), Scope.NODE, {"words": pa.array([], pa.int32())},
                        np.zeros(0, np.bool_))  # fmt: skip
    assert passed(failures, np.zeros(0, np.bool_)).tolist() == []
