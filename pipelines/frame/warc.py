"""Records of a WARC or ARC file, or of a slice of one: each exactly once, and what cannot be read is said.

FastWARC reads WARC, for its speed (docs/benchmarks.md); warcio reads ARC. Neither goes on
after damage, so this module does: it finds the next record and reports what lies between.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import BinaryIO

from fastwarc.warc import ArchiveIterator, WarcRecord
from warcio.archiveiterator import ArchiveIterator as ArcIterator
from warcio.exceptions import ArchiveLoadFailed
from warcio.recordloader import ArcWarcRecord

from pipelines.frame import resync, storage
from pipelines.frame.http_message import HttpHead, parse_head
from schemas.ledger import Skip
from schemas.statuses import SkipReason

_HEAD_BYTES = 64 << 10
PayloadCap = Callable[[str, HttpHead], int]


@dataclass(frozen=True)
class Record:
    """One record. `payload` is its HTTP body as stored, cut one byte above the cap that the reader was given."""

    offset: int
    type: str
    url: str
    record_id: str
    date: datetime | None
    head: HttpHead | None
    payload: bytes
    truncated: bool


@dataclass
class Slice:
    """A byte range of a file. It owns the records that begin in [start, end); `seam` is filled in while reading."""

    path: str
    start: int = 0
    end: int | None = None
    seam: tuple[int, int] | None = field(default=None, compare=False)


def read_records(part: Slice, payload_cap: PayloadCap) -> Iterator[Record | Skip]:
    """Records of a slice in the order of the file, and a Skip for every stretch that is not readable.

    `payload_cap(type, head)` says how many bytes of a response's body are wanted; with 0 it is not read at all.
    """
    size = storage.size_of(part.path)
    with storage.open_read(part.path) as file:
        opening = resync.opening(file)
        if opening.startswith(b"filedesc://"):
            part.seam = (0, size)
            yield from _read_arc(file, size, payload_cap)
        else:
            yield from _WarcReader(file, size, part, payload_cap).read()


def read_record_at(path: str, offset: int, payload_cap: int) -> Record | None:
    """The one response that begins at an offset; None where it cannot be read."""
    for item in read_records(Slice(path, offset, offset + 1), lambda _type, _head: payload_cap):
        return item if isinstance(item, Record) else None
    return None


class _WarcReader:
    """Reads a slice with FastWARC and goes on behind what FastWARC cannot read."""

    def __init__(self, file: BinaryIO, size: int, part: Slice, payload_cap: PayloadCap) -> None:
        self._file, self._size, self._part, self._cap = file, size, part, payload_cap
        self._end = size if part.end is None else min(part.end, size)
        self._gzip = resync.is_gzip(file)

    def read(self) -> Iterator[Record | Skip]:
        """Records and skips of the slice."""
        if self._size == 0:
            self._part.seam = (0, 0)
            return
        offset = self._next(self._part.start) if self._part.start else 0
        self._part.seam = (offset, offset)
        while offset < self._end:
            last: Record | None = None
            for record in self._read_from(offset):
                last = record
                yield record
            reached = self._part.seam[1]
            if reached >= self._end:
                return
            offset, skip = self._resume(offset, last)
            self._part.seam = (self._part.seam[0], offset)
            if skip is not None:
                yield skip

    def _read_from(self, offset: int) -> Iterator[Record]:
        """Records from an offset on, until the slice ends, the file ends, or something is not readable."""
        self._file.seek(offset)
        try:
            for raw in ArchiveIterator(self._file, parse_http=False):
                if raw.stream_pos >= self._end and raw.stream_pos > offset and not self._single_member(raw.stream_pos):
                    self._set_reached(raw.stream_pos)
                    return
                yield _from_fastwarc(raw, self._cap)
        except (OSError, ValueError):
            return

    def _single_member(self, position: int) -> bool:
        # Inside one gzip member that holds many records FastWARC gives the position it has read to, not the record's.
        return position >= self._size

    def _set_reached(self, offset: int) -> None:
        assert self._part.seam is not None
        self._part.seam = (self._part.seam[0], offset)

    def _resume(self, offset: int, last: Record | None) -> tuple[int, Skip | None]:
        """Where to go on after reading stopped before the slice's end, and what was left out on the way."""
        if last is None:
            after = self._next(offset + 1)
            return after, Skip(offset=offset, length=after - offset, reason=self._reason(offset))
        expected = self._end_of(last)
        if expected is None:
            after = self._next(last.offset + 1)
            whole = last.truncated or after >= self._size
            return after, None if whole else Skip(
                offset=last.offset, length=after - last.offset, reason=SkipReason.DAMAGED_GZIP
            )
        return expected, None

    def _next(self, at: int) -> int:
        """Offset of the next record at or after a position; the file's size where there is none."""
        find = resync.next_member if self._gzip else resync.next_plain_record
        found = find(self._file, at, self._size)
        return self._size if found is None else found

    def _end_of(self, record: Record) -> int | None:
        """Where the bytes of a record that was read end; None where that cannot be told."""
        if record.offset >= self._size:
            return self._size
        if self._gzip:
            return resync.member_end(self._file, record.offset)
        return self._next(record.offset + 1)

    def _reason(self, offset: int) -> SkipReason:
        if offset == 0 and not resync.opening(self._file).lstrip(b"\r\n").startswith(b"WARC/"):
            return SkipReason.NOT_AN_ARCHIVE
        return SkipReason.DAMAGED_GZIP if self._gzip else SkipReason.DAMAGED_RECORD


