"""Which fsspec file system serves a URL, and with which settings. Refuses what must not be used.

Credentials and endpoints come from the environment of each machine, never from here: URLs are written to `job.yaml`,
to tables and to logs.
"""

import importlib.util
import logging
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

import fsspec

from pipelines.frame.stores.errors import StoreRefused, names_a_user, without_secrets
from pipelines.frame.stores.locations import CONNECTIONS, WEB, scheme_of

_PACKAGES = {"s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs"}
# How names end that sign a URL or prove who asks: in presigned URLs of S3, GCS and Azure, and elsewhere.
_SECRETS = ("signature", "credential", "token", "sig", "key", "keyid", "accessid", "password", "secret")

_S3_CONFIG = {
    # Answers 500 and 503 and lost connections are repeated after pauses that grow from 1 to 16 seconds, with jitter.
    # Not the mode "adaptive": as long as some requests are refused, it makes a client slower and slower.
    "retries": {"mode": "standard", "max_attempts": 6},
    "max_pool_connections": CONNECTIONS,
    "connect_timeout": 10,
    # From the last byte sent to the first received: a store may take its time over a part of an upload.
    "read_timeout": 60,
}


def file_system(url: str) -> tuple[Any, str]:
    """The file system of a URL, and the name of the file in it.

    Raises:
        StoreRefused: where the URL holds a secret or has no known scheme, or where a package is missing.
    """
    _refuse_secrets(url)
    scheme = scheme_of(url)
    package = _PACKAGES.get(scheme)
    if package and importlib.util.find_spec(package) is None:
        raise StoreRefused(f"{url}: {scheme}:// needs the package {package}: install curate[cloud]")
    if "::" in url or scheme not in fsspec.available_protocols():
        raise StoreRefused(f"{url}: {scheme}:// is not known; use a path, s3://, gs://, or https:// for inputs")
    try:
        fs, name = fsspec.core.url_to_fs(url, **_settings(scheme))
    except ImportError as error:
        raise StoreRefused(f"{url}: {scheme}://: {error}") from error
    return fs, str(name)


def _refuse_secrets(url: str) -> None:
    names = [name.lower() for name, _ in parse_qsl(url.partition("?")[2])]
    if names_a_user(url):
        why = "holds a user name or a key before the @"
    elif any(name.endswith(_SECRETS) for name in names):
        why = "is signed, or holds a key"
    else:
        return
    raise StoreRefused(
        f"{without_secrets(url)}: the URL {why}, and URLs are written down with the job; leave that out and give "
        "credentials by the environment"
    )


@cache
def _settings(scheme: str) -> dict[str, Any]:
    """Listings are never kept: other workers write to the same folders."""
    if scheme in ("s3", "s3a"):
        given = fsspec.config.conf.get(scheme, {}).get("config_kwargs", {})
        return {"use_listings_cache": False, "config_kwargs": _S3_CONFIG | given}
    if scheme in WEB:
        import aiohttp

        timeout = aiohttp.ClientTimeout(total=600, sock_connect=10, sock_read=60)
        # A server that compressed on the way would shift every offset.
        return {"headers": {"Accept-Encoding": "identity"}, "client_kwargs": {"timeout": timeout, "trust_env": True}}
    logging.getLogger("gcsfs").setLevel(logging.CRITICAL)  # it logs what it raises, with a traceback
    return {"use_listings_cache": False}
