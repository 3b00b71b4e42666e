"""Which images belong to the content of their page, and what they show it with: source, alternative text, caption."""

import html
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt

from filters.urls import canonical
from pipelines.extract import image_source
from pipelines.extract.blocks import Blocks, running
from pipelines.extract.columns import Bools, Columns, Ints
from pipelines.extract.content import ABOUT_ONE_SUBJECT, MADE_OF_CARDS, Choice
from pipelines.extract.head import Head
from pipelines.extract.markup import PURPOSE, TAG

_ATTRIBUTE = re.compile(r'([^\s"=]+)="([^"]*)"')
# What authors call images that are not content: in class and id as any word, in file names as the last word.
_SIGNS = (
    r"avatar|gravatar|icons?|logo(?:s|type|tipo|print|img|image|mark)?|(?:site|header|footer|brand|print|nav)-?logo|emoji"
    r"|emoticon|smiley|smilies|sprites?|spacer|spinner|btn|favicon|userpic|profile-pic|author-photo|author-image"
    r"|author-avatar|captcha|qr-?code|1x1"
)
# These too, but a photo may be named for what it shows: google-pixel.jpg.
_SUBJECTS = (
    r"pixel|badge|button|arrow|bullet|rating|stars?|flag|swatch|social|share|facebook|twitter|linkedin|instagram|youtube"
    r"|beacon"
)
# Classes with such words say something else: that an image is loaded late, or that it clears what floats.
_FILES = r"blank|transparent|clear|loader|counter|tracking"
_DECORATION = re.compile(rf"(?<![^\s_-])(?:{_SIGNS}|{_SUBJECTS})(?![^\s_-])")
# Signs of navigation and of notes have such a word for their whole name.
_DECORATION_FILE = re.compile(
    rf"(?:.*[_.-])?(?:(?:{_SIGNS})[_-]?\d*(?:x\d+)?\.\w+|(?:{_SUBJECTS}|{_FILES})[_-]?\d*(?:x\d+)?\.(?:png|gif|svg|ico))|"
    r"(?:prev|previous|next|home|up|back|forward|top|note|tip|hint|warning|caution|important|info|print|mail|email|search"
    r"|menu|close|play|rss|feed)\.(?:png|gif|svg)"
)
# What stands for a picture that is not there, whatever its size.
_PLACEHOLDER = re.compile(
    r"(?:.*[_.-])?(?:blank|spacer|loading|placeholder|transparent|no[_-]?(?:image|photo|picture))\.(?:gif|png|jpe?g|webp)"
)
# Services that count readers, by their addresses in lower case.
_TRACKER = re.compile(
    r"/tr\?|/(?:pixel|beacon)(?:\?|\.(?:gif|png|php)|/[\da-f]{12}|$)|/akam/|/collect\?|doubleclick\.net|scorecardresearch|quantserve|/b/ss/"
    r"|/piwik\.|//(?:[\w-]+\.)*(?:track|tracker|tracking|analytics|metrics|matomo|piwik)\.|/matomo\.|mc\.yandex\."
    r"|counter\.yadro\.ru|top-fwz1\.mail\.ru"
)
_FACE = re.compile(r"gravatar\.com/|/avatars?/|/userpics?/")
# Below this an image is a sign, not a picture; what is larger is judged by the rules for fetched images.
_SMALL = 50
_TINY = 3
# A logo or avatar that is larger is shown as a picture.
_ICON = 128
# A box with so few words says nothing about whether it is content: a caption, a button.
_ENOUGH_WORDS = 20
# An element with one image, or that and one for small screens, and a few words that are no link is a picture with its
# caption.
_ALONE, _CAPTION_WORDS, _LINKED = 2, 60, 0.3
# A caption of so many words at most belongs to the image in its element, or in one of the three around it.
_LONG_CAPTION, _CAPTION_LEVELS, _CAPTION_CHARACTERS = 200, 4, 5_000
_GALLERY = 50  # so many images of a figure share its caption
_CAPTION = PURPOSE["caption"] | PURPOSE["captioned"]
# One whose words are a link and were not kept shows another page.
_TEASER_WORDS = 4
# One that is named for furniture and holds nothing that was kept is not looked through; if for what leads to other
# pages, then only if it has a link: the picture on top of an article is called a featured image.
_ASIDE = PURPOSE["navigation"] | PURPOSE["footer"] | PURPOSE["share"]
_LEADING_AWAY = PURPOSE["advert"] | PURPOSE["related"]
_MOSTLY = 0.5
_FILE = re.compile(r"\.(?:jpe?g|png|gif|webp|avif|svg|bmp|tiff?|pdf)\b", re.IGNORECASE)
# The picture that a page is shared with is known by its file's name, without what says its size or kind; if that is
# short, such as original.jpg, with the folder's.
_FOLDER, _SIZE = re.compile(r"/|%2F", re.IGNORECASE), re.compile(r"(?:[-_]\d+x\d+|-scaled)?(?:\.\w{2,5})?$")
_TELLING_NAME, _LONGEST_ADDRESS, _MOST_PLACES = 12, 4096, 1_000
_LONGER_NAME = re.compile(rb"-?(?!scaled)[A-Za-z]")
# A picture that scripts replace by itself: blurred, of the lowest quality, or less than 100 pixels wide.
_PREVIEW = re.compile(r"blur_\d|\bq(?:uality)?[=_][1-3]?\d\b|\bw(?:idth)?[=_]\d{1,2}\b|/max/\d{1,2}/", re.IGNORECASE)
# One of two that a page has for dark and light backgrounds, and how classes or what follows # say that one is hidden.
_LOOK = re.compile(r"(?:[-_.]|(?<![a-z]))(?:dark|light|night|day)(?![a-z])", re.IGNORECASE)
_DARK = re.compile(r"(?<![a-z])(?:dark|night)(?![a-z])", re.IGNORECASE)
_ONE_LOOK = re.compile(r'class="[^"]*(?<![a-z])(?:dark|light)|#gh-(?:dark|light)-mode-only', re.IGNORECASE)
# What a page shows so often is a bullet or a sign; of fewer copies (noscript twins, slide shows) the first is kept.
_REPEATED = 6


