"""HTML pages to their nodes: parsed under caps, cut to their content, texts and images in the order of the document."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from selectolax.lexbor import LexborHTMLParser

from pipelines.extract.assembly import Node, nodes_of_pages, pieces_of, whole_rows
from pipelines.extract.blocks import find_blocks
from pipelines.extract.cleaning import Cleaned, clean
from pipelines.extract.columns import BrokenMarkup, TooDeep, columns_of
from pipelines.extract.content import choose
from pipelines.extract.head import Head, describe_data, read_head
from pipelines.extract.hydration import FRAME_WORDS, nodes_of_data
from pipelines.extract.measures import Measures, measure
from pipelines.extract.pictures import find_pictures
from pipelines.extract.survey import survey
from pipelines.frame.http_message import HttpHead
from schemas.recipe import ExtractSettings
from schemas.statuses import RecordOutcome

# What a page without a picture says in fewer words is no content (that scripts are needed, that rights are reserved),
# unless the page is no larger itself; so are some more words, none of which the models believe in.
_SAYS_SOMETHING, _LITTLE_BYTES = 15, 10_000
_SAYS_MORE, _BELIEVED = 60, 0.4
# In XHTML these are empty elements; in HTML they swallow what comes behind them.
_SELF_CLOSED = re.compile(rb"<(script|style|title|textarea|iframe|noscript)((?:\s[^<>]*)?)/>")


@dataclass(frozen=True)
class Source:
    """A page as it was fetched, in UTF-8: valid, as `to_utf8` makes it, for lexbor hands on what is not as it is."""

    html: bytes
    url: str
    head: HttpHead


@dataclass
class Page:
    """What a page says. `dropped_images` counts image elements that became no node, by reason."""

    head: Head = field(default_factory=Head)
    nodes: list[Node] = field(default_factory=list)
    dropped_images: Counter[str] = field(default_factory=Counter)
    measures: Measures = field(default_factory=Measures)

    @property
    def texts(self) -> list[str]:
        """The texts among the nodes."""
        return [node.text for node in self.nodes if node.text is not None]

    @property
    def text(self) -> str:
        """All texts joined by blank lines."""
        return "\n\n".join(self.texts)


def parse_page(html: str, url: str, head: HttpHead, caps: ExtractSettings) -> Page | RecordOutcome:
    """Nodes of a page, or the reason why it has none."""
    return parse_pages([Source(html.encode("utf-8", "replace"), url, head)], caps)[0]


def parse_pages(sources: Sequence[Source], caps: ExtractSettings) -> list[Page | RecordOutcome]:
    """Nodes of each page, or the reason why it has none. Together they cost less than one by one, and are the same."""
    found = [read_page(source, caps) for source in sources]
    read = [page for page in found if isinstance(page, ReadPage)]
    try:
        understood = _understand(read, caps)
    except (BrokenMarkup, TooDeep):  # of one page at least: the others are understood without it
        understood = [_understand_alone(page, caps) for page in read]
    pages = iter(understood)
    return [next(pages) if isinstance(page, ReadPage) else page for page in found]


@dataclass
class ReadPage:
    """A page between being parsed and being understood."""

    head: Head
    cleaned: Cleaned
    size: int


def read_page(source: Source, caps: ExtractSettings) -> ReadPage | RecordOutcome:
    """A page parsed and cleaned, or the reason why it has no content."""
    html = source.html
    if not html or html.isspace():
        return RecordOutcome.EMPTY
    if source.head.content_type == "application/xhtml+xml":
        html = _SELF_CLOSED.sub(rb"<\1\2></\1>", html)
    seen = survey(html, caps.max_nodes)
    if seen.tags > caps.max_nodes:
        return RecordOutcome.TOO_MANY_NODES
    if seen.depth > caps.max_depth:
        return RecordOutcome.TOO_DEEP
    tree = LexborHTMLParser(seen.left)
    head = read_head(tree, source.url, source.head, seen)
    cleaned = clean(tree, seen.hints)
    return ReadPage(describe_data(head, cleaned.data), cleaned, len(html))


def _understand_alone(page: ReadPage, caps: ExtractSettings) -> Page | RecordOutcome:
    try:
        return _understand([page], caps)[0]
    except TooDeep:
        return RecordOutcome.TOO_DEEP
    except BrokenMarkup:
        return RecordOutcome.NO_CONTENT


def _understand(pages: Sequence[ReadPage], caps: ExtractSettings) -> list[Page | RecordOutcome]:
    columns = columns_of([page.cleaned.markup for page in pages], caps.max_depth)
    blocks = find_blocks(columns)
    choice = choose(columns, blocks, [page.head for page in pages])
    pieces = pieces_of(columns, blocks)
    choice = replace(choice, kept=whole_rows(columns, blocks, pieces, choice.kept))
    pictures, dropped = find_pictures(columns, blocks, choice, [page.head for page in pages])
    assembled = nodes_of_pages(columns, blocks, pieces, choice.kept, pictures)
    measured = measure(blocks, choice, [page.size for page in pages])
    words = np.bincount(blocks.page, blocks.counts.words * choice.kept, len(pages))
    little = words < np.where(choice.surest < _BELIEVED, _SAYS_MORE, _SAYS_SOMETHING)
    contents = [_content(page, nodes, no) for page, nodes, no in zip(pages, assembled, little.tolist(), strict=True)]
    return [
        Page(page.head, nodes, reasons, measures) if nodes else _why_none(page)
        for page, nodes, reasons, measures in zip(pages, contents, dropped, measured, strict=True)
    ]


def _content(page: ReadPage, nodes: list[Node], says_little: bool) -> list[Node]:
    """The nodes of a page, or of its data scripts; none where it says next to nothing and shows no picture."""
    found = _or_data(page, nodes)
    says_nothing = found is nodes and says_little and (page.size > _LITTLE_BYTES or page.head.refreshes)
    return [] if says_nothing and all(node.image is None for node in nodes) else found


def _why_none(page: ReadPage) -> RecordOutcome:
    return RecordOutcome.REDIRECT if page.head.refreshes else RecordOutcome.NO_CONTENT


def _or_data(page: ReadPage, nodes: list[Node]) -> list[Node]:
    """The nodes of a page, or of its data scripts where the page shows no more than its frame and they say more."""
    if not page.cleaned.data or (shown := _words(nodes, FRAME_WORDS)) >= FRAME_WORDS:
        return nodes
    enough = max(2 * shown, FRAME_WORDS) + 1
    hidden = nodes_of_data(page.cleaned.data, page.head.base)
    return hidden if _words(hidden, enough) >= enough else nodes


def _words(nodes: Sequence[Node], enough: int) -> int:
    """How many words texts have; where they have enough, not all of them are counted."""
    words = 0
    for node in nodes:
        words += len(node.text.split()) if node.text is not None else 0
        if words >= enough:
            break
    return words
