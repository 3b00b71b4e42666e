"""Worker processes of this machine: each takes the next piece of work when it is free, and one that dies is replaced.

They are forked from a server that has imported what the work needs (`fork_server`), so that a worker costs a hundredth
of a second instead of the seconds that its imports take; from there, and not from the driver, since that has threads.
"""

import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from pipelines.frame.engine import EngineFailed
from pipelines.frame.memory import keep_small

_TRIES = 3
_work: Callable[[Any], Any]


def pulled(do: Callable[[Any], Any], items: Sequence[Any], workers: int) -> Iterator[Any]:
    """`do(item)` of every item, computed by so many processes; results in the order in which they come.

    When a process dies the items that were not done are begun again; the last try is by one process alone, which
    leaves it the most memory.

    Raises:
        EngineFailed: processes died three times without any item being done in between.
    """
    left = dict(enumerate(items))
    failures = 0
    while left:
        before = len(left)
        alone = failures == _TRIES - 1
        for number, result in _until_one_dies(do, left, 1 if alone else min(workers, len(left))):
            del left[number]
            yield result
        failures = 0 if len(left) < before else failures + 1
        if failures == _TRIES:
            raise EngineFailed(
                "a worker process was killed, and again each time the work was begun anew; if memory ran out, use "
                "fewer --workers or a smaller input.split_bytes"
            )


def _until_one_dies(do: Callable[[Any], Any], items: dict[int, Any], workers: int) -> Iterator[tuple[int, Any]]:
    others = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("forkserver"), _begin, (do,))
    try:
        futures: dict[Future[Any], int] = {pool.submit(_do, item): number for number, item in items.items()}
        for future in as_completed(futures):
            if not isinstance(future.exception(), BrokenProcessPool):
                yield futures[future], future.result()
    except BrokenProcessPool:  # before all was submitted
        pass
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        for process in set(multiprocessing.active_children()) - others:
            process.kill()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(do: Callable[[Any], Any]) -> None:
    """Once in each worker. The driver decides what an interrupt means, and its end is the end of its workers."""
    global _work  # noqa: PLW0603 - what ProcessPoolExecutor offers to give something to a worker once
    _work = do
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_driver, daemon=True).start()
    logging.disable(logging.WARNING)
    keep_small()


def _end_with_driver() -> None:
    driver = multiprocessing.parent_process()
    assert driver is not None
    driver.join()
    os.kill(os.getpid(), signal.SIGKILL)


def _do(item: Any) -> Any:
    return _work(item)
