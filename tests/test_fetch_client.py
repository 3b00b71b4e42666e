"""The fetcher against a real server: statuses, redirects, private addresses, caps and deadlines."""

import asyncio
import gzip
import socket
import time
from asyncio.selector_events import BaseSelectorEventLoop
from collections.abc import Mapping
from typing import Any

import pytest
from aiohttp import web

from pipelines.fetch.addresses import is_public
from pipelines.fetch.client import Client, Response
from pipelines.fetch.pacing import Pacing
from schemas.recipe import FetchSettings
from schemas.statuses import ImageStatus
from tests.image_server import Answer, ImageServer, a_dead_url, a_silent_url, serving

server, dead, silent = pytest.fixture(serving), pytest.fixture(a_dead_url), pytest.fixture(a_silent_url)

CAP = 10_000
PUBLIC_NAME, PRIVATE_NAME, PUBLIC_ADDRESS = "pictures.example", "inside.example", "93.184.215.14"
REFUSED = {ImageStatus.PRIVATE_ADDRESS, ImageStatus.BAD_URL}


def fetch_settings(**changes: Any) -> FetchSettings:
    quick = {"allow_private_addresses": True, "per_host_rate": 1000, "retries": 0, "deadline_seconds": 10}
    return FetchSettings(**{**quick, "max_bytes": CAP, **changes})


def ask(*urls: str, sharers: Mapping[str, int] | None = None, apart: float = 0.0, **changes: Any) -> list[Response]:
    """Ask one client for URLs, each so many seconds after the one before, whether that has been answered or not."""
    settings = fetch_settings(**changes)

    async def run() -> list[Response]:
        async with Client(settings, Pacing(settings, sharers or {})) as client:

            async def get(number: int, url: str) -> Response:
                await asyncio.sleep(number * apart)
                return await client.get(url, CAP)

            return list(await asyncio.gather(*(get(number, url) for number, url in enumerate(urls))))

    return asyncio.run(run())


def ask_one(url: str, **changes: Any) -> Response:
    return ask(url, **changes)[0]


@pytest.fixture
def public(server: ImageServer, monkeypatch: pytest.MonkeyPatch) -> str:
    """A host on a public address that leads to the test server, and another one whose name means a private address.

    What is made up is the network below us, since a test has no public address of its own.
    """
    names = {PUBLIC_NAME: PUBLIC_ADDRESS, PRIVATE_NAME: "127.0.0.1"}
    lookup, connect = socket.getaddrinfo, BaseSelectorEventLoop.sock_connect

    def made_up_lookup(host: str, *rest: Any, **options: Any) -> Any:
        return lookup(names.get(host, host), *rest, **options)

    async def made_up_route(loop: Any, sock: socket.socket, address: Any) -> None:
        await connect(loop, sock, ("127.0.0.1", *address[1:]) if address[0] == PUBLIC_ADDRESS else address)

    monkeypatch.setattr(socket, "getaddrinfo", made_up_lookup)
    monkeypatch.setattr(BaseSelectorEventLoop, "sock_connect", made_up_route)
    return f"http://{PUBLIC_NAME}:{server.port}"


def test_an_image_comes_whole_with_its_head_and_without_a_final_url(server: ImageServer) -> None:
    got = ask_one(server.answer("/x.png", Answer(body=b"bytes", headers={"X-Robots-Tag": "noindex"})))
    assert (got.status, got.http_status, got.body, got.final_url) == (ImageStatus.OK, 200, b"bytes", None)
    assert got.head.get("x-robots-tag") == "noindex"
    assert server.asked[0].headers["User-Agent"].startswith("curate/")


