"""How often a host is asked, against a real server: retries, Retry-After, rates, concurrency, and hosts given up."""

import asyncio
import time
from email.utils import formatdate

import pytest
from aiohttp import web

from schemas.statuses import ImageStatus
from tests.image_server import Answer, ImageServer, a_dead_url, a_silent_url, serving
from tests.test_fetch_client import ask, ask_one

server, other = pytest.fixture(serving), pytest.fixture(serving)
dead, silent = pytest.fixture(a_dead_url), pytest.fixture(a_silent_url)


def test_a_server_error_is_asked_again_after_a_while(server: ImageServer) -> None:
    got = ask_one(server.answer("/x.png", Answer(500), Answer(500), Answer(body=b"at last")), retries=2)
    assert (got.status, got.body) == (ImageStatus.OK, b"at last")
    first, second = server.gaps()
    assert first > 0.2 and second > 0.45


def test_retries_end_and_what_cannot_change_is_not_asked_again(server: ImageServer) -> None:
    assert ask_one(server.answer("/x.png", Answer(500)), retries=1).status is ImageStatus.SERVER_ERROR
    assert ask_one(server.answer("/y.png", Answer(404)), retries=1).status is ImageStatus.NOT_FOUND
    assert server.paths() == ["/x.png", "/x.png", "/y.png"]


def test_a_body_that_breaks_off_is_asked_for_again(server: ImageServer) -> None:
    async def break_off(request: web.BaseRequest) -> web.StreamResponse:
        reply = web.StreamResponse(headers={"Content-Length": "1000"})
        await reply.prepare(request)
        await reply.write(b"x" * 10)
        assert request.transport is not None
        request.transport.close()
        return reply

    server.handle("/x.png", break_off)
    got = ask_one(server.url("/x.png"), retries=1)
    assert (got.status, got.body, len(server.asked)) == (ImageStatus.CONNECTION_ERROR, b"", 2)


def test_retry_after_is_honoured_in_seconds_and_as_a_date(server: ImageServer) -> None:
    now = time.time()
    in_seconds = {"Retry-After": "1"}
    as_date = {"Date": formatdate(now, usegmt=True), "Retry-After": formatdate(now + 1, usegmt=True)}
    answers = [Answer(429, headers=in_seconds), Answer(503, headers=as_date), Answer(body=b"now")]
    assert ask_one(server.answer("/x.png", *answers), retries=2).body == b"now"
    assert all(0.95 < gap < 2.5 for gap in server.gaps())


def test_a_retry_after_beyond_its_cap_ends_the_attempts(server: ImageServer) -> None:
    began = time.monotonic()
    got = ask_one(
        server.answer("/x.png", Answer(429, headers={"Retry-After": "3"})), retries=3, max_retry_after_seconds=2
    )
    assert (got.status, len(server.asked)) == (ImageStatus.RATE_LIMITED, 1)
    assert time.monotonic() - began < 2


def test_retry_after_holds_for_every_image_of_the_host(server: ImageServer) -> None:
    server.answer("/busy.png", Answer(503, headers={"Retry-After": "1"}), Answer(body=b"x"))
    server.answer("/next.png", Answer(body=b"x"))
    urls = [server.url("/busy.png"), server.url("/next.png")]
    got = ask(*urls, retries=1, per_host_concurrency=1)
    assert [response.status for response in got] == [ImageStatus.OK, ImageStatus.OK]
    assert server.gaps()[0] > 0.95


def test_retry_after_holds_also_for_a_request_that_already_waits_for_its_turn(server: ImageServer) -> None:
    server.answer("/busy.png", Answer(503, headers={"Retry-After": "1"}), Answer(body=b"x"))
    server.answer("/next.png", Answer(body=b"x"))
    ask(server.url("/busy.png"), server.url("/next.png"), retries=1, per_host_rate=4)
    assert server.gaps()[0] > 0.95


def test_retry_after_holds_after_the_last_attempt_at_an_image(server: ImageServer) -> None:
    server.answer("/busy.png", Answer(429, headers={"Retry-After": "1"}))
    server.answer("/next.png", Answer(body=b"x"))
    ask(server.url("/busy.png"), server.url("/next.png"), apart=0.3, retries=0)
    assert server.gaps()[0] > 0.95


def test_retry_after_behind_a_redirect_pauses_the_host_that_asked_for_it(
    server: ImageServer, other: ImageServer
) -> None:
    other.answer("/busy.png", Answer(503, headers={"Retry-After": "1"}), Answer(body=b"x"))
    ask(server.redirect("/hop.png", other.url("/busy.png")), other.url("/next.png"), apart=0.3, retries=1)
    assert other.gaps()[0] > 0.95


