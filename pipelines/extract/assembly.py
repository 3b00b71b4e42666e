"""Chosen blocks and pictures to the nodes of a document: texts and images in the order of the page."""

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from pipelines.extract.blocks import Blocks, running
from pipelines.extract.columns import Bools, Columns
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


class Node(NamedTuple):
    """A text, or an image by its absolute URL: exactly one of both."""

    text: str | None = None
    image: str | None = None
    alt: str | None = None
    caption: str | None = None
    rendered_width: int | None = None
    rendered_height: int | None = None


def nodes_of_pages(
    columns: Columns, blocks: Blocks, kept: Bools, pictures: Sequence[Sequence[Picture]]
) -> list[list[Node]]:
    """Nodes of each page. A picture never divides a text: one inside a paragraph follows it, or leads it."""
    pieces = _pieces(columns, blocks)
    assembled = []
    for page, images in enumerate(pictures):
        begin, end = int(blocks.starts[page]), int(blocks.starts[page + 1])
        chosen = np.flatnonzero(kept[begin:end]) + begin
        writer = _Writer(columns, blocks, pieces)
        at = 0
        for i in chosen.tolist():
            while at < len(images) and _is_before(columns, images[at].token, int(blocks.first[i]), int(blocks.last[i])):
                writer.add_picture(images[at])
                at += 1
            writer.add_text(i)
        for picture in images[at:]:
            writer.add_picture(picture)
        assembled.append(writer.nodes)
    return assembled


def whole_rows(columns: Columns, blocks: Blocks, kept: Bools) -> Bools:
    """Blocks that were kept, and those beside one in a row of a table that reads as one: numbers need their columns."""
    pieces = _pieces(columns, blocks)
    row, group = np.array((pieces.row, pieces.group), np.int64)
    code = (columns.inherit_bits()[blocks.leaf] & PURPOSE["code"]) != 0  # a line and its number are no row
    in_row = (row >= 0) & (group >= 0) & ~code
    begun = np.zeros(len(columns.opens), np.bool_)
    begun[row[kept & in_row]] = True
    return kept | (in_row & begun[row])


def _is_before(columns: Columns, token: int, first: int, last: int) -> bool:
    """Whether an image stands before a block, or inside it before all of its text."""
    return token < first or (token <= last and not columns.lengths[first:token].any())


class _Pieces(NamedTuple):
    """For each block the list, table or preformatted text that it is a piece of, and its table row; -1 for neither.

    Only those that read as one: without headings and images, and of short items. A page laid out as a table is none.
    """

    group: list[int]
    row: list[int]
    preformatted: list[bool]
    broken: list[bool]  # the page asks for line breaks inside


def _pieces(columns: Columns, blocks: Blocks) -> _Pieces:
    tag = columns.element_tag
    starts = ~columns.is_end
    breaking = running((_HEADING[columns.tag] | (columns.tag == TAG["img"]) | (columns.tag == TAG["table"])) & starts)
    nested = breaking[columns.closes] - breaking[columns.opens + 1]
    solid = running(blocks.counts.solid)
    short = solid[blocks.high] - solid[blocks.low] <= _SHORT_ITEM * (blocks.high - blocks.low)
    listed = (columns.codes[columns.opens] & (PURPOSE["list"] | PURPOSE["table"])) != 0
    listed &= _IS_LIST[tag]
    wanted = (listed & (nested == 0) & short) | (tag == TAG["pre"])
    return _Pieces(
        columns.outermost(wanted)[blocks.leaf].tolist(),
        columns.nearest(tag == TAG["tr"])[blocks.leaf].tolist(),
        (columns.nearest(tag == TAG["pre"])[blocks.leaf] >= 0).tolist(),
        (blocks.counts.breaks > 0).tolist(),
    )


_HEADING = np.array([name in HEADINGS for name in TAGS])
_IS_LIST = np.array([name in ("ul", "ol", "dl", "table") for name in TAGS])


class _Writer:
    """Nodes of one page while they are collected."""

    def __init__(self, columns: Columns, blocks: Blocks, pieces: _Pieces) -> None:
        self.nodes: list[Node] = []
        self._columns, self._blocks, self._pieces = columns, blocks, pieces
        self._group = self._row = -1

    def add_picture(self, picture: Picture) -> None:
        self.nodes.append(
            Node(
                image=picture.url, alt=picture.alt, caption=picture.caption,
                rendered_width=picture.width, rendered_height=picture.height,
            )
        )  # fmt: skip
        self._group = -1

    def add_text(self, i: int) -> None:
        text = self._text(i)
        if not text.isascii():
            for hint in _HINTS:
                if hint in text:
                    text = text.replace(hint, "")
        group, row = self._pieces.group[i], self._pieces.row[i]
        if not text or (row >= 0 and self._pieces.preformatted[i] and _LINE_NUMBERS.fullmatch(text)):
            return
        if group >= 0 and group == self._group:
            before = self.nodes[-1].text or ""
            joint = " | " if row >= 0 and row == self._row else "\n"
            text = before + joint + text
            self.nodes.pop()
        self._group, self._row = group, row
        self.nodes.append(Node(text=text[:_MAX_NODE_CHARACTERS]))

    def _text(self, i: int) -> str:
        """A block's text with the line breaks that the page asked for."""
        preformatted = self._pieces.preformatted[i]
        if not preformatted and not self._pieces.broken[i]:
            return self._blocks.texts[i]
        raw = self._columns.text_of(int(self._blocks.first[i]), int(self._blocks.last[i]))
        if preformatted:
            raw = raw.replace(BREAK, "\n")
            return "\n".join(line.rstrip() for line in raw.strip("\n").split("\n")).rstrip()
        lines = (" ".join(line.split()) for line in raw.split(BREAK))
        return "\n".join(line for line in lines if line)
