"""Arguments that several commands share."""

import argparse
from typing import Any

from curate.cli.engines import add_engine_options
from schemas.statuses import StageName

Subparsers = Any  # argparse keeps the class of what add_subparsers returns to itself


def add_command(commands: Subparsers, name: str, summary: str, example: str) -> argparse.ArgumentParser:
    """A command's parser, with an example at the end of its help."""
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    return parser


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """Options of commands that run pipelines."""
    parser.add_argument(
        "--until", metavar="STAGE", default="pack", help=f"stop after this stage: {', '.join(StageName)}"
    )
    parser.add_argument(
        "--workers",
        metavar="N",
        type=_workers,
        default=0,
        help="worker processes (default: every core); on a cluster, how many partitions it works on at a time, among "
        "which a host's rate is shared out (default: as if all at once)",
    )
    parser.add_argument(
        "--set",
        metavar="A.B=C",
        action="append",
        default=[],
        dest="settings",
        help="set a value of the recipe, such as fetch.retries=3 or select.image.width.min=200; may be repeated",
    )
    add_engine_options(parser)


def _workers(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a number of at least 1, not {text!r}")
    return int(text)
