"""Signs of life: while a worker of a cluster works it says so in the workspace, and the driver sees whether any does.

A cluster can hang without an error: a worker pool that is gone, a class path that breaks executors. What the driver can
trust is what arrives in the workspace; only changes are looked at, since clocks differ.
"""

import contextlib
import threading
import time
import uuid
from collections.abc import Iterator

from pipelines.frame.storage import Workspace

FOLDER = "alive"
_EVERY = 20.0


class Beacon:
    """Says every twenty seconds that a process is at work, and at once if it has not lately; silent when it is idle.

    Without a workspace to say it in, it does nothing.
    """

    def __init__(self, root: str | None) -> None:
        self._workspace = Workspace(root) if root is not None else None
        self._name = f"{FOLDER}/{uuid.uuid4().hex}"
        self._busy, self._said, self._lock = 0, -_EVERY, threading.Lock()
        self._stop = threading.Event()
        if self._workspace is not None:
            threading.Thread(target=self._watch, args=(self._workspace,), daemon=True).start()

    @contextlib.contextmanager
    def lit(self) -> Iterator[None]:
        """While the block runs."""
        if self._workspace is None:
            yield
            return
        with self._lock:
            self._busy += 1
            self._say_unless_lately(self._workspace)
        try:
            yield
        finally:
            with self._lock:
                self._busy -= 1

    def close(self) -> None:
        """End for good."""
        self._stop.set()

    def _watch(self, workspace: Workspace) -> None:
        while not self._stop.wait(_EVERY / 4):
            with self._lock:
                if self._busy:
                    self._say_unless_lately(workspace)

    def _say_unless_lately(self, workspace: Workspace) -> None:
        if time.monotonic() - self._said >= _EVERY:
            with contextlib.suppress(OSError):  # the work itself will meet whatever is wrong with the workspace
                workspace.write_text(self._name, repr(time.time()))
            self._said = time.monotonic()


def signs(workspace: Workspace) -> frozenset[str]:
    """What workers have said so far: something new in it is a sign of life."""
    return frozenset(f"{name} {workspace.read_text(name)}" for name in workspace.list(FOLDER))


def forget(workspace: Workspace) -> None:
    """Remove what workers have said."""
    workspace.remove_folder(FOLDER)