@dataclass(frozen=True)
class Picture:
    """An image of the content."""

    token: int
    url: str
    alt: str | None
    caption: str | None
    width: int | None
    height: int | None


def attributes_of(tag: str) -> dict[str, str]:
    """Attributes of a tag as the parser wrote it."""
    found = {}
    for name, value in _ATTRIBUTE.findall(tag):
        found[name] = html.unescape(value) if "&" in value else value
    return found


def find_pictures(
    columns: Columns, blocks: Blocks, choice: Choice, heads: Sequence[Head]
) -> tuple[list[list[Picture]], list[Counter[str]]]:
    """Pictures of each page in order, and how many image elements became none, by reason."""
    every, elements = _image_elements(columns)
    shared = _shared(columns, heads, every)
    amid = _kept_share(columns, blocks, choice.kept, every) >= _MOSTLY
    tokens, shared, amid = every[shared | amid], shared[shared | amid], amid[shared | amid]
    pages = columns.page_of_token[tokens].tolist()
    links = columns.nearest(columns.element_tag == TAG["a"])
    kind = choice.kinds.argmax(axis=1)
    one_subject, of_cards = np.isin(kind, ABOUT_ONE_SUBJECT), np.isin(kind, MADE_OF_CARDS)
    may_lead = ~shared & (one_subject[pages] | (_outside(columns, blocks, choice.kept, tokens) & ~of_cards[pages]))
    chosen: list[list[Picture]] = [[] for _ in heads]
    dropped: list[Counter[str]] = [Counter() for _ in heads]
    described = [
        _describe(columns, token, heads[page].base) for token, page in zip(tokens.tolist(), pages, strict=True)
    ]
    times = Counter(
        (page, found.url) for page, found in zip(pages, described, strict=True) if isinstance(found, Picture)
    )
    seen: list[set[str]] = [set() for _ in heads]
    captions = _captions(columns, blocks, every)
    in_noscript = columns.nearest(columns.element_tag == TAG["noscript"])[columns.owner[tokens]] >= 0
    scripted = set(tokens[in_noscript].tolist())
    for number, (page, found) in enumerate(zip(pages, described, strict=True)):
        if isinstance(found, str):
            dropped[page][found] += 1
        elif (
            _leads_elsewhere(columns, links, found.token) if may_lead[number] else not amid[number] and _is_icon(found)
        ):
            dropped[page]["teaser"] += 1
        elif found.url in seen[page] or times[page, found.url] >= _REPEATED:
            dropped[page]["repeated"] += 1
        elif chosen[page] and _is_twin(columns, chosen[page][-1], found, scripted):
            dropped[page]["repeated"] += 1
            seen[page].add(found.url)
            if _is_lesser(chosen[page][-1], found):
                chosen[page][-1] = replace(found, caption=captions.get(found.token) or chosen[page][-1].caption)
        else:
            seen[page].add(found.url)
            chosen[page].append(replace(found, caption=captions.get(found.token)))
    for number, pictures, reasons in zip(elements.tolist(), chosen, dropped, strict=True):
        reasons["boilerplate"] += number - len(pictures) - sum(reasons.values())
    return chosen, dropped


