"""Records of a WARC or ARC file, or of a slice of one: each exactly once, and what cannot be read is said.

FastWARC reads WARC, for its speed (docs/benchmarks.md); warcio reads ARC. Neither goes on after damage, so this module
does: it finds the next record and reports what lies between.
"""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import TracebackType
from typing import BinaryIO, Self

from fastwarc.warc import ArchiveIterator, WarcRecord
from warcio.archiveiterator import ArchiveIterator as ArcIterator
from warcio.exceptions import ArchiveLoadFailed
from warcio.recordloader import ArcWarcRecord

from pipelines.frame import resync, storage
from pipelines.frame.http_message import HttpHead, parse_head
from schemas.ledger import Skip
from schemas.statuses import SkipReason

_HEAD_BYTES = 64 << 10
_STRETCH = 1 << 20
_BORDER = 64
# Behind a slice its last record ends and the next begins, nearly always within so many bytes.
_BEHIND = 256 << 10
_ARC = b"filedesc://"
PayloadCap = Callable[[str, HttpHead], int]


@dataclass(frozen=True)
class Record:
    """One record. `payload` is its HTTP body as stored, cut one byte above the cap that the reader was given.

    `declared` is its Content-Length; `truncated` says that the file does not hold what that promises.
    """

    offset: int
    type: str
    url: str
    record_id: str
    date: datetime | None
    head: HttpHead | None
    payload: bytes
    truncated: bool
    declared: int = 0


@dataclass
class Slice:
    """A byte range of a file. It owns the records that begin in [start, end); `seam` is filled in while reading.

    Where `size`, that of the whole file, is known, a store is not asked for it.
    """

    path: str
    start: int = 0
    end: int | None = None
    size: int | None = None
    seam: tuple[int, int] | None = field(default=None, compare=False)


def read_records(part: Slice, payload_cap: PayloadCap) -> Iterator[Record | Skip]:
    """Records of a slice in the order of the file, and a Skip for every stretch that is not readable.

    `payload_cap(type, head)` says how many bytes of a response's body are wanted; with 0 it is not read at all.
    """
    size = storage.size_of(part.path) if part.size is None else part.size
    end = size if part.end is None else min(part.end + _BEHIND, size)
    with storage.open_read(part.path, size, (max(0, part.start - 1), end)) as file:
        if resync.opening(file).startswith(_ARC):
            part.seam = (0, size)
            yield from _read_arc(file, size, part, payload_cap)
        else:
            yield from _WarcReader(file, size, part, payload_cap, resync.is_gzip_archive(file, size)).read()


class Archive:
    """A file held open, of which single records are read."""

    def __init__(self, path: str, size: int | None = None) -> None:
        self._path, self._size = path, storage.size_of(path) if size is None else size

    def __enter__(self) -> Self:
        self._file = storage.open_read(self._path, self._size)
        self._is_arc = resync.opening(self._file).startswith(_ARC)
        self._is_gzip = resync.is_gzip_archive(self._file, self._size)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def record_at(self, offset: int, url: str, payload_cap: int) -> Record | None:
        """The response for a URL that begins at an offset; None where there is none or another one.

        In a file of several records a gzip member an offset does not tell which of them is meant.
        """
        part = Slice(self._path, offset, offset + 1)

        def cap(kind: str, head: HttpHead) -> int:
            return payload_cap

        if self._is_arc:
            records = _read_arc(self._file, self._size, part, cap)
        else:
            records = _WarcReader(self._file, self._size, part, cap, self._is_gzip).read()
        item = next(records, None)
        return item if isinstance(item, Record) and item.url == url else None


