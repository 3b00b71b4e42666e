"""HTML pages to nodes: order, images, boilerplate, captions, encodings and caps."""

import time
from datetime import UTC, datetime

import numpy as np
import pytest

from pipelines.extract.assembly import nodes_of_pages, pieces_of, whole_rows
from pipelines.extract.blocks import find_blocks
from pipelines.extract.columns import columns_of
from pipelines.extract.content import _close_gaps, _head_what_is_kept
from pipelines.extract.encoding import decode, to_utf8
from pipelines.extract.image_source import parse_srcset, pixels, source_of
from pipelines.extract.page import Page, ReadPage, Source, parse_page, parse_pages, read_page
from pipelines.frame.http_message import HttpHead
from pipelines.frame.warc import Record, Slice, read_records
from schemas.recipe import ExtractSettings
from schemas.statuses import RecordOutcome
from tests.corpora import corpora

URL = "https://site.example/dir/page.html"
PROSE = "The keeper wrote down the weather every evening, and when the fog came in he rang the bell until morning."
SECOND = (
    "In the winter of the great ice the supply boat could not land for seven weeks, and the three families shared out "
    "their flour by the cup. The log of that year mentions no quarrel, only the depth of the snow."
)
THIRD = (
    "His daughter learned to read from the signal book. Long before she went to school on the mainland she could tell "
    "every steamer of the line by its lights, and she corrected the harbour master when he was wrong."
)
LAST = (
    "The lamp was made electric after the war, the bell was sold to a church, and the house stood empty until the "
    "society bought it. On Sundays in summer the stairs are open to anybody who does not mind the height."
)


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
    page = _parse(
        f"<h2>Fog</h2><p>{PROSE}</p><img src=a.jpg alt='The  bell'><p>{SECOND}</p>"
        f"<h2>Ice</h2><p>{THIRD}</p><p>{LAST}</p><img src=/b.png>"
    )
    assert [node.text or node.image for node in page.nodes] == [
        "Fog", PROSE, "https://site.example/dir/a.jpg", SECOND, "Ice", THIRD, LAST, "https://site.example/b.png",
    ]  # fmt: skip
    assert page.nodes[2].alt == "The bell"
    assert page.head.title == "A page"


def test_inline_markup_does_not_break_words_and_breaks_stay() -> None:
    page = _parse(f"<p>{PROSE}</p><p>One<b>two</b> <i>three</i>\n  four<br>five &amp; six&nbsp;seven. {SECOND}</p>")
    assert _texts(page) == [PROSE, f"Onetwo three four\nfive & six seven. {SECOND}"]


def test_an_image_inside_a_paragraph_follows_it_or_leads_it_and_never_divides_its_text() -> None:
    page = _parse(
        f"<p>{PROSE}</p><p>In the ice <img src=x.jpg width=300 height='200px'> nobody went hungry. {SECOND}</p>"
        f"<p> <a href=y-large.jpg><img src=y.jpg></a> <b>{THIRD}</b></p><p>{LAST}<img src=z.jpg></p>"
    )
    folder = "https://site.example/dir/"
    assert [node.text or node.image for node in page.nodes] == [
        PROSE, f"In the ice nobody went hungry. {SECOND}", folder + "x.jpg", folder + "y.jpg", THIRD, LAST,
        folder + "z.jpg",
    ]  # fmt: skip
    assert (page.nodes[2].rendered_width, page.nodes[2].rendered_height) == (300, 200)


def test_lists_tables_and_code_are_kept_whole() -> None:
    page = _parse(
        f"<p>{PROSE}</p><p>What the boat brought every month:</p><ul><li>flour for seven weeks<li>water in barrels"
        f"<li>salt and oil</ul><p>{SECOND}</p><p>{LAST}</p><h2>Days of fog in an ordinary year</h2>"
        "<table><tr><th>Month</th><th>Days of fog</th></tr><tr><td>January</td><td>11 days</td></tr>"
        f"<tr><td>April</td><td>4 days</td></tr></table><p>{THIRD} The programme of the new lamp is short:</p>"
        "<pre>def turn(seconds):\n    return 360 / seconds\n</pre>"
    )
    texts = _texts(page)
    assert "flour for seven weeks\nwater in barrels\nsalt and oil" in texts
    assert "Month | Days of fog\nJanuary | 11 days\nApril | 4 days" in texts
    assert "def turn(seconds):\n    return 360 / seconds" in texts


def _story(around: str = "{}") -> str:
    return around.format(f"<p>{PROSE} <a href=/x>A link.</a></p><p>{SECOND}</p><p>{THIRD}</p><p>{LAST}</p>")


STORY = [f"{PROSE} A link.", SECOND, THIRD, LAST]
LINKS = "".join(f"<li><a href=/{i}>Page number {i}</a></li>" for i in range(9))


@pytest.mark.parametrize(
    "around",
    [
        f"<nav>{LINKS}</nav><main>{{}}</main>",
        "<header><a href=/>Home</a> <a href=/about>About us</a></header><main>{}</main>",
        "<main>{}</main><footer><p>Copyright by the society</p><a href=/imprint>Imprint</a></footer>",
        f"<div role=navigation><ul>{LINKS}</ul></div><article>{{}}</article>",
        f"<div class=menu><ul>{LINKS}</ul></div><div class=content>{{}}</div>",
        f"<div class=content>{{}}</div><div id=sidebar><h3>Latest</h3><ul>{LINKS}</ul></div>",
        "<div class='breadcrumb'><a href=/>Home</a> &gt; <a href=/a>Stories</a></div><div>{}</div>",
        "<article>{}</article><div class='cookie-banner'><p>We use cookies here.</p><button>Fine</button></div>",
        f"<article>{{}}<h3>Related articles</h3><ul class=related>{LINKS}</ul></article>",
        "<article>{}</article><div class=share><a href=/t>Tweet</a><a href=/f>Share</a><a href=/m>Mail</a></div>",
    ],
    ids=["nav", "header", "footer", "role", "menu", "sidebar", "breadcrumb", "cookies", "related", "share"],
)
def test_what_surrounds_the_text_is_not_content(around: str) -> None:
    texts = _texts(_parse(_story(around)))
    assert [text for text in texts if text != "Related articles"] == STORY


