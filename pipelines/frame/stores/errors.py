"""What errors of object stores and web servers mean to a person: one line that says what to do."""

import contextlib
from collections.abc import Iterator

from pipelines.frame.stores.locations import scheme_of

_CREDENTIALS = {
    "s3": "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run where there is an instance role",
    "gs": "run gcloud auth application-default login, or set GOOGLE_APPLICATION_CREDENTIALS",
}
_NO_CREDENTIALS = frozenset({
    "NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError", "ProfileNotFound", "SSOError",
    "TokenRetrievalError", "DefaultCredentialsError", "RefreshError",
})  # fmt: skip
_WRONG_CREDENTIALS = frozenset({
    "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "ExpiredToken", "RequestTimeTooSkewed",
    "AuthorizationHeaderMalformed",
})  # fmt: skip
_UNREACHABLE = frozenset({
    "EndpointConnectionError", "ConnectTimeoutError", "ProxyConnectionError", "SSLError", "ClientConnectorError",
    "FSTimeoutError", "ServerDisconnectedError", "ConnectionClosedError", "ReadTimeoutError", "ClientPayloadError",
})  # fmt: skip
_NO_BUCKET = "there is no bucket {}"
_DENIED = frozenset({"AccessDenied", "AllAccessDisabled", "401", "403"})
_OVERLOADED = frozenset({
    "SlowDown", "InternalError", "ServiceUnavailable", "RequestTimeout", "429", "500", "502", "503", "504"
})  # fmt: skip


class StoreFailed(Exception):
    """A store does not do what it was asked, for now: trying again later may help.

    Not an OSError: to who reads a WARC those are damage, which is skipped.
    """


class StoreRefused(StoreFailed):
    """A store cannot be used as it was named, or by this person."""


def names_a_user(url: str) -> bool:
    """Whether a URL holds a user name or a key before an @; a secret may itself hold a slash."""
    host = url.partition("://")[2].split("/", 1)[0]
    name, colon, port = host.partition(":")
    return "@" in host or bool(colon and not port.isdigit() and name != "arn")


def without_secrets(url: str) -> str:
    """A URL as it may be shown: without user, and without a query of names and values."""
    scheme, found, rest = url.partition("://")
    if not found:
        return url
    shown = rest.rpartition("@")[2] if names_a_user(url) else rest
    path, _, query = shown.partition("?")
    return f"{scheme}://{path if '=' in query else shown}"


@contextlib.contextmanager
def in_words(path: str) -> Iterator[None]:
    """Raise errors of a store as StoreFailed or StoreRefused; a file that is not there stays FileNotFoundError."""
    try:
        yield
    except StoreFailed:
        raise
    except Exception as error:
        refusal = _refusal(path, error)
        if refusal is not None:
            raise StoreRefused(f"{without_secrets(path)}: {refusal}") from error
        if isinstance(error, FileNotFoundError | FileExistsError):
            raise
        raise StoreFailed(f"{without_secrets(path)}: {_failure(error)}") from error


def no_bucket(path: str) -> StoreRefused:
    """What to raise where a path's bucket is not there."""
    return StoreRefused(f"{without_secrets(path)}: {_NO_BUCKET.format(_bucket(path))}")


def _bucket(path: str) -> str:
    return without_secrets(path).partition("://")[2].split("/", 1)[0]


def _refusal(path: str, error: Exception) -> str | None:
    """What a person has to mend; None where it is nobody's mistake."""
    names, code = _class_names(error), code_of(error)
    if code == "NoSuchBucket":
        return _NO_BUCKET.format(_bucket(path))
    if names & _NO_CREDENTIALS:
        return f"no credentials ({_line(error)}): {_CREDENTIALS.get(scheme_of(path), 'none were found')}"
    if code in _WRONG_CREDENTIALS:
        return f"the credentials are not valid ({code}: {_line(error)})"
    if isinstance(error, PermissionError) or code in _DENIED:
        return f"access is denied ({_line(error)}); do these credentials give access to it?"
    if "ParamValidationError" in names:
        return f"{_bucket(path)!r} is not a valid name of a bucket"
    return None


def _failure(error: Exception) -> str:
    code = code_of(error)
    if _class_names(error) & _UNREACHABLE or isinstance(error, ConnectionError | TimeoutError):
        return f"the server cannot be reached ({_line(error)})"
    if code in _OVERLOADED:
        return f"the server goes on answering {code}, also after pauses ({_line(error)})"
    return f"{type(error).__name__}: {_line(error)}"


def code_of(error: BaseException | None) -> str:
    """The store's own code of an error, or the HTTP status; empty where there is none."""
    while error is not None:
        response = getattr(error, "response", None)
        if isinstance(response, dict):  # botocore
            return str(response.get("Error", {}).get("Code", ""))
        for name in ("status", "code"):  # aiohttp, gcsfs
            if isinstance(found := getattr(error, name, None), int | str):
                return str(found)
        if isinstance(error, OSError) and str(error).startswith("Forbidden"):  # gcsfs
            return "403"
        error = error.__cause__
    return ""


def _class_names(error: BaseException | None) -> frozenset[str]:
    """Names of an error's classes and of what caused it: looked at by name, since the libraries are optional."""
    names: set[str] = set()
    while error is not None:
        names.update(kind.__name__ for kind in type(error).__mro__)
        error = error.__cause__
    return frozenset(names)


def _line(error: Exception) -> str:
    """An error's own words, as one line without the URL's query."""
    return " ".join(str(error).split("?", 1)[0].split()) or type(error).__name__
