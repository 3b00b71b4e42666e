"""What is known of each block: its text, its place in the tree and in the page, its neighbours, and the page itself.

Every number is computed for all blocks of a batch at once, from integers, so that it does not depend on the batch.
"""

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from pipelines.extract import native
from pipelines.extract.blocks import UP, Blocks, Context, context, ragged, running, windows
from pipelines.extract.columns import Bools, Columns, Ints
from pipelines.extract.head import TYPES, Head
from pipelines.extract.markup import FIRST_PURPOSE, PURPOSE, PURPOSES, TAG, TAGS

Floats = npt.NDArray[np.float32]


# Groups of elements that mean the same to a reader; the order is from text to furniture.
_TAG_GROUPS = (
    ("p",), ("li",), ("td", "th"), ("h1",), ("h2",), ("h3",), ("h4", "h5", "h6"), ("div", "section", "article", "main"),
    ("blockquote",), ("pre",), ("dt", "dd"), ("figcaption", "caption", "figure"), ("button", "summary", "legend"),
    ("address", "footer", "header", "aside", "nav", "form"),
)  # fmt: skip
GROUP_NAMES = tuple(group[0] for group in _TAG_GROUPS)
_GROUP_OF_TAG = np.full(len(TAGS), len(_TAG_GROUPS), np.int64)
for _number, _group in enumerate(_TAG_GROUPS):
    for _name in _group:
        _GROUP_OF_TAG[TAG[_name]] = _number
_HEADING_LEVEL = np.zeros(len(TAGS), np.int64)
for _level in range(1, 7):
    _HEADING_LEVEL[TAG[f"h{_level}"]] = _level

# Words of headings behind which something else begins than what the page is about, in the languages of most pages.
_CLOSING = frozenset(
    """
    related recommended more also popular trending latest recent comment comments reply replies leave review reviews
    share follow subscribe newsletter about author tags categories archives similar other next previous navigation
    menu contact advertisement sponsored links search customers bought viewed ähnliche kommentar kommentare mehr
    verwandte weitere neueste lire aussi commentaire commentaires similaires artículos comentarios relacionados
    relacionadas leggi anche commenti correlati lees ook reacties czytaj komentarze relacionadas veja também похожие
    комментарии также 関連 相关
    """.split()
)
_DISTANCE_LIMIT, _REACH = 12, 99
_MOST_FEATURES = 256
# The distance to an element that there is not.
NO_ANCESTOR = 20


class _Matrix:
    """Rows of features with their names."""

    def __init__(self, blocks: int) -> None:
        self.names: list[str] = []
        self._rows = np.empty((_MOST_FEATURES, blocks), np.float32)

    def add(self, name: str, values: npt.NDArray[np.generic]) -> None:
        self._rows[len(self.names)] = values
        self.names.append(name)

    def array(self, room: int) -> Floats:
        return self._rows[: len(self.names) + room]


def features(
    columns: Columns, blocks: Blocks, heads: Sequence[Head], room: int = 0
) -> tuple[list[str], Floats, Context]:
    """Names of the features, an array of shape (features, blocks), and what belongs together.

    The array has so many rows more as there is to be `room` for other features; what they hold is undefined.
    """
    near, above = context(columns, blocks)
    matrix = _Matrix(len(blocks))
    own = _Own(columns, blocks)
    _add_own(matrix, blocks, own)
    _add_texts(matrix, blocks, own, heads)
    _add_ancestors(matrix, columns, blocks)
    _add_surroundings(matrix, columns, blocks, own, near, above)
    _add_candidates(matrix, columns, blocks, own)
    _add_neighbours(matrix, blocks, own)
    _add_page(matrix, columns, blocks, own, heads)
    return matrix.names, matrix.array(room), near


