"""The one evaluator of rules, vectorised: which items fail which rule, with the value and the bound."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from schemas.rules import Bound, Rule
from schemas.statuses import Scope

Mask = npt.NDArray[np.bool_]
_TESTS = ("min", "max", "in_", "not_in", "excludes")


@dataclass(frozen=True)
class Failure:
    """One rule and the items that fail it. `rule` is scope, signal and bound, such as image.width.min.

    `concerned` are the items that the rule speaks of, the failed ones among them; `threshold`: what a keep_top came to.
    """

    rule: str
    bound: str
    failed: Mask
    values: pa.Array
    concerned: Mask
    threshold: "Threshold | None" = None

    @property
    def test(self) -> str:
        """The kind of bound, such as min."""
        return self.rule.rpartition(".")[2]

    def value(self, index: int) -> str:
        """The measured value of an item, as JSON."""
        return as_json(self.values[index].as_py())


@dataclass(frozen=True)
class Threshold:
    """What a keep_top rule came to: `kept` of the `pool` values are at least `least`; None where the pool is empty."""

    least: float | None
    pool: int
    kept: int


# By scope and the rule's place in its list.
Thresholds = Mapping[tuple[Scope, int], Threshold]
NO_THRESHOLDS: Thresholds = {}


def as_json(value: Any) -> str:
    """A value or bound as it stands in a verdict; floats short enough to read."""
    if isinstance(value, float):
        return json.dumps(int(value) if value.is_integer() and abs(value) < 1e15 else float(f"{value:.6g}"))
    return json.dumps(value, ensure_ascii=False)


def signals_of(rules: Iterable[Rule]) -> set[str]:
    """Signals that rules name, also in their conditions."""
    return {bound.signal for rule in rules for bound in (rule, rule.when) if bound is not None}


def evaluate(
    rules: Sequence[Rule],
    scope: Scope,
    columns: Mapping[str, pa.Array],
    among: Mask,
    thresholds: Thresholds = NO_THRESHOLDS,
) -> list[Failure]:
    """What fails, in the order of the rules; only items of `among` are looked at.

    `columns` holds a column for every signal that the rules name, all as long as `among`. A keep_top for which there is
    no threshold yet is left out.
    """
    return [
        failure
        for place, rule in enumerate(rules)
        for failure in _evaluate_rule(rule, scope, columns, among, thresholds.get((scope, place)))
    ]


def _evaluate_rule(
    rule: Rule, scope: Scope, columns: Mapping[str, pa.Array], among: Mask, threshold: Threshold | None
) -> Iterator[Failure]:
    values = columns[rule.signal]
    concerned = concerned_by(rule, columns, among)
    missing = np.asarray(pc.is_null(values)) if rule.missing == "drop" else np.zeros(len(among), np.bool_)
    name = f"{scope}.{rule.signal}"
    for test in _TESTS:
        bound = getattr(rule, test)
        if bound is not None:
            failed = concerned & (_fails(test, bound, values) | missing)
            said = as_json(list(bound) if isinstance(bound, tuple) else bound)
            yield Failure(f"{name}.{test.rstrip('_')}", said, failed, values, concerned)
    if rule.keep_top is not None and threshold is not None:
        below = _fails("min", threshold.least, values) if threshold.least is not None else missing
        said = json.dumps({"keep_top": rule.keep_top, "min": threshold.least})
        yield Failure(f"{name}.keep_top", said, concerned & (below | missing), values, concerned, threshold)


def concerned_by(rule: Rule, columns: Mapping[str, pa.Array], among: Mask) -> Mask:
    """Items of `among` that a rule speaks of: those that satisfy its `when`."""
    return among & ~failing(rule.when, columns[rule.when.signal]) if rule.when else among


def numbers(values: pa.Array) -> npt.NDArray[np.float64]:
    """Values of a numeric signal as doubles, NaN where there is none."""
    return np.asarray(pc.cast(values, pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)


def failing(bound: Bound, values: pa.Array) -> Mask:
    """Items that do not satisfy a bound; in a condition (`when`) a null does not satisfy it either."""
    failed = np.asarray(pc.is_null(values))
    for test in _TESTS:
        limit = getattr(bound, test)
        if limit is not None:
            failed = failed | _fails(test, limit, values)
    return failed


def _fails(test: str, bound: Any, values: pa.Array) -> Mask:
    """Items that have a value and fail one test."""
    if test == "min":
        failed = pc.less(pc.cast(values, pa.float64()), bound)
    elif test == "max":
        failed = pc.greater(pc.cast(values, pa.float64()), bound)
    elif test == "in_":
        failed = pc.invert(_is_in(values, bound))
    elif test == "not_in":
        failed = _is_in(values, bound)
    else:
        failed = _contains_any(values, bound)
    return np.asarray(pc.fill_null(pc.and_kleene(failed, pc.is_valid(values)), False))


def _is_in(values: pa.Array, bound: Sequence[Any]) -> pa.Array:
    if pa.types.is_string(values.type):
        return pc.is_in(values, pa.array(bound, pa.string()))
    return pc.is_in(pc.cast(values, pa.float64()), pa.array([float(b) for b in bound]))


def _contains_any(values: pa.Array, parts: Sequence[str]) -> pa.Array:
    found = pa.array(np.zeros(len(values), np.bool_))
    for part in parts:
        found = pc.or_kleene(found, pc.match_substring(values, part))
    return found


def passed(failures: Sequence[Failure], among: Mask) -> Mask:
    """Items of `among` that fail nothing."""
    kept = among.copy()
    for failure in failures:
        kept &= ~failure.failed
    return kept


def firsts(failures: Sequence[Failure], among: Mask) -> list[int]:
    """How many items of `among` each rule was the first to drop; together all drops."""
    open_ = among.copy()
    counts = []
    for failure in failures:
        counts.append(int(np.count_nonzero(open_ & failure.failed)))
        open_ &= ~failure.failed
    return counts


def first_reasons(failures: Sequence[Failure], among: Mask) -> dict[str, int]:
    """The counts of `firsts` by name of the rule, in the order of the rules."""
    counts: dict[str, int] = {}
    for failure, count in zip(failures, firsts(failures, among), strict=True):
        if count:
            counts[failure.rule] = counts.get(failure.rule, 0) + count
    return counts
