"""How often and how many at a time a host is asked, and when it is given up. Time comes from the running event loop."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from schemas.recipe import FetchSettings


class HostGate:
    """One host's pace: requests are at least `interval` seconds apart and at most `concurrency` run at a time.

    `places` are those of all hosts together. A turn begins when there is a place, so that turns stay apart also where
    they had to wait for one.
    """

    def __init__(self, interval: float, concurrency: int, share: int, places: asyncio.Semaphore) -> None:
        self.interval = interval
        self.failures = 0
        self._share = share
        self._running = asyncio.Semaphore(concurrency)
        self._places = places
        self._order = asyncio.Lock()
        self._next = 0.0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[float]:
        """Wait for a turn; gives the seconds waited."""
        loop = asyncio.get_running_loop()
        asked = loop.time()
        async with self._running:
            async with self._order:
                await self._take_place()
            try:
                yield loop.time() - asked
            finally:
                self._places.release()

    async def _take_place(self) -> None:
        """Wait for the host's time and for a place, until both are there: a pause may be asked for meanwhile."""
        loop = asyncio.get_running_loop()
        while True:
            while (wait := self._next - loop.time()) > 0:
                await asyncio.sleep(wait)
            await self._places.acquire()
            if self._next <= loop.time():
                self._next = loop.time() + self.interval
                return
            self._places.release()

    def pause(self, seconds: float) -> None:
        """Ask nothing more of this host for a while."""
        self._next = max(self._next, asyncio.get_running_loop().time() + seconds)

    def slow_down(self, interval: float) -> None:
        """Keep at least this many seconds between requests, those of all workers together."""
        self.interval = max(self.interval, interval * self._share)


class Pacing:
    """The gates of all hosts. `sharers` says, for hosts that other workers ask too, how many there may be."""

    def __init__(self, settings: FetchSettings, sharers: Mapping[str, int]) -> None:
        self._settings, self._sharers = settings, sharers
        self._gates: dict[str, HostGate] = {}
        self._places = asyncio.Semaphore(settings.concurrency)

    def gate(self, host: str) -> HostGate:
        """The gate of a host."""
        if host not in self._gates:
            share = max(self._sharers.get(host, 1), 1)
            interval = share / self._settings.per_host_rate
            self._gates[host] = HostGate(interval, self._settings.per_host_concurrency, share, self._places)
        return self._gates[host]

    def is_given_up(self, host: str) -> bool:
        """Whether a host could not be reached so often in a row that it is not asked any more."""
        return self.gate(host).failures >= self._settings.host_failures
