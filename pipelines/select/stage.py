"""The select stage: applies the recipe's rules to a partition, writes its verdicts and what each rule did."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

from filters.rules import signals_of
from pipelines.frame.copies import reasons
from pipelines.frame.rounds import Round
from pipelines.frame.stage import Job, Read, Span, Stage
from pipelines.frame.task import Task
from pipelines.select import inputs, pools, rule_table, thresholds
from pipelines.select.counting import Counts
from pipelines.select.judging import judge
from pipelines.select.node_scores import stages_behind
from pipelines.select.verdicts import verdicts
from schemas.ledger import LedgerRecord
from schemas.recipe import Recipe
from schemas.statuses import StageName
from schemas.tables import RULES, VERDICTS


class Select(Stage):
    """verdicts and rules from documents and images: only numbers are read, so that a moved threshold costs seconds."""

    name: ClassVar[StageName] = StageName.SELECT
    reads: ClassVar[tuple[Read, ...]] = (
        Read(StageName.EXTRACT, "documents", Span.FILE),
        Read(StageName.FETCH, "images"),
        Read(StageName.DEDUP_TEXT, "text_duplicates"),
        Read(StageName.BALANCE, "balance"),
        Read(StageName.MEASURE, "image_signals"),
        Read(StageName.DEDUP_IMAGES, "image_duplicates"),
    )
    writes: ClassVar[tuple[str, ...]] = ("verdicts", "rules")
    light: ClassVar[bool] = True

    def settings(self, recipe: Recipe) -> dict[str, Any]:
        """All rules."""
        return {
            "screen": recipe.screen.fingerprinted(),
            "select": recipe.select.fingerprinted(),
            "dedup": recipe.dedup.fingerprinted(),
            "removed": reasons(recipe),
            "consent": recipe.fetch.consent.fingerprinted(),
        }

    def reads_under(self, recipe: Recipe) -> tuple[Read, ...]:
        """Scores if rules name them; with keep_top every partition's verdicts depend on the values of all."""
        scores = stages_behind(set(signals_of(recipe.select.image)))
        reads = (*self.reads, *(Read(stage, folder) for stage, folder in scores.items()))
        return tuple(replace(read, span=Span.ALL) for read in reads) if self.rounds(recipe) else reads

    def rounds(self, recipe: Recipe) -> tuple[Round, ...]:
        """What finds the thresholds of keep_top."""
        return pools.rounds(recipe.select)

    def process(self, task: Task, known: Sequence[Any]) -> None:
        """Judge the partition's documents batch by batch."""
        counts = Counts(task.tally("documents"), task.tally("texts"), task.tally("images"))
        thresholds_found = pools.together(known)
        with task.table(VERDICTS) as table:
            for batch in inputs.read(task.workspace, task.partition, task.recipe):
                judged = judge(batch.evidence, task.recipe.select, thresholds_found)
                table.write_batch(verdicts(batch.documents.column("doc_id"), judged))
                counts.add(judged)
        with task.table(RULES) as table:
            table.write_rows(list(rule_table.rows_of(counts.rules)))

    def finish(self, job: Job, records: dict[int, LedgerRecord]) -> None:
        """Write what keep_top came to; it is the same in every partition."""
        entries = []
        if self.rounds(job.recipe) and records:
            entries = thresholds.described(job.recipe.select, rule_table.read(job.workspace, min(records)))
        thresholds.write(job.workspace, entries)
