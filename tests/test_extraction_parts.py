"""The parts of extraction, each against a plain reckoning of the same thing, and what texts of pages come out as."""

import itertools
import math
import random
import re
import time
import unicodedata
import zlib
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from pipelines.extract import cleaning, content, native
from pipelines.extract.blocks import find_blocks
from pipelines.extract.columns import BrokenMarkup, TooDeep, columns_of, resolved
from pipelines.extract.content import KINDS, best_by_f1, page_vectors
from pipelines.extract.encoding import to_utf8
from pipelines.extract.features import features
from pipelines.extract.head import Head
from pipelines.extract.markup import BREAK, END, INLINE, PURPOSE, PURPOSES, PURPOSES_MASK, TAGS, WORDS, describe
from pipelines.extract.names import FEATURES as NAME_FEATURES
from pipelines.extract.names import GROUPS, STEPS, Names, NameScores
from pipelines.extract.page import Page, ReadPage, Source, parse_page, parse_pages, read_page
from pipelines.extract.records import interpret, payload_cap
from pipelines.extract.trees import Trees
from pipelines.frame.http_message import HttpHead
from pipelines.frame.warc import Record, Slice, read_records
from schemas.recipe import ExtractSettings
from schemas.statuses import RecordOutcome
from tests.archives import HTML, make_warc, response
from tests.corpora import corpora, files_in
from tests.test_page import LAST, LINKS, PROSE, SECOND, THIRD

URL = "https://site.example/dir/page.html"
CAPS, OK = ExtractSettings(), HttpHead(200, {})
GOLDEN = sorted((Path(__file__).parent / "pages").glob("*.html"))
STORY = f"<p>{PROSE}</p><p>{SECOND}</p><p>{THIRD}</p><p>{LAST}</p>"


def parse(body: str, head: str = "") -> Page:
    found = parse_page(f"<!DOCTYPE html><html><head>{head}</head><body>{body}</body></html>", URL, OK, CAPS)
    assert isinstance(found, Page), found
    return found


def texts_of(page: Page) -> list[str]:
    return [node.text for node in page.nodes if node.text is not None]


def images_of(page: Page) -> list[str]:
    return [node.image for node in page.nodes if node.image is not None]


