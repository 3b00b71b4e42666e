"""Embeddings as rows of a matrix: to unit length, and out of Arrow columns of lists."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Floats = npt.NDArray[np.float32]
Embeddings = npt.NDArray[Any]

_LEAST_LENGTH = 1e-12


def unit(vectors: Embeddings) -> Floats:
    """Vectors (n x width) at unit length, float32; one of length zero stays as it is."""
    single = np.asarray(vectors, np.float32)
    lengths = np.sqrt(np.einsum("ij,ij->i", single, single))
    return single / np.maximum(lengths, np.float32(_LEAST_LENGTH))[:, None]


class Vectors:
    """A column of lists of float16: how long each is, and whether it can be used (there, and every number finite)."""

    def __init__(self, lists: pa.ListArray) -> None:
        self._values = lists.values.to_numpy(zero_copy_only=False)
        offsets = lists.offsets.to_numpy()
        self._begins = offsets[:-1]
        self.widths = np.where(lists.is_valid().to_numpy(zero_copy_only=False), np.diff(offsets), 0).astype(np.int64)
        wrong = np.concatenate(([0], np.cumsum(~np.isfinite(self._values))))
        self.usable = (self.widths > 0) & (wrong[offsets[1:]] == wrong[offsets[:-1]])

    @classmethod
    def of(cls, column: pa.ChunkedArray | pa.Array) -> "Vectors":
        """Of a column, chunked or not."""
        whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
        if isinstance(whole, pa.ChunkedArray):  # of no chunks
            whole = pa.array([], column.type)
        return cls(whole)

    def rows(self, some: npt.NDArray[np.int64]) -> npt.NDArray[np.float16]:
        """Some rows of equal width as a matrix."""
        width = int(self.widths[some[0]]) if len(some) else 0
        return self._values[self._begins[some, None] + np.arange(width)]
