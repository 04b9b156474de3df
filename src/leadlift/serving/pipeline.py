"""Work on the items of a stream by several threads, results in order, few of them in memory."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Item = TypeVar("Item")
Result = TypeVar("Result")

# Items that wait beside those being worked on, so that no thread does.
WAITING = 2


def in_order(work: Callable[[Item], Result], items: Iterable[Item], threads: int = 1) -> Iterator[Result]:
    """Yield the result of each item, in the order of the items.

    The items are taken by the caller's thread, no further ahead than there are threads to work on them: a
    slow consumer holds up the reader (back-pressure). The first error of any stage ends the stream: nothing
    more is taken or begun, and the error reaches the caller.

    Parameters
    ----------
    work : callable
        Called in several threads at once.
    items : iterable
    threads : int, default=1
        At least 1; one works in the caller's thread.

    Yields
    ------
    Result of `work`

    Examples
    --------
    >>> list(in_order(abs, [-3, 1, -2], threads=2))
    [3, 1, 2]
    """
    if threads == 1:
        yield from map(work, items)
        return
    pending: deque[Future[Result]] = deque()
    pool = ThreadPoolExecutor(threads, thread_name_prefix="leadlift-score")
    try:
        for item in items:
            pending.append(pool.submit(work, item))
            if len(pending) >= threads + WAITING:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