def _from_fastwarc(raw: WarcRecord, payload_cap: PayloadCap) -> Record:
    kind = str(raw.record_type)
    block = raw.reader.read(_HEAD_BYTES) if kind in _HTTP_TYPES else b""
    parsed = parse_head(block)
    head, payload, truncated = None, b"", len(block) < min(raw.content_length, _HEAD_BYTES) and kind in _HTTP_TYPES
    if parsed is not None:
        head, begin = parsed
        cap = payload_cap(kind, head)
        if cap:
            payload = (block[begin:] + _rest(raw, cap + 1 - (len(block) - begin)))[: cap + 1]
            truncated = len(payload) < min(raw.content_length - begin, cap + 1)
    headers = raw.headers
    return Record(
        offset=raw.stream_pos,
        type=kind,
        url=(headers.get("WARC-Target-URI") or "").strip().strip("<>"),
        record_id=(headers.get("WARC-Record-ID") or "").strip("<> "),
        date=_parse_date(headers.get("WARC-Date") or ""),
        head=head,
        payload=payload,
        truncated=truncated,
    )


_HTTP_TYPES = frozenset({"response"})


def _rest(raw: WarcRecord, wanted: int) -> bytes:
    """The next bytes of a record's block; fewer at its end."""
    parts: list[bytes] = []
    while wanted > 0 and (piece := raw.reader.read(wanted)):
        parts.append(piece)
        wanted -= len(piece)
    return b"".join(parts)


def _parse_date(text: str) -> datetime | None:
    try:
        parsed = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC).replace(microsecond=0)


def _read_arc(file: BinaryIO, size: int, payload_cap: PayloadCap) -> Iterator[Record | Skip]:
    file.seek(0)
    iterator = ArcIterator(file, arc2warc=True)
    offset = 0
    try:
        for record in iterator:
            offset = iterator.get_record_offset()
            yield _from_warcio(record, offset, payload_cap)
    except (ArchiveLoadFailed, OSError, ValueError):
        yield Skip(offset=offset, length=size - offset, reason=SkipReason.DAMAGED_ARC)


def _from_warcio(record: ArcWarcRecord, offset: int, payload_cap: PayloadCap) -> Record:
    head, payload = None, b""
    if record.http_headers is not None:
        status = record.http_headers.get_statuscode()
        headers: dict[str, list[str]] = {}
        for name, value in record.http_headers.headers:
            headers.setdefault(name.lower(), []).append(value)
        head = HttpHead(int(status), headers) if status.isdigit() else None
    if head is not None and (cap := payload_cap(record.rec_type, head)):
        payload = record.raw_stream.read(cap + 1)
    return Record(
        offset=offset,
        type=record.rec_type,
        url=record.rec_headers.get_header("WARC-Target-URI") or "",
        record_id="",  # warcio invents a new one at each reading
        date=_parse_date(record.rec_headers.get_header("WARC-Date") or ""),
        head=head,
        payload=payload,
        truncated=False,
    )
