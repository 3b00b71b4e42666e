"""Oblivious decision trees evaluated for many rows at once.

In an oblivious tree all nodes of one depth ask the same question, so a tree of depth d is d comparisons and a table of
2^d values: what a few array operations do for a whole batch. CatBoost trains them; nothing of it is needed here.
"""

from dataclasses import dataclass
from importlib.resources import as_file, files
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Trees:
    """Sums of trees over named features.

    `asked` and `borders` have shape (trees, depth): a row of the matrix of features is compared with a border, and the
    answer is one bit of the place in `leaves`, shape (trees, 2^depth, outputs). `bias` has one number for each output.
    """

    names: tuple[str, ...]
    asked: npt.NDArray[np.int16]
    borders: Floats
    leaves: Floats
    bias: npt.NDArray[np.float64]

    def evaluate(self, matrix: Floats) -> npt.NDArray[np.float64]:
        """Log-odds of shape (rows, outputs) for a matrix of shape (features, rows); summed in the trees' order."""
        rows = matrix.shape[1]
        total = np.repeat(self.bias[None], rows, axis=0)
        place = np.empty(rows, np.uint8)
        answer = np.empty(rows, np.bool_)
        bit = answer.view(np.uint8)
        for asked, borders, leaves in zip(self.asked.tolist(), self.borders, self.leaves, strict=True):
            np.greater(matrix[asked[0]], borders[0], out=answer)
            place[:] = bit
            for depth, row in enumerate(asked[1:], 1):
                np.greater(matrix[row], borders[depth], out=answer)
                np.left_shift(bit, depth, out=bit)
                np.bitwise_or(place, bit, out=place)
            total += leaves[place]
        return total


def load(name: str) -> Trees:
    """The trees that are shipped under a name, see `data/README.md`."""
    with as_file(files("pipelines.extract") / "data" / f"{name}.npz") as path, np.load(path) as stored:
        arrays: dict[str, Any] = {key: stored[key] for key in stored.files}
    return Trees(
        names=tuple(str(arrays["names"]).split()),
        asked=arrays["asked"],
        borders=arrays["borders"],
        leaves=arrays["leaves"],
        bias=arrays["bias"],
    )
