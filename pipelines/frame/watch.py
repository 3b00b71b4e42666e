"""Notices when a local worker process dies, which Beam's runner would wait for without end."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

_SIGNAL = signal.SIGUSR1


class WorkerDied(RuntimeError):
    """A worker process ended in the middle of its work, most often because memory ran out."""


@contextlib.contextmanager
def workers_watched() -> Iterator[None]:
    """Raise WorkerDied in the main thread if a worker dies while the block runs.

    Beam starts each worker from a thread that raises when its process fails, and nobody is told. Only the main thread
    can be interrupted; elsewhere nothing is watched.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    said: list[str] = []

    def note(raised: threading.ExceptHookArgs) -> None:
        if isinstance(raised.exc_value, RuntimeError) and "Worker subprocess" in str(raised.exc_value):
            said.append(str(raised.exc_value))
            signal.pthread_kill(threading.main_thread().ident or 0, _SIGNAL)
        else:
            threading.__excepthook__(raised)

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise WorkerDied(said[0] if said else "a worker process ended")

    before = signal.signal(_SIGNAL, interrupt)
    threading.excepthook, hook_before = note, threading.excepthook
    try:
        yield
    finally:
        threading.excepthook = hook_before
        signal.signal(_SIGNAL, before)
