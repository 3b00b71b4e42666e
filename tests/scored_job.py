"""Jobs whose scores are written by a test, ready for the stages that read them: no crawl, no model."""

import hashlib
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from pipelines.bootstrap.stage import Bootstrap
from pipelines.frame import fingerprints, ledger, partitions, tables
from pipelines.frame.engine import Engine
from pipelines.frame.engines.local import LocalEngine
from pipelines.frame.partitions import Partition
from pipelines.frame.run import plan_stage, run_stage
from pipelines.frame.stage import Job
from pipelines.frame.storage import Workspace
from schemas.ledger import LedgerRecord, Output
from schemas.recipe import Recipe
from schemas.tables import ALIGNMENT, SCORES
from tests.planted_pairs import Planted

Row = dict[str, Any]


def doc_id(page: int) -> str:
    return hashlib.md5(str(page).encode(), usedforsecurity=False).hexdigest()


def rows_of(corpus: Planted) -> list[Row]:
    """A row of scores for each pair, as score writes them."""
    return [
        {
            "doc_id": doc_id(page), "position": 2 * number + 1, "sha256": f"{number:064x}", "score_status": "ok",
            "clip_score": float(score), "image_embedding": image, "text_embedding": text,
        }
        for number, (page, score, image, text) in enumerate(
            zip(corpus.pages.tolist(), corpus.scores, corpus.images, corpus.texts, strict=True)
        )
    ]  # fmt: skip


def without_a_score(page: int, status: str = "undecodable") -> Row:
    """A row as score writes it of an image that it could not compare."""
    return {"doc_id": doc_id(page), "position": 999, "sha256": "f" * 64, "score_status": status}


def a_scored_job(
    root: Path, rows: Sequence[Row], cuts: Sequence[int] = (), bootstrap: Mapping[str, Any] | None = None
) -> Job:
    """A job that was scored, cut into partitions before these rows."""
    workspace, bounds = Workspace(str(root)), [0, *cuts, len(rows)]
    planned = []
    for number, (start, end) in enumerate(pairwise(bounds)):
        planned.append(Partition(number, "/in/a.warc", start, end, len(rows), "d"))
        write_scores(workspace, number, rows[start:end])
    partitions.save(workspace, planned)
    recipe = {"score": {"model": "any"}, "bootstrap": {"seeds": 3, "rounds": 2, **(bootstrap or {})}}
    return Job(workspace, Recipe.model_validate(recipe), tuple(planned))


def write_scores(workspace: Workspace, number: int, rows: Sequence[Row]) -> None:
    """The scores of a partition, and what the ledger says of them."""
    name = tables.name_of(SCORES, number)
    with workspace.staged(name) as path:
        writer = tables.TableWriter(SCORES, path)
        for begin in range(0, len(rows), tables.BATCH_ROWS):
            writer.write_rows(rows[begin : begin + tables.BATCH_ROWS])
        writer.close()
        output = Output(path=name, bytes=0, sha256=fingerprints.of_file(path), counts={"rows": len(rows)})
    ledger.write(workspace, LedgerRecord(stage="score", partition=number, fingerprint="", outputs=[output]))


def bootstrap(job: Job, engine: Engine | None = None) -> list[int]:
    """Do what is outdated; its partitions."""
    plan = plan_stage(Bootstrap(), job)
    run_stage(plan, job, engine or LocalEngine(1))
    assert not [p for p in Path(job.workspace.root).glob("scratch/**/*") if p.is_file()], "scratch is left"
    return [assignment.partition.partition for assignment in plan.todo]


def aligned(job: Job) -> list[Row]:
    """All rows of alignment in the order of the scores."""
    found = [tables.read_table(job.workspace, ALIGNMENT, p.partition).to_pylist() for p in job.partitions]
    return [row for part in found for row in part]