def test_an_element_with_most_of_the_text_stays_whatever_it_is_called() -> None:
    page = _parse(f"<div class='sidebar'><p>{PROSE}</p><p>{SECOND}</p><p>{THIRD}</p></div><p>{LAST}</p>")
    assert _texts(page) == [PROSE, SECOND, THIRD, LAST]


@pytest.mark.parametrize("heading", ["Fog at the lighthouse", "FOG AT THE LIGHTHOUSE"])
def test_the_heading_that_repeats_the_title_is_the_title_and_no_text(heading: str) -> None:
    html = f"<html><head><title>Fog at the lighthouse</title></head><body><article><h1>{heading}</h1>{_story()}"
    page = parse_page(html, URL, HttpHead(200, {}), ExtractSettings())
    assert isinstance(page, Page)
    assert (page.head.title, _texts(page)) == ("Fog at the lighthouse", STORY)


TITLED = f"<p>{PROSE}</p><h2>Fog</h2><p>{SECOND}</p><h2>Lighthouse wiki</h2><p>{THIRD}</p><p>{LAST}</p>"
SECTIONS = [PROSE, "Fog", SECOND, "Lighthouse wiki", THIRD, LAST]


@pytest.mark.parametrize(
    ("title", "body", "texts"),
    [
        ("Fog - Lighthouse wiki", f"<h2>Lighthouse  wiki</h2><h1>Fog</h1>{TITLED}", SECTIONS),
        ("Fog", f"<h1>Fog</h1>{TITLED}", SECTIONS),
        ("Fog", f"<div style='display:none'><h2>Fog</h2></div><article><h1>Fog</h1>{TITLED}</article>", SECTIONS),
        ("Fog | Sea | Lighthouse wiki", f"<h2>Fog</h2><article><h1>Fog | Sea</h1>{TITLED}</article>", SECTIONS),
        ("Foghorns of the old world - wiki", f"<h1>Fog</h1>{TITLED}", ["Fog", *SECTIONS]),
        ("Fog", "<h1>Fog</h1>", ["Fog"]),
    ],
    ids=["parts", "whole", "copy", "joined", "no part", "alone"],
)  # fmt: skip
def test_headings_before_the_text_that_are_the_title_or_a_part_of_it_are_no_texts(
    title: str, body: str, texts: list[str]
) -> None:
    html = f"<html><head><title>{title}</title></head><body>{body}"
    page = parse_page(html, URL, HttpHead(200, {}), ExtractSettings())
    assert isinstance(page, Page) and _texts(page) == texts


@pytest.mark.parametrize("title", ["a" * 8_000_000, "a | " * 2_000_000])
def test_many_headings_below_an_endless_title_take_no_time(title: str) -> None:
    began = time.process_time()
    parse_page(f"<title>{title}</title>{'<h2>a</h2>' * 20_000}{_story()}", URL, HttpHead(200), ExtractSettings())
    assert time.process_time() - began < 3


def test_a_figcaption_is_the_caption_of_its_image_and_stands_beside_it() -> None:
    words = (
        "The keeper and his daughter beside <b>the bell</b>, photographed by the harbour master in the summer of 1911."
    )
    page = _parse(
        f"<article><p>{PROSE}</p><p>{SECOND}</p><figure><img src=a.jpg><figcaption>{words}</figcaption></figure>"
        f"<p>{THIRD}</p><p>{LAST}</p><figure><img src=b.jpg><figcaption>The stairs</figcaption></figure></article>"
    )
    plain = words.replace("<b>", "").replace("</b>", "")
    images = {node.image: node.caption for node in page.nodes if node.image}
    assert images == {"https://site.example/dir/a.jpg": plain, "https://site.example/dir/b.jpg": "The stairs"}
    assert [node.text or node.caption for node in page.nodes][2:4] == [plain, plain]


@pytest.mark.parametrize(
    ("html", "caption"),
    [
        ("<div class=thumb><a href=a.png><img src=a.jpg></a><div class=thumbcaption>The <b>bell</b></div></div>",
         "The bell"),
        ("<div class=figure><p class=title>Figure 1. The bell</p><div class=mediaobject><img src=a.jpg></div></div>",
         "Figure 1. The bell"),
        ("<div class=figcenter2><img src=a.jpg><p class=caption>The bell<br><a href=x.jpg><img src=zoom.jpg></a></p>"
         "</div>", "The bell"),
        (f"<figure><img src=a.jpg><figcaption>{SECOND} {THIRD}</figcaption></figure>", f"{SECOND} {THIRD}"),
        ("<figure><img src=a.jpg></figure></section><section><p class=caption>The bell</p>", None),
        ("<div class=caption><img src=a.jpg><img src=b.jpg><img src=c.jpg>Three bells</div>", None),
        (f"<div class=captions><img src=a.jpg><p>{' '.join([SECOND] * 8)}</p></div>", None),
        ("<div><img src=a.jpg><p>The bell</p></div>", None),
        ("<p><img src=a.jpg></p><p class=caption>A bell</p><p><img src=b.jpg></p><p class=caption>A ship</p>", None),
        ("<figure><pre>ring()</pre><figcaption>Listing 1</figcaption></figure><p><img src=a.jpg></p>", None),
        ("<div class=caption>The bell<div><img data-src=a.jpg><noscript><img src=a.jpg></noscript></div></div>", None),
        ("<div class=wp-caption><img data-src=a.jpg><noscript><img src=a.jpg></noscript><p class=caption>Bell</div>",
         "Bell"),
        ("<figure><figcaption>The bell <img src=a.jpg></figcaption></figure>", "The bell"),
        (f"<figure><img src=a.jpg><p>{SECOND}</p><p>{THIRD}</p><figcaption>The bell</figcaption></figure>", "The bell"),
        ("<figure><img src=b.jpg><img src=a.jpg><figcaption>Two bells</figcaption></figure>", "Two bells"),
        ("<div class=figure><p class=title>Two bells</p><div><img src=b.jpg></div><div><img src=a.jpg></div></div>",
         "Two bells"),
        ("<div class=figure>A ship<br><img src=b.jpg></div><div class=figure><img src=a.jpg><p>A bell</p></div>",
         "A bell"),
        ("<div><img src=a.jpg><div><div><p class=caption>The bell</p></div></div></div>", "The bell"),
        ("<div><img src=a.jpg><div><div><div><p class=caption>The bell</p></div></div></div></div>", None),
        ("<figure><img src=a.jpg><figcaption>* * *</figcaption></figure>", None),
        (f"<figure><img src=a.jpg><figcaption>{'bell' * 2_000}</figcaption></figure>", "bell" * 1_250),
    ],
    ids=["wiki", "docbook", "zoom", "long", "far", "many", "wrapper", "unnamed", "pairs", "listing", "before", "twin",
         "inside", "beside", "two", "title", "neighbour", "above", "far above", "wordless", "endless"],
)  # fmt: skip
def test_a_caption_is_what_is_named_so_beside_the_image(html: str, caption: str | None) -> None:
    page = _parse(
        f"<article><p>{PROSE}</p><p>{SECOND}</p><section>{html}</section><p>{THIRD}</p><p>{LAST}</p></article>"
    )
    assert {n.image: n.caption for n in page.nodes if n.image}["https://site.example/dir/a.jpg"] == caption


