"""One WARC record to what it is for us: a page, a PDF, an image, or a reason why none of them."""

import re
from dataclasses import dataclass

from pipelines.extract.documents import document_id
from pipelines.extract.encoding import to_utf8
from pipelines.extract.page import Source
from pipelines.frame.http_message import HttpHead, TooLarge, Undecodable, decode_body
from pipelines.frame.warc import Record
from schemas.recipe import ExtractSettings
from schemas.statuses import RecordOutcome

_HTML = frozenset({"text/html", "application/xhtml+xml"})
_PDF = "application/pdf"
_HTML_OPENINGS = (b"<!doctype html", b"<html")
# What a feed begins with that is served as HTML (MIME Sniffing Standard, "sniffing a mislabeled feed").
_FEED = re.compile(
    rb"(?:\xef\xbb\xbf)?(?:\s++|<\?[^>]{0,500}+>|<!--.{0,5000}?-->|<!(?!--|(?i:doctype\s+html))[^>]{0,500}+>)*+"
    rb"<(?:rss|feed|rdf:RDF)[\s>]",
    re.DOTALL,
)
# Enough of an image's body to see that it is one; the rest is read by fetch, if the image is wanted.
_IMAGE_HEAD = 16


@dataclass(frozen=True)
class PdfFile:
    """A PDF from the crawl."""

    key: str
    record: Record
    body: bytes


@dataclass(frozen=True)
class HtmlPage:
    """A page from the crawl, decoded but not parsed."""

    doc_id: str
    record: Record
    encoding: str
    source: Source


def payload_cap(caps: ExtractSettings, kind: str, head: HttpHead) -> int:
    """How much of a response's stored body is worth reading; its decoded size is bounded when it is decoded."""
    if kind != "response" or head.status != 200:
        return 0
    if head.content_type == _PDF:
        return caps.max_pdf_bytes
    if head.content_type.startswith("image/"):
        return _IMAGE_HEAD
    return caps.max_page_bytes if head.content_type in _HTML or not head.content_type else 0


def interpret(record: Record, caps: ExtractSettings) -> HtmlPage | PdfFile | RecordOutcome:
    """What a record holds; RecordOutcome.IMAGE for images, which stay where they are."""
    outcome = _outside_interest(record)
    if outcome is not None:
        return outcome
    assert record.head is not None
    kind = record.head.content_type
    if kind.startswith("image/"):
        return RecordOutcome.IMAGE if record.payload else RecordOutcome.EMPTY
    cap = caps.max_pdf_bytes if kind == _PDF else caps.max_page_bytes
    body = _body(record, record.head, cap)
    if isinstance(body, RecordOutcome):
        return body
    if kind == _PDF:
        return PdfFile(document_id(record), record, body)
    if _FEED.match(body) or not (kind or body[:1024].lstrip().lower().startswith(_HTML_OPENINGS)):
        return RecordOutcome.OTHER_CONTENT
    text, encoding = to_utf8(body, record.head.charset)
    return HtmlPage(document_id(record), record, encoding, Source(text, record.url, record.head))


def _outside_interest(record: Record) -> RecordOutcome | None:
    """Why a record is none that could hold a page, an image or a PDF."""
    if record.type != "response":
        return RecordOutcome(record.type) if record.type in set(RecordOutcome) else RecordOutcome.UNKNOWN_TYPE
    if record.head is None:
        web = record.url.startswith(("http://", "https://"))
        return RecordOutcome.BAD_HTTP if web else RecordOutcome.NOT_HTTP
    if 300 <= record.head.status < 400:
        return RecordOutcome.REDIRECT
    if record.head.status != 200:
        return RecordOutcome.HTTP_ERROR
    kind = record.head.content_type
    if kind and kind not in _HTML and kind != _PDF and not kind.startswith("image/"):
        return RecordOutcome.OTHER_CONTENT
    return None


def _body(record: Record, head: HttpHead, cap: int) -> bytes | RecordOutcome:
    if record.truncated:
        return RecordOutcome.TRUNCATED
    if len(record.payload) > cap:
        return RecordOutcome.TOO_LARGE
    try:
        return decode_body(head, record.payload, cap) or RecordOutcome.EMPTY
    except TooLarge:
        return RecordOutcome.TOO_LARGE
    except Undecodable:
        return RecordOutcome.UNDECODABLE
