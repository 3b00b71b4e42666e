"""Pages as columns: every tag and every piece of text of a batch of pages in arrays, the tree as pointers between rows.

The parser writes a page out in canonical form: each element with an end tag or known to have none, `<` and `>` nowhere
but around tags. So one pass over the bytes gives tags and texts, a second one pairs starts and ends, and what holds
inside an element flows down to those in it. Nodes are never objects; pages share every call.

All sums are of integers: a page's numbers are the same whatever it shares a batch with.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipelines.extract import native
from pipelines.extract.markup import BLOCKS, END, PURPOSES_MASK, TAGS, decoded

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.uint8]

_TAGS_MASK = END - 1
_LESS_THAN = ord("<")

IS_BLOCK = np.array([name in BLOCKS for name in TAGS])


class BrokenMarkup(ValueError):
    """Starts and ends of elements do not pair up."""


class TooDeep(ValueError):
    """Elements are nested deeper than the cap."""


def resolved(text: str) -> str:
    """Text as it reads, of text as the parser writes it: only these three are escaped besides `&nbsp;`."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") if "&" in text else text


@dataclass
class Columns:
    """A batch of pages.

    Tokens are the tags of all pages in order, each with the text behind it. Elements are the non-void start tags in
    order, so that parents come before children.
    """

    html: bytes
    tag_begins: Ints  # of each token: its tag in `html`, without the brackets
    tag_ends: Ints
    texts: Bytes  # the texts behind all tokens, still escaped, with line breaks as `BREAK`
    text_begins: Ints  # of each token, and the end of the last one's text
    codes: Ints
    page_of_token: Ints
    tokens: Ints  # of each page: how many it has
    images: Ints  # of each page: its image elements, those that were cut away among them
    tag: Ints
    is_end: Bools
    owner: Ints  # of each token: the innermost open element behind it, -1 for none
    lengths: Ints  # characters of the text behind each token, without the spaces around it
    element_tag: Ints  # of each element: which one, an index of `markup.TAGS`
    opens: Ints  # of each element: the token that opens it
    closes: Ints
    parent: Ints
    level: Ints

    @property
    def pages(self) -> int:
        """How many pages there are."""
        return len(self.tokens)

    def markup_of(self, token: int) -> str:
        """What stands between the brackets of a tag."""
        return decoded(self.html[self.tag_begins[token] : self.tag_ends[token]])

    def text_of(self, first: int, last: int) -> str:
        """The text behind tokens `first` to `last`, both included, with line breaks as `BREAK`."""
        text = self.texts[self.text_begins[first] : self.text_begins[last + 1]].tobytes()
        return resolved(text.decode("utf-8", "replace"))

    def inherit(self, own: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
        """The largest of an element's own value and its ancestors'."""
        values = own.copy()
        native.inherit_most(self.parent, len(self.parent), values)
        return values

    def inherit_bits(self) -> Ints:
        """Purposes of an element and of all above it, as in `describe`."""
        bits = self.codes[self.opens] & PURPOSES_MASK
        native.inherit_bits(self.parent, len(bits), bits)
        return bits

    def nearest(self, wanted: Bools) -> Ints:
        """The nearest element of a kind at or above each element, -1 where there is none."""
        found = np.empty(len(wanted), np.int64)
        native.inherit_nearest(self.parent, len(wanted), wanted, found)
        return found

    def outermost(self, wanted: Bools) -> Ints:
        """The outermost element of a kind at or above each element, -1 where there is none."""
        found = np.empty(len(wanted), np.int64)
        native.inherit_outermost(self.parent, len(wanted), wanted, found)
        return found

    def paths(self) -> npt.NDArray[np.uint64]:
        """A checksum of tags and classes from the page's root down to each element."""
        paths = np.empty(len(self.parent), np.uint64)
        native.inherit_paths(self.parent, len(paths), self.codes, self.opens, paths)
        return paths


def columns_of(pages: Sequence[bytes], max_depth: int = 1_000) -> Columns:
    """Columns of a batch of pages, each as lexbor writes it out.

    Raises:
        BrokenMarkup: if the starts and ends of some page do not pair up.
        TooDeep: if elements of some page are nested deeper than `max_depth`.
    """
    html = b"".join(pages)
    starts = np.cumsum([0, *map(len, pages)], dtype=np.int64)
    most = np.count_nonzero(np.frombuffer(html, np.uint8) == _LESS_THAN) + 1
    tag_begins, tag_ends, text_begins, lengths, codes = np.empty((5, most), np.int64)
    tokens, images = np.empty((2, len(pages)), np.int64)
    texts = np.empty(len(html), np.uint8)
    count = native.scan(
        html, starts, len(pages), tag_begins, tag_ends, text_begins, lengths, codes, tokens, images, texts
    )
    codes = codes[:count]
    opens, closes, parent, level, owner = np.empty((5, count), np.int64)
    elements = native.pair_tags(codes, tokens, len(pages), max_depth, opens, closes, parent, level, owner)
    if elements == native.BROKEN:
        raise BrokenMarkup
    if elements == native.TOO_DEEP:
        raise TooDeep
    tag = codes & _TAGS_MASK
    return Columns(
        html=html, tag_begins=tag_begins[:count], tag_ends=tag_ends[:count], texts=texts,
        text_begins=text_begins[: count + 1], codes=codes, page_of_token=np.repeat(np.arange(len(pages)), tokens),
        tokens=tokens, images=images, tag=tag, is_end=(codes & END) != 0, owner=owner, lengths=lengths[:count],
        element_tag=tag[opens[:elements]], opens=opens[:elements], closes=closes[:elements], parent=parent[:elements],
        level=level[:elements],
    )  # fmt: skip
