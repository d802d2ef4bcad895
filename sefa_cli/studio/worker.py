"""One thread that works for all pages in turn, and only on the newest request of each."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Any

QUICK, WHOLE, SPARE = range(3)  # ranks of requests: a slider moves, somebody waits, nobody does
_IN_A_ROW = 5  # quick requests before a whole one has its turn


class Worker:
    """Does the newest request of each page; the pages take turns.

    A slider that moves a hundred times asks for a hundred pictures, but only the last one counts.
    A request ends with None if a newer one replaces it, or if its page is gone. Whole pictures wait
    for quick ones, so that many people can move sliders, but have a turn now and then. What is done
    in spare time waits until nothing else does.
    """

    def __init__(self) -> None:
        self._requests: OrderedDict[Hashable, tuple[Callable[[], Any], Future[Any], int]] = (
            OrderedDict()
        )
        self._in_a_row = 0  # quick requests since a whole one
        self._changed = threading.Condition()
        self._closed = False
        self.done = 0  # requests served so far
        self._thread = threading.Thread(target=self._work, name="worker", daemon=True)
        self._thread.start()

    @property
    def is_wanted(self) -> bool:
        """Whether somebody waits for a request."""
        with self._changed:
            return any(rank < SPARE for _, _, rank in self._requests.values())

    def submit(self, page: Hashable, work: Callable[[], Any], rank: int = QUICK) -> "Future[Any]":
        """Queue `work`. The future gets its result, its exception, or None if it never started."""
        future: Future[Any] = Future()
        with self._changed:
            replaced = self._requests.get(page)
            self._requests[page] = work, future, rank  # keeps the page's place in the queue
            self._changed.notify()
        if replaced:
            _drop(replaced[1])
        return future

    def forget(self, page: Hashable) -> None:
        """Drop all waiting requests of a page, those under keys `(page, …)` too."""
        with self._changed:
            own = [key for key in self._requests if _page_of(key) == page]
            dropped = [self._requests.pop(key) for key in own]
        for _, future, _ in dropped:
            _drop(future)

    def close(self) -> None:
        """Finish the request at work, drop the others, and end the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _chosen(self) -> Hashable:
        """Return whose turn it is: the first of the quick ones, or now and then of the whole."""
        first: dict[int, Hashable] = {}
        for page, (_, _, rank) in self._requests.items():
            first.setdefault(rank, page)
        order = (WHOLE, QUICK) if self._in_a_row >= _IN_A_ROW else (QUICK, WHOLE)
        return next(first[rank] for rank in (*order, SPARE) if rank in first)

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._requests or self._closed)
                if self._closed:
                    return
                work, future, rank = self._requests.pop(self._chosen())
                self._in_a_row = self._in_a_row + 1 if rank == QUICK else 0
            if not future.set_running_or_notify_cancel():
                continue  # the page canceled it
            try:
                future.set_result(work())
            except BaseException as error:  # the waiting page shows or raises it
                future.set_exception(error)
            self.done += 1


def _page_of(key: Hashable) -> Hashable:
    return key[0] if isinstance(key, tuple) else key


def _drop(future: "Future[Any]") -> None:
    if future.set_running_or_notify_cancel():
        future.set_result(None)
