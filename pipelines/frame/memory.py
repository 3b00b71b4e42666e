"""Gives memory back between partitions, so that a worker's size is that of its largest slice, not of all of them.

Not after each small one: the next would ask for the same memory again, page by page, which is 20 ms of a slice's 300.
"""

import ctypes
import gc
import os
import sys

import pyarrow as pa

from pipelines.frame.arrow import leave_pandas_out

_M_ARENA_MAX = -8  # malloc.h
_ARENAS = 2
# So much a process may keep for the next partition.
_SPARE_BYTES = 64 << 20
_resident_before = 0


def keep_small() -> None:
    """One allocator that can be trimmed, with two heaps instead of eight a core, which Beam's threads half fill.

    pandas, which takes 40 MB, is left out. What is there already, mostly imported modules, is not searched for garbage
    again: that took 70 ms a partition.
    """
    leave_pandas_out()
    gc.freeze()
    pa.set_memory_pool(pa.system_memory_pool())
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, _ARENAS)


def give_back() -> None:
    """Return to the system what Python, Arrow and the C library hold without using it, if it is much.

    What outlives a partition are models, lists and modules; they are not searched again either.
    """
    global _resident_before  # noqa: PLW0603 - a process has one size
    gc.collect()
    gc.freeze()
    if 0 < _resident() < _resident_before + _SPARE_BYTES:
        return
    pa.default_memory_pool().release_unused()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc has it, musl has not
        if trim is not None:
            trim(0)
    _resident_before = _resident()


def _resident() -> int:
    """Bytes of this process in memory; 0 where the system does not say."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0
