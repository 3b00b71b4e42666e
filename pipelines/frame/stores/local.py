"""Files on this machine's file systems. They are written beside their final names and renamed."""

import contextlib
import os
import shutil
import stat as modes
from glob import glob
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from pipelines.frame.stores.locations import Entry, file_name

TEMPORARY = ".tmp-"


def open_read(path: str, size: int | None = None, span: tuple[int, int] | None = None) -> BinaryIO:
    """A file for reading and seeking.

    Raises:
        FileNotFoundError: where there is none.
    """
    return open(path, "rb")


def describe(path: str) -> Entry:
    """What is known of a file or folder.

    Raises:
        FileNotFoundError: where there is neither.
    """
    found = os.stat(path)
    return Entry(path, found.st_size, is_folder=modes.S_ISDIR(found.st_mode))


def entries(folder: str) -> list[Entry]:
    """Files and folders directly in a folder, but for what is being written.

    Raises:
        FileNotFoundError: where there is no such folder.
    """
    found = []
    for name in os.listdir(folder):
        with contextlib.suppress(FileNotFoundError):  # removed since
            if TEMPORARY not in name:
                found.append(describe(f"{folder}/{name}"))
    return found


def matching(pattern: str) -> list[Entry]:
    """Files that a glob matches."""
    return [describe(path) for path in glob(pattern, recursive=True) if os.path.isfile(path)]


def bytes_in(folder: str) -> int:
    """Size of all files in a folder and its folders."""
    return sum(os.path.getsize(os.path.join(at, name)) for at, _, names in os.walk(folder) for name in names)


def remove(path: str) -> None:
    """Remove a file, if it is there."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


def remove_folder(path: str) -> None:
    """Remove a folder and all that is in it, if it is there."""
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(path)


def stage(path: str) -> Path:
    """A local path for what `put` will take."""
    final = Path(path)
    final.parent.mkdir(parents=True, exist_ok=True)
    return final.with_name(f".{file_name(path)}{TEMPORARY}{uuid4().hex}")


def put(local: Path, path: str) -> None:
    """Give a staged file its name, in the place of what has that name."""
    os.replace(local, path)


def create(path: str, content: bytes) -> bool:
    """Store a small file unless there is one of that name: whether it was stored."""
    staged = stage(path)
    try:
        staged.write_bytes(content)
        os.link(staged, path)
    except FileExistsError:
        return False
    except OSError:  # a file system without links
        os.replace(staged, path)
    finally:
        staged.unlink(missing_ok=True)
    return True


def remove_leftovers(folder: str) -> None:
    """Remove what an interrupted run left half-written in a folder."""
    for path in Path(folder).glob(f".*{TEMPORARY}*"):
        path.unlink(missing_ok=True)
