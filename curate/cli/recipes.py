"""`curate recipes`: lists the recipes that come with curate, or prints one to start an own one from."""

import argparse

from curate.cli.arguments import Subparsers, add_command
from curate.errors import UserError


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
    parser.set_defaults(command=command)


def command(arguments: argparse.Namespace) -> int:
    """Print what was asked for."""
    from curate.recipes.reading import read_recipe, shipped
    from schemas.recipe import nearest
    from schemas.signals import SIGNALS

    known = shipped()
    if arguments.signals:
        for (scope, name), signal in sorted(SIGNALS.items()):
            print(f"{scope:9} {name:27} {signal.meaning} [{signal.unit}]")
    elif arguments.name is None:
        for name in known:
            print(f"{name:10} {' '.join(read_recipe(name).description.split())}")
        print("\ncurate recipes NAME prints one; curate recipes --signals lists what rules can bound")
    elif arguments.name in known:
        print(known[arguments.name].read_text(encoding="utf-8"), end="")
    else:
        raise UserError(f"there is no recipe {arguments.name!r}; {nearest(arguments.name, list(known))}")
    return 0
