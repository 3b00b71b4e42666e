"""A proxy before an S3 server that counts requests and bytes, and answers as a store does on a bad day.

python -m tests.fault_proxy --target http://127.0.0.1:5000 --port 5001 --log requests.jsonl --slow-down 10
"""

import argparse
import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import aiohttp
from aiohttp import web
from yarl import URL

_ANSWERS = {"slow_down": (503, "SlowDown"), "no_condition": (501, "NotImplemented")}
_FAULTS = {
    "slow-down": "503", "reset": "a closed connection", "broken-body": "half a body", "no-condition": "501"
}  # fmt: skip
_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"})


@dataclass
class Faults:
    """Of how many requests one goes wrong, 0 for none: by 503, by a closed connection, by an answer that breaks off;
    of those with a condition, by 501.
    """

    slow_down: int = 0
    reset: int = 0
    broken_body: int = 0
    no_condition: int = 0


class Proxy:
    """Hands requests on, or not, and writes a line about each."""

    def __init__(self, target: str, log: TextIO, faults: Faults) -> None:
        self._target, self._log, self._faults = target, log, faults
        self._seen = 0

    async def session(self, app: web.Application) -> AsyncIterator[None]:
        """One client for the proxy's life; bodies go through as they are."""
        unbounded = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(auto_decompress=False, connector=unbounded) as self._client:
            yield

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One request."""
        began, body = time.monotonic(), await request.read()
        self._seen += 1
        fault = self._fault(request)
        if fault in _ANSWERS:
            status, code = _ANSWERS[fault]
            self._note(request, body, status, 0, began, fault)
            text = f"<Error><Code>{code}</Code><Message>{code}, said the proxy</Message></Error>"
            return web.Response(status=status, text=text, content_type="application/xml")
        if fault == "reset":
            self._note(request, body, 0, 0, began, fault)
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP}
        url = URL(f"{self._target}{request.raw_path}", encoded=True)
        async with self._client.request(
            request.method, url, headers=headers, data=body or None, allow_redirects=False
        ) as answer:
            content = await answer.read()
            kept = {name: value for name, value in answer.headers.items() if name.lower() not in _HOP}
            if request.method == "HEAD":
                kept["Content-Length"] = answer.headers.get("Content-Length", "0")
            self._note(request, body, answer.status, len(content), began, fault)
            if fault == "broken_body" and len(content) > 1:
                return await self._break_off(request, answer.status, kept, content)
            return web.Response(status=answer.status, headers=kept, body=content if request.method != "HEAD" else None)

    def _fault(self, request: web.Request) -> str | None:
        apply = {"broken_body": request.method == "GET", "no_condition": "If-None-Match" in request.headers}
        for name, every in vars(self._faults).items():
            if every and self._seen % every == 0 and apply.get(name, True):
                return str(name)
        return None

    async def _break_off(
        self, request: web.Request, status: int, headers: dict[str, str], content: bytes
    ) -> web.StreamResponse:
        response = web.StreamResponse(status=status, headers=headers | {"Content-Length": str(len(content))})
        await response.prepare(request)
        await response.write(content[: len(content) // 2])
        await asyncio.sleep(0.02)
        assert request.transport is not None
        request.transport.abort()
        return response

    def _note(
        self, request: web.Request, body: bytes, status: int, answered: int, began: float, fault: str | None
    ) -> None:
        line = {
            "kind": kind_of(request), "path": request.path, "prefix": request.query.get("prefix"), "status": status,
            "sent": len(body), "received": answered, "range": request.headers.get("Range"), "fault": fault,
            "ms": round((time.monotonic() - began) * 1000),
        }  # fmt: skip
        self._log.write(json.dumps(line) + "\n")
        self._log.flush()


def kind_of(request: web.Request) -> str:
    """GET, HEAD, LIST, PUT (and the parts of a multipart upload), DELETE: as stores charge for them."""
    query = request.query
    if request.method == "GET" and (query.keys() & {"list-type", "uploads", "delimiter"}):
        return "LIST"
    if request.method == "POST":
        return "DELETE" if "delete" in query else "PUT"
    return request.method


def main() -> None:
    """Serve until ended."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--target", required=True, help="the server behind the proxy")
    parser.add_argument("--port", type=int, required=True, help="where to listen on 127.0.0.1")
    parser.add_argument("--log", type=Path, required=True, help="one JSON object a request is appended here")
    for name, what in _FAULTS.items():
        parser.add_argument(f"--{name}", type=int, default=0, help=f"answer every so many requests by {what}")
    options = parser.parse_args()
    with options.log.open("a") as log:
        faults = Faults(options.slow_down, options.reset, options.broken_body, options.no_condition)
        proxy = Proxy(options.target, log, faults)
        app = web.Application(client_max_size=1 << 32)
        app.router.add_route("*", "/{tail:.*}", proxy.handle)
        app.cleanup_ctx.append(proxy.session)
        web.run_app(app, host="127.0.0.1", port=options.port, print=None, access_log=None)


if __name__ == "__main__":
    main()
