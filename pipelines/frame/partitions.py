"""Partitions: slices of the input files. Their numbers never change once a job has begun.

Only gzip files with one record a member are cut, since only those can be read from the middle; where a slice's first
record begins is found when it is read. A slice's length depends on its own file alone, so that neither workers nor
other inputs move it.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.frame import fingerprints, resync, storage, tables
from pipelines.frame.storage import Workspace
from schemas.tables import PARTITIONS

PARTITIONS_FILE = "partitions.parquet"
_MEBI = 1 << 20
# Sixteen slices keep the cores of a usual machine busy on one file; 4 MiB is a second or two of work, below which a
# slice's own costs show; 64 MiB keeps what one slice holds in memory small.
_AUTO_SLICES, _AUTO_MIN, _AUTO_MAX = 16, 4 * _MEBI, 64 * _MEBI
_PLANNERS = 16


@dataclass(frozen=True)
class Partition:
    """One slice of one input file: [start, end) in bytes. It owns the records that begin inside it."""

    partition: int
    path: str
    start: int
    end: int
    file_bytes: int
    file_digest: str

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


def plan(paths: Sequence[str], split_bytes: int | str) -> list[Partition]:
    """Slices of all files, in the order of the paths, numbered from 0."""
    with ThreadPoolExecutor(_PLANNERS) as pool:
        files = pool.map(lambda path: _slices(path, split_bytes), paths)
        slices = [piece for file in files for piece in file]
    return [Partition(number, *piece) for number, piece in enumerate(slices)]


def _slices(path: str, split_bytes: int | str) -> list[tuple[str, int, int, int, str]]:
    size = storage.size_of(path)
    digest = fingerprints.of_input(path, size)
    count = _slice_count(path, size, split_bytes)
    step = -(-size // count) if size else 0
    bounds = [(i * step, min((i + 1) * step, size)) for i in range(count)]
    return [(path, start, end, size, digest) for start, end in bounds if start < end or size == 0]


def _slice_count(path: str, size: int, split_bytes: int | str) -> int:
    if split_bytes == "auto":
        target = min(max(size // _AUTO_SLICES, _AUTO_MIN), _AUTO_MAX)
    else:
        target = int(split_bytes)
    if target == 0 or size <= target:
        return 1
    with storage.open_read(path) as file:
        return -(-size // target) if resync.is_member_per_record(file, size) else 1


def save(workspace: Workspace, partitions: Sequence[Partition]) -> None:
    """Write the plan of a job."""
    table = pa.Table.from_pylist([asdict(p) for p in partitions], schema=PARTITIONS.schema)
    with workspace.staged(PARTITIONS_FILE) as path:
        pq.write_table(table, path)


def load(workspace: Workspace) -> list[Partition]:
    """The plan of a job; empty where none was made."""
    if not workspace.exists(PARTITIONS_FILE):
        return []
    return [Partition(**row) for row in tables.read_file(workspace, PARTITIONS_FILE).to_pylist()]


def extend(known: Sequence[Partition], planned: Sequence[Partition]) -> list[Partition]:
    """The plan of a job that goes on: what is known keeps its numbers, new files come behind.

    Raises:
        InputsChanged: if a known slice is not among the planned ones.
    """
    fresh = {(p.path, p.start, p.end, p.file_digest): p for p in planned}
    for partition in known:
        if fresh.pop((partition.path, partition.start, partition.end, partition.file_digest), None) is None:
            raise InputsChanged(_what_changed(partition, planned))
    known_paths = {p.path for p in known}
    added = [p for p in fresh.values() if p.path not in known_paths]
    return [*known, *(Partition(len(known) + i, *_tail(p)) for i, p in enumerate(added))]


def _tail(partition: Partition) -> tuple[str, int, int, int, str]:
    return partition.path, partition.start, partition.end, partition.file_bytes, partition.file_digest


def _what_changed(partition: Partition, planned: Sequence[Partition]) -> str:
    same = [p for p in planned if p.path == partition.path]
    if not same:
        return f"{partition.path} is an input of the job in this output folder, but not of this command"
    if same[0].file_digest != partition.file_digest:
        return f"{partition.path} has changed since the job in this output folder began"
    return f"{partition.path} is cut into other slices than in the job in this output folder (input.split_bytes)"
