"""`curate demo`: the whole way on a small crawl that comes with curate, without any network."""

import argparse
from importlib.resources import files

from curate.cli import run
from curate.cli.arguments import Subparsers, add_command, add_run_options

_OFFLINE = ("fetch.enabled=false",)


def add_parser(commands: Subparsers) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "demo",
        "run the default recipe on a bundled crawl, offline",
        "curate demo demo-out --workers 2 --set select.image.width.min=450",
    )
    parser.usage = "curate demo [DIR] [options] [-- beam options]"
    parser.add_argument(
        "directory", metavar="DIR", nargs="?", default="curate-demo", help="output folder (curate-demo)"
    )
    add_run_options(parser)
    parser.set_defaults(command=command)


def command(arguments: argparse.Namespace) -> int:
    """Run the demo."""
    from curate.recipes.reading import read_recipe

    sample = str(files("curate.sample") / "crawl.warc.gz")
    recipe = read_recipe("default", [*_OFFLINE, *arguments.settings])
    code = run.execute(recipe, [sample], arguments.directory, arguments)
    if code == 0:
        print(_next_steps(arguments.directory))
    return code


def _next_steps(directory: str) -> str:
    return f"""
What next:
  curate status {directory}            every record, page, text and image: kept, or why not
  curate explain {directory} {_page(directory)}
  curate validate {directory}          digests, JSON and images of the shards
  curate tune {directory} --set select.image.width.min=450
                                  what another threshold would keep, writing nothing
  curate demo {directory} --set select.image.width.min=450
                                  move a threshold: only select and pack run again
  curate demo {directory} --set score.model=emoji-clip --set select.image.clip_score.keep_top=0.7
                                  score pictures beside their texts, by a toy CLIP that knows emoji only
  curate run default --input 'YOUR/*.warc.gz' --output out
In Python: import curate; documents = curate.load("{directory}")"""


def _page(directory: str) -> str:
    """A page of the demo that is worth an explanation: one with kept and with dropped nodes."""
    from pipelines.frame import partitions, tables
    from pipelines.frame.storage import Workspace
    from schemas.tables import DOCUMENTS, VERDICTS

    workspace = Workspace(directory)
    for partition in partitions.load(workspace):
        urls = tables.read_table(workspace, DOCUMENTS, partition.partition, ["url"]).column("url").to_pylist()
        if not workspace.exists(tables.name_of(VERDICTS, partition.partition)):
            continue
        verdicts = tables.read_table(workspace, VERDICTS, partition.partition, ["kept", "node_kept"]).to_pylist()
        for url, verdict in zip(urls, verdicts, strict=True):
            if verdict["kept"] and not all(verdict["node_kept"]):
                return str(url)
    return "URL"
