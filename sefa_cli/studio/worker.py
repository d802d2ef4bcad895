"""One thread that works for all pages in turn, and only on the newest request of each."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Any

_IN_A_ROW = 5  # quick requests before a slow one has its turn


class Worker:
    """Does the newest request of each page; the pages take turns.

    A slider that moves a hundred times asks for a hundred pictures, but only the last one counts.
    A request ends with None if a newer one replaces it, or if its page is gone. Slow requests wait
    for quick ones, so that many people can move sliders, but have a turn now and then.
    """

    def __init__(self) -> None:
        self._requests: OrderedDict[Hashable, tuple[Callable[[], Any], Future[Any], bool]] = (
            OrderedDict()
        )
        self._in_a_row = 0  # quick requests since a slow one
        self._changed = threading.Condition()
        self._closed = False
        self.done = 0  # requests served so far
        self._thread = threading.Thread(target=self._work, name="worker", daemon=True)
        self._thread.start()

    @property
    def is_wanted(self) -> bool:
        """Whether a request waits."""
        return bool(self._requests)

    def submit(self, page: Hashable, work: Callable[[], Any], slow: bool = False) -> "Future[Any]":
        """Queue `work`. The future gets its result, its exception, or None if it never started."""
        future: Future[Any] = Future()
        with self._changed:
            replaced = self._requests.get(page)
            self._requests[page] = work, future, slow  # keeps the page's place in the queue
            self._changed.notify()
        if replaced:
            _drop(replaced[1])
        return future

    def forget(self, page: Hashable) -> None:
        """Drop the waiting request of a page."""
        with self._changed:
            dropped = self._requests.pop(page, None)
        if dropped:
            _drop(dropped[1])

    def close(self) -> None:
        """Finish the request at work, drop the others, and end the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _chosen(self) -> Hashable:
        """Return whose turn it is: the first in the queue that is quick, or now and then slow."""
        wanted = self._in_a_row >= _IN_A_ROW
        pages = (page for page, (_, _, slow) in self._requests.items() if slow == wanted)
        return next(pages, next(iter(self._requests)))

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._requests or self._closed)
                if self._closed:
                    return
                work, future, slow = self._requests.pop(self._chosen())
                self._in_a_row = 0 if slow else self._in_a_row + 1
            if not future.set_running_or_notify_cancel():
                continue  # the page canceled it
            try:
                future.set_result(work())
            except BaseException as error:  # the waiting page shows or raises it
                future.set_exception(error)
            self.done += 1


def _drop(future: "Future[Any]") -> None:
    if future.set_running_or_notify_cancel():
        future.set_result(None)
