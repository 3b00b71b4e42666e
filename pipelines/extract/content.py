"""Which blocks are the content of their page: the kind of page, a probability for each block, the best choice by them.

The probabilities come from two small models, of pages and of blocks, trained by `benchmarks/train_blocks.py`; what is
done with them is explained, with every constant, in `docs/extraction.md`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pipelines.extract import native
from pipelines.extract.blocks import Blocks, Context
from pipelines.extract.columns import Bools, Columns, Ints
from pipelines.extract.features import GROUP_NAMES, NO_ANCESTOR, features
from pipelines.extract.head import Head
from pipelines.extract.markup import PURPOSE
from pipelines.extract.names import FEATURES as NAME_FEATURES
from pipelines.extract.names import Names, NameScores
from pipelines.extract.trees import Floats, Trees
from pipelines.extract.trees import read as read_trees

Doubles = npt.NDArray[np.float64]

KINDS = ("article", "collection", "documentation", "forum", "listing", "product", "service")
_ARTICLE = KINDS.index("article")
# What the log-odds of all blocks of a page of that kind are shifted by when the choice is made. Articles have little
# around their text that a reader would miss, and so have products, whose pages are full of other products.
_SHIFT = np.array([-0.5, 0.8, 0.4, 0.0, 0.1, -0.4, 0.1])
# Blocks that look alike are judged a little together, and the more of them there are the more: in a book, what the
# model makes of the place in the page says nothing.
_TOGETHER = 0.3
_MANY_TOGETHER, _MANY = 0.9, 30
# Right and wrong come by the page: one effect of this deviation is common to the log-odds of all its blocks. Their
# scale makes up for what averaging over it flattens: sqrt(1 + π/8 · deviation²).
_DEVIATION = 2.0
_SCALE = float(np.sqrt(1 + np.pi / 8 * _DEVIATION**2))
_EFFECTS, _EFFECT_WEIGHTS = np.polynomial.hermite_e.hermegauss(5)
_EFFECTS, _EFFECT_WEIGHTS = _DEVIATION * _EFFECTS, _EFFECT_WEIGHTS / _EFFECT_WEIGHTS.sum()
# Articles: a line of some words that is nothing but a link, in a paragraph, a heading or an item, announces another
# page. The more so the surer the page is an article: lists of links are what other pages are made of.
_ANNOUNCES, _SURER, _ALL_LINK, _LINE_WORDS = 2.0, 1.5, 0.95, 3
_LINES = [GROUP_NAMES.index(name) for name in ("p", "div", "li", "h2", "h3", "h4", "blockquote")]
# What is in an invisible element, or in the element in one, goes, unless there is nearly nothing else. Further out it
# is mostly an application that shows itself when it has started.
_JUST_AROUND = 1
_ENOUGH_SEEN = 50
# Up to so many dropped blocks between kept ones come back from this probability on; between cards they are buttons.
_SMALL_GAP, _MAY_BELONG = 2, 0.3
# A short text in an element that is named for a title is a heading too.
_TITLE_WORDS = 12
# A line that is nothing but an address stays with what is kept before it from this probability on.
_ADDRESS, _MAY_REFER = re.compile(r"\W{0,9}(?:https?|ftp)://[!-~]{1,200}\W{0,9}", re.IGNORECASE), 0.05
# What stands between the parts of titles, the page's and its site's; of more parts no page has headings.
_BETWEEN_PARTS, _MOST_PARTS = re.compile(r"\s[-–—|·•:»«›‹>~]{1,3}\s|[|»«]"), 8
# A heading stays with what it heads from this probability on, and without anything behind it only from that on.
_MAY_HEAD, _STANDS_ALONE = 0.1, 0.6
# Kinds of pages that are about one thing: a heading heads something, a line that is an address belongs to what is
# before it, pictures do not lead to other pages.
ABOUT_ONE_SUBJECT = [KINDS.index(kind) for kind in ("article", "documentation", "forum")]
# Kinds of pages whose content is many cards with a picture that leads to a page of its own.
MADE_OF_CARDS = [KINDS.index(kind) for kind in ("collection", "listing")]


@dataclass(frozen=True)
class Choice:
    """`kept` tells for each block whether it is content; `kinds` are probabilities of shape (pages, KINDS).

    `surest` is of each page the probability of the most probable block that is kept; `alike` numbers the blocks so that
    those of a page which look the same have the same number.
    """

    kept: Bools
    kinds: Doubles
    surest: Doubles
    alike: Ints


@dataclass(frozen=True)
class Models:
    """Scores of names of elements, and the models of pages and of blocks."""

    names: NameScores
    pages: Trees
    blocks: Trees


@cache
def models() -> Models:
    """The models that are shipped, read once; see `data/README.md`."""
    with as_file(files("pipelines.extract") / "data") as folder:
        return read_models(folder)


def read_models(folder: Path) -> Models:
    """The models in a folder that `benchmarks/train_blocks.py` wrote."""
    with np.load(folder / "names.npz") as stored:
        names = NameScores.of(stored["sums"], stored["steps"])
    return Models(names, read_trees(folder / "pages.npz"), read_trees(folder / "blocks.npz"))


def choose(columns: Columns, blocks: Blocks, heads: Sequence[Head]) -> Choice:
    """The content of each page of a batch."""
    kept = np.zeros(len(blocks), np.bool_)
    kinds = np.zeros((columns.pages, len(KINDS)))
    if not len(blocks):
        return Choice(kept, kinds, np.zeros(columns.pages), np.zeros(0, np.int64))
    used = models()
    own, known, near = features(columns, blocks, heads, len(NAME_FEATURES) + len(KINDS))
    names = [*own, *NAME_FEATURES]
    matrix = known[: len(names)]
    matrix[len(own) :] = used.names.features(Names.of(columns), columns, blocks)
    kinds = page_kinds(used.pages, names, matrix, blocks)
    known[len(names) :] = kinds.T[:, blocks.page]
    place = {name: i for i, name in enumerate([*names, *(f"kind_{kind}" for kind in KINDS)])}
    odds = used.blocks.evaluate(known, place)[:, 0]
    bits = columns.codes[columns.opens]
    titled = ((bits[blocks.box] | bits[blocks.leaf]) & PURPOSE["title"]) != 0
    decide(odds, kinds, blocks, near, Traits.of(names, matrix, titled, blocks, heads), kept)
    surest = np.zeros(columns.pages)
    np.maximum.at(surest, blocks.page[kept], 1 / (1 + np.exp(-odds[kept])))
    return Choice(kept, kinds, surest, near.alike)


@dataclass(frozen=True)
class Traits:
    """What rules ask of blocks, beside the models."""

    heading: Bools  # a heading, or the term of a definition: it says what comes
    says_what_comes: Bools  # a heading, or named for one
    seen: Bools  # not in an invisible element, or in one that unfolds
    title: Bools  # the first heading that says the page's title, which the document has apart from its texts
    part_of_title: Bools  # a heading that is the title, or the part it begins or ends with
    announcing: Bools  # a line that is nothing but a link
    address: Bools  # a line that is nothing but an address
    wordless: Bools  # neither letter nor digit, and no piece of a list, a table or code

    @staticmethod
    def of(names: Sequence[str], matrix: Floats, titled: Bools, blocks: Blocks, heads: Sequence[Head]) -> "Traits":
        """Traits from the matrix of features, and whether a block is in an element named for a title."""
        row = {name: matrix[i] for i, name in enumerate(names)}
        heading = (row["heading_level"] > 0) | (row["is_dt"] > 0)
        seen = (row["to_unseen"] > _JUST_AROUND) | (row["to_folded"] < NO_ANCESTOR)
        title = row["since_title"] == 0
        part_of_title = _parts_of_titles(row["heading_level"] > 0, blocks, heads)
        announcing = (row["link_density"] >= _ALL_LINK) & (row["words"] >= _LINE_WORDS) & ~title
        announcing &= np.isin(row["group"], _LINES)
        wordless = blocks.counts.letters + blocks.counts.digits == 0
        for name in ("list", "table", "code"):
            wordless &= row[f"to_{name}"] >= NO_ANCESTOR
        for i in np.flatnonzero(wordless).tolist():
            wordless[i] = not any(map(str.isalnum, blocks.texts[i]))
        says_what_comes = heading | (titled & (row["words"] <= _TITLE_WORDS))
        address = np.zeros(len(blocks), np.bool_)
        for i in blocks.texts.holding(b"://"):
            address[i] = _ADDRESS.fullmatch(blocks.texts[i]) is not None
        return Traits(heading, says_what_comes, seen, title, part_of_title, announcing, address, wordless)


def _parts_of_titles(heading: Bools, blocks: Blocks, heads: Sequence[Head]) -> Bools:
    """Headings that are the title of their page, or a part that it begins or ends with: the page's name, the site's."""
    found = np.zeros(len(blocks), np.bool_)
    parts: dict[int, set[str]] = {}
    for i in np.flatnonzero(heading).tolist():
        page = int(blocks.page[i])
        if page not in parts:
            parts[page] = _parts_of((heads[page].title or "").lower())
        found[i] = blocks.texts[i].lower() in parts[page]
    return found


def _parts_of(title: str) -> set[str]:
    between = list(islice(_BETWEEN_PARTS.finditer(title), _MOST_PARTS))
    ends = {title[: found.start()].rstrip() for found in between} | {title[found.end() :].lstrip() for found in between}
    return ends | {title}


def page_kinds(model: Trees, names: Sequence[str], matrix: Floats, blocks: Blocks) -> Doubles:
    """Probabilities of shape (pages, KINDS); zeros for a page without blocks."""
    filled = np.flatnonzero(np.diff(blocks.starts))
    vectors = page_vectors(model.names, names, matrix, blocks)[:, filled]
    odds = model.evaluate(vectors, {name: i for i, name in enumerate(model.names)})
    odds = np.exp(odds - odds.max(axis=1, keepdims=True))
    kinds = np.zeros((len(blocks.starts) - 1, len(KINDS)))
    kinds[filled] = odds / odds.sum(axis=1, keepdims=True)
    return kinds


def page_vectors(wanted: Sequence[str], names: Sequence[str], matrix: Floats, blocks: Blocks) -> Floats:
    """Means of the features of a page's blocks, shape (wanted, pages): `mean_` by blocks, `text_` by unlinked words."""
    place = {name: i for i, name in enumerate(names)}
    kinds, _, asked = zip(*(name.partition("_") for name in wanted), strict=True)
    weights = np.ones((2, len(blocks)))
    weights[1] = blocks.counts.words * (1 - matrix[place["link_density"]].astype(np.float64))
    vectors = np.zeros((len(wanted), len(blocks.starts) - 1), np.float32)
    native.page_means(
        np.ascontiguousarray(matrix, np.float32), len(blocks), blocks.starts, len(blocks.starts) - 1,
        np.array([place[name] for name in asked]), np.array(kinds) == "text", len(wanted), weights, vectors,
    )  # fmt: skip
    return vectors


