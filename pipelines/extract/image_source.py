"""Which URL an image element really shows: lazy loading, srcset, picture, placeholders. From its attributes alone."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

Attributes = Mapping[str, str | None]

# Where scripts keep the address of an image that is not loaded yet, most common first.
_LAZY = (
    "data-src", "data-original", "data-lazy-src", "data-lazy", "data-lazyload", "data-image", "data-image-src",
    "data-img-src", "data-full-src", "data-fullsrc", "data-hi-res-src", "data-large-file", "data-orig-file",
    "data-orig-src", "data-original-src", "data-src-fg", "data-scroll-image", "data-lateloadsrc", "data-gt-lazy-src",
    "data-url", "data-ll-src", "data-cfsrc", "nitro-lazy-src", "data-pin-media", "src2",
)  # fmt: skip
_SETS = ("srcset", "data-srcset", "data-lazy-srcset", "data-original-set", "data-ll-srcset", "nitro-lazy-srcset")
# Foundation's "[small.jpg, (default)], [large.jpg, (large)]", of which the last is taken.
_INTERCHANGE = re.compile(r"^\s*\[(?:.*\[)?\s*([^\s,\]]+)\s*,[^\]]*\]\s*$", re.DOTALL)
_LAZY_NAMES = frozenset(_LAZY)
# A placeholder that is the page itself; scripts then keep the address under a name of their own.
_PAGE = re.compile(r"\.html?(?:[?#]|$)", re.IGNORECASE)
_PICTURE = re.compile(r"[^\s\"'<>{}]+\.(?:jpe?g|png|webp|gif|avif)(?:\?\S*)?", re.IGNORECASE)
# Characters of an attribute that is looked through for an address: what is longer is none.
_LONGEST = 4096
_BACKGROUND = re.compile(r"background(?:-image)?\s*:[^;]*?\burl\(\s*[\"']?([^\"')]+)", re.IGNORECASE)
_NO_ADDRESSES = ("data:", "blob:", "javascript:", "about:", "{", "[", "#")
# What a script fills in: {width}, {{ image }}, %7Bwidth%7D.
_TEMPLATE = re.compile(r"\{[\w\s.{]*\}|%7B\w+%7D", re.IGNORECASE)
_NO_ADDRESS = frozenset({"alt", "title", "id", "class", "src", "srcset", "usemap", "longdesc"})
_CANDIDATE = re.compile(r"\s*([^\s,]\S*[^\s,]|[^\s,])(?:\s+([^,]*))?\s*(?:,|$)")
_PIXELS = re.compile(r"\s*(\d{1,5})(?:\.\d+)?\s*(?:px)?\s*", re.IGNORECASE)
# A candidate wider than this costs traffic and is scaled down by every vision tower anyway.
_WIDE_ENOUGH = 2048.0
_CSS_PIXELS = 1000.0
# What the page shows by itself is taken if it is known to be this wide: more than vision towers see of it.
_LARGE_ENOUGH = 600.0
_WINDOW = re.compile(r"max-(?:device-)?width\s*:\s*(\d+(?:\.\d+)?)\s*(px|r?em)", re.IGNORECASE)
_FONT_PIXELS = 16.0
_OTHER_LOOK = re.compile(r"prefers-color-scheme\s*:\s*dark|\bprint\b", re.IGNORECASE)
_UNREAD_TYPES = ("image/svg", "image/avif", "image/jxl")


class Candidate(NamedTuple):
    """One of the files that show an image: its width in pixels as far as it is said, the widest window it is for."""

    url: str
    width: float
    window: float


def source_of(image: Attributes, picture_sources: Sequence[Attributes]) -> str | None:
    """The best address of an image, as written in the page; None where it has none but an inline one.

    Order: the plain source (src, or where scripts keep it) if it is known to be large enough, the best candidate of a
    srcset (its own or of the picture around it), the plain source.
    """
    candidates = _all_candidates(image)
    widest = 0.0
    for source in picture_sources:
        media = source.get("media") or ""
        if not (source.get("type") or "").startswith(_UNREAD_TYPES) and not _OTHER_LOOK.search(media):
            most = _widest_window(media)
            candidates += _all_candidates(source, most)
            widest = max(widest, most)
    plain = _plain_source(image)
    best = max(candidates, key=_preference, default=None)
    if best is None or (plain is not None and _known_width(image, plain, candidates) >= _LARGE_ENOUGH):
        return plain
    if plain is not None and max(best.window, widest) < math.inf:
        # All others are for windows up to some width: larger ones show the plain source.
        return max(best, Candidate(plain, max(widest, _CSS_PIXELS), math.inf), key=_preference).url
    return best.url


def source_of_figure(figure: Attributes) -> str | None:
    """The address of the picture that a figure without an image element shows: scripts or styles put it there."""
    if source := _named_picture(figure):
        return source
    background = _BACKGROUND.search((figure.get("style") or "")[:_LONGEST])
    return background[1].strip() if background and _is_address(background[1]) else None


def _known_width(image: Attributes, source: str, candidates: Sequence[Candidate]) -> float:
    """Width in pixels of the plain source as its srcset or its width attribute gives it; 0 where neither does."""
    listed = max((candidate.width for candidate in candidates if candidate.url == source), default=0.0)
    if not listed:
        files = {_file(candidate.url): candidate.width for candidate in candidates}
        # Sizes that are told apart by the file, not by what is asked of it behind the question mark.
        listed = files.get(_file(source), 0.0) if len(files) == len(candidates) > 1 else 0.0
    return listed or float(pixels(image.get("width")) or 0)


def _file(url: str) -> str:
    return url.partition("?")[0]


def _plain_source(image: Attributes) -> str | None:
    src = (image.get("src") or "").strip()
    if not _LAZY_NAMES.isdisjoint(image):
        named = (_INTERCHANGE.sub(r"\1", v).strip() for name in _LAZY if (v := image.get(name)))
        lazy = next(filter(_is_address, named), None)
        if lazy and lazy != src:
            return lazy
    if not _is_address(src) or _PAGE.search(src):
        src = _named_picture(image) or ("" if _PAGE.search(src) else src)
    return src if src and _is_address(src) else None


def _named_picture(element: Attributes) -> str | None:
    """An attribute that is the address of a picture, whatever it is called."""
    values = ((value or "").strip() for name, value in element.items() if name not in _NO_ADDRESS)
    return next((value for value in values if len(value) <= _LONGEST and _PICTURE.fullmatch(value)), None)


def _is_address(value: str) -> bool:
    value = value.strip()
    if not value or value.startswith(_NO_ADDRESSES):
        return False
    return not (("{" in value or "%7" in value) and _TEMPLATE.search(value))


def _all_candidates(element: Attributes, window: float = math.inf) -> list[Candidate]:
    return [candidate for name in _SETS if (value := element.get(name)) for candidate in parse_srcset(value, window)]


def parse_srcset(value: str, window: float = math.inf) -> list[Candidate]:
    """Candidates of a srcset with their widths; a density counts as so many times 1000 pixels, or the window's width.

    As in the HTML standard a URL may hold commas, only not at its end.
    """
    return [
        Candidate(url, _width(descriptor.strip().split(" ")[0], window), window)
        for url, descriptor in _CANDIDATE.findall(value)
        if _is_address(url)
    ]


def _width(descriptor: str, window: float) -> float:
    try:
        number = float(descriptor[:-1])
    except ValueError:
        return min(_CSS_PIXELS, window)
    return number if descriptor.endswith("w") else min(number * _CSS_PIXELS, window)


def _widest_window(media: str) -> float:
    """The widest window in CSS pixels that a source is for, by its media query."""
    widths = [
        float(number) * (1.0 if unit.lower() == "px" else _FONT_PIXELS) for number, unit in _WINDOW.findall(media)
    ]
    return max(widths, default=math.inf)


def _preference(candidate: Candidate) -> tuple[bool, float, float]:
    """The widest that is not wider than needed, for the widest window; if all are too wide, the least wide."""
    width = candidate.width
    return (True, width, candidate.window) if width <= _WIDE_ENOUGH else (False, -width, candidate.window)


def pixels(value: str | None) -> int | None:
    """A width or height attribute in CSS pixels; None where it is missing, a percentage or nonsense."""
    match = _PIXELS.fullmatch(value) if value else None
    return int(match.group(1)) if match else None
