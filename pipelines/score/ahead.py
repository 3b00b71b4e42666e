"""Work that threads do ahead of the one that takes its results, in order and in bounded number."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")


def ahead(do: Callable[[A], B], items: Iterable[A], threads: int, pending: int) -> Iterator[B]:
    """`do` of each item in the items' order; at most `pending` results wait to be taken.

    Items are taken from their iterator by the caller's thread.
    """
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[B]] = deque()
        try:
            for item in items:
                waiting.append(pool.submit(do, item))
                if len(waiting) > pending:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
