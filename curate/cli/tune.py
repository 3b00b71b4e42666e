"""`curate tune`: what other thresholds would keep of a job, in seconds, without writing anything."""

import argparse
import json
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from curate.cli.arguments import Subparsers, add_command
from curate.errors import UserError

if TYPE_CHECKING:
    from curate.tuning import Comparison, Outcome
    from filters.attribution import RuleCounts

_BAR = 40


def add_parser(commands: Subparsers) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "tune",
        "show what other rules would keep of a job, in seconds, writing nothing",
        "curate tune out --set select.image.width.min=200 --curve image.width.min",
    )
    parser.add_argument("output", metavar="OUT", help="the output folder of a job that has come as far as fetch")
    parser.add_argument(
        "--set", metavar="A.B=C", action="append", default=[], dest="settings",
        help="change a rule, such as select.image.width.min=200 or select.image.width.keep_top=0.7; may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--curve",
        metavar="RULE",
        help="how many items other bounds of a rule would keep, such as image.width.min",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(command=command)


def command(arguments: argparse.Namespace) -> int:
    """Print the comparison, the curve, or both."""
    if not arguments.settings and not arguments.curve:
        raise UserError("nothing to try: give --set select.image.width.min=200, or --curve image.width.min")
    # Only now is it sure that they are needed: Arrow and NumPy take a third of a second to import.
    from curate.job import open_job
    from curate.tuning import compare
    from pipelines.frame.arrow import leave_pandas_out

    leave_pandas_out()
    began = time.monotonic()
    found = compare(open_job(arguments.output), arguments.settings)
    curves = _matching(found.after, arguments.curve) if arguments.curve else []
    if arguments.json:
        print(json.dumps(_described(found, curves), indent=1))
        return 0
    if arguments.settings:
        print("\n".join(_funnel_lines(found)))
        print("\n".join(_rule_lines(found)))
    for counts in curves:
        print("\n".join(_curve_lines(counts)))
    partial = "" if found.judged == found.partitions else f" of {found.partitions}"
    print(f"\n{found.judged}{partial} partitions judged in {time.monotonic() - began:.1f} s, nothing written")
    return 0


def _rules(outcome: "Outcome") -> "dict[str, RuleCounts]":
    """Rules by name; of several with the same name the later ones are numbered."""
    named: dict[str, RuleCounts] = {}
    for of_scope in outcome.counts.rules.values():
        for counts in of_scope:
            again = sum(name.split(" ")[0] == counts.rule for name in named)
            named[f"{counts.rule} ({again + 1})" if again else counts.rule] = counts
    return named


def _matching(outcome: "Outcome", rule: str) -> "list[RuleCounts]":
    from schemas.section import nearest

    known = [counts for counts in _rules(outcome).values() if counts.has_curve]
    found = [counts for counts in known if counts.rule == rule]
    if not found:
        names = [counts.rule for counts in known]
        raise UserError(f"--curve {rule}: no rule of that name has a bound to move; {nearest(rule, names)}")
    return found


def _funnel(outcome: "Outcome") -> dict[str, int]:
    counts = outcome.counts
    return {"documents": counts.documents.out, "texts": counts.texts.out, "images": counts.images.out}


def _funnel_lines(found: "Comparison") -> Iterator[str]:
    before, after = _funnel(found.before), _funnel(found.after)
    yield f"{'kept':44}{'before':>10}{'after':>10}"
    for items, count in before.items():
        yield f"{items:44}{count:>10,}{after[items]:>10,}{after[items] - count:>+10,}"


def _rule_lines(found: "Comparison") -> Iterator[str]:
    """Rules whose bound or drops are not what they were, and what every keep_top comes to."""
    from curate.rule_report import bound_in_words, threshold_lines
    from pipelines.select import thresholds

    before, after = _rules(found.before), _rules(found.after)
    same = 0
    yield f"\n{'dropped by rule':44}{'before':>10}{'after':>10}   bound"
    for name in dict.fromkeys([*before, *after]):
        old, new = before.get(name), after.get(name)
        bounds = [bound_in_words(counts.bound) if counts else "none" for counts in (old, new)]
        drops = [counts.failed if counts else 0 for counts in (old, new)]
        if bounds[0] == bounds[1] and drops[0] == drops[1]:
            same += 1
            continue
        bound = bounds[0] if bounds[0] == bounds[1] else " -> ".join(bounds)
        yield f"{name:44}{drops[0]:>10,}{drops[1]:>10,}   {bound}"
    yield f"{same} rules drop what they did"
    yield from threshold_lines(thresholds.described(found.after.recipe.select, found.after.counts.rules))


def _curve_lines(counts: "RuleCounts") -> Iterator[str]:
    from curate.rule_report import bound_in_words, curve, present_bound

    points, now = [*curve(counts)], present_bound(counts)
    yield f"\n{counts.rule}, now {bound_in_words(counts.bound)}: kept of {counts.candidates:,} if only this bound moved"
    if not points:
        yield "  no item that all other rules keep has a value"
    for bound, kept in points:
        share = kept / max(counts.candidates, 1)
        bar = "#" * round(share * _BAR)
        yield f"{'>' if bound == now else ' '}{bound:>13,.6g}{kept:>10,}{share:>8.1%}  {bar}".rstrip()


def _described(found: "Comparison", curves: "list[RuleCounts]") -> dict[str, Any]:
    from curate.rule_report import curve, described
    from pipelines.select import thresholds

    return {
        **{
            name: {
                "kept": _funnel(outcome),
                "thresholds": thresholds.described(outcome.recipe.select, outcome.counts.rules),
                "rules": described(outcome.counts.rules),
            }
            for name, outcome in (("before", found.before), ("after", found.after))
        },
        "curves": {counts.rule: [list(point) for point in curve(counts)] for counts in curves},
        "partitions": {"judged": found.judged, "all": found.partitions},
    }