class _Own:
    """Numbers of blocks that several groups of features need."""

    def __init__(self, columns: Columns, blocks: Blocks) -> None:
        counts = blocks.counts
        self.solid = counts.solid
        self.linked = blocks.linked
        self.plain = np.maximum(counts.solid - blocks.linked, 0)
        self.link_density = _share(blocks.linked, counts.solid)
        tag = columns.element_tag[blocks.box] if len(blocks) else np.zeros(0, np.int64)
        # A link or a span directly inside li or td is still that li or td.
        self.group = _GROUP_OF_TAG[tag]
        self.heading = _HEADING_LEVEL[tag]
        self.tag = tag


def _share(part: Ints, whole: Ints) -> Floats:
    return (part / np.maximum(whole, 1)).astype(np.float32)


def _add_own(matrix: _Matrix, blocks: Blocks, own: _Own) -> None:
    counts = blocks.counts
    matrix.add("characters", counts.solid)
    matrix.add("words", counts.words)
    matrix.add("link_density", own.link_density)
    matrix.add("plain_characters", own.plain)
    matrix.add("upper_share", _share(counts.upper, counts.letters))
    matrix.add("digit_share", _share(counts.digits, counts.solid))
    matrix.add("letter_share", _share(counts.letters, counts.solid))
    matrix.add("sentence_ends", counts.enders)
    matrix.add("ends_per_word", _share(counts.enders, counts.words))
    matrix.add("commas", counts.commas)
    matrix.add("ends_sentence", counts.ended)
    matrix.add("heading_level", own.heading)
    matrix.add("group", own.group)
    for name in ("p", "li", "td", "div", "pre"):
        matrix.add(f"is_{name}", own.group == GROUP_NAMES.index(name))
    matrix.add("is_dt", own.tag == TAG["dt"])


def _add_texts(matrix: _Matrix, blocks: Blocks, own: _Own, heads: Sequence[Head]) -> None:
    texts = blocks.texts
    in_body, is_title, closing = np.zeros((3, len(blocks)), np.float32)
    repeats, copy = _repeats(blocks)
    for page, head in enumerate(heads):
        begin, end = int(blocks.starts[page]), int(blocks.starts[page + 1])
        if head.body:
            for i in (np.flatnonzero(blocks.counts.spaced[begin:end] > _TELLING) + begin).tolist():
                in_body[i] = 1 if texts[i][:_COMPARED] in head.body else -1
    titles = [frozenset(_WORD.findall(head.headline.lower())) for head in heads]
    for i in np.flatnonzero(own.heading).tolist():
        words = _WORD.findall(texts[i].lower())
        is_title[i] = _is_title(set(words), titles[int(blocks.page[i])])
        closing[i] = len(words) < _SHORT_HEADING and not _CLOSING.isdisjoint(words)
    matrix.add("repeats", repeats)
    matrix.add("copy", copy)
    matrix.add("in_json_body", in_body)
    index = np.arange(len(blocks))
    start, stop = blocks.starts[blocks.page], blocks.starts[blocks.page + 1]
    is_heading = own.heading > 0
    last_heading = np.maximum.accumulate(np.where(is_heading, index, -1))
    has = last_heading >= start
    matrix.add("since_heading", np.where(has, index - last_heading, 99))
    matrix.add("last_heading_level", np.where(has, own.heading[last_heading], 7))
    matrix.add("behind_closing", np.where(has, closing[last_heading], 0))
    closings = running(closing)
    matrix.add("closings_before", closings[1:] - closings[start])
    next_heading = np.minimum.accumulate(np.where(is_heading, index, len(index) + 99)[::-1])[::-1]
    matrix.add("until_heading", np.where(next_heading < stop, np.minimum(next_heading - index, 99), 99))
    for name, wanted in (("title", is_title > 0), ("h1", own.heading == 1)):
        first = _first_of_page(blocks, wanted)
        matrix.add(f"since_{name}", np.where(first >= 0, np.clip(index - first, -200, 400), -500))


# Shorter texts are in anything; longer ones are compared by their beginning.
_TELLING, _COMPARED = 20, 60
_SHORT_HEADING = 12


