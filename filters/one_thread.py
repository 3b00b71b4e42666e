"""One thread for linear algebra: the same sums whatever the machine's cores, and none taken from other workers.

NumPy brings OpenBLAS, which takes every core there is and reads OPENBLAS_NUM_THREADS only when it is loaded.
"""

import contextlib
import ctypes
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

_MAPS = Path("/proc/self/maps")
# Of NumPy's own wheels, with 64-bit and with 32-bit integers, and of a system's library.
_AFFIXES = (("scipy_", "64_"), ("scipy_", ""), ("", "64_"), ("", ""))


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """While the block runs, of every OpenBLAS in this process; where there is none, nothing happens."""
    before = [(set_threads, get_threads()) for get_threads, set_threads in _libraries()]
    for set_threads, _ in before:
        set_threads(1)
    try:
        yield
    finally:
        for set_threads, count in before:
            set_threads(count)


@cache
def _libraries() -> list[tuple[Any, Any]]:
    """What asks and what sets the number of threads, of each library that is loaded."""
    if not _MAPS.exists():
        return []
    paths = {line.split()[-1] for line in _MAPS.read_text().splitlines() if "openblas" in line.rsplit("/", 1)[-1]}
    found = []
    for path in sorted(paths):
        library = ctypes.CDLL(path)
        for before, behind in _AFFIXES:
            asks = getattr(library, f"{before}openblas_get_num_threads{behind}", None)
            sets = getattr(library, f"{before}openblas_set_num_threads{behind}", None)
            if asks is not None and sets is not None:
                found.append((asks, sets))
                break
    return found
