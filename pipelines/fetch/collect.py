"""Collects a partition's images, from the WARC where it holds them and else from the network, onto a spool on disk.

Results come in any order; the stage writes them in the order of their keys, so that equal inputs give equal files.
"""

import asyncio
import hashlib
import os
import tempfile
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import groupby
from operator import itemgetter
from types import TracebackType
from typing import Self

from filters.image_header import ImageFacts, Unusable, inspect
from filters.urls import host_of
from pipelines.fetch import consent
from pipelines.fetch.client import Client, Response, decoded
from pipelines.fetch.consent import Consent, ResponseConsent, RobotsRules
from pipelines.fetch.pacing import Pacing
from pipelines.fetch.resize import resize
from pipelines.frame.stores import scratch
from pipelines.frame.task import Task
from pipelines.frame.warc import Archive
from schemas.recipe import FetchSettings
from schemas.statuses import ImageStatus


@dataclass(frozen=True)
class Collected:
    """What became of one URL. `place` is where its bytes lie on the spool, as offset and length."""

    status: ImageStatus
    source: str | None = None
    message: str | None = None
    response: Response = field(default_factory=lambda: Response(ImageStatus.OK))
    asked: Consent = field(default_factory=Consent)
    said: ResponseConsent = field(default_factory=lambda: ResponseConsent(None))
    facts: ImageFacts | None = None
    size: tuple[int, int] | None = None
    extension: str | None = None
    sha256: str | None = None
    place: tuple[int, int] | None = None


@dataclass(frozen=True)
class WarcImage:
    """Where a WARC holds an image."""

    path: str
    offset: int
    url: str


class Spool:
    """Bytes of images on local disk until they are written in order."""

    def __enter__(self) -> Self:
        self._file = tempfile.TemporaryFile(dir=scratch.folder())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def append(self, content: bytes) -> tuple[int, int]:
        """Store bytes; where they lie."""
        offset = self._file.seek(0, os.SEEK_END)
        self._file.write(content)
        return offset, len(content)

    def read(self, place: tuple[int, int]) -> bytes:
        """Stored bytes."""
        self._file.seek(place[0])
        return self._file.read(place[1])


class Collector:
    """Collects URLs. Bodies are inspected and stored one at a time, so that memory holds few decoded images."""

    def __init__(self, task: Task, spool: Spool, sharers: Mapping[str, int]) -> None:
        self._task, self._spool = task, spool
        self._settings: FetchSettings = task.recipe.fetch
        self._pacing = Pacing(self._settings, sharers)
        self.results: dict[str, Collected] = {}

    def collect(self, urls: Sequence[str], in_warc: Mapping[str, WarcImage]) -> None:
        """Fill `results` for every URL, but for those that raised an error."""
        held = sorted((in_warc[url].path, in_warc[url].offset, url) for url in urls if url in in_warc)
        for path, of_file in groupby(held, key=itemgetter(0)):
            with Archive(path, self._task.partition.file_bytes) as archive:
                for _, _, url in of_file:
                    with self._task.guard("images", url):
                        self.results[url] = self._from_warc(archive, url, in_warc[url])
        missing = [url for url in urls if url not in in_warc]
        if self._settings.enabled:
            asyncio.run(self._from_network(missing))
        else:
            self.results.update({url: Collected(ImageStatus.NOT_REQUESTED) for url in missing})

    def _from_warc(self, archive: Archive, url: str, image: WarcImage) -> Collected:
        if consent.is_blocked(url, self._settings):
            return Collected(ImageStatus.BLOCKED_HOST)
        record = archive.record_at(image.offset, image.url, self._settings.max_bytes)
        if record is None or record.head is None or record.truncated:
            return Collected(ImageStatus.UNDECODABLE, "warc", "its record cannot be read")
        answer = Response(ImageStatus.OK, http_status=record.head.status, head=record.head)
        said = consent.of_image_response(record.head, self._settings)
        if said.refusal is None:
            answer = decoded(answer, record.payload, self._settings.max_bytes)
        return self._store(Collected(said.refusal or answer.status, "warc", answer.message, answer, said=said))

    async def _from_network(self, urls: Sequence[str]) -> None:
        by_host: defaultdict[str, deque[str]] = defaultdict(deque)
        for url in urls:
            by_host[host_of(url)].append(url)
        with ThreadPoolExecutor(1) as storing:
            async with Client(self._settings, self._pacing) as client, asyncio.TaskGroup() as group:
                robots = RobotsRules(client, self._pacing, self._settings)
                for queue in by_host.values():
                    for _ in range(min(self._settings.per_host_concurrency, len(queue))):
                        group.create_task(self._work_off(queue, client, robots, storing))

    async def _work_off(
        self, queue: deque[str], client: Client, robots: RobotsRules, storing: ThreadPoolExecutor
    ) -> None:
        loop = asyncio.get_running_loop()
        while queue:
            url = queue.popleft()
            with self._task.guard("images", url):
                got = await self._ask(url, client, robots)
                self.results[url] = await loop.run_in_executor(storing, self._store, got)

    async def _ask(self, url: str, client: Client, robots: RobotsRules) -> Collected:
        """Block list, robots.txt, request."""
        settings = self._settings
        if consent.is_blocked(url, settings):
            return Collected(ImageStatus.BLOCKED_HOST)
        asked = await robots.check(url)
        if asked.refusal is not None:
            return Collected(asked.refusal, "network", asked.message, asked=asked)

        async def hop(target: str) -> ImageStatus | None:
            if consent.is_blocked(target, settings):
                return ImageStatus.BLOCKED_HOST
            return (await robots.check(target)).refusal

        response = await client.get(
            url, settings.max_bytes, lambda head: consent.of_image_response(head, settings).refusal, hop
        )
        said = consent.of_image_response(response.head, settings)
        return Collected(response.status, "network", response.message, response, asked, said)

    def _store(self, got: Collected) -> Collected:
        """Inspect what came, and keep it on the spool if it is an image."""
        body, got = got.response.body, replace(got, response=replace(got.response, body=b""))
        if got.status is not ImageStatus.OK:
            return got
        facts = inspect(body, self._settings.max_pixels)
        made = facts if isinstance(facts, Unusable) else resize(body, facts, self._settings.resize)
        if isinstance(made, Unusable) or isinstance(facts, Unusable):
            assert isinstance(made, Unusable)
            return replace(got, status=made.status, message=made.message)
        return replace(
            got,
            facts=facts,
            size=(made.width, made.height),
            extension=made.extension,
            sha256=hashlib.sha256(made.content).hexdigest(),
            place=self._spool.append(made.content),
        )
