"""HTML pages to nodes: order, images, boilerplate, captions, encodings and caps."""

import time

import pytest

from pipelines.extract.encoding import decode
from pipelines.extract.image_source import parse_srcset, pixels, source_of
from pipelines.extract.page import Page, parse_page
from pipelines.frame.http_message import HttpHead
from schemas.recipe import ExtractSettings
from schemas.statuses import RecordOutcome

URL = "https://site.example/dir/page.html"
PROSE = "The keeper wrote down the weather every evening, and when the fog came in he rang the bell until morning."


def _parse(body: str, head: str = "", url: str = URL, **headers: str) -> Page:
    html = f"<!DOCTYPE html><html><head><title> A  page </title>{head}</head><body>{body}</body></html>"
    page = parse_page(html, url, HttpHead(200, {k: [v] for k, v in headers.items()}), ExtractSettings())
    assert isinstance(page, Page), page
    return page


def _texts(page: Page) -> list[str]:
    return [node.text for node in page.nodes if node.text is not None]


def _images(page: Page) -> list[str]:
    return [node.image for node in page.nodes if node.image is not None]


def test_texts_and_images_come_in_the_order_of_the_page() -> None:
    page = _parse(f"<h1>Fog</h1><p>{PROSE}</p><img src=a.jpg alt='The  bell'><p>Afterwards.</p><img src=/b.png>")
    assert [node.text or node.image for node in page.nodes] == [
        "Fog", PROSE, "https://site.example/dir/a.jpg", "Afterwards.", "https://site.example/b.png",
    ]  # fmt: skip
    assert page.nodes[2].alt == "The bell"
    assert page.title == "A page"


def test_inline_markup_does_not_break_words_and_breaks_stay() -> None:
    page = _parse("<p>One<b>two</b> <i>three</i>\n  four<br>five &amp; six&nbsp;seven</p>")
    assert _texts(page) == ["Onetwo three four\nfive & six seven"]


def test_an_image_inside_a_paragraph_divides_its_text() -> None:
    page = _parse("<p>Before <img src=x.jpg width=300 height='200px'> after.</p>")
    assert [node.text or node.image for node in page.nodes] == ["Before", "https://site.example/dir/x.jpg", "after."]
    assert (page.nodes[1].rendered_width, page.nodes[1].rendered_height) == (300, 200)


def test_lists_tables_and_code_are_kept_whole() -> None:
    page = _parse(
        "<ul><li>flour<li>water<li>salt</ul><table><tr><th>Tide</th><th>Hour</th></tr><tr><td>high</td><td>6</td></tr>"
        "</table><pre>def f():\n    return 1\n</pre>"
    )
    assert _texts(page) == ["flour\nwater\nsalt", "Tide | Hour\nhigh | 6", "def f():\n    return 1"]


def test_navigation_footers_and_runs_of_links_are_not_content() -> None:
    links = "".join(f"<li><a href=/{i}>Page number {i}</a></li>" for i in range(9))
    page = _parse(
        f"<nav>{links}</nav><header><a href=/>Home</a></header><main><h1>Fog</h1><p>{PROSE} <a href=/x>A link.</a></p>"
        f"<ul>{links}</ul></main><div class='cookie-banner'>We use cookies</div><footer>Copyright</footer>"
    )
    assert _texts(page) == ["Fog", f"{PROSE} A link."]


def test_an_element_with_most_of_the_text_stays_whatever_it_is_called() -> None:
    page = _parse(f"<div class='sidebar'><p>{PROSE}</p><p>{PROSE}</p></div><p>End.</p>")
    assert _texts(page) == [PROSE, PROSE, "End."]


def test_a_figcaption_is_text_and_the_caption_of_its_image() -> None:
    page = _parse(f"<p>{PROSE}</p><figure><img src=a.jpg><figcaption>The <b>bell</b></figcaption></figure>")
    image = next(node for node in page.nodes if node.image)
    assert image.caption == "The bell"
    assert "The bell" in _texts(page)


@pytest.mark.parametrize(
    ("html", "file"),
    [
        ("<img src='data:image/gif;base64,R0' data-src='real.jpg'>", "real.jpg"),
        ("<img src='spinner.gif' data-original='real.jpg'>", "real.jpg"),
        ("<img src=small.jpg srcset='small.jpg 300w, big.jpg 1200w, huge.jpg 4000w'>", "big.jpg"),
        ("<img src=small.jpg srcset='a,b.jpg 1x, c,d.jpg 2x'>", "c,d.jpg"),
        ("<img src='data:,' data-srcset='small.jpg 1x, big.jpg 2x'>", "big.jpg"),
        ("<picture><source srcset='a.avif 900w' type=image/avif><source srcset='a.webp 900w'><img src=a.jpg></picture>",
         "a.webp"),
        ("<picture><source type=image/svg+xml srcset=a.svg><img src=a.jpg></picture>", "a.jpg"),
        ("<noscript><img src=only.jpg></noscript>", "only.jpg"),
        ("<img src='with space.jpg'>", "with%20space.jpg"),
        ("<img src='..\\\\up.jpg'>", "../up.jpg"),
    ],
)  # fmt: skip
def test_the_image_that_is_really_shown_is_found(html: str, file: str) -> None:
    base = "https://site.example/dir/"
    expected = "https://site.example/up.jpg" if file == "../up.jpg" else base + file
    assert _images(_parse(f"<p>{PROSE}</p>{html}")) == [expected]


