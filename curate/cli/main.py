"""`curate`: parses the command line and turns errors into one line and an exit status."""

import argparse
import atexit
import contextlib
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

import curate
from curate.cli import demo, explain, prior, recipes, run, status, tune, validate, worker_pool
from curate.errors import UserError
from pipelines.frame.stores.errors import StoreFailed, StoreRefused

_COMMANDS = (run, status, explain, tune, validate, demo, prior, recipes, worker_pool)
_EPILOG = """examples:
  curate demo                                             the whole way on a bundled crawl, offline
  curate run default --input 'crawl/*.warc.gz' --output out
  curate status out                                       what was kept, what was dropped, and why
  curate explain out https://example.org/page             each node of a page: kept, or which rule dropped it
  curate tune out --set select.image.width.min=200        what another threshold would keep, writing nothing
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; its exit status: 0 done, 1 something is wrong with the data or a stage failed, 2 wrong usage."""
    parser = _parser()
    own, beam_args = _split(list(sys.argv[1:] if argv is None else argv))
    arguments = parser.parse_args(own)
    arguments.beam_args = beam_args
    if beam_args and not hasattr(arguments, "workers"):
        parser.error("options after -- go to Beam, and this command runs no pipeline")
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupted)
    try:
        return int(arguments.command(arguments))
    except (UserError, StoreFailed) as error:
        print(f"curate: {error}", file=sys.stderr)
        return 2 if isinstance(error, UserError | StoreRefused) else 1
    except KeyboardInterrupt:  # of an engine that had something to end first
        _interrupted(signal.SIGINT, None)
        raise
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def entry() -> NoReturn:
    """`main`, then the end, without what C++ libraries do there: Arrow's threads abort the process now and then."""
    code = main()
    atexit._run_exitfuncs()  # scratch folders, worker processes
    with contextlib.suppress(OSError):  # nobody reads any more
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="curate",
        description="Turn web archives into interleaved image-text training data.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"curate {curate.__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in _COMMANDS:
        command.add_parser(commands)
    return parser


def _split(argv: list[str]) -> tuple[list[str], list[str]]:
    """The command's own arguments, and those behind `--`, which are Beam's."""
    if "--" not in argv:
        return argv, []
    at = argv.index("--")
    return argv[:at], argv[at + 1 :]


def _interrupted(number: int, frame: FrameType | None) -> None:
    """Leave at once: what is done is committed, what is half done is under a temporary name, workers go with us."""
    os.write(2, b"\ncurate: interrupted; the same command goes on from here\n")
    os._exit(128 + number)


if __name__ == "__main__":
    entry()
