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

_STATUS_LINE = re.compile(rb"HTTP/\d(?:\.\d)?[ \t]+(\d{3})[^\n]*\n?")
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_CHUNK_SIZE = re.compile(rb"[ \t]*([0-9a-fA-F]{1,8})[ \t]*(?:;[^\n]*)?\r?\n")
_LINE_END = re.compile(rb"\r?\n")
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
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
        if line and line[0] in " \t" and last:
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
    """Chunks joined; a body that was stored without its chunks is returned as it is, a broken one up to the break.

    Not by warcio's reader, which hands on what follows a break or the last chunk as if it were text.
    """
    parts: list[bytes] = []
    at = size = 0
    while line := _CHUNK_SIZE.match(body, at):
        length = int(line.group(1), 16)
        if length == 0:
            return b"".join(parts)
        parts.append(body[line.end() : line.end() + length])
        size += len(parts[-1])
        if size > cap:
            raise TooLarge
        end = _LINE_END.match(body, line.end() + length)
        if end is None:
            return b"".join(parts)
        at = end.end()
    return b"".join(parts) if at else body


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
    head = body[:1024]
    return b"<" in head and not _CONTROL.search(head)


def _inflate(body: bytes, cap: int) -> bytes | None:
    # 47: zlib or gzip header, as found; raw deflate (-15) is what some servers send as "deflate".
    for window in (47, -15):
        inflated = _inflate_as(window, body, cap)
        if inflated is not None:
            return inflated
    return None


def _inflate_as(window: int, body: bytes, cap: int) -> bytes | None:
    """What can be inflated, of one gzip member after the other; None where nothing can, although there is something."""
    parts: list[bytes] = []
    ended = False
    while body:
        inflater = zlib.decompressobj(window)
        try:
            parts.append(inflater.decompress(body, cap + 1 - sum(map(len, parts))))
        except zlib.error:
            break
        if sum(map(len, parts)) > cap:
            raise TooLarge
        ended = inflater.eof
        body = inflater.unused_data if inflater.unused_data[:2] == b"\x1f\x8b" else b""
    decoded = b"".join(parts)
    return decoded if decoded or ended else None


def _unbrotli(body: bytes, cap: int) -> bytes | None:
    decoder = brotli.Decompressor()
    parts: list[bytes] = []
    size = 0
    try:
        for start in range(0, len(body), _STEP):
            piece = body[start : start + _STEP]
            while not decoder.is_finished():
                parts.append(decoder.process(piece, output_buffer_limit=cap + 1 - size))
                size += len(parts[-1])
                if size > cap:
                    raise TooLarge
                if not parts[-1]:
                    break
                piece = b""  # drain what the limit held back
        finished = decoder.is_finished()
    except brotli.error:
        finished = False
    return b"".join(parts) if size or finished else None


def _unzstd(body: bytes, cap: int) -> bytes | None:
    if not body.startswith(_ZSTD_MAGIC):
        return None
    reader = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(body))
    parts: list[bytes] = []
    size = 0
    try:
        while piece := reader.read(min(_STEP, cap + 1 - size)):
            parts.append(piece)
            size += len(piece)
            if size > cap:
                raise TooLarge
    except zstandard.ZstdError:
        return b"".join(parts) or None
    return b"".join(parts)


_DECODERS: dict[str, Callable[[bytes, int], bytes | None]] = {
    "gzip": _inflate,
    "x-gzip": _inflate,
    "deflate": _inflate,
    "br": _unbrotli,
    "zstd": _unzstd,
}