def _repeats(blocks: Blocks) -> tuple[Ints, Ints]:
    """How often a text occurs in its page if it does more than once, and how often it did before."""
    which = np.unique(blocks.hashes + blocks.page.astype(np.uint64), return_inverse=True)[1]
    number = np.bincount(which)
    order = np.argsort(which, kind="stable")
    before = np.empty(len(which), np.int64)
    before[order] = np.arange(len(which)) - np.repeat(np.cumsum(number) - number, number)
    return np.where(number[which] > 1, number[which], 0), before


_WORD = re.compile(r"\w+")


def _is_title(words: set[str], title: frozenset[str]) -> bool:
    shared = len(words & title)
    return bool(shared) and shared >= 0.7 * len(words) and shared >= 0.4 * len(title)


def _first_of_page(blocks: Blocks, wanted: Bools) -> Ints:
    """The first such block of each block's page, -1 for none."""
    found = np.full(len(blocks.starts) - 1, -1)
    places = np.flatnonzero(wanted)[::-1]
    found[blocks.page[places]] = places
    return found[blocks.page]


def _add_ancestors(matrix: _Matrix, columns: Columns, blocks: Blocks) -> None:
    """How many levels above a block the nearest element of each purpose is."""
    found = np.empty((len(PURPOSES), len(blocks)), np.float32)
    native.distances(
        columns.parent, columns.level, columns.codes, columns.opens, len(columns.parent), FIRST_PURPOSE, len(PURPOSES),
        blocks.leaf, len(blocks), _REACH, _DISTANCE_LIMIT, NO_ANCESTOR, found,
    )  # fmt: skip
    for name, distance in zip(PURPOSES, found, strict=True):
        matrix.add(f"to_{name}", distance)
    matrix.add("depth", columns.level[blocks.leaf])


def _add_surroundings(
    matrix: _Matrix, columns: Columns, blocks: Blocks, own: _Own, near: Context, above: Sequence[Ints]
) -> None:
    """Shares and densities of the block elements around a block, and of those that look the same."""
    solid, linked = running(own.solid), running(own.linked)
    long = running(own.plain > 80)
    paragraphs = running((own.group == 0) * own.plain)
    starting = ~columns.is_end
    images = running((columns.tag == TAG["img"]) & starting)
    controls = running(((columns.tag == TAG["input"]) | (columns.tag == TAG["button"])) & starting)
    page_solid = np.maximum(np.bincount(blocks.page, own.solid, columns.pages), 1)[blocks.page]
    page_plain = np.maximum(np.bincount(blocks.page, own.plain, columns.pages), 1)[blocks.page]
    for i in range(1, UP + 1):
        low, high = near.around[i]
        opens, closes = columns.opens[above[i]], columns.closes[above[i]]
        inside = solid[high] - solid[low]
        inside_linked = linked[high] - linked[low]
        number = high - low
        matrix.add(f"up{i}_share", inside / page_solid)
        matrix.add(f"up{i}_plain_share", (inside - inside_linked) / page_plain)
        matrix.add(f"up{i}_link_density", _share(inside_linked, inside))
        matrix.add(f"up{i}_mean", inside / np.maximum(number, 1))
        matrix.add(f"up{i}_paragraphs", _share(paragraphs[high] - paragraphs[low], inside))
        if i < UP:
            matrix.add(f"up{i}_blocks", number)
            matrix.add(f"up{i}_long", long[high] - long[low])
        if 2 <= i < UP:
            matrix.add(f"up{i}_images", images[closes] - images[opens])
            matrix.add(f"up{i}_controls", controls[closes] - controls[opens])
        if i <= 2:
            matrix.add(f"up{i}_group", _GROUP_OF_TAG[columns.element_tag[above[i]]])
    for name in ("main_element", "article_element", "body_text"):
        wanted = (columns.codes[columns.opens] & PURPOSE[name]) != 0
        outer = columns.outermost(wanted)[blocks.leaf]
        low, high = blocks.low[outer], blocks.high[outer]
        matrix.add(f"{name}_share", np.where(outer >= 0, (solid[high] - solid[low]) / page_solid, -1))
        count = np.bincount(columns.page_of_token[columns.opens[wanted]], minlength=columns.pages)
        matrix.add(f"{name}s", count[blocks.page])
        place = np.arange(len(blocks))
        matrix.add(f"{name}_place", np.where(outer >= 0, (place - low) / np.maximum(high - low, 1), -1))
        matrix.add(f"{name}_after", np.where(outer >= 0, np.minimum(high - place, 99), -1))
    which = near.alike
    counted = np.bincount(which)
    same = np.bincount(which, own.solid)
    same_linked = np.bincount(which, own.linked)
    matrix.add("alike", counted[which])
    matrix.add("alike_share", same[which] / page_solid)
    matrix.add("alike_mean", same[which] / counted[which])
    matrix.add("alike_link_density", same_linked[which] / np.maximum(same[which], 1))


