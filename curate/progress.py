"""A bar for a running stage, read from the ledger: it works the same for every engine."""

import sys
import threading
import time
from types import TracebackType
from typing import Self

from tqdm import tqdm

from pipelines.frame import ledger
from pipelines.frame.run import StagePlan
from pipelines.frame.storage import Workspace
from pipelines.frame.stores.errors import StoreFailed

_SECONDS = 0.5
_SECONDS_NO_TERMINAL = 15.0
# A ledger in a store is a request for every thousand partitions: looking takes a fiftieth of the time at most.
_PAUSES = 50


class Progress:
    """Shows bytes of partitions done, rate and time left, from a thread of its own while the block runs."""

    def __init__(self, plan: StagePlan, workspace: Workspace) -> None:
        self._stage, self._workspace = plan.stage.name, workspace
        self._sizes = {a.partition.partition: max(a.partition.bytes, 1) for a in plan.todo}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._bar = tqdm(
            total=sum(self._sizes.values()),
            desc=f"{self._stage:8}",
            unit="B",
            unit_scale=True,
            dynamic_ncols=True,
            leave=False,
            disable=None,  # no bar where standard error is no terminal
        )
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        self._bar.close()

    def _watch(self) -> None:
        shortest = pause = _SECONDS if sys.stderr.isatty() else _SECONDS_NO_TERMINAL
        while not self._stop.wait(pause):
            began = time.monotonic()
            try:
                done = self._sizes.keys() & set(ledger.partitions_in(self._workspace, self._stage))
            except StoreFailed:
                continue  # the next time will do
            pause = max(shortest, _PAUSES * (time.monotonic() - began))
            self._bar.n = sum(self._sizes[number] for number in done)
            self._bar.set_postfix_str(f"{len(done)}/{len(self._sizes)} partitions", refresh=False)
            self._bar.refresh()
            if not sys.stderr.isatty():
                print(f"{self._stage}: {len(done)}/{len(self._sizes)} partitions", file=sys.stderr, flush=True)
