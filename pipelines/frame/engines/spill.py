"""Exchanges of one machine, through files: no more is in memory than the groups of one bucket.

Each source writes one file with what it emitted, bucket after bucket, and says where in it each bucket lies; so a
source that is begun again, since its process died, leaves nothing behind that would count twice.
"""

import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from pipelines.frame.exchange import Keyed, Plan
from pipelines.frame.stores import scratch

BUCKET_BYTES = 16 << 20  # what is grouped at once
_MOST_BUCKETS = 256
_NUMBER = 8

# Calls a function for every item, here or in other processes; what it returns, in any order.
Each = Callable[[Callable[[Any], Any], Sequence[Any]], Iterable[Any]]


@dataclass(frozen=True)
class Segment:
    """Where elements of one bucket lie."""

    path: Path
    start: int
    bytes: int


Spilled = list[tuple[int, Segment]]


def exchange_through_files(plan: Plan, each: Each) -> None:
    """Run an exchange on this machine."""
    buckets = max(1, min(-(-plan.total_bytes // BUCKET_BYTES), _MOST_BUCKETS))
    with tempfile.TemporaryDirectory(prefix="exchange-", dir=scratch.folder()) as root:
        spilled = each(_Emit(plan, buckets, Path(root)), plan.sources)
        for step in range(len(plan.merges)):
            segments = _by_bucket(spilled)
            spilled = each(_Merge(plan, step, buckets, Path(root)), sorted(segments.items()))
        _by_bucket(spilled)


def _by_bucket(spilled: Iterable[Spilled]) -> dict[int, list[Segment]]:
    segments: defaultdict[int, list[Segment]] = defaultdict(list)
    for of_one in spilled:
        for bucket, segment in of_one:
            segments[bucket].append(segment)
    return segments


@dataclass(frozen=True)
class _Emit:
    plan: Plan
    buckets: int
    folder: Path

    def __call__(self, source: int) -> Spilled:
        return _spill(self.plan.emit(source), self.buckets, self.folder / f"emit-{source}")


@dataclass(frozen=True)
class _Merge:
    plan: Plan
    step: int
    buckets: int
    folder: Path

    def __call__(self, bucket: tuple[int, list[Segment]]) -> Spilled:
        number, segments = bucket
        return _spill(self._merged(segments), self.buckets, self.folder / f"merge-{self.step}-{number}")

    def _merged(self, segments: Sequence[Segment]) -> Iterator[Keyed]:
        """Key by key; in what order a key's elements come is as open as on any runner."""
        groups: dict[int, list[bytes]] = {}
        for segment in segments:
            for key, packed in _elements(segment):
                groups.setdefault(key, []).append(packed)
        for key in sorted(groups):
            yield from self.plan.merges[self.step]((key, groups.pop(key)))


def _spill(emitted: Iterable[Keyed], buckets: int, path: Path) -> Spilled:
    parts: defaultdict[int, list[bytes]] = defaultdict(list)
    spilled: Spilled = []
    held = 0
    with open(path, "wb") as file:
        for key, packed in emitted:
            head = b"".join(number.to_bytes(_NUMBER, "little") for number in (key, len(packed)))
            parts[key % buckets] += [head, packed]
            held += len(packed)
            if held > BUCKET_BYTES:
                spilled += _write(parts, file, path)
                held = 0
        spilled += _write(parts, file, path)
    return spilled


def _write(parts: defaultdict[int, list[bytes]], file: BinaryIO, path: Path) -> Iterator[tuple[int, Segment]]:
    for bucket, pieces in parts.items():
        start = file.tell()
        file.writelines(pieces)
        yield bucket, Segment(path, start, file.tell() - start)
    parts.clear()


def _elements(segment: Segment) -> Iterator[Keyed]:
    with open(segment.path, "rb") as file:
        file.seek(segment.start)
        while file.tell() < segment.start + segment.bytes:
            key, length = (int.from_bytes(file.read(_NUMBER), "little") for _ in range(2))
            yield key, file.read(length)