def decide(odds: Doubles, kinds: Doubles, blocks: Blocks, near: Context, traits: Traits, kept: Bools) -> None:
    """Set `kept` for the blocks that make the best content of their pages by the log-odds of each."""
    page, pages = blocks.page, len(blocks.starts) - 1
    odds = odds - _ANNOUNCES * kinds[page, _ARTICLE] ** _SURER * traits.announcing
    odds = _with_those_alike(odds, blocks, near)
    shifts = (kinds * _SHIFT).sum(axis=1)  # not a product of matrices, whose last bit depends on the batch
    words = blocks.counts.words
    chosen = best_by_f1(odds, words, blocks.starts, shifts)
    chance = 1 / (1 + np.exp(-odds))
    kind = kinds.argmax(axis=1)
    one_subject, of_cards = np.isin(kind, ABOUT_ONE_SUBJECT), np.isin(kind, MADE_OF_CARDS)
    lone = traits.heading & one_subject[page]
    title = _titles(chosen, blocks, traits)
    _head_what_is_kept(chosen, chance, traits.says_what_comes, lone, page)
    _close_gaps(chosen, chance, page, ~of_cards[page])
    chosen &= ~title
    visible = chosen & traits.seen
    all_words, seen_words = np.bincount(page, words * chosen, pages), np.bincount(page, words * visible, pages)
    mostly_seen = seen_words >= np.minimum(_ENOUGH_SEEN, all_words / 3)
    kept[:] = np.where(mostly_seen[page], visible, chosen) & ~traits.wordless
    address = traits.address & traits.seen & ~title & (chance >= _MAY_REFER)
    for i in np.flatnonzero(address).tolist():
        kept[i] |= i > blocks.starts[page[i]] and kept[i - 1]