def test_a_host_that_cannot_be_reached_is_given_up(dead: str, server: ImageServer) -> None:
    good = server.answer("/x.png", Answer(body=b"x"))
    got = ask(*[dead] * 5, good, per_host_concurrency=1, host_failures=2)
    assert [response.status for response in got] == [
        *[ImageStatus.CONNECTION_ERROR] * 2, *[ImageStatus.HOST_UNREACHABLE] * 3, ImageStatus.OK,
    ]  # fmt: skip


def test_a_host_that_never_answers_is_given_up(silent: str) -> None:
    began = time.monotonic()
    got = ask(*[silent] * 20, host_failures=2, deadline_seconds=0.3, per_host_concurrency=2)
    assert [response.status for response in got].count(ImageStatus.TIMEOUT) <= 3
    assert time.monotonic() - began < 3


def test_a_host_that_never_answers_behind_redirects_is_given_up(server: ImageServer, silent: str) -> None:
    hop = server.redirect("/hop.png", silent)
    got = ask(*[hop] * 6, per_host_concurrency=1, host_failures=2, deadline_seconds=0.2)
    assert [response.status for response in got][2:] == [ImageStatus.HOST_UNREACHABLE] * 4


def test_a_host_that_answers_now_and_then_is_not_given_up(server: ImageServer) -> None:
    url = server.answer("/x.png", *[Answer(seconds=1), Answer(404)] * 3)
    got = ask(*[url] * 6, per_host_concurrency=1, host_failures=2, deadline_seconds=0.2)
    assert [response.status for response in got] == [ImageStatus.TIMEOUT, ImageStatus.NOT_FOUND] * 3


def test_requests_to_a_host_keep_its_rate(server: ImageServer) -> None:
    ask(*[server.answer("/x.png", Answer())] * 9, per_host_rate=20)
    assert sum(server.gaps()) > 8 / 20 - 0.02
    assert min(server.gaps()) > 0.5 / 20


def test_a_host_shared_by_three_workers_gets_a_third_of_its_rate_from_each(server: ImageServer) -> None:
    host = server.url().removeprefix("http://")
    ask(*[server.answer("/x.png", Answer())] * 4, per_host_rate=20, sharers={host: 3})
    assert sum(server.gaps()) > 3 * 3 / 20 - 0.02


def test_the_rate_holds_for_redirects_and_retries(server: ImageServer) -> None:
    server.answer("/x.png", Answer())
    ask(*[server.redirect("/hop.png", "/x.png")] * 3, per_host_rate=10)
    assert len(server.asked) == 6
    assert sum(server.gaps()) > 5 / 10 - 0.02


def test_the_rate_holds_after_all_places_were_taken_by_other_hosts(server: ImageServer, other: ImageServer) -> None:
    with ImageServer() as third:
        slow = [one.answer("/slow.png", Answer(seconds=0.8)) for one in (other, third)]
        ask(*slow, *[server.answer("/x.png", Answer())] * 2, concurrency=2, per_host_rate=5)
    assert server.gaps()[0] > 0.5 / 5


def test_a_host_is_asked_no_more_than_its_concurrency_at_a_time(server: ImageServer) -> None:
    ask(*[server.answer("/x.png", Answer(seconds=0.1))] * 8, per_host_concurrency=2)
    assert server.most_at_once == 2


def test_all_hosts_together_are_asked_no_more_than_the_concurrency_at_a_time() -> None:
    with ImageServer() as first, ImageServer() as second, ImageServer() as third:
        running = most = 0

        async def count(_: web.BaseRequest) -> web.Response:
            nonlocal running, most
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.1)
            running -= 1
            return web.Response()

        for one in (first, second, third):
            one.handle("/x.png", count)
        ask(*[one.url("/x.png") for one in (first, second, third)] * 3, concurrency=2, per_host_concurrency=3)
        assert most == 2


def test_waiting_for_a_turn_does_not_count_against_the_deadline(server: ImageServer) -> None:
    url = server.answer("/x.png", Answer(body=b"x", seconds=0.2))
    got = ask(*[url] * 5, deadline_seconds=0.6, per_host_concurrency=1)
    assert [response.status for response in got] == [ImageStatus.OK] * 5
    got = ask(*[url] * 3, deadline_seconds=0.6, per_host_rate=2, concurrency=1)
    assert [response.status for response in got] == [ImageStatus.OK] * 3


def test_waiting_to_ask_again_does_not_count_against_the_deadline(server: ImageServer) -> None:
    url = server.answer("/x.png", Answer(503, headers={"Retry-After": "1"}), Answer(body=b"x"))
    assert ask_one(url, deadline_seconds=0.5, retries=1).status is ImageStatus.OK
