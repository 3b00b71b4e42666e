"""A first look at a page's bytes, before it is parsed: how large it is as a tree, and what is worth looking for.

What no reader sees is left out on the way, since it is a third of a page's bytes and costs the parser most of them.
"""

from dataclasses import dataclass

import numpy as np

import pipelines.extract.markup  # noqa: F401 - from which the C knows the names of elements
from pipelines.extract import native

_LOOKS = 20
# Nesting makes lexbor's time grow with the square of the depth (100,000 nested div: 17 s, 10,000: 0.2 s), so depth is
# bounded before it parses, and only on pages with enough tags to matter.
_SHALLOW_TAGS = 10_000


@dataclass(frozen=True)
class Survey:
    """A page, and what is `left` of it: without what scripts, styles, comments and drawings hold, and idle attributes.

    Scripts that hold data or formulas are left. `tags` and `depth` are upper estimates; a page with few tags is not
    measured in depth. `hints` are bits of `native`; `licensed` are the first anchors and links that speak of a licence,
    without their >.
    """

    page: bytes
    left: bytes
    tags: int
    depth: int
    hints: int
    licensed: tuple[bytes, ...]


def survey(page: bytes, most_tags: int) -> Survey:
    """What a page has by a look at each of its tags, up to one more than `most_tags`."""
    found, places, out = np.zeros(5, np.int64), np.zeros(2 * _LOOKS, np.int64), np.empty(len(page), np.uint8)
    native.survey(page, len(page), most_tags, _SHALLOW_TAGS, out, found, places, _LOOKS)
    tags, depth, hints, licensed, size = found.tolist()
    spans = places[: 2 * min(licensed, _LOOKS)].reshape(-1, 2).tolist()
    return Survey(page, out[:size].tobytes(), tags, depth, hints, tuple(page[begin:end] for begin, end in spans))
