"""Pages as columns: every tag and every piece of text of a batch of pages in arrays, the tree as pointers between rows.

The parser writes a page out in canonical form: each element with an end tag or known to have none, `<` and `>` nowhere
but around tags. So one split gives tags and texts, depth is a running sum, equal depths pair up starts with ends, and
what holds inside an element flows down level by level. No step visits nodes one by one; pages share every call.

All sums are of integers: a page's numbers are the same whatever it shares a batch with.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pipelines.extract.markup import BLOCKS, END, PURPOSES_MASK, TAGS, VOID, describe_all

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_TAG = re.compile("<(!--.*?--|[^>]*)>", re.DOTALL)
_STYLED_BREAK = re.compile("<br [^>]*>")
_FORMULA = re.compile(r' class="(?:[^"]* )?(?:mwe-math|latex)[^"]*"')
_FORMULA_NAMES = ("mwe-math", '"latex')
_ALT = re.compile(r' alt="([^"]+)"')
_DISPLAY = "{\\displaystyle"
# Stands for <br> in texts; white space to str.split and str.strip.
BREAK = "\x1f"
_TAGS_MASK = END - 1

IS_BLOCK = np.array([name in BLOCKS for name in TAGS])
IS_VOID = np.array([name in VOID for name in TAGS])


class BrokenMarkup(ValueError):
    """Starts and ends of elements do not pair up."""


class TooDeep(ValueError):
    """Elements are nested deeper than the cap."""


class Split(NamedTuple):
    """A page's markup in order: tag i is followed by text i."""

    tags: list[str]
    texts: list[str]


def split(html: str, *, name_formulas: bool = False) -> Split:
    """Tags (what stands between the brackets) and the text after each, still escaped, with line breaks as `BREAK`.

    With `name_formulas` the alternative text of pictures of formulas goes into the sentence around them.
    """
    if BREAK in html:
        html = html.replace(BREAK, " ")
    html = html.replace("<br>", BREAK)
    if "<br " in html:
        html = _STYLED_BREAK.sub(BREAK, html)
    parts = _TAG.split(html.replace("&nbsp;", "\u00a0"))
    tags, texts = parts[1::2], parts[2::2]
    if name_formulas and any(name in html for name in _FORMULA_NAMES):
        for i, tag in enumerate(tags):
            if tag.startswith("img ") and _FORMULA.search(tag) and (alt := _ALT.search(tag)):
                texts[i] = f" {one_line(alt.group(1).replace('&quot;', chr(34)))} {texts[i]}"
    return Split(tags, texts)


def one_line(tex: str) -> str:
    """TeX in one line, without the wrapper that MediaWiki puts around it."""
    tex = " ".join(tex.split())
    return tex[len(_DISPLAY) : -1].strip() if tex.startswith(_DISPLAY) and tex.endswith("}") else tex


