"""Builds the sample crawl: `python -m curate.sample.build [OUT.warc.gz]`.

The crawl is what `curate demo` and the tests run on without a network. Everything in it is our own invention,
and its faults are planted on purpose. Two builds give the same bytes: record ids come from the URLs, dates from the
order of the records, and warcio writes gzip members with no time stamp. It is not a crawler: nothing is fetched.
"""

import argparse
import base64
import hashlib
import io
import uuid
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from curate.sample.articles import EMBEDDED, Article, read_articles
from curate.sample.faults import Reply, picture_reply
from curate.sample.layouts import SITES
from curate.sample.odd_pages import article_reply, clipped_page, odd_replies
from curate.sample.pdfs import pdf_replies

DEFAULT_OUT = Path(__file__).parent / "crawl.warc.gz"
FIRST_RECORD = datetime(2026, 3, 15, 8, 0, 0, tzinfo=UTC)
STEP = timedelta(seconds=7)
REQUESTED = ("fresnel-lens", "kompost-schichten", "akebono")  # pages whose requests are kept too
DESCRIBED = "fresnel-lens"  # page with a metadata record
REVISITED = "akebono"  # page that was seen again, unchanged
CLIP_BEFORE = "garten-werkstatt.example"  # the damaged member stands before this host's first page
INFO = {
    "software": "curate.sample.build",
    "format": "WARC File Format 1.0",
    "description": "Invented sample crawl with planted faults",
    "isPartOf": "curate-sample-2026-03",
    "robots": "ignore",
}


def record_id(kind: str, url: str) -> str:
    """A record id that depends on nothing but what the record is."""
    return f"<urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'{kind} {url}')}>"


