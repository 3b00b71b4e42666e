"""A file in a store as a Python file: read by ranges, each asked for again where its answer breaks off.

Sequential reading moves every byte once; jumping about fetches little around each place. Memory is bounded.
"""

import io
from collections import deque
from collections.abc import Callable
from typing import BinaryIO

from pipelines.frame.stores.errors import StoreFailed

# A request takes some ten milliseconds before its first byte comes: at 8 MiB that is a small part of it.
BLOCK = 8 << 20
_BLOCKS_KEPT = 3
_FIRST = 64 << 10
_BUFFER = 64 << 10

Fetch = Callable[[int, int], bytes]


def ranged(fetch: Fetch, size: int, span: tuple[int, int] | None, head: bytes = b"") -> BinaryIO:
    """A seekable file of `size` bytes.

    `fetch(start, end)` brings bytes; `span` is what will be read from its beginning to its end; `head` are bytes from
    the file's beginning that are there already.
    """
    return io.BufferedReader(_RangedFile(fetch, size, span, head), _BUFFER)


class _RangedFile(io.RawIOBase):
    """Keeps the last few blocks, as they were fetched."""

    def __init__(self, fetch: Fetch, size: int, span: tuple[int, int] | None, head: bytes) -> None:
        self._fetch, self._size, self._span = fetch, size, span or (0, 0)
        self._blocks: deque[tuple[int, bytes]] = deque([(0, head)] if head else [], maxlen=_BLOCKS_KEPT)
        self._at = self._fetched_to = 0
        self._step = _FIRST

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if self._at >= self._size or not len(buffer):
            return 0
        start, block = self._block_at(self._at, len(buffer))
        offset = self._at - start
        piece = memoryview(block)[offset : offset + len(buffer)]
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)

    def _block_at(self, at: int, wanted: int) -> tuple[int, bytes]:
        for start, block in self._blocks:
            if start <= at < start + len(block):
                return start, block
        ahead = [start for start, _ in self._blocks if start > at]
        end = min(self._size, at + self._length(at, wanted), *ahead)
        try:
            block = self._fetch(at, end)
        except FileNotFoundError as error:
            raise StoreFailed(f"a file was removed while it was read: {error}") from error
        if len(block) < end - at:
            raise StoreFailed(f"a file was replaced while it was read: of bytes {at} to {end} only {len(block)} came")
        self._fetched_to = end
        self._blocks.append((at, block))
        return at, block

    def _length(self, at: int, wanted: int) -> int:
        """How much to fetch at once: whole blocks where all will be read, else twice as much each time it goes on."""
        if self._span[0] <= at < self._span[1]:
            return min(BLOCK, self._span[1] - at)
        self._step = min(2 * self._step, BLOCK) if at == self._fetched_to and at else _FIRST
        return max(min(wanted, BLOCK), self._step)
