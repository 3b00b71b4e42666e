"""How often and how many at a time a host is asked, and when it is given up. Time comes from the running event loop."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from schemas.recipe import FetchSettings


class HostGate:
    """One host's pace: requests are at least `interval` seconds apart and at most `concurrency` run at a time."""

    def __init__(self, interval: float, concurrency: int) -> None:
        self.interval = interval
        self.failures = 0
        self._running = asyncio.Semaphore(concurrency)
        self._next = 0.0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[float]:
        """Wait for a turn; gives the seconds waited."""
        loop = asyncio.get_running_loop()
        asked = loop.time()
        async with self._running:
            now = loop.time()
            at = max(now, self._next)
            self._next = at + self.interval
            if at > now:
                await asyncio.sleep(at - now)
            yield loop.time() - asked

    def pause(self, seconds: float) -> None:
        """Ask nothing more of this host for a while."""
        self._next = max(self._next, asyncio.get_running_loop().time() + seconds)

    def slow_down(self, interval: float) -> None:
        """Keep at least this many seconds between requests."""
        self.interval = max(self.interval, interval)


class Pacing:
    """The gates of all hosts. `sharers` says, for hosts that other workers ask too, how many there may be."""

    def __init__(self, settings: FetchSettings, sharers: Mapping[str, int]) -> None:
        self._settings, self._sharers = settings, sharers
        self._gates: dict[str, HostGate] = {}
        self.attempts: defaultdict[str, int] = defaultdict(int)

    def gate(self, host: str) -> HostGate:
        """The gate of a host."""
        if host not in self._gates:
            share = max(self._sharers.get(host, 1), 1)
            self._gates[host] = HostGate(share / self._settings.per_host_rate, self._settings.per_host_concurrency)
        return self._gates[host]

    def is_given_up(self, host: str) -> bool:
        """Whether a host could not be reached so often in a row that it is not asked any more."""
        return self.gate(host).failures >= self._settings.host_failures
