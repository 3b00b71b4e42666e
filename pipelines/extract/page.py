"""One HTML page to its nodes: parsed under caps, cut to its content, texts and images in the order of the document."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import urljoin

from selectolax.lexbor import LexborHTMLParser

from filters import consent
from filters.urls import canonical
from pipelines.extract import boilerplate, image_source
from pipelines.extract.blocks import Block, ImageElement, TooDeep, Walk
from pipelines.frame.http_message import HttpHead
from schemas.recipe import ExtractSettings
from schemas.statuses import RecordOutcome

# Elements that only an end tag closes. Their nesting makes lexbor's time grow with the square of the depth (100,000
# nested div: 17 s), so depth is bounded on the text, and only on pages with enough tags to matter.
_NESTING = re.compile(
    r"<(/?)(?:div|section|article|main|ul|ol|dl|table|blockquote|span|form|fieldset|details|figure|center|font|b|i|em"
    r"|strong|a|small|big|u|s|del|ins|code|nav|header|footer|aside|svg|g|object|button|label)[\s>/]",
    re.IGNORECASE,
)
_SHALLOW_TAGS = 4_000
_TINY = 1
_MAX_NODE_CHARACTERS = 100_000


@dataclass(frozen=True)
class Node:
    """A text, or an image by its absolute URL: exactly one of both."""

    text: str | None = None
    image: str | None = None
    alt: str | None = None
    caption: str | None = None
    rendered_width: int | None = None
    rendered_height: int | None = None


@dataclass
class Page:
    """What a page says. `dropped_images` counts image elements that became no node, by reason."""

    title: str | None = None
    nodes: list[Node] = field(default_factory=list)
    directives: list[str] = field(default_factory=list)
    dropped_images: Counter[str] = field(default_factory=Counter)

    @property
    def text(self) -> str:
        """All texts joined by blank lines."""
        return "\n\n".join(node.text for node in self.nodes if node.text is not None)


def parse_page(html: str, url: str, head: HttpHead, caps: ExtractSettings) -> Page | RecordOutcome:
    """Nodes of a page, or the reason why it has none."""
    if not html.strip():
        return RecordOutcome.EMPTY
    tags = html.count("<")
    if tags > caps.max_nodes:
        return RecordOutcome.TOO_MANY_NODES
    if tags > _SHALLOW_TAGS and _depth(html) > caps.max_depth:
        return RecordOutcome.TOO_DEEP
    tree = LexborHTMLParser(html)
    page = Page(title=_title(tree), directives=_directives(tree, head))
    total_images = len(tree.css("img"))
    base = _base(tree, url)
    boilerplate.cut(tree)
    root = boilerplate.main_element(tree)
    walk = Walk(caps.max_depth)
    try:
        blocks = walk.run(root) if root is not None else []
    except TooDeep:
        return RecordOutcome.TOO_DEEP
    _add_nodes(page, boilerplate.content_blocks(blocks), walk.captions, base)
    walked = sum(block.image is not None for block in blocks)
    page.dropped_images["boilerplate"] += max(total_images - walked, 0)
    return page if page.nodes else RecordOutcome.NO_CONTENT


def _depth(html: str) -> int:
    """Upper estimate of how deep elements are nested, in one pass over the text."""
    depth = deepest = 0
    for match in _NESTING.finditer(html):
        depth = max(depth - 1, 0) if match.group(1) else depth + 1
        deepest = max(deepest, depth)
    return deepest


def _title(tree: LexborHTMLParser) -> str | None:
    node = tree.css_first("head title") or tree.css_first("title")
    return " ".join(node.text().split()) or None if node is not None else None


def _base(tree: LexborHTMLParser, url: str) -> str:
    node = tree.css_first("base[href]")
    href = (node.attributes.get("href") or "").strip() if node is not None else ""
    try:
        return urljoin(url, href)
    except ValueError:
        return url


def _directives(tree: LexborHTMLParser, head: HttpHead) -> list[str]:
    """Directives to robots and miners: X-Robots-Tag, meta robots, TDM reservation as header or meta element."""
    found = set(consent.of_response(head.all("x-robots-tag"), head.get("tdm-reservation")))
    for node in tree.css("meta[name][content]"):
        name, content = (node.attributes.get("name") or "").lower(), (node.attributes.get("content") or "").lower()
        found.update(consent.of_meta(name, content))
    return sorted(found)


def _add_nodes(page: Page, blocks: Iterable[Block], captions: dict[int, str], base: str) -> None:
    last_image: str | None = None
    for block in blocks:
        if block.image is None:
            page.nodes.append(Node(text=block.text[:_MAX_NODE_CHARACTERS]))
            last_image = None
            continue
        node = _image_node(block.image, captions, base)
        if isinstance(node, str):
            page.dropped_images[node] += 1
        elif node.image == last_image:
            page.dropped_images["repeated"] += 1  # the noscript twin of a lazy image
        else:
            page.nodes.append(node)
            last_image = node.image


def _image_node(element: ImageElement, captions: dict[int, str], base: str) -> Node | str:
    attributes = element.attributes
    width, height = (image_source.pixels(attributes.get(side)) for side in ("width", "height"))
    if (width is not None and width <= _TINY) or (height is not None and height <= _TINY):
        return "tracking_pixel"
    source = image_source.source_of(attributes, element.sources)
    if source is None:
        return "inline_or_missing"
    url = canonical(source, base)
    if url is None:
        return "bad_url"
    alt = " ".join((attributes.get("alt") or "").split()) or None
    return Node(image=url, alt=alt, caption=captions.get(element.figure), rendered_width=width, rendered_height=height)
