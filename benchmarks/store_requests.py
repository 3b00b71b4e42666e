"""Requests and bytes that each stage costs with inputs and workspace in S3.

    python benchmarks/store_requests.py CRAWL.warc.gz [--slices 8] [--set fetch.enabled=false]

Runs the default recipe against an S3 server behind a counting proxy.
"""

import argparse
import os
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from curate.job import prepare
from curate.recipes.reading import read_recipe
from curate.stages import stages
from pipelines.frame.engines.local import LocalEngine
from pipelines.frame.run import plan_stage, run_stage
from pipelines.frame.stores import objects as object_store
from tests.s3_store import Requests, environment, proxy, s3_server

_OF_PARTITIONS, _OF_JOBS, _MOVED = ("GET", "HEAD", "PUT", "DELETE"), ("LIST",), ("received", "sent")


def main() -> None:
    """Print the table: requests a partition, listings a job, bytes in and out to bytes of the WARC."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("warc", type=Path)
    parser.add_argument("--slices", type=int, default=8)
    parser.add_argument("--set", action="append", default=[], dest="settings")
    options = parser.parse_args()
    size = options.warc.stat().st_size
    print(f"{options.warc.name}, {size / 1e6:.2f} MB in {options.slices} slices\n")
    print(f"| stage | {' | '.join((*_OF_PARTITIONS, 'LIST a job', 'in', 'out'))} |\n|---{7 * '|---'}|")
    total = Counter[str]()
    for name, costs in _costs(options, -(-size // options.slices)):
        total += costs
        print(_line(name, costs, options.slices, size))
    print(_line("all", total, options.slices, size))


def _costs(options: argparse.Namespace, slice_bytes: int) -> Iterator[tuple[str, Counter[str]]]:
    """What planning and each stage cost."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        requests = stack.enter_context(proxy(stack.enter_context(s3_server(folder, "crawls")), folder / "log"))
        os.environ |= environment(requests.endpoint)
        object_store.put(options.warc, f"s3://crawls/{options.warc.name}")
        requests.forget()
        recipe = read_recipe("default", [*options.settings, f"input.split_bytes={slice_bytes}"])
        job = prepare(recipe, [f"s3://crawls/{options.warc.name}"], "s3://crawls/out", 1)
        yield "planning", _counted(requests)
        for stage in stages(job.recipe):
            run_stage(plan_stage(stage, job), job, LocalEngine(1))
            yield stage.name.value, _counted(requests)


def _counted(requests: Requests) -> Counter[str]:
    lines = requests.seen()
    requests.forget()
    return Counter(line["kind"] for line in lines) + Counter({m: sum(line[m] for line in lines) for m in _MOVED})


def _line(name: str, costs: Counter[str], slices: int, size: int) -> str:
    shown = [f"{costs[kind] / slices:.1f}" for kind in _OF_PARTITIONS] + [str(costs[kind]) for kind in _OF_JOBS]
    return f"| {name} | {' | '.join([*shown, *(f'{costs[moved] / size:.2f}' for moved in _MOVED)])} |"


if __name__ == "__main__":
    main()
