"""Consent as the fetcher asks for it and records it: robots.txt, X-Robots-Tag, TDM reservation and block lists."""

import asyncio
import gzip
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from pipelines.fetch.client import Client
from pipelines.fetch.collect import Collected, Collector, Spool
from pipelines.fetch.consent import RobotsRules, is_blocked, of_image_response
from pipelines.fetch.pacing import Pacing
from pipelines.frame.http_message import HttpHead
from pipelines.frame.partitions import Partition
from pipelines.frame.storage import Workspace
from pipelines.frame.task import Assignment, Task
from schemas.recipe import ConsentSettings, FetchSettings, Recipe
from schemas.statuses import ImageStatus
from tests.image_server import Answer, ImageServer, a_dead_url, a_silent_url, picture, serving

server, other = pytest.fixture(serving), pytest.fixture(serving)
dead, silent = pytest.fixture(a_dead_url), pytest.fixture(a_silent_url)

PICTURE = picture()
OK, OPTED_OUT = ImageStatus.OK, ImageStatus.OPTED_OUT


def fetch_settings(consent: Mapping[str, Any] | None = None, **changes: Any) -> FetchSettings:
    quick = {"allow_private_addresses": True, "per_host_rate": 1000, "retries": 0, "deadline_seconds": 5}
    return FetchSettings(**{**quick, "consent": ConsentSettings(**(consent or {})), **changes})


def collect(folder: Path, *urls: str, **changes: Any) -> list[Collected]:
    """Collect URLs from the network as the fetch stage does; errors of ours fail the test."""
    recipe = Recipe(fetch=fetch_settings(**changes))
    task = Task("fetch", Assignment(Partition(0, "", 0, 0, 0, ""), ""), Workspace(str(folder)), recipe)
    with Spool() as spool:
        collector = Collector(task, spool, {})
        collector.collect(list(dict.fromkeys(urls)), {})
    return [collector.results[url] for url in urls]


