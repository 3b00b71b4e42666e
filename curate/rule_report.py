"""What each rule of a job drops, summed over its partitions: the numbers behind `status --rules` and `tune`."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from curate.errors import UserError
from filters.attribution import RuleCounts
from pipelines.frame import ledger
from pipelines.frame.storage import Workspace
from pipelines.select import rule_table
from pipelines.select.counting import RulesByScope, added_by_scope
from schemas.statuses import StageName

_POINTS = 16


def summed(workspace: Workspace) -> tuple[RulesByScope, int]:
    """What the rules did in all partitions that were judged, and how many these are.

    Raises:
        UserError: where partitions were judged by different rules, as after an interrupted run.
    """
    done = ledger.partitions_in(workspace, StageName.SELECT)
    parts = [rule_table.read(workspace, partition) for partition in done]
    if len({_signature(part) for part in parts}) > 1:
        raise UserError("partitions were judged by different rules; finish the run with curate run first")
    return added_by_scope(parts), len(done)


def _signature(rules: RulesByScope) -> tuple[tuple[str, str], ...]:
    return tuple((counts.rule, counts.bound) for of_scope in rules.values() for counts in of_scope)


def described(rules: RulesByScope) -> list[dict[str, Any]]:
    """One entry a rule, in the order in which they judge."""
    return [
        {
            "scope": scope.value,
            "rule": counts.rule,
            "bound": json.loads(counts.bound),
            "judged": counts.judged,
            "failed": counts.failed,
            "first": counts.first,
            "only_this": counts.alone,
            "overlaps": _overlaps(place, of_scope),
            "curve": [
                {"bound": bound, "kept": kept, "share": round(kept / max(counts.candidates, 1), 6)}
                for bound, kept in curve(counts)
            ],
        }
        for scope, of_scope in rules.items()
        for place, counts in enumerate(of_scope)
    ]


def _overlaps(place: int, of_scope: Sequence[RuleCounts]) -> dict[str, int]:
    """Items that a rule drops together with others, most first."""
    pairs = [
        (other.rule, int(count))
        for at, (other, count) in enumerate(zip(of_scope, of_scope[place].both, strict=True))
        if at != place and count
    ]
    return dict(sorted(pairs, key=lambda pair: -pair[1]))


def curve(counts: RuleCounts) -> Iterator[tuple[float, int]]:
    """(bound, items kept) at the present bound and up to 16 that part the values evenly, ascending."""
    if not counts.has_curve or not counts.curve.total:
        return
    places = np.searchsorted(np.cumsum(counts.curve.counts), np.linspace(1, counts.curve.total, _POINTS))
    now = present_bound(counts)
    for bound in sorted({*counts.bins[places].tolist(), *([] if now is None else [now])}):
        yield bound, counts.kept_at(bound)


def present_bound(counts: RuleCounts) -> float | None:
    """The number that a rule's bound comes to; None where the pool of a keep_top is empty."""
    return counts.threshold.least if counts.threshold else float(json.loads(counts.bound))


def threshold_lines(entries: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What each keep_top came to, a line each; `entries` as in thresholds.json."""
    for entry in entries:
        said = f"{entry['rule']} {entry['keep_top']:g}"
        if entry["threshold"] is None:
            yield f"{said}: nothing has a value, so nothing is dropped"
        else:
            kept = f"{entry['kept']:,} of {entry['pool']:,} ({entry['kept_share']:.2%})"
            yield f"{said}: came to min {entry['threshold']:.6g}, which keeps {kept}"


def bound_in_words(bound: str) -> str:
    """A bound of a verdict as a person would say it."""
    said = json.loads(bound)
    if isinstance(said, dict):
        least = "nothing, its pool is empty" if said["min"] is None else f"min {said['min']:.6g}"
        return f"{least} (keep_top {said['keep_top']:g})"
    return bound
