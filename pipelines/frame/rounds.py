"""Rounds: questions that every partition answers and whose merged answer every partition then gets.

This is how a stage learns something about the whole corpus, such as a quantile, without any of it being shuffled. A
round runs in a Beam pipeline or, for light work on this machine, in a loop: merging is the same in any order.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.frame.partitions import Partition
from pipelines.frame.storage import Workspace
from schemas.recipe import Recipe

if TYPE_CHECKING:
    import apache_beam as beam


class Round(ABC):
    """One question. Instances carry nothing but what pickles."""

    @abstractmethod
    def ask(self, workspace: Workspace, partition: Partition, recipe: Recipe, earlier: Sequence[Any]) -> Any:
        """A partition's answer; `earlier` are the conclusions of the rounds before."""

    @abstractmethod
    def merge(self, answers: Iterable[Any]) -> Any:
        """Several answers as one: the same in any order and grouping, and for no answers at all."""

    @abstractmethod
    def conclude(self, merged: Any, recipe: Recipe) -> Any:
        """What partitions are told of the answer that all have given together: small, since each gets it."""


class RoundFailed(RuntimeError):
    """A partition could not answer; the message says which and why."""


def conclusions(
    rounds: Sequence[Round], workspace: Workspace, partitions: Sequence[Partition], recipe: Recipe
) -> list[Any]:
    """What each round comes to, asked one partition after another in this process.

    Raises:
        RoundFailed: see there.
    """
    known: list[Any] = []
    for asked in rounds:
        merged = asked.merge(())
        for partition in partitions:
            merged = asked.merge((merged, _answer(asked, workspace, partition, recipe, known)))
        known.append(asked.conclude(merged, recipe))
    return known


def conclusions_by_beam(
    rounds: Sequence[Round], root: str, partitions: "beam.PCollection[Partition]", recipe: Recipe
) -> "beam.PCollection[tuple[int, Any]]":
    """(partition number, conclusion of a round) pairs, every partition's own in the order of the rounds."""
    import apache_beam as beam

    known: list[Any] = []
    for number, asked in enumerate(rounds):
        answers = partitions | f"Ask{number}" >> beam.Map(_Ask(asked, root, recipe), *known)
        merged = answers | f"Merge{number}" >> beam.CombineGlobally(asked.merge)
        concluded = merged | f"Conclude{number}" >> beam.Map(asked.conclude, recipe)
        known.append(beam.pvalue.AsSingleton(concluded))
    return partitions | "Tell" >> beam.Map(_tell, *known)


@dataclass(frozen=True)
class _Ask:
    """Asks one partition; the conclusions of earlier rounds come as side inputs, one value each."""

    asked: Round
    root: str
    recipe: Recipe

    def __call__(self, partition: Partition, *earlier: Any) -> Any:
        return _answer(self.asked, Workspace(self.root), partition, self.recipe, earlier)


def _answer(asked: Round, workspace: Workspace, partition: Partition, recipe: Recipe, earlier: Sequence[Any]) -> Any:
    try:
        return asked.ask(workspace, partition, recipe, earlier)
    except Exception as error:
        where = f"partition {partition.partition} ({partition.path})"
        raise RoundFailed(f"{where}: {type(error).__name__}: {error}") from error


def _tell(partition: Partition, *known: Any) -> tuple[int, tuple[Any, ...]]:
    return partition.partition, known
