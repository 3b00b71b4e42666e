"""The same job on every engine and from every kind of store: seconds, and whether the shards are the same bytes.

    python benchmarks/engines.py same CLUSTER --input crawl.warc.gz --bucket s3://bucket [-- curate options]
    python benchmarks/engines.py speed CLUSTER --input 'crawls/*.warc.gz'

CLUSTER is the folder of a cluster that deploy/spark/cluster.py has started. `same` runs a whole job on this machine
with one and with two workers, on Spark, and, with a bucket (its credentials and endpoint come from the environment),
with inputs and output there, on this machine and on Spark. `speed` runs `extract` on Spark and on this machine, with as
many workers as each has, after two runs over the smallest file: the first starts executors, the second is what a run
costs beside its work. For the gain of a second worker, do it on a cluster of one worker too.
"""

import argparse
import glob
import hashlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import fsspec


def main() -> None:
    """Print a line a run; exit status 1 where shards differ."""
    at = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("same", "speed"))
    parser.add_argument("cluster", type=Path)
    parser.add_argument("--input", required=True)
    parser.add_argument("--bucket")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args(sys.argv[1:at])
    state = json.loads((options.cluster / "cluster.json").read_text())
    spark = ["--engine", "spark", "--spark-job-endpoint", state["job_endpoint"]]
    spark += ["--spark-worker-pool", state["worker_pool"]]
    with tempfile.TemporaryDirectory(prefix="curate-engines-") as folder:
        if options.what == "same":
            sys.exit(_same(options, spark, sys.argv[at + 1 :], Path(folder)))
        _speed(options, spark, Path(folder))


def _same(options: argparse.Namespace, spark: Sequence[str], more: Sequence[str], folder: Path) -> int:
    paths = sorted(glob.glob(options.input))
    runs = [("local, 1 worker", paths, str(folder / "1"), ["--workers", "1"]),
            ("local, 2 workers", paths, str(folder / "2"), ["--workers", "2"]),
            ("Spark", paths, str(folder / "spark"), ["--workers", "2", *spark])]  # fmt: skip
    if options.bucket:
        stored = [f"{options.bucket}/in/{Path(path).name}" for path in paths]
        for path, url in zip(paths, stored, strict=True):
            with fsspec.open(url, "wb") as file:
                file.write(Path(path).read_bytes())
        name = folder.name
        for kind, arguments in (("local", []), ("Spark", spark)):
            out = f"{options.bucket}/{name}/{kind}"
            runs.append((f"{kind}, store to store", stored, out, ["--workers", "2", *arguments]))
    digests = set()
    for name, inputs, out, arguments in runs:
        seconds = _run("default", inputs, out, [*arguments, *more])
        digests.add(digest := _digest(out))
        print(f"{name:24} {seconds:7.1f} s  {digest[:16]}", flush=True)
    return len(digests) != 1


def _speed(options: argparse.Namespace, spark: Sequence[str], folder: Path) -> None:
    paths = sorted(glob.glob(options.input))
    extract = ["--until", "extract", "--workers", str(options.workers)]
    smallest = [min(paths, key=lambda path: Path(path).stat().st_size)]
    runs: Sequence[tuple[str, Sequence[str], Sequence[str]]] = (
            ("Spark, one file, cold", smallest, spark), ("Spark, one file", smallest, spark),
            ("Spark", paths, spark), ("Spark, again", paths, spark),
            ("local", paths, []), ("local, again", paths, []))  # fmt: skip
    for name, inputs, engine in runs:
        seconds = _run("default", inputs, str(folder / name), [*extract, *engine])
        print(f"{name:24} {seconds:7.1f} s", flush=True)


def _run(recipe: str, inputs: Sequence[str], out: str, arguments: Sequence[str]) -> float:
    command = [sys.executable, "-m", "curate.cli.main", "run", recipe, "--output", out, *arguments]
    began = time.monotonic()
    done = subprocess.run(
        [*command, *(f"--input={path}" for path in inputs)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return time.monotonic() - began


def _digest(out: str) -> str:
    fs, base = fsspec.core.url_to_fs(f"{out}/shards")
    assert json.loads(fs.cat_file(f"{base}/manifest.json"))["totals"]["samples"], (
        "no document was kept: compares nothing"
    )
    files = sorted(path for path in fs.ls(base, detail=False))
    return hashlib.sha256(b"".join(hashlib.sha256(fs.cat_file(path)).digest() for path in files)).hexdigest()


if __name__ == "__main__":
    main()
