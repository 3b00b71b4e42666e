"""Chosen blocks and pictures to the nodes of a document: texts and images in the order of the page."""

import re
from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from pipelines.extract.blocks import Blocks, running
from pipelines.extract.columns import Bools, Columns, Ints
from pipelines.extract.markup import BREAK, HEADINGS, PURPOSE, TAG, TAGS
from pipelines.extract.pictures import Picture

_MAX_NODE_CHARACTERS = 100_000
# Soft hyphens, zero-width spaces, word joiners, byte order marks: hints for line breaking, noise in text. Joiners that
# change letters (U+200C, U+200D) stay.
_HINTS = "\u00ad\u200b\u2060\u2063\ufeff"
# The cell beside a listing.
_LINE_NUMBERS = re.compile(r"\d{1,5}(?:\s+\d{1,5})*")
# Longer items than this on average are paragraphs or cards of their own, whatever element they are in.
_SHORT_ITEM = 200
_BETWEEN_CELLS = " | "


class Node(NamedTuple):
    """A text, or an image by its absolute URL: exactly one of both."""

    text: str | None = None
    image: str | None = None
    alt: str | None = None
    caption: str | None = None
    rendered_width: int | None = None
    rendered_height: int | None = None


class Pieces(NamedTuple):
    """For each block the list, table or preformatted text that it is a piece of, the row and the cell; -1 for none.

    Only those that read as one: without headings and images, and of short items. A page laid out as a table is none,
    and its rows are no rows of the lists in it.
    """

    group: Ints
    row: Ints
    cell: Ints  # its place in the row, from 1
    preformatted: Bools
    listing: Bools  # preformatted and in a row of any table: maybe the numbers of a listing's lines
    broken: Bools  # the page asks for line breaks inside


def pieces_of(columns: Columns, blocks: Blocks) -> Pieces:
    """What each block is a piece of."""
    tag, leaf = columns.element_tag, blocks.leaf
    starts = ~columns.is_end
    breaking = running((_HEADING[columns.tag] | (columns.tag == TAG["img"]) | (columns.tag == TAG["table"])) & starts)
    nested = breaking[columns.closes] - breaking[columns.opens + 1]
    solid = running(blocks.counts.solid)
    short = solid[blocks.high] - solid[blocks.low] <= _SHORT_ITEM * (blocks.high - blocks.low)
    listed = (columns.codes[columns.opens] & (PURPOSE["list"] | PURPOSE["table"])) != 0
    listed &= _IS_LIST[tag]
    group = columns.outermost((listed & (nested == 0) & short) | (tag == TAG["pre"]))[leaf]
    row = columns.nearest(tag == TAG["tr"])[leaf]
    preformatted = columns.nearest(tag == TAG["pre"])[leaf] >= 0
    listing = preformatted & (row >= 0)
    row[(group < 0) | (columns.opens[row] < columns.opens[group])] = -1
    cells = running(_CELL[columns.tag] & starts)
    cell = np.where(row >= 0, cells[blocks.first + 1] - cells[columns.opens[row]], -1)
    return Pieces(group, row, cell, preformatted, listing, blocks.counts.breaks > 0)


def nodes_of_pages(
    columns: Columns, blocks: Blocks, pieces: Pieces, kept: Bools, pictures: Sequence[Sequence[Picture]]
) -> list[list[Node]]:
    """Nodes of each page. A picture never divides a text: one inside a paragraph follows it, or leads it."""
    written = _Written(columns, blocks, pieces)
    assembled = []
    for page, images in enumerate(pictures):
        begin, end = int(blocks.starts[page]), int(blocks.starts[page + 1])
        chosen = np.flatnonzero(kept[begin:end]) + begin
        writer = _Writer(written)
        at = 0
        for i in chosen.tolist():
            while at < len(images) and _is_before(columns, images[at].token, int(blocks.first[i]), int(blocks.last[i])):
                writer.add_picture(images[at])
                at += 1
            writer.add_text(i)
        for picture in images[at:]:
            writer.add_picture(picture)
        assembled.append(writer.finish())
    return assembled


def whole_rows(columns: Columns, blocks: Blocks, pieces: Pieces, kept: Bools) -> Bools:
    """Blocks that were kept, and those beside one in a row of a table that reads as one: numbers need their columns."""
    code = (columns.inherit_bits()[blocks.leaf] & PURPOSE["code"]) != 0  # a line and its number are no row
    in_row = (pieces.row >= 0) & ~code
    begun = np.zeros(len(columns.opens), np.bool_)
    begun[pieces.row[kept & in_row]] = True
    return kept | (in_row & begun[pieces.row])


