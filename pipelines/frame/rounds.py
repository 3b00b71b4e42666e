"""Rounds: questions that every partition answers and whose merged answer every partition then gets.

This is how a stage learns something about the whole corpus, such as a quantile, without any of it being shuffled.
Merging is the same in any order, so an engine may ask wherever it works.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any

from pipelines.frame.partitions import Partition
from pipelines.frame.storage import Workspace
from schemas.recipe import Recipe


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
            merged = asked.merge((merged, answer(asked, workspace, partition, recipe, known)))
        known.append(asked.conclude(merged, recipe))
    return known


def answer(asked: Round, workspace: Workspace, partition: Partition, recipe: Recipe, earlier: Sequence[Any]) -> Any:
    """A partition's answer to a round.

    Raises:
        RoundFailed: see there.
    """
    try:
        return asked.ask(workspace, partition, recipe, earlier)
    except Exception as error:
        where = f"partition {partition.partition} ({partition.path})"
        raise RoundFailed(f"{where}: {type(error).__name__}: {error}") from error