@pytest.mark.parametrize(
    ("http_status", "status"),
    [
        (401, ImageStatus.FORBIDDEN), (403, ImageStatus.FORBIDDEN), (451, ImageStatus.FORBIDDEN),
        (404, ImageStatus.NOT_FOUND), (410, ImageStatus.NOT_FOUND), (429, ImageStatus.RATE_LIMITED),
        (500, ImageStatus.SERVER_ERROR), (503, ImageStatus.SERVER_ERROR), (418, ImageStatus.CLIENT_ERROR),
        (206, ImageStatus.CLIENT_ERROR), (304, ImageStatus.CLIENT_ERROR),
    ],
)  # fmt: skip
def test_every_http_status_but_200_is_a_status_without_a_body(
    server: ImageServer, http_status: int, status: ImageStatus
) -> None:
    got = ask_one(server.answer("/x.png", Answer(http_status, b"" if http_status == 304 else b"an error page")))
    assert (got.status, got.http_status, got.body) == (status, http_status, b"")


def test_redirects_are_followed_up_to_the_limit_and_the_last_url_is_told(server: ImageServer) -> None:
    for step in range(3):
        server.redirect(f"/{step}", f"../{step + 1}?from=r#part")
    server.answer("/3", Answer(body=b"there"))
    got = ask_one(server.url("/0"), max_redirects=3)
    assert (got.status, got.body, got.final_url) == (ImageStatus.OK, b"there", server.url("/3?from=r"))
    assert ask_one(server.url("/0"), max_redirects=2).status is ImageStatus.TOO_MANY_REDIRECTS


def test_a_redirect_loop_ends_after_the_limit(server: ImageServer) -> None:
    assert ask_one(server.redirect("/a", "/a"), max_redirects=4).status is ImageStatus.TOO_MANY_REDIRECTS
    assert len(server.asked) == 5


@pytest.mark.parametrize("target", ["file:///etc/hostname", "ftp://127.0.0.1/x", "data:image/png;base64,AA", ""])
def test_a_redirect_that_does_not_lead_to_a_web_page_is_a_bad_url(server: ImageServer, target: str) -> None:
    got = ask_one(server.redirect("/a", target))
    assert (got.status, got.body) == (ImageStatus.BAD_URL, b"")


_PRIVATE_HOSTS = (
    "127.0.0.1", "localhost", PRIVATE_NAME, "2130706433", "127.1", "0177.0.0.1", "0x7f000001", "127.0.0.1.", "0",
    "[::1]", "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "①②⑦.0.0.1",
)  # fmt: skip


@pytest.mark.parametrize("host", _PRIVATE_HOSTS)
def test_a_private_address_is_not_asked_however_it_is_written(server: ImageServer, public: str, host: str) -> None:
    server.answer("/secret.png", Answer(body=b"secret"))
    hop = server.redirect("/go", f"http://{host}:{server.port}/secret.png").replace(server.url(), public)
    after_redirect = ask_one(hop, allow_private_addresses=False)
    at_once = ask_one(server.url("/secret.png").replace("127.0.0.1", host), allow_private_addresses=False)
    assert (after_redirect.body, at_once.body) == (b"", b"")
    assert after_redirect.status in REFUSED and at_once.status in REFUSED
    assert server.paths() == ["/go"]


def test_a_public_address_is_asked_where_private_ones_are_refused(server: ImageServer, public: str) -> None:
    server.answer("/x.png", Answer(body=b"bytes"))
    assert ask_one(f"{public}/x.png", allow_private_addresses=False).body == b"bytes"


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::"]
)
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0", "10.1.2.3", "100.64.0.1", "127.8.8.8", "169.254.169.254", "172.16.0.1", "192.168.1.1", "198.18.0.1",
        "224.0.0.1", "255.255.255.255", "::", "::1", "fe80::1%eth0", "fc00::1", "ff02::1", "2001:0:7f00:1::",
        "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "not an address", "",
    ],
)  # fmt: skip
def test_special_addresses_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["64:ff9b:1::7f00:1", "::127.0.0.1", "::ffff:0:127.0.0.1", "fec0::1"])
def test_rare_forms_of_private_addresses_are_not_public(address: str) -> None:
    """Local-use NAT64 (RFC 8215), IPv4-compatible, IPv4-translated (RFC 2765) and site-local addresses."""
    assert not is_public(address)


