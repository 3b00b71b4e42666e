"""What a page says of itself in its head and in its structured data."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import urljoin

from selectolax.lexbor import LexborHTMLParser, LexborNode

from filters import consent
from pipelines.extract import native
from pipelines.extract.survey import Survey
from pipelines.frame.http_message import HttpHead

# What structured data says that a page holds; the model of blocks knows the types by their place here.
TYPES = (
    ("article", re.compile(r"Article\b|BlogPosting|Report\b")),
    ("product", re.compile(r"Product(?:Group)?\b")),
    ("forum", re.compile(r"DiscussionForumPosting|QAPage")),
    ("list", re.compile(r"CollectionPage|ItemList\b|OfferCatalog|SearchResultsPage")),
    ("service", re.compile(r"\bService\b|LocalBusiness|ProfessionalService|FAQPage")),
    ("recipe", re.compile(r"\bRecipe\b|HowTo\b")),
)
_OPEN_GRAPH = ("article", "product", "website", "blog", "profile", "video", "book")
_TYPE = re.compile(r'"@type"\s*:\s*\[?\s*"([^"]{1,60})"')
_BODY = re.compile(r'"(?:articleBody|reviewBody)"\s*:\s*"((?:[^"\\]++|\\.)*+)"', re.DOTALL)
_PUBLISHED_METAS = (
    "article:published_time", "og:published_time", "datepublished", "date", "dc.date", "dc.date.issued", "dcterms.date",
    "dcterms.created", "publishdate", "pubdate", "sailthru.date", "parsely-pub-date",
)  # fmt: skip
_PUBLISHED = re.compile(r'"datePublished"\s*:\s*"([^"]{4,40})"')
# What systems write that have no date: year 1, the epoch, a year far ahead.
_FIRST_YEAR, _LAST_YEAR, _EPOCH = 1500, 2100, datetime(1970, 1, 1, tzinfo=UTC)
_DATE = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2})?)(?:\.\d+)?\s*(Z|[+-]\d{2}:?\d{2})?)?")
# Looked for as bytes, since a selector costs more than all of the head.
_MAX_LICENSES = 10
_RELATION = re.compile(rb"\srel\s*=\s*[\"']?([^\"'>]*)", re.IGNORECASE)
_HREF = re.compile(rb"\bhref\s*=\s*[\"']?([^\"'\s>]{1,300})", re.IGNORECASE)
# Begins with what is searched for as fast as bytes are; the scheme in front of it is looked at then.
_COMMONS = re.compile(rb"creativecommons\.org/(?:licenses|publicdomain)/[a-zA-Z+-]+(?:/\d\.\d/?)?")
_SCHEMES = (b"https://", b"http://")
_WORD = re.compile(r"\w+")
_BODIES, _METAS = (b"<body", b"<BODY"), (b"<meta", b"<META", b"<Meta")
# Seconds, five at most, and where to; as the HTML standard reads a refresh. Possessive: what it reads may be long.
_REFRESH = re.compile(
    r"\s*+(?=[\d.])0*+[0-5]?(?!\d)[\d.]*+(?:\s*+[;,]\s*+|\s++)(?:url\s*+=\s*+)?+['\"]?([^'\"\s]+)", re.IGNORECASE
)
_FORUM = re.compile(r"Discourse|vBulletin|phpBB|XenForo|Invision|Simple Machines|MyBB|Vanilla", re.IGNORECASE)


@dataclass(frozen=True)
class Head:
    """What a page says of itself. Texts have their spaces collapsed."""

    title: str | None = None
    base: str = ""
    directives: tuple[str, ...] = ()
    headline: str = ""  # og:title, else the title
    image: str = ""  # og:image, as it is written
    open_graph: int = 0  # og:type: 0 for none, then the place among those told apart, then one for any other
    forum: bool = False  # written by forum software
    types: int = 0  # bits: `TYPES` found in JSON-LD
    body: str = ""  # the longest articleBody of JSON-LD
    published: datetime | None = None  # by Open Graph, other meta elements or JSON-LD, in that order
    refreshes: bool = False  # sends its reader on at once
    licenses: tuple[str, ...] = ()  # URLs of rel=license, else of the one Creative Commons licence that is linked


def read_head(tree: LexborHTMLParser, url: str, response: HttpHead, seen: Survey) -> Head:
    """What a page's head says; before `clean`, which removes it."""
    metas: dict[str, str] = {}
    directives = set(consent.of_response(response.all("x-robots-tag"), response.get("tdm-reservation")))
    title, base, refreshes = "", "", False
    for node in _elements(tree, seen):
        tag = node.tag
        if tag == "title":
            title = title or " ".join(node.text().split())
            continue
        attributes = node.attributes
        if tag == "base":
            base = base or _join(url, (attributes.get("href") or "").strip())
            continue
        content = attributes.get("content") or ""
        if not content:
            continue
        equivalent, name = attributes.get("http-equiv"), attributes.get("name")
        if equivalent and equivalent.lower() == "refresh" and (match := _REFRESH.match(content)):
            scripted = node.parent is not None and node.parent.tag == "noscript"
            refreshes |= not scripted and _join(url, match.group(1)) != url
        if name and (name := name.lower()) in consent.NAMES:
            directives.update(consent.of_meta(name, content.lower()))
        if name := (attributes.get("property") or name or attributes.get("itemprop")):
            metas.setdefault(name.lower(), content)
    return Head(
        title=title or None,
        base=base or url,
        directives=tuple(sorted(directives)),
        headline=_headline(metas.get("og:title", ""), title),
        image=metas.get("og:image", "").strip() or metas.get("twitter:image", "").strip(),
        open_graph=_open_graph(metas.get("og:type", "")),
        forum=bool(_FORUM.search(metas.get("generator", ""))),
        published=next((date for name in _PUBLISHED_METAS if (date := _date(metas.get(name, "")))), None),
        refreshes=refreshes,
        licenses=_licenses(seen, base or url),
    )


