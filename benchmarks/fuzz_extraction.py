"""Fuzz extraction with real pages that are cut, spliced, nested and damaged, until the time is up.

    uv run python benchmarks/fuzz_extraction.py --minutes 60

Hypothesis chooses the pages and what is done to them, and shrinks what fails. A page goes the whole way from a record
of a WARC to a row of the table. A failure is an exception, or a page that takes longer than its cap: `SECONDS` and
`SECONDS_A_MEGABYTE` of processor time.
"""

import argparse
import os
import sys
import time
from pathlib import Path

from fastwarc.warc import ArchiveIterator, WarcRecordType
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from pipelines.extract.documents import ExtractedPage, to_batch
from pipelines.extract.page import Page, parse_pages
from pipelines.extract.records import HtmlPage, interpret
from pipelines.frame.http_message import HttpHead
from pipelines.frame.warc import Record
from schemas.recipe import ExtractSettings
from schemas.statuses import RecordOutcome

SECONDS, SECONDS_A_MEGABYTE = 1.0, 0.5
CORPORA = Path(os.environ.get("CURATE_CORPORA", "../shared/corpora"))
PIECES = (
    b"<div>", b"</div>", b"<table>", b"<tr><td>", b"</table>", b"<p", b"<a href='", b"<!--", b"-->", b"<script>",
    b"</script>", b"<noscript>", b"<svg>", b"<math>", b"</math>", b"<template>", b"<select>", b"<textarea>",
    b"<plaintext>",
    b"<pre>", b"\x00", b"\xff\xfe", b"\xed\xa0\x80", b"&#xD800;", b"&#1114112;", b"&lt;", b'"', b"<br>", b"<h1>",
    b"<img srcset='a 1w, ,,'>", b"<frameset>", b"<body class=x>", b"<base href='//['>", b"<a<b>", b"<?php ?>", b"]]>",
    b"\xe2\x80\x8b", b"<ul><li>", b"<figure itemid='a.jpg?b.jpg", b"<figure style='background: url(x",
    b"<p id='9a9 #' class=' \t7X7'>", b" \n", b"<?xml ?>", b"<!-- a -->", b"<p class=caption>", b"<figure>",
    b"<span class='pagenum mw-editsection'>", b"<i ID=siteSub>", b"<p class=title>",
    b"<meta http-equiv=refresh content='0;",
)  # fmt: skip


def read_pages(path: Path) -> list[bytes]:
    """Bodies of the pages of a WARC."""
    with path.open("rb") as stream:
        records = ArchiveIterator(stream, record_types=WarcRecordType.response)
        return [record.reader.read() for record in records]


@st.composite
def damaged(draw: st.DrawFn, pages: list[bytes]) -> bytes:
    """A real page with up to eight kinds of damage."""
    page = draw(st.sampled_from(pages))
    for _ in range(draw(st.integers(1, 8))):
        at = draw(st.integers(0, max(len(page), 1)))
        length = draw(st.integers(0, 4000))
        kind = draw(st.sampled_from(("cut", "insert", "repeat", "splice", "flip", "nest", "strip")))
        if kind == "cut":
            page = page[:at] + page[at + length :]
        elif kind == "insert":
            page = page[:at] + draw(st.sampled_from(PIECES)) + page[at:]
        elif kind == "repeat":
            page = page[:at] + page[at : at + length] * draw(st.integers(2, 30)) + page[at:]
        elif kind == "splice":
            other = draw(st.sampled_from(pages))
            begin = draw(st.integers(0, len(other)))
            page = page[:at] + other[begin : begin + length] + page[at:]
        elif kind == "flip":
            page = page[:at] + draw(st.binary(max_size=40)) + page[at + 40 :]
        elif kind == "nest":
            page = page[:at] + draw(st.sampled_from(PIECES)) * draw(st.integers(1, 3000)) + page[at:]
        else:
            page = page[:at] + page[at:].replace(draw(st.sampled_from((b"</", b">", b'"', b"<"))), b"", length)
    return page


def extract(record: Record, caps: ExtractSettings) -> Page | RecordOutcome:
    """What the stage does with a record of a page."""
    page = interpret(record, caps)
    if not isinstance(page, HtmlPage):
        assert isinstance(page, RecordOutcome)
        return page
    (found,) = parse_pages([page.source], caps)
    if isinstance(found, Page):
        to_batch([ExtractedPage(page.doc_id, page.record, "", page.encoding, found)], caps)
    return found


def main() -> None:
    """Fuzz until the time is up; exit status 1 at the first failure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--warc", type=Path, default=CORPORA / "warcs" / "realpages-dev.warc.gz")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    pages = read_pages(arguments.warc)
    caps, head = ExtractSettings(), HttpHead(200, {"content-type": ["text/html"]})
    outcomes: dict[str, int] = {}
    slowest = 0.0

    def check(body: bytes) -> None:
        nonlocal slowest
        begin = time.process_time()
        record = Record(0, "response", "http://example.org/a", "a", None, head, body, truncated=False)
        found = extract(record, caps)
        taken = time.process_time() - begin
        slowest = max(slowest, taken)
        name = "page" if isinstance(found, Page) else RecordOutcome(found).value
        outcomes[name] = outcomes.get(name, 0) + 1
        assert taken < SECONDS + SECONDS_A_MEGABYTE * len(body) / 1e6, f"{taken:.1f} s for {len(body)} bytes"

    end, number = time.monotonic() + 60 * arguments.minutes, arguments.seed
    while time.monotonic() < end:
        phases = (Phase.generate, Phase.shrink)
        limits = settings(
            max_examples=500, deadline=None, database=None, phases=phases, suppress_health_check=list(HealthCheck)
        )
        seed(number)(limits(given(damaged(pages))(check)))()
        number += 1
        print(f"{sum(outcomes.values())} pages, slowest {slowest:.2f} s, {outcomes}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
