"""What each rule drops: first, alone and with others, and how many items other bounds would keep."""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pytest

from filters.attribution import RuleCounts, added, count_rules
from filters.rules import Threshold, evaluate, passed
from schemas.rules import Rule
from schemas.statuses import Scope

SIZE = 4000
RULES: list[dict[str, object]] = [
    {"signal": "words", "min": 20, "max": 80},
    {"signal": "characters", "min": 50, "missing": "drop"},
    {"signal": "stop_word_ratio", "max": 0.6, "when": {"signal": "words", "min": 40}},
    {"signal": "words", "not_in": [33]},
    {"signal": "characters", "keep_top": 0.5},
]


def _columns(seed: int) -> dict[str, pa.Array]:
    rng = np.random.default_rng(seed)
    return {
        "words": pa.array(rng.integers(0, 100, SIZE)),
        "characters": pa.array(rng.integers(0, 300, SIZE), mask=rng.random(SIZE) < 0.1),
        "stop_word_ratio": pa.array(rng.integers(0, 100, SIZE) / 100, mask=rng.random(SIZE) < 0.3),
    }


def _judged(seed: int, rules: Sequence[Mapping[str, object]]) -> tuple[list[RuleCounts], int]:
    """Counts of the rules, and how many candidates they keep; a third of the items are no candidates."""
    among = np.ones(SIZE, np.bool_)
    candidates = np.arange(SIZE) % 3 > 0
    models = [Rule.model_validate(rule) for rule in rules]
    known = {(Scope.NODE, len(rules) - 1): Threshold(120.0, 0, 0)}
    failures = evaluate(models, Scope.NODE, _columns(seed), among, known)
    return count_rules(failures, among, candidates), int((passed(failures, among) & candidates).sum())


def _plainly(seed: int) -> list[list[bool]]:
    """Which rule drops which item, one item after another."""
    columns = {name: column.to_pylist() for name, column in _columns(seed).items()}
    rows = []
    for words, characters, stops in zip(
        columns["words"], columns["characters"], columns["stop_word_ratio"], strict=True
    ):
        concerned = words >= 40 and stops is not None
        rows.append([
            words < 20, words > 80, characters is None or characters < 50, concerned and stops > 0.6, words == 33,
            characters is not None and characters < 120,
        ])  # fmt: skip
    return rows


def test_first_alone_and_together_are_what_a_plain_loop_counts() -> None:
    rows = _plainly(4)
    counts, _ = _judged(4, RULES)
    for place, counted in enumerate(counts):
        assert counted.failed == sum(row[place] for row in rows)
        assert counted.first == sum(row[place] and not any(row[:place]) for row in rows)
        assert counted.alone == sum(row[place] and sum(row) == 1 for row in rows)
        assert counted.both.tolist() == [sum(row[place] and row[other] for row in rows) for other in range(6)]
    assert counts[3].judged == sum(words >= 40 for words in _columns(4)["words"].to_pylist())


@pytest.mark.parametrize(
    ("place", "rule", "test", "bounds"),
    [(0, 0, "min", (0, 20, 37, 80)), (1, 0, "max", (20, 50, 80, 99)), (2, 1, "min", (0, 51, 130, 299)),
     (3, 2, "max", (0.0, 0.3, 0.61, 1.0))],
)  # fmt: skip
def test_a_curve_says_what_a_rule_with_another_bound_keeps(
    place: int, rule: int, test: str, bounds: tuple[float, ...]
) -> None:
    counted = _judged(4, RULES)[0][place]
    assert counted.rule.endswith(test) and counted.curve.level == 0
    for bound in bounds:
        changed = [dict(one) for one in RULES]
        changed[rule][test] = bound
        assert counted.kept_at(bound) == _judged(4, changed)[1]


def test_a_curve_of_keep_top_says_what_another_threshold_keeps() -> None:
    counted = _judged(4, RULES)[0][5]
    for bound in (0, 119, 120, 200, 299):
        fixed: list[dict[str, object]] = [*RULES[:-1], {"signal": "characters", "min": bound}]
        assert counted.kept_at(bound) == _judged(4, fixed)[1]


def test_counts_of_parts_add_up_to_those_of_the_whole() -> None:
    parts = [_judged(seed, RULES)[0] for seed in (1, 2, 3)]
    total = added(parts)
    for place, counted in enumerate(total):
        of_parts = [part[place] for part in parts]
        for name in ("judged", "failed", "first", "alone", "candidates", "regardless"):
            assert getattr(counted, name) == sum(getattr(part, name) for part in of_parts)
        assert counted.both.tolist() == np.sum([part.both for part in of_parts], axis=0).tolist()
        if counted.has_curve:
            assert counted.kept_at(60) == sum(part.kept_at(60) for part in of_parts)
    assert added([]) == []


def test_a_list_without_rules_and_items_is_no_error() -> None:
    assert count_rules([], np.zeros(0, np.bool_), np.zeros(0, np.bool_)) == []
