"""The one place that opens, writes and removes files, local or in an object store. It knows no stages.

A file appears under its final name only when it is whole. On a local disk it is written beside its final name and
renamed; in an object store, where there is no rename, it is written to a scratch folder and put in one request.
"""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

from pipelines.frame.stores import local as local_store
from pipelines.frame.stores.locations import Entry, file_name, is_local, is_web
from pipelines.frame.stores.ranged import BLOCK

__all__ = ["ARCHIVE_ENDINGS", "Workspace", "file_name"]
ARCHIVE_ENDINGS = (".warc", ".warc.gz", ".warc.zst", ".arc", ".arc.gz")


class Store(Protocol):
    """What both kinds of stores do; paths are full ones. See their modules."""

    def open_read(self, path: str, size: int | None = None, span: tuple[int, int] | None = None) -> BinaryIO:
        """A file for reading and seeking."""

    def describe(self, path: str) -> Entry:
        """What is known of a file or folder."""

    def entries(self, folder: str) -> list[Entry]:
        """What is directly in a folder."""

    def matching(self, pattern: str) -> list[Entry]:
        """Files that a glob matches."""

    def bytes_in(self, folder: str) -> int:
        """Size of all that is in a folder."""

    def remove(self, path: str) -> None:
        """Remove a file, if it is there."""

    def remove_folder(self, path: str) -> None:
        """Remove a folder, if it is there."""

    def stage(self, path: str) -> Path:
        """A local path for what `put` will take."""

    def put(self, local: Path, path: str) -> None:
        """Store a staged file under its name."""

    def create(self, path: str, content: bytes) -> bool:
        """Store a small file unless one of that name is there."""

    def remove_leftovers(self, folder: str) -> None:
        """Remove what interrupted runs left half-written."""


def store_of(path: str) -> Store:
    """The store that a path is in."""
    if is_local(path):
        return local_store
    from pipelines.frame.stores import objects as object_store  # with fsspec, which a local job does without

    return object_store


def absolute(path: str) -> str:
    """A path that means the same on every worker of this machine; URLs stay as they are."""
    if not is_local(path):
        return path.rstrip("/")
    return os.path.abspath(os.path.expanduser(path.removeprefix("file://")))


def open_read(path: str, size: int | None = None, span: tuple[int, int] | None = None) -> BinaryIO:
    """Open a file for reading and seeking.

    Where the size is known, a store is not asked for it; `span` are the bytes that will be read one after another.

    Raises:
        FileNotFoundError: where there is none.
    """
    return store_of(path).open_read(path, size, span)


