"""The one place that opens, writes and removes files, local or in an object store, by fsspec. It knows no stages.

A file appears under its final name only when it is whole. On a local disk it is written beside its final name and
renamed; in an object store, where there is no rename, it is written to a scratch folder and put in one request.
"""

import contextlib
import glob as local_glob
import os
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

import fsspec

TEMPORARY = ".tmp-"


def is_local(path: str) -> bool:
    """Whether a path lies on this machine's file systems."""
    return "://" not in path or path.startswith("file://")


def absolute(path: str) -> str:
    """A path that means the same on every worker of this machine; URLs stay as they are."""
    if not is_local(path):
        return path.rstrip("/")
    return os.path.abspath(os.path.expanduser(path.removeprefix("file://")))


def file_name(path: str) -> str:
    """The last part of a path or URL."""
    return path.rstrip("/").rsplit("/", 1)[-1]


def open_read(path: str) -> BinaryIO:
    """Open a file for reading and seeking.

    Raises:
        FileNotFoundError: where there is none.
    """
    if is_local(path):
        return open(path, "rb")
    return cast(BinaryIO, fsspec.open(path, "rb", block_size=1 << 20).open())


def exists(path: str) -> bool:
    """Whether there is a file or folder."""
    fs, name = fsspec.core.url_to_fs(path)
    return bool(fs.exists(name))


def is_folder(path: str) -> bool:
    """Whether a path names a folder."""
    fs, name = fsspec.core.url_to_fs(path)
    return bool(fs.isdir(name))


def files_in(folder: str) -> list[str]:
    """Files directly in a folder, sorted."""
    fs, name = fsspec.core.url_to_fs(folder)
    found = [entry["name"] for entry in fs.ls(name, detail=True) if entry["type"] == "file"]
    return sorted(f"{folder.rstrip('/')}/{file_name(path)}" for path in found)


def lines_in(path: str) -> list[str]:
    """Lines of a text file, compressed or not, without blanks around them and without empty ones at its end."""
    with fsspec.open(path, "rb", compression="infer") as file:
        return [line.strip() for line in file.read().decode("utf-8", "replace").rstrip().splitlines()]


def size_of(path: str) -> int:
    """Size of a file in bytes."""
    if is_local(path):
        return os.path.getsize(path)
    fs, name = fsspec.core.url_to_fs(path)
    return int(fs.size(name))


def expand(pattern: str) -> list[str]:
    """Files that a path or glob names, absolute and sorted; a folder stands for the WARC and ARC files in it."""
    path = absolute(pattern)
    if is_local(path):
        if os.path.isdir(path):
            found = [p for ending in ARCHIVE_ENDINGS for p in local_glob.glob(f"{local_glob.escape(path)}/*{ending}")]
        else:
            found = [path] if os.path.isfile(path) else local_glob.glob(path, recursive=True)
        return sorted(p for p in set(found) if os.path.isfile(p))
    fs, name = fsspec.core.url_to_fs(path)
    protocol = path.split("://", 1)[0]
    if fs.isdir(name):
        found = [p for p in fs.ls(name, detail=False) if p.endswith(ARCHIVE_ENDINGS)]
    elif any(c in name for c in "*?["):
        found = fs.glob(name)
    else:
        return [path] if fs.exists(name) else []
    return sorted(f"{protocol}://{p.lstrip('/')}" for p in found)


ARCHIVE_ENDINGS = (".warc", ".warc.gz", ".warc.zst", ".arc", ".arc.gz")


class Workspace:
    """The output folder of a job. Names given to its methods are relative to its root."""

    def __init__(self, root: str) -> None:
        self.root = absolute(root)
        self._fs, self._base = fsspec.core.url_to_fs(self.root)
        self._local = is_local(self.root)

    def path(self, name: str) -> str:
        """The full path of a name."""
        return f"{self.root}/{name}"

    def exists(self, name: str = "") -> bool:
        """Whether a file or folder of that name is there."""
        return bool(self._fs.exists(f"{self._base}/{name}" if name else self._base))

    def open(self, name: str) -> BinaryIO:
        """Open a committed file for reading and seeking."""
        return open_read(self.path(name))

    def read_text(self, name: str) -> str:
        """The content of a small committed file."""
        with self.open(name) as file:
            return file.read().decode()

    def list(self, folder: str) -> list[str]:
        """Names of the committed files directly in a folder, sorted; none where there is no such folder."""
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            found = self._fs.ls(f"{self._base}/{folder}", detail=False)
            return sorted(f"{folder}/{n}" for n in map(file_name, found) if TEMPORARY not in n)
        return []

    def bytes_in(self, folder: str) -> int:
        """Size of all that is in a folder and its folders; 0 where there is none."""
        with contextlib.suppress(FileNotFoundError):
            return int(self._fs.du(f"{self._base}/{folder}"))
        return 0

    def remove(self, name: str) -> None:
        """Remove a file; nothing happens where there is none."""
        with contextlib.suppress(FileNotFoundError):
            self._fs.rm_file(f"{self._base}/{name}")

    def remove_folder(self, name: str) -> None:
        """Remove a folder and all that is in it; nothing happens where there is none."""
        with contextlib.suppress(FileNotFoundError):
            self._fs.rm(f"{self._base}/{name}", recursive=True)

    def write_text(self, name: str, text: str) -> None:
        """Write a small file whole."""
        with self.staged(name) as staged:
            staged.write_text(text)

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
        temporary = f".{file_name(name)}{TEMPORARY}{uuid.uuid4().hex}"
        if not self._local:
            return Path(tempfile.gettempdir()) / temporary
        final = Path(self.path(name))
        final.parent.mkdir(parents=True, exist_ok=True)
        return final.with_name(temporary)

    def commit(self, stage: Path, name: str) -> None:
        """Give a staged file its final name."""
        if self._local:
            os.replace(stage, self.path(name))
        else:
            self._fs.put_file(str(stage), f"{self._base}/{name}")
            stage.unlink()

    def remove_leftovers(self, folder: str) -> None:
        """Remove what an interrupted run left half-written in a folder."""
        if self._local:
            for path in Path(self.path(folder)).glob(f".*{TEMPORARY}*"):
                path.unlink(missing_ok=True)
