"""A task: one partition of one stage being worked on. It counts, collects errors, stages outputs and commits them."""

import contextlib
import json
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.frame import fingerprints, ledger, tables
from pipelines.frame.partitions import Partition
from pipelines.frame.storage import Workspace
from schemas.ledger import LedgerRecord, Output, Skip, Tally
from schemas.recipe import Recipe
from schemas.tables import Table

_ERRORS_KEPT = 100


def errors_name(stage: str, partition: int) -> str:
    """Name of the file that holds a partition's errors, one JSON object a line."""
    return f"errors/{stage}/{partition:05d}.jsonl"


@dataclass(frozen=True)
class Assignment:
    """What a worker is told to do: a partition, and the fingerprint under which it will be done."""

    partition: Partition
    fingerprint: str


def largest_first(todo: Sequence[Assignment]) -> list[Assignment]:
    """In the order in which they are begun, so that no large one is left for the end when the others are done."""
    return sorted(todo, key=lambda a: (-a.partition.bytes, a.partition.partition))


class Task:
    """What a stage's `process` gets. Nothing it writes is visible before `commit`."""

    def __init__(self, stage: str, assignment: Assignment, workspace: Workspace, recipe: Recipe) -> None:
        self.stage, self.partition, self.workspace, self.recipe = stage, assignment.partition, workspace, recipe
        self.number = assignment.partition.partition
        self.seam: tuple[int, int] | None = None
        self.skips: list[Skip] = []
        self.bytes_in = 0
        self._fingerprint = assignment.fingerprint
        self._tallies: dict[str, Tally] = {}
        self._staged: dict[str, tuple[Path, dict[str, int]]] = {}
        self._errors: list[dict[str, Any]] = []
        self._error_count = 0
        self._began = time.monotonic()

    def tally(self, items: str) -> Tally:
        """The tally of one kind of items, such as records, documents or images."""
        return self._tallies.setdefault(items, Tally())

    @contextlib.contextmanager
    def guard(self, items: str, key: str) -> Iterator[None]:
        """Turn an exception while working on one item into a counted error. An exception is a bug, not a status."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - the one place where any exception is expected
            self.tally(items).drop("error")
            self._error_count += 1
            if len(self._errors) < _ERRORS_KEPT:
                self._errors.append(describe(error, self.number, key))

    def file(self, name: str) -> Path:
        """A local path for an output that `commit` will give this name."""
        path = self.workspace.stage(name)
        self._staged[name] = (path, {})
        return path

    def describe_output(self, name: str, **counts: int) -> None:
        """Say in the ledger what an output holds."""
        self._staged[name][1].update(counts)

    def discard(self, name: str) -> None:
        """Forget an output that turned out not to be needed."""
        path, _ = self._staged.pop(name)
        path.unlink(missing_ok=True)

    @contextlib.contextmanager
    def table(self, table: Table) -> Iterator[tables.TableWriter]:
        """A writer for one of the stage's tables."""
        name = tables.name_of(table, self.number)
        writer = tables.TableWriter(table, self.file(name))
        try:
            yield writer
        finally:
            writer.close()
        self.describe_output(name, rows=writer.rows)

    def commit(self) -> None:
        """Give every output its name, then write the ledger record. Doing it twice, or from twins, is harmless."""
        ledger.invalidate(self.workspace, self.stage, self.number)
        outputs = []
        for name, (path, counts) in self._staged.items():
            size, digest = path.stat().st_size, fingerprints.of_file(path)
            self.workspace.commit(path, name)
            outputs.append(Output(path=name, bytes=size, sha256=digest, counts=counts))
        self._write_errors()
        ledger.commit(self.workspace, self._record(outputs))

    def abandon(self) -> None:
        """Remove what was staged."""
        for path, _ in self._staged.values():
            path.unlink(missing_ok=True)

    def _record(self, outputs: list[Output]) -> LedgerRecord:
        return LedgerRecord(
            stage=self.stage,
            partition=self.number,
            fingerprint=self._fingerprint,
            tallies=self._tallies,
            outputs=outputs,
            skips=self.skips,
            seam=self.seam,
            errors=self._error_count,
            seconds=round(time.monotonic() - self._began, 3),
            bytes_in=self.bytes_in,
        )

    def _write_errors(self) -> None:
        name = errors_name(self.stage, self.number)
        if self._errors:
            self.workspace.write_text(name, "".join(json.dumps(error) + "\n" for error in self._errors))
        else:
            self.workspace.remove(name)


def describe(error: Exception, partition: int, key: str) -> dict[str, Any]:
    """An error as it stands in an errors file."""
    last = traceback.extract_tb(error.__traceback__)[-1:]
    where = f"{last[0].filename.rsplit('/', 1)[-1]}:{last[0].lineno}" if last else ""
    return {"partition": partition, "key": key, "error": type(error).__name__, "message": str(error), "where": where}
