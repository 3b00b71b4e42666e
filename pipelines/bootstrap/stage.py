"""The bootstrap stage: an adapter for the scorer, trained on this corpus in rounds, and every pair's cosine by it.

Rounds are done once for the whole job, over a sample of its pairs; partitions then apply what was accepted. A corpus on
which no round is a gain keeps the scorer it had: `alignment` equals `clip_score`.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from filters.adapters import Floats
from pipelines.bootstrap import rounds
from pipelines.bootstrap.rounds import Outcome
from pipelines.bootstrap.sample import EMBEDDINGS, Corpus, Vectors
from pipelines.frame import ledger, tables
from pipelines.frame.engine import Engine
from pipelines.frame.stage import Job, Read, Span, Stage
from pipelines.frame.task import Task
from schemas.recipe import Recipe
from schemas.statuses import ScoreStatus, StageName
from schemas.tables import ALIGNMENT, SCORES

FOLDER = "bootstrap"
ROUNDS, ADAPTER = f"{FOLDER}/rounds.json", f"{FOLDER}/adapter.npz"
_COLUMNS = ("doc_id", "position", "score_status", "clip_score")


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
        scores = ledger.read_all(job.workspace, StageName.SCORE).values()
        rows = sum(output.counts.get("rows", 0) for record in scores for output in record.outputs)
        corpus = Corpus(job.workspace.root, job.recipe)
        corpus.scratch.clear()
        rounds.run(engine, corpus, [p.partition for p in job.partitions], rows)

    def clean_up(self, job: Job) -> None:
        """Remove what the rounds left."""
        Corpus(job.workspace.root, job.recipe).scratch.clear()

    def process(self, task: Task, known: Sequence[Any]) -> None:
        """Write the alignment of each pair that has a score."""
        outcome = Outcome.read(Corpus(task.workspace.root, task.recipe))
        if not task.number:
            task.file(ROUNDS).write_text(outcome.report)
            if outcome.scorer is not None:
                with open(task.file(ADAPTER), "wb") as file:
                    np.savez(file, allow_pickle=False, **outcome.scorer.adapter.named())
        columns = (*_COLUMNS, *EMBEDDINGS) if outcome.scorer else _COLUMNS
        with task.table(ALIGNMENT) as table:
            for batch in tables.read_batches(task.workspace, SCORES, task.number, columns):
                table.write_batch(_aligned(batch, outcome, task))


def _aligned(batch: pa.RecordBatch, outcome: Outcome, task: Task) -> pa.RecordBatch:
    """The rows that are ok, each with its alignment; null where its embeddings cannot be used."""
    ok = batch.filter(pc.equal(batch.column("score_status"), ScoreStatus.OK.value))
    found = ok.column("clip_score").to_numpy(zero_copy_only=False) if outcome.scorer is None else _by(outcome, ok)
    usable = np.isfinite(found)
    tally = task.tally("pairs")
    tally.keep(int(np.count_nonzero(usable)))
    if not usable.all():
        tally.drop(ScoreStatus.NOT_FINITE, int(np.count_nonzero(~usable)))
    columns = [ok.column("doc_id"), ok.column("position"), pa.array(found, pa.float32(), mask=~usable)]
    return pa.RecordBatch.from_arrays(columns, schema=ALIGNMENT.schema)


def _by(outcome: Outcome, ok: pa.RecordBatch) -> Floats:
    images, texts = (Vectors.of(ok.column(name)) for name in EMBEDDINGS)
    assert outcome.scorer is not None
    width = outcome.scorer.adapter.width
    rows = np.flatnonzero((images.widths == width) & (texts.widths == width) & images.usable & texts.usable)
    found = np.full(ok.num_rows, np.nan, np.float32)
    if len(rows):
        doc_ids = ok.column("doc_id").take(pa.array(rows)).to_pylist()
        found[rows] = outcome.cosines(images.rows(rows), texts.rows(rows), doc_ids)
    return found
