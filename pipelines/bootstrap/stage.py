"""The bootstrap stage: an adapter for the scorer, trained on this corpus in rounds, and every pair's cosine by it.

Rounds are done once for the whole job, over a sample of its pairs; partitions then apply what was accepted. A corpus on
which no round is a gain keeps the scorer it had: `alignment` equals `clip_score`.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

from pipelines.frame import ledger
from pipelines.frame.engine import Engine
from pipelines.frame.stage import Job, Read, Span, Stage
from pipelines.frame.task import Task
from schemas.recipe import Recipe
from schemas.statuses import StageName

FOLDER = "bootstrap"
ROUNDS, ADAPTER = f"{FOLDER}/rounds.json", f"{FOLDER}/adapter.npz"


class Bootstrap(Stage):
    """alignment from scores. The first partition also writes what the rounds came to, and the adapter if any."""

    name: ClassVar[StageName] = StageName.BOOTSTRAP
    reads: ClassVar[tuple[Read, ...]] = (Read(StageName.SCORE, "scores", Span.ALL),)
    writes: ClassVar[tuple[str, ...]] = ("alignment", FOLDER)
    light: ClassVar[bool] = True  # some ten microseconds a pair

    def wanted(self, recipe: Recipe) -> bool:
        """Where it is asked for."""
        return recipe.bootstrap is not None

    def settings(self, recipe: Recipe) -> dict[str, Any]:
        """The rounds."""
        return recipe.bootstrap.fingerprinted() if recipe.bootstrap else {}

    def prepare(self, job: Job, engine: Engine) -> None:
        """Draw the sample and do the rounds."""
        from pipelines.bootstrap import rounds  # with what trains: most recipes do without
        from pipelines.bootstrap.sample import Corpus

        scores = ledger.read_all(job.workspace, StageName.SCORE).values()
        rows = sum(output.counts.get("rows", 0) for record in scores for output in record.outputs)
        corpus = Corpus(job.workspace.root, job.recipe)
        corpus.scratch.clear()
        rounds.run(engine, corpus, [p.partition for p in job.partitions], rows)

    def clean_up(self, job: Job) -> None:
        """Remove what the rounds left."""
        from pipelines.bootstrap.sample import Corpus

        Corpus(job.workspace.root, job.recipe).scratch.clear()

    def process(self, task: Task, known: Sequence[Any]) -> None:
        """Write the alignment of each pair that has a score."""
        from pipelines.bootstrap.aligning import align

        align(task, ROUNDS, ADAPTER)
