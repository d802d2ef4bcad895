"""One thread that works for all pages in turn and serves only the newest request of each."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Any


class Worker:
    """A slider moved a hundred times asks for a hundred pictures, of which the last is wanted.

    Pages take turns. A request that a newer one of the same page replaced, or whose page is gone,
    ends with None.
    """

    def __init__(self) -> None:
        self._requests: OrderedDict[Hashable, tuple[Callable[[], Any], Future[Any]]] = OrderedDict()
        self._changed = threading.Condition()
        self._closed = False
        self.done = 0  # requests served so far
        self._thread = threading.Thread(target=self._work, name="worker", daemon=True)
        self._thread.start()

    def submit(self, page: Hashable, work: Callable[[], Any]) -> "Future[Any]":
        """Have `work` done; the result, its exception, or None where it was never begun."""
        future: Future[Any] = Future()
        with self._changed:
            replaced = self._requests.get(page)
            self._requests[page] = work, future  # keeps the page's place in the queue
            self._changed.notify()
        if replaced:
            _drop(replaced[1])
        return future

    def forget(self, page: Hashable) -> None:
        """Drop what a page is still waiting for."""
        with self._changed:
            dropped = self._requests.pop(page, None)
        if dropped:
            _drop(dropped[1])

    def close(self) -> None:
        """Finish what is being done, and nothing more."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._requests or self._closed)
                if self._closed:
                    return
                work, future = self._requests.popitem(last=False)[1]
            if not future.set_running_or_notify_cancel():
                continue  # whoever waited for it has gone
            try:
                future.set_result(work())
            except BaseException as error:  # the page that waits for it shows or raises it
                future.set_exception(error)
            self.done += 1


def _drop(future: "Future[Any]") -> None:
    if future.set_running_or_notify_cancel():
        future.set_result(None)
