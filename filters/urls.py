"""URLs as they stand in pages made absolute and canonical, so that equal images have equal URLs."""

import hashlib
import re
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

if TYPE_CHECKING:
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
        if base and cleaned.startswith("/") and _PLAIN.fullmatch(rooted := _rooted(cleaned, base)):
            return rooted
        absolute = cleaned if not base or cleaned.startswith(("http://", "https://")) else urljoin(base, cleaned)
        if _PLAIN.fullmatch(absolute):
            return absolute
        parsed = _parsed(absolute)
        if parsed.scheme not in ("http", "https") or not parsed.host:
            return None
        return str(parsed.with_fragment(None))
    except ValueError:
        return None


def _rooted(address: str, base: str) -> str:
    """An address that begins with a slash behind the host of the base, or behind its scheme if it names a host."""
    scheme, host = _root(base)
    return f"{scheme}:{address}" if address.startswith("//") else f"{scheme}://{host}{address}"


@lru_cache(256)
def _root(base: str) -> tuple[str, str]:
    parts = urlsplit(base)
    return parts.scheme, parts.netloc


# Parameters that say how a reader came, not what is read: those that analytics tools add to links.
_TRACKING = re.compile(r"(?:utm_\w+|fbclid|gclid|dclid|msclkid|yclid|igshid|mc_[ce]id|_ga|_hs(?:enc|mi)|ref_src)")


def page_identity(url: str) -> str:
    """What captures of one page have in common: its URL without scheme, www., fragment, tracking and trailing slash.

    Parameters are sorted, since their order rarely means anything. A URL that cannot be read stands for itself.
    """
    clean = canonical(url)
    if clean is None:
        return url
    if "?" not in clean and _PLAIN.fullmatch(clean):
        host, path = clean.split("://", 1)[1].split("/", 1)
        return f"{host.removeprefix('www.')}/{path}".rstrip("/") + "?"
    parsed = _parsed(clean, encoded=True)
    kept = sorted(f"{k}={v}" for k, v in parsed.query.items() if not _TRACKING.fullmatch(k))
    host = host_of(clean).removeprefix("www.")
    return f"{host}{parsed.raw_path.rstrip('/')}?{'&'.join(kept)}"


def url_hash(url: str) -> str:
    """First 32 hex characters of the URL's SHA-256."""
    return hashlib.sha256(url.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def host_of(url: str) -> str:
    """Host and, where it is not the scheme's own, port of a canonical URL; an empty string where there is none."""
    try:
        parsed = _parsed(url, encoded=True)
        host = parsed.host or ""
        return host if parsed.is_default_port() or parsed.port is None else f"{host}:{parsed.port}"
    except ValueError:
        return ""


def _parsed(url: str, *, encoded: bool = False) -> "URL":
    from yarl import URL

    try:
        return URL(url, encoded=encoded)
    except IndexError as error:  # yarl 1.25 of https://[]@
        raise ValueError(f"{url!r} is no URL") from error
