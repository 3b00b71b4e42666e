"""Image responses of the sample crawl that are wrong in some way, each at its own URL.

`FAULTS` holds what a server would send; a fault without a body has no record in the crawl at all.
Faults of whole pages are in `odd_pages`.
"""

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from curate.sample.pictures import GARTEN, MUSEUM, OVEN, PICTURES, YAMA

Headers = list[tuple[str, str]]


@dataclass(frozen=True)
class Reply:
    """What a server sends for one URL; `body` is as on the wire, so possibly encoded, or None if never asked for."""

    url: str
    mime: str
    body: bytes | None
    status: str = "200 OK"
    extra: tuple[tuple[str, str], ...] = ()

    def headers(self) -> Headers:
        """HTTP headers in the order in which they are sent."""
        out: Headers = [("Server", "sample/1.0"), *([("Content-Type", self.mime)] if self.mime else [])]
        if "Transfer-Encoding" not in dict(self.extra):
            out.append(("Content-Length", str(len(self.body or b""))))
        return [*out, *self.extra]


NOT_FOUND = b"<!DOCTYPE html>\n<html><head><title>404 Not Found</title></head><body><h1>Not Found</h1></body></html>\n"
LOGIN = (
    b"<!DOCTYPE html>\n<html lang=en><head><title>Sign in</title></head><body><h1>Please sign in</h1>"
    b"<p>This picture is for members of the potters' club.</p></body></html>\n"
)
KILN_SECTION = b"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 180" width="320" height="180">
<rect width="320" height="180" fill="#f6f0e2"/>
<g fill="none" stroke="#8c5a3a" stroke-width="4">
<path d="M20 150a30 30 0 0 1 60 0"/><path d="M85 130a30 30 0 0 1 60 0"/>
<path d="M150 110a30 30 0 0 1 60 0"/><path d="M215 90a30 30 0 0 1 60 0"/></g>
<path d="M25 145q40-40 60-25t65-20 65-20 75-40" fill="none" stroke="#e07b24" stroke-width="3"/>
</svg>
"""


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_bomb() -> bytes:
    """A PNG whose header promises 60000 x 60000 pixels and whose data holds a few empty rows."""
    header = struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(180_001) * 8, 9)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")


@cache
def _cut_jpeg() -> bytes:
    whole = PICTURES["compost"].encode()
    return whole[: len(whole) * 2 // 5]


FAULTS: Mapping[str, Reply] = {
    "gone": Reply(f"{MUSEUM}/img/fog-gun.jpg", "text/html; charset=utf-8", NOT_FOUND, "404 Not Found"),
    "never-crawled": Reply(f"{MUSEUM}/img/station-log.jpg", "", None),
    "empty-body": Reply(f"{MUSEUM}/img/watch.jpg", "image/jpeg", b""),
    "truncated": Reply(f"{MUSEUM}/img/dividers.jpg", "image/jpeg", _cut_jpeg()),
    "redshank-twin": Reply(f"{MUSEUM}/img/print/redshank-2.webp", "image/webp", PICTURES["redshank"].encode()),
    "html-as-jpeg": Reply(f"{OVEN}/pics/members/kiln-door.jpg", "image/jpeg", LOGIN),
    "bomb": Reply(f"{OVEN}/pics/test-tiles.png", "image/png", png_bomb()),
    "svg": Reply(f"{YAMA}/photo/kama-danmen.svg", "image/svg+xml", KILN_SECTION),
}

# pictures that are served in full and whose reply carries a reservation
RESERVED: Mapping[str, tuple[tuple[str, str], ...]] = {
    "noai-picture": (("X-Robots-Tag", "noai, noimageai"),),
    "tdm-picture": (("tdm-reservation", "1"), ("tdm-policy", f"{GARTEN}/tdm-policy.json")),
}


def picture_reply(name: str) -> Reply:
    """The reply for any picture, healthy, reserved or faulty."""
    if name in FAULTS:
        return FAULTS[name]
    picture = PICTURES[name]
    return Reply(picture.url, picture.mime, picture.encode(), extra=RESERVED.get(name, ()))
