"""What of a page is not its content: elements cut before the walk, and blocks left out after it. Rules only.

Cutting is done by selectors, in the parser's own language; what needs the text (link density) is done on blocks.
"""

import re
from collections.abc import Sequence

from selectolax.lexbor import LexborHTMLParser, LexborNode

from pipelines.extract.blocks import Block

_INVISIBLE = "script, style, template, iframe, object, embed, canvas, svg, math annotation, head link, audio, video"
_CONTROLS = "button, select, input, textarea, datalist, dialog, menu"
_FURNITURE = (
    "nav, footer, aside, [role=navigation], [role=banner], [role=contentinfo], [role=search], [role=complementary],"
    "[role=dialog], [role=menu], [role=menubar], [role=tablist], [aria-modal=true]"
)
# Whole words of class and id names. Each is common for furniture and rare for content; words that are both, such as
# "comment", "header", "meta" or "widget", are left to the blocks' own text.
_NOT_CONTENT = re.compile(
    r"(?:^|[\s_-])(?:nav|navbar|navigation|navheader|navfooter|menu|submenu|breadcrumbs?|sidebar|side-?bar|footer|foot"
    r"|cookies?|consent|gdpr|share|sharing|sharedaddy|social|addthis|related|recommended|recommendations|newsletter"
    r"|subscribe|subscription|signup|login|advert|adverts|advertisement|ads|adsbygoogle|sponsor(?:ed)?|promo|promos"
    r"|pagination|pager|paging|toolbar|skip-?link|skip|masthead|popup|modal|overlay|print-?only|tags|tag-?list|toc)"
    r"(?:$|[\s_-])",
    re.IGNORECASE,
)
_NEVER_CUT = frozenset({"html", "body", "main", "article", "-text", "figure", "img", "picture"})
# An element that holds this much of the page's text is its content whatever it is called.
_TOO_MUCH_TO_CUT = 0.5
_MAIN = ("main", "[role=main]", "article", "[itemprop=articleBody]", "#content", "#main")
# A main element with less than this share of the text is a teaser or an empty shell that scripts would fill.
_ENOUGH_TO_BE_MAIN = 0.4

# Blocks: a run of links is navigation, a sentence with links is not.
_LINKED = 0.66
_LINKED_WORDS = 25


def cut(tree: LexborHTMLParser) -> None:
    """Remove from the tree what is never content."""
    for node in tree.css(f"{_INVISIBLE}, {_CONTROLS}, {_FURNITURE}"):
        node.decompose()
    body = tree.body
    if body is None:
        return
    total = max(_length(body), 1)
    for node in tree.css("header"):
        if not node.css_matches("h1") and _length(node) < _TOO_MUCH_TO_CUT * total:
            node.decompose()
    for node in tree.css("div[class], div[id], section[class], section[id], ul[class], ul[id], table[class], p[class]"):
        if _named_as_furniture(node) and _length(node) < _TOO_MUCH_TO_CUT * total:
            node.decompose()


def _named_as_furniture(node: LexborNode) -> bool:
    attributes = node.attributes
    names = f"{attributes.get('class') or ''} {attributes.get('id') or ''}"
    return node.tag not in _NEVER_CUT and bool(_NOT_CONTENT.search(names))


def main_element(tree: LexborHTMLParser) -> LexborNode | None:
    """The element that holds the content: the only main, article or the like with enough of the text, else the body."""
    body = tree.body
    if body is None:
        return None
    total = _length(body)
    for selector in _MAIN:
        found = body.css(selector)
        if len(found) == 1 and _length(found[0]) >= _ENOUGH_TO_BE_MAIN * total:
            return found[0]
    return body


def _length(node: LexborNode) -> int:
    return len(node.text_lexbor())


def content_blocks(blocks: Sequence[Block]) -> list[Block]:
    """Blocks without runs of links; images stay, so that they are judged by what is known of them."""
    return [block for block in blocks if block.image is not None or not _is_links(block)]


def _is_links(block: Block) -> bool:
    if block.link_characters < _LINKED * len(block.text):
        return False
    return len(block.text.split()) < _LINKED_WORDS or block.link_characters >= 0.9 * len(block.text)