def _image_elements(columns: Columns) -> tuple[Ints, Ints]:
    """The tokens that show an image, and how many each page has, those that were cut away among them."""
    is_image = (columns.tag == TAG["img"]) | ((columns.tag == TAG["amp-img"]) & ~columns.is_end)
    elements = columns.images
    figures = np.flatnonzero(columns.element_tag == TAG["figure"])
    if len(figures):
        before = running(is_image.astype(np.int64))
        opens = columns.opens[figures]
        opens = opens[before[columns.closes[figures]] == before[opens]]
        opens = opens[[_source(columns, token, attributes_of(columns.markup_of(token))) is not None for token in opens]]
        elements = elements + np.bincount(columns.page_of_token[opens], minlength=columns.pages)
        is_image[opens] = True
    return np.flatnonzero(is_image), elements


def _shared(columns: Columns, heads: Sequence[Head], tokens: Ints) -> Bools:
    """Whether each image shows the picture that its page is shared with, in any size."""
    found = np.zeros(len(tokens), np.bool_)
    ends = np.cumsum(columns.tokens)
    places: list[int] = []
    for head, begin, end in zip(heads, (ends - columns.tokens).tolist(), ends.tolist(), strict=True):
        name = _name_of(head.image).encode("utf-8", "replace") if head.image and begin < end else b""
        if name:
            places += _places(columns.html, name, int(columns.tag_begins[begin]), int(columns.tag_ends[end - 1]))
    token = np.searchsorted(columns.tag_begins, places, "right") - 1
    image = np.searchsorted(tokens, token)
    inside = (places < columns.tag_ends[token]) & (image < len(tokens))
    token, image = token[inside], image[inside]
    # A source stands before the image of its picture.
    source = (columns.tag[token] == TAG["source"]) & (columns.owner[tokens[image]] == columns.owner[token])
    found[image[source | (tokens[image] == token)]] = True
    return found


def _places(html: bytes, name: bytes, begin: int, end: int) -> Iterator[int]:
    """Where a name stands that is not a part of a longer one, among the first places at which it stands at all."""
    at = begin - 1
    for _ in range(_MOST_PLACES):
        at = html.find(name, at + 1, end)
        if at < 0:
            return
        whole = not html[at - 1 : at].isalnum() or html[at - 3 : at] in (b"%2F", b"%2f")
        if whole and not _LONGER_NAME.match(html, at + len(name)):
            yield at


def _name_of(address: str) -> str:
    """What tells a picture's file from others; nothing if it tells too little, or that it is a logo."""
    try:
        *folders, name = _FOLDER.split(urlsplit(address[:_LONGEST_ADDRESS]).path.rstrip("/"))
    except ValueError:
        return ""
    name = _SIZE.sub("", name)
    telling = name if len(name) >= _TELLING_NAME or not folders else f"{folders[-1]}/{name}"
    return telling if name and len(telling) >= _TELLING_NAME and not _DECORATION.search(name.lower()) else ""


def _is_twin(columns: Columns, before: Picture, picture: Picture, in_noscript: Container[int]) -> bool:
    """Whether a picture is the one before it again: for readers without scripts, in full, for another background."""
    if bool(_DARK.search(before.url)) != bool(_DARK.search(picture.url)):
        alike = _LOOK.sub("", before.url) == _LOOK.sub("", picture.url)
        return alike and _has_one_look(columns, before.token) and _has_one_look(columns, picture.token)
    if (before.token in in_noscript) == (picture.token in in_noscript) and not _PREVIEW.search(before.url):
        return False
    name = _name_of(picture.url)
    return bool(name) and name == _name_of(before.url)


def _has_one_look(columns: Columns, token: int) -> bool:
    owner = int(columns.owner[token])
    box = columns.markup_of(int(columns.opens[owner])) if owner >= 0 else ""
    return bool(_ONE_LOOK.search(columns.markup_of(token)) or _ONE_LOOK.search(box))


def _is_lesser(before: Picture, picture: Picture) -> bool:
    """Whether the second of two twins is the better one."""
    return bool(_PREVIEW.search(before.url) or (_DARK.search(before.url) and not _DARK.search(picture.url)))


