"""Oblivious decision trees evaluated for many rows at once.

In an oblivious tree all nodes of one depth ask the same question, so a tree of depth d is d comparisons and a table of
2^d values: what a few array operations do for a whole batch. CatBoost trains them; nothing of it is needed here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pipelines.extract import native

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

    def evaluate(self, matrix: Floats, place: Mapping[str, int]) -> npt.NDArray[np.float64]:
        """Log-odds of shape (rows, outputs), summed in the trees' order.

        Args:
            matrix: of shape (features, rows).
            place: which row of it holds a feature.
        """
        rows, (trees, depth), outputs = matrix.shape[1], self.asked.shape, len(self.bias)
        asked = np.array([place[name] for name in self.names], np.int16)[self.asked]
        total = np.repeat(self.bias[None], rows, axis=0)
        native.evaluate(
            np.ascontiguousarray(matrix), rows, asked, self.borders, self.leaves, trees, depth, outputs, total
        )
        return total


def read(path: Path) -> Trees:
    """The trees in a file that `benchmarks/train_blocks.py` wrote."""
    with np.load(path) as stored:
        arrays: dict[str, Any] = {key: stored[key] for key in stored.files}
    return Trees(
        names=tuple(str(arrays["names"]).split()),
        asked=arrays["asked"],
        borders=arrays["borders"],
        leaves=arrays["leaves"],
        bias=arrays["bias"],
    )
