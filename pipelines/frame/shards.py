"""Tar files that are the same bytes for the same members: fixed owner, mode and time, members in the order given."""

import io
import tarfile
from pathlib import Path
from types import TracebackType
from typing import Self

_BLOCK = 512


class ShardWriter:
    """Writes a tar to a local file; `offset` is where the next member's header will stand."""

    def __init__(self, path: Path) -> None:
        self._tar = tarfile.open(path, "w", format=tarfile.USTAR_FORMAT)  # noqa: SIM115 - close() does
        self.members = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def offset(self) -> int:
        """Bytes written so far."""
        return self._tar.offset

    def add(self, name: str, content: bytes) -> int:
        """Append a member; the offset of its content."""
        info = tarfile.TarInfo(name)
        info.size, info.mtime, info.mode = len(content), 0, 0o644
        self._tar.addfile(info, io.BytesIO(content))
        self.members += 1
        return self.offset - -(-len(content) // _BLOCK) * _BLOCK

    def close(self) -> None:
        """Write the end of the archive."""
        self._tar.close()
