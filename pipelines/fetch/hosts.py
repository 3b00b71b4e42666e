"""The hosts stage: counts image URLs by host over all partitions, so that fetch can share out a host's rate.

Only host names and numbers travel.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, ClassVar

import numpy as np

from pipelines.fetch.wanted import hosts_of, wanted_images
from pipelines.frame import ledger
from pipelines.frame.engine import Engine
from pipelines.frame.exchange import Array, WholeJob, exchange, ranges_for
from pipelines.frame.stage import Job, Read, Span, Stage
from pipelines.frame.task import Task
from schemas.recipe import Recipe
from schemas.statuses import StageName
from schemas.tables import HOSTS

_FOUND = "found"
_RECORD_BYTES = 48  # a name and its counts; at most one for each image of a document

HostRow = tuple[str, int, int]


class Hosts(Stage):
    """hosts from documents: for each host of a partition, how many URLs and partitions want it in the whole job."""

    name: ClassVar[StageName] = StageName.HOSTS
    reads: ClassVar[tuple[Read, ...]] = (
        Read(StageName.EXTRACT, "documents", Span.ALL),
        Read(StageName.DEDUP_TEXT, "text_duplicates", Span.ALL),
        Read(StageName.BALANCE, "balance", Span.ALL),
    )
    writes: ClassVar[tuple[str, ...]] = ("hosts",)
    light: ClassVar[bool] = True

    def settings(self, recipe: Recipe) -> dict[str, Any]:
        """What decides which images are wanted."""
        return {"screen": recipe.screen.fingerprinted(), "consent": recipe.fetch.consent.fingerprinted()}

    def prepare(self, job: Job, engine: Engine) -> None:
        """Bring to every partition the counts of its hosts."""
        demand = Demand(job.workspace.root, job.recipe)
        demand.scratch.clear()
        extracted = ledger.read_all(job.workspace, StageName.EXTRACT).values()
        total = sum(r.tallies["images"].out for r in extracted if "images" in r.tallies) * _RECORD_BYTES
        partitions = [p.partition for p in job.partitions]
        exchange(engine, "hosts", partitions, _Count(demand, ranges_for(total)), _ShareOut(), _Keep(demand),
                 total_bytes=total)  # fmt: skip

    def process(self, task: Task, known: Sequence[Any]) -> None:
        """Write this partition's hosts."""
        found = Demand(task.workspace.root, task.recipe).scratch.read(_FOUND, task.number)
        rows = [dict(zip(HOSTS.schema.names, row, strict=True)) for row in sorted(_rows(found))] if found else []
        with task.table(HOSTS) as hosts:
            hosts.write_rows(rows)
        task.tally("hosts").keep(len(rows))

    def clean_up(self, job: Job) -> None:
        """Remove what the exchange left."""
        Demand(job.workspace.root, job.recipe).scratch.clear()


@dataclass(frozen=True)
class Demand(WholeJob):
    """What the partitions of a job want from hosts."""

    stage: ClassVar[str] = StageName.HOSTS


@dataclass(frozen=True)
class _Count:
    """(host, URLs, partition) of each host of a partition, by a hash of the host."""

    demand: Demand
    ranges: int

    def __call__(self, partition: int) -> Iterator[tuple[int, list[Array]]]:
        keyed: defaultdict[int, list[HostRow]] = defaultdict(list)
        for host, urls in hosts_of(wanted_images(self.demand.workspace, partition, self.demand.recipe)):
            digest = int.from_bytes(blake2b(host.encode(), digest_size=8).digest())
            keyed[digest % self.ranges].append((host, urls, partition))
        for key, rows in keyed.items():
            yield key, _arrays(rows)


@dataclass(frozen=True)
class _ShareOut:
    """To each partition: (host, URLs, partitions) over the whole job."""

    def __call__(self, key: int, values: list[list[Array]]) -> Iterator[tuple[int, list[Array]]]:
        rows = [row for value in values for row in _rows(value)]
        urls: Counter[str] = Counter()
        for host, count, _ in rows:
            urls[host] += count
        sharers = Counter(host for host, _, _ in rows)
        homes: defaultdict[int, list[HostRow]] = defaultdict(list)
        for host, _, home in rows:
            homes[home].append((host, urls[host], sharers[host]))
        for home, shared in homes.items():
            yield home, _arrays(shared)


@dataclass(frozen=True)
class _Keep:
    demand: Demand

    def __call__(self, partition: int, values: list[list[Array]]) -> Iterator[tuple[int, list[Array]]]:
        self.demand.scratch.write(_FOUND, partition, _arrays([row for value in values for row in _rows(value)]))
        yield from ()


def _arrays(rows: Sequence[HostRow]) -> list[Array]:
    names = [host.encode() for host, _, _ in rows]
    numbers = np.array([(count, other) for _, count, other in rows], np.int64).reshape(-1, 2)
    lengths = np.array([len(name) for name in names], np.int32)
    return [np.frombuffer(b"".join(names), np.uint8), lengths, numbers[:, 0], numbers[:, 1]]


def _rows(arrays: Sequence[Array]) -> Iterator[HostRow]:
    names, lengths, first, second = arrays
    text, place = names.tobytes(), 0
    for length, count, other in zip(lengths.tolist(), first.tolist(), second.tolist(), strict=True):
        yield text[place : place + length].decode(), count, other
        place += length
