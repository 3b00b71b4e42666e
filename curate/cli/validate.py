"""`curate validate`: checks that shards are what a training job expects."""

import argparse
import json
from contextlib import suppress

from curate.cli.arguments import Subparsers, add_command
from curate.errors import UserError

_SHOWN = 10


def add_parser(commands: Subparsers) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "validate",
        "check digests, names, JSON and images of shards",
        "curate validate out",
    )
    parser.add_argument(
        "paths", metavar="OUT|SHARD", nargs="+", help="a job's output folder, a folder of shards, or shards"
    )
    parser.set_defaults(command=command)


def command(arguments: argparse.Namespace) -> int:
    """Print a line a shard; 1 where anything is wrong."""
    from curate.loader import find_shards
    from curate.validation import validate

    reports = []
    for path in arguments.paths:
        manifest = _manifest_of(path)
        try:
            shards = find_shards(path)
        except FileNotFoundError as error:
            if manifest is None:
                raise UserError(str(error)) from None
            shards = []
        reports += validate(shards, manifest)
    for report in reports:
        counts = ", ".join(f"{count:,} {items}" for items, count in report.counts.items())
        print(f"{'wrong' if report.problems else 'ok   '} {report.shard}: {counts}")
        for problem in report.problems[:_SHOWN]:
            print(f"      {problem}")
        if len(report.problems) > _SHOWN:
            print(f"      and {len(report.problems) - _SHOWN} more")
    wrong = sum(bool(report.problems) for report in reports)
    total = {items: sum(report.counts.get(items, 0) for report in reports) for items in ("samples", "texts", "images")}
    counted = ", ".join(f"{count:,} {items}" for items, count in total.items())
    print(f"{len(reports)} shards, {counted}: {f'{wrong} wrong' if wrong else 'all valid'}")
    return 1 if wrong else 0


def _manifest_of(path: str) -> dict[str, list[dict[str, object]]] | None:
    from pipelines.frame.storage import open_read

    for candidate in ("shards/manifest.json", "manifest.json"):
        with suppress(FileNotFoundError, NotADirectoryError), open_read(f"{path.rstrip('/')}/{candidate}") as file:
            loaded: dict[str, list[dict[str, object]]] = json.load(file)
            return loaded
    return None
