"""The ledger: `ledger/<stage>/<partition>.json`, written last. Resume, progress and every count are read from it."""

from concurrent.futures import ThreadPoolExecutor

from pydantic import ValidationError

from pipelines.frame.storage import Workspace, file_name
from schemas.ledger import LEDGER_VERSION, LedgerRecord

_READERS = 16


def name_of(stage: str, partition: int) -> str:
    """Name of a record's file in the workspace."""
    return f"ledger/{stage}/{partition:05d}.json"


def write(workspace: Workspace, record: LedgerRecord) -> None:
    """Commit a record: from here on the partition is done."""
    workspace.write_text(name_of(record.stage, record.partition), record.model_dump_json(by_alias=True, indent=1))


def read(workspace: Workspace, stage: str, partition: int) -> LedgerRecord | None:
    """A partition's record; None where it was not done, or was written by another version."""
    try:
        record = LedgerRecord.model_validate_json(workspace.read_text(name_of(stage, partition)))
    except (FileNotFoundError, UnicodeDecodeError, ValidationError):
        return None
    return record if record.version == LEDGER_VERSION else None


def read_all(workspace: Workspace, stage: str) -> dict[int, LedgerRecord]:
    """All records of a stage by partition: one listing, then the files."""
    with ThreadPoolExecutor(_READERS) as pool:
        found = pool.map(lambda n: read(workspace, stage, n), partitions_in(workspace, stage))
        return {record.partition: record for record in found if record is not None}


def partitions_in(workspace: Workspace, stage: str) -> list[int]:
    """Numbers of the partitions that have a record, by names alone."""
    names = (file_name(path).removesuffix(".json") for path in workspace.list(f"ledger/{stage}"))
    return [int(name) for name in names if name.isdigit()]


def invalidate(workspace: Workspace, stage: str, partition: int) -> None:
    """Say that a partition's outputs are about to change, so that no half-changed state ever looks done."""
    workspace.remove(name_of(stage, partition))