class _WarcReader:
    """Reads a slice with FastWARC and goes on behind what FastWARC cannot read.

    A record is held back until the next one has begun well: only then is it sure that its own length was right.
    """

    def __init__(self, file: BinaryIO, size: int, part: Slice, payload_cap: PayloadCap, is_gzip: bool) -> None:
        self._file, self._size, self._part, self._cap, self._gzip = file, size, part, payload_cap, is_gzip
        self._end = size if part.end is None else min(part.end, size)

    def read(self) -> Iterator[Record | Skip]:
        """Records and skips of the slice."""
        offset = self._next(self._part.start) if self._part.start else 0
        self._part.seam = (offset, offset)
        while offset < self._end:
            offset = yield from self._read_from(offset)
            self._part.seam = (self._part.seam[0], offset)

    def _read_from(self, offset: int) -> Generator[Record | Skip, None, int]:
        """Records from an offset on, until the slice or the file ends or something is not readable; where to go on."""
        self._file.seek(offset)
        last: Record | None = None
        try:
            for raw in ArchiveIterator(self._file, parse_http=False):
                # Inside one member of many records FastWARC gives the position it has read to: the file's end.
                if offset < raw.stream_pos < self._size and raw.stream_pos >= self._end:
                    if last is not None:
                        yield last
                    return raw.stream_pos
                record = _from_fastwarc(raw, self._cap)
                if last is not None:
                    yield last
                last = record
        except (OSError, ValueError):
            return (yield from self._after_damage(offset, last))
        return (yield from self._after_clean_end(last))

    def _after_damage(self, offset: int, last: Record | None) -> Generator[Record | Skip, None, int]:
        """The record held back, what is lost behind it, and where the next one begins."""
        if last is None:
            after = self._next(offset + 1)
            yield self._skip(offset, after)
            return after
        end, overlong = self._end_of(last)
        yield replace(last, truncated=last.truncated or overlong)
        if end is None:
            end, after = last.offset, self._next(last.offset + 1)
        else:
            after = self._next(end)
        if after > end and self._holds_something(end, after):
            yield self._skip(end, after)
        return after

    def _after_clean_end(self, last: Record | None) -> Generator[Record | Skip, None, int]:
        """The record held back, and whatever FastWARC silently left behind it."""
        if last is None:
            return self._size
        end, overlong = self._end_of(last)
        yield replace(last, truncated=last.truncated or overlong)
        if end is None or end >= self._size or not self._holds_something(end, self._size):
            return self._size
        after = self._next(end)
        if after > end:
            yield self._skip(end, after)
        return after

    def _skip(self, begin: int, end: int) -> Skip:
        return Skip(offset=begin, length=end - begin, reason=self._reason(begin))

    def _reason(self, offset: int) -> SkipReason:
        if offset == 0 and not resync.opening(self._file).lstrip(b"\r\n").startswith(b"WARC/"):
            return SkipReason.NOT_AN_ARCHIVE
        return SkipReason.DAMAGED_GZIP if self._gzip else SkipReason.DAMAGED_RECORD

    def _holds_something(self, begin: int, end: int) -> bool:
        """Whether a stretch is more than the blank lines that stand between records."""
        self._file.seek(begin)
        return bool(self._file.read(min(end - begin, _STRETCH)).strip(b"\r\n"))

    def _next(self, at: int) -> int:
        """Offset of the next record at or after a position; the file's size where there is none."""
        find = resync.next_member if self._gzip else resync.next_plain_record
        found = find(self._file, at, self._size)
        return self._size if found is None else found

    def _end_of(self, record: Record) -> tuple[int | None, bool]:
        """Where a record ends, None where that cannot be told, and whether its own length says something longer."""
        if self._gzip:
            end, inflated = resync.member_end(self._file, record.offset)
            return end, end is not None and record.declared > inflated
        declared = resync.plain_end(self._file, record.offset)
        if declared is None:
            return None, False
        if declared <= self._size and self._is_border(declared):
            return declared, False
        after = self._next(record.offset + 1)
        return min(declared, after), declared > after

    def _is_border(self, at: int) -> bool:
        """Whether at a position of a plain file the file ends or another record begins."""
        self._file.seek(at)
        rest = self._file.read(_BORDER).lstrip(b"\r\n")
        return not rest or rest.startswith(b"WARC/")


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
        truncated=truncated or not headers.get("Content-Length"),
        declared=raw.content_length,
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
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC).replace(microsecond=0)
    except (ValueError, OverflowError):
        return None


def _read_arc(file: BinaryIO, size: int, part: Slice, payload_cap: PayloadCap) -> Iterator[Record | Skip]:
    file.seek(part.start)
    iterator = ArcIterator(file, arc2warc=True)
    reached = part.start
    try:
        for record in iterator:
            offset = iterator.offset  # get_record_offset() would read the record to its end
            if part.end is not None and offset >= part.end:
                return
            yield _from_warcio(record, offset, payload_cap)
            reached = min(max(reached, offset + iterator.get_record_length()), size)  # lengths may be nonsense
    except (ArchiveLoadFailed, OSError, ValueError):
        if reached < size:
            yield Skip(offset=reached, length=size - reached, reason=SkipReason.DAMAGED_ARC)


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