@pytest.mark.parametrize(("images", "caption"), [(50, "Bells"), (51, None)])
def test_a_gallery_shares_its_caption_and_a_whole_album_does_not(images: int, caption: str | None) -> None:
    gallery = "".join(f"<img src={i}.jpg alt='Bell {i}'>" for i in range(images))
    page = _parse(f"<article>{_story()}<figure>{gallery}<figcaption>Bells</figcaption></figure></article>")
    assert {node.caption for node in page.nodes if node.image} == {caption}


@pytest.mark.parametrize(
    ("top", "shown"),
    [
        ("<div class=featured-image><img src=a.jpg></div>", True),
        ("<div class=featured-image><a href=/other><img src=a.jpg></a></div>", False),
        ("<div class=share><img src=a.jpg></div>", False),
        ("<div class=promo><figure><img src=a.jpg><figcaption>The bell</figcaption></figure></div>", True),
        (f"<div><img src=a.jpg>{'<noscript><img src=b.jpg></noscript>' * 2}<p class=c>The old bell.</p></div>", True),
        ("<div><img src=a.jpg><img src=b.jpg><img src=c.jpg><p class=c>The old bell.</p></div>", False),
    ],
    ids=["featured", "leads on", "share", "promo", "twins", "several"],
)
def test_a_picture_on_top_belongs_to_the_article_unless_its_box_leads_to_another_page(top: str, shown: bool) -> None:
    noise = (
        "<p class=byline>By the keeper of the lighthouse, on a Monday in the winter of the great ice, at the desk</p>"
    )
    page = _parse(f"<article><div class=top>{top}{noise if 'class=c' in top else ''}</div>{_story()}</article>")
    assert ("https://site.example/dir/a.jpg" in _images(page)) is shown


@pytest.mark.parametrize(
    ("shared", "image", "shown"),
    [
        ("https://cdn.example/x/keeper-of-fog-1200x630.jpg?w=9", "/i/keeper-of-fog-300x200.jpg", True),
        ("/i/keeper-of-fog.jpg", "/i/keeper-of-fog-scaled.webp", True),
        ("/i/keeper-of-fog.jpg", "/resize/keeper-of-fog_w=300_.jpg", True),
        ("/i/keeper-of-fog.jpg", "/i/keeper-of-foghorns.jpg", False),
        ("/i/keeper-of-fog.jpg", "/i/keeper-of-fog-bells.jpg", False),
        ("/i/keeper-of-fog.jpg", "/i/beekeeper-of-fog.jpg", False),
        ("/fog-and-ice/photo.jpg", "/s/fog-and-ice/photo.jpg", True),
        ("/fog-and-ice/photo.jpg", "/s/bells/photo.jpg", False),
        ("/photo.jpg", "/photo.jpg", False),
        ("/i/keeper-of-fog-logo.png", "/i/keeper-of-fog-logo.png", False),
        ("https%3A%2F%2Fcdn.example%2Fkeeper-of-fog.jpg", "/f/cdn.example%2Fkeeper-of-fog.jpg", True),
        ("https://[cdn/keeper-of-fog.jpg", "/i/keeper-of-fog.jpg", False),
        ("https://www.keeper-of-fog.example/", "https://www.keeper-of-fog.example/a.jpg", False),
    ],
)  # fmt: skip
def test_the_picture_that_a_page_is_shared_with_is_content_wherever_it_stands(
    shared: str, image: str, shown: bool
) -> None:
    links = f"<div class=related><a href=/other><img src={image}>{SECOND}</a></div>"
    page = _parse(f"{links}<article>{_story()}</article>", head=f"<meta property=og:image content='{shared}'>")
    assert bool(_images(page)) is shown


def test_the_picture_that_a_page_is_shared_with_is_found_in_sources_and_not_as_an_icon() -> None:
    head = "<meta name=twitter:image content=/i/keeper-of-fog.jpg>"
    source = "<picture><source srcset='/l/keeper-of-fog.jpg 900w'><img src=/t.gif></picture>"
    related = f"<div class=related><a href=/other>{{}}{SECOND}</a></div><article>{_story()}</article>"
    assert _images(_parse(related.format(source), head=head)) == ["https://site.example/l/keeper-of-fog.jpg"]
    for width, images in ((127, []), (128, ["https://site.example/keeper-of-fog.jpg"])):
        icon = f"<img width={width} height=70 src=/keeper-of-fog.jpg>"
        assert _images(_parse(related.format(icon), head=head)) == images


