"""Files on web servers, such as Common Crawl's: ranges and sizes, asked for again where a server is busy or breaks off.

fsspec repeats nothing there; for S3 and GCS their own libraries do.
"""

import random
import time
from collections.abc import Callable
from typing import TypeVar

import aiohttp

from pipelines.frame.stores.errors import StoreRefused
from pipelines.frame.stores.file_systems import file_system

_ATTEMPTS = 8
_LONGEST_PAUSE = 20.0
_WORTH_ANOTHER = frozenset({408, 425, 429, 500, 502, 503, 504})
_Answer = TypeVar("_Answer")


def web_range(url: str, start: int, end: int) -> bytes:
    """Bytes of a file; fewer where it ends before.

    Raises:
        FileNotFoundError: where there is none.
        StoreRefused: where the server sends whole files only.
    """
    return _patiently(url, lambda: _range(url, start, end))


def web_size(url: str) -> tuple[int, str | None]:
    """Size of a file, and its ETag if the server gives one.

    Raises:
        FileNotFoundError: where there is none, or its size is not said.
    """
    return _patiently(url, lambda: _size(url))


def _range(url: str, start: int, end: int) -> bytes:
    fs, name = file_system(url)
    try:
        with fs.open(name, "rb", size=end, cache_type="none") as file:
            file.seek(start)
            return bytes(file.read(end - start))
    except ValueError as error:
        raise StoreRefused(f"{url}: the server sends no parts of files; download the file first") from error


def _size(url: str) -> tuple[int, str | None]:
    fs, name = file_system(url)
    try:
        info = fs.info(name)
    except FileNotFoundError as error:  # fsspec says so of whatever went wrong
        if isinstance(error.__cause__, Exception):
            raise error.__cause__ from None
        raise
    if info["size"] is None:
        raise FileNotFoundError(f"{url}: the server does not say how long the file is")
    return int(info["size"]), info.get("ETag")


def _patiently(url: str, ask: Callable[[], _Answer]) -> _Answer:
    for attempt in range(_ATTEMPTS):
        try:
            return ask()
        except aiohttp.ClientResponseError as error:
            if error.status in (404, 410):
                raise FileNotFoundError(f"{url}: {error.status} {error.message}") from error
            if error.status not in _WORTH_ANOTHER or attempt == _ATTEMPTS - 1:
                raise
        except (aiohttp.InvalidURL, aiohttp.ClientSSLError):
            raise
        except (aiohttp.ClientError, TimeoutError):
            if attempt == _ATTEMPTS - 1:
                raise
        time.sleep(random.random() * min(2.0**attempt, _LONGEST_PAUSE))  # noqa: S311 - jitter
    raise AssertionError("the last attempt returns or raises")
