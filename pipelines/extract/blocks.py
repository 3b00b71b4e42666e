"""Blocks of text: runs of text between two block boundaries, with where they stand in the tree."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipelines.extract import native
from pipelines.extract.columns import IS_BLOCK, Bools, Columns, Ints
from pipelines.extract.counters import Counters, Texts, write
from pipelines.extract.markup import PURPOSE, TAGS

# With less than this share of the letters outside noscript, the page is what noscript holds: forum software such as
# Discourse puts all posts there.
_SHELL = 1 / 6


@dataclass
class Blocks:
    """Blocks of a batch of pages that hold any text, in order.

    A block's text is that behind tokens `first` to `last`, both included.
    """

    first: Ints
    last: Ints
    page: Ints
    box: Ints  # the block element it stands in
    leaf: Ints  # the innermost element of its first text
    texts: Texts  # its text in one line, runs of white space as one space
    hashes: npt.NDArray[np.uint64]  # of its text
    counts: Counters
    linked: Ints  # characters inside links
    starts: Ints  # of each page: its first block; and the number of blocks at the end
    low: Ints  # of each element: the first block inside it
    high: Ints  # of each element: the block behind the last one inside it

    def __len__(self) -> int:
        return len(self.first)


def find_blocks(columns: Columns) -> Blocks:
    """Blocks of a batch of pages."""
    first, last, page, leaf, linked = np.empty((5, len(columns.tag)), np.int64)
    found = native.find_blocks(
        columns.codes, columns.owner, columns.lengths, columns.inherit_bits(), columns.tokens, columns.pages,
        PURPOSE["link"], PURPOSE["noscript"], _SHELL, first, last, page, leaf, linked,
    )  # fmt: skip
    first, last, page, leaf = first[:found], last[:found], page[:found], leaf[:found]
    boxes = columns.nearest(IS_BLOCK[columns.element_tag] | (columns.parent < 0))
    before = np.zeros(len(columns.tag) + 1, np.int64)
    before[first + 1] = 1
    np.cumsum(before, out=before)
    texts, hashes, counts = write(columns, first, last)
    return Blocks(
        first, last, page, boxes[leaf], leaf, texts, hashes, counts, linked[:found],
        np.searchsorted(page, np.arange(columns.pages + 1)), before[columns.opens], before[columns.closes],
    )  # fmt: skip


def ragged(starts: Ints, index: Ints, page: Ints, offset: int) -> tuple[Ints, Bools]:
    """The block so many places on, and whether the page has one; the place itself where it has none."""
    other = index + offset
    valid = (other >= starts[page]) & (other < starts[page + 1])
    return np.where(valid, other, index), valid


def windows(values: Ints, starts: Ints, page: Ints, radius: int) -> npt.NDArray[np.float32]:
    """Mean over the blocks at most `radius` away in the same page."""
    running = np.concatenate((np.zeros(1, np.int64), np.cumsum(values)))
    index = np.arange(len(values))
    low = np.maximum(index - radius, starts[page])
    high = np.minimum(index + radius + 1, starts[page + 1])
    return ((running[high] - running[low]) / (high - low)).astype(np.float32)


@dataclass(frozen=True)
class Context:
    """Which blocks belong together.

    `around[i]` are two arrays, the first block and the one after the last inside the block element i levels up;
    `alike` numbers the blocks of a page by their path, so that equal numbers look the same.
    """

    around: list[tuple[Ints, Ints]]
    alike: Ints


UP = 5


def context(columns: Columns, blocks: Blocks) -> tuple[Context, list[Ints]]:
    """What belongs together, and the elements around each block, innermost first."""
    box_of = columns.nearest(_is_box(columns))
    above = [blocks.box]
    for _ in range(UP):
        parent = columns.parent[above[-1]]
        found = np.where(parent >= 0, box_of[np.maximum(parent, 0)], above[-1])
        above.append(np.where(found >= 0, found, above[-1]))
    around = [(blocks.low[box], blocks.high[box]) for box in above]
    path = np.unique(columns.paths()[blocks.leaf], return_inverse=True)[1]
    return Context(around, np.unique(path * columns.pages + blocks.page, return_inverse=True)[1]), above


def running(values: npt.NDArray[np.generic]) -> Ints:
    """Sums of everything before each place, with the sum of all at the end."""
    return np.concatenate((np.zeros(1, np.int64), np.cumsum(values, dtype=np.int64)))


def _is_box(columns: Columns) -> Bools:
    """Block elements that hold more than one child would: the levels of the tree that mean something."""
    tag = columns.element_tag
    return _IS_CONTAINER[tag]


_CONTAINERS = frozenset(
    """
    div section article main address footer header aside nav form ul ol dl table tbody tr td li figure blockquote body
    center details
    """.split()
)
_IS_CONTAINER = np.array([name in _CONTAINERS for name in TAGS])