def test_a_placeholder_is_no_picture_of_whatever_size() -> None:
    html = "".join(
        f"<p><img width=600 height=400 src={name}></p>" for name in ("/i/blank.gif", "/no-image.jpg", "/i/b.jpg")
    )
    assert _images(_parse(_story() + html)) == ["https://site.example/i/b.jpg"]


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        ("src=/pixel-8/front.jpg", None),
        ("src=https://pixelcaster.example/ski.jpg", None),
        ("src=/tomatomozzarella.jpg", None),
        ("src=/google-pixel.jpg", None),
        ("src=/fog.jpg class='loader clear bg-transparent'", None),
        ("src=/google-pixel.gif", "decoration"),
        ("src=/blue.jpg class='swatch small'", "decoration"),
        ("src=/fog.jpg class='header siteLogo'", "decoration"),
        ("src=/company-logo.JPG", "decoration"),
        ("src=/pixel/8/front.jpg", None),
        ("src=/pixel_art.png", None),
        ("src=https://a.example/pixel/f8a56facacc67cd9.gif", "tracking_pixel"),
        ("src=https://a.example/akam/13/pixel_1cf1b50b?a=d", "tracking_pixel"),
        ("src=https://matomo.a.example/i.php?id=1", "tracking_pixel"),
        ("src=https://track.a.example/i.png", "tracking_pixel"),
    ],
)
def test_what_is_no_picture_by_its_names(image: str, reason: str | None) -> None:
    page = _parse(f"{_story()}<p><img {image}></p>")
    assert len(_images(page)) == (reason is None)
    assert reason is None or page.dropped_images[reason] == 1


def test_an_animation_is_a_picture_and_a_counter_is_none() -> None:
    page = _parse(_story() + "<p><img src=/2017/05/seascapes.gif></p><p><img src=/count.gif?page=17></p>")
    assert _images(page) == ["https://site.example/2017/05/seascapes.gif"]
    assert page.dropped_images["tracking_pixel"] == 1


def test_what_is_named_for_a_title_is_kept_before_what_is_kept_and_not_dropped_alone() -> None:
    kept = np.array([False, True, False, False, True])
    heading, named = np.array([False, False, False, False, False]), np.array([True, False, False, True, True])
    chance = np.array([0.2, 0.9, 0.2, 0.05, 0.4])
    page = np.zeros(5, np.int64)
    _head_what_is_kept(kept, chance, named, heading, page)
    assert kept.tolist() == [True, True, False, False, True]
    _head_what_is_kept(kept, chance, named, named, page)
    assert kept.tolist() == [True, True, False, False, False]


def test_what_the_next_page_begins_with_is_not_what_a_heading_heads_nor_what_closes_a_gap() -> None:
    kept, chance, named = np.array([True, False, False, True]), np.full(4, 0.5), np.array([False, False, True, False])
    none, page = np.zeros(4, np.bool_), np.array([0, 0, 0, 1])
    _head_what_is_kept(kept, chance, named, none, page)
    _close_gaps(kept, chance, page, ~none)
    assert kept.tolist() == [True, False, False, True]
    _head_what_is_kept(kept, chance, named, none, np.zeros(4, np.int64))
    assert kept.tolist() == [True, False, True, True]
    _close_gaps(kept, chance, np.zeros(4, np.int64), none)
    assert kept.tolist() == [True, False, True, True]
    _close_gaps(kept, chance, np.zeros(4, np.int64), ~none)
    assert kept.tolist() == [True, True, True, True]


def test_what_is_named_for_a_title_is_kept_with_its_box() -> None:
    page = _parse(
        f"<article><p>{PROSE}</p><div class=sidebar><p class=title>Ships and bells</p><p>{SECOND}</p></div>"
        f"<p>{THIRD}</p><p>{LAST}</p></article>"
    )
    assert _texts(page) == [PROSE, "Ships and bells", SECOND, THIRD, LAST]


def test_an_address_on_a_line_of_its_own_stays_with_the_sentence_before_it() -> None:
    address = "<div class=url>→ <a href=https://fog.example/log>https://fog.example/log</a></div>"
    page = _parse(f"<article><p>{PROSE}</p>{address}<p>{SECOND}</p><p>{THIRD}</p><p>{LAST}</p></article>")
    assert _texts(page) == [PROSE, "→ https://fog.example/log", SECOND, THIRD, LAST]
    page = _parse(f"{address}<div class=menu><a href=/>Home</a>{address}</div><article>{_story()}</article>")
    assert _texts(page) == STORY


@pytest.mark.parametrize(
    "behind",
    [
        "<p class=source>来源：https://a.example/1</p><p>版权声明：https://c.example/本站所有内容仅供学习</p>",
        "<div class=share><a href=x>https://t.example/share?u=1</a></div>" * 6,
        "<div class=url style='display:none'>https://a.example/1</div>",
        f"<div class=footer>https://a.example/{'a' * 300}</div>",
    ],
)
def test_addresses_in_what_is_said_below_the_text_stay_out(behind: str) -> None:
    assert _texts(_parse(f"<article>{_story()}</article>{behind}")) == STORY


def test_a_hidden_address_and_one_that_is_the_title_stay_out() -> None:
    address = "https://fog.example/log"
    hidden = f"<p style='display:none'>{address}</p>"
    assert _texts(_parse(f"<p>{PROSE}</p>{hidden}<p>{SECOND}</p><p>{THIRD}</p>")) == [PROSE, SECOND, THIRD]
    page = parse_page(
        f"<title>{address}</title><p>{PROSE}</p><h1>{address}</h1><p>{SECOND}</p><p>{THIRD}</p>",
        URL, HttpHead(200), ExtractSettings(),
    )  # fmt: skip
    assert isinstance(page, Page) and _texts(page) == [PROSE, SECOND, THIRD]


def test_a_line_between_texts_stays() -> None:
    page = _parse(f"<article><p>{PROSE}</p><p>{SECOND}</p><p class=note>Fog.</p><p>{THIRD}</p><p>{LAST}</p></article>")
    assert _texts(page) == [PROSE, SECOND, "Fog.", THIRD, LAST]


def test_cards_keep_the_heading_over_them() -> None:
    cards = "".join(
        f"<li class=product-card><a href=/{i}><img src={i}.jpg><h3>Bell of {i} pounds</h3></a><span>{7 * i} €</span>"
        for i in range(12, 24)
    )
    page = _parse(f"<h1>Bells</h1><ul>{cards}</ul><h3 class=widget-title>Small</h3><ul>{cards}</ul>")
    assert [text for text in _texts(page) if "€" not in text and "pounds" not in text] == ["Bells", "Small"]


