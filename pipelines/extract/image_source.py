"""Which URL an image element really shows: lazy loading, srcset, picture, placeholders. From its attributes alone."""

import re
from collections.abc import Iterator, Mapping, Sequence

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
_UNREAD_TYPES = ("image/svg", "image/avif", "image/jxl")


def source_of(image: Attributes, picture_sources: Sequence[Attributes]) -> str | None:
    """The best address of an image, as written in the page; None where it has none but an inline one.

    Order: the plain source (src, or where scripts keep it) if it is known to be large enough, the best candidate of a
    srcset (its own or of the picture around it), the plain source.
    """
    read = [source for source in picture_sources if not (source.get("type") or "").startswith(_UNREAD_TYPES)]
    sets = [element[name] for element in (image, *read) for name in _SETS if name in element]
    candidates = [candidate for value in sets if value for candidate in parse_srcset(value)]
    best = max(candidates, key=_preference, default=None)
    plain = _plain_source(image)
    if best is None or (plain is not None and _known_width(image, plain, candidates) >= _LARGE_ENOUGH):
        return plain
    return best[0]


def source_of_figure(figure: Attributes) -> str | None:
    """The address of the picture that a figure without an image element shows: scripts or styles put it there."""
    if source := _named_picture(figure):
        return source
    background = _BACKGROUND.search((figure.get("style") or "")[:_LONGEST])
    return background[1].strip() if background and _is_address(background[1]) else None


def _known_width(image: Attributes, source: str, candidates: Sequence[tuple[str, float]]) -> float:
    """Width in pixels of the plain source as its srcset or its width attribute gives it; 0 where neither does."""
    listed = max((width for url, width in candidates if url == source), default=0.0)
    if not listed:
        files = {_file(url): width for url, width in candidates}
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


def parse_srcset(value: str) -> list[tuple[str, float]]:
    """Candidates of a srcset with their width in pixels; a density counts as so many times 1000 pixels.

    As in the HTML standard a URL may hold commas, only not at its end.
    """
    return [(url, width) for url, width in _candidates(value) if _is_address(url)]


def _candidates(value: str) -> Iterator[tuple[str, float]]:
    for match in _CANDIDATE.finditer(value.strip()):
        url, descriptor = match.group(1), (match.group(2) or "").strip().split(" ")[0]
        yield url, _width(descriptor)


def _width(descriptor: str) -> float:
    try:
        number = float(descriptor[:-1])
    except ValueError:
        return _CSS_PIXELS
    return number if descriptor.endswith("w") else number * _CSS_PIXELS


def _preference(candidate: tuple[str, float]) -> tuple[bool, float]:
    """The widest that is not wider than needed; if all are, the least wide."""
    width = candidate[1]
    return (True, width) if width <= _WIDE_ENOUGH else (False, -width)


def pixels(value: str | None) -> int | None:
    """A width or height attribute in CSS pixels; None where it is missing, a percentage or nonsense."""
    match = _PIXELS.fullmatch(value) if value else None
    return int(match.group(1)) if match else None