def pictures(server: ImageServer, *paths: str, **headers: str) -> list[str]:
    """URLs at which the server has a picture; header names are given with underscores."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return [server.answer(path, Answer(body=PICTURE, headers=named)) for path in paths]


def robots(server: ImageServer, text: str) -> None:
    server.answer("/robots.txt", Answer(body=text.encode()))


def said(**headers: str) -> HttpHead:
    return HttpHead(200, {name.replace("_", "-"): [value] for name, value in headers.items()})


def test_robots_txt_decides_by_path_and_its_answer_is_recorded(server: ImageServer, tmp_path: Path) -> None:
    robots(server, "User-agent: *\nDisallow: /private/\nAllow: /private/shown/\nDisallow: /*.gif$\n")
    urls = pictures(server, "/a.png", "/private/b.png", "/private/shown/c.png", "/d.gif")
    got = collect(tmp_path, *urls)
    disallowed = ImageStatus.ROBOTS_DISALLOWED
    assert [one.status for one in got] == [OK, disallowed, OK, disallowed]
    assert [one.asked.robots_allowed for one in got] == [True, False, True, False]
    assert sorted(server.paths()) == ["/a.png", "/private/shown/c.png", "/robots.txt"]


@pytest.mark.parametrize(
    ("rules", "status"),
    [
        ("User-agent: *\nDisallow: /\n", ImageStatus.ROBOTS_DISALLOWED),
        ("User-agent: curate\nDisallow: /\n", ImageStatus.ROBOTS_DISALLOWED),
        ("User-agent: Curate\nUser-agent: b\nDisallow: /\n", ImageStatus.ROBOTS_DISALLOWED),
        ("User-agent: *\nDisallow: /\n\nUser-agent: curate\nDisallow:\n", OK),
        ("User-agent: otherbot\nDisallow: /\n", OK),
        ("\ufeffUser-agent: *\r\nDisallow: /\r\n", ImageStatus.ROBOTS_DISALLOWED),
        ("", OK),
        ("<html>Not a robots.txt</html>", OK),
    ],
)
def test_robots_txt_speaks_to_everybody_or_to_us_by_name(
    server: ImageServer, tmp_path: Path, rules: str, status: ImageStatus
) -> None:
    robots(server, rules)
    assert collect(tmp_path, *pictures(server, "/a.png"))[0].status is status


def test_robots_txt_speaks_to_the_name_that_the_recipe_gives(server: ImageServer, tmp_path: Path) -> None:
    robots(server, "User-agent: gardenbot\nDisallow: /\n")
    got = collect(tmp_path, *pictures(server, "/a.png"), robots_token="gardenbot")
    assert got[0].status is ImageStatus.ROBOTS_DISALLOWED


@pytest.mark.parametrize("http_status", [401, 403, 404, 410])
def test_an_origin_without_a_robots_txt_allows_everything(
    server: ImageServer, tmp_path: Path, http_status: int
) -> None:
    server.answer("/robots.txt", Answer(http_status, b"User-agent: *\nDisallow: /"))
    got = collect(tmp_path, *pictures(server, "/a.png"))[0]
    assert (got.status, got.asked.robots_allowed) == (OK, True)


@pytest.mark.parametrize("http_status", [429, 500, 503])
def test_a_robots_txt_that_fails_allows_nothing(server: ImageServer, tmp_path: Path, http_status: int) -> None:
    server.answer("/robots.txt", Answer(http_status))
    got = collect(tmp_path, *pictures(server, "/a.png", "/b.png"))
    assert [one.status for one in got] == [ImageStatus.ROBOTS_UNREACHABLE] * 2
    assert (got[0].asked.robots_allowed, server.paths()) == (None, ["/robots.txt"])


def test_a_host_that_cannot_be_reached_for_its_robots_txt_is_not_asked_for_images(
    dead: str, silent: str, tmp_path: Path
) -> None:
    urls = [f"{url}?{number}" for url in (dead, silent) for number in range(20)]
    began = time.monotonic()
    got = collect(tmp_path, *urls, deadline_seconds=0.3)
    assert [one.status for one in got] == [*[ImageStatus.CONNECTION_ERROR] * 20, *[ImageStatus.TIMEOUT] * 20]
    assert time.monotonic() - began < 3


def test_a_huge_or_exploding_robots_txt_is_bounded_and_allows_nothing(
    server: ImageServer, other: ImageServer, tmp_path: Path
) -> None:
    async def endless(request: web.BaseRequest) -> web.StreamResponse:
        reply = web.StreamResponse()
        await reply.prepare(request)
        while True:
            await reply.write(b"Allow: /\n" * 1000)

    server.handle("/robots.txt", endless)
    bomb = gzip.compress(b"Allow: /\n" * 5_000_000)
    other.answer("/robots.txt", Answer(body=bomb, headers={"Content-Encoding": "gzip"}))
    began = time.monotonic()
    got = collect(tmp_path, *pictures(server, "/a.png"), *pictures(other, "/a.png"))
    assert [one.status for one in got] == [ImageStatus.ROBOTS_UNREACHABLE] * 2
    assert time.monotonic() - began < 3


def test_a_robots_txt_made_to_be_slow_is_read_and_asked_in_time(server: ImageServer, tmp_path: Path) -> None:
    robots(server, "User-agent: *\n" + "Disallow: /" + "*a" * 50_000 + "*b$\n" + "Disallow: /*a*a*a*a*b$\n" * 10_000)
    began = time.monotonic()
    assert collect(tmp_path, *pictures(server, "/" + "a" * 2_000))[0].status is OK
    assert time.monotonic() - began < 3


def test_a_robots_txt_behind_a_redirect_counts(server: ImageServer, other: ImageServer, tmp_path: Path) -> None:
    robots(other, "User-agent: *\nDisallow: /\n")
    server.redirect("/robots.txt", other.url("/robots.txt"))
    assert collect(tmp_path, *pictures(server, "/a.png"))[0].status is ImageStatus.ROBOTS_DISALLOWED


def test_robots_txt_is_asked_for_once_at_each_origin(server: ImageServer, other: ImageServer, tmp_path: Path) -> None:
    paths = [f"/{number}.png" for number in range(12)]
    got = collect(tmp_path, *pictures(server, *paths), *pictures(other, *paths))
    assert [one.status for one in got] == [OK] * 24
    for one in (server, other):
        assert one.paths()[0] == "/robots.txt"
        assert sorted(one.paths()[1:]) == sorted(paths)


def test_a_crawl_delay_is_kept_up_to_its_cap(server: ImageServer, other: ImageServer, tmp_path: Path) -> None:
    robots(server, "User-agent: *\nCrawl-delay: 0.3\n")
    robots(other, "User-agent: *\nCrawl-delay: 86400\n")
    paths = [f"/{number}.png" for number in range(3)]
    collect(tmp_path, *pictures(server, *paths), *pictures(other, *paths), max_crawl_delay_seconds=0.5)
    assert sum(server.gaps(but=["/robots.txt"])) > 2 * 0.3 - 0.02
    assert 2 * 0.5 - 0.02 < sum(other.gaps(but=["/robots.txt"])) < 4


def test_a_crawl_delay_is_shared_out_among_the_workers_that_ask_a_host(server: ImageServer) -> None:
    settings, host = fetch_settings(), server.url().removeprefix("http://")
    robots(server, "User-agent: *\nCrawl-delay: 1.5\n")
    pacing = Pacing(settings, {host: 2})

    async def check() -> None:
        async with Client(settings, pacing) as client:
            await RobotsRules(client, pacing, settings).check(server.url("/a.png"))

    asyncio.run(check())
    assert pacing.gate(host).interval == pytest.approx(2 * 1.5)


def test_robots_txt_is_not_asked_for_where_the_recipe_says_so(server: ImageServer, tmp_path: Path) -> None:
    robots(server, "User-agent: *\nDisallow: /\n")
    got = collect(tmp_path, *pictures(server, "/a.png"), consent={"robots_txt": False})[0]
    assert (got.status, got.asked.robots_allowed, server.paths()) == (OK, None, ["/a.png"])


def test_robots_txt_holds_for_where_a_redirect_leads(server: ImageServer, other: ImageServer, tmp_path: Path) -> None:
    robots(other, "User-agent: *\nDisallow: /\n")
    hop = server.redirect("/hop.png", *pictures(other, "/a.png"))
    assert collect(tmp_path, hop)[0].status is ImageStatus.ROBOTS_DISALLOWED
    assert "/a.png" not in other.paths()


def test_a_block_list_holds_for_where_a_redirect_leads(server: ImageServer, tmp_path: Path) -> None:
    target = pictures(server, "/a.png")[0].replace("127.0.0.1", "localhost")
    got = collect(tmp_path, server.redirect("/hop.png", target), consent={"block_hosts": ("localhost",)})[0]
    assert got.status is ImageStatus.BLOCKED_HOST
    assert "/a.png" not in server.paths()


@pytest.mark.parametrize(
    ("tag", "status", "directives"),
    [
        ("noai", OPTED_OUT, ["noai"]),
        ("noindex, NoImageAI", OPTED_OUT, ["noimageai", "noindex"]),
        ("curate: noai", OPTED_OUT, ["noai"]),
        ("Curate: noindex, noimageai", OPTED_OUT, ["noimageai", "noindex"]),
        ("otherbot: noai", OK, []),
        ("unavailable_after: 25 Jun 2030 15:00:00 GMT, noai", OPTED_OUT, None),
        ("unavailable_after: Sunday, 25-Jun-30 15:00:00 GMT, noai", OPTED_OUT, None),
        ("max-image-preview: large, noimageai", OPTED_OUT, None),
        ("noindex, nofollow", OK, ["nofollow", "noindex"]),
        ("noai-please", OK, ["noai-please"]),
        ("", OK, []),
    ],
)
def test_an_x_robots_tag_refuses_where_it_speaks_to_everybody_or_to_us(
    server: ImageServer, tmp_path: Path, tag: str, status: ImageStatus, directives: list[str] | None
) -> None:
    got = collect(tmp_path, *pictures(server, "/a.png", X_Robots_Tag=tag))[0]
    assert got.status is status
    assert directives is None or got.said.directives == directives


@pytest.mark.parametrize("tag", ["noindex, curate: noai", "otherbot: noindex, curate: noai"])
def test_headers_that_a_proxy_joined_by_commas_still_speak_to_us(tag: str) -> None:
    """RFC 9110, section 5.3: several X-Robots-Tag lines may be sent on as one."""
    assert of_image_response(said(x_robots_tag=tag), fetch_settings()).refusal is OPTED_OUT


def test_several_x_robots_tags_are_all_read() -> None:
    head = HttpHead(200, {"x-robots-tag": ["otherbot: nofollow", "noimageai", "noindex"]})
    got = of_image_response(head, fetch_settings())
    assert (got.refusal, got.directives) == (OPTED_OUT, ["noimageai", "noindex"])


def test_an_x_robots_tag_speaks_to_the_name_that_the_recipe_gives() -> None:
    settings = fetch_settings(robots_token="gardenbot")
    assert of_image_response(said(x_robots_tag="gardenbot: noai"), settings).refusal is OPTED_OUT


def test_an_image_that_opts_out_is_not_read(server: ImageServer, tmp_path: Path) -> None:
    async def opt_out_and_hang(request: web.BaseRequest) -> web.StreamResponse:
        reply = web.StreamResponse(headers={"X-Robots-Tag": "noai"})
        await reply.prepare(request)
        await asyncio.sleep(60)
        return reply

    server.handle("/a.png", opt_out_and_hang)
    got = collect(tmp_path, server.url("/a.png"))[0]
    assert (got.status, got.place, got.response.http_status) == (OPTED_OUT, None, 200)


@pytest.mark.parametrize(("directives", "status"), [((), OK), (("noindex",), OK), (("noai",), OPTED_OUT)])
def test_the_recipe_says_which_directives_count_and_all_of_them_are_recorded(
    server: ImageServer, tmp_path: Path, directives: tuple[str, ...], status: ImageStatus
) -> None:
    urls = pictures(server, "/a.png", X_Robots_Tag="noai, nofollow")
    got = collect(tmp_path, *urls, consent={"directives": directives})[0]
    assert (got.status, got.said.directives) == (status, ["noai", "nofollow"])


@pytest.mark.parametrize(
    ("value", "honoured", "refusal", "recorded"),
    [
        ("1", True, ImageStatus.TDM_RESERVED, True), (" 1 ", True, ImageStatus.TDM_RESERVED, True),
        ("1", False, None, True), ("0", True, None, False), ("", True, None, None), ("yes", True, None, None),
    ],
)  # fmt: skip
def test_a_tdm_reservation_refuses_unless_the_recipe_ignores_it_and_is_recorded(
    value: str, honoured: bool, refusal: ImageStatus | None, recorded: bool | None
) -> None:
    settings = fetch_settings(consent={"tdm_reservation": honoured})
    got = of_image_response(said(tdm_reservation=value), settings)
    assert (got.refusal, got.tdm_reserved, got.directives) == (refusal, recorded, [])


def test_a_blocked_host_and_its_subdomains_are_not_asked(server: ImageServer, tmp_path: Path) -> None:
    urls = [*pictures(server, "/a.png"), "http://blocked.example/b.png", "https://a.b.blocked.example:8443/c.png"]
    got = collect(tmp_path, *urls, consent={"block_hosts": ("blocked.example", "127.0.0.1")})
    assert [one.status for one in got] == [ImageStatus.BLOCKED_HOST] * 3
    assert server.paths() == []


@pytest.mark.parametrize(
    ("blocked", "url", "expected"),
    [
        ("blocked.example", "http://notblocked.example/", False),
        ("blocked.example", "http://blocked.example.org/", False),
        ("a.blocked.example", "http://blocked.example/", False),
        ("blocked.example", "http://user@blocked.example:80/", True),
        ("Blocked.Example", "http://blocked.example/", True),
        ("blocked.example", "http://blocked.example./", True),
        ("bücher.example", "http://xn--bcher-kva.example/", True),
        ("xn--bcher-kva.example", "http://xn--bcher-kva.example/", True),
    ],
)
def test_a_block_list_means_hosts_however_they_are_written(blocked: str, url: str, expected: bool) -> None:
    assert is_blocked(url, fetch_settings(consent={"block_hosts": (blocked,)})) is expected
