"""Partitions: slices of the input files. Their numbers never change once a job has begun.

Only gzip files with one record a member are cut, since only those can be read from the middle; where a slice's first
record begins is found when it is read. A slice's length depends on its own file alone, so that neither workers nor
other inputs move it.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.frame import fingerprints, resync, storage, tables
from pipelines.frame.storage import Workspace
from pipelines.frame.stores.locations import CONNECTIONS, Entry
from schemas.tables import PARTITIONS

PARTITIONS_FILE = "partitions.parquet"
_MEBI = 1 << 20
# Sixteen slices keep the cores of a usual machine busy on one file; 2 MiB is a quarter of a second of work, below which
# a slice's own costs show; 64 MiB keeps what one slice holds in memory small.
_AUTO_SLICES, _AUTO_MIN, _AUTO_MAX = 16, 2 * _MEBI, 64 * _MEBI


@dataclass(frozen=True)
class Partition:
    """One slice of one input file: [start, end) in bytes. It owns the records that begin inside it."""

    partition: int
    path: str
    start: int
    end: int
    file_bytes: int
    file_digest: str
    file_version: str | None = None

    @property
    def bytes(self) -> int:
        """Length of the slice."""
        return self.end - self.start

    @property
    def identity(self) -> dict[str, int | str]:
        """What makes this slice's records what they are."""
        return {"path": self.path, "start": self.start, "end": self.end, "digest": self.file_digest}


class InputsChanged(ValueError):
    """The workspace holds a job over other inputs, or over the same ones cut otherwise."""


_Key = tuple[str, int, str | None]


def plan(files: Sequence[Entry | str], split_bytes: int | str, known: Sequence[Partition] = ()) -> list[Partition]:
    """Slices of all files, in their order, numbered from 0.

    A file whose store says by its version that it is the same as in a `known` plan is not read again.
    """
    seen: dict[_Key, tuple[str, bool]] = {
        (p.path, p.file_bytes, p.file_version): (p.file_digest, p.bytes < p.file_bytes)
        for p in known
        if p.file_version is not None
    }
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        found = pool.map(lambda file: _slices(file, split_bytes, seen), files)
        slices = [piece for file in found for piece in file]
    return [replace(piece, partition=number) for number, piece in enumerate(slices)]


def _slices(named: Entry | str, split_bytes: int | str, seen: dict[_Key, tuple[str, bool]]) -> list[Partition]:
    file = storage.describe(named) if isinstance(named, str) else named
    digest, is_cut = seen.get((file.path, file.size, file.version), ("", False))
    count = _slice_count(file.size, split_bytes)
    if not digest or (count > 1 and not is_cut):
        with storage.open_read(file.path, file.size) as opened:
            digest = fingerprints.of_edges(opened, file.size)
            is_cut = count > 1 and resync.is_member_per_record(opened, file.size)
    step = -(-file.size // (count if is_cut else 1)) or 1
    return [
        Partition(0, file.path, start, min(start + step, file.size), file.size, digest, file.version)
        for start in range(0, max(file.size, 1), step)
    ]


def _slice_count(size: int, split_bytes: int | str) -> int:
    """Into how many slices a file would be cut if it can be."""
    if split_bytes == "auto":
        target = min(max(size // _AUTO_SLICES, _AUTO_MIN), _AUTO_MAX)
    else:
        target = int(split_bytes)
    return 1 if target == 0 or size <= target else -(-size // target)


def save(workspace: Workspace, partitions: Sequence[Partition]) -> None:
    """Write the plan of a job."""
    table = pa.Table.from_pylist([asdict(p) for p in partitions], schema=PARTITIONS.schema)
    with workspace.staged(PARTITIONS_FILE) as path:
        pq.write_table(table, path)


def load(workspace: Workspace) -> list[Partition]:
    """The plan of a job; empty where none was made."""
    try:
        return _partitions(tables.read_file(workspace, PARTITIONS_FILE))
    except (FileNotFoundError, NotADirectoryError):
        return []


def slices_of_file(workspace: Workspace, partition: int) -> list[Partition]:
    """All slices of the file that a partition is of: of a plan of a million slices, only these become objects."""
    table = tables.read_file(workspace, PARTITIONS_FILE)
    path = table.filter(pc.field("partition") == partition).column("path")[0]
    return _partitions(table.filter(pc.field("path") == path))


def _partitions(table: pa.Table) -> list[Partition]:
    return [Partition(**row) for row in table.to_pylist()]


def extend(known: Sequence[Partition], planned: Sequence[Partition]) -> list[Partition]:
    """The plan of a job that goes on: what is known keeps its numbers, new files come behind.

    Raises:
        InputsChanged: if a known slice is not among the planned ones.
    """
    fresh = {(p.path, p.start, p.end, p.file_digest): p for p in planned}
    kept = []
    for partition in known:
        same = fresh.pop((partition.path, partition.start, partition.end, partition.file_digest), None)
        if same is None:
            raise InputsChanged(_what_changed(partition, planned))
        kept.append(replace(same, partition=partition.partition))
    known_paths = {p.path for p in known}
    added = [p for p in fresh.values() if p.path not in known_paths]
    return [*kept, *(replace(p, partition=len(known) + i) for i, p in enumerate(added))]


def _what_changed(partition: Partition, planned: Sequence[Partition]) -> str:
    same = [p for p in planned if p.path == partition.path]
    if not same:
        return f"{partition.path} is an input of the job in this output folder, but not of this command"
    if same[0].file_digest != partition.file_digest:
        return f"{partition.path} has changed since the job in this output folder began"
    return f"{partition.path} is cut into other slices than in the job in this output folder (input.split_bytes)"