def exists(path: str) -> bool:
    """Whether there is a file or folder."""
    try:
        store_of(path).describe(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def is_folder(path: str) -> bool:
    """Whether a path names a folder."""
    try:
        return store_of(path).describe(path).is_folder
    except FileNotFoundError:
        return False


def files_in(folder: str) -> list[str]:
    """Files directly in a folder, sorted."""
    return sorted(entry.path for entry in store_of(folder).entries(folder) if not entry.is_folder)


def lines_in(path: str) -> list[str]:
    """Lines of a text file, compressed or not, without blanks around them and without empty ones at its end."""
    from fsspec.compression import compr
    from fsspec.utils import infer_compression

    with open_read(path) as file:
        compression = infer_compression(path)
        content = (compr[compression](file, mode="rb") if compression else file).read()
    return [line.strip() for line in content.decode("utf-8", "replace").rstrip().splitlines()]


def size_of(path: str) -> int:
    """Size of a file in bytes."""
    return describe(path).size


def describe(path: str) -> Entry:
    """What is known of a file or folder.

    Raises:
        FileNotFoundError: where there is neither.
    """
    return store_of(path).describe(path)


def expand(pattern: str, endings: tuple[str, ...] = ARCHIVE_ENDINGS) -> list[Entry]:
    """Files that a path or glob names, absolute and sorted; a folder stands for the files in it that end so."""
    path = absolute(pattern)
    store = store_of(path)
    found = store.matching(path) if any(c in path for c in ("*" if is_web(path) else "*?[")) else []
    if not found:
        with contextlib.suppress(FileNotFoundError):
            found = [store.describe(path)]
    if [entry.path for entry in found if entry.is_folder] == [path]:
        found = [e for e in store.entries(path) if e.path.endswith(endings) and not e.is_folder]
    return sorted(found, key=lambda entry: entry.path)


@contextlib.contextmanager
def local_copy(path: str) -> Iterator[Path]:
    """A file on local disk, for those that jump about in it: itself, or a copy that is gone afterwards."""
    if is_local(path):
        yield Path(path)
        return
    copy = store_of(path).stage(path)
    try:
        with open_read(path) as file, copy.open("wb") as out:
            shutil.copyfileobj(file, out, BLOCK)
        yield copy
    finally:
        copy.unlink(missing_ok=True)


class Workspace:
    """The output folder of a job. Names given to its methods are relative to its root."""

    def __init__(self, root: str) -> None:
        self.root = absolute(root)
        self._store = store_of(self.root)

    def __reduce__(self) -> tuple[type["Workspace"], tuple[str]]:
        """It travels as its root: stores are modules."""
        return Workspace, (self.root,)

    def path(self, name: str) -> str:
        """The full path of a name."""
        return f"{self.root}/{name}" if name else self.root

    def exists(self, name: str = "") -> bool:
        """Whether a file or folder of that name is there."""
        return exists(self.path(name))

    def open(self, name: str) -> BinaryIO:
        """Open a committed file for reading and seeking."""
        return open_read(self.path(name))

    def read_text(self, name: str) -> str:
        """The content of a small committed file."""
        with self.open(name) as file:
            return file.read().decode()

    def entries(self, folder: str) -> list[Entry]:
        """What is directly in a folder, sorted; nothing where there is no such folder."""
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            return sorted(self._store.entries(self.path(folder)), key=lambda entry: entry.path)
        return []

    def list(self, folder: str) -> list[str]:
        """Names of the committed files directly in a folder, sorted; none where there is no such folder."""
        return [f"{folder}/{entry.name}" for entry in self.entries(folder)]

    def version(self, name: str) -> str | None:
        """What changes whenever a file's content does; None where there is no file, or its store has no such thing."""
        try:
            return self._store.describe(self.path(name)).version
        except FileNotFoundError:
            return None

    def bytes_in(self, folder: str) -> int:
        """Size of all that is in a folder and its folders; 0 where there is none."""
        return self._store.bytes_in(self.path(folder))

    def remove(self, name: str) -> None:
        """Remove a file; nothing happens where there is none."""
        self._store.remove(self.path(name))

    def remove_folder(self, name: str) -> None:
        """Remove a folder and all that is in it; nothing happens where there is none."""
        self._store.remove_folder(self.path(name))

    def write_text(self, name: str, text: str) -> None:
        """Write a small file whole."""
        with self.staged(name) as staged:
            staged.write_text(text)

    def create_text(self, name: str, text: str) -> bool:
        """Write a small file whole unless there is one of that name: whether it was written."""
        return self._store.create(self.path(name), text.encode())

    @contextlib.contextmanager
    def staged(self, name: str) -> Iterator[Path]:
        """A local path to write to. On leaving without an error the file is there under its name; else nothing is."""
        stage = self.stage(name)
        try:
            yield stage
            self.commit(stage, name)
        finally:
            stage.unlink(missing_ok=True)

    def stage(self, name: str) -> Path:
        """A local path for a file that will be committed under a name, or never."""
        return self._store.stage(self.path(name))

    def commit(self, stage: Path, name: str) -> None:
        """Give a staged file its final name."""
        self._store.put(stage, self.path(name))
        stage.unlink(missing_ok=True)

    def remove_leftovers(self, folder: str) -> None:
        """Remove what an interrupted run left half-written in a folder."""
        self._store.remove_leftovers(self.path(folder))
