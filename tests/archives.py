"""WARC and ARC files for tests, record by record, small and the same at every call."""

import contextlib
import gzip
import io
import random
import re
import uuid
import zlib
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

from warcio.archiveiterator import ArchiveIterator
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

Headers = Sequence[tuple[str, str]]
HTML: Headers = (("Content-Type", "text/html; charset=utf-8"),)
DATE = "2024-05-06T07:08:09Z"


def response(
    url: str,
    body: bytes,
    headers: Headers = HTML,
    status: str = "200 OK",
    *,
    compressed: bool = True,
    identity: str = "",
) -> bytes:
    """The bytes of one response record by warcio: a gzip member of its own, or plain."""
    out = io.BytesIO()
    writer = WARCWriter(out, gzip=compressed)
    http = StatusAndHeaders(status, list(headers), protocol="HTTP/1.1")
    about = {"WARC-Date": DATE, "WARC-Record-ID": identity or _identity("response", url)}
    item = writer.create_warc_record(
        url, "response", payload=io.BytesIO(body), warc_headers_dict=about, http_headers=http
    )
    writer.write_record(item)
    return out.getvalue()


def record(kind: str, url: str, block: bytes = b"", *, compressed: bool = True, headers: Headers = ()) -> bytes:
    """The bytes of one record of any type, known or not, whose block is stored as given."""
    about = [
        ("WARC-Type", kind), ("WARC-Target-URI", url), ("WARC-Date", DATE), ("WARC-Record-ID", _identity(kind, url)),
        ("Content-Length", str(len(block))), *headers,
    ]  # fmt: skip
    head = "".join(f"{name}: {value}\r\n" for name, value in about)
    plain = b"WARC/1.0\r\n" + head.encode() + b"\r\n" + block + b"\r\n\r\n"
    return gzip.compress(plain, mtime=0) if compressed else plain


def _identity(kind: str, url: str) -> str:
    return f"<urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'{kind} {url}')}>"


def page(number: int, size: int = 3000) -> bytes:
    """A page of about that many bytes that gzip cannot shrink much; the same for the same number."""
    words = random.Random(number)
    text = " ".join(f"{words.getrandbits(64):016x}" for _ in range(size // 17))
    return f"<html><title>{number}</title><p>Page {number} says {text}</p></html>".encode()


def pages(count: int, *, compressed: bool = True, size: int = 3000) -> list[bytes]:
    """Response records http://a.test/0, /1, …."""
    return [response(f"http://a.test/{n}", page(n, size), compressed=compressed) for n in range(count)]


def make_warc(path: Path, records: Iterable[bytes]) -> str:
    """Write records, or whatever bytes stand between them, one behind the other; the path as the reader takes it."""
    path.write_bytes(b"".join(records))
    return str(path)


def make_arc(path: Path, bodies: Iterable[bytes]) -> str:
    """Write an uncompressed ARC 1.0 file of HTML responses http://a.test/0, /1, …."""
    version = b"1 0 test\nURL IP-address Archive-date Content-type Archive-length\n"
    parts = [b"filedesc://test.arc 0.0.0.0 20240506070809 text/plain %d\n%s\n" % (len(version), version)]
    for number, body in enumerate(bodies):
        block = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + body
        parts.append(b"http://a.test/%d 192.0.2.1 20240506070809 text/html %d\n%s\n" % (number, len(block), block))
    return make_warc(path, parts)


def offsets(records: Sequence[bytes]) -> list[int]:
    """Where each record begins once they are joined."""
    return list(accumulate(map(len, records), initial=0))[:-1]


def with_length(plain: bytes, change: int) -> bytes:
    """A plain record whose WARC header claims that many bytes more than it has."""
    return re.sub(rb"(?<=\nContent-Length: )\d+", lambda m: b"%d" % (int(m[0]) + change), plain, count=1)


def read_by_warcio(path: str) -> list[tuple[str, str, int, bytes]]:
    """Type, URL, offset and stored payload of each record by warcio; the payload of responses only."""
    found = []
    with open(path, "rb") as file:
        records = ArchiveIterator(file, arc2warc=True)
        for item in records:
            url = (item.rec_headers.get_header("WARC-Target-URI") or "").strip("<>")
            payload = item.raw_stream.read() if item.rec_type == "response" else b""
            found.append((item.rec_type, url, records.get_record_offset(), payload))
    return found


def count_by(iterator: Callable[..., Iterable[Any]], path: Path, **options: bool) -> int:
    """How many records a library reads of a file before it ends or gives up."""
    count = 0
    with path.open("rb") as file, contextlib.suppress(Exception):
        for item in iterator(file, **options):
            (item.reader if hasattr(item, "reader") else item.raw_stream).read()
            count += 1
    return count


def unaccounted(data: bytes, spans: Sequence[tuple[int, int | None]]) -> list[tuple[int, bytes]]:
    """Stretches of a file, but for blank lines, that lie between its spans or in two of them.

    A span is an offset with its length; None for a record, whose own length counts, at most to where the next begins.
    """
    begins = [*(offset for offset, _ in spans), len(data)]
    reached, found = 0, []
    for (begin, length), after in zip(spans, begins[1:], strict=True):
        if begin < reached or data[reached:begin].strip(b"\r\n"):
            found.append((reached, data[reached:begin]))
        reached = begin + length if length is not None else _end_of_record(data, begin, after)
    if data[reached:].strip(b"\r\n"):
        found.append((reached, data[reached:]))
    return found


def _end_of_record(data: bytes, begin: int, after: int) -> int:
    """Where the record that begins there ends by its own account, at most where the next item begins."""
    if data[begin : begin + 2] == b"\x1f\x8b":
        member = zlib.decompressobj(31)
        with contextlib.suppress(zlib.error):
            member.decompress(data[begin:])
        return min(len(data) - len(member.unused_data), after)  # unused_data is empty where it is cut or damaged
    head = re.compile(rb"\r*\n\r*\n" if data[begin:].lstrip().startswith(b"WARC/") else rb"\n").search(data, begin)
    length = re.search(rb"(?:Content-Length:|text/\S+) +(\d+)\s", data[begin : head.end()]) if head else None
    return min(head.end() + int(length[1]), after) if head and length else after
