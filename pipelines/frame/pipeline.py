"""The Beam pipelines of a stage's work and of an exchange.

Graphs carry no list of partitions, which for a large crawl would be sent to every task: they name chunks, which workers
read from the workspace. Each partition is an element of its own behind a shuffle, so that workers take the next one
when they are free.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import apache_beam as beam
import numpy as np
from apache_beam.metrics import Metrics

from pipelines.frame import partitions
from pipelines.frame.alive import Beacon
from pipelines.frame.exchange import Emitting, Keyed, Merging, Plan, Scratch
from pipelines.frame.memory import keep_small
from pipelines.frame.partitions import Partition
from pipelines.frame.rounds import Round, answer
from pipelines.frame.stage import Job, Stage
from pipelines.frame.storage import Workspace
from pipelines.frame.task import Assignment
from pipelines.frame.work import work_on
from schemas.recipe import Recipe

_CHUNK = 500
_TODO = "todo"


def say_todo(stage: Stage, todo: Sequence[Assignment], root: str) -> int:
    """Write down the assignments for workers to read; in how many chunks."""
    chunks = range(-(-len(todo) // _CHUNK))
    for chunk in chunks:
        some = todo[chunk * _CHUNK : (chunk + 1) * _CHUNK]
        numbers = np.array([a.partition.partition for a in some], np.uint32)
        fingerprints = np.frombuffer("\n".join(a.fingerprint for a in some).encode(), np.uint8)
        Scratch(root, _TODO).write(stage.name, chunk, [numbers, fingerprints])
    return len(chunks)


def forget_todo(root: str) -> None:
    """Remove what was written down."""
    Scratch(root, _TODO).clear()


class Work(beam.PTransform):
    """Assignments that were written down, done and committed by some worker; numbers of partitions come out."""

    def __init__(self, stage: Stage, chunks: int, job: Job, told: str | None) -> None:
        super().__init__()
        self._stage, self._chunks, self._job, self._told = stage, chunks, job, told

    def expand(self, pipeline: beam.Pipeline) -> "beam.PCollection[int]":
        """Rounds first, then the work, which gets their conclusions."""
        root, recipe = self._job.workspace.root, self._job.recipe
        known: list[Any] = []
        for number, asked in enumerate(self._stage.rounds(recipe)):
            everything = (
                pipeline
                | f"Chunks{number}" >> beam.Create(range(0, len(self._job.partitions), _CHUNK))
                | f"Partitions{number}" >> beam.FlatMap(_partitions, root)
                | f"SpreadPartitions{number}" >> beam.Reshuffle()
            )
            answers = everything | f"Ask{number}" >> beam.ParDo(_Ask(asked, root, recipe, self._told), *known)
            merged = answers | f"Merge{number}" >> beam.CombineGlobally(asked.merge)
            concluded = merged | f"Conclude{number}" >> beam.Map(asked.conclude, recipe)
            known.append(beam.pvalue.AsSingleton(concluded))
        return (
            pipeline
            | "Chunks" >> beam.Create(range(self._chunks))
            | "Todo" >> beam.FlatMap(_assignments, root, self._stage.name)
            | "Spread" >> beam.Reshuffle()
            | "Work" >> beam.ParDo(_Work(self._stage, root, recipe, self._told), *known)
        )


class Exchange(beam.PTransform):
    """An exchange: what is emitted, grouped by key, merged, as often as there are merges."""

    def __init__(self, plan: Plan, told: str | None) -> None:
        super().__init__()
        self._plan, self._told = plan, told

    def expand(self, pipeline: beam.Pipeline) -> "beam.PCollection[Keyed]":
        """Nothing comes out: the last step writes to a Scratch."""
        flow = pipeline | "Sources" >> beam.Create(self._plan.sources) | "Spread" >> beam.Reshuffle()
        flow = flow | "Emit" >> beam.ParDo(_Step(self._plan.emit, self._told))
        for number, merge in enumerate(self._plan.merges):
            grouped = flow | f"Group{number}" >> beam.GroupByKey()
            flow = grouped | f"Merge{number}" >> beam.ParDo(_Step(merge, self._told))
        return flow


def _partitions(first: int, root: str) -> list[Partition]:
    return partitions.load(Workspace(root))[first : first + _CHUNK]


def _assignments(chunk: int, root: str, stage: str) -> Iterator[Assignment]:
    numbers, fingerprints = Scratch(root, _TODO).arrays(stage, chunk)
    known = {p.partition: p for p in partitions.load(Workspace(root))}
    for number, fingerprint in zip(numbers.tolist(), fingerprints.tobytes().decode().split("\n"), strict=True):
        yield Assignment(known[number], fingerprint)


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
    def __init__(self, stage: Stage, root: str, recipe: Recipe, told: str | None) -> None:
        super().__init__(told)
        self._stage, self._root, self._recipe = stage, root, recipe
        self._done = Metrics.counter("curate", f"{stage.name}_partitions")

    def process(self, element: Assignment, *known: Any) -> Iterator[int]:
        with self._beacon.lit():
            work_on(self._stage, element, known, Workspace(self._root), self._recipe)
        self._done.inc()
        yield element.partition.partition


class _Ask(_Watched):
    """Asks one partition; the conclusions of earlier rounds come as side inputs, one value each."""

    def __init__(self, asked: Round, root: str, recipe: Recipe, told: str | None) -> None:
        super().__init__(told)
        self._asked, self._root, self._recipe = asked, root, recipe

    def process(self, element: Partition, *earlier: Any) -> Iterator[Any]:
        with self._beacon.lit():
            yield answer(self._asked, Workspace(self._root), element, self._recipe, earlier)


class _Step(_Watched):
    def __init__(self, step: Emitting | Merging, told: str | None) -> None:
        super().__init__(told)
        self._step = step

    def process(self, element: Any) -> Iterator[Keyed]:
        with self._beacon.lit():
            yield from self._step(element)
