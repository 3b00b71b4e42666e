"""Records a second of our WARC reader against warcio and bare FastWARC, over the same files in one run.

    python benchmarks/warc.py CRAWL.warc.gz [MORE.warc.gz …]

Every reader reads every byte of every record. Prints the median of several rounds and the ratio to warcio.
"""

import statistics
import sys
import time
from collections.abc import Callable

from fastwarc.warc import ArchiveIterator as FastIterator
from warcio.archiveiterator import ArchiveIterator as WarcioIterator

from pipelines.frame.http_message import HttpHead
from pipelines.frame.warc import Record, Slice, read_records

_ROUNDS = 5
_EVERYTHING = 1 << 30


def ours(path: str) -> int:
    """The reader that stages use."""
    return sum(isinstance(item, Record) for item in read_records(Slice(path), _all))


def _all(_kind: str, _head: HttpHead) -> int:
    return _EVERYTHING


def fastwarc(path: str) -> int:
    """FastWARC as it comes."""
    records = 0
    with open(path, "rb") as file:
        for record in FastIterator(file, parse_http=False):
            record.reader.read()
            records += 1
    return records


def warcio(path: str) -> int:
    """warcio as it comes."""
    records = 0
    with open(path, "rb") as file:
        for record in WarcioIterator(file):
            record.content_stream().read()
            records += 1
    return records


def _rate(reader: Callable[[str], int], paths: list[str]) -> float:
    began = time.perf_counter()
    records = sum(reader(path) for path in paths)
    return records / (time.perf_counter() - began)


def main(paths: list[str]) -> None:
    """Print the table."""
    readers = (warcio, fastwarc, ours)
    rates: dict[str, list[float]] = {reader.__name__: [] for reader in readers}
    for _ in range(_ROUNDS):
        for reader in readers:
            rates[reader.__name__].append(_rate(reader, paths))
    base = statistics.median(rates["warcio"])
    print(f"{'reader':10} {'records/s':>10} {'min':>9} {'max':>9} {'to warcio':>10}")
    for name, measured in rates.items():
        median = statistics.median(measured)
        print(f"{name:10} {median:10,.0f} {min(measured):9,.0f} {max(measured):9,.0f} {median / base:9.2f}x")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1:])