def _elements(tree: LexborHTMLParser, seen: Survey) -> list[LexborNode]:
    """What speaks of the page: in its head, and in its body where a stray element or text has closed the head early."""
    found = (tree.head or tree).css("title,base[href],meta")
    tags = [node.tag for node in found]
    body = next((place for name in _BODIES if (place := seen.left.find(name)) >= 0), len(seen.left))
    if "title" not in tags or sum(seen.left.count(name, 0, body) for name in _METAS) > tags.count("meta"):
        found += tree.css("body title,body base[href],body meta[name],body meta[property],body meta[http-equiv]")
    return found


def describe_data(head: Head, data: Sequence[str]) -> Head:
    """A head with what the page's data scripts say."""
    if not data:
        return head
    types = " ".join(found for text in data if '"@type"' in text for found in _TYPE.findall(text))
    dates = (found for text in data if "datePublished" in text for found in _PUBLISHED.findall(text))
    bodies = [_unescape(found) for text in data if _has_body(text) for found in _BODY.findall(text)]
    return replace(
        head,
        types=sum(1 << i for i, (_, pattern) in enumerate(TYPES) if pattern.search(types)),
        body=" ".join(max(bodies, key=len, default="").split()),
        published=head.published or next((date for found in dates if (date := _date(found))), None),
    )


def _has_body(text: str) -> bool:
    return 'articleBody"' in text or 'reviewBody"' in text


def _headline(shared: str, title: str) -> str:
    """og:title where it speaks of what the title speaks of; plugins fill it with the title of another object."""
    words = set(_WORD.findall(title.lower()))
    return shared if shared and (not words or words & set(_WORD.findall(shared.lower()))) else title


def _date(text: str) -> datetime | None:
    """An ISO 8601 date in UTC; without a time it is midnight, without an offset it is UTC."""
    match = _DATE.search(text)
    if match is None:
        return None
    day, time, offset = match.groups()
    try:
        found = datetime.fromisoformat(f"{day}T{time or '00:00'}{(offset or '+00:00').replace('Z', '+00:00')}")
        found = found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return found if _FIRST_YEAR <= found.year <= _LAST_YEAR and found != _EPOCH else None


def _licenses(seen: Survey, base: str) -> tuple[str, ...]:
    """Targets of links that say rel=license; else the one Creative Commons licence that the page links."""
    linked = []
    for tag in seen.licensed:
        relation, target = _RELATION.search(tag), _HREF.search(tag)
        if relation and target and b"license" in relation.group(1).lower().split():
            linked.append(target.group(1))
    if not linked and seen.hints & native.COMMONS:
        linked = sorted(_commons(seen.left))
        linked = linked if len(linked) == 1 else []
    return tuple(dict.fromkeys(_join(base, link.decode("utf-8", "replace")) for link in linked[:_MAX_LICENSES]))


def _commons(html: bytes) -> set[bytes]:
    """URLs of Creative Commons licences."""
    found = set()
    for match in _COMMONS.finditer(html):
        before = html[max(match.start() - 8, 0) : match.start()].lower()
        scheme = next((scheme for scheme in _SCHEMES if before.endswith(scheme)), None)
        if scheme is not None:
            found.add(scheme + match.group())
    return found


def _join(url: str, href: str) -> str:
    try:
        return urljoin(url, href)
    except ValueError:
        return url


def _unescape(text: str) -> str:
    try:
        return whole_characters(str(json.loads(f'"{text}"', strict=False)))
    except ValueError:
        return text


def whole_characters(text: str) -> str:
    """Text without halves of surrogate pairs, which JSON may hold, but which are no characters."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if not text.isascii() else text


def _open_graph(kind: str) -> int:
    kind = kind.lower().strip()
    if not kind:
        return 0
    return next((i for i, name in enumerate(_OPEN_GRAPH, 1) if name in kind), len(_OPEN_GRAPH) + 1)
