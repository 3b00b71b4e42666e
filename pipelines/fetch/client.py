"""One image URL to its bytes, or to a status: redirects, retries, caps and a total deadline. Images are not parsed."""

import asyncio
import contextlib
import random
import ssl
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Self

import aiohttp
from yarl import URL

from filters.urls import canonical, host_of
from pipelines.fetch.addresses import PrivateAddress, PublicResolver, is_literal, is_public
from pipelines.fetch.pacing import Pacing
from pipelines.frame.http_message import HttpHead, TooLarge, Undecodable, decode_body
from schemas.recipe import FetchSettings
from schemas.statuses import ImageStatus

_STEP = 64 << 10
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_STATUSES = {
    401: ImageStatus.FORBIDDEN, 403: ImageStatus.FORBIDDEN, 404: ImageStatus.NOT_FOUND, 410: ImageStatus.NOT_FOUND,
    429: ImageStatus.RATE_LIMITED, 451: ImageStatus.FORBIDDEN,
}  # fmt: skip
_TRANSIENT = frozenset({ImageStatus.CONNECTION_ERROR, ImageStatus.SERVER_ERROR, ImageStatus.RATE_LIMITED})
_UNREACHED = frozenset({ImageStatus.DNS_ERROR, ImageStatus.CONNECTION_ERROR, ImageStatus.TIMEOUT})
_FIRST_BACKOFF = 0.5


@dataclass(frozen=True)
class Response:
    """How a request ended. `body` is there only where `status` is ok."""

    status: ImageStatus
    message: str | None = None
    http_status: int | None = None
    final_url: str | None = None
    head: HttpHead = field(default_factory=lambda: HttpHead(0))
    body: bytes = b""
    retry_after: float | None = None


# Looks at a response's head before its body is read; a status other than None ends the request with it.
HeadCheck = Callable[[HttpHead], ImageStatus | None]
# Looks at a URL that a redirect leads to before it is asked; the same.
HopCheck = Callable[[str], Awaitable[ImageStatus | None]]


