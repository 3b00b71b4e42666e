"""Libraries of C that come with the packages: where they are, and what is said where they are missing."""

import ctypes
from importlib.resources import files
from pathlib import Path


class NotBuilt(ImportError):
    """A library that is built when curate is installed is not there."""


def load(package: str, name: str) -> ctypes.CDLL:
    """The library of that name in a package, as `deploy/build_native.py` put it there.

    Raises:
        NotBuilt: where it is not, as in a source tree that was never installed.
    """
    path = Path(str(files(package) / f"{name}.so"))
    try:
        return ctypes.CDLL(str(path))
    except OSError as error:
        raise NotBuilt(f"{path}: {error}; it is built when curate is installed (sh deploy/install.sh)") from error
