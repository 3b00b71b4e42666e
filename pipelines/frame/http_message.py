"""HTTP messages as crawls store them: the head, and the body with its transfer and content encodings undone.

Crawls are untidy: bodies are stored decoded under headers that say otherwise, chunks are cut short, lengths are wrong.
What can be read is read; everything that grows is bounded while it grows. No network here.
"""

import io
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

import brotli
import zstandard
from warcio.bufferedreaders import ChunkedDataException, ChunkedDataReader

_STATUS_LINE = re.compile(rb"HTTP/\d(?:\.\d)?[ \t]+(\d{3})[^\n]*\n?")
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_STEP = 1 << 16


class TooLarge(ValueError):
    """A body is larger than its cap once decoded."""


class Undecodable(ValueError):
    """A body is not what its encoding says, and is nothing readable as it stands."""


@dataclass(frozen=True)
class HttpHead:
    """Status and headers of a response; header names are lower case, repeated headers are kept in order."""

    status: int
    headers: dict[str, list[str]] = field(default_factory=dict)

    def get(self, name: str) -> str:
        """The last value of a header, or an empty string."""
        values = self.headers.get(name)
        return values[-1].strip() if values else ""

    def all(self, name: str) -> list[str]:
        """Every value of a header."""
        return self.headers.get(name, [])

    @property
    def content_type(self) -> str:
        """Media type without parameters, lower case."""
        return self.get("content-type").split(";", 1)[0].strip().lower()

    @property
    def charset(self) -> str:
        """The charset parameter of Content-Type, or an empty string."""
        match = re.search(r"charset\s*=\s*[\"']?([^\s\"';,]+)", self.get("content-type"), re.IGNORECASE)
        return match.group(1) if match else ""


def parse_head(block: bytes) -> tuple[HttpHead, int] | None:
    """Head of a response and where its body begins; None where the block does not begin with a status line."""
    status = _STATUS_LINE.match(block)
    if status is None:
        return None
    end = _HEAD_END.search(block, max(0, status.end() - 2))
    head, body = (block[status.end() : end.start()], end.end()) if end else (block[status.end() :], len(block))
    return HttpHead(int(status.group(1)), _headers(head.decode("utf-8", "replace"))), body


def _headers(text: str) -> dict[str, list[str]]:
    headers: dict[str, list[str]] = {}
    last = ""
    for line in text.splitlines():
        if line[:1] in " \t" and last:
            headers[last][-1] += " " + line.strip()
            continue
        name, colon, value = line.partition(":")
        if colon:
            last = name.strip().lower()
            headers.setdefault(last, []).append(value.strip())
    return headers


def decode_body(head: HttpHead, body: bytes, cap: int) -> bytes:
    """The body as the server meant it, at most `cap` bytes.

    Raises:
        TooLarge: if it is longer than `cap` once decoded.
        Undecodable: if a declared encoding can neither be undone nor be ignored.
    """
    if "chunked" in head.get("transfer-encoding").lower():
        body = _dechunk(body, cap)
    for coding in reversed([c.strip().lower() for c in ",".join(head.all("content-encoding")).split(",")]):
        body = _undo(coding, body, cap)
    if len(body) > cap:
        raise TooLarge
    return body


def _dechunk(body: bytes, cap: int) -> bytes:
    """Chunks joined; a body that was stored without its chunks is returned as it is, a broken one up to the break."""
    reader = ChunkedDataReader(io.BytesIO(body), raise_exceptions=False)
    parts: list[bytes] = []
    size = 0
    try:
        while piece := reader.read(_STEP):
            parts.append(piece)
            size += len(piece)
            if size > cap:
                raise TooLarge
    except (ChunkedDataException, ValueError) as error:
        if isinstance(error, TooLarge):
            raise
    return b"".join(parts)


def _undo(coding: str, body: bytes, cap: int) -> bytes:
    decoder = _DECODERS.get(coding)
    if decoder is None or not body:
        return body
    decoded = decoder(body, cap)
    if decoded is not None:
        return decoded
    # Common Crawl and others store the decoded body under the original header.
    if _looks_like_markup(body):
        return body
    raise Undecodable(f"the body is not {coding}")


def _looks_like_markup(body: bytes) -> bool:
    head = body[:1024].lstrip(b"\xef\xbb\xbf \t\r\n")
    return head.startswith(b"<") or (b"<" in head and b"\x00" not in head)


def _inflate(body: bytes, cap: int) -> bytes | None:
    # 47: zlib or gzip header, as found; raw deflate (-15) is what some servers send as "deflate".
    for window in (47, -15):
        inflater = zlib.decompressobj(window)
        try:
            decoded = inflater.decompress(body, cap + 1)
        except zlib.error:
            continue
        if len(decoded) > cap:
            raise TooLarge
        if decoded:
            return decoded
    return None


def _unbrotli(body: bytes, cap: int) -> bytes | None:
    decoder, parts, size = brotli.Decompressor(), [], 0
    try:
        for start in range(0, len(body), _STEP):
            piece = decoder.process(body[start : start + _STEP], output_buffer_limit=cap + 1 - size)
            parts.append(piece)
            size += len(piece)
            if size > cap:
                raise TooLarge
    except brotli.error:
        return None
    return b"".join(parts) or None


def _unzstd(body: bytes, cap: int) -> bytes | None:
    try:
        decoded = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(body)).read(cap + 1)
    except zstandard.ZstdError:
        return None
    if len(decoded) > cap:
        raise TooLarge
    return decoded or None


_DECODERS: dict[str, Callable[[bytes, int], bytes | None]] = {
    "gzip": _inflate,
    "x-gzip": _inflate,
    "deflate": _inflate,
    "br": _unbrotli,
    "zstd": _unzstd,
}
