"""Which device a process scores on: a GPU of its own as long as there are enough, else a shared one, else the CPU."""

import contextlib
import fcntl
import os
import tempfile
from functools import cache
from pathlib import Path
from typing import IO

_held: list[IO[str]] = []


@cache
def gpus() -> int:
    """GPUs of this machine that CUDA shows to this process."""
    import torch

    return torch.cuda.device_count()


@cache
def own_device() -> str:
    """This process's device, the same each time.

    A GPU is claimed by a lock that ends with the process, since nobody tells workers which of them they are.
    """
    for number in range(gpus()):
        path = Path(tempfile.gettempdir(), f"curate-gpu-{os.getuid()}-{number}.lock")
        lock = path.open("w")
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _held.append(lock)
            return f"cuda:{number}"
        lock.close()
    return f"cuda:{os.getpid() % gpus()}" if gpus() else "cpu"


def decode_threads() -> int:
    """Threads that decode for one process: one on a CPU, where there is a worker for every core; else a GPU's share."""
    return max(1, len(os.sched_getaffinity(0)) // gpus()) if gpus() else 1
