"""The ledger: `ledger/<stage>/<partition>.json`, written last. Resume, progress and every count are read from it."""

import zlib
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from pydantic import ValidationError

from pipelines.frame.storage import Workspace
from pipelines.frame.stores.locations import CONNECTIONS, Entry, is_local
from schemas.ledger import LEDGER_VERSION, LedgerRecord

A = TypeVar("A")
B = TypeVar("B")
# Records that were read, by path: version and compressed text. A run reads those of a stage for every stage behind it,
# and each is a request where the workspace is in a store.
_known: dict[str, tuple[str, bytes]] = {}
_MOST_KNOWN = 300_000  # 150 to 300 MB; beyond it they are read again


class CommittedTwice(RuntimeError):
    """Two workers have done the same partition at the same time, and not with the same bytes."""


def name_of(stage: str, partition: int) -> str:
    """Name of a record's file in the workspace."""
    return f"ledger/{stage}/{partition:05d}.json"


def write(workspace: Workspace, record: LedgerRecord) -> None:
    """Write a record in the place of what is there."""
    workspace.write_text(name_of(record.stage, record.partition), _text(record))


def commit(workspace: Workspace, record: LedgerRecord) -> None:
    """Write the record of work that was just done: from here on the partition is done.

    There is none before, unless another worker has done the same in the meantime. That is harmless where it wrote the
    same bytes; where it did not, files of both may lie there, so nothing is done.

    Raises:
        CommittedTwice: see there.
    """
    name = name_of(record.stage, record.partition)
    if workspace.create_text(name, _text(record)):
        return
    other = read(workspace, record.stage, record.partition)
    if other is None:
        write(workspace, record)
    elif (other.fingerprint, other.outputs) != (record.fingerprint, record.outputs):
        invalidate(workspace, record.stage, record.partition)
        raise CommittedTwice(f"another worker has committed {name} with other bytes; the same command does it again")


def read(workspace: Workspace, stage: str, partition: int) -> LedgerRecord | None:
    """A partition's record; None where it was not done, or was written by another version."""
    try:
        return _parsed(workspace.read_text(name_of(stage, partition)))
    except (FileNotFoundError, UnicodeDecodeError):
        return None


def read_all(workspace: Workspace, stage: str) -> dict[int, LedgerRecord]:
    """All records of a stage by partition: one listing, then the files that are not known."""
    found = _each(workspace, lambda entry: _read_entry(workspace, entry), _entries(workspace, stage))
    return {record.partition: record for record in found if record is not None}


def partitions_in(workspace: Workspace, stage: str) -> list[int]:
    """Numbers of the partitions that have a record, by names alone."""
    return [int(entry.name.removesuffix(".json")) for entry in _entries(workspace, stage)]


def invalidate(workspace: Workspace, stage: str, partition: int) -> None:
    """Say that a partition's outputs are about to change, so that no half-changed state ever looks done."""
    workspace.remove(name_of(stage, partition))


def invalidate_all(workspace: Workspace, stage: str, partitions: Collection[int]) -> None:
    """The same for many, where there are records of them."""
    there = [n for n in partitions_in(workspace, stage) if n in partitions]
    _each(workspace, lambda number: invalidate(workspace, stage, number), there)


def _each(workspace: Workspace, do: Callable[[A], B], items: Sequence[A]) -> list[B]:
    """At the same time where each is a request; on disk, threads would take longer than what they do."""
    if is_local(workspace.root):
        return [do(item) for item in items]
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        return list(pool.map(do, items))


def _entries(workspace: Workspace, stage: str) -> list[Entry]:
    return [e for e in workspace.entries(f"ledger/{stage}") if e.name.removesuffix(".json").isdigit()]


def _read_entry(workspace: Workspace, entry: Entry) -> LedgerRecord | None:
    version, packed = _known.get(entry.path, (None, b""))
    if version is not None and version == entry.version:
        return _parsed(zlib.decompress(packed).decode())
    try:
        text = workspace.read_text(entry.path.removeprefix(f"{workspace.root}/"))
    except (FileNotFoundError, UnicodeDecodeError):
        return None
    if entry.version is not None and len(_known) < _MOST_KNOWN:
        _known[entry.path] = entry.version, zlib.compress(text.encode(), 1)
    return _parsed(text)


def _parsed(text: str) -> LedgerRecord | None:
    try:
        record = LedgerRecord.model_validate_json(text)
    except ValidationError:
        return None
    return record if record.version == LEDGER_VERSION else None


def _text(record: LedgerRecord) -> str:
    return record.model_dump_json(by_alias=True, indent=1)
