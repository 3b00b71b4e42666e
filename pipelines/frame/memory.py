"""Gives memory back between partitions, so that a worker's size is that of its largest slice, not of all of them."""

import ctypes
import gc
import sys

import pyarrow as pa

from pipelines.frame.arrow import leave_pandas_out

_M_ARENA_MAX = -8  # malloc.h
_ARENAS = 2


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
    """Return to the system what Python, Arrow and the C library hold without using it."""
    gc.collect()
    pa.default_memory_pool().release_unused()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc has it, musl has not
        if trim is not None:
            trim(0)
