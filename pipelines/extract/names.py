"""Names that authors give to elements, in class and id, and how much each of them speaks for or against content.

`entry-content`, `product__description`, `skip-link`: what makers of shops, forums and blogs call the parts of their
pages is the same on thousands of sites. How much of what stands under a name is content was counted on labelled pages,
by `benchmarks/train_blocks.py`; `docs/extraction.md` says how.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from pipelines.extract import native
from pipelines.extract.blocks import Blocks
from pipelines.extract.columns import Columns, Ints

Sums = npt.NDArray[np.uint32]
Floats = npt.NDArray[np.float32]

# What is known of a block by the names around it, in the order of `score_names`.
FEATURES = (
    "name_nearest", "name_second", "name_least", "name_most", "names_sum", "names_mean", "names_known", "names_near",
)  # fmt: skip
# Scores are differences of log-odds, stored in so many steps each.
STEPS = 16
_ROOM = 4


@dataclass(frozen=True)
class Names:
    """Checksums of the names of elements, in the order of the page, and which element each is of."""

    element: Ints
    sums: Sums

    @classmethod
    def of(cls, columns: Columns) -> Self:
        """The names of all elements but inline ones."""
        size = int((columns.tag_ends[columns.opens] - columns.tag_begins[columns.opens]).sum()) // 2 + 1
        element, sums = np.empty(size, np.int64), np.empty(size, np.uint32)
        count = native.list_names(
            columns.html, columns.tag_begins, columns.tag_ends, columns.codes, columns.opens, len(columns.opens),
            element, sums,
        )  # fmt: skip
        return cls(element[:count], sums[:count])


@dataclass(frozen=True)
class NameScores:
    """A table of names by their checksums, with a score each; see `lay_out_names`."""

    sums: Sums
    scores: Floats

    @classmethod
    def of(cls, sums: Sums, steps: npt.NDArray[np.int8]) -> Self:
        """The table of so many names, scores in steps."""
        slots = max(_ROOM * len(sums), 1)
        table = cls(np.zeros(slots, np.uint32), np.zeros(slots, np.float32))
        scores = steps.astype(np.float32) / STEPS
        native.lay_out_names(sums, scores, len(sums), table.sums, table.scores, slots)
        return table

    def features(self, names: Names, columns: Columns, blocks: Blocks) -> Floats:
        """What is known of each block by the names around it, of shape (FEATURES, blocks)."""
        found = np.empty((len(FEATURES), len(blocks)), np.float32)
        native.score_names(
            names.element, names.sums, len(names.sums), self.sums, self.scores, len(self.sums), columns.parent,
            len(columns.parent), blocks.leaf, len(blocks), found,
        )  # fmt: skip
        return found
