"""Digests that say whether something would come out the same: of plain data, of files, of a stage's work."""

import hashlib
import json
from pathlib import Path
from typing import Any, BinaryIO

from pipelines.frame import storage

_EDGE = 64 << 10


def of_data(data: Any) -> str:
    """SHA-256 (64 hex characters) of plain data, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(data, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def of_file(path: Path) -> str:
    """SHA-256 (64 hex characters) of a local file's bytes."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def of_input(path: str, size: int) -> str:
    """SHA-256 over a file's size and its first and last 64 KiB: cheap for terabytes, the same after a copy."""
    with storage.open_read(path, size) as file:
        return of_edges(file, size)


def of_edges(file: BinaryIO, size: int) -> str:
    """The same of an open file."""
    file.seek(0)
    digest = hashlib.sha256(str(size).encode())
    digest.update(file.read(_EDGE))
    if size > _EDGE:
        file.seek(max(_EDGE, size - _EDGE))
        digest.update(file.read(_EDGE))
    return digest.hexdigest()
