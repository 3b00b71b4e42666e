"""What a path or URL says by itself, and what a store says of the file or folder there."""

from dataclasses import dataclass

WEB = ("http", "https")
# Requests to stores that a process makes at the same time.
CONNECTIONS = 32


@dataclass(frozen=True)
class Entry:
    """A file or folder by its full path. `version` changes whenever its content does; None where a store has none."""

    path: str
    size: int
    version: str | None = None
    is_folder: bool = False

    @property
    def name(self) -> str:
        """The last part of the path."""
        return file_name(self.path)


def file_name(path: str) -> str:
    """The last part of a path or URL."""
    return path.rstrip("/").rsplit("/", 1)[-1]


def scheme_of(url: str) -> str:
    """The scheme of a URL; empty for a path."""
    return url.split("://", 1)[0] if "://" in url else ""


def is_local(path: str) -> bool:
    """Whether a path lies on this machine's file systems."""
    return scheme_of(path) in ("", "file")


def is_web(url: str) -> bool:
    """Whether a URL is of a web server: files can be read there, but not listed or written."""
    return scheme_of(url) in WEB
