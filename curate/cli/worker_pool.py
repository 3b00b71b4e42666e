"""`curate worker-pool`: what a node of a cluster runs, so that its executors get workers."""

import argparse

from curate.cli.arguments import Subparsers, add_command
from curate.cli.engines import IN_WORKERS
from curate.errors import UserError


def add_parser(commands: Subparsers) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "worker-pool",
        "serve workers to the executors of this node; run one on every node of a cluster",
        "curate worker-pool --port 50000",
    )
    parser.add_argument("--port", metavar="PORT", type=int, default=50000, help="port to listen on (default: 50000)")
    parser.add_argument(
        "--host", metavar="HOST", default="127.0.0.1",
        help="address to listen on (default: 127.0.0.1, which only executors of this node reach)",
    )  # fmt: skip
    parser.set_defaults(command=command)


def command(arguments: argparse.Namespace) -> int:
    """Run the command."""
    from pipelines.frame.engines.worker_pool import serve

    try:
        serve(arguments.host, arguments.port, [*IN_WORKERS, "pipelines.frame.engines.pipeline"])
    except OSError as error:
        raise UserError(f"--port {arguments.port}: cannot listen on {arguments.host}: {error}") from error
    return 0
