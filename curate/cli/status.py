"""`curate status`: what of a job is done, what was kept, what was dropped and why."""

import argparse
import json
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from curate.cli.arguments import Subparsers, add_command
from schemas.statuses import StageName

if TYPE_CHECKING:
    from pipelines.frame.storage import Workspace

_WIDTH = 34
_REASONS = 4


def add_parser(commands: Subparsers) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "status",
        "show per stage what is done, kept and dropped, with every reason",
        "curate status out --json",
    )
    parser.add_argument("output", metavar="OUT", help="the output folder of a job")
    parser.add_argument(
        "--rules", action="store_true", help="show for every rule what it drops: at all, first, alone, and with which"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(command=command)


def command(arguments: argparse.Namespace) -> int:
    """Print the status; 1 where the counts do not add up."""
    from curate.funnel import funnel
    from curate.job import open_job
    from pipelines.select import thresholds

    workspace = open_job(arguments.output)
    if arguments.rules:
        _print_rules(workspace, arguments.json)
        return 0
    found = funnel(workspace)
    found["thresholds"] = thresholds.read(workspace)
    print(json.dumps(found, indent=1) if arguments.json else "\n".join(_lines(found)))
    return 0 if found["adds_up"] else 1


def _print_rules(workspace: "Workspace", as_json: bool) -> None:
    from curate.rule_report import described, summed, threshold_lines
    from pipelines.frame import partitions
    from pipelines.select import thresholds

    (rules, judged), total = summed(workspace), len(partitions.load(workspace))
    entries, came_to = described(rules), thresholds.read(workspace)
    if as_json:
        partial = {"judged": judged, "all": total}
        print(json.dumps({"rules": entries, "thresholds": came_to, "partitions": partial}, indent=1))
    else:
        print("\n".join([*_rule_lines(entries), *threshold_lines(came_to), f"{judged} of {total} partitions judged"]))


def _rule_lines(entries: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    from curate.rule_report import bound_in_words

    if not entries:
        return
    yield f"{'rule':46}{'bound':26}{'judged':>10}{'failed':>10}{'first':>10}{'only this':>10}   overlaps most with"
    for entry in entries:
        bound = textwrap.shorten(bound_in_words(json.dumps(entry["bound"])), 25, placeholder=" …")
        counts = "".join(f"{entry[name]:>10,}" for name in ("judged", "failed", "first", "only_this"))
        most = next((f"{rule} {count:,}" for rule, count in entry["overlaps"].items()), "")
        yield f"{entry['rule']:45} {bound:26}{counts}   {most}".rstrip()


def _lines(found: Mapping[str, Any]) -> Iterator[str]:
    from curate.rule_report import threshold_lines

    for stage in found["stages"]:
        size = f"{stage['bytes_in'] / 1e6:,.1f} MB in, {stage['bytes_out'] / 1e6:,.1f} MB out"
        yield f"{stage['stage']}: {stage['done']} of {stage['partitions']} partitions, {stage['seconds']:.1f} s, {size}"
        for items, counts in stage["counts"].items():
            yield f"  {items:{_WIDTH - 2}} {counts['in']:>9,} in {counts['out']:>9,} out"
            for reason, count in sorted(counts["reasons"].items(), key=lambda pair: (-pair[1], pair[0])):
                yield f"    {reason:{_WIDTH - 4}} {count:>9,}"
        for skip in stage["skipped"]:
            where = f"{skip['length']:,} bytes at {skip['offset']:,}"
            yield f"  skipped in {skip['path']}: {where} ({skip['reason']})"
        if stage["failed"]:
            first, number = stage["failed"][0], len(stage["failed"])
            yield f"  {number:,} partitions failed, the first {first}: see errors/{stage['stage']}/"
        if stage["errors"]:
            yield f"  {stage['errors']:,} errors: see errors/{stage['stage']}/"
        if stage["stage"] == StageName.SELECT:
            yield from (f"  {line}" for line in threshold_lines(found["thresholds"]))
    yield "every item is kept or has a reason" if found["adds_up"] else "THE COUNTS DO NOT ADD UP:"
    yield from (f"  {problem}" for problem in found["problems"])


def summary(workspace: "Workspace") -> str:
    """The funnel in a few lines: what went in, what came out, and the most frequent reasons."""
    from curate.funnel import funnel

    found = funnel(workspace)
    stages = {stage["stage"]: stage["counts"] for stage in found["stages"]}
    lines = []
    for title, stage, items in (
        ("records", "extract", "records"), ("documents", "select", "documents"), ("texts", "select", "texts"),
        ("images", "select", "images"),
    ):  # fmt: skip
        counts = stages[stage].get(items)
        if counts:
            lines.append(f"{title:10} {counts['in']:>8,} in {counts['out']:>8,} kept   {_why(counts['reasons'])}")
    skipped = found["stages"][0]["skipped"]
    if skipped:
        lines.append(
            f"{len(skipped)} stretches could not be read, the first in {skipped[0]['path']} ({skipped[0]['reason']})"
        )
    if not stages["extract"].get("records", {}).get("in"):
        lines.append("no input holds any record: are these WARC files?")
    return "\n".join(lines)


def _why(reasons: Mapping[str, int]) -> str:
    """The most frequent reasons, and how many items there are with others."""
    ordered = sorted(reasons.items(), key=lambda pair: -pair[1])
    shown = [f"{reason} {count:,}" for reason, count in ordered[:_REASONS]]
    rest = sum(count for _, count in ordered[_REASONS:])
    return ", ".join([*shown, f"others {rest:,}"] if rest else shown)
