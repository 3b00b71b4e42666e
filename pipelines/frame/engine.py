"""What an engine does for a stage: work on partitions, and exchanges between them. Each has a module of its own."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pipelines.frame.exchange import Plan
    from pipelines.frame.stage import Job, Stage
    from pipelines.frame.task import Assignment


class EngineFailed(RuntimeError):
    """An engine could not do what it was asked: workers end, a cluster does not answer. Says where to look."""


class Engine(ABC):
    """Distributes work. Used as a context manager around a run, so that what it starts is stopped again.

    Outputs never depend on the engine: work is the same functions everywhere, and nothing relies on an order.
    """

    workers: int
    """How many partitions are worked on at the same time; 0 where that is not known."""

    @abstractmethod
    def work(self, stage: "Stage", todo: Sequence["Assignment"], job: "Job") -> None:
        """Have partitions worked on. One that fails is recorded in the workspace and does not stop the others.

        Raises:
            EngineFailed: where the rest cannot be done either. What was committed stays.
        """

    @abstractmethod
    def exchange(self, plan: "Plan") -> None:
        """Run an exchange.

        Raises:
            EngineFailed: see there.
        """

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        """Stop what was started."""
