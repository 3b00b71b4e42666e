"""Requests and bytes that each stage costs with inputs and workspace in S3, for each partition and for each job.

    python benchmarks/store_requests.py CRAWL.warc.gz [--slices 4 12] [--set fetch.enabled=false]

Runs the default recipe twice, cut into fewer and into more slices, against an S3 server behind a counting proxy. What
grows is what a partition costs, the rest is what a job costs.
"""

import argparse
import os
import tempfile
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from curate.job import prepare
from curate.recipes.reading import read_recipe
from curate.stages import stages
from pipelines.frame import object_store
from pipelines.frame.engine import Engine
from pipelines.frame.run import plan_stage, run_stage
from tests.s3_store import Requests, environment, proxy, s3_server

_KINDS = ("GET", "HEAD", "PUT", "DELETE", "LIST", "in", "out")
_MEGA = 1e6
Costs = dict[str, Counter[str]]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("warc", type=Path)
    parser.add_argument("--slices", type=int, nargs=2, default=(4, 12))
    parser.add_argument("--set", action="append", default=[], dest="settings")
    options = parser.parse_args()
    size = options.warc.stat().st_size
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        requests = stack.enter_context(proxy(stack.enter_context(s3_server(folder, "crawls")), folder / "log"))
        os.environ |= environment(requests.endpoint)
        object_store.put(options.warc, f"s3://crawls/{options.warc.name}")
        few, many = (_run(options, -(-size // count), requests) for count in options.slices)
    counts = [Counter[str]() for _ in range(2)]
    print(f"{options.warc.name}, {size / _MEGA:.2f} MB in {few[0]} and {many[0]} slices\n")
    print("| stage | " + " | ".join(f"{kind}" for kind in _KINDS) + " |\n|---" + "|---" * len(_KINDS) + "|")
    for stage, costs in many[1].items():
        each = {kind: (costs[kind] - few[1][stage][kind]) / (many[0] - few[0]) for kind in _KINDS}
        print(_line(stage, [each[kind] for kind in _KINDS]))
        counts[0].update(each)
        counts[1].update({kind: costs[kind] - each[kind] * many[0] for kind in _KINDS})
    print(_line("a partition, all stages", [counts[0][kind] for kind in _KINDS]))
    print(_line("a job besides", [counts[1][kind] for kind in _KINDS]))


def _run(options: argparse.Namespace, slice_bytes: int, requests: Requests) -> tuple[int, Costs]:
    """How many partitions there are, and what each stage costs."""
    recipe = read_recipe("default", [*options.settings, f"input.split_bytes={slice_bytes}"])
    requests.forget()
    job = prepare(recipe, [f"s3://crawls/{options.warc.name}"], f"s3://crawls/out-{slice_bytes}", 1)
    costs = {"planning": _costs(requests)}
    engine = Engine(1)
    for stage in stages(1):
        run_stage(plan_stage(stage, job), job, engine)
        costs[stage.name.value] = _costs(requests)
    return len(job.partitions), costs


def _costs(requests: Requests) -> Counter[str]:
    lines = requests.seen()
    requests.forget()
    moved = {"in": sum(line["received"] for line in lines), "out": sum(line["sent"] for line in lines)}
    return Counter(line["kind"] for line in lines) + Counter(moved)


def _line(name: str, values: Sequence[float]) -> str:
    shown = [f"{value:.1f}" for value in values[:-2]] + [f"{value / _MEGA:.2f} MB" for value in values[-2:]]
    return f"| {name} | " + " | ".join(shown) + " |"


if __name__ == "__main__":
    main()
