"""Speed of the stage `extract` as a whole over one WARC: read, decode, extract, language, signals, write.

    python benchmarks/extract_stage.py [--help]

In one process, as a worker does its partitions: pages a second of CPU time, all threads together, which is what one
core does whatever else the machine does. In the first round ("cold") models, word lists and libraries are loaded.
With --workers also by the clock: one process and so many, in turns, all of which have done a round before; each takes
the next partition when it is free.
"""

import argparse
import multiprocessing
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from tqdm import tqdm

from pipelines.extract.stage import Extract
from pipelines.frame import ledger, partitions
from pipelines.frame.memory import give_back, keep_small
from pipelines.frame.storage import Workspace
from pipelines.frame.task import Assignment, largest_first
from pipelines.frame.work import work_on
from schemas.recipe import Recipe


def main() -> None:
    """Do the stage so many times and print what it took."""
    options = _options()
    keep_small()
    rounds = [_seconds(str(options.warc)) for _ in tqdm(range(options.rounds + 1), desc="extract", unit="pass")]
    pages = rounds[0][0]
    warm = [seconds for _, seconds in rounds[1:]]
    print(f"extract: {pages:,} pages of {options.warc.name}, pages a second of one core")
    rates = {"best": min(warm), "median": statistics.median(warm), "cold": rounds[0][1]}
    print("   ".join(f"{name} {pages / seconds:,.1f}" for name, seconds in rates.items()))
    if options.workers:
        one, many = _clocked(str(options.warc), (1, options.workers), options.rounds)
        print(f"{options.workers} processes, pages a second by the clock, and how many times one")
        for name, of in (("best", min), ("median", statistics.median)):
            print(f"{name} {pages / of(many):,.1f}   {of(one) / of(many):.2f}x")


def _options() -> argparse.Namespace:
    corpora = Path(os.environ.get("CURATE_CORPORA") or Path(__file__).resolve().parents[2] / "shared" / "corpora")
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").partition("\n")[0],
        epilog="example: python benchmarks/extract_stage.py --rounds 10",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--warc", type=Path, default=corpora / "warcs" / "realpages-dev.warc.gz", help="(%(default)s)")
    parser.add_argument("--rounds", type=int, metavar="N", default=5, help="warm rounds (%(default)s)")
    parser.add_argument("--workers", type=int, metavar="N", default=0, help="also time so many processes beside one")
    options = parser.parse_args()
    if not options.warc.is_file():
        parser.error(f"{options.warc} is not there: name a WARC with --warc, or the corpora's folder in CURATE_CORPORA")
    if options.rounds < 1:
        parser.error(f"--rounds {options.rounds} is not 1 or more")
    if options.workers < 0:
        parser.error(f"--workers {options.workers} is less than 0")
    return options


def _clocked(warc: str, numbers: Sequence[int], rounds: int) -> list[list[float]]:
    """Seconds of each round but the first by each number of processes, in turns, since machines change their speed."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        workspace = Workspace(folder)
        planned = partitions.plan([warc], "auto")
        partitions.save(workspace, planned)
        todo = largest_first([Assignment(partition, "") for partition in planned])
        processes = multiprocessing.get_context("spawn")
        pools = [stack.enter_context(processes.Pool(number, keep_small)) for number in numbers]
        walls: list[list[float]] = [[] for _ in pools]
        for _ in tqdm(range(rounds + 1), desc=" and ".join(map(str, numbers)) + " processes", unit="pass"):
            for pool, seconds in zip(pools, walls, strict=True):
                began = time.perf_counter()
                pool.map(partial(_do, folder), todo, chunksize=1)
                seconds.append(time.perf_counter() - began)
        return [seconds[1:] for seconds in walls]


def _do(folder: str, assignment: Assignment) -> None:
    work_on(Extract(), assignment, (), Workspace(folder), Recipe())
    give_back()


def _seconds(warc: str) -> tuple[int, float]:
    """Pages kept, and CPU seconds of their partitions."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(folder)
        planned = partitions.plan([warc], "auto")
        partitions.save(workspace, planned)
        began = time.process_time()
        for partition in planned:
            work_on(Extract(), Assignment(partition, ""), (), workspace, Recipe())
            give_back()
        took = time.process_time() - began
        records = ledger.read_all(workspace, Extract.name).values()
        return sum(record.tallies["documents"].out for record in records), took


if __name__ == "__main__":
    main()
