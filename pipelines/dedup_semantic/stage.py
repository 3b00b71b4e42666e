"""The dedup_semantic stage: for each picture how near the nearest better one is, by their embeddings."""

from collections.abc import Sequence
from typing import Any, ClassVar

from pipelines.frame import ledger
from pipelines.frame.engine import Engine
from pipelines.frame.stage import Job, Read, Span, Stage
from pipelines.frame.task import Task
from schemas.recipe import Recipe
from schemas.statuses import StageName


class DedupSemantic(Stage):
    """semantic_duplicates from scores: embeddings travel once, to the worker that has their cluster."""

    name: ClassVar[StageName] = StageName.DEDUP_SEMANTIC
    reads: ClassVar[tuple[Read, ...]] = (
        Read(StageName.SCORE, "scores", Span.ALL),
        Read(StageName.FETCH, "images", Span.ALL),
    )
    writes: ClassVar[tuple[str, ...]] = ("semantic_duplicates",)
    light: ClassVar[bool] = True

    def wanted(self, recipe: Recipe) -> bool:
        """Where it is asked for."""
        return recipe.dedup.semantic is not None

    def settings(self, recipe: Recipe) -> dict[str, Any]:
        """How large clusters are."""
        return recipe.dedup.semantic.fingerprinted() if recipe.dedup.semantic else {}

    def prepare(self, job: Job, engine: Engine) -> None:
        """Find the clusters, and in them what is nearest."""
        from pipelines.dedup_semantic.neighbours import Corpus, find_neighbours

        scores = ledger.read_all(job.workspace, StageName.SCORE).values()
        rows = sum(output.counts.get("rows", 0) for record in scores for output in record.outputs)
        corpus = Corpus(job.workspace.root, job.recipe)
        corpus.scratch.clear()
        find_neighbours(engine, corpus, [p.partition for p in job.partitions], rows)

    def clean_up(self, job: Job) -> None:
        """Remove what the exchanges left."""
        from pipelines.dedup_semantic.neighbours import Corpus

        Corpus(job.workspace.root, job.recipe).scratch.clear()

    def process(self, task: Task, known: Sequence[Any]) -> None:
        """Write a row for each image that has a score."""
        from pipelines.dedup_semantic.neighbours import write_neighbours

        write_neighbours(task)
