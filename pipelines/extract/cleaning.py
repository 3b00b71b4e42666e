"""A parsed page to its markup: what can never be content goes, what stands for text becomes text.

The parser finds elements by name in one pass, where an element costs next to nothing, and writes out what is left.
"""

import ctypes
import re
from dataclasses import dataclass, field
from functools import cache

import numpy as np
from selectolax import lexbor
from selectolax.lexbor import LexborHTMLParser, LexborNode

from pipelines.extract import native
from pipelines.extract.markup import BLOCKS

# Cut in the tree: what is in them need not be written out, or would not survive it. Those with a hint are rarer.
_CUT = (("script", 0), ("style", 0), ("svg", native.DRAWINGS), ("template", native.TEMPLATES),
        ("plaintext", native.PLAINTEXT))  # fmt: skip
_DATA_TYPES = ("application/ld+json", "application/json")
_TEX = (
    "annotation[encoding='application/x-tex'], annotation[encoding='application/x-latex'], annotation[encoding='TeX']"
)
# What KaTeX and MathJax have made of a formula that the page holds as well.
_RENDERED = ",".join(f"body span.{name}" for name in ("katex-html", "MathJax", "MathJax_Preview", "MathJax_SVG"))
# One that was never closed holds what comes behind it.
_NO_FORMULA = "p,h1,h2,h3,h4,h5,h6,li,pre,section,article"
# Raised numbers: without their place 10<sup>6</sup> would be a hundred and six.
_NUMBER = re.compile(r"\s*([-+−–]?\d{1,4})\s*")
_RAISED = str.maketrans("0123456789+-−–", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁻")
# Between texts: MediaWiki's links for editing a section and its line below each title ("From Wikipedia, the free
# encyclopedia"), page numbers in Project Gutenberg's books.
_MARKS = "body span.mw-editsection,body #siteSub,body span.pagenum"
# One that was never closed holds what comes behind it; no real mark has as many nodes or characters.
_MARK_NODES, _MARK_CHARACTERS = 60, 150
_MATH_LEVELS = 64
# Pictures of formulas, whose alternative text goes into the sentence around them.
_IMAGE = re.compile(r"<img [^>]*>")
_FORMULA = re.compile(r' class="(?:[^"]* )?(?:mwe-math|latex)[^"]*"')
_ALT = re.compile(r' alt="([^"]+)"')
# Bytes that are set aside for a page's markup; where that is too little, four times as many.
_ROOM, _MOST_ROOM = 1 << 20, 1 << 28
_DISPLAY = "{\\displaystyle"


@dataclass
class Cleaned:
    """The body's markup in UTF-8, empty for a page without one, and the texts of its scripts that hold data."""

    markup: bytes = b""
    data: list[str] = field(default_factory=list)


def clean(tree: LexborHTMLParser, hints: int) -> Cleaned:
    """What is left of a page, of which `hints` tell what it may have. Changes the tree."""
    if tree.body is None:
        return Cleaned()
    data = _data(tree) if hints & native.DATA else []
    written = _write_formulas(tree, hints) if hints & (native.MATH | native.MATH_SCRIPT) else False
    if hints & native.RAISED:
        for node in reversed(tree.css("body sup")):  # the inner ones first, here and below
            if _is_short(node) and (number := _NUMBER.fullmatch(node.text())):
                node.replace_with(number[1].translate(_RAISED))
    if hints & native.MARKS:
        for node in reversed(tree.css(_MARKS)):
            if _is_short(node):
                node.decompose()
    tree.strip_tags([name for name, hint in _CUT if not hint or hints & hint])
    markup = _markup(tree.body)
    if hints & native.FORMULAS and not written:
        markup = _IMAGE.sub(_named, markup.decode("utf-8", "replace")).encode()
    return Cleaned(markup, data)


def _write_formulas(tree: LexborHTMLParser, hints: int) -> bool:
    """Formulas become their TeX, once; whether there was MathML."""
    if hints & native.MATH_SCRIPT:
        for node in tree.css("script[type^='math/']"):
            node.replace_with(f" {one_line(node.text())} ")
    for node in reversed(tree.css(_RENDERED)):
        if node.css_first(_NO_FORMULA) is None:
            node.decompose()
    formulas = tree.css("body math") if hints & native.MATH else []
    for node in reversed(formulas):
        if not _in_math(node):
            node.replace_with(f" {one_line(_tex(node))} ")
    return bool(formulas)


def _markup(body: LexborNode) -> bytes:
    """What lexbor writes of an element, in UTF-8.

    selectolax lets lexbor write into a string that grows, and decodes it: half as much time again, and it is bytes that
    are wanted.
    """
    size, room, write = -1, _ROOM, _writer()
    while write is not None and size < 0 and room <= _MOST_ROOM:
        out = np.empty(room, np.uint8)
        size, room = native.write_markup(write, body.mem_id, out, room), 4 * room
    return out[:size].tobytes() if size >= 0 else (body.html or "").encode("utf-8", "replace")


@cache
def _writer() -> int | None:
    """Where lexbor's lxb_html_serialize_tree_cb is in selectolax's library, None where the library does not show it."""
    try:
        return ctypes.cast(ctypes.CDLL(lexbor.__file__).lxb_html_serialize_tree_cb, ctypes.c_void_p).value
    except (AttributeError, OSError):
        return None


def _data(tree: LexborHTMLParser) -> list[str]:
    """Texts of scripts that hold data."""
    scripts = tree.css("script[type]")
    return [node.text() for node in scripts if (node.attributes.get("type") or "").startswith(_DATA_TYPES)]


def _named(image: re.Match[str]) -> str:
    """The tag of an image, with its alternative text behind it if it is the picture of a formula."""
    tag = image.group()
    alt = _ALT.search(tag) if _FORMULA.search(tag) else None
    return f"{tag} {one_line(alt.group(1).replace('&quot;', chr(34)))} " if alt else tag


def _is_short(node: LexborNode) -> bool:
    """Whether an element holds a few inline elements and characters; one that was not closed may hold the page."""
    left, characters = [node.child], 0
    for _ in range(_MARK_NODES):
        if not left:
            return characters <= _MARK_CHARACTERS
        at = left.pop()
        if at is not None:
            if at.tag in BLOCKS:
                return False
            characters += len(at.text_content or "")
            left += (at.next, at.child)
    return False


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


def one_line(tex: str) -> str:
    """TeX in one line, without the wrapper that MediaWiki puts around it."""
    tex = " ".join(tex.split())
    return tex[len(_DISPLAY) : -1].strip() if tex.startswith(_DISPLAY) and tex.endswith("}") else tex
