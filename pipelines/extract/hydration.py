"""Content that a page holds only as data for its scripts: JSON-LD, and the state that frameworks fill pages from.

Asked only where the page itself shows next to nothing.
"""

import html
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from filters.urls import canonical
from pipelines.extract.assembly import Node
from pipelines.extract.head import whole_characters

# Under this many words a page shows nothing but its frame.
FRAME_WORDS = 40
_MAX_CHARACTERS = 5_000_000
_MAX_TEXTS = 500
# JSON-LD: what is prose by its name (schema.org). In other data only what reads like prose is taken.
_PROSE_KEYS = ("articleBody", "text", "description", "reviewBody", "recipeInstructions", "step", "acceptedAnswer")
_PROSE_WORDS, _PROSE_LETTERS = 12, 0.6
_MAX_DEPTH = 60
_BREAKING = re.compile(r"</?(?:p|br|li|div|h[1-6]|tr)\b[^<>]*>", re.IGNORECASE)
_MARKUP = re.compile(r"<[^<>]*>")
# Markup that was escaped once more when it was put into the data.
_ESCAPED = re.compile(r"&lt;/?(?:p|br|li|div|h[1-6]|ul|span|strong|em|a|b|i)\b", re.IGNORECASE)


def nodes_of_data(data: Sequence[str], base: str) -> list[Node]:
    """Texts and images of the data scripts of a page, each once, in their order."""
    nodes: list[Node] = []
    seen: set[str] = set()
    budget = _MAX_CHARACTERS
    for script in data:
        budget -= len(script)
        if budget < 0:
            break
        try:
            content = json.loads(script, strict=False)
        except (ValueError, RecursionError):
            continue
        linked = '"@context"' in script or '"@type"' in script
        for node in _linked_nodes(content, base, 0) if linked else _prose_nodes(content, 0):
            said = node.text or node.image or ""
            if said not in seen and len(nodes) < _MAX_TEXTS:
                seen.add(said)
                nodes.append(node)
    return nodes


def _linked_nodes(value: Any, base: str, depth: int) -> Iterator[Node]:
    """Images and prose of JSON-LD, images first, as a page would show them."""
    if depth > _MAX_DEPTH:
        return
    if isinstance(value, list):
        for item in value:
            yield from _linked_nodes(item, base, depth + 1)
    elif isinstance(value, dict):
        yield from _images(value.get("image"), base)
        for key, inner in value.items():
            if key in _PROSE_KEYS and isinstance(inner, str):
                yield from _paragraphs(inner)
            elif isinstance(inner, dict | list) and key not in ("image", "author", "publisher", "logo", "breadcrumb"):
                yield from _linked_nodes(inner, base, depth + 1)


def _images(value: Any, base: str) -> Iterator[Node]:
    for item in value if isinstance(value, list) else [value]:
        address = item.get("url") or item.get("contentUrl") if isinstance(item, dict) else item
        if isinstance(address, str) and (url := canonical(whole_characters(address), base)):
            caption = item.get("caption") if isinstance(item, dict) else None
            yield Node(image=url, caption=whole_characters(caption) if isinstance(caption, str) else None)


def _prose_nodes(value: Any, depth: int) -> Iterator[Node]:
    if depth > _MAX_DEPTH:
        return
    if isinstance(value, str):
        if _reads_like_prose(value):
            yield from _paragraphs(value)
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _prose_nodes(inner, depth + 1)


def _reads_like_prose(text: str) -> bool:
    if len(text.split()) < _PROSE_WORDS or not any(mark in text for mark in ".!?。"):
        return False
    return sum(map(str.isalpha, text)) >= _PROSE_LETTERS * len(text)


def _paragraphs(text: str) -> Iterator[Node]:
    """A string's paragraphs; markup inside it is resolved."""
    if "<" not in text and _ESCAPED.search(text):
        text = html.unescape(text)
    if "<" in text:
        text = _MARKUP.sub(" ", _BREAKING.sub("\n", text))
    if "&" in text:
        text = html.unescape(text)
    for line in whole_characters(text).split("\n"):
        if paragraph := " ".join(line.split()):
            yield Node(text=paragraph)
