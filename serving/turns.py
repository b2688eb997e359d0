"""Threads that work for several requests by turns: none waits for more than a share of the others' work.

Each request has a clock of the work that it had (`Ticket.turn`, in seconds). A piece of work takes its place by what
the clock of its request will be after it, so the thousandth listing of one request stands behind the first of the next
one. This is start-time fair queueing: P. Goyal, H. Vin, H. Cheng, SIGCOMM 1996.
"""

from __future__ import annotations

import heapq
import logging
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from itertools import count
from typing import Any, Generic, TypeVar

from serving.admission import Ticket

_T = TypeVar("_T")
_log = logging.getLogger("hazardlens.engine")


class Work(Generic[_T]):
    """A piece of work in the queue; `future` is cancelled where nobody wants it any more."""

    __slots__ = ("begun", "do", "future", "turn")

    def __init__(self, do: Callable[[], _T]) -> None:
        self.do = do
        self.future: Future[_T] = Future()
        self.turn = float("inf")
        self.begun = False

    def run(self) -> None:
        """Do it, unless it was dropped."""
        if not self.future.set_running_or_notify_cancel():
            return
        try:
            result = self.do()
        except BaseException as error:  # noqa: BLE001  (it is the future's: whoever waits for it raises it)
            self.future.set_exception(error)
        else:
            self.future.set_result(result)


class Turns:
    """A pool of threads with a fair queue.

    Parameters
    ----------
    threads : int
        Pieces of work done at once.
    cores : sequence of int
        Cores to pin the threads to, one after the other; with none, the system moves them as it likes.
    """

    def __init__(self, threads: int, cores: Sequence[int] = ()) -> None:
        self._queue: list[tuple[float, int, Work[Any]]] = []
        self._numbers = count()
        self._now = 0.0
        self._closed = False
        self._lock = threading.Lock()
        # Whoever went idle last works next: its caches are warm.
        self._idle: list[threading.Lock] = []
        self._threads = [
            threading.Thread(
                target=self._work, args=(cores[i % len(cores)] if cores else None,), name=f"assess-{i}", daemon=True
            )
            for i in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, work: Work[_T], ticket: Ticket) -> None:
        """Queue a piece of work of a request."""
        with self._lock:
            if self._closed:
                raise RuntimeError("the threads have ended")
            ticket.turn = max(self._now, ticket.turn) + ticket.seconds
            self._put(work, ticket.turn)

    def advance(self, work: Work[_T], ticket: Ticket) -> None:
        """Let another request wait for the same work: it moves forward if that one has its turn earlier."""
        with self._lock:
            turn = max(self._now, ticket.turn) + ticket.seconds
            if not work.begun and turn < work.turn:
                ticket.turn = turn
                self._put(work, turn)  # the later place stays, and is passed over

    def _put(self, work: Work[Any], turn: float) -> None:
        work.turn = turn
        heapq.heappush(self._queue, (turn, next(self._numbers), work))
        if self._idle:
            self._idle.pop().release()

    @property
    def alive(self) -> bool:
        """Whether every thread is there."""
        return not self._closed and all(thread.is_alive() for thread in self._threads)

    def close(self) -> None:
        """Finish what is being worked on and drop the rest; blocks."""
        with self._lock:
            self._closed = True
            dropped = [work for _, _, work in self._queue]
            self._queue.clear()
            for bell in self._idle:
                bell.release()
            self._idle.clear()
        for work in dropped:
            work.future.cancel()
        for thread in self._threads:
            thread.join()

    def _work(self, core: int | None) -> None:
        if core is not None:
            pin(core)
        bell = threading.Lock()
        bell.acquire()
        while (work := self._next(bell)) is not None:
            work.run()
            del work  # the result must not live until the next one comes

    def _next(self, bell: threading.Lock) -> Work[Any] | None:
        """Return what is to be done next, None at the end; waits until the bell rings where there is nothing."""
        while True:
            with self._lock:
                while self._queue:
                    turn, _, work = heapq.heappop(self._queue)
                    if not work.begun and not work.future.cancelled():
                        self._now = max(self._now, turn)
                        work.begun = True
                        return work
                if self._closed:
                    return None
                self._idle.append(bell)
            bell.acquire()


def pin(core: int) -> None:
    """Keep the calling thread on a core, where the system can do that."""
    if not hasattr(os, "sched_setaffinity"):
        _log.warning("this system pins no threads: HAZARDLENS_CORES only sets how many there are")
        return
    os.sched_setaffinity(0, {core})