def _is_icon(picture: Picture) -> bool:
    """Whether a picture is known to be shown small."""
    return max(picture.width or _ICON, picture.height or _ICON) < _ICON


def _outside(columns: Columns, blocks: Blocks, kept: Bools, tokens: Ints) -> Bools:
    """Whether each image stands before or behind all that is kept of its page, and in no figure."""
    places = np.flatnonzero(kept)
    page = blocks.page[places]
    first = np.full(columns.pages, len(columns.tag))
    last = np.full(columns.pages, -1)
    np.minimum.at(first, page, blocks.first[places])
    np.maximum.at(last, page, blocks.last[places])
    figure = columns.nearest(columns.element_tag == TAG["figure"])
    owner = columns.owner[tokens]
    in_figure = np.where(owner >= 0, figure[owner] >= 0, False)
    of_page = columns.page_of_token[tokens]
    beyond: Bools = ((tokens < first[of_page]) | (tokens > last[of_page])) & ~in_figure
    return beyond


def _leads_elsewhere(columns: Columns, links: Ints, token: int) -> bool:
    """Whether an image is a link to another page; one to a file shows the same picture larger."""
    owner = int(columns.owner[token])
    link = int(links[owner]) if owner >= 0 else -1
    if link < 0:
        return False
    target = attributes_of(columns.markup_of(int(columns.opens[link]))).get("href", "").strip()
    return bool(target) and not target.startswith("#") and not _FILE.search(target)


def _kept_share(columns: Columns, blocks: Blocks, kept: Bools, tokens: Ints) -> npt.NDArray[np.float64]:
    """Share of kept words in the nearest element around each image that has enough words to tell."""
    words = running(blocks.counts.words)
    taken = running(blocks.counts.words * kept)
    box = columns.owner[tokens].copy()
    solid, linked = running(blocks.counts.solid), running(blocks.linked)
    scripted = columns.nearest(columns.element_tag == TAG["noscript"]) >= 0
    shown = (columns.tag == TAG["img"]) & ~((columns.owner >= 0) & scripted[columns.owner])
    images, links = running(shown), running((columns.tag == TAG["a"]) & ~columns.is_end)
    transparent = columns.nearest(columns.element_tag == TAG["figure"]) >= 0
    transparent |= columns.element_tag == TAG["header"]
    named = columns.codes[columns.opens]
    named_aside = ((named & _ASIDE) != 0) | (
        ((named & _LEADING_AWAY) != 0) & (links[columns.closes] > links[columns.opens])
    )
    share = np.zeros(len(tokens))
    open_ = np.ones(len(tokens), np.bool_)
    for _ in range(64):
        at = np.flatnonzero(open_ & (box >= 0))
        if not len(at):
            break
        low, high = blocks.low[box[at]], blocks.high[box[at]]
        inside = words[high] - words[low]
        share[at] = (taken[high] - taken[low]) / np.maximum(inside, 1)
        alone = images[columns.closes[box[at]]] - images[columns.opens[box[at]]] <= _ALONE
        unlinked = (linked[high] - linked[low]) <= _LINKED * (solid[high] - solid[low])
        captioned = alone & unlinked & (inside < _CAPTION_WORDS)
        teaser = ~unlinked & (inside >= _TEASER_WORDS) & (taken[high] == taken[low]) & ~transparent[box[at]]
        aside = named_aside[box[at]] & (taken[high] == taken[low])
        share[at[aside]] = 0
        open_[at] = ((inside < _ENOUGH_WORDS) | captioned | transparent[box[at]]) & ~teaser & ~aside
        box[at] = columns.parent[box[at]]
    return share


def _captions(columns: Columns, blocks: Blocks, images: Ints) -> dict[int, str]:
    """Captions of images by their tokens: what is in a figcaption or named so, with little else beside the image."""
    found: dict[int, list[str]] = {}
    named = columns.nearest((columns.codes[columns.opens] & _CAPTION) != 0)[blocks.leaf]
    words = running(blocks.counts.words)
    tokens = images.tolist()
    for i in np.flatnonzero(named >= 0).tolist():
        text = blocks.texts[i][:_CAPTION_CHARACTERS]
        if not any(map(str.isalnum, text)):
            continue
        for token in _captioned(columns, blocks, words, tokens, i, int(named[i])):
            found.setdefault(token, []).append(text)
    return {token: " ".join(texts)[:_CAPTION_CHARACTERS] for token, texts in found.items()}