def test_marks_of_wikis_and_books_between_texts_go() -> None:
    page = _parse(
        f"<div ID=siteSub class=noprint>From the free lighthouse wiki</div><p>{PROSE}</p><h2>Ice<span "
        "class='mw-editsection'><span>[</span><a href=/edit>edit</a><span>]</span></span></h2>"
        f"<p>In the winter <span class=pagenum id=p2>2</span>of 1911. {SECOND}</p><p>{THIRD}</p><p>{LAST}</p>"
    )
    assert _texts(page) == [PROSE, "Ice", f"In the winter of 1911. {SECOND}", THIRD, LAST]


@pytest.mark.parametrize(
    "around",
    [
        "<html id=siteSub><body id=siteSub>{}",
        "<body id=siteSub>{}",
        "<head><title id=siteSub>A</title><body>{}<p><span class=pagenum>1" + "<span class=pagenum>2" * 900,
        "<body><div><span class=pagenum>{}</div>",
    ],
)
def test_marks_in_odd_places(around: str) -> None:
    page = parse_page(around.format(_story()), URL, HttpHead(200, {}), ExtractSettings())
    assert isinstance(page, Page) and _texts(page) == STORY


def test_letters_and_digits_of_any_script_and_pieces_of_lists_and_code_stay() -> None:
    rows = "<tr><th>مدينة</th><td>١٩١٠</td></tr><tr><th>Loud</th><td>✓</td><td>yes</td></tr>"
    page = _parse(
        f"<article><p>{PROSE}</p><p>№ Ⅳ</p><p>{SECOND}</p><table>{rows}</table><p>{THIRD}</p>"
        "<p>The programme of the new lamp is short:</p><pre><div>function turn(seconds) {</div><div>    return 360 / "
        f"seconds;</div><div>}}</div></pre><p>{LAST}</p></article>"
    )
    text = page.text
    assert "مدينة | ١٩١٠\nLoud | ✓ | yes" in text and "№ Ⅳ" in text
    assert "function turn(seconds) {\n    return 360 / seconds;\n}" in text


def test_a_text_without_letters_and_digits_is_none() -> None:
    page = _parse(f"<article><p>{PROSE}</p><p>[*]</p><p>{SECOND}</p><p>]]></p><p>{THIRD}</p><p>{LAST}</p></article>")
    assert _texts(page) == [PROSE, SECOND, THIRD, LAST]


@pytest.mark.parametrize(
    ("html", "file"),
    [
        ("<img src='data:image/gif;base64,R0' data-src='real.jpg'>", "real.jpg"),
        ("<img src='spinner.gif' data-original='real.jpg'>", "real.jpg"),
        ("<img src=small.jpg srcset='small.jpg 300w, big.jpg 1200w, huge.jpg 4000w'>", "big.jpg"),
        ("<img src=small.jpg srcset='a,b.jpg 1x, c,d.jpg 2x'>", "c,d.jpg"),
        ("<img src='data:,' data-srcset='small.jpg 1x, big.jpg 2x'>", "big.jpg"),
        ("<img src='data:,' nitro-lazy-srcset='small.jpg 300w, big.jpg 900w' nitro-lazy-src=small.jpg>", "big.jpg"),
        ("<img src='data:,' ta-src-delete=i/big.jpg>", "i/big.jpg"),
        ("<img src=a.jpg data-src='a.jpg?w={width}'>", "a.jpg"),
        ("<img src=a.jpg data-src='a_%7Bwidth%7Dx.jpg'>", "a.jpg"),
        ("<img data-lazy='[small.jpg, (default)], [large.jpg, (large)]'>", "large.jpg"),
        ("<img data-lazy='[small.jpg, (default)]'>", "small.jpg"),
        ("<img width=0 height=0 sizes=100vw srcset='small.jpg 300w, big.jpg 900w'>", "big.jpg"),
        ("<picture><source srcset='a.avif 900w' type=image/avif><source srcset='a.webp 900w'><img src=a.jpg></picture>",
         "a.webp"),
        ("<picture><source type=image/svg+xml srcset=a.svg><img src=a.jpg></picture>", "a.jpg"),
        ("<picture><source media='(max-width: 767px)' srcset='s.jpg 1x, s2.jpg 2x'><img src=l.jpg></picture>", "l.jpg"),
        ("<picture><source media='(max-width: 30em)' srcset=s.jpg><source srcset=l.jpg><img src=s.jpg></picture>",
         "l.jpg"),
        ("<picture><source media='(min-width: 999px)' srcset=l.jpg><source media='(max-width: 998px)' srcset=s.jpg>"
         "<img src=m.jpg></picture>", "l.jpg"),
        ("<picture><source media='(max-width: 767px)' srcset='s.jpg 1500w'><img src=m.jpg></picture>", "s.jpg"),
        ("<picture><source media='(max-width: 767px)' srcset=s.jpg><img src='data:,'></picture>", "s.jpg"),
        ("<picture><source media='(prefers-color-scheme: dark)' srcset=d.jpg><img src=l.jpg></picture>", "l.jpg"),
        ("<img src='s.jpg?q=7' srcset='s.jpg?q=9 600w, l.jpg?q=9 2000w'>", "s.jpg?q=7"),
        ("<img src='a.jpg?w=300' srcset='a.jpg?w=600 600w, a.jpg?w=1200 1200w'>", "a.jpg?w=1200"),
        ("<figure role=group itemid='late.jpg?q=9'><figcaption>The stairs</figcaption></figure>", "late.jpg?q=9"),
        ("<figure style='margin: 0; background-image: url(\"behind.jpg\")'></figure>", "behind.jpg"),
        ("<figure itemid=large.jpg><img src=shown.jpg></figure>", "shown.jpg"),
        ("<noscript><img src=only.jpg></noscript>", "only.jpg"),
        ("<img src='with space.jpg'>", "with%20space.jpg"),
        ("<img src='..\\\\hill.jpg'>", "../hill.jpg"),
    ],
)  # fmt: skip
def test_the_image_that_is_really_shown_is_found(html: str, file: str) -> None:
    base = "https://site.example/dir/"
    expected = "https://site.example/hill.jpg" if file == "../hill.jpg" else base + file
    assert _images(_parse(f"<p>{PROSE}</p>{html}")) == [expected]


