"""What a stage is: a name, what it reads and writes, the part of the recipe it depends on, and its work.

A stage is pure in the large: its outputs depend on what `reads`, `writes` and `settings` say and on nothing else, which
is what makes its fingerprint true.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar

from pipelines.frame import fingerprints
from pipelines.frame.partitions import Partition
from pipelines.frame.rounds import Round
from pipelines.frame.storage import Workspace
from pipelines.frame.task import Assignment, Task
from schemas.ledger import LedgerRecord
from schemas.recipe import Recipe
from schemas.statuses import StageName
from schemas.tables import TABLES

if TYPE_CHECKING:
    from pipelines.frame.engine import Engine


class Span(StrEnum):
    """Of which partitions a stage reads an output: its own, all of the same input file, or all of the job."""

    OWN = "own"
    FILE = "file"
    ALL = "all"


@dataclass(frozen=True)
class Read:
    """An output that a stage reads: the folder `name`, as written by another stage.

    With `decides` false it changes how the work is done, never what comes out, so it is not part of the fingerprint.
    """

    stage: StageName
    name: str
    span: Span = Span.OWN
    decides: bool = True


@dataclass(frozen=True)
class Job:
    """What is being run: where, by which recipe, over which slices."""

    workspace: Workspace
    recipe: Recipe
    partitions: tuple[Partition, ...]
    workers: int = 1


class Stage(ABC):
    """Base of all stages. Instances carry nothing but what pickles: they travel to the workers."""

    name: ClassVar[StageName]
    version: ClassVar[int] = 1
    reads: ClassVar[tuple[Read, ...]] = ()
    writes: ClassVar[tuple[str, ...]] = ()
    light: ClassVar[bool] = False

    @abstractmethod
    def settings(self, recipe: Recipe) -> dict[str, Any]:
        """The part of the recipe on which the outputs depend, as plain data."""

    def wanted(self, recipe: Recipe) -> bool:
        """Whether a recipe asks for this stage at all."""
        return True

    def most_workers(self, recipe: Recipe) -> int | None:
        """How many partitions one machine can work on at the same time; None: as many as it has workers."""
        return None

    def accelerator(self, recipe: Recipe) -> str | None:
        """What machines that do this should have, as Beam's resource hint names it; runners may ignore it."""
        return None

    def reads_under(self, recipe: Recipe) -> tuple[Read, ...]:
        """What is read under a recipe: `reads`, unless the recipe decides how far the stage looks."""
        return self.reads

    @abstractmethod
    def process(self, task: Task, known: Sequence[Any]) -> None:
        """Do one partition: read, count, write through the task.

        `known` are the conclusions of the rounds, in their order.
        """

    def rounds(self, recipe: Recipe) -> tuple[Round, ...]:
        """Questions to all partitions, asked before the first is processed. None by default."""
        return ()

    def prepare(self, job: Job, engine: "Engine") -> None:
        """Before any partition is processed: exchange what crosses partitions more than once, through a Scratch."""

    def clean_up(self, job: Job) -> None:
        """After all partitions were processed: remove what `prepare` left."""

    def finish(self, job: Job, records: dict[int, LedgerRecord]) -> None:
        """Write what needs all partitions' records, after the last of them; also on a run that had nothing to do."""

    def identity(self, partition: Partition) -> dict[str, Any]:
        """What of the input itself the outputs depend on."""
        return {}


def assignments(stage: Stage, job: Job, upstream: dict[StageName, dict[int, LedgerRecord]]) -> list[Assignment]:
    """Every partition of a stage with the fingerprint it would have now."""
    reads = [read for read in stage.reads_under(job.recipe) if read.decides]
    common = {
        "stage": stage.name,
        "version": stage.version,
        "writes": {name: TABLES[name].version if name in TABLES else 0 for name in stage.writes},
        "settings": stage.settings(job.recipe),
        "all": [_digests(read, job.partitions, upstream) for read in reads if read.span is Span.ALL],
    }
    by_file: dict[str, list[Partition]] = {}
    for partition in job.partitions:
        by_file.setdefault(partition.path, []).append(partition)
    return [
        Assignment(
            p, _fingerprint([fingerprints.of_data(common), stage.identity(p)], reads, p, by_file[p.path], upstream)
        )
        for p in job.partitions
    ]


def _fingerprint(
    base: list[Any],
    reads: Sequence[Read],
    partition: Partition,
    siblings: Sequence[Partition],
    upstream: dict[StageName, dict[int, LedgerRecord]],
) -> str:
    own = [_digests(read, [partition], upstream) for read in reads if read.span is Span.OWN]
    file = [_digests(read, siblings, upstream) for read in reads if read.span is Span.FILE]
    return fingerprints.of_data([*base, own, file])


def _digests(
    read: Read, partitions: Iterable[Partition], upstream: dict[StageName, dict[int, LedgerRecord]]
) -> list[str]:
    records = upstream[read.stage]
    return [
        output.sha256
        for partition in partitions
        for output in records[partition.partition].outputs
        if output.path.startswith(f"{read.name}/")
    ]
