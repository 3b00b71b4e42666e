"""`curate run`: runs a recipe's stages over inputs, doing only what is missing or outdated."""

import argparse
import logging
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from curate.cli.arguments import Subparsers, add_command, add_run_options
from curate.cli.engines import FOR_SCORES, engine_of
from curate.errors import UserError
from schemas.recipe import Recipe
from schemas.section import nearest
from schemas.statuses import StageName

if TYPE_CHECKING:
    from pipelines.frame.engine import Engine
    from pipelines.frame.stage import Job, Stage


def add_parser(commands: Subparsers) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "run",
        "run a recipe over WARC files, or go on where an earlier run stopped",
        "curate run default --input 'crawl/*.warc.gz' --output out --set fetch.per_host_rate=5",
    )
    parser.usage = "curate run RECIPE --input WARC --output OUT [options] [-- beam options]"
    parser.add_argument(
        "recipe", metavar="RECIPE", help="a recipe that comes with curate (see curate recipes), or a YAML file"
    )
    parser.add_argument(
        "--input", metavar="WARC", action="append", default=[], dest="inputs",
        help="a WARC file, a folder of them, a glob, or a list such as warc.paths.gz; also s3://, gs:// and https://; "
        "may be repeated",
    )  # fmt: skip
    parser.add_argument("--output", metavar="OUT", required=True, help="folder of the job, also s3:// or gs://")
    add_run_options(parser)
    parser.set_defaults(command=command)


def command(arguments: argparse.Namespace) -> int:
    """Run the command."""
    from curate.recipes.reading import read_recipe

    recipe = read_recipe(arguments.recipe, arguments.settings)
    return execute(recipe, arguments.inputs, arguments.output, arguments)


def execute(recipe: Recipe, inputs: Sequence[str], output: str, arguments: argparse.Namespace) -> int:
    """Run a recipe's stages; the exit status."""
    until = parse_stage(arguments.until)
    for chatty in ("root", "apache_beam", "grpc"):  # before the import, during which Beam warns of what we do not use
        logging.getLogger(chatty).setLevel(logging.CRITICAL)
    engine = engine_of(arguments, output, FOR_SCORES if recipe.score else ())
    # Arrow and the stages take most of a second to import: only now is it sure that they are needed.
    from curate.job import prepare
    from curate.stages import stages
    from pipelines.frame.arrow import leave_pandas_out
    from pipelines.frame.engine import EngineFailed
    from pipelines.frame.run import StageFailed

    leave_pandas_out()
    job = prepare(recipe, inputs, output, engine.workers)
    _say(f"{len(job.partitions)} partitions of {len({p.path for p in job.partitions})} files, recipe {recipe.name}")
    ran = 0
    try:
        with engine:
            for stage in stages(recipe, engine.workers or len(job.partitions), until):
                ran += _run_one(stage, job, engine)
    except (StageFailed, EngineFailed) as error:
        _say(f"curate: {error}")
        return 1
    if not ran:
        _say("nothing to do: everything is up to date")
    _summarise(output, until)
    return 0


def parse_stage(name: str) -> StageName:
    """A stage by its name.

    Raises:
        UserError: where there is none of that name.
    """
    try:
        return StageName(name)
    except ValueError:
        raise UserError(f"--until {name}: no such stage; {nearest(name, [s.value for s in StageName])}") from None


def _run_one(stage: "Stage", job: "Job", engine: "Engine") -> int:
    """Run one stage; how many partitions it worked on."""
    from curate.progress import Progress
    from pipelines.frame.run import plan_stage, run_stage

    plan = plan_stage(stage, job)
    began = time.monotonic()
    if plan.todo:
        with Progress(plan, job.workspace):
            run_stage(plan, job, engine)
        _say(f"{stage.name:8} {len(plan.todo)} of {plan.total} partitions in {time.monotonic() - began:.1f} s")
    else:
        run_stage(plan, job, engine)
        _say(f"{stage.name:8} up to date")
    return len(plan.todo)


def _summarise(output: str, until: StageName) -> None:
    from curate.cli.status import summary
    from pipelines.frame.storage import Workspace

    print(summary(Workspace(output)))
    if until is StageName.PACK:
        print(f"\nshards: {output.rstrip('/')}/shards    why: curate status {output}")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