def test_a_lazy_image_and_its_noscript_twin_are_one() -> None:
    page = _parse(f"<p>{PROSE}</p><img data-src=a.jpg src='data:,x'><noscript><img src=a.jpg></noscript>")
    assert _images(page) == ["https://site.example/dir/a.jpg"]
    assert page.dropped_images["repeated"] == 1


@pytest.mark.parametrize(
    ("html", "shown"),
    [
        ("<img data-src=/i/keeper-of-fog-1024x768.jpg><noscript><img src=/i/keeper-of-fog-300x200.jpg></noscript>",
         ["/i/keeper-of-fog-1024x768.jpg"]),
        ("<img src=/i/keeper-of-fog.jpg?quality=1><img src=/i/keeper-of-fog.jpg?quality=80>",
         ["/i/keeper-of-fog.jpg?quality=80"]),
        ("<img src=/max/44/keeper-of-fog.jpg?q=20><noscript><img src=/max/796/keeper-of-fog.jpg></noscript>",
         ["/max/796/keeper-of-fog.jpg"]),
        ("<img src=/w_49,blur_30/keeper-of-fog.jpg><img src=/w_490/keeper-of-fog.jpg>", ["/w_490/keeper-of-fog.jpg"]),
        ("<img class=only-dark src=/i/fog-dark.jpg><img class=only-light src=/i/fog-light.jpg>", ["/i/fog-light.jpg"]),
        ("<img src=/fog.png#gh-light-mode-only><img src=/fog_dark.png#gh-dark-mode-only>", ["/fog.png"]),
        ("<img src=/i/fog-dark.jpg><img src=/i/fog-light.jpg>", ["/i/fog-dark.jpg", "/i/fog-light.jpg"]),
        ("<img src=/a/keeper-of-fog.jpg><img src=/b/keeper-of-fog.jpg>",
         ["/a/keeper-of-fog.jpg", "/b/keeper-of-fog.jpg"]),
        ("<img data-src=/i/keeper-of-fog.jpg><noscript><img src=/i/keeper-of-ice.jpg></noscript>",
         ["/i/keeper-of-fog.jpg", "/i/keeper-of-ice.jpg"]),
    ],
)  # fmt: skip
def test_a_picture_and_its_twin_of_another_size_are_one(html: str, shown: list[str]) -> None:
    page = _parse(f"<article>{_story()}<figure>{html}</figure></article>")
    assert _images(page) == [f"https://site.example{path}" for path in shown]


def test_every_image_element_is_a_node_or_has_a_reason() -> None:
    page = _parse(
        f"<nav><img src=n.png></nav><header><a href=/><img src=logo.png></a></header>{_story()}<img src=a.jpg>"
        "<img src=p.gif width=1 height=1><noscript><img src='z.gif?Log=1' alt=z></noscript><img alt=none>"
        "<img src='ftp://x/y.png'><img src=a.jpg><img src=i.png width=16>"
        "<aside><a href=/z><img src=teaser.png>Another story about a lamp</a></aside><footer><img src=f.png></footer>"
        "<figure data-late=a.jpg></figure><figure>No picture</figure><figure style='background: url(ftp://x/y)'></figure>"
    )
    assert _images(page) == ["https://site.example/dir/a.jpg"]
    assert {reason: count for reason, count in page.dropped_images.items() if count} == {
        "boilerplate": 4, "tracking_pixel": 2, "inline_or_missing": 1, "bad_url": 2, "repeated": 2, "decoration": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("shown", "outcome"),
    [
        ("<p>You need to enable JavaScript to run this app.</p>", RecordOutcome.NO_CONTENT),
        ("<p>雾来了，灯塔看不见。</p>", RecordOutcome.NO_CONTENT),
        (f"<p>{PROSE}</p>", Page),
        ("<p>You need to enable JavaScript to run this app.</p><img src=a.jpg alt='The lighthouse' width=640>", Page),
    ],
)
def test_a_page_that_says_next_to_nothing_has_no_content(shown: str, outcome: object) -> None:
    """Unless there is a picture, or the page is hardly larger than what it says."""
    scripts = f"<script>{'a = 1;' * 2_000}</script>"
    found = parse_page(f"<html><body>{shown}{scripts}</body></html>", URL, HttpHead(200, {}), ExtractSettings())
    assert outcome in (found, type(found))
    assert isinstance(parse_page(f"<html><body>{shown}", URL, HttpHead(200, {}), ExtractSettings()), Page)


def _crawled(site: str) -> list[Page | RecordOutcome]:
    pages = [
        Source(to_utf8(record.payload, record.head.charset)[0], record.url, record.head)
        for record in read_records(Slice(str(corpora() / "warcs" / f"{site}.test.warc.gz")), lambda *_: 1 << 24)
        if isinstance(record, Record) and record.head and record.head.status == 200 and record.type == "response"
    ]
    return parse_pages(pages, ExtractSettings())


def test_no_page_of_a_site_has_its_title_among_its_texts() -> None:
    """The kinds of these pages are a guess, on which the choice of a title shall not depend."""
    pages = [page for page in _crawled("handbook") if isinstance(page, Page)]
    assert len(pages) > 500
    assert [page.head.title for page in pages if page.texts and page.texts[0] == page.head.title] == []


def test_what_the_models_do_not_believe_in_is_no_content() -> None:
    """The longest text of an empty calendar or venue is what the footer says of the funds."""
    found = _crawled("marine-bon")
    kept = [page.text for page in found if isinstance(page, Page)]
    assert len(found) == 417 and len(kept) > 200
    funds = [text for text in kept if text.startswith("The U.S MBON projects are funded")]
    assert len(funds) <= 4  # of 166


