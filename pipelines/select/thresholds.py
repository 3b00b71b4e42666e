"""thresholds.json: what each keep_top of the recipe came to in this corpus, for people to read."""

import json
from typing import Any

from filters.attribution import RuleCounts
from pipelines.frame.storage import Workspace
from pipelines.select.counting import RulesByScope
from schemas.recipe import SelectRules
from schemas.rules import Rule

THRESHOLDS = "thresholds.json"
_VERSION = 1


def described(rules: SelectRules, counted: RulesByScope) -> list[dict[str, Any]]:
    """One entry a keep_top: its threshold, how many values the pool has, which share was asked for and kept."""
    return [
        _entry(rule, counts)
        for scope, of_scope in counted.items()
        for rule, counts in zip(
            (rule for rule in getattr(rules, scope) if rule.keep_top is not None),
            (counts for counts in of_scope if counts.threshold is not None),
            strict=True,
        )
    ]


def _entry(rule: Rule, counts: RuleCounts) -> dict[str, Any]:
    assert counts.threshold is not None
    pool, kept = counts.threshold.pool, counts.threshold.kept
    return {
        "rule": counts.rule,
        "when": rule.when.model_dump(mode="json", by_alias=True, exclude_none=True) if rule.when else None,
        "keep_top": rule.keep_top,
        "threshold": counts.threshold.least,
        "pool": pool,
        "kept": kept,
        "kept_share": round(kept / pool, 6) if pool else None,
    }


def write(workspace: Workspace, entries: list[dict[str, Any]]) -> None:
    """Write the file where it would change; without keep_top there is none."""
    if not entries:
        workspace.remove(THRESHOLDS)
        return
    text = json.dumps({"version": _VERSION, "rules": entries}, indent=1) + "\n"
    if not workspace.exists(THRESHOLDS) or workspace.read_text(THRESHOLDS) != text:
        workspace.write_text(THRESHOLDS, text)


def read(workspace: Workspace) -> list[dict[str, Any]]:
    """The entries; none where there is no file."""
    if not workspace.exists(THRESHOLDS):
        return []
    entries: list[dict[str, Any]] = json.loads(workspace.read_text(THRESHOLDS))["rules"]
    return entries