@dataclass
class Archive:
    """The WARC being written; knows the date of the next record."""

    out: io.BytesIO
    count: int = 0

    def __post_init__(self) -> None:
        self.writer = WARCWriter(self.out, gzip=True)

    def _heads(self, kind: str, url: str) -> dict[str, str]:
        date = (FIRST_RECORD + STEP * self.count).strftime("%Y-%m-%dT%H:%M:%SZ")
        self.count += 1
        return {"WARC-Record-ID": record_id(kind, url), "WARC-Date": date}

    def info(self, name: str) -> None:
        """The warcinfo record."""
        payload = "".join(f"{key}: {value}\r\n" for key, value in INFO.items()).encode()
        heads = {**self._heads("warcinfo", name), "WARC-Filename": name}
        record = self.writer.create_warc_record(
            "", "warcinfo", payload=io.BytesIO(payload), length=len(payload), warc_headers_dict=heads
        )
        self.writer.write_record(record)

    def request(self, url: str) -> None:
        """The request that led to the response of the same URL."""
        parts = urlsplit(url)
        http = StatusAndHeaders(
            f"GET {parts.path} HTTP/1.1",
            [("Host", parts.netloc), ("User-Agent", "sample/1.0"), ("Accept", "*/*")],
            is_http_request=True,
        )
        heads = {**self._heads("request", url), "WARC-Concurrent-To": record_id("response", url)}
        self.writer.write_record(
            self.writer.create_warc_record(url, "request", http_headers=http, warc_headers_dict=heads)
        )

    def response(self, reply: Reply) -> None:
        """One response; the body goes in as on the wire."""
        body = reply.body or b""
        http = StatusAndHeaders(reply.status, reply.headers(), protocol="HTTP/1.1")
        heads = {**self._heads("response", reply.url), "WARC-IP-Address": "192.0.2.7"}
        record = self.writer.create_warc_record(
            reply.url,
            "response",
            payload=io.BytesIO(body),
            length=len(body),
            http_headers=http,
            warc_headers_dict=heads,
        )
        self.writer.write_record(record)

    def metadata(self, url: str) -> None:
        """What the crawler noted about a page."""
        payload = b"fetchTimeMs: 112\r\ncharset-detected: UTF-8\r\n"
        heads = {**self._heads("metadata", url), "WARC-Refers-To": record_id("response", url)}
        record = self.writer.create_warc_record(
            url, "metadata", payload=io.BytesIO(payload), length=len(payload), warc_headers_dict=heads
        )
        self.writer.write_record(record)

    def revisit(self, reply: Reply) -> None:
        """A later visit to a page that had not changed."""
        digest = "sha1:" + base64.b32encode(hashlib.sha1(reply.body or b"", usedforsecurity=False).digest()).decode()
        http = StatusAndHeaders(reply.status, reply.headers(), protocol="HTTP/1.1")
        first = FIRST_RECORD.strftime("%Y-%m-%dT%H:%M:%SZ")
        record = self.writer.create_revisit_record(
            reply.url, digest, reply.url, first, http_headers=http, warc_headers_dict=self._heads("revisit", reply.url)
        )
        self.writer.write_record(record)

    def clipped(self, reply: Reply) -> None:
        """A response of which a third of the compressed bytes is then lost."""
        start = self.out.tell()
        self.response(reply)
        member = self.out.getvalue()[start:]
        damaged = member[: len(member) // 3] + member[len(member) * 2 // 3 :]
        if _inflates(damaged):
            raise ValueError(f"{reply.url}: the damaged member still inflates; clip it elsewhere")
        self.out.seek(start)
        self.out.truncate()
        self.out.write(damaged)


def _inflates(member: bytes) -> bool:
    stream = zlib.decompressobj(zlib.MAX_WBITS + 16)
    try:
        stream.decompress(member)
    except zlib.error:
        return False
    return stream.eof


def page_replies(article: Article, articles: list[Article], seen: set[str]) -> Iterator[Reply]:
    """An article's page, then those of its pictures that no earlier page has brought along."""
    yield article_reply(article, articles)
    furniture = [SITES[article.host].logo, "icon", "banner", "pixel", "placeholder"]
    teaser = ["teaser"] if "garten-werkstatt" in article.host else []
    for name in (*furniture, *article.picture_names, *teaser):
        if name in seen or name in EMBEDDED:
            continue
        seen.add(name)
        reply = picture_reply(name)
        if reply.body is not None:
            yield reply


def write_articles(archive: Archive, articles: list[Article]) -> None:
    """All articles with their pictures, and the damaged member between two hosts."""
    seen: set[str] = set()
    clip: Reply | None = clipped_page(articles)
    for article in articles:
        if clip is not None and article.host == CLIP_BEFORE:
            archive.clipped(clip)
            clip = None
        tail = article.url.rsplit("/", 1)[-1]
        if tail in REQUESTED:
            archive.request(article.url)
        for reply in page_replies(article, articles, seen):
            archive.response(reply)
        if tail == DESCRIBED:
            archive.metadata(article.url)


def write_rest(archive: Archive, replies: Iterable[Reply], revisited: Reply) -> None:
    """The odd pages, the one picture only they use, the documents, and the revisit."""
    for reply in replies:
        archive.response(reply)
    archive.response(picture_reply("harbour"))
    for reply in pdf_replies():
        archive.response(reply)
    archive.revisit(revisited)


def build(name: str = DEFAULT_OUT.name) -> bytes:
    """The whole crawl as the bytes of a .warc.gz file; `name` goes into its warcinfo record."""
    articles = read_articles()
    archive = Archive(io.BytesIO())
    archive.info(name)
    write_articles(archive, articles)
    again = next(article for article in articles if article.url.endswith(REVISITED))
    write_rest(archive, odd_replies(articles), article_reply(again, articles))
    return archive.out.getvalue()


def main() -> None:
    """Writes the crawl where the command line says."""
    parser = argparse.ArgumentParser(description="Build the sample crawl.")
    parser.add_argument("out", nargs="?", type=Path, default=DEFAULT_OUT)
    out: Path = parser.parse_args().out
    data = build()
    out.write_bytes(data)
    print(f"{out.name}: {len(data)} bytes")


if __name__ == "__main__":
    main()
