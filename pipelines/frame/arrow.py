"""What pyarrow does without being asked."""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from types import ModuleType

import pyarrow as pa


def leave_pandas_out() -> None:
    """Have pyarrow do without pandas in a process that hands it none of pandas' objects.

    When it first converts anything from Python, it imports pandas to know its objects by: a fifth of a second and 40 MB
    of every process. It tries once, so that try fails here. `to_pandas` works all the same.
    """
    if "pandas" in sys.modules:
        return
    sys.meta_path.insert(0, _WITHOUT_PANDAS)
    try:
        pa.array([0])
    finally:
        sys.meta_path.remove(_WITHOUT_PANDAS)


class _WithoutPandas(MetaPathFinder):
    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> None:
        if fullname == "pandas":
            raise ModuleNotFoundError(fullname)


_WITHOUT_PANDAS = _WithoutPandas()
