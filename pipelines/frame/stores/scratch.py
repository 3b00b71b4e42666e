"""This process's folder for what it stages, spools and copies on local disk: gone when the process is, however it ends.

It lies where TMPDIR says. A process that is killed cannot tidy up; the next one to start on the machine does.
"""

import contextlib
import fcntl
import os
import shutil
import tempfile
from multiprocessing.util import Finalize
from pathlib import Path
from typing import IO

_PREFIX, _LOCK = "curate-scratch-", "lock"
# The process that made the folder, the folder, and the lock that is held as long as it lives. A fork makes its own.
_own: tuple[int, Path, IO[bytes]] | None = None


def folder() -> Path:
    """The folder, made when it is first asked for."""
    global _own  # noqa: PLW0603 - one a process
    if _own is None or _own[0] != os.getpid():
        _remove_of_the_dead()
        path = Path(tempfile.mkdtemp(prefix=_PREFIX))
        _own = os.getpid(), path, _locked(path)
        # Not by atexit, which forked workers leave out.
        Finalize(None, _remove, args=(os.getpid(), path), exitpriority=0)
    return _own[1]


def tidy_up() -> None:
    """Remove the folder now: for a process that is about to end without the usual ceremony."""
    if _own is not None:
        _remove(_own[0], _own[1])


def _locked(path: Path) -> IO[bytes]:
    """A lock that others see only once it is held."""
    lock = (path / f"{_LOCK}.new").open("wb")
    fcntl.flock(lock, fcntl.LOCK_EX)
    (path / f"{_LOCK}.new").rename(path / _LOCK)
    return lock


def _remove(pid: int, path: Path) -> None:
    if pid == os.getpid():
        shutil.rmtree(path, ignore_errors=True)


def _remove_of_the_dead() -> None:
    for lock in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*/{_LOCK}"):
        # Of another user, or held: its process lives.
        with contextlib.suppress(OSError), lock.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(lock.parent, ignore_errors=True)
