"""Golden pages that are cut, spliced, nested and damaged: each is a page or a status, soon and without an exception."""

import time
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.extract.encoding import to_utf8
from pipelines.extract.page import Page, Source, parse_pages
from pipelines.frame.http_message import HttpHead
from schemas.recipe import ExtractSettings
from schemas.statuses import RecordOutcome

PAGES = [path.read_bytes() for path in sorted((Path(__file__).parent / "pages").glob("*.html"))]
CAPS = ExtractSettings()
OPENINGS = (
    b"<div>", b"</div>", b"<table>", b"<tr><td>", b"</table>", b"<p", b"<a href='", b"<!--", b"-->", b"<script>",
    b"</script>", b"<noscript>", b"</noscript>", b"<svg>", b"<math>", b"</math>", b"<template>", b"<select>",
    b"<ul><li>", b"<textarea>", b"<plaintext>", b"<pre>", b"<ruby><rt>", b"<header>", b"<picture><source srcset='",
    b"<figure>", b'<script type=\'application/ld+json\'>{"articleBody": "', b"<base href='//['>",
    b"<base href='http://[::1'>", b"<meta charset=utf-7>", b"<body class=x>", b"<frameset>", b"<h1>", b"<dl><dd>",
    b"<amp-img src=a>", b"<x-y>",
)  # fmt: skip
NOISE = (
    b"\x00", b"\x1f", b"\xff\xfe", b"\xed\xa0\x80", b"\xe2\x80\x8b", b"&#xD800;", b"&#1114112;", b"&nbsp;", b"&lt;",
    b'"', b"<br>", b"<img srcset='a 1w, ,,'>", b"<img src='//[]@'>", b"<img src='http://[x'>",
    b"<a<b>", b"<?php ?>", b"]]>",
    b"\x1b$B", b">", b"<",
)  # fmt: skip


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A golden page with up to six kinds of damage."""
    page = draw(st.sampled_from(PAGES))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(page)))
        length = draw(st.integers(0, 2000))
        match draw(st.sampled_from(("cut", "insert", "repeat", "splice", "overwrite", "nest", "strip", "end"))):
            case "cut":
                page = page[:at] + page[at + length :]
            case "insert":
                page = page[:at] + draw(st.sampled_from(OPENINGS + NOISE)) + page[at:]
            case "repeat":
                page = page[:at] + page[at : at + length] * draw(st.integers(2, 40)) + page[at:]
            case "splice":
                other = draw(st.sampled_from(PAGES))
                begin = draw(st.integers(0, len(other)))
                page = page[:at] + other[begin : begin + length] + page[at:]
            case "overwrite":
                page = page[:at] + draw(st.binary(max_size=40)) + page[at + 40 :]
            case "nest":
                page = page[:at] + draw(st.sampled_from(OPENINGS)) * draw(st.integers(1, 3000)) + page[at:]
            case "strip":
                page = page[:at] + page[at:].replace(draw(st.sampled_from((b"</", b">", b'"', b"<"))), b"", length)
            case "end":
                page = page[:at]
    return page


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(damaged(), st.sampled_from(("", "utf-8", "shift_jis", "windows-1252", "nonsense")))
def test_a_damaged_page_is_a_page_or_a_status_within_a_second(body: bytes, charset: str) -> None:
    began = time.process_time()
    utf8, _ = to_utf8(body, charset)
    (found,) = parse_pages([Source(utf8, "http://site.example/a", HttpHead(200, {}))], CAPS)
    assert time.process_time() - began < 1
    assert isinstance(found, Page | RecordOutcome)
    if isinstance(found, Page):
        assert found.nodes
        assert all((node.text is None) != (node.image is None) for node in found.nodes)
        assert all(node.text is None or node.text.strip() for node in found.nodes)
        assert all(node.image is None or node.image.startswith(("http://", "https://")) for node in found.nodes)
        found.text.encode()  # no half characters