# Readability's way (Arc90, then Mozilla): paragraphs give points to the elements around them, names add and take some,
# links take their share, and the element with most points holds the article. Points are in twelfths.
_POINT = 12
_LEVELS = (12, 6, 2, 1)
_PARAGRAPH = 25
_GOOD_NAMES = (
    PURPOSE["content"]
    | PURPOSE["body_text"]
    | PURPOSE["article_body"]
    | PURPOSE["main_element"]
    | PURPOSE["article_element"]
)
_BAD_NAMES = 0
for _name in ("comment", "footer", "side", "share", "related", "advert", "overlay", "navigation", "meta"):
    _BAD_NAMES |= PURPOSE[_name]
_TAG_POINTS = np.zeros(len(TAGS), np.int64)
for _name, _points in (
    ("div", 5), ("pre", 3), ("td", 3), ("blockquote", 3), ("address", -3), ("ol", -3), ("ul", -3), ("dl", -3),
    ("dd", -3), ("dt", -3), ("li", -3), ("form", -3), ("h1", -5), ("h2", -5), ("h3", -5), ("h4", -5), ("h5", -5),
    ("h6", -5), ("th", -5),
):  # fmt: skip
    _TAG_POINTS[TAG[_name]] = _points * _POINT


def _add_candidates(matrix: _Matrix, columns: Columns, blocks: Blocks, own: _Own) -> None:
    """Whether a block is inside the element that Readability would choose, and how good the best one around it is."""
    elements = len(columns.opens)
    points = 1 + blocks.counts.commas + np.minimum(own.solid // 100, 3)
    points = np.where(own.solid >= _PARAGRAPH, points, 0)
    score = np.zeros(elements, np.int64)
    at = columns.parent[blocks.box]
    for weight in _LEVELS:
        inside = at >= 0
        score += np.bincount(at[inside], points[inside] * weight, elements).astype(np.int64)
        at = np.where(inside, columns.parent[np.maximum(at, 0)], -1)
    bits = columns.codes[columns.opens]
    named = 25 * _POINT * (((bits & _GOOD_NAMES) != 0).astype(np.int64) - ((bits & _BAD_NAMES) != 0))
    score = np.where(score > 0, score + named + _TAG_POINTS[columns.element_tag], 0)
    low, high = blocks.low, blocks.high
    solid, linked = running(own.solid), running(own.linked)
    inside_solid = np.maximum(solid[high] - solid[low], 1)
    score = np.maximum(score * (inside_solid - np.minimum(linked[high] - linked[low], inside_solid)) // inside_solid, 0)
    page = columns.page_of_token[columns.opens]
    best = np.zeros(columns.pages, np.int64)
    np.maximum.at(best, page, score)
    candidates = np.flatnonzero(score == best[page])
    order = candidates[np.argsort(columns.level[candidates], kind="stable")]  # the deepest, of those the last
    top = np.full(columns.pages, -1)
    top[page[order]] = order
    around = columns.parent[top]
    around = np.where(around >= 0, around, top)
    place = np.arange(len(blocks))
    for name, element in (("top", top), ("top_parent", around)):
        begin, end = low[element][blocks.page], high[element][blocks.page]
        matrix.add(f"in_{name}", (place >= begin) & (place < end))
        share = (solid[high[element]] - solid[low[element]])[blocks.page]
        matrix.add(
            f"{name}_share", share / np.maximum(np.bincount(blocks.page, own.solid, columns.pages), 1)[blocks.page]
        )
    begin, end = low[top][blocks.page], high[top][blocks.page]
    matrix.add("from_top", np.clip(np.where(place < begin, place - begin, np.maximum(place - end + 1, 0)), -99, 99))
    reached = columns.inherit(np.minimum(score * 1000 // np.maximum(best, 1)[page], 1000).astype(np.int16))
    matrix.add("best_around", reached[blocks.leaf])


def _add_neighbours(matrix: _Matrix, blocks: Blocks, own: _Own) -> None:
    index = np.arange(len(blocks))
    for offset in (-2, -1, 1, 2):
        other, valid = ragged(blocks.starts, index, blocks.page, offset)
        matrix.add(f"at{offset:+}_group", np.where(valid, own.group[other], -1))
        if abs(offset) == 1:
            matrix.add(f"at{offset:+}_characters", np.where(valid, own.solid[other], -1))
            matrix.add(f"at{offset:+}_link_density", np.where(valid, own.link_density[other], -1))
    capped = np.minimum(own.plain, 1000)
    for radius in (2, 5, 12, 30):
        matrix.add(f"plain_within_{radius}", windows(capped, blocks.starts, blocks.page, radius))
    linked = np.minimum(own.linked, 1000)
    for radius in (2, 7, 20):
        matrix.add(f"linked_within_{radius}", windows(linked, blocks.starts, blocks.page, radius))


def _add_page(matrix: _Matrix, columns: Columns, blocks: Blocks, own: _Own, heads: Sequence[Head]) -> None:
    index = np.arange(len(blocks)) - blocks.starts[blocks.page]
    number = (blocks.starts[1:] - blocks.starts[:-1])[blocks.page]
    matrix.add("index", index)
    matrix.add("place", index / number)
    running = np.cumsum(own.plain)
    base = np.concatenate((np.zeros(1, np.int64), running))[blocks.starts[:-1]][blocks.page]
    total = np.bincount(blocks.page, own.plain, columns.pages)[blocks.page]
    matrix.add("plain_before", (running - own.plain - base) / np.maximum(total, 1))
    matrix.add("page_plain", total)
    matrix.add("page_blocks", number)
    page_solid = np.bincount(blocks.page, own.solid, columns.pages)[blocks.page]
    matrix.add("page_link_density", 1 - total / np.maximum(page_solid, 1))
    matrix.add(
        "page_paragraphs",
        np.bincount(blocks.page, (own.group == 0) * own.plain, columns.pages)[blocks.page] / np.maximum(total, 1),
    )
    long = np.bincount(blocks.page, (own.plain > 80).astype(np.int64), columns.pages)
    matrix.add("page_long", long[blocks.page])
    matrix.add("page_open_graph", np.array([f.open_graph for f in heads], np.int64)[blocks.page])
    types = np.array([f.types for f in heads], np.int64)[blocks.page]
    for bit, name in enumerate(name for name, _ in TYPES):
        matrix.add(f"page_type_{name}", (types >> bit) & 1)
    matrix.add("page_forum", np.array([f.forum for f in heads], np.int64)[blocks.page])
    longest = np.zeros(columns.pages, np.int64)
    np.maximum.at(longest, blocks.page, own.plain)
    matrix.add("of_longest", own.plain / np.maximum(longest, 1)[blocks.page])
