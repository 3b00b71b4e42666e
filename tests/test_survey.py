"""What is left of a page before it is parsed: nothing that the parser would make of it is other than before."""

import random
import re
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from pipelines.extract import native
from pipelines.extract.cleaning import clean
from pipelines.extract.survey import survey
from tests.corpora import corpora

MANY = 250_000
ALL_HINTS = native.DATA | native.MATH | native.MATH_SCRIPT | native.PLAINTEXT | native.MARKS | native.FORMULAS
ALL_HINTS |= native.DRAWINGS | native.TEMPLATES | native.RAISED
GOLDEN = sorted((Path(__file__).parent / "pages").glob("*.html"))
PIECES = (
    # texts, tags, attributes
    "one", " two\n", "<", "< b>", "&lt;", "<p>", "</p>", "<div class=x>", "</DIV>", "<a<b>", "<br/>", "</>", "</ x>",
    "<li>", "<span title='a>b'>", "<span title=x/>",
    "<a href=\"?a>b\" target=_blank rel=\"x y\" onclick=\"f('<b>')\">", "</a>", "<i data-a=1 data-a=2 onload title>",
    "</i>", "<td data-x='<td>' class = y>", "<table>", "<tr>", "</table>", "<p a='", "'>", '<p b="', '">', '<p c=d"e>',
    '<p =x=y =="z>">', "<p/a/b=/c>", "<p title>", "<p\ntitle\n=\n'u'>", "<img data-src=a.jpg title=b>",
    "<input type=hidden>", "<body data-a class=b>", "<html title=c>", "<head>", "</head>",
    # what is text whatever it looks like
    "<script>", "</script>", "</SCRIPT\n>", "</script x='>'>", "<script type=text/x>if (a<b) '</div>'</script>",
    "<script src=/a.js /><p></script>", "<!--<script>", "<script><!--<script></script>--></script>", "<script",
    "</script", "<script type='application/ld+json'>{\"@type\": \"<p>\"}</script>",
    "<SCRIPT TYPE=math/tex>x<y</SCRIPT>", "<style>p > a {}</style>", "<style>", "</style>", "<style><!-- </style>",
    "</stylex>", "<title>a<p><script></title>", "<textarea><script><p></textarea>", "<textarea>", "</textarea>",
    "<iframe><p></iframe>", "<xmp><p></xmp>", "<xmp>", "<noscript><p>", "</noscript>", "<noembed><style></noembed>",
    "<sup>", "2</sup>", "<SUP class=a>-1</SUP>",
    "<template><p>", "</template>", "<plaintext>",
    # comments and declarations
    "<!---->", "<!-->", "<!--->", "<!--a--!>", "<!--a-->", "<!-- b > -- c --->", "<!--", "-->", "--!>", "--", "<!- x>",
    "<!x>", "<?xml x>", "<!DOCTYPE html>", "<![CDATA[a>b]]>", "]]>", "<!--[if IE]><p><![endif]-->",
    # drawings, formulas, lists of options
    "<svg>", "<svg viewBox='0 0'>", "</svg>", "<svg/>", "<path d='M0'/>", "<path d=1>", "<g>", "</g>", "<svg><p>",
    "<svg><title>t</title><style>a{}</style><path/></svg>",
    "<svg><desc>d<![CDATA[>]]></desc><a><text>e</text></a></svg>",
    "<svg><foreignObject><p>in</p></foreignObject></svg>", "<svg><script>1<2</script></svg>",
    "<svg><style><p></style></svg>", "<math>", "</math>",
    "<math><mi>x</mi><annotation encoding='TeX'>x</annotation></math>", "<mtext>", "<mi/>", "<math><mtext><![CDATA[",
    "<svg><desc><![CDATA[<p>", "<select>", "</select>", "<option>o", "<select><style>s</style><option>t</select>",
    "<frame>",
)  # fmt: skip

IDLE = re.compile(r"title|target|rel|on.+|data-.*|aria-label.*")


def normal(page: bytes, hints: int) -> tuple[str, list[str]]:
    """What clean makes of a page, without the attributes that nobody reads and what comments say."""
    tree = LexborHTMLParser(page)
    for node in tree.css("*"):
        for name in filter(IDLE.fullmatch, list(node.attributes)):
            del node.attrs[name]
    cleaned = clean(tree, hints)
    damaged = not native.is_utf8(page, len(page))  # a character cut in two stays as it is
    markup = cleaned.markup.decode(errors="replace" if damaged else "strict")
    return re.sub(r"<!--.*?-->", "<!---->", markup, flags=re.DOTALL), cleaned.data


