"""The one module that decides whether an image may be taken: robots.txt, directives, TDM reservation, block lists."""

import asyncio
from dataclasses import dataclass, field

from protego import Protego
from yarl import URL

from filters.consent import TDM_RESERVED, of_response
from filters.urls import host_of
from pipelines.fetch.client import Client
from pipelines.fetch.pacing import Pacing
from pipelines.frame.http_message import HttpHead
from schemas.recipe import FetchSettings
from schemas.statuses import ImageStatus

_ROBOTS_BYTES = 500 << 10  # RFC 9309, section 2.5: at least this much has to be read
_NETWORK = frozenset(
    {
        ImageStatus.DNS_ERROR, ImageStatus.CONNECTION_ERROR, ImageStatus.TLS_ERROR, ImageStatus.TIMEOUT,
        ImageStatus.PRIVATE_ADDRESS, ImageStatus.HOST_UNREACHABLE,
    }
)  # fmt: skip


@dataclass(frozen=True)
class Consent:
    """A decision and what it rests on. `refusal` is None where the image may be taken."""

    refusal: ImageStatus | None = None
    robots_allowed: bool | None = None
    message: str | None = None


@dataclass(frozen=True)
class ResponseConsent:
    """What an image's own response says."""

    refusal: ImageStatus | None
    directives: list[str] = field(default_factory=list)
    tdm_reserved: bool | None = None


def is_blocked(url: str, settings: FetchSettings) -> bool:
    """Whether a URL's host, or a domain that it belongs to, is on the block list."""
    host = _host(URL(url, encoded=True).host or "")
    return any(host == blocked or host.endswith(f".{blocked}") for blocked in map(_host, settings.consent.block_hosts))


def _host(name: str) -> str:
    """A host name as it compares: lower case, no dot at its end, other scripts not in punycode."""
    return (URL.build(scheme="http", host=name.strip().lower().rstrip(".")).host or "") if name else ""


def of_image_response(head: HttpHead, settings: FetchSettings) -> ResponseConsent:
    """Consent as an image's response headers give or refuse it."""
    said = of_response(head.all("x-robots-tag"), head.get("tdm-reservation"), settings.robots_token)
    reserved = {"1": True, "0": False}.get(head.get("tdm-reservation"))
    refusal = None
    if set(said) & set(settings.consent.directives):
        refusal = ImageStatus.OPTED_OUT
    elif settings.consent.tdm_reservation and TDM_RESERVED in said:
        refusal = ImageStatus.TDM_RESERVED
    return ResponseConsent(refusal, [word for word in said if word != TDM_RESERVED], reserved)


@dataclass(frozen=True)
class _Robots:
    """What is known of one origin's robots.txt: its rules, or why nothing may be asked of it."""

    rules: Protego | None = None
    refusal: ImageStatus | None = None
    message: str | None = None


class RobotsRules:
    """robots.txt of every origin, each asked for once (RFC 9309: 4xx allows all, unreachable allows nothing)."""

    def __init__(self, client: Client, pacing: Pacing, settings: FetchSettings) -> None:
        self._client, self._pacing, self._settings = client, pacing, settings
        self._known: dict[str, asyncio.Task[_Robots]] = {}

    async def check(self, url: str) -> Consent:
        """Whether robots.txt allows a URL."""
        if not self._settings.consent.robots_txt:
            return Consent()
        origin = str(URL(url, encoded=True).origin())
        if origin not in self._known:
            self._known[origin] = asyncio.create_task(self._ask(origin))
        robots = await self._known[origin]
        if robots.refusal is not None:
            return Consent(robots.refusal, message=robots.message)
        allowed = robots.rules is None or robots.rules.can_fetch(url, self._settings.robots_token)
        return Consent(None if allowed else ImageStatus.ROBOTS_DISALLOWED, allowed)

    async def _ask(self, origin: str) -> _Robots:
        response = await self._client.get(f"{origin}/robots.txt", _ROBOTS_BYTES)
        if response.status is ImageStatus.OK:
            return self._parsed(response.body, origin)
        if response.status in _NETWORK:
            return _Robots(refusal=response.status, message=response.message)
        if response.http_status is not None and 400 <= response.http_status < 500 and response.http_status != 429:
            return _Robots()
        return _Robots(refusal=ImageStatus.ROBOTS_UNREACHABLE, message=f"robots.txt: {response.status}")

    def _parsed(self, body: bytes, origin: str) -> _Robots:
        rules = Protego.parse(body.decode("utf-8-sig", "replace"))
        delay = rules.crawl_delay(self._settings.robots_token)
        if delay:
            gate = self._pacing.gate(host_of(f"{origin}/"))
            gate.slow_down(min(float(delay), self._settings.max_crawl_delay_seconds))
        return _Robots(rules)
