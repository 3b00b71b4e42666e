"""A web server on 127.0.0.1 for tests: it answers as told, in a thread of its own, and remembers what it was asked."""

import asyncio
import io
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Self

from aiohttp import web
from PIL import Image, ImageDraw

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Answer:
    """What the server says to one request, after `seconds`."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0


@dataclass(frozen=True)
class Asked:
    """One request as it came in, with the time by the monotonic clock."""

    path: str
    at: float
    headers: Mapping[str, str]


class ImageServer:
    """Serves until the `with` block ends; what it was not told of is a 404."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.most_at_once = 0
        self.port = 0
        self._handlers: dict[str, Handler] = {}
        self._running = 0
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10), "the test server did not start"
        return self

    def __exit__(self, *exception: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    def handle(self, path: str, handler: Handler) -> None:
        """Let a coroutine answer a path."""
        self._handlers[path] = handler

    def answer(self, path: str, *answers: Answer) -> str:
        """Answer a path by these, one after the other, the last of them for ever; gives the path's URL."""
        left = list(answers)

        async def next_answer(_: web.BaseRequest) -> web.Response:
            said = left.pop(0) if len(left) > 1 else left[0]
            await asyncio.sleep(said.seconds)
            return web.Response(status=said.status, body=said.body, headers=said.headers)

        self.handle(path, next_answer)
        return self.url(path)

    def redirect(self, path: str, target: str) -> str:
        """Send whoever asks for a path somewhere else; gives the path's URL."""
        return self.answer(path, Answer(302, headers={"Location": target} if target else {}))

    def url(self, path: str = "") -> str:
        """The URL of a path."""
        return f"http://127.0.0.1:{self.port}{path}"

    def paths(self) -> list[str]:
        """What was asked for, in order."""
        return [asked.path for asked in self.asked]

    def gaps(self, *, but: Sequence[str] = ()) -> list[float]:
        """Seconds between requests one after the other, leaving out some paths."""
        times = [asked.at for asked in self.asked if asked.path not in but]
        return [after - before for before, after in pairwise(times)]

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        runner = web.ServerRunner(web.Server(self._answer, handler_cancellation=True), shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.port = runner.addresses[0][1]
        self._ready.set()
        await self._stop.wait()
        await runner.cleanup()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        self.asked.append(Asked(request.path_qs, time.monotonic(), request.headers.copy()))
        self._running += 1
        self.most_at_once = max(self.most_at_once, self._running)
        try:
            handler = self._handlers.get(request.path)
            return await handler(request) if handler else web.Response(status=404)
        finally:
            self._running -= 1


def serving() -> Iterator[ImageServer]:
    """A server for as long as a fixture lives; a test module makes it one: `server = pytest.fixture(serving)`."""
    with ImageServer() as running:
        yield running


def a_dead_url() -> Iterator[str]:
    """A fixture's URL on a port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    yield f"http://127.0.0.1:{port}/x.png"


def a_silent_url() -> Iterator[str]:
    """A fixture's URL on a port where connections are taken and nothing is ever said."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/x.png"


def picture(kind: str = "PNG", size: tuple[int, int] = (64, 48), seed: int = 0, **options: object) -> bytes:
    """A picture file: a gradient with a disc on it, placed by the seed."""
    width, height = size
    image = Image.linear_gradient("L").resize(size).convert("RGB")
    draw = ImageDraw.Draw(image)
    left, top, reach = (seed * 37) % width, (seed * 23) % height, min(size) // 2
    draw.ellipse((left, top, left + reach, top + reach), fill=(200, 40 + seed % 200, 40))
    draw.rectangle((0, 0, width // 5, height // 3), fill=(20, 90, 200))
    target = io.BytesIO()
    image.save(target, kind, **options)
    return target.getvalue()