def test_a_lazy_image_and_its_noscript_twin_are_one() -> None:
    page = _parse(f"<p>{PROSE}</p><img data-src=a.jpg src='data:,x'><noscript><img src=a.jpg></noscript>")
    assert _images(page) == ["https://site.example/dir/a.jpg"]
    assert page.dropped_images["repeated"] == 1


def test_every_image_element_is_a_node_or_has_a_reason() -> None:
    page = _parse(
        f"<nav><img src=n.png></nav><p>{PROSE}</p><img src=a.jpg><img src=p.gif width=1 height=1><img alt=none>"
        "<img src='ftp://x/y.png'>"
    )
    assert _images(page) == ["https://site.example/dir/a.jpg"]
    assert {reason: count for reason, count in page.dropped_images.items() if count} == {
        "boilerplate": 1, "tracking_pixel": 1, "inline_or_missing": 1, "bad_url": 1,
    }  # fmt: skip


def test_base_href_and_protocol_relative_addresses() -> None:
    page = _parse(
        f"<p>{PROSE}</p><img src=a.jpg><img src=//cdn.example/b.jpg>", "<base href='https://media.example/x/'>"
    )
    assert _images(page) == ["https://media.example/x/a.jpg", "https://cdn.example/b.jpg"]


def test_directives_of_meta_and_headers_are_read_and_other_robots_are_not_us() -> None:
    page = _parse(
        f"<p>{PROSE}</p>",
        "<meta name=robots content='NoAI, noindex'><meta name=googlebot content=noimageai>"
        "<meta name=tdm-reservation content=1>",
        **{"x-robots-tag": "noarchive"},
    )
    assert page.directives == ["noai", "noarchive", "noindex", "tdm-reservation"]
    assert _parse(f"<p>{PROSE}</p>", **{"x-robots-tag": "otherbot: noai"}).directives == []


def test_srcset_candidates_as_the_standard_has_them() -> None:
    assert parse_srcset("a.jpg, b.jpg 2x,c.jpg 640w") == [("a.jpg", 1000), ("b.jpg", 2000), ("c.jpg", 640)]
    assert parse_srcset("data:image/png;base64,xx 1x") == []
    assert source_of({"src": ""}, []) is None


@pytest.mark.parametrize(("value", "expected"), [("300", 300), (" 20px ", 20), ("12.5", 12), ("50%", None), ("", None),
                                                 ("auto", None), ("-4", None), (None, None)])  # fmt: skip
def test_sizes_are_pixels_or_nothing(value: str | None, expected: int | None) -> None:
    assert pixels(value) == expected


@pytest.mark.parametrize(
    ("encoding", "header", "meta", "text"),
    [
        ("shift_jis", "iso-8859-1", "shift_jis", "灯台守は毎晩天気を書き留めた"),
        ("cp1252", "", "", "Der Gärtner schnitt – „müde“ – die Bäume und ließ die Äste liegen. "),
        ("gb2312", "gb2312", "", "灯塔看守人每天晚上都记下天气"),
        ("euc_kr", "", "euc-kr", "등대지기는 매일 저녁 날씨를 적었다"),
        ("utf-8", "iso-8859-1", "", "Łódź – café"),
        ("utf-8", "", "windows-1252", "naïve façade"),
        ("iso2022_jp", "iso-2022-jp", "", "灯台守"),
        ("cp1251", "windows-1251", "", "Смотритель маяка каждый вечер записывал погоду"),
        ("koi8_r", "", "koi8-r", "Смотритель маяка каждый вечер записывал погоду"),
    ],
)
def test_pages_are_read_in_their_real_encoding(encoding: str, header: str, meta: str, text: str) -> None:
    tag = f"<meta charset={meta}>" if meta else ""
    body = f"<html><head>{tag}</head><body><p>{text * 5}</p></body></html>".encode(encoding)
    assert text * 5 in decode(body, header)[0]


def test_a_byte_order_mark_decides_and_is_not_text() -> None:
    assert decode("\ufeff<p>é</p>".encode("utf-16-le"), "utf-8") == ("<p>é</p>", "utf-16-le")
    assert decode(b"\xef\xbb\xbf<p>\xc3\xa9</p>", "iso-8859-1") == ("<p>é</p>", "utf-8")


@pytest.mark.parametrize(
    ("html", "outcome"),
    [
        ("", RecordOutcome.EMPTY),
        (" \n ", RecordOutcome.EMPTY),
        ("<html><body></body></html>", RecordOutcome.NO_CONTENT),
        ("<i></i>" * 150_000, RecordOutcome.TOO_MANY_NODES),
        ("<div>" * 6_000 + "deep", RecordOutcome.TOO_DEEP),
        ("<ul><li>" * 6_000, RecordOutcome.TOO_DEEP),
        ("<div>" * 1_500 + f"<p>{PROSE}</p>" + "</div>" * 1_500, RecordOutcome.TOO_DEEP),
    ],
)
def test_pages_over_the_caps_are_a_status_within_a_second(html: str, outcome: RecordOutcome) -> None:
    began = time.monotonic()
    assert parse_page(html, URL, HttpHead(200), ExtractSettings()) is outcome
    assert time.monotonic() - began < 1
