"""A parsed page to its markup: what can never be content goes, what stands for text becomes text.

The parser finds elements by name in one pass, where an element costs next to nothing, and writes out what is left.
"""

import re
from dataclasses import dataclass, field

from selectolax.lexbor import LexborHTMLParser, LexborNode

from pipelines.extract.columns import one_line

# Never text, or raw text that would not survive being written out. Navigation and footers hold less than one word in a
# hundred of the content of WCXB's pages, and a third of all tags. Readings of ruby (rt) are read aloud, not in line.
_GONE = frozenset(
    """
    style template svg iframe object embed canvas audio video select textarea datalist noframes noembed xmp plaintext
    map rt rp head nav footer
    """.split()
)
_IMAGES = frozenset({"img", "amp-img"})
_FOUND = _GONE | _IMAGES | {"script", "math", "header"}
_DATA_TYPES = ("application/ld+json", "application/json")
_TEX = (
    "annotation[encoding='application/x-tex'], annotation[encoding='application/x-latex'], annotation[encoding='TeX']"
)
# MediaWiki's links for editing a section, which stand inside its heading.
_EDIT_LINK = re.compile(r'<span class="mw-editsection">.{0,600}?</span></span>', re.DOTALL)
# Pages have one header, or one for each article; each costs a look inside.
_MAX_HEADERS = 50
_MATH_LEVELS = 64


@dataclass
class Cleaned:
    """The body's markup, empty for a page without one, and the texts of its scripts that hold data."""

    markup: str = ""
    data: list[str] = field(default_factory=list)
    images: int = 0  # image elements of the body, those that were cut away among them
    has_math: bool = False  # formulas came as MathML, so that pictures of formulas repeat them


def clean(tree: LexborHTMLParser) -> Cleaned:
    """What is left of a page. Changes the tree."""
    cleaned = Cleaned()
    body = tree.body
    if body is None:
        return cleaned
    headers = 0
    found = [(tag, node) for node in body.traverse() if (tag := node.tag) in _FOUND]
    cleaned.images = sum(tag in _IMAGES for tag, _ in found)
    for tag, node in reversed(found):  # what is inside another goes before it
        if tag == "header":
            headers += 1
            if headers <= _MAX_HEADERS and node.css_first("h1,h2,h3,h4,h5,h6,p") is None:
                node.decompose()
        elif tag in _IMAGES:
            continue
        elif tag == "math":
            cleaned.has_math = True
            if not _in_math(node):
                node.replace_with(f" {one_line(_tex(node))} ")
        elif tag == "script":
            _take_script(node, cleaned)
        else:
            node.decompose()
    for node in reversed(tree.head.css("script")) if tree.head is not None else ():
        _take_data(node, cleaned)
    cleaned.data.reverse()
    cleaned.markup = body.html or ""
    if "mw-editsection" in cleaned.markup:
        cleaned.markup = _EDIT_LINK.sub("", cleaned.markup)
    return cleaned


def _take_data(node: LexborNode, cleaned: Cleaned) -> str:
    """The type of a script, whose text is taken if it is data."""
    kind = node.attributes.get("type") or ""
    if kind.startswith(_DATA_TYPES):
        cleaned.data.append(node.text())
    return kind


def _take_script(node: LexborNode, cleaned: Cleaned) -> None:
    kind = _take_data(node, cleaned)
    if kind.startswith("math/"):
        node.replace_with(f" {one_line(node.text())} ")
    else:
        node.decompose()


def _in_math(node: LexborNode) -> bool:
    """Whether a formula is part of another, which is then taken as a whole."""
    around = node.parent
    for _ in range(_MATH_LEVELS):
        if around is None or around.tag == "math":
            break
        around = around.parent
    return around is not None and around.tag == "math"


def _tex(node: LexborNode) -> str:
    """TeX where the page gives it, else the alternative text, else whatever text MathML comes to."""
    annotation = node.css_first(_TEX)
    return annotation.text() if annotation is not None else node.attributes.get("alttext") or node.text()