@pytest.mark.parametrize(
    ("content", "outcome"),
    [
        ("0;url=/new", RecordOutcome.REDIRECT), (" 3 , URL = '/new'", RecordOutcome.REDIRECT),
        ("0 /new", RecordOutcome.REDIRECT), (".5;url=/new", RecordOutcome.REDIRECT),
        ("600;url=/new", Page), ("0", Page), (f"5; url={URL}", Page), (" foo", Page), ("; url=/new", Page),
        ("0url=/new", Page), ("0;" + " " * 100_000, RecordOutcome.NO_CONTENT),
        (" " * 100_000 + "/new", RecordOutcome.NO_CONTENT),
    ],
)  # fmt: skip
def test_a_page_that_only_sends_its_reader_on_is_a_redirect(content: str, outcome: object) -> None:
    head = f'<html><head><meta http-equiv="Refresh" content="{content}"></head><body>'
    began = time.process_time()
    found = parse_page(f"{head}<p>Redirect to: /new", URL, HttpHead(200, {}), ExtractSettings())
    assert outcome in (found, type(found))
    assert time.process_time() - began < 1
    assert isinstance(parse_page(head + _story(), URL, HttpHead(200, {}), ExtractSettings()), Page)


def test_a_refresh_for_readers_without_scripts_sends_nobody_on() -> None:
    refresh = "<noscript><meta http-equiv=refresh content='0;url=/no-script'></noscript>"
    assert _texts(_parse("<p>Fog at the lighthouse", refresh)) == ["Fog at the lighthouse"]


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
    assert page.head.directives == ("noai", "noarchive", "noindex", "tdm-reservation")
    assert _parse(f"<p>{PROSE}</p>", **{"x-robots-tag": "otherbot: noai"}).head.directives == ()


def test_srcset_candidates_as_the_standard_has_them() -> None:
    found = [(url, width) for url, width, _ in parse_srcset("a.jpg, b.jpg 2x,c.jpg 640w")]
    assert found == [("a.jpg", 1000), ("b.jpg", 2000), ("c.jpg", 640)]
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
        ("<div>" * 100_000 + "deep", RecordOutcome.TOO_DEEP),
        ("<x-y>" * 100_000 + "deep", RecordOutcome.TOO_DEEP),
        ("<div>" * 1_000_000, RecordOutcome.TOO_MANY_NODES),
        ("<ul><li>" * 6_000, RecordOutcome.TOO_DEEP),
        ("<div>" * 1_500 + f"<p>{PROSE}</p>" + "</div>" * 1_500, RecordOutcome.TOO_DEEP),
    ],
)
def test_pages_over_the_caps_are_a_status_within_a_second(html: str, outcome: RecordOutcome) -> None:
    began = time.monotonic()
    assert parse_page(html, URL, HttpHead(200), ExtractSettings()) is outcome
    assert time.monotonic() - began < 1


def test_a_hundred_captions_of_many_images_take_no_time() -> None:
    html = f"<p>{PROSE}</p><figure>{'<img src=a.jpg>' * 48}{'<p class=caption>&#1;</p>' * 40_000}</figure>"
    began = time.process_time()
    _parse(html)
    assert time.process_time() - began < 1.5


STRAYS = ["<noscript><img src=/tr height=1 width=1></noscript>", "<div></div>", "<iframe></iframe>", "&nbsp;", "word"]


@pytest.mark.parametrize("stray", STRAYS)
def test_what_a_head_says_behind_a_stray_element_is_heard(stray: str) -> None:
    said = (
        "<title>The bell</title><meta name=robots content='noai, noimageai'><meta name=tdm-reservation content=1>"
        "<base href=https://cdn.example/><meta property=article:published_time content=2021-02-03>"
    )
    html = f"<!DOCTYPE html><html><head>{stray}{said}</head><BODY>{_story()}<img src=a.jpg></BODY></html>"
    page = parse_page(html, URL, HttpHead(200), ExtractSettings())
    assert isinstance(page, Page)
    assert (page.head.title, page.head.base) == ("The bell", "https://cdn.example/")
    assert set(page.head.directives) == {"noai", "noimageai", "tdm-reservation"}
    assert page.head.published == datetime(2021, 2, 3, tzinfo=UTC)
    assert _images(page) == ["https://cdn.example/a.jpg"]
    assert "word" not in _texts(page)


def test_what_the_head_says_counts_before_what_the_body_says() -> None:
    page = _parse(_story() + "<title>Other</title><meta name=date content=2001-01-01><meta itemprop=x content=y>",
                  head="<meta name=date content=2002-02-02>")  # fmt: skip
    assert (page.head.title, page.head.published) == ("A page", datetime(2002, 2, 2, tzinfo=UTC))


