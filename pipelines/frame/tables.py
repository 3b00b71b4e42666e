"""Table I/O: Parquet in bounded row groups, written and read batch by batch, always in the table's own schema."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.frame.storage import Workspace
from schemas.tables import Table

BATCH_ROWS = 128


def name_of(table: Table, partition: int) -> str:
    """Name of a partition's file in the workspace."""
    return f"{table.name}/{partition:05d}.parquet"


# A row group costs some 50 us a column, whatever it holds; readers hold one in memory.
_GROUP_BYTES = 4 << 20


@cache
def _compression(schema: pa.Schema) -> dict[str, str]:
    """How each column is compressed: texts well, numbers fast, which is 4 % more bytes in two thirds of the time."""
    codecs = {}
    for field in schema:
        listed = pa.types.is_list(field.type)
        held = field.type.value_type if listed else field.type
        path = f"{field.name}.list.element" if listed else field.name
        codecs[path] = "zstd" if pa.types.is_string(held) else "snappy"
    return codecs


class TableWriter:
    """Writes rows of a table to a local file, in row groups of at most `BATCH_ROWS` rows or a batch."""

    def __init__(self, table: Table, path: Path) -> None:
        self._table = table
        self._writer = pq.ParquetWriter(path, table.schema, compression=_compression(table.schema))
        self._rows: list[Mapping[str, Any]] = []
        self._batches: list[pa.RecordBatch] = []
        self.rows = 0

    def write_rows(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Append rows; they reach the file in batches."""
        self._rows.extend(rows)
        if len(self._rows) >= BATCH_ROWS:
            self._take_rows()

    def write_batch(self, batch: pa.RecordBatch) -> None:
        """Append a batch that has the table's columns."""
        self._take_rows()
        waiting = sum(held.num_rows for held in self._batches)
        if waiting + batch.num_rows > BATCH_ROWS:
            self._write()
        ordered = batch.select(self._table.schema.names)
        self._batches.append(ordered if ordered.schema == self._table.schema else ordered.cast(self._table.schema))
        self.rows += batch.num_rows
        if sum(held.nbytes for held in self._batches) >= _GROUP_BYTES:
            self._write()

    def close(self) -> None:
        """Write what is left and the file's footer."""
        self._take_rows()
        self._write()
        self._writer.close()

    def _take_rows(self) -> None:
        if self._rows:
            rows, self._rows = self._rows, []
            self.write_batch(pa.RecordBatch.from_pylist(rows, schema=self._table.schema))

    def _write(self) -> None:
        if self._batches:
            group, self._batches = pa.Table.from_batches(self._batches), []
            self._writer.write_table(group, row_group_size=max(group.num_rows, 1))


def read_batches(
    workspace: Workspace,
    table: Table,
    partition: int,
    columns: Sequence[str] | None = None,
    rows: int = BATCH_ROWS,
) -> Iterator[pa.RecordBatch]:
    """A partition's rows in the order in which they were written, `rows` at a time."""
    with workspace.open(name_of(table, partition)) as file, pq.ParquetFile(file) as parquet:
        yield from parquet.iter_batches(rows, columns=list(columns) if columns else None, use_threads=False)


def read_rows(
    workspace: Workspace, table: Table, partition: int, columns: Sequence[str], rows: npt.NDArray[np.int64]
) -> Iterator[tuple[npt.NDArray[np.int64], pa.Table]]:
    """Some rows of a partition, given by ascending number, a row group at a time; other row groups are not read."""
    with workspace.open(name_of(table, partition)) as file, pq.ParquetFile(file) as parquet:
        begin = 0
        for group in range(parquet.num_row_groups):
            end = begin + parquet.metadata.row_group(group).num_rows
            some = rows[slice(*np.searchsorted(rows, (begin, end)))]
            if len(some):
                yield some, parquet.read_row_group(group, list(columns), use_threads=False).take(pa.array(some - begin))
            begin = end


def read_table(workspace: Workspace, table: Table, partition: int, columns: Sequence[str] | None = None) -> pa.Table:
    """A partition's whole table, for those that are small."""
    return read_file(workspace, name_of(table, partition), columns)


def read_file(workspace: Workspace, name: str, columns: Sequence[str] | None = None) -> pa.Table:
    """A small Parquet file.

    Not by `pyarrow.parquet.read_table`: its threads, still reading from a Python file when the interpreter ends, abort
    the process (every second time with pyarrow 25).
    """
    with workspace.open(name) as file, pq.ParquetFile(file) as parquet:
        return parquet.read(list(columns) if columns else None, use_threads=False)