def _is_before(columns: Columns, token: int, first: int, last: int) -> bool:
    """Whether an image stands before a block, or inside it before all of its text."""
    return token < first or (token <= last and not columns.lengths[first:token].any())


_HEADING = np.array([name in HEADINGS for name in TAGS])
_IS_LIST = np.array([name in ("ul", "ol", "dl", "table") for name in TAGS])
_CELL = np.array([name in ("td", "th") for name in TAGS])


class _Written:
    """The texts of blocks as they are written into nodes, and what joins them."""

    def __init__(self, columns: Columns, blocks: Blocks, pieces: Pieces) -> None:
        self._columns, self._blocks = columns, blocks
        self.group, self.row, self._cell = pieces.group.tolist(), pieces.row.tolist(), pieces.cell.tolist()
        self._preformatted, self._broken = pieces.preformatted.tolist(), (pieces.broken | pieces.preformatted).tolist()
        self._numbers = {i for i in np.flatnonzero(pieces.listing).tolist() if _LINE_NUMBERS.fullmatch(blocks.texts[i])}
        in_row = pieces.row >= 0
        in_row[list(self._numbers)] = False
        cells = np.unique(np.stack((pieces.group[in_row], pieces.cell[in_row])), axis=1)
        self._columns_of_table: dict[int, list[int]] = {}
        for group, cell in cells.T.tolist():
            self._columns_of_table.setdefault(group, []).append(cell)

    def text(self, i: int) -> str:
        """A block's text with the line breaks that the page asked for, none in a row of a table."""
        text = self._with_breaks(i) if self._broken[i] else self._blocks.texts[i]
        if not text.isascii():
            for hint in _HINTS:
                if hint in text:
                    text = text.replace(hint, "")
        return text

    def _with_breaks(self, i: int) -> str:
        if i in self._numbers:
            return ""
        raw = self._columns.text_of(int(self._blocks.first[i]), int(self._blocks.last[i]))
        if self._preformatted[i]:
            raw = raw.replace(BREAK, "\n")
            return "\n".join(line.rstrip() for line in raw.strip("\n").split("\n")).rstrip()
        lines = (" ".join(line.split()) for line in raw.split(BREAK))
        return ("\n" if self.row[i] < 0 else " ").join(line for line in lines if line)

    def joint(self, before: int, i: int) -> str:
        """What stands between a block and the one before it in the same group."""
        if self.row[i] < 0 or self.row[i] != self.row[before]:
            return "\n" + self.lead(i)
        if self._cell[before] == self._cell[i]:
            return "\n" if self._preformatted[i] else " "
        return _BETWEEN_CELLS * self._columns_between(self.group[i], self._cell[before], self._cell[i])

    def lead(self, i: int) -> str:
        """What stands for the cells that are empty in front of the first of its row."""
        if self._cell[i] <= 1:
            return ""
        return (_BETWEEN_CELLS * (self._columns_between(self.group[i], 0, self._cell[i]) - 1)).lstrip()

    def _columns_between(self, group: int, before: int, cell: int) -> int:
        """How many columns further a cell is than another, or than none, by those that are not empty in all rows."""
        columns = self._columns_of_table[group]
        return bisect_right(columns, cell) - bisect_right(columns, before)


class _Writer:
    """Nodes of one page while they are collected."""

    def __init__(self, written: _Written) -> None:
        self._written = written
        self._nodes: list[Node] = []
        self._parts: list[str] = []  # of the last text
        self._last = -1  # the block that it ends with

    def add_picture(self, picture: Picture) -> None:
        self._finish_text()
        self._nodes.append(
            Node(
                image=picture.url, alt=picture.alt, caption=picture.caption,
                rendered_width=picture.width, rendered_height=picture.height,
            )
        )  # fmt: skip

    def add_text(self, i: int) -> None:
        written = self._written
        text = written.text(i)
        if not text:
            return
        if self._parts and 0 <= written.group[i] == written.group[self._last]:
            self._parts.append(written.joint(self._last, i))
        else:
            self._finish_text()
            self._parts.append(written.lead(i))
        self._parts.append(text)
        self._last = i

    def finish(self) -> list[Node]:
        self._finish_text()
        return self._nodes

    def _finish_text(self) -> None:
        if self._parts:
            self._nodes.append(Node("".join(self._parts)[:_MAX_NODE_CHARACTERS]))
            self._parts.clear()
