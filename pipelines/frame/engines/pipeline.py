"""The Beam pipelines of a stage's work and of an exchange.

Graphs carry no partitions, which for a large crawl would be megabytes sent to every task: only places in a list that
workers read from the workspace. Create spreads its elements, on Spark one to a task as long as there are not more than
its parallelism, so that workers take the next one when they are free; another shuffle would lump them.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import apache_beam as beam
import numpy as np
from apache_beam.metrics import Metrics

from pipelines.frame import partitions
from pipelines.frame.engines.alive import Beacon
from pipelines.frame.exchange import Emitting, Keyed, Merging, Plan, Scratch, ranges_for
from pipelines.frame.memory import give_back, keep_small
from pipelines.frame.rounds import Round, answer
from pipelines.frame.stage import Job, Stage
from pipelines.frame.storage import Workspace
from pipelines.frame.task import Assignment
from pipelines.frame.work import work_on
from schemas.recipe import Recipe

# With as many tasks on both sides of a shuffle, pieces of it grow as the square: four million here.
_MOST_REDUCERS = 2000
_CHUNK = 500  # assignments in one file of the list
_ASSIGNED = "assigned"


def say_todo(stage: Stage, todo: Sequence[Assignment], root: str) -> None:
    """Write down the assignments for workers to read."""
    for chunk, first in enumerate(range(0, len(todo), _CHUNK)):
        some = todo[first : first + _CHUNK]
        numbers = np.array([a.partition.partition for a in some], np.uint32)
        fingerprints = np.frombuffer("\n".join(a.fingerprint for a in some).encode(), np.uint8)
        Scratch(root, _ASSIGNED).write(stage.name, chunk, [numbers, fingerprints])


def forget_todo(root: str) -> None:
    """Remove what was written down."""
    Scratch(root, _ASSIGNED).clear()


class Whole(beam.PTransform):
    """All that a pipeline does; `width` is in how many pieces that can be done at the same time."""

    width: int


class Work(Whole):
    """`count` assignments that were written down, done and committed; numbers of partitions come out."""

    def __init__(self, stage: Stage, count: int, job: Job, told: str | None) -> None:
        super().__init__()
        self._stage, self._count, self._job, self._told = stage, count, job, told
        self.width = count

    def expand(self, pipeline: beam.Pipeline) -> "beam.PCollection[int]":
        """Rounds first, then the work, which gets their conclusions."""
        root, recipe = self._job.workspace.root, self._job.recipe
        known: list[Any] = []
        for number, asked in enumerate(self._stage.rounds(recipe)):
            everything = pipeline | f"Partitions{number}" >> beam.Create(range(len(self._job.partitions)))
            answers = everything | f"Ask{number}" >> beam.ParDo(_Ask(asked, root, recipe, self._told), *known)
            merged = answers | f"Merge{number}" >> beam.CombineGlobally(asked.merge)
            concluded = merged | f"Conclude{number}" >> beam.Map(asked.conclude, recipe)
            known.append(beam.pvalue.AsSingleton(concluded))
        todo = pipeline | "Todo" >> beam.Create(range(self._count))
        work = beam.ParDo(_Work(self._stage, root, recipe, self._told), *known)
        accelerator = self._stage.accelerator(recipe)
        return todo | "Work" >> (work.with_resource_hints(accelerator=accelerator) if accelerator else work)


class Exchange(Whole):
    """An exchange: what is emitted, grouped by key, merged, as often as there are merges."""

    def __init__(self, plan: Plan, told: str | None) -> None:
        super().__init__()
        self._plan, self._told = plan, told
        self.width = min(max(len(plan.sources), ranges_for(plan.total_bytes)), _MOST_REDUCERS)

    def expand(self, pipeline: beam.Pipeline) -> "beam.PCollection[Keyed]":
        """Nothing comes out: the last step writes to a Scratch."""
        sources = pipeline | "Sources" >> beam.Create(self._plan.sources)
        flow = sources | "Emit" >> beam.ParDo(_Step(self._plan.emit, self._told))
        for number, merge in enumerate(self._plan.merges):
            grouped = flow | f"Group{number}" >> beam.GroupByKey()
            flow = grouped | f"Merge{number}" >> beam.ParDo(_Step(merge, self._told))
        return flow


class _Watched(beam.DoFn):
    """Work that gives signs of life in a workspace, if told one."""

    def __init__(self, told: str | None) -> None:
        self._told = told

    def setup(self) -> None:
        """Once a process, before its first element."""
        keep_small()
        self._beacon = Beacon(self._told)

    def teardown(self) -> None:
        """After the last one."""
        self._beacon.close()


class _Work(_Watched):
    """Does assignments by their place in what was written down."""

    def __init__(self, stage: Stage, root: str, recipe: Recipe, told: str | None) -> None:
        super().__init__(told)
        self._stage, self._root, self._recipe = stage, root, recipe
        self._done = Metrics.counter("curate", f"{stage.name}_partitions")

    def setup(self) -> None:
        """Read the partitions, which do not change while a pipeline runs."""
        super().setup()
        self._partitions = {p.partition: p for p in partitions.load(Workspace(self._root))}

    def process(self, element: int, *known: Any) -> Iterator[int]:
        with self._beacon.lit():
            work_on(self._stage, self._assignment(element), known, Workspace(self._root), self._recipe)
            give_back()
        self._done.inc()
        yield element

    def _assignment(self, place: int) -> Assignment:
        numbers, packed = Scratch(self._root, _ASSIGNED).arrays(self._stage.name, place // _CHUNK)
        fingerprint = packed.tobytes().decode().split("\n")[place % _CHUNK]
        return Assignment(self._partitions[int(numbers[place % _CHUNK])], fingerprint)


class _Ask(_Watched):
    """Asks partitions by their place; the conclusions of earlier rounds come as side inputs, one value each."""

    def __init__(self, asked: Round, root: str, recipe: Recipe, told: str | None) -> None:
        super().__init__(told)
        self._asked, self._root, self._recipe = asked, root, recipe

    def setup(self) -> None:
        """Read the partitions, which do not change while a pipeline runs."""
        super().setup()
        self._partitions = partitions.load(Workspace(self._root))

    def process(self, element: int, *earlier: Any) -> Iterator[Any]:
        with self._beacon.lit():
            yield answer(self._asked, Workspace(self._root), self._partitions[element], self._recipe, earlier)


class _Step(_Watched):
    def __init__(self, step: Emitting | Merging, told: str | None) -> None:
        super().__init__(told)
        self._step = step

    def process(self, element: Any) -> Iterator[Keyed]:
        with self._beacon.lit():
            yield from self._step(element)
