"""URLs as they stand in pages made absolute and canonical, so that equal images have equal URLs."""

import hashlib
import re
from urllib.parse import urljoin

from yarl import URL

_DROPPED = re.compile("[\t\r\n\x00]")
_MAX_LENGTH = 4096
# Already canonical, as nine in ten are: nothing to encode, no port, no dot segments.
_PLAIN = re.compile(
    r"https?://[a-z0-9-]+(?:\.[a-z0-9-]+)+(?:/[A-Za-z0-9_~,@-][A-Za-z0-9._~,@-]*)+(?:\?[A-Za-z0-9._~/=&,-]+)?"
)


def canonical(url: str, base: str = "") -> str | None:
    """An absolute http(s) URL without fragment, its path and query percent-encoded; None where it is none.

    As browsers do, backslashes are read as slashes and tabs and line breaks inside are dropped.
    """
    cleaned = _DROPPED.sub("", url).strip().replace("\\", "/")
    if not cleaned or len(cleaned) > _MAX_LENGTH:
        return None
    try:
        absolute = cleaned if not base or cleaned.startswith(("http://", "https://")) else urljoin(base, cleaned)
        if _PLAIN.fullmatch(absolute):
            return absolute
        parsed = URL(absolute)
        if parsed.scheme not in ("http", "https") or not parsed.host:
            return None
        return str(parsed.with_fragment(None))
    except ValueError:
        return None


def url_hash(url: str) -> str:
    """First 32 hex characters of the URL's SHA-256."""
    return hashlib.sha256(url.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def host_of(url: str) -> str:
    """Host and, where it is not the scheme's own, port of a canonical URL; an empty string where there is none."""
    try:
        parsed = URL(url, encoded=True)
        host = parsed.host or ""
        return host if parsed.is_default_port() or parsed.port is None else f"{host}:{parsed.port}"
    except ValueError:
        return ""
