"""List columns taken apart, to work on all their values at once, and put together again."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc


def known_values(lists: pa.ListArray) -> tuple[pa.Array, npt.NDArray[np.int64]]:
    """All values that are not null, and the row of each."""
    values = pc.list_flatten(lists)
    rows = np.asarray(pc.list_parent_indices(lists), np.int64)
    return values.drop_null(), rows[np.asarray(pc.is_valid(values))]


def as_lists(lengths: npt.NDArray[Any], values: pa.Array) -> pa.ListArray:
    """Values as one list a row: the first lengths[0] of them, the next lengths[1], and so on."""
    offsets = np.concatenate((np.zeros(1, np.int64), np.cumsum(lengths)))
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values)


def like(lists: pa.ListArray, values: pa.Array) -> pa.ListArray:
    """Other values, as many, in the lists of a column."""
    return as_lists(np.asarray(pc.fill_null(pc.list_value_length(lists), 0)), values)
