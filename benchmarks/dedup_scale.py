"""How time and memory of deduplication grow with the number of documents: `benchmarks/dedup.py scale`.

Run by itself it does one stage of a job, in a process of its own so that nothing else counts, and prints what it took.
Memory is read from /proc, so this needs Linux.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
from planted import Sentences
from planted_job import run, write_job

from curate.cli.engines import IN_WORKERS
from curate.recipes.reading import read_recipe
from pipelines.dedup_text.stage import DedupText
from pipelines.digest.stage import Digest
from pipelines.frame import partitions
from pipelines.frame.engines import fork_server
from pipelines.frame.engines.pool import pulled
from pipelines.frame.stage import Job
from pipelines.frame.storage import Workspace

RECIPE = read_recipe("default")  # with all of its screen and steps


def measure_scale(texts: list[str], scratch: Path, sizes: list[int], workers: int) -> None:
    """Time and peak memory of each stage at each size, in fresh processes, and how they grow."""
    before: dict[str, dict[str, float]] = {}
    print(f"{'documents':>10} {'stage':10} {'s':>8} {'documents/s':>12} {'driver MiB':>11} {'worker MiB':>11}  growth")
    for size in sizes:
        root = scratch / f"scale-{size}"
        began = time.perf_counter()
        write_job(root, RECIPE, scale_corpus(texts, size))
        print(f"{size:10,} {'(made)':10} {time.perf_counter() - began:8.1f}")
        for stage in ("digest", "dedup_text"):
            now = _in_fresh_process(root, stage, workers)
            growth = "  ".join(f"{key} {now[key] / old:.2f}x" for key, old in before.get(stage, {}).items() if old)
            print(
                f"{size:10,} {stage:10} {now['seconds']:8.1f} {size / now['seconds']:12,.0f} {now['driver']:11.0f} "
                f"{now['worker']:11.0f}  {growth}"
            )
            before[stage] = now
        shutil.rmtree(root)


def scale_corpus(texts: list[str], size: int, partition: int = 10_000) -> Iterator[tuple[int, list[list[str]]]]:
    """Documents of shuffled sentences, three in ten of them copies; one partition in memory at a time."""
    sentences = Sentences.of(texts, 0.3)
    for begin in range(0, size, partition):
        numbers = np.arange(begin, min(begin + partition, size), dtype=np.uint64)
        yield begin, sentences.documents(numbers, size)


def _in_fresh_process(root: Path, stage: str, workers: int) -> dict[str, float]:
    command = [sys.executable, __file__, str(root), "--stage", stage, "--workers", str(workers)]
    cores = {name: value for name, value in os.environ.items() if name != "RAYON_NUM_THREADS"}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=cores)
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def measure_stage(root: Path, stage: str, workers: int) -> None:
    """Do one stage of a job and print what it took."""
    workspace = Workspace(str(root))
    job = Job(workspace, RECIPE, tuple(partitions.load(workspace)), workers)
    if workers > 1:  # what workers import takes a second, which is no part of any growth
        fork_server.start([*IN_WORKERS])
        list(pulled(abs, range(workers), workers))
    peaks: dict[int, float] = {}
    done = threading.Event()
    watcher = threading.Thread(target=_watch, args=(peaks, done), daemon=True)
    watcher.start()
    began = time.perf_counter()
    run(Digest() if stage == "digest" else DedupText(), job, workers)
    seconds = time.perf_counter() - began
    done.set()
    watcher.join()
    driver = _peak(os.getpid())
    print(json.dumps({"seconds": seconds, "driver": driver, "worker": max(peaks.values(), default=driver)}))


def _watch(peaks: dict[int, float], done: threading.Event) -> None:
    """Peak memory of this process' descendants in MiB; it only grows, so that looking now and then is enough."""
    while not done.wait(0.1):
        for pid in _descendants():
            with suppress(OSError, ValueError, IndexError):
                peaks[pid] = max(peaks.get(pid, 0.0), _peak(pid))


def _descendants() -> Iterator[int]:
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, IndexError):
            children.setdefault(int((folder / "stat").read_text().rpartition(")")[2].split()[1]), []).append(
                int(folder.name)
            )
    waiting = [os.getpid()]
    while waiting:
        found = children.get(waiting.pop(), [])
        waiting += found
        yield from found


def _peak(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=Path)
    parser.add_argument("--stage", choices=("digest", "dedup_text"), required=True)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    measure_stage(given.root, given.stage, given.workers)
