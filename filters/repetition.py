"""Repetition inside texts: how much of a text its most frequent n-grams make up, for many texts at once.

Definitions as in OBELICS (utils/filtering_utils.py), which took them from BLOOM's ROOTS corpus.
"""

import numpy as np
import numpy.typing as npt

from filters import native

Ratios = npt.NDArray[np.float32]


def character_repetition(values: npt.NDArray[np.uint32], starts: npt.NDArray[np.int64],
                         lengths: npt.NDArray[np.int64], n: int = 10) -> Ratios:  # fmt: skip
    """Share of n-grams that are among the top min(sqrt(distinct), not singletons); 0 for texts shorter than n.

    `values` holds the items of all texts one after another, text i at [starts[i], starts[i] + lengths[i]).
    """
    shares = np.empty(len(lengths), np.float32)
    native.repetition(values, np.ascontiguousarray(starts), np.ascontiguousarray(lengths), len(lengths), n, shares)
    return shares
