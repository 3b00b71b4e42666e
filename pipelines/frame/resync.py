"""Where records begin in a WARC file, from its bytes alone: to cut files into slices and to go on after damage."""

import re
import zlib
from collections.abc import Iterator
from typing import BinaryIO

_BLOCK = 1 << 20
_SHORT = 64 << 10  # most members end, and most next ones begin, within it
_MEMBER = re.compile(rb"\x1f\x8b\x08[\x00-\x1f]")
_PLAIN = re.compile(rb"(?:^|(?<=\n))WARC/\d\.\d\r?\n")
_SNIFF = 4096
_OVERLAP = 16


def is_gzip(file: BinaryIO) -> bool:
    """Whether a file begins as gzip."""
    file.seek(0)
    return file.read(2) == b"\x1f\x8b"


def opening(file: BinaryIO) -> bytes:
    """The first bytes of what a file holds, inflated where it is gzip."""
    file.seek(0)
    raw = file.read(_SNIFF)
    return _inflated_head(raw) if raw[:2] == b"\x1f\x8b" else raw[:_SNIFF]


def next_member(file: BinaryIO, at: int, end: int) -> int | None:
    """Offset of the first gzip member in [at, end) that holds the beginning of a WARC record; None without one.

    A magic number inside compressed data is told from a real one by inflating what follows.
    """
    for offset in _matches(file, _MEMBER, at, end):
        file.seek(offset)
        if _inflated_head(file.read(_SNIFF)).lstrip(b"\r\n").startswith(b"WARC/"):
            return offset
    return None


def next_plain_record(file: BinaryIO, at: int, end: int) -> int | None:
    """Offset of the first line in [at, end) of an uncompressed file that begins a WARC record; None without one."""
    return next(_matches(file, _PLAIN, at, end), None)


def member_end(file: BinaryIO, at: int) -> tuple[int | None, int]:
    """Where the gzip member that begins at an offset ends, None where it is damaged, and how long it is inflated.

    One that is cut off by the end of the file ends there.
    """
    file.seek(at)
    inflater, consumed, inflated = zlib.decompressobj(31), at, 0
    length = _SHORT
    while block := file.read(length):
        length = _BLOCK
        try:
            while block and not inflater.eof:
                inflated += len(inflater.decompress(block, _BLOCK))
                rest = inflater.unconsumed_tail or inflater.unused_data
                consumed += len(block) - len(rest)
                block = inflater.unconsumed_tail
        except zlib.error:
            return None, inflated
        if inflater.eof:
            return consumed, inflated
    return None, inflated


def plain_end(file: BinaryIO, at: int) -> int | None:
    """Where an uncompressed record that begins at an offset ends by its own Content-Length."""
    file.seek(at)
    head = re.match(rb"(?s)WARC/.*?\r*\n\r*\n", file.read(1 << 16))
    length = re.search(rb"(?i)\nContent-Length:[ \t]*(\d+)", head[0]) if head else None
    return at + len(head[0]) + int(length[1]) if head and length else None


def is_gzip_archive(file: BinaryIO, size: int) -> bool:
    """Whether records lie in gzip members, also where a file begins with something else."""
    if is_gzip(file) or opening(file).lstrip(b"\r\n").startswith(b"WARC/"):
        return is_gzip(file)
    member, plain = next_member(file, 0, size), next_plain_record(file, 0, size)
    return member is not None and (plain is None or member < plain)


def is_member_per_record(file: BinaryIO, size: int) -> bool:
    """Whether a file is gzip with a second member that begins a record: what can be read from the middle."""
    if not is_gzip(file):
        return False
    first, _ = member_end(file, 0)
    return first is not None and first < size and next_member(file, first, min(size, first + 1)) == first


def _inflated_head(raw: bytes) -> bytes:
    try:
        return zlib.decompressobj(31).decompress(raw, _SNIFF)
    except zlib.error:
        return b""


def _matches(file: BinaryIO, pattern: re.Pattern[bytes], at: int, end: int) -> Iterator[int]:
    """Offsets in [at, end) at which a short pattern begins, read in blocks that overlap, the first one a short one."""
    base, length = max(0, at), _SHORT
    while base < end:
        lead = 1 if base else 0  # one byte of context, so that the start of a line is recognised
        file.seek(base - lead)
        stop = min(base + length, end)
        block = file.read(stop - base + lead + _OVERLAP)
        for match in pattern.finditer(block):
            offset = base + match.start() - lead
            if base <= offset < stop:
                yield offset
        if len(block) <= stop - base + lead:
            return
        base, length = stop, _BLOCK
