"""A first look at a page's bytes, before it is parsed: how large it is as a tree, and what is worth looking for."""

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
    """Upper estimates and hints, since a tag may stand in a script; a page with few tags is not measured in depth.

    `hints` are bits of `native`; `licensed` are the first anchors and links that speak of a licence, without their >.
    """

    html: bytes
    tags: int
    depth: int
    hints: int
    licensed: tuple[bytes, ...]


def survey(html: bytes) -> Survey:
    """What a page has by a look at each of its tags."""
    found, places = np.zeros(4, np.int64), np.zeros(2 * _LOOKS, np.int64)
    native.survey(html, len(html), _SHALLOW_TAGS, found, places, _LOOKS)
    tags, depth, hints, licensed = found.tolist()
    spans = places[: 2 * min(licensed, _LOOKS)].reshape(-1, 2).tolist()
    return Survey(html, tags, depth, hints, tuple(html[begin:end] for begin, end in spans))