def _titles(chosen: Bools, blocks: Blocks, traits: Traits) -> Bools:
    """The headings that are no content since the document has them as its title, unless there is nothing else.

    What only is a part of the title is it before the first text that was chosen; behind that it heads a section.
    """
    page, pages = blocks.page, len(blocks.starts) - 1
    texts = np.flatnonzero(chosen & ~traits.says_what_comes)
    begin = blocks.starts[1:].copy()
    np.minimum.at(begin, page[texts], texts)
    title = traits.title | (traits.part_of_title & (np.arange(len(page)) < begin[page]))
    return title & (np.bincount(page, chosen & ~title, pages) > 0)[page]


def best_by_f1(odds: Doubles, words: Ints, starts: Ints, shifts: Doubles) -> Bools:
    """The blocks that make the expected F1 of words of their page largest: the most probable ones, as many as it takes.

    With F the best that can be expected, a block is worth taking if it is more probable than F / 2: a page whose blocks
    are all uncertain keeps more of them than one where the content stands out. The expectation is over an effect that
    all blocks of the page share.

    Args:
        odds: log-odds of each block.
        words: of each block.
        starts: of each page its first block, and their number.
        shifts: of each page what is added to its log-odds.
    """
    kept = np.zeros(len(odds), np.bool_)
    native.best_by_f1(odds, words, starts, len(shifts), shifts, _SCALE, _EFFECTS, _EFFECT_WEIGHTS, len(_EFFECTS), kept)
    return kept


