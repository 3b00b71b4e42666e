"""The hosts stage: counts image URLs by host over all partitions, so that fetch can share out a host's rate.

Only host names and numbers are shuffled.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pipelines.fetch.wanted import hosts_of, wanted_images
from pipelines.frame.partitions import Partition
from pipelines.frame.stage import Job, Read, Span, Stage
from pipelines.frame.storage import Workspace
from pipelines.frame.task import Task
from schemas.recipe import Recipe
from schemas.statuses import StageName
from schemas.tables import HOSTS

if TYPE_CHECKING:
    import apache_beam as beam

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

    def gather(self, partitions: "beam.PCollection[Partition]", job: Job) -> "beam.PCollection[Any]":
        """(partition, host row) pairs."""
        import apache_beam as beam

        return (
            partitions
            | "CountHosts" >> beam.FlatMap(CountHosts(job.workspace.root, job.recipe))
            | "ByHost" >> beam.GroupByKey()
            | "ShareOut" >> beam.FlatMap(_share_out)
        )

    def process(self, task: Task, given: Sequence[HostRow]) -> None:
        """Write this partition's hosts."""
        rows = [dict(zip(HOSTS.schema.names, row, strict=True)) for row in sorted(given)]
        with task.table(HOSTS) as hosts:
            hosts.write_rows(rows)
        task.tally("hosts").keep(len(rows))


@dataclass(frozen=True)
class CountHosts:
    """(host, (partition, URLs)) pairs of one partition."""

    root: str
    recipe: Recipe

    def __call__(self, partition: Partition) -> Iterator[tuple[str, tuple[int, int]]]:
        """Read the partition's documents."""
        number = partition.partition
        for host, urls in hosts_of(wanted_images(Workspace(self.root), number, self.recipe)):
            yield host, (number, urls)


def _share_out(group: tuple[str, Iterable[tuple[int, int]]]) -> Iterator[tuple[int, HostRow]]:
    host, counts = group[0], list(group[1])
    urls = sum(count for _, count in counts)
    for partition, _ in counts:
        yield partition, (host, urls, len(counts))