def resolved(text: str) -> str:
    """Text as it reads, of text as the parser writes it: only these three are escaped besides `&nbsp;`."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") if "&" in text else text


@dataclass
class Columns:
    """A batch of pages.

    Tokens are the tags of all pages in order, each with the text behind it. Elements are the non-void start tags,
    sorted by depth and then position, so that one level is one slice and parents come before children.
    """

    texts: list[str]
    tags: list[str]
    codes: Ints
    page_of_token: Ints
    pages: int
    tag: Ints
    is_end: Bools
    is_void: Bools
    owner: Ints  # of each token: the innermost open element behind it, -1 for none
    lengths: Ints  # characters of the text behind each token, without the spaces around it
    element_tag: Ints  # of each element: which one, an index of `markup.TAGS`
    opens: Ints  # of each element: the token that opens it
    closes: Ints
    parent: Ints
    level: Ints
    levels: Ints  # where each level begins among the elements, and their number at the end

    def inherit(self, own: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
        """The largest of an element's own value and its ancestors', along the first axis."""
        values = own.copy()
        for begin, end in zip(self.levels[1:-1], self.levels[2:], strict=True):
            np.maximum(values[begin:end], values[self.parent[begin:end]], out=values[begin:end])
        return values

    def inherit_bits(self) -> Ints:
        """Purposes of an element and of all above it, as in `describe`."""
        bits = self.codes[self.opens] & PURPOSES_MASK
        for begin, end in zip(self.levels[1:-1], self.levels[2:], strict=True):
            bits[begin:end] |= bits[self.parent[begin:end]]
        return bits

    def nearest(self, wanted: Bools) -> Ints:
        """The nearest element of a kind at or above each element, -1 where there is none."""
        found = np.where(wanted, np.arange(len(wanted)), -1)
        for begin, end in zip(self.levels[1:-1], self.levels[2:], strict=True):
            here = found[begin:end]
            found[begin:end] = np.where(here >= 0, here, found[self.parent[begin:end]])
        return found

    def outermost(self, wanted: Bools) -> Ints:
        """The outermost element of a kind at or above each element, -1 where there is none."""
        own = np.where(wanted, np.arange(len(wanted)), -1)
        for begin, end in zip(self.levels[1:-1], self.levels[2:], strict=True):
            above = own[self.parent[begin:end]]
            own[begin:end] = np.where(above >= 0, above, own[begin:end])
        return own

    def paths(self) -> npt.NDArray[np.uint64]:
        """A checksum of tags and classes from the page's root down to each element."""
        style = (self.codes[self.opens] >> 40).astype(np.uint64) + np.uint64(1)
        path = style.copy()
        factor = np.uint64(0x9E3779B97F4A7C15)
        for begin, end in zip(self.levels[1:-1], self.levels[2:], strict=True):
            path[begin:end] = path[self.parent[begin:end]] * factor + style[begin:end]
        return path

    def within(self, values: Ints) -> Ints:
        """Sum over each element's tokens, of a value of each token."""
        running = np.concatenate((np.zeros(1, np.int64), np.cumsum(values)))
        summed: Ints = running[self.closes] - running[self.opens]
        return summed


def columns_of(pages: Sequence[Split], max_depth: int = 1_000) -> Columns:
    """Columns of a batch of pages.

    Raises:
        BrokenMarkup: if the starts and ends of some page do not pair up.
        TooDeep: if elements of some page are nested deeper than `max_depth`.
    """
    tags = [tag for page in pages for tag in page.tags]
    texts = [text for page in pages for text in page.texts]
    sizes = np.array([len(page.tags) for page in pages], np.int64)
    codes = np.array(describe_all(tags), np.int64)
    lengths = np.fromiter(map(len, map(str.strip, texts)), np.int64, len(texts))
    tag = codes & _TAGS_MASK
    is_end = (codes & END) != 0
    is_void = IS_VOID[tag]
    page_of_token = np.repeat(np.arange(len(pages)), sizes)
    opening = ~is_end & ~is_void
    depth = np.cumsum(opening.astype(np.int64) - (is_end))
    last = np.cumsum(sizes) - 1
    if (len(depth) and depth.min() < 0) or np.any(depth[last[sizes > 0]] != 0):
        raise BrokenMarkup
    if len(depth) and depth.max() > max_depth:
        raise TooDeep
    paired = np.flatnonzero(opening | (is_end))
    level = (depth - opening)[paired]
    order = paired[np.argsort(level.astype(np.int16), kind="stable")]
    opens, closes = order[0::2], order[1::2]
    element_level = (depth - 1)[opens]
    levels = np.searchsorted(element_level, np.arange(int(element_level[-1]) + 2 if len(element_level) else 1))
    key = element_level * len(tags) + opens
    owner = np.searchsorted(key, (depth - 1) * len(tags) + np.arange(len(tags)), side="right") - 1
    owner[depth == 0] = -1
    parent = np.where(opens > 0, owner[opens - 1], -1)
    return Columns(
        texts, tags, codes, page_of_token, len(pages), tag, is_end, is_void, owner, lengths, tag[opens], opens, closes,
        parent, element_level, levels,
    )  # fmt: skip