@pytest.mark.parametrize("date", ["0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "1970-01-01", "2999-01-01"])
def test_a_date_that_means_none_is_none_and_another_is_taken(date: str) -> None:
    head = f"<meta property=article:published_time content={date}>"
    assert _parse(_story(), head=head).head.published is None
    head += "<meta name=date content=1970-01-02>"
    assert _parse(_story(), head=head).head.published == datetime(1970, 1, 2, tzinfo=UTC)


def test_the_licence_of_a_script_is_not_that_of_the_page() -> None:
    link = "https://creativecommons.org/licenses/by/4.0/"
    for html in (f"<script>/* {link} */</script>", f"<!-- {link} -->", f"<p title={link}>Bell</p>"):
        assert _parse(_story() + html).head.licenses == ()
    assert _parse(_story() + f"<p><a href={link}>CC BY</a></p>").head.licenses == (link,)


@pytest.mark.parametrize("declared", ["", "utf-8"])
def test_korean_in_its_own_encoding_is_found(declared: str) -> None:
    korean = "등대지기는 매일 저녁 날씨를 기록하였고, 안개가 끼면 아침까지 종을 울렸다."
    assert to_utf8(f"<p>{korean}</p>".encode("cp949"), declared) == (f"<p>{korean}</p>".encode(), "cp949")
    latin = "<p>Ma\u00eftresse, l'\u00e9t\u00e9 est l\u00e0 " + "\u00e9\u00e8 " * 40
    assert to_utf8(latin.encode("cp1252"), declared)[1] != "cp949"


@pytest.mark.parametrize(
    "formula",
    [
        "<span class=katex><span class=katex-mathml><math><semantics><mfrac><mi>a</mi><mi>b</mi></mfrac>"
        "<annotation encoding='application/x-tex'>\\frac{a}{b}</annotation></semantics></math></span>"
        "<span class=katex-html aria-hidden=true><span>b</span><span>a</span></span></span>",
        "<span class=MathJax_Preview>x</span><span class=MathJax id=m1><span>a</span>b</span>"
        "<script type='math/tex'>\\frac{a}{b}</script>",
    ],
)
def test_a_formula_that_a_script_has_drawn_comes_once(formula: str) -> None:
    page = _parse(f"<article>{_story()}<p>The height of the tower is {formula} of what the chart says.</p></article>")
    assert _texts(page)[-1] == "The height of the tower is \\frac{a}{b} of what the chart says."


def test_drawn_formulas_nest_and_one_that_was_not_closed_takes_no_text_with_it() -> None:
    nested = "<span class=MathJax_Preview><span class=MathJax><span class=MathJax>a</span></span></span>" * 9
    script = "<script type='math/tex'>a</script>"
    page = _parse(
        f"<article>{_story()}<p>The height of the tower is {nested}{script} of what the chart says.</p></article>"
    )
    assert _texts(page)[-1] == "The height of the tower is a of what the chart says."
    page = _parse(f"<article><div><span class=katex-html>{script}{_story()}</div></article>")
    assert set(STORY) <= set(_texts(page))


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("2<sup>64</sup> bells", "2⁶⁴ bells"),
        ("10<sup class=e> -6 </sup> m", "10⁻⁶ m"),
        ("10<sup>−6</sup>", "10⁻⁶"),
        ("as the log says.<sup><a href=#n1>1</a></sup>", "as the log says.¹"),
        ("the 4<sup>th</sup> bell<sup>®</sup>", "the 4th bell®"),
        ("2<sup>2<sup>3</sup></sup>", "22³"),
        ("a bell<sup>[1]</sup>, 12<sup>345678</sup>", "a bell[1], 12345678"),
    ],
)
def test_raised_numbers_stay_raised(html: str, text: str) -> None:
    page = _parse(f"<article>{_story()}<p>The keeper wrote down {html}</p></article>")
    assert _texts(page)[-1] == f"The keeper wrote down {text}"


def test_the_first_base_is_the_base() -> None:
    page = _parse(_story() + "<base href=https://c.example/><img src=a.jpg>",
                  head="<base href=https://a.example/><base href=https://b.example/>")  # fmt: skip
    assert _images(page) == ["https://a.example/a.jpg"]


def test_line_numbers_are_no_code() -> None:
    code = "def ring(bell):\n    bell.swing()"
    table = f"<table><tr><td class=gutter><pre>1\n2</pre></td><td><pre>{code}</pre></td></tr></table>"
    texts = _texts(_parse(f"<article>{_story()}<h2>The code</h2>{table}<p>{PROSE}</p></article>"))
    assert code in texts
    assert not any(text.startswith("1") for text in texts)


def test_xhtml_has_empty_elements() -> None:
    head = "<head><script src='a.js'/><title/></head>"
    html = f"<html xmlns='http://www.w3.org/1999/xhtml'>{head}<body>{_story()}</body></html>"
    xhtml = HttpHead(200, {"content-type": ["application/xhtml+xml; charset=utf-8"]})
    page = parse_page(html, URL, xhtml, ExtractSettings())
    assert isinstance(page, Page)
    assert _texts(page) == STORY


def test_the_rows_of_a_table_are_kept_whole() -> None:
    rows = "".join(f"<tr><td>{i}<td>Keeper {i}<td>{i * 7} nights<td>0</tr>" for i in range(4))
    read = read_page(Source(f"<table>{rows}</table><p>0</p>".encode(), URL, HttpHead(200)), ExtractSettings())
    assert isinstance(read, ReadPage)
    columns = columns_of([read.cleaned.markup])
    blocks = find_blocks(columns)
    kept = np.array([text == "Keeper 2" for text in blocks.texts])
    assert np.flatnonzero(whole_rows(columns, blocks, pieces_of(columns, blocks), kept)).tolist() == [8, 9, 10, 11]


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        ("<tr><td>May<td>4<td>9<tr><td>June<td><td>8<tr><td>July<td>3<td>", "May | 4 | 9\nJune |  | 8\nJuly | 3"),
        ("<tr><td><th>May<th>June<tr><th>Fog<td>4<td>9", "| May | June\nFog | 4 | 9"),
        ("<tr><td>May<td>&nbsp;<td>4<tr><td>June<td>&nbsp;<td>8", "May | 4\nJune | 8"),  # a column that only spaces
        ("<tr><td><p>May</p><p>June</p><td>4<br>9", "May June | 4 9"),
        ("<tr><td>Bell<td><ul><li>It rings<li>It swings</ul><td>4", "Bell | It rings It swings | 4"),
        ("<tr><td>C<td><pre>int a;\nint b;</pre>", "C | int a;\nint b;"),
    ],
)
def test_cells_stay_in_their_columns_and_rows_in_their_lines(rows: str, text: str) -> None:
    read = read_page(Source(f"<table>{rows}</table>".encode(), URL, HttpHead(200)), ExtractSettings())
    assert isinstance(read, ReadPage)
    columns = columns_of([read.cleaned.markup])
    blocks = find_blocks(columns)
    kept = np.ones(len(blocks.leaf), np.bool_)
    nodes = nodes_of_pages(columns, blocks, pieces_of(columns, blocks), kept, [[]])
    assert [node.text for node in nodes[0]] == [text]


def test_a_row_of_a_page_laid_out_as_a_table_is_no_row_of_the_lists_in_it() -> None:
    told = f"<h1>The keeper</h1><p>{' '.join(STORY)}</p>" * 3
    items = "<ul><li>One thing to know</li><li>And another thing to know</li></ul>"
    page = _parse(f"<table><tr><td><ul><li>Home</li><li>Shop</li></ul></td><td>{told}{items}</td></tr></table>")
    assert "One thing to know\nAnd another thing to know" in page.text
    assert "Shop" not in page.text
