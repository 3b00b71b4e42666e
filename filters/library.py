"""Libraries of C that come with the packages: where they are, and how their functions are called with arrays."""

import ctypes
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

# Types of arguments: arrays that lie in one piece, checked at each call; and a number.
BYTES, FLAGS = np.ctypeslib.ndpointer(np.uint8, flags="C"), np.ctypeslib.ndpointer(np.bool_, flags="C")
SHORTS, POINTS = np.ctypeslib.ndpointer(np.int16, flags="C"), np.ctypeslib.ndpointer(np.uint32, flags="C")
INTS, HASHES = np.ctypeslib.ndpointer(np.int64, flags="C"), np.ctypeslib.ndpointer(np.uint64, flags="C")
FLOATS, DOUBLES = np.ctypeslib.ndpointer(np.float32, flags="C"), np.ctypeslib.ndpointer(np.float64, flags="C")
TEXT, ADDRESS, NUMBER, REAL = ctypes.c_char_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_double

# What a function returns where there is no memory for its work.
NO_MEMORY = -9


class NotBuilt(ImportError):
    """A library that is built when curate is installed is not there."""


class Library:
    """The library of that name in a package, as `deploy/build_native.py` put it there.

    Raises:
        NotBuilt: where it is not, as in a source tree that was never installed.
    """

    def __init__(self, package: str, name: str) -> None:
        path = Path(str(files(package) / f"{name}.so"))
        try:
            self._held = ctypes.CDLL(str(path))
        except OSError as error:
            raise NotBuilt(f"{path}: {error}; it is built when curate is installed (sh deploy/install.sh)") from error

    def function(self, name: str, *arguments: Any) -> Callable[..., int]:
        """A function by its name and the types of its arguments, that returns a number.

        A call raises MemoryError where that is `NO_MEMORY`.
        """
        found = getattr(self._held, name)
        found.restype, found.argtypes, found.errcheck = NUMBER, arguments, _checked
        return found

    def procedure(self, name: str, *arguments: Any) -> Callable[..., None]:
        """A function by its name and the types of its arguments, that returns nothing."""
        found = getattr(self._held, name)
        found.restype, found.argtypes = None, arguments
        return found


def _checked(result: int, *_: Any) -> int:
    if result == NO_MEMORY:
        raise MemoryError
    return result