class Client:
    """Asks for images; an asynchronous context manager that holds the connections."""

    def __init__(self, settings: FetchSettings, pacing: Pacing) -> None:
        self._settings, self._pacing = settings, pacing

    async def __aenter__(self) -> Self:
        resolver = None if self._settings.allow_private_addresses else PublicResolver()
        connector = aiohttp.TCPConnector(resolver=resolver, limit=self._settings.concurrency, ttl_dns_cache=300)
        self._session = aiohttp.ClientSession(
            connector=connector,
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None),
            headers={"User-Agent": self._settings.user_agent, "Accept-Encoding": "identity"},
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def get(
        self, url: str, max_bytes: int, check: HeadCheck | None = None, hop: HopCheck | None = None
    ) -> Response:
        """Ask for a URL, again where that may help, until the deadline. Waiting for a host's turn does not count."""
        try:
            async with asyncio.timeout(self._settings.deadline_seconds) as deadline:
                for attempt in range(self._settings.retries + 1):
                    response = await self._follow(url, max_bytes, check, hop, deadline)
                    if not self._is_worth_another(response, attempt):
                        return response
                    if response.retry_after is None:
                        backoff = _FIRST_BACKOFF * 2**attempt * random.uniform(0.5, 1.5)  # noqa: S311 - jitter
                        self._pacing.gate(host_of(response.final_url or url)).pause(backoff)
                return response
        except TimeoutError:
            return Response(ImageStatus.TIMEOUT, f"no answer within {self._settings.deadline_seconds:g} s")

    def _is_worth_another(self, response: Response, attempt: int) -> bool:
        """Whether to ask again after an answer: where that may help, and not before the server says so."""
        patience = self._settings.max_retry_after_seconds
        return (
            response.status in _TRANSIENT
            and attempt < self._settings.retries
            and (response.retry_after is None or response.retry_after <= patience)
        )

    async def _follow(
        self, url: str, max_bytes: int, check: HeadCheck | None, hop: HopCheck | None, deadline: asyncio.Timeout
    ) -> Response:
        """Ask once, and go where redirects lead, checking each address anew."""
        here = url
        for _ in range(self._settings.max_redirects + 1):
            response = await self._ask(here, max_bytes, check, deadline)
            if response.http_status not in _REDIRECTS or response.status is not ImageStatus.CLIENT_ERROR:
                return replace(response, final_url=here if here != url else None)
            target = canonical(response.head.get("location"), here)
            if target is None:
                return replace(response, status=ImageStatus.BAD_URL, message="redirect to nowhere")
            with _suspended(deadline):
                refused = await hop(target) if hop else None
            if refused is not None:
                return replace(response, status=refused, message="where a redirect leads", final_url=target)
            here = target
        return Response(ImageStatus.TOO_MANY_REDIRECTS, f"more than {self._settings.max_redirects}", final_url=here)

    async def _ask(self, url: str, max_bytes: int, check: HeadCheck | None, deadline: asyncio.Timeout) -> Response:
        host = host_of(url)
        literal = URL(url, encoded=True).host or ""
        if is_literal(literal) and not is_public(literal) and not self._settings.allow_private_addresses:
            return Response(ImageStatus.PRIVATE_ADDRESS, literal)
        gate = self._pacing.gate(host)
        async with contextlib.AsyncExitStack() as turn:
            with _suspended(deadline):
                await turn.enter_async_context(gate.turn())
            if self._pacing.is_given_up(host):
                return Response(ImageStatus.HOST_UNREACHABLE, f"{host} was not reached {gate.failures} times in a row")
            try:
                response = await self._request(url, max_bytes, check)
            except asyncio.CancelledError:  # the deadline
                gate.failures += 1
                raise
        gate.failures = gate.failures + 1 if response.status in _UNREACHED else 0
        if response.status in _TRANSIENT and response.retry_after is not None:
            gate.pause(min(response.retry_after, self._settings.max_retry_after_seconds))
        return response

    async def _request(self, url: str, max_bytes: int, check: HeadCheck | None) -> Response:
        try:
            async with self._session.get(URL(url, encoded=True), allow_redirects=False) as reply:
                return await self._read(reply, max_bytes, check)
        except (aiohttp.ClientError, OSError, ssl.CertificateError, ValueError) as error:
            return Response(_status_of(error), f"{type(error).__name__}: {error}"[:200])

    async def _read(self, reply: aiohttp.ClientResponse, max_bytes: int, check: HeadCheck | None) -> Response:
        headers: dict[str, list[str]] = {}
        for name, value in reply.headers.items():
            if name.lower() != "transfer-encoding":  # undone by the library
                headers.setdefault(name.lower(), []).append(value)
        head = HttpHead(reply.status, headers)
        answer = Response(ImageStatus.OK, http_status=reply.status, head=head)
        if reply.status != 200:
            return replace(answer, status=_http_status(reply.status), retry_after=_retry_after(head))
        refused = check(head) if check else None
        if refused is not None:
            return replace(answer, status=refused)
        if (reply.content_length or 0) > max_bytes:
            return replace(answer, status=ImageStatus.TOO_LARGE, message=f"{reply.content_length} bytes")
        body = bytearray()
        async for piece in reply.content.iter_chunked(_STEP):
            body += piece
            if len(body) > max_bytes:
                return replace(answer, status=ImageStatus.TOO_LARGE, message=f"more than {max_bytes} bytes")
        return decoded(answer, bytes(body), max_bytes)


def decoded(answer: Response, body: bytes, max_bytes: int) -> Response:
    """A response with its body, encodings undone."""
    try:
        return replace(answer, body=decode_body(answer.head, body, max_bytes))
    except TooLarge:
        return replace(answer, status=ImageStatus.TOO_LARGE, message=f"more than {max_bytes} bytes")
    except Undecodable as error:
        return replace(answer, status=ImageStatus.UNDECODABLE, message=str(error))


@contextlib.contextmanager
def _suspended(deadline: asyncio.Timeout) -> Iterator[None]:
    """Let time pass that does not count against a deadline."""
    loop = asyncio.get_running_loop()
    when, began = deadline.when(), loop.time()
    deadline.reschedule(None)
    yield
    deadline.reschedule(None if when is None else when + loop.time() - began)


def _http_status(status: int) -> ImageStatus:
    return _STATUSES.get(status) or (ImageStatus.SERVER_ERROR if status >= 500 else ImageStatus.CLIENT_ERROR)


def _status_of(error: BaseException) -> ImageStatus:
    inner = getattr(error, "os_error", None)
    if isinstance(inner, PrivateAddress) or isinstance(error, PrivateAddress):
        return ImageStatus.PRIVATE_ADDRESS
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return ImageStatus.DNS_ERROR
    if isinstance(error, (aiohttp.ClientSSLError, ssl.CertificateError)):
        return ImageStatus.TLS_ERROR
    if isinstance(error, aiohttp.InvalidURL):
        return ImageStatus.BAD_URL
    return ImageStatus.CONNECTION_ERROR


def _retry_after(head: HttpHead) -> float | None:
    """Seconds that a server asks to wait, given in seconds or as a date against its own clock."""
    value = head.get("retry-after")
    if value.isdigit():
        return float(value)
    try:
        now = parsedate_to_datetime(head.get("date"))
        return max((parsedate_to_datetime(value) - now).total_seconds(), 0.0)
    except (TypeError, ValueError):
        return None