def test_a_body_announced_above_the_cap_is_refused_before_it_is_read(server: ImageServer) -> None:
    async def announce(request: web.BaseRequest) -> web.StreamResponse:
        reply = web.StreamResponse(headers={"Content-Length": "9000000000"})
        await reply.prepare(request)
        await asyncio.sleep(60)
        return reply

    server.handle("/x.png", announce)
    assert ask_one(server.url("/x.png")).status is ImageStatus.TOO_LARGE


def test_a_body_without_a_length_is_cut_off_at_the_cap(server: ImageServer) -> None:
    async def endless(request: web.BaseRequest) -> web.StreamResponse:
        reply = web.StreamResponse()
        await reply.prepare(request)
        while True:
            await reply.write(b"x" * 1000)

    server.handle("/x.png", endless)
    assert ask_one(server.url("/x.png")).status is ImageStatus.TOO_LARGE


def test_the_cap_itself_is_not_too_large(server: ImageServer) -> None:
    assert ask_one(server.answer("/x.png", Answer(body=b"x" * CAP))).status is ImageStatus.OK
    assert ask_one(server.answer("/y.png", Answer(body=b"x" * (CAP + 1)))).status is ImageStatus.TOO_LARGE


def test_a_gzipped_body_is_unpacked_and_a_bomb_is_too_large(server: ImageServer) -> None:
    packed = {"Content-Encoding": "gzip"}
    small, bomb = gzip.compress(b"picture" * 100), gzip.compress(bytes(CAP * 100))
    assert len(bomb) < CAP
    assert ask_one(server.answer("/x.png", Answer(body=small, headers=packed))).body == b"picture" * 100
    assert ask_one(server.answer("/y.png", Answer(body=bomb, headers=packed))).status is ImageStatus.TOO_LARGE
    got = ask_one(server.answer("/z.png", Answer(body=b"\x89PNG\r\n\x00", headers=packed)))
    assert got.status is ImageStatus.UNDECODABLE


def test_a_server_that_drips_bytes_is_cut_off_at_the_deadline(server: ImageServer) -> None:
    async def drip(request: web.BaseRequest) -> web.StreamResponse:
        reply = web.StreamResponse()
        await reply.prepare(request)
        for _ in range(1000):
            await reply.write(b"x")
            await asyncio.sleep(0.05)
        return reply

    server.handle("/x.png", drip)
    began = time.monotonic()
    assert ask_one(server.url("/x.png"), deadline_seconds=0.4).status is ImageStatus.TIMEOUT
    assert 0.4 <= time.monotonic() - began < 3


def test_redirects_and_retries_share_one_deadline(server: ImageServer) -> None:
    slowly = [Answer(302, headers={"Location": "/x.png"}, seconds=0.3), Answer(500, seconds=0.3)]
    url = server.answer("/x.png", *slowly * 5)
    assert ask_one(url, deadline_seconds=0.8, retries=9).status is ImageStatus.TIMEOUT
    assert len(server.asked) == 3


def test_a_server_that_takes_the_connection_and_never_answers_is_a_timeout(silent: str) -> None:
    began = time.monotonic()
    assert ask_one(silent, deadline_seconds=0.3, retries=3).status is ImageStatus.TIMEOUT
    assert time.monotonic() - began < 3


def test_a_refused_connection_a_wrong_name_and_a_server_without_tls_are_told_apart(
    server: ImageServer, dead: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_such_host(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    assert ask_one(dead).status is ImageStatus.CONNECTION_ERROR
    assert ask_one(server.url("/x.png").replace("http:", "https:")).status is ImageStatus.TLS_ERROR
    monkeypatch.setattr(socket, "getaddrinfo", no_such_host)
    assert ask_one("http://nowhere.example/x.png").status is ImageStatus.DNS_ERROR
