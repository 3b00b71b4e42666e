"""Writes the alignment of a partition's pairs by what the rounds came to."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from filters.embeddings import Floats, Vectors
from pipelines.bootstrap.rounds import Outcome
from pipelines.bootstrap.sample import EMBEDDINGS, Corpus
from pipelines.frame import tables
from pipelines.frame.task import Task
from schemas.statuses import ScoreStatus
from schemas.tables import ALIGNMENT, SCORES

_COLUMNS = ("doc_id", "position", "score_status", "clip_score")


def align(task: Task, rounds_name: str, adapter_name: str) -> None:
    """Write the alignment table; with the first partition also what the rounds came to, and the adapter if any."""
    outcome = Outcome.read(Corpus(task.workspace.root, task.recipe))
    if not task.number:
        task.file(rounds_name).write_text(outcome.report)
        if outcome.scorer is not None:
            with open(task.file(adapter_name), "wb") as file:
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
