"""The `rules` table of a partition: what each rule did, and what its keep_top came to. Written, read and summed."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from filters import quantiles
from filters.attribution import RuleCounts
from filters.rules import Threshold
from pipelines.frame import tables
from pipelines.frame.storage import Workspace
from pipelines.select.counting import RulesByScope
from schemas.statuses import Scope
from schemas.tables import RULES

_COUNTS = ("judged", "failed", "first", "alone", "candidates", "regardless")


def rows_of(rules: RulesByScope) -> Iterator[dict[str, Any]]:
    """Rows of the table."""
    for scope, counted in rules.items():
        for one in counted:
            yield {
                "scope": scope.value,
                "rule": one.rule,
                "bound": one.bound,
                **{name: getattr(one, name) for name in _COUNTS},
                "both": one.both.tolist(),
                "curve_level": one.curve.level,
                "curve_edges": one.curve.edges.tolist(),
                "curve_counts": one.curve.counts.tolist(),
                **_threshold_columns(one.threshold),
            }


def _threshold_columns(threshold: Threshold | None) -> dict[str, float | None]:
    if threshold is None:
        return dict.fromkeys(("pool", "pool_kept", "threshold"))
    return {"pool": threshold.pool, "pool_kept": threshold.kept, "threshold": threshold.least}


def read(workspace: Workspace, partition: int) -> RulesByScope:
    """What the rules did in a partition."""
    found: dict[Scope, list[RuleCounts]] = {}
    for row in tables.read_table(workspace, RULES, partition).to_pylist():
        found.setdefault(Scope(row["scope"]), []).append(_counts_of(row))
    return found


def _counts_of(row: Mapping[str, Any]) -> RuleCounts:
    edges, counts = np.array(row["curve_edges"], np.float64), np.array(row["curve_counts"], np.int64)
    return RuleCounts(
        row["rule"],
        row["bound"],
        **{name: row[name] for name in _COUNTS},
        both=np.array(row["both"], np.int64),
        curve=quantiles.from_edges(row["curve_level"], edges, counts),
        threshold=None if row["pool"] is None else Threshold(row["threshold"], row["pool"], row["pool_kept"]),
    )
