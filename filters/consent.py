"""What pages and images say about being used: robots directives and text-and-data-mining reservation, read to words.

Sources: X-Robots-Tag and meta robots with noai and noimageai (as img2dataset honours them), W3C TDMRep.
Deciding what follows from the words is `pipelines.fetch.consent`, together with robots.txt and block lists.
"""

from collections.abc import Iterable

TDM_RESERVED = "tdm-reservation"
_OUR_NAME = "curate"
# Names of meta elements that may hold directives.
NAMES = frozenset({"robots", _OUR_NAME, TDM_RESERVED})
# Directives with a value; any other word before a colon names the robot that is spoken to.
_WITH_VALUE = ("unavailable_after", "max-snippet", "max-image-preview", "max-video-preview")


def of_response(x_robots_tags: Iterable[str], tdm_reservation: str, our_name: str = _OUR_NAME) -> list[str]:
    """Directives of a response's headers that speak to everybody or to us, sorted, lower case."""
    found = {directive for tag in x_robots_tags for directive in _of_tag(tag.lower(), our_name.lower())}
    if tdm_reservation.strip() == "1":
        found.add(TDM_RESERVED)
    return sorted(found)


def of_meta(name: str, content: str) -> list[str]:
    """Directives of one meta element, given in lower case."""
    if name in ("robots", _OUR_NAME):
        return [part.strip() for part in content.split(",") if part.strip()]
    return [TDM_RESERVED] if name == TDM_RESERVED and content.strip() == "1" else []


def _of_tag(tag: str, our_name: str) -> Iterable[str]:
    """Directives of one header that speak to everybody or to us; a name stands for all that follows, until another."""
    to_us = True
    for part in tag.split(","):
        name, colon, rest = (piece.strip() for piece in part.partition(":"))
        if colon and " " not in name and not name.startswith(_WITH_VALUE):  # a blank: the rest of a date
            to_us = name == our_name
            word = rest
        else:
            word = part.strip()
        if to_us and word:
            yield word