UNSPACED = "ก ຂ က ក あ ア 漢 㐀 𠀀 ｱ".replace(" ", "")
SOME = st.text(
    st.one_of(
        st.sampled_from("aZé ß\t\n\u00a0\u3000\u200b.,;:!?…؟।。，»”0٣9\u0301\u0e31" + UNSPACED + "😀\U00050000"),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=30,
)

# --- columns

OWN = [
    b"",
    b"<p>one<p>two<br>three<img src=a><b>four",
    b"<div><x-card><!-- a comment > --><my-p a=1>five</my-p></x-card><hr></div><ul><li>a<li>b<ul><li>c</ul></ul>",
    b"<table><tr><td>a<td>b<tr><th>c</table><pre>\n  x &lt; y\n</pre><dl><dt>d<dd>e</dl>",
    b"<p>a</p></div></p></b><i><b>crossed</i></b><a href=x><a href=y>z</a>" + b"<div>" * 40 + b"deep",
    b"<div id='Main-12x7 b' class=' Post post-15 \n it3m'><section class=c9><p class=a9 id=9>g<b class=no>h</section>",
    "<p title='a &lt;b&gt; &quot;c&quot;'>quoted\u00a0<input value='>'></p><amp-img src=z></amp-img><wbr>".encode(),
]
VOID = "area base basefont bgsound br col embed frame hr img input keygen link meta param source track wbr".split()


GONE = """script style template svg iframe object embed canvas audio video select textarea datalist noframes noembed xmp
    plaintext map rt rp head nav footer""".split()


def markups(bodies: list[bytes]) -> list[bytes]:
    read = [read_page(Source(body, URL, OK), CAPS) for body in bodies]
    return [page.cleaned.markup for page in read if isinstance(page, ReadPage)]


class Token(NamedTuple):
    tag: str
    text: str


def tokens_of(markup: bytes) -> list[Token]:
    """A page's tags and the text behind each, as lexbor and a regular expression have them."""
    tree = LexborHTMLParser(markup.decode())
    assert tree.body is not None
    for name in GONE:
        while (node := tree.body.css_first(name)) is not None:
            node.decompose()
    while bare := [node for node in tree.body.css("header") if node.css_first("h1,h2,h3,h4,h5,h6,p") is None]:
        bare[0].decompose()
    html = re.sub("<br(?: [^>]*)?>", BREAK, (tree.body.html or "").replace(BREAK, " "))
    parts = re.split("<(!--.*?--|[^>]*)>", html.replace("&nbsp;", "\u00a0"), flags=re.DOTALL)
    return [Token(tag, text) for tag, text in zip(parts[1::2], parts[2::2], strict=True)]


class Element(NamedTuple):
    opens: int
    closes: int
    parent: int  # the token that opens it, -1 for none
    level: int


def walk(tags: list[str], begin: int) -> tuple[dict[int, Element], list[int]]:
    """Elements by the token that opens them, and of each token the innermost open element behind it, by a stack."""
    stack: list[tuple[int, str]] = []
    found, owners = {}, []
    for place, tag in enumerate(tags, begin):
        name = tag.partition(" ")[0]
        if name.startswith("/"):
            opens, opened = stack.pop()
            assert opened == name[1:]
            found[opens] = Element(opens, place, stack[-1][0] if stack else -1, len(stack))
        elif not name.startswith("!") and name not in VOID:
            stack.append((place, name))
        owners.append(stack[-1][0] if stack else -1)
    assert not stack
    return found, owners


def check_columns(pages: list[bytes]) -> None:
    columns, split = columns_of(pages), [tokens_of(page) for page in pages]
    tokens = [token for page in split for token in page]
    found: dict[int, Element] = {}
    owners: list[int] = []
    for page in split:
        elements, owned = walk([token.tag for token in page], len(owners))
        found |= elements
        owners += owned
    opens = columns.opens.tolist()
    number = {token: i for i, token in enumerate(opens)} | {-1: -1}
    assert opens == sorted(found) and columns.tokens.tolist() == [len(page) for page in split]
    assert columns.codes.tolist() == [describe(token.tag) for token in tokens]
    for i, token in enumerate(tokens):
        assert (columns.markup_of(i), columns.text_of(i, i)) == (token.tag, resolved(token.text))
        assert columns.lengths[i] == len(token.text.strip())
    for opening, closes, parent, level in zip(opens, columns.closes, columns.parent, columns.level, strict=True):
        assert found[opening] == (opening, closes, opens[parent] if parent >= 0 else -1, level)
    assert columns.owner.tolist() == [number[owner] for owner in owners]
    assert columns.page_of_token.tolist() == [i for i, page in enumerate(split) for _ in page]

    chains: dict[int, list[int]] = {}
    for opening in opens:
        chains[opening] = [*chains.get(found[opening].parent, ()), number[opening]]  # from the outermost to itself
    lucky = np.random.default_rng(len(opens))
    wanted = lucky.random(len(opens)) < 0.2
    values = lucky.integers(-1, 99, len(opens)).astype(np.int16)
    codes = columns.codes[columns.opens]
    inherited, bits = columns.inherit(values), columns.inherit_bits()
    nearest, outermost, paths = columns.nearest(wanted), columns.outermost(wanted), columns.paths()
    ways: dict[int, set[tuple[int, ...]]] = {}
    for opening, chain in chains.items():
        i, chosen = number[opening], [element for element in chain if wanted[element]]
        assert nearest[i] == (chosen[-1] if chosen else -1) and outermost[i] == (chosen[0] if chosen else -1)
        assert inherited[i] == max(values[element] for element in chain)
        assert bits[i] == np.bitwise_or.reduce(codes[chain]) & PURPOSES_MASK
        ways.setdefault(int(paths[i]), set()).add(tuple(int(code) >> 40 for code in codes[chain]))
    assert all(len(some) == 1 for some in ways.values())
    assert len(ways) == len({way for some in ways.values() for way in some})

    blocks = find_blocks(columns)
    taken = [tokens[first : last + 1] for first, last in zip(blocks.first, blocks.last, strict=True)]
    texts = [" ".join(resolved("".join(token.text for token in some)).split()) for some in taken]
    assert [*blocks.texts] == texts
    counted = list(zip(*(column.tolist() for column in blocks.counts[:8]), strict=True))
    assert counted == [plainly_counted(text) for text in texts]
    assert blocks.counts.spaced.tolist() == [len(text) for text in texts]
    assert blocks.counts.breaks.tolist() == [sum(token.text.count(BREAK) for token in some) for some in taken]
    assert len(set(blocks.hashes.tolist())) == len(set(texts))

    names = Names.of(columns)
    own = [sums_in(columns.html[columns.tag_begins[token] : columns.tag_ends[token]]) for token in opens]
    assert names.element.tolist() == [i for i, sums in enumerate(own) for _ in sums]
    assert names.sums.tolist() == [name for sums in own for name in sums]
    known = sorted({name for sums in own for name in sums})[::2]
    steps = lucky.integers(-127, 128, (len(GROUPS), len(known))) * (lucky.random((len(GROUPS), len(known))) < 0.7)
    table = NameScores.of(np.array(known, np.uint32), steps.astype(np.int8))
    said = table.features(names, columns, blocks)
    for group, row in zip(GROUPS, steps.tolist(), strict=True):
        scores = {name: step / STEPS for name, step in zip(known, row, strict=True) if step}
        for i, leaf in enumerate(blocks.leaf.tolist()):
            around = [[scores[name] for name in own[at] if name in scores] for at in chains[opens[leaf]][::-1]]
            strongest = [max(some, key=abs) for some in around if some]
            every = [0.0, *itertools.chain(*around)]
            expected = {
                "name_nearest": sum(strongest[:1]), "name_second": sum(strongest[1:2]), "name_least": min(every),
                "name_most": max(every), "names_sum": sum(strongest), "names_known": len(strongest),
                "names_mean": sum(strongest) / max(len(strongest), 1), "names_near": sum(strongest[:3]),
            }  # fmt: skip
            told = {what: said[NAME_FEATURES.index(f"{what}_{group}"), i] for what in expected}
            assert told == pytest.approx(expected)


def sums_in(tag: bytes) -> list[int]:
    """Checksums of the names in class and id of a tag, by regular expressions."""
    element, _, attributes = tag.partition(b" ")
    if element.decode() in INLINE:
        return []
    found = []
    for name, value in re.findall(rb'([^ =]+)="([^"]*)"(?: |$)', attributes):
        if name in (b"class", b"id"):
            mark = b"#" if name == b"id" else b""
            found += [
                zlib.crc32(mark + re.sub(rb"\d+", b"0", word.lower()))
                for word in re.split(rb"[\x00-\x20]+", value)
                if word
            ]
    return found


def test_columns_agree_with_a_walk_over_the_tags() -> None:
    check_columns(markups(OWN))
    check_columns(markups([path.read_bytes() for path in GOLDEN]))
    for page in markups(OWN):
        check_columns([page])


@pytest.mark.parametrize("name", files_in("extraction/readability")[::8])
def test_columns_agree_with_a_walk_over_the_tags_of_real_pages(name: str) -> None:
    check_columns(markups([(corpora() / "extraction" / "readability" / name / "source.html").read_bytes()]))


@pytest.mark.parametrize("markup", ["<div>", "</div>", "<p>a</p></p>", "<div><div></div>"])
def test_starts_and_ends_that_do_not_pair_up_are_an_exception(markup: str) -> None:
    with pytest.raises(BrokenMarkup):
        columns_of([b"<body></body>", markup.encode()])


_ODD = [
    0x24,
    0x7F,
    0x80,
    0x8F,
    0x90,
    0x9F,
    0xA0,
    0xBF,
    0xC1,
    0xC2,
    0xDF,
    0xE0,
    0xE1,
    0xED,
    0xEF,
    0xF0,
    0xF4,
    0xF5,
    0xFF,
]


def test_characters_in_utf8_are_those_that_python_decodes() -> None:
    """All characters of up to four bytes that lie at a border of what is allowed."""
    for size in range(1, 5):
        for values in itertools.product(_ODD, repeat=size):
            body = bytes(values)
            assert bool(native.is_utf8(body, size)) == (body.decode("utf-8", "replace").encode() == body), body


@given(st.lists(st.sampled_from(_ODD), max_size=80))
@settings(max_examples=200, deadline=None)
def test_text_in_utf8_is_what_python_decodes(values: list[int]) -> None:
    for body in (bytes(values), b"x" * 40 + bytes(values), bytes(values).decode("utf-8", "replace").encode()):
        try:
            body.decode()
        except UnicodeDecodeError:
            assert not native.is_utf8(body, len(body))
        else:
            assert native.is_utf8(body, len(body))


def test_how_far_each_purpose_is_above_a_block() -> None:
    columns = columns_of(markups([path.read_bytes() for path in GOLDEN]))
    blocks = find_blocks(columns)
    names, matrix, _ = features(columns, blocks, [Head()] * columns.pages)
    codes = columns.codes[columns.opens]
    for purpose in PURPOSES:
        found = matrix[names.index(f"to_{purpose}")]
        for i in range(0, len(blocks), 7):
            levels, at = 0, int(blocks.leaf[i])
            while at >= 0 and not codes[at] & PURPOSE[purpose]:
                levels, at = levels + 1, int(columns.parent[at])
            assert found[i] == (20 if at < 0 or levels >= 99 else min(levels, 12))


def test_characters_of_a_block_inside_links() -> None:
    columns = columns_of(markups([path.read_bytes() for path in GOLDEN]))
    blocks = find_blocks(columns)
    linked = columns.nearest(columns.element_tag == TAGS.index("a"))
    for first, last, found in zip(blocks.first, blocks.last, blocks.linked, strict=True):
        places = [i for i in range(first, last + 1) if columns.owner[i] >= 0 and linked[columns.owner[i]] >= 0]
        assert found == columns.lengths[places].sum()


def test_of_many_headers_the_last_fifty_are_looked_into() -> None:
    for number in (1, 50, 51, 60):
        parts = "".join(f"<header>line {i}</header><header><h2>title {i}</h2></header>" for i in range(number // 2))
        parts += "<header>line last</header>" * (number % 2)
        texts = find_blocks(columns_of([f"<body>{parts}</body>".encode()])).texts
        kept = [f"line {i}" for i in range(number // 2) if 2 * i < number - 50]
        assert [text for text in texts if text.startswith("line")] == kept
        assert sum(text.startswith("title") for text in texts) == number // 2


_MARKUP = st.sampled_from(
    "< > </ /> <div> </div> <header> </header> <p> </p> <nav> </nav> <iframe> </iframe> <select> <img> <br> <!-- --> <!"
    ' <a <div class= <div class=" <x-y> </x-y> <noscript> </noscript> & &lt; &am &nbsp; text \x1f é 漢 " = ?'.split(" ")
)


@given(st.lists(st.lists(_MARKUP, max_size=12), min_size=1, max_size=3))
@settings(max_examples=500, deadline=None)
def test_any_markup_at_all_is_columns_or_does_not_pair_up(pages: list[list[str]]) -> None:
    """The parser never writes such things; what reads its output still reads nothing else than its input."""
    try:
        columns = columns_of(["".join(page).encode() for page in pages])
    except BrokenMarkup:
        return
    blocks = find_blocks(columns)
    assert columns.tokens.sum() == len(columns.codes) == len(columns.lengths)
    assert all(text and text == " ".join(text.split()) for text in blocks.texts)
    assert sum(map(len, blocks.texts)) <= sum(len("".join(page)) for page in pages)


def test_the_cap_on_depth_includes_its_value() -> None:
    deep = b"<div>" * 9 + b"</div>" * 9
    assert columns_of([deep], max_depth=9).level.max() == 8
    with pytest.raises(TooDeep):
        columns_of([b"<p></p>", deep], max_depth=8)


# --- batches


def batches(pages: list[Source], size: int) -> list[Page | RecordOutcome]:
    return [found for i in range(0, len(pages), size) for found in parse_pages(pages[i : i + size], CAPS)]


def check_batches(pages: list[Source]) -> None:
    together = parse_pages(pages, CAPS)
    assert len(together) == len(pages)
    for size in (1, 7):
        assert batches(pages, size) == together
    assert parse_pages(pages[::-1], CAPS)[::-1] == together


def mixed_pages() -> list[Source]:
    """Forty pages: golden ones, the same cut short, ones that end as a status, and one too deep for all others."""
    bodies = [path.read_bytes() for path in GOLDEN]
    bodies += [body[: len(body) * 2 // 3] for body in bodies]
    bodies += [*OWN, b" ", b"<div>" * 1200 + PROSE.encode(), f"<body>{STORY}".encode()]
    shuffled = bodies[:40]
    random.Random(5).shuffle(shuffled)
    return [Source(body, f"https://site.example/{i}", OK) for i, body in enumerate(shuffled)]


def test_a_page_is_the_same_whatever_it_shares_a_batch_with() -> None:
    pages = mixed_pages()
    assert len(pages) >= 38
    outcomes = parse_pages(pages, CAPS)
    assert {RecordOutcome.EMPTY, RecordOutcome.TOO_DEEP} <= {found for found in outcomes if isinstance(found, str)}
    check_batches(pages)


def test_a_real_page_is_the_same_whatever_it_shares_a_batch_with() -> None:
    path = corpora() / "warcs" / "realpages-dev.warc.gz"
    records = (
        item for item in read_records(Slice(str(path)), lambda _kind, _head: 1 << 20) if isinstance(item, Record)
    )
    bodies = [record for record in records if record.head is not None and 0 < len(record.payload) < 150_000]
    check_batches([Source(to_utf8(record.payload, "")[0], record.url, OK) for record in bodies[::4][:40]])


def test_pages_whose_elements_look_nearly_alike_are_told_apart() -> None:
    """Two classes whose checksums differ by one, on pages that follow one another in a batch."""
    sums: dict[int, str] = {}
    for i in itertools.count():
        style = describe(f'div class="k{i}"') >> 40
        if style + 1 in sums:
            first, second = sums[style + 1], f"k{i}"
            break
        sums[style] = f"k{i}"
    parts = [PROSE, SECOND, THIRD, LAST, f"{LAST} {PROSE}", f"{THIRD} {SECOND}"]
    pages = [
        Source(f"<body>{''.join(f'<div class={name}>{part}</div>' for part in parts)}".encode(), URL, OK)
        for name in (first, second)
    ]
    assert parse_pages(pages, CAPS) == batches(pages, 1)


# --- trees


@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(1, 3))
@settings(max_examples=40, deadline=None)
def test_trees_are_what_one_gets_going_down_each_of_them(seed: int, depth: int, outputs: int) -> None:
    lucky = np.random.default_rng(seed)
    trees = Trees(
        names=("a", "b", "c"),
        asked=lucky.integers(0, 3, (5, depth)).astype(np.int16),
        borders=(lucky.integers(-2, 3, (5, depth)) / 2).astype(np.float32),
        leaves=lucky.normal(size=(5, 2**depth, outputs)).astype(np.float32),
        bias=lucky.normal(size=outputs),
    )
    matrix = (lucky.integers(-4, 5, (3, 17)) / 2).astype(np.float32)
    expected = []
    for row in matrix.T.tolist():
        total = trees.bias.tolist()
        for asked, borders, leaves in zip(trees.asked.tolist(), trees.borders.tolist(), trees.leaves, strict=True):
            place = sum((row[asked[level]] > borders[level]) << level for level in range(depth))
            total = [one + float(leaf) for one, leaf in zip(total, leaves[place], strict=True)]
        expected.append(total)
    assert trees.evaluate(matrix, {"a": 0, "b": 1, "c": 2}).tolist() == expected
    assert trees.evaluate(matrix[::-1], {"a": 2, "b": 1, "c": 0}).tolist() == expected


def test_the_shipped_trees_are_small_and_ask_only_for_what_is_measured() -> None:
    data = [path for path in (files("pipelines.extract") / "data").iterdir() if path.name.endswith(".npz")]
    assert sum(len(path.read_bytes()) for path in data) <= 300_000
    models = content.models()
    of_pages, of_blocks = models.pages, models.blocks
    columns = columns_of(markups(OWN))
    blocks = find_blocks(columns)
    names, matrix, _ = features(columns, blocks, [Head()] * columns.pages)
    assert len(set(names)) == len(names) == len(matrix)
    names, matrix = [*names, *NAME_FEATURES], np.concatenate((matrix, np.zeros((len(NAME_FEATURES), len(blocks)))))
    assert set(of_blocks.names) <= {*names, *(f"kind_{kind}" for kind in KINDS)}
    assert {name.partition("_")[0] for name in of_pages.names} <= {"mean", "text"}
    assert {name.partition("_")[2] for name in of_pages.names} <= set(names)
    assert page_vectors(of_pages.names, names, matrix, blocks).shape == (len(of_pages.names), columns.pages)
    assert of_pages.bias.shape == (len(KINDS),) and of_blocks.bias.shape == (1,)


# --- the choice


def test_what_a_page_is_on_average() -> None:
    columns = columns_of(markups([path.read_bytes() for path in GOLDEN] + [b"<p></p>"]))
    blocks = find_blocks(columns)
    names, matrix, _ = features(columns, blocks, [Head()] * columns.pages)
    wanted = ["mean_characters", "text_characters", "text_up1_share", "mean_digit_share"]
    vectors = page_vectors(wanted, names, matrix, blocks)
    plain = blocks.counts.words * (1.0 - matrix[names.index("link_density")])
    for row, name in zip(vectors, wanted, strict=True):
        kind, _, feature = name.partition("_")
        for page, mean in enumerate(row.tolist()):
            of_page = slice(blocks.starts[page], blocks.starts[page + 1])
            values, weights = matrix[names.index(feature), of_page], plain[of_page]
            weights = weights if kind == "text" else np.ones_like(weights)
            expected = sum(v * w for v, w in zip(values.tolist(), weights.tolist(), strict=True))
            assert mean == pytest.approx(expected / max(sum(weights.tolist()), 1e-9), rel=1e-6)


@given(
    st.lists(st.tuples(st.floats(-6, 6, allow_subnormal=False), st.integers(0, 90)), min_size=1, max_size=9),
    st.floats(-1, 1),
)
@settings(max_examples=150, deadline=None)
def test_the_blocks_that_are_kept_have_the_best_expected_f1_of_all_prefixes(
    given_blocks: list[tuple[float, int]], shift: float
) -> None:
    odds, words = [odds for odds, _ in given_blocks], [words for _, words in given_blocks]
    order = sorted(range(len(odds)), key=lambda i: -odds[i])
    effects, weights = np.polynomial.hermite_e.hermegauss(5)
    deviation = content._DEVIATION
    scale = math.sqrt(1 + math.pi / 8 * deviation**2)

    def expected(length: int) -> float:
        """Mean, over an effect common to all blocks, of right words by the mean of kept words and words to be kept."""
        total = 0.0
        for effect, weight in zip(effects, weights / weights.sum(), strict=True):
            chance = [1 / (1 + math.exp(-(odds[i] + shift) * scale - deviation * effect)) for i in range(len(odds))]
            right = sum(words[i] * chance[i] for i in order[:length])
            gold = sum(words[i] * chance[i] for i in order)
            total += weight * right / max(sum(words[i] for i in order[:length]) + gold, 1e-9)
        return total

    others = [(0.5, 7), (-0.5, 7)]  # of the pages before and behind, and one without blocks between
    of_all = [others, given_blocks, [], others]
    starts = np.cumsum([0, *map(len, of_all)])
    flat = [block for page in of_all for block in page]
    flat_odds, flat_words = np.array([odds for odds, _ in flat]), np.array([words for _, words in flat])
    kept = best_by_f1(flat_odds, flat_words, starts, np.array([9, shift, 1, -9]))[starts[1] : starts[2]]
    length = int(kept.sum())
    assert set(np.flatnonzero(kept)) == set(order[:length])
    best = max(expected(n) for n in range(1, len(odds) + 1))
    assert expected(length) == pytest.approx(best, abs=1e-12)


# --- tags


@pytest.mark.parametrize(
    ("tag", "element", "purposes"),
    [
        ("div", "div", ""),
        ("/div", "div", ""),
        ("nav", "nav", "navigation"),
        ("x-card", "other", ""),
        ('x-card class="card"', "other", "cards"),
        ('div class="site-footer" id="colophon"', "div", "footer"),
        ('section id="comments"', "section", "comment"),
        ('div class="mainMenu submenu_2"', "div", "navigation"),
        ('div role="navigation"', "div", "navigation"),
        ('div role="nothing"', "div", ""),
        ('div style="color:red; DISPLAY : none"', "div", "unseen"),
        ('div style="color:red"', "div", ""),
        ('div hidden=""', "div", "unseen"),
        ('div aria-hidden="true"', "div", "hidden"),
        ('div aria-hidden="false"', "div", ""),
        ('div aria-modal="true"', "div", "overlay"),
        ('div itemprop="articleBody"', "div", "article_body"),
        ('div data-class="nav" title="footer"', "div", ""),
        ('div class="Cookie-Banner"', "div", "overlay header"),
        ('a href="/nav" class="nav"', "a", "link"),
        ('span class="nav"', "span", ""),
        ('img class="nav" src="x"', "img", ""),
        ('!-- nav class="nav" --', "!", ""),
        ("/x-card", "other", ""),
    ],
)
def test_a_tag_is_described_by_its_element_and_the_words_of_its_attributes(
    tag: str, element: str, purposes: str
) -> None:
    number = describe(tag)
    found = {name for name, bit in PURPOSE.items() if number & bit}
    assert (TAGS[number & 0x7F], bool(number & END)) == (element, tag.startswith("/"))
    assert found == set(purposes.split())
    assert number >= 0 and number < 1 << 63


def test_elements_look_alike_by_their_classes_whatever_their_ids_are() -> None:
    def style(tag: str) -> int:
        return describe(tag) >> 40

    assert style('p id="a1" class="x y"') == style('p class="x y" id="b2"') == style('p class="x y"')
    assert len({style(tag) for tag in ("p", 'p class="x"', 'p class="y"', 'div class="x"', "div")}) == 5
    assert style('p id="a"') == style("p")


def test_words_are_matched_whole_but_where_they_may_begin_others() -> None:
    def of(word: str) -> set[str]:
        number = describe(f'div class="{word}"')
        return {name for name, bit in PURPOSE.items() if number & bit}

    assert "footer" in of("footer2") and "footer" not in of("barefoot")
    assert "advert" in of("ad") and "advert" not in of("adventure") and "advert" not in of("shadow")
    assert "body_text" in of("article-body") and "body_text" not in of("article-teaser")


_STEMS = sorted((t[:-1] for words in WORDS.values() for t in words.split() if t.endswith("*")), key=len, reverse=True)
_BODY_TEXT = re.compile(
    r"(?:^|[\s_-])(?:article|post|entry|story|news|blog|page|single|detail|body|content|text|node|field|td|rich)s?"
    r"(?:[_-]{1,2}\w+)?[_-]{0,2}(?:body|content|contents|text|copy|main)(?:$|[\s_-])|articleBody|storytext|postbody",
    re.IGNORECASE,
)
_FOR_READERS = re.compile(r"screen-?reader|sr-only|visually-?hidden", re.IGNORECASE)
_INVISIBLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)


def purposes_of(names: str) -> set[str]:
    """What the words of a class or id stand for, by regular expressions."""
    found = set()
    for word in re.split(r"[\s_-]+", names.lower()):
        stem = next((stem for stem in _STEMS if word.startswith(stem)), None)
        for purpose, words in WORDS.items():
            if word in (listed := words.split()) or (stem and f"{stem}*" in listed):
                found.add(purpose)
            if f"{word}*" in listed:
                found.add(purpose)
    found |= {"body_text"} if "content" in found and _BODY_TEXT.search(names) else set()
    return found | ({"unseen"} if "hidden" in found and _FOR_READERS.search(names) else set())


def described(tag: str) -> set[str]:
    number = describe(tag)
    return {name for name, bit in PURPOSE.items() if number & bit}


_PIECES = [word.rstrip("*") for words in WORDS.values() for word in words.split()]
_PIECES += ["single", "rich", "td", "s", "x", "é", "7", "screenreader", "visuallyhidden", "sr-only", "articleBody"]
NAMES = st.lists(
    st.tuples(st.sampled_from(_PIECES), st.sampled_from(["", "-", "_", "--", "__", "___", " ", "\t", "\u3000"])),
    max_size=6,
).map(lambda pairs: "".join(f"{word}{joint}" for word, joint in pairs))


@given(NAMES, st.booleans())
@settings(max_examples=500, deadline=None)
def test_names_mean_what_their_words_do(names: str, upper: bool) -> None:
    names = names.upper() if upper and names.isascii() else names
    assert described(f'div class="{names}"') == described(f'div id="{names}"') == purposes_of(names)


@given(st.text(st.sampled_from("displayvisibilitynonehidden:; \tDN"), max_size=30), st.sampled_from(["", " ", "\t "]))
@settings(max_examples=200, deadline=None)
def test_what_is_not_displayed_is_unseen(style: str, space: str) -> None:
    for said in (
        style,
        f"{style}display{space}:{space}none",
        f"{style}Visibility{space}:{space}HIDDEN;",
        "display none",
    ):
        assert ("unseen" in described(f'p style="{said}"')) == bool(_INVISIBLE.search(said))


def test_real_tags_are_described_by_the_words_of_their_names() -> None:
    tags = [token.tag for page in markups([path.read_bytes() for path in GOLDEN]) for token in tokens_of(page)]
    named = [
        tag for tag in tags if re.match("(?:div|section|ul|li|h[1-6]) ", tag) and not re.search(" aria-| role=", tag)
    ]
    assert len(named) > 100
    for tag in named:
        values = re.findall(r' (?:class|id)="([^"]*)"', tag)
        expected = set().union(*map(purposes_of, values)) | ({"list"} if tag.startswith("ul") else set())
        assert described(tag) - {"unseen", "article_body"} == expected - {"unseen", "article_body"}, tag


# --- characters


def letter(char: str) -> bool:
    return unicodedata.category(char)[0] in "LM" or ord(char) >= 0x20000


def unspaced(char: str) -> bool:
    ranges = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    ranges += "\uff66-\uff9f"
    return bool(re.match(f"[{ranges}]", char) and letter(char)) or ord(char) >= 0x20000


def solid(char: str) -> bool:
    return char > "\x01" and (letter(char) or not char.isspace())


def plainly_counted(text: str) -> tuple[int, ...]:
    starts = [
        unspaced(char) or (solid(char) and (i == 0 or not solid(text[i - 1]))) for i, char in enumerate(text)
    ]  # fmt: skip
    return (
        sum(map(solid, text)),
        sum(starts),
        sum(map(letter, text)),
        sum(char.isupper() and ord(char) < 0x600 for char in text),
        sum(char in "0123456789" for char in text),
        sum(char in ".!?。！？…؟।" for char in text),
        sum(char in ",;:、，；：،؛" for char in text),
        int(text[-1:] != "" and text[-1] in ".!?。！？…؟।:：”»"),
    )


@given(st.lists(SOME, max_size=8))
@settings(max_examples=200, deadline=None)
def test_characters_are_counted_as_one_would_count_them(texts: list[str]) -> None:
    escaped = [text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") for text in texts]
    page = "".join(f"<div>{text}</div>" for text in escaped)
    blocks = find_blocks(columns_of([f"<body>{page}</body>".encode()]))
    lines = [line for text in texts if (line := " ".join(text.replace(BREAK, " ").split()))]
    assert [*blocks.texts] == lines
    counted = list(zip(*(column.tolist() for column in blocks.counts[:8]), strict=True))
    assert counted == [plainly_counted(line) for line in lines]


# --- texts


def reads(html: str) -> str:
    """What a paragraph of that markup reads as, in the middle of a story."""
    found = texts_of(parse(f"<article><p>{PROSE}</p><p>{SECOND}</p><p>{THIRD} {html} {LAST}</p></article>"))
    text = next(text for text in found if text.startswith(THIRD))
    assert text.endswith(LAST)
    return text[len(THIRD) : -len(LAST)].strip(" ")


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("one \n\t  two", "one two"),
        ("<b>bold</b>ly and H<sub>2</sub>O and <i>a</i><i>b</i>", "boldly and H2O and ab"),
        ("(<em>so</em>), <a href=x>linked</a>.", "(so), linked."),
        ("one<br>two<br/> three<br class=x>four", "one\ntwo\nthree\nfour"),
        ("one<!-- no comment --> two<wbr>fold", "one twofold"),
        ("&lt;b&gt; &amp;lt; &amp;amp; &amp;nbsp; AT&T", "<b> &lt; &amp; &nbsp; AT&T"),
        ("500&nbsp;m&#160;up&#8239;there", "500 m up there"),
        ("&#8364; &#x20AC; &euro; &hellip; &#128;", "€ € € … €"),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ("a\x1fb", "a b"),
        ("Donau&shy;dampf&#8203;schiff", "Donaudampfschiff"),
        ("می\u200cخواهم و नि\u200dर्", "می\u200cخواهم و नि\u200dर्"),
        ("<ruby>文選<rp>(</rp><rt>ぶんせん</rt><rp>)</rp></ruby>の技", "文選の技"),
        ("العم ياسين <b>وهو</b> يمرر كفه، ثم سكت؟", "العم ياسين وهو يمرر كفه، ثم سكت؟"),
        ("店主の<b>浜田</b>さんは<a href=x>八十二</a>歳。", "店主の浜田さんは八十二歳。"),
        ("cafe\u0301 and 👩\u200d🚀", "cafe\u0301 and 👩\u200d🚀"),
        ("one <my-tag>two <x-y a=b>three</x-y></my-tag> four", "one two three four"),
        ("one <b>two <i>three four", "one two three four"),
        ("<q>so</q> <kbd>Ctrl</kbd>+<kbd>C</kbd> <del>old</del><ins>new</ins>", "so Ctrl+C oldnew"),
        ("<font color=red>H</font>ello <span>w</span>orld", "Hello world"),
        ("one<script>var x = '<p>two</p>'</script> <style>p{}</style>three", "one three"),
        ("one <svg><title>two</title><text>three</text></svg> four", "one four"),
        ("a<select><option>b</select><textarea>c</textarea><object>d</object>e", "ae"),
    ],
)
def test_a_paragraph_reads_as_it_is_shown(html: str, text: str) -> None:
    assert reads(html) == text


@pytest.mark.parametrize(
    ("html", "tex"),
    [
        (
            "<math><semantics><mrow><mi>a</mi></mrow><annotation encoding='application/x-tex'>{\\displaystyle a^{2}}"
            "</annotation></semantics></math>",
            "a^{2}",
        ),
        ("<math alttext='\\frac{a}{b}'><mfrac><mi>a</mi><mi>b</mi></mfrac></math>", "\\frac{a}{b}"),
        ("<math><mi>x</mi><mo>=</mo><mn>1</mn></math>", "x=1"),
        ("<script type='math/tex'>x_1 < y</script>", "x_1 < y"),
        ("<script type='math/tex; mode=display'>\\sum_i\n  x_i</script>", "\\sum_i x_i"),
        (
            "<img class='latex tex mwe-math-fallback-image-inline' src='https://x.example/svg/0a' alt='E=mc^2'>",
            "E=mc^2",
        ),
    ],
    ids=["annotation", "alttext", "mathml", "script", "display", "image"],
)
def test_formulas_are_their_tex(html: str, tex: str) -> None:
    assert reads(f"where {html} holds") == f"where {tex} holds"


def story_with(html: str) -> list[str]:
    page = parse(
        f"<article><p>{PROSE}</p><h2>How the bell was rung in those days</h2><p>{SECOND}</p>{html}<p>{THIRD}</p>"
        f"<p>{LAST}</p></article>"
    )
    return texts_of(page)


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<pre>\nfor ship in ships:\n    if ship.late:\n\n        ring(ship)   \n</pre>",
         "for ship in ships:\n    if ship.late:\n\n        ring(ship)"),
        ("<pre><code><span class=k>def</span> ring(bell):<br>  <span>return</span> bell &lt; 3</code></pre>",
         "def ring(bell):\n  return bell < 3"),
        ("<ul><li>The keeper rings the bell by hand<li>The <b>daughter</b> counts the strokes aloud</ul>",
         "The keeper rings the bell by hand\nThe daughter counts the strokes aloud"),
        ("<ol><li>The keeper rings the bell<ul><li>by hand in a calm<li>by foot in a storm</ul>"
         "<li>The daughter counts the strokes</ol>",
         "The keeper rings the bell\nby hand in a calm\nby foot in a storm\nThe daughter counts the strokes"),
        ("<table><thead><tr><th>Weather</th><th>Strokes</th></tr></thead><tbody><tr><td>Light fog</td><td>three <b>a"
         "</b> minute</td></tr><tr><td>Thick fog</td><td>nine a minute</td></tr></tbody></table>",
         "Weather | Strokes\nLight fog | three a minute\nThick fog | nine a minute"),
        ("<dl><dt>Short stroke</dt><dd>A ship is near and should turn</dd><dt>Long stroke</dt>"
         "<dd>All is well</dd></dl>",
         "Short stroke\nA ship is near and should turn\nLong stroke\nAll is well"),
    ],
    ids=["code", "highlighted", "list", "nested", "table", "definitions"],
)  # fmt: skip
def test_lists_tables_and_code_read_line_by_line(html: str, text: str) -> None:
    assert text in story_with(html)


def test_unclosed_tags_and_custom_elements_make_the_same_paragraphs() -> None:
    parts = [PROSE, SECOND, THIRD, LAST]
    closed = "".join(f"<p>{part}</p>" for part in parts)
    unclosed = "".join(f"<p>{part}\n" for part in parts)
    assert texts_of(parse(closed)) == texts_of(parse(unclosed)) == parts
    assert texts_of(parse(f"<app-root><x-story-page>{closed}</x-story-page></app-root>")) == parts


@pytest.mark.parametrize("path", GOLDEN, ids=[path.stem for path in GOLDEN])
def test_a_picture_in_the_middle_of_a_word_does_not_divide_it(path: Path) -> None:
    page = path.read_text("utf-8")
    picture = "<img src=/inserted.jpg width=300 height=200>"
    inserted = re.sub(r"(?i)(<p[^>]*>\w\w)(?=\w)", rf"\1{picture}", page)
    assert inserted != page
    before, after = (parse_page(html, URL, OK, CAPS) for html in (page, inserted))
    assert isinstance(before, Page) and isinstance(after, Page)
    begins = [
        begin
        for begin in re.findall(r"(?i)<p[^>]*>(\w{3,}[^<.。]*)", page)
        if any(begin in t for t in texts_of(before))
    ]
    assert [begin for begin in begins if not any(begin in text for text in texts_of(after))] == []


def test_removing_all_pictures_from_a_story_changes_no_text() -> None:
    pictures = [f"<img src=/{i}.jpg width=600>" for i in range(4)]
    body = (
        f"<article><p>{PROSE}{pictures[0]}</p>{pictures[1]}<p>{pictures[2]}{SECOND}</p><h2>What the keeper's daughter"
        f" saw</h2><p>{THIRD}</p><figure>{pictures[3]}</figure><p>{LAST}</p></article>"
    )
    page = parse(body)
    assert len(images_of(page)) == 4
    assert texts_of(page) == texts_of(parse(re.sub("<img[^>]*>", "", body)))
    assert texts_of(page) == [PROSE, SECOND, "What the keeper's daughter saw", THIRD, LAST]


# --- what is hidden


def test_a_page_that_is_all_in_noscript_is_read_there() -> None:
    found = parse_page((Path(__file__).parent / "pages" / "discourse.html").read_text("utf-8"), URL, OK, CAPS)
    assert isinstance(found, Page)
    for begin in (
        "I am restoring a 1964",
        "Nine times out of ten",
        "You were right",
        "For people who find",
        "Well done",
    ):
        assert any(text.startswith(begin) for text in texts_of(found)), begin
    assert [image.rpartition("/")[2] for image in images_of(found)] == ["capacitors.jpeg"]


@pytest.mark.parametrize(
    "hidden",
    [
        "<noscript><p>Please enable JavaScript to see this page as it was meant to be seen.</p></noscript>",
        "<noscript><img height=1 width=1 src='https://t.example/tr?id=1&ev=PageView'></noscript>",
        "<noscript><iframe src='https://t.example/ns.html' height=0 width=0></iframe></noscript>",
        "<div style='display:none'><p>Words for search engines about lamps and ships.</p></div>",
        "<div hidden><p>Words for search engines about lamps and ships.</p></div>",
        "<template><p>Words of a template that nobody sees.</p></template>",
        "<img src='https://t.example/pixel.gif' width=1 height=1><img src='https://t.example/b.gif' width=0 height=0>",
        "<!-- <p>Words that the author has taken back.</p> -->",
    ],
)
def test_what_nobody_sees_is_not_content(hidden: str) -> None:
    page = parse(f"<article><p>{PROSE}</p><p>{SECOND}</p>{hidden}<p>{THIRD}</p><p>{LAST}</p></article>")
    assert texts_of(page) == [PROSE, SECOND, THIRD, LAST] and not images_of(page)


@pytest.mark.parametrize(
    "lazy",
    [
        "<img src='data:image/gif;base64,R0' data-src='/real.jpg'><noscript><img src='/real.jpg'></noscript>",
        "<noscript><img src='/real.jpg'></noscript><img src='data:image/gif;base64,R0' data-src='/real.jpg'>",
        "<noscript><img src='/real.jpg' width=600></noscript>",
        "<figure><img class=lazy data-original='/real.jpg'><noscript><img src='/real.jpg'></noscript></figure>",
    ],
)
def test_a_lazy_picture_comes_once(lazy: str) -> None:
    page = parse(f"<article><p>{PROSE}</p><p>{SECOND}</p>{lazy}<p>{THIRD}</p><p>{LAST}</p></article>")
    assert images_of(page) == ["https://site.example/real.jpg"] and texts_of(page) == [PROSE, SECOND, THIRD, LAST]


def data_page(data: str) -> Page:
    """A page that shows nothing but holds this as data for its scripts."""
    found = parse_page(f"<body><div id=root></div><script type='application/ld+json'>{data}</script>x", URL, OK, CAPS)
    assert isinstance(found, Page), found
    return found


def test_a_page_that_is_all_in_its_data_is_read_there() -> None:
    body = "\\n\\n".join((PROSE, SECOND, THIRD, LAST))
    page = data_page(f'{{"@context": "https://schema.org", "image": "/a.jpg", "articleBody": "{body}"}}')
    assert texts_of(page) == [PROSE, SECOND, THIRD, LAST] and images_of(page) == ["https://site.example/a.jpg"]


def test_data_gives_no_half_characters_and_takes_no_longer_than_a_second() -> None:
    image = '"image": {"url": "/a.jpg", "caption": "\\ud800"}'
    page = data_page(f'{{"@context": "", {image}, "articleBody": "\\udfff {PROSE} {SECOND}"}}')
    for node in page.nodes:
        for value in (node.text, node.image, node.caption):
            (value or "").encode()
    began = time.process_time()
    deep = "\\u003cdiv\\u003e" * 50_000
    data_page(f'{{"@context": "", "articleBody": "{deep} {PROSE} {SECOND}"}}')
    assert time.process_time() - began < 1


@pytest.mark.parametrize("less", ["<", "&lt;", "\\u003c"])
def test_markup_in_data_is_resolved_even_if_it_is_escaped(less: str) -> None:
    body = f"{less}p class=a>{PROSE}{less}/p>{less}p>{SECOND}{less}br/>{THIRD}"
    assert texts_of(data_page(f'{{"@context": "", "articleBody": "{body}"}}')) == [PROSE, SECOND, THIRD]


# --- head


def head_of(html: str, body: str = "") -> Head:
    return parse(STORY + body, html).head


@pytest.mark.parametrize(
    ("head", "published"),
    [
        ("<meta property='article:published_time' content='2024-03-02T10:00:00+02:00'>", (2024, 3, 2, 8, 0)),
        ("<meta property='article:published_time' content='2024-03-02T00:30:00+0200'>", (2024, 3, 1, 22, 30)),
        ("<meta name=date content='2024-03-02'>", (2024, 3, 2, 0, 0)),
        ("<meta name='DC.date.issued' content='2024-03-02T10:15'>", (2024, 3, 2, 10, 15)),
        ("<meta itemprop=datePublished content='2024-03-02 10:15:30Z'>", (2024, 3, 2, 10, 15, 30)),
        ("<meta itemprop=datePublished content='2024-03-02T10:15:30.123-05:00'>", (2024, 3, 2, 15, 15, 30)),
        ("<script type='application/ld+json'>{\"datePublished\": \"2024-03-02T10:00:00Z\"}</script>", (2024, 3, 2, 10)),
        ("<meta name=date content='2023-01-01'><meta property='article:published_time' content='2024-03-02'>",
         (2024, 3, 2)),
        ("<meta property='article:published_time' content='soon'><meta name=date content='2023-01-01'>", (2023, 1, 1)),
        ("<meta name=date content='2024-13-45'>", None),
        ("<meta name=date content='0001-01-01T00:00:00+14:00'>", None),
        ("<meta name=lastmod content='2024-03-02'>", None),
        ("", None),
    ],
)  # fmt: skip
def test_when_a_page_was_published_is_in_utc(head: str, published: tuple[int, ...] | None) -> None:
    moment = datetime(*published, tzinfo=UTC) if published else None  # type: ignore[misc, arg-type]
    assert head_of(head).published == moment


CC = "https://creativecommons.org/licenses"


@pytest.mark.parametrize(
    ("head", "body", "licenses"),
    [
        ("<link rel=license href=/terms>", "", ("https://site.example/terms",)),
        ("", f"<a href='{CC}/by/4.0/' rel='license'>CC BY</a>", (f"{CC}/by/4.0/",)),
        ("", f"<a rel='nofollow license' href='{CC}/by/4.0/'>CC BY</a>", (f"{CC}/by/4.0/",)),
        ("<link rel='license' href=a><link href=b rel=license>", "",
         ("https://site.example/dir/a", "https://site.example/dir/b")),
        ("", f"<p>Text is under <a href='{CC}/by-sa/3.0'>a licence</a>. license</p>", (f"{CC}/by-sa/3.0",)),
        ("", f"<a href='{CC}/by-sa/3.0'>a</a> <a href='{CC}/by-sa/3.0'>b</a> license", (f"{CC}/by-sa/3.0",)),
        ("", f"<a href='{CC}/by-sa/3.0'>a</a> <a href='{CC}/by/4.0'>b</a> license", ()),
        (f"<link rel=license href={CC}/by/4.0/>", f"<a href='{CC}/by-nc/2.0'>a picture's licence</a>",
         (f"{CC}/by/4.0/",)),
        ("", "<a href=/license>Our license</a>", ()),
        ("", '<a href=/about title="About our license">About us</a> <a href=/x class="link license">x</a>', ()),
        ("", '<p>Write rel="license" into your links. <a href=/next>Next</a></p>', ()),
    ],
)  # fmt: skip
def test_licences_are_those_a_page_links_as_its_own(head: str, body: str, licenses: tuple[str, ...]) -> None:
    assert head_of(head, f"<div>{body}</div>").licenses == licenses


def test_directives_of_a_page_are_sorted_words() -> None:
    found = head_of("<meta name=ROBOTS content='noindex, NoAI'><meta name=tdm-reservation content=1>").directives
    assert found == ("noai", "noindex", "tdm-reservation")


# --- encodings

CHINESE = (
    "灯塔看守人每天晚上都记下天气，浓雾来时他便敲钟直到天明。岛上有三户人家，冬天补给船不能靠岸，大家分着面粉过日子。"
)
JAPANESE = (
    "灯台守は毎晩天気を書き留め、霧が出ると朝まで鐘を鳴らした。島には三つの家族が住み、冬には粉を分け合って暮らした。"
)
RUSSIAN = "Смотритель маяка каждый вечер записывал погоду, а когда приходил туман, звонил в колокол до самого утра."
GERMAN = (
    "Der Wärter schrieb jeden Abend das Wetter auf – „für später“ – und läutete bei Nebel die Glocke, bis es Tag war."
)


@pytest.mark.parametrize(
    ("text", "encoding", "declared", "header"),
    [
        (CHINESE, "gb2312", "gb2312", ""),
        (CHINESE, "gb2312", "", "gbk"),
        (CHINESE, "gb2312", "", ""),
        (JAPANESE, "shift_jis", "shift_jis", ""),
        (JAPANESE, "shift_jis", "", ""),
        (JAPANESE, "euc_jp", "euc-jp", ""),
        (JAPANESE, "euc_jp", "", ""),
        (JAPANESE, "euc_jp", "", "iso-8859-1"),
        (JAPANESE, "iso2022_jp", "iso-2022-jp", ""),
        (JAPANESE, "iso2022_jp", "", "iso-2022-jp"),
        (RUSSIAN, "cp1251", "windows-1251", ""),
        (RUSSIAN, "cp1251", "", ""),
        (GERMAN, "cp1252", "windows-1252", ""),
        (GERMAN, "cp1252", "iso-8859-1", ""),
        (GERMAN, "cp1252", "", ""),
        (GERMAN, "utf-8", "windows-1252", "iso-8859-1"),
        (CHINESE, "utf-8", "gb2312", "gb2312"),
        (JAPANESE, "utf-8-sig", "", "shift_jis"),
        (RUSSIAN, "utf-16", "", ""),
        (RUSSIAN, "utf-16", "utf-8", "windows-1251"),
    ],
)
def test_a_page_in_any_encoding_is_the_same_page_in_utf_8(text: str, encoding: str, declared: str, header: str) -> None:
    meta = f"<meta charset='{declared}'>" if declared else ""
    page = f"<html><head>{meta}<title>t</title></head><body><p>{text * 3}</p></body></html>"
    body, name = to_utf8(page.encode(encoding), header)
    assert body.decode().lstrip("\ufeff") == page
    assert ("utf" in encoding) == name.startswith("utf")


# --- measures


def test_measures_are_shares_of_characters() -> None:
    plain = parse(STORY).measures
    assert (plain.link_density, plain.template_repetition) == (0, 0) and plain.kind in KINDS
    size = len(f"<!DOCTYPE html><html><head></head><body>{STORY}</body></html>")
    solid_characters = sum(len("".join(text.split())) for text in (PROSE, SECOND, THIRD, LAST))
    assert plain.text_density == pytest.approx(solid_characters / size)

    linked = parse(f"<p>{PROSE}</p><p>{SECOND}</p><p>{THIRD}</p><p><a href=x>{LAST[:60]}</a>{LAST[60:]}</p>").measures
    assert linked.link_density == pytest.approx(60 / sum(map(len, (PROSE, SECOND, THIRD, LAST))), rel=0.02)


def test_ten_blocks_that_look_alike_are_a_template() -> None:
    def repetition(number: int) -> float | None:
        rows = "".join(
            f"<div class=row>{i}. {text}</div>" for i, text in zip(range(number), [PROSE, LAST] * 5, strict=False)
        )
        return parse(f"<article>{rows}</article>").measures.template_repetition

    assert (repetition(9), repetition(10)) == (0, 1)


def test_navigation_counts_for_no_share_of_the_texts() -> None:
    page = parse(f"<div class=menu><ul>{LINKS}</ul></div><article>{STORY}</article>")
    assert texts_of(page) == [PROSE, SECOND, THIRD, LAST] and page.measures.link_density == 0


# --- caps


@pytest.mark.parametrize(
    ("html", "outcome"),
    [
        (b"<p>x" * 250_001, RecordOutcome.TOO_MANY_NODES),
        (b"<b></b>" * 500_000, RecordOutcome.TOO_MANY_NODES),
        (b"<div>" * 100_000, RecordOutcome.TOO_DEEP),
        (b"<div><p>words" * 50_000, RecordOutcome.TOO_DEEP),
        (b"<my-x>" * 100_000, RecordOutcome.TOO_DEEP),
        (b"<ins>" * 100_000, RecordOutcome.TOO_DEEP),
    ],
    ids=["nodes", "million", "depth", "paragraphs", "custom", "ins"],
)
def test_a_page_over_a_cap_is_a_status_within_a_second(html: bytes, outcome: RecordOutcome) -> None:
    began = time.process_time()
    found = parse_pages([Source(html, URL, OK)], CAPS)
    assert time.process_time() - began < 1
    assert found == [outcome]


@pytest.mark.parametrize("size", [1, 30_000], ids=["small", "over a megabyte"])
@pytest.mark.parametrize("shown", [True, False], ids=["by lexbor's function", "by selectolax"])
def test_markup_is_what_lexbor_writes(size: int, shown: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cleaning._writer() is not None, "this wheel of selectolax hides lexbor's function"
    if not shown:
        monkeypatch.setattr(cleaning, "_writer", lambda: None)
    piece = "<p title='\"a\" & b'>fog &nbsp;雾 &lt;i> &#xD800;<br>مدينة<td>x<table><tr><td>y</table>"
    tree = LexborHTMLParser(f"<body>{piece * size}".encode())
    assert tree.body is not None
    markup = cleaning._markup(tree.body)
    assert markup == (tree.body.html or "").encode()
    assert len(markup) > 100 * size


HOSTILE = {
    "licences": b"<p>" + b'rel="license" ' * 100_000,
    "licences in a tag": b"<a title='" + b'rel="license" ' * 50_000 + b"'>",
    "dates": b"<script type='application/ld+json'>" + b'"datePublished": "x' * 50_000 + b"</script>",
    "bodies": b"<script type='application/ld+json'>" + b'"articleBody": "\\' * 50_000 + b"</script>",
    "types": b"<script type='application/ld+json'>" + b'"@type" : [ ' * 50_000 + b"</script>",
    "edit links": b"<p>" + b'<span class="mw-editsection">x' * 3_000,
    "maths": b"<math>" * 3_000 + b"x",
    "raised": b"<p>" + b"<sup>" * 900 + b"fog " * 1_000_000,
    "headers": b"<header>x</header>" * 3_000,
    "class words": b"<div class='" + b"post-" * 50_000 + b"'>x</div>",
    "addresses": b"<figure itemid='" + b"a.jpg?" * 150_000 + b" x' style='" + b"background:" * 90_000 + b"'></figure>",
    "classes": b"<div class='" + b"a1 " * 500_000 + b"'>x</div>",
    "styles": b"<div style='" + b"display " * 50_000 + b"'>x</div>",
    "srcset": b"<img srcset='" + b"a 1w, " * 50_000 + b"'>",
    "images": b"<p>fog</p>" + b"<img src=a.jpg>" * 20_000,
    "comments": b"<p>" + b"<!-- " * 50_000,
    "figures": b"<figure>" * 300 + b"<figcaption>a<img src=b.jpg>" * 300,
    "spaces": b"<p>a" + b" " * 2_000_000 + b"b",
    "one long text": b"<p>" + "雾".encode() * 1_000_000,
    "links": b"<a href=x>y</a> " * 30_000,
    "list items": b"<ul>" + b"<li>a<p>b" * 20_000,
    "cells": b"<table>" + b"<tr><td>a" * 20_000,
    "cells of a row": b"<table><tr>" + b"<td>a" * 100_000,
}  # fmt: skip


@pytest.mark.timeout(30)
@pytest.mark.parametrize("html", HOSTILE.values(), ids=HOSTILE)
def test_a_page_made_to_be_slow_takes_less_than_a_second(html: bytes) -> None:
    story = f"<html><body>{STORY}".encode()
    parse_pages([Source(story, URL, OK)], CAPS)  # loads the models
    began = time.process_time()
    parse_pages([Source(story + html, URL, OK)], CAPS)
    assert time.process_time() - began < 1


@pytest.mark.parametrize("compressed", [True, False])
def test_a_page_of_50_megabytes_is_a_status_within_a_second(tmp_path: Path, compressed: bool) -> None:
    body = b"<html><body>" + b"<p>fog and ice and snow</p>" * 1_900_000
    assert len(body) > 50_000_000
    path = make_warc(tmp_path / "a.warc", [response("http://a.test/large", body, HTML, compressed=compressed)])
    began = time.process_time()
    (item,) = read_records(Slice(path), lambda kind, head: payload_cap(CAPS, kind, head))
    assert isinstance(item, Record)
    assert interpret(item, CAPS) is RecordOutcome.TOO_LARGE
    assert time.process_time() - began < 1