def _captioned(columns: Columns, blocks: Blocks, words: Ints, tokens: list[int], i: int, box: int) -> list[int]:
    """The images that block i, in an element named for a caption, is the caption of: one, or those of a figure."""
    own = words[blocks.high[box]] - words[blocks.low[box]]
    if own > _LONG_CAPTION:
        return []
    # An image behind the text of a caption is a sign in it; in an element around both it is the image.
    sign = bool(columns.codes[columns.opens[box]] & PURPOSE["caption"])
    begin, end = int(blocks.first[i]), int(columns.closes[blocks.box[i]]) if sign else 0
    for _ in range(_CAPTION_LEVELS):
        figure = columns.element_tag[box] == TAG["figure"]
        if not figure and words[blocks.high[box]] - words[blocks.low[box]] - own > _CAPTION_WORDS:
            return []
        low = bisect_left(tokens, int(columns.opens[box]))
        inside = tokens[low : min(bisect_left(tokens, int(columns.closes[box])), low + _GALLERY + 1)]
        shown = [token for token in inside if not begin < token < end]
        if figure or (inside and columns.codes[columns.opens[box]] & PURPOSE["captioned"]):
            return (shown or inside) if len(inside) <= _GALLERY else []
        if shown:
            twins = columns.element_tag[columns.owner[shown]] == TAG["noscript"]
            return shown if len(shown) - int(twins.sum()) <= 1 else []
        box = int(columns.parent[box])
        if box < 0:
            return []
    return []


def _describe(columns: Columns, token: int, base: str) -> Picture | str:
    """An image as its element gives it, or why it is none."""
    attributes = attributes_of(columns.markup_of(token))
    width, height = (image_source.pixels(attributes.get(side)) for side in ("width", "height"))
    if "srcset" in attributes and not width and not height:
        width = height = None  # 0 by 0 in several sizes: its style says how large it is
    sides = [side for side in (width, height) if side is not None]
    if sides and max(sides) <= _TINY:
        return "tracking_pixel"
    source = _source(columns, token, attributes)
    if source is None:
        return "inline_or_missing"
    url = canonical(source, base)
    if url is None:
        return "bad_url"
    owner = int(columns.owner[token])
    scripted = owner >= 0 and columns.element_tag[owner] == TAG["noscript"]
    if reason := _no_picture(attributes, url, sides, scripted):
        return reason
    alt = " ".join(attributes.get("alt", "").split()) or None
    return Picture(token, url, alt, None, width, height)


def _no_picture(attributes: Mapping[str, str], url: str, sides: list[int], scripted: bool) -> str | None:
    """Why an image is no picture of the content, by its address, its names and the size it is given."""
    url = url.lower()
    path = url.partition("?")[0]
    unsaid = not sides and (scripted or not attributes.get("alt", "").strip())
    if _TRACKER.search(url) or (path.endswith(".gif") and unsaid and "?" in url):
        return "tracking_pixel"
    if path.endswith(".svg"):
        return "vector_graphic"
    file_name = path.rpartition("/")[2]
    small = bool(sides) and _TINY < min(sides) < _SMALL
    named = max(sides, default=0) <= _ICON and (_is_named_so(attributes) or _DECORATION_FILE.fullmatch(file_name))
    return "decoration" if small or named or _FACE.search(path) or _PLACEHOLDER.fullmatch(file_name) else None


def _is_named_so(attributes: Mapping[str, str]) -> bool:
    """Whether the class or the id of an image says that it is a decoration."""
    names = (attributes.get("class"), attributes.get("id"))
    return any(_DECORATION.search(name.lower()) for name in names if name)


def _source(columns: Columns, token: int, attributes: Mapping[str, str]) -> str | None:
    if columns.tag[token] == TAG["figure"]:
        return image_source.source_of_figure(attributes)
    return image_source.source_of(attributes, _sources(columns, token))


def _sources(columns: Columns, token: int) -> list[dict[str, str]]:
    """The source elements of the picture element around an image."""
    owner = int(columns.owner[token])
    if columns.tag[token] == TAG["amp-img"] and owner >= 0:
        owner = int(columns.parent[owner])
    if owner < 0 or columns.element_tag[owner] != TAG["picture"]:
        return []
    begin, end = int(columns.opens[owner]), int(columns.closes[owner])
    return [attributes_of(columns.markup_of(i)) for i in range(begin, end) if columns.tag[i] == TAG["source"]]
