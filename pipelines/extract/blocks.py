"""The walk over a page's tree: text grouped by block element and images, in the order of the document."""

import re
from dataclasses import dataclass, field

from selectolax.lexbor import LexborNode

_BLOCK_TAGS = frozenset(
    """
    address article aside blockquote body caption center dd details dir div dl dt fieldset figcaption figure
    footer form h1 h2 h3 h4 h5 h6 header hgroup hr html legend li main nav noscript ol p pre section summary
    table tbody td tfoot th thead tr ul
    """.split()
)
_LIST_TAGS = frozenset({"ul", "ol", "dl"})
_CELLS = frozenset({"td", "th"})
_PICTURES = frozenset({"img", "picture", "amp-img"})
_SPACES = re.compile(r"[ \t\r\f\v\u00a0\u200b]+")
_BREAKS = re.compile(r" ?\n ?")
_MANY_BREAKS = re.compile(r"\n{3,}")


@dataclass(slots=True)
class ImageElement:
    """An image element with what surrounds it."""

    attributes: dict[str, str | None]
    sources: list[dict[str, str | None]]
    figure: int = 0
    in_noscript: bool = False


@dataclass(slots=True)
class Block:
    """A piece of text between two block boundaries, or an image."""

    text: str = ""
    tag: str = ""
    group: int = 0
    link_characters: int = 0
    image: ImageElement | None = None


@dataclass(slots=True)
class _Frame:
    """What holds inside an element while it is open."""

    tag: str
    is_block: bool = True
    group: int = 0
    figure: int = 0
    preformatted: bool = False
    linked: bool = False
    noscript: bool = False


class TooDeep(ValueError):
    """Elements are nested deeper than the cap."""


@dataclass
class Walk:
    """Walks a tree once. `captions` maps a figure's number to the text of its figcaption."""

    max_depth: int
    blocks: list[Block] = field(default_factory=list)
    captions: dict[int, str] = field(default_factory=dict)
    _parts: list[str] = field(default_factory=list)
    _linked: int = 0
    _count: int = 0
    _new_row: bool = False

    def run(self, root: LexborNode) -> list[Block]:
        """Blocks of everything under an element.

        Raises:
            TooDeep: if elements are nested deeper than `max_depth`.
        """
        outermost = _Frame(root.tag or "")
        stack: list[tuple[LexborNode, _Frame]] = []
        frame, node = outermost, root.first_child
        while node is not None or stack:
            if node is None:
                node, inner = stack.pop()
                self._leave(inner)
                frame = stack[-1][1] if stack else outermost
                node = node.next
            elif (child := self._enter(node, frame)) is not None:
                if len(stack) >= self.max_depth:
                    raise TooDeep
                frame = self._open(node, frame)
                stack.append((node, frame))
                node = child
            else:
                node = node.next
        self._flush(outermost)
        return self.blocks

    def _enter(self, node: LexborNode, frame: _Frame) -> LexborNode | None:
        """Take in a node; its first child where the walk has to go on inside."""
        tag = node.tag
        if tag == "-text":
            self._take_text(node.text_content or "", frame)
        elif tag == "br":
            self._parts.append("\n")
        elif tag in _PICTURES:
            self._take_image(node, frame)
        else:
            if tag in _BLOCK_TAGS:
                self._flush(frame)
                self._new_row = self._new_row or tag == "tr"
            return node.first_child
        return None

    def _open(self, node: LexborNode, outer: _Frame) -> _Frame:
        tag = node.tag or ""
        is_block = tag in _BLOCK_TAGS
        frame = _Frame(
            tag=tag if is_block else outer.tag,
            is_block=is_block,
            group=outer.group,
            figure=outer.figure,
            preformatted=outer.preformatted,
            linked=outer.linked or tag == "a",
            noscript=outer.noscript or tag == "noscript",
        )
        if (tag in _LIST_TAGS or tag in ("table", "pre")) and not outer.group:
            frame.group = self._next_number()
        if tag == "figure":
            frame.figure = self._next_number()
        if tag == "pre":
            frame.preformatted = True
        return frame

    def _next_number(self) -> int:
        self._count += 1
        return self._count

    def _leave(self, frame: _Frame) -> None:
        if frame.is_block:
            self._flush(frame)

    def _take_text(self, text: str, frame: _Frame) -> None:
        if frame.noscript:
            return
        if not frame.preformatted:
            text = text.replace("\n", " ")
        self._parts.append(text)
        if frame.linked:
            self._linked += len(text.strip())

    def _take_image(self, node: LexborNode, frame: _Frame) -> None:
        self._flush(frame)
        image = node if node.tag != "picture" else node.css_first("img")
        if image is None:
            return
        sources = [dict(s.attributes) for s in node.css("source")] if node.tag == "picture" else []
        element = ImageElement(dict(image.attributes), sources, frame.figure, frame.noscript)
        self.blocks.append(Block(tag=frame.tag, image=element))

    def _flush(self, frame: _Frame) -> None:
        if not self._parts:
            return
        raw, linked = "".join(self._parts), self._linked
        self._parts, self._linked = [], 0
        text = _MANY_BREAKS.sub("\n\n", raw.strip("\n")) if frame.preformatted else _tidy(raw)
        if not text.strip():
            return
        if frame.tag == "figcaption" and frame.figure:
            self.captions[frame.figure] = f"{self.captions.get(frame.figure, '')} {text}".strip()
        last = self.blocks[-1] if self.blocks else None
        if last is not None and last.image is None and frame.group and last.group == frame.group:
            in_row = frame.tag in _CELLS and last.tag in _CELLS and not self._new_row
            last.text += (" | " if in_row else "\n") + text
            last.tag, last.link_characters = frame.tag, last.link_characters + linked
        else:
            self.blocks.append(Block(text, frame.tag, frame.group, linked))
        self._new_row = False


def _tidy(text: str) -> str:
    """Runs of white space as one space; breaks that the page asked for stay."""
    return _BREAKS.sub("\n", _SPACES.sub(" ", text)).strip()