def _with_those_alike(odds: Doubles, blocks: Blocks, near: Context) -> Doubles:
    """Log-odds drawn towards the mean of the blocks of the same path in the same element three levels up."""
    weight = np.sqrt(np.maximum(blocks.counts.words, 1.0))
    key = near.alike * (len(blocks) + 1) + near.around[3][0]
    which = np.unique(key, return_inverse=True)[1]
    mean = np.bincount(which, odds * weight) / np.bincount(which, weight)
    number = np.bincount(which)
    pull = np.maximum(_TOGETHER, _MANY_TOGETHER * number / (number + _MANY))[which]
    return (1 - pull) * odds + pull * mean[which]


def _head_what_is_kept(kept: Bools, chance: Doubles, says_what_comes: Bools, lone: Bools, page: Ints) -> None:
    """Keep headings of what is kept, unless they are surely none; drop those of `lone` that nothing kept follows."""
    last = np.append(page[1:] != page[:-1], True)
    for i in np.flatnonzero(says_what_comes)[::-1].tolist():
        followed = not last[i] and bool(kept[i + 1])
        if followed and not kept[i]:
            kept[i] = chance[i] >= _MAY_HEAD
        elif kept[i] and not followed and lone[i]:
            kept[i] = chance[i] >= _STANDS_ALONE


def _close_gaps(kept: Bools, chance: Doubles, page: Ints, may_close: Bools) -> None:
    """Keep what stands between kept blocks of a page, where it is little and not improbable."""
    places = np.flatnonzero(kept & may_close)
    gaps = np.diff(places) - 1
    small = (gaps > 0) & (gaps <= _SMALL_GAP) & (page[places[1:]] == page[places[:-1]])
    for i in np.flatnonzero(small).tolist():
        between = slice(int(places[i]) + 1, int(places[i + 1]))
        if chance[between].min() >= _MAY_BELONG:
            kept[between] = True
