"""What became of everything, read from the ledger alone: the numbers behind `status`, and whether they add up."""

from collections.abc import Iterator, Mapping
from typing import Any

from pipelines.frame import ledger, partitions
from pipelines.frame.storage import Workspace
from schemas.ledger import LedgerRecord, Tally
from schemas.statuses import StageName

Tallies = dict[str, Tally]
# What one stage hands on is what the next takes in: (stage, items, next stage).
_HANDED_ON = (
    (StageName.EXTRACT, "documents", StageName.FETCH),
    (StageName.FETCH, "images", StageName.MEASURE),
    (StageName.EXTRACT, "documents", StageName.SELECT),
    (StageName.EXTRACT, "texts", StageName.SELECT),
    (StageName.EXTRACT, "images", StageName.SELECT),
    (StageName.SELECT, "documents", StageName.PACK),
    (StageName.SELECT, "texts", StageName.PACK),
    (StageName.SELECT, "images", StageName.PACK),
)
# Stages that most recipes do without.
_IF_ASKED_FOR = (StageName.SCORE, StageName.BOOTSTRAP, StageName.OCR, StageName.DEDUP_SEMANTIC)


def funnel(workspace: Workspace) -> dict[str, Any]:
    """Per stage what is done, counted and dropped; with `adds_up` and the `problems` if it does not."""
    known = partitions.load(workspace)
    total, paths = len(known), {p.partition: p.path for p in known}
    records = {stage: ledger.read_all(workspace, stage) for stage in StageName}
    records = {stage: found for stage, found in records.items() if found or stage not in _IF_ASKED_FOR}
    tallies = {stage: sum_tallies(of_stage) for stage, of_stage in records.items()}
    problems = list(_problems(records, tallies, total))
    return {
        "partitions": total,
        "stages": [
            {
                **_stage(stage, records[stage], tallies[stage], paths),
                "failed": _failed(workspace, stage, records[stage]),
            }
            for stage in records
        ],
        "adds_up": not problems,
        "problems": problems,
    }


def sum_tallies(records: Mapping[int, LedgerRecord]) -> Tallies:
    """Tallies of all partitions together, by kind of item."""
    summed: Tallies = {}
    for _, record in sorted(records.items()):
        for items, tally in record.tallies.items():
            summed.setdefault(items, Tally()).add(tally)
    return summed


def _failed(workspace: Workspace, stage: StageName, records: Mapping[int, LedgerRecord]) -> list[int]:
    """Partitions that were begun and are not done, of which a file of errors tells."""
    numbers = [int(name.rsplit("/", 1)[-1].split(".")[0]) for name in workspace.list(f"errors/{stage}")]
    return [number for number in numbers if number not in records]


def _stage(
    stage: StageName, records: Mapping[int, LedgerRecord], tallies: Tallies, paths: Mapping[int, str]
) -> dict[str, Any]:
    return {
        "stage": stage.value,
        "done": len(records),
        "partitions": len(paths),
        "counts": {items: tally.model_dump(by_alias=True) for items, tally in tallies.items()},
        "errors": sum(record.errors for record in records.values()),
        "skipped": [
            {"partition": record.partition, "path": paths.get(record.partition), **skip.model_dump()}
            for record in records.values()
            for skip in record.skips
        ],
        "seconds": round(sum(record.seconds for record in records.values()), 3),
        "bytes_in": sum(record.bytes_in for record in records.values()),
        "bytes_out": sum(record.bytes_out for record in records.values()),
    }


def _problems(
    records: Mapping[StageName, Mapping[int, LedgerRecord]], tallies: Mapping[StageName, Tallies], total: int
) -> Iterator[str]:
    for stage, by_items in tallies.items():
        for items, tally in by_items.items():
            if not tally.adds_up:
                yield f"{stage}: {items}: {tally.taken} in, {tally.out} out and reasons differ"
    for stage, items, following in _HANDED_ON:
        if len(records[stage]) == len(records[following]) == total:
            out = tallies[stage].get(items, Tally()).out
            taken = tallies[following].get(items, Tally()).taken
            if out != taken:
                yield f"{stage} hands on {out} {items}, {following} takes {taken}"
