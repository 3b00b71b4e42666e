"""`curate recipes`: lists the recipes that come with curate, or prints one to start an own one from."""

import argparse
from typing import TYPE_CHECKING

from curate.cli.arguments import Subparsers, add_command
from curate.errors import UserError

if TYPE_CHECKING:
    from schemas.recipe import Recipe


def add_parser(commands: Subparsers) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "recipes",
        "list the recipes that come with curate, print one, or list the signals that rules can bound",
        "curate recipes default > mine.yaml",
    )
    parser.add_argument("name", metavar="NAME", nargs="?", help="print this recipe's YAML")
    parser.add_argument("--signals", action="store_true", help="list the signals that rules can bound")
    parser.add_argument(
        "--recall", action="store_true", help="which share of near copies the recipe's dedup.text.near finds"
    )
    parser.set_defaults(command=command)


def command(arguments: argparse.Namespace) -> int:
    """Print what was asked for."""
    from curate.recipes.reading import read_recipe, shipped
    from schemas.section import nearest
    from schemas.signals import SIGNALS

    known = shipped()
    if arguments.signals:
        for (scope, name), signal in sorted(SIGNALS.items()):
            print(f"{scope:9} {name:27} {signal.meaning} [{signal.unit}]")
    elif arguments.recall:
        print(recall_curve(read_recipe(arguments.name or "default")))
    elif arguments.name is None:
        for name in known:
            print(f"{name:10} {' '.join(read_recipe(name).description.split())}")
        print("\ncurate recipes NAME prints one; curate recipes --signals lists what rules can bound")
    elif arguments.name in known:
        print(known[arguments.name].read_text(encoding="utf-8"), end="")
    else:
        raise UserError(f"there is no recipe {arguments.name!r}; {nearest(arguments.name, list(known))}")
    return 0


def recall_curve(recipe: "Recipe") -> str:
    """For similarities from 0.5 to 1 the share of pairs that are compared, and whether they count as copies."""
    from filters.minhash import recall

    near = recipe.dedup.text.near
    if near is None:
        raise UserError(f"recipe {recipe.name} has no dedup.text.near")
    lines = [
        f"recipe {recipe.name}: sets of {near.ngram}-grams of words, {near.permutations} permutations in {near.bands} "
        f"bands; copies from a Jaccard similarity of {near.jaccard:g} on",
        f"{'similarity':>10} {'found':>8}",
    ]
    for percent in range(50, 101, 5):
        share = recall(percent / 100, near)
        taken = "" if percent / 100 >= near.jaccard else "  compared, and not taken"
        lines.append(f"{percent / 100:10.2f} {share:8.2%}{taken}")
    return "\n".join(lines)
