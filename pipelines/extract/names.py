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

# What is known of a block by the names around it, in the order of `score_names`: by the scores of all pages, of those
# about one thing (article, documentation, forum), and of those made of many (collection, listing, product, service).
_BY_SCORES = (
    "name_nearest", "name_second", "name_least", "name_most", "names_sum", "names_mean", "names_known", "names_near",
)  # fmt: skip
GROUPS = ("all", "one", "many")
FEATURES = tuple(f"{name}_{group}" for group in GROUPS for name in _BY_SCORES)
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
    """For each of `GROUPS` a table of names by their checksums, with a score each; see `lay_out_names`."""

    tables: tuple[tuple[Sums, Floats], ...]

    @classmethod
    def of(cls, sums: Sums, steps: npt.NDArray[np.int8]) -> Self:
        """The tables of names with scores in steps, of shape (GROUPS, names); 0 for names unknown to a group."""
        tables = []
        for scores in steps.astype(np.float32) / STEPS:
            known = np.flatnonzero(scores)
            slots = max(_ROOM * len(known), 1)
            table = np.zeros(slots, np.uint32), np.zeros(slots, np.float32)
            native.lay_out_names(sums[known], scores[known], len(known), *table, slots)
            tables.append(table)
        return cls(tuple(tables))

    def features(self, names: Names, columns: Columns, blocks: Blocks) -> Floats:
        """What is known of each block by the names around it, of shape (FEATURES, blocks)."""
        found = np.empty((len(self.tables), len(_BY_SCORES), len(blocks)), np.float32)
        for (sums, scores), rows in zip(self.tables, found, strict=True):
            native.score_names(
                names.element, names.sums, len(names.sums), sums, scores, len(sums), columns.parent,
                len(columns.parent), blocks.leaf, len(blocks), rows,
            )  # fmt: skip
        return found.reshape(-1, len(blocks))