def assert_same(page: bytes) -> None:
    seen = survey(page, MANY)
    assert len(seen.left) <= len(page)
    assert normal(seen.left, seen.hints) == normal(page, ALL_HINTS)


@given(st.lists(st.sampled_from(PIECES), max_size=25))
@settings(max_examples=3000, deadline=None)
def test_a_page_without_what_nobody_reads_is_the_same_page(pieces: list[str]) -> None:
    assert_same("".join(pieces).encode())


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_so_are_damaged_pages(path: Path) -> None:
    page, chance = path.read_bytes(), random.Random(path.stem)
    for _ in range(20):
        begin, end = sorted(chance.randrange(len(page)) for _ in range(2))
        piece = chance.choice(PIECES).encode()
        assert_same(page[:begin] + piece + page[begin + min(end - begin, chance.choice((0, 1, 50, 5000))) :])


def test_so_are_real_pages() -> None:
    paths = sorted((corpora() / "extraction" / "readability").glob("*/source.html"))
    assert paths
    for path in paths:
        assert_same(path.read_bytes())


def test_what_is_left_of_a_page() -> None:
    page = (
        b"<head><style>p{}</style><script>var a = '<p>';</script><script type='application/ld+json'>{}</script></head>"
        b"<!-- long --><p title='t' class='c' data-x=1>Text<svg class=i><path d='M0 0'/></svg><img title=t src=a.png>"
    )
    assert survey(page, MANY).left == (
        b"<head><style></style><script></script><script type='application/ld+json'>{}</script></head>"
        b"<!----><p  class='c' >Text<svg class=i></svg><img title=t src=a.png>"
    )


NESTED = ["<div>", "</DIV>", "<b class=x>", "</b>", "<br>", "<svg/>", "<a<b>", "< ", "x", "<!-- -->"]


@given(st.lists(st.sampled_from(NESTED)))
@settings(max_examples=200, deadline=None)
def test_a_survey_counts_tags_and_how_deep_they_nest(pieces: list[str]) -> None:
    names = re.compile(r"<(/?)(div|b|svg)[\s/>]", re.IGNORECASE)
    for body in ("".join(pieces), "<br>" * 10_001 + "".join(pieces)):
        depth = deepest = 0
        for match in names.finditer(body):
            depth = max(depth - 1, 0) if match.group(1) else depth + 1
            deepest = max(deepest, depth)
        seen = survey(body.encode(), MANY)
        tags = len(re.findall(r"<[/a-zA-Z!][^>]*>", body))
        assert (seen.tags, seen.depth) == (tags, deepest if tags > 10_000 else 0)


def test_a_survey_stops_counting_where_there_are_too_many_tags() -> None:
    assert survey(b"<p>" * 50, 20).tags == 21
    assert survey(b"<p>" * 20, 20).tags == 20


@pytest.mark.parametrize(
    "page",
    [
        b"<frameset>" + b"<a b=" * 3_000_000, b"<frameset>" + b"<a b='" * 2_500_000, b"<!--" + b"-" * 16_000_000,
        b"<!" * 8_000_000, b"<script>" + b"<!--<script>" * 1_300_000, b"<a " + b"x" * 16_000_000, b"<svg>" * 3_000_000,
        b"<style>" + b"</styl" * 2_600_000, b"<svg><![CDATA[" + b"]]" * 8_000_000, b"<textarea>" * 1_600_000,
    ],
    ids=["tags", "quotes", "dashes", "declarations", "scripts", "name", "drawings", "style", "cdata", "texts"],
)  # fmt: skip
def test_no_page_takes_long(page: bytes) -> None:
    began = time.process_time()
    survey(page, MANY)
    assert time.process_time() - began < 1


def test_licences_are_found_in_links_wherever_they_are_on_a_page() -> None:
    page = b"<svg><a rel=license href=/a></a></svg><A HREF='/b' REL='nofollow license'><a rel=x href=/license>"
    page += b"<link rel=license>"
    assert survey(page, MANY).licensed == (
        b"<a rel=license href=/a", b"<A HREF='/b' REL='nofollow license'", b"<link rel=license",
    )  # fmt: skip
