"""Threads shared by turns: no request waits behind all of another one's work, what was dropped is not done."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError, wait

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.classifier.cores import usable_core_numbers
from serving.admission import Ticket
from serving.turns import Turns, Work


class Held:
    """One thread that is busy until it is let go, and the order of what it did then."""

    def __init__(self) -> None:
        self.turns = Turns(1)
        self.done: list[str] = []
        self.works: list[Work[None]] = []
        self._go = threading.Event()
        busy = threading.Event()

        def hold() -> None:
            busy.set()
            assert self._go.wait(10)

        self.turns.submit(Work(hold), Ticket(1, 0.0))
        assert busy.wait(10)

    def queue(self, name: str, ticket: Ticket) -> Work[None]:
        work = Work(lambda: self.done.append(name))
        self.works.append(work)
        self.turns.submit(work, ticket)
        return work

    def let_go(self) -> list[str]:
        self._go.set()
        wait([work.future for work in self.works if not work.future.cancelled()], timeout=10)
        self.turns.close()
        return self.done


@pytest.fixture
def held() -> Iterator[Held]:
    held = Held()
    yield held
    held.let_go()


def test_a_single_listing_waits_for_one_of_a_thousand(held: Held) -> None:
    many = Ticket(1_000, 0.01)
    for number in range(1_000):
        held.queue(f"many {number}", many)
    held.queue("single", Ticket(1, 0.01))
    assert held.let_go()[:3] == ["many 0", "single", "many 1"]


def test_expensive_work_takes_fewer_turns(held: Held) -> None:
    dear, cheap = Ticket(3, 0.04), Ticket(8, 0.01)
    for number in range(3):
        held.queue(f"dear {number}", dear)
    for number in range(8):
        held.queue(f"cheap {number}", cheap)
    done = held.let_go()
    assert sum(name.startswith("cheap") for name in done[: done.index("dear 1")]) >= 4


def test_dropped_work_is_not_done(held: Held) -> None:
    ticket = Ticket(2, 0.01)
    dropped = held.queue("dropped", ticket)
    held.queue("wanted", ticket)
    assert dropped.future.cancel()
    assert held.let_go() == ["wanted"]


def test_work_that_another_request_needs_earlier_moves_forward_and_is_done_once(held: Held) -> None:
    many = Ticket(100, 0.01)
    works = [held.queue(f"many {number}", many) for number in range(100)]
    held.turns.advance(works[90], Ticket(1, 0.01))
    done = held.let_go()
    assert done.index("many 90") <= 1
    assert len(done) == len(set(done)) == 100


def test_a_failure_is_the_callers_and_the_thread_goes_on(held: Held) -> None:
    def fail() -> None:
        raise RuntimeError("broken")

    failing: Work[None] = Work(fail)
    held.turns.submit(failing, Ticket(1, 0.01))
    held.queue("next", Ticket(1, 0.01))
    assert held.let_go() == ["next"]
    assert str(failing.future.exception(timeout=10)) == "broken"


def test_closing_drops_what_waits_and_takes_nothing_more() -> None:
    held = Held()
    waiting = held.queue("waiting", Ticket(1, 0.01))
    closing = threading.Thread(target=held.turns.close)
    closing.start()
    with pytest.raises(CancelledError):
        waiting.future.result(10)
    held._go.set()
    closing.join(10)
    assert not held.turns.alive
    with pytest.raises(RuntimeError, match="ended"):
        held.turns.submit(Work(lambda: None), Ticket(1, 0.01))


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system pins no threads")
def test_threads_are_pinned_to_the_cores_given_and_nothing_else_is() -> None:
    cores = sorted(usable_core_numbers())
    turns = Turns(2, cores)
    both = threading.Barrier(2)

    def where() -> set[int]:
        both.wait(10)  # so that each thread does one
        return os.sched_getaffinity(0)

    works = [Work(where) for _ in range(2)]
    for work in works:
        turns.submit(work, Ticket(1, 0.01))
    assert {frozenset(work.future.result(10)) for work in works} == {
        frozenset({cores[0]}),
        frozenset({cores[1 % len(cores)]}),
    }
    assert usable_core_numbers() == set(cores)
    turns.close()


def test_the_thread_that_worked_last_works_next_while_one_is_enough() -> None:
    turns, names = Turns(3), set[str]()
    for _ in range(20):
        while len(turns._idle) < 3:
            time.sleep(0.001)
        work = Work(lambda: threading.current_thread().name)
        turns.submit(work, Ticket(1, 0.01))
        names.add(work.future.result(10))
    turns.close()
    assert len(names) == 1


@given(st.lists(st.integers(1, 8), min_size=1, max_size=5))
def test_no_request_gets_more_than_one_turn_ahead_of_another(sizes: list[int]) -> None:
    held = Held()
    for request, size in enumerate(sizes):
        ticket = Ticket(size, 0.01)
        for _ in range(size):
            held.queue(str(request), ticket)
    had = dict.fromkeys(map(str, range(len(sizes))), 0)
    for name in held.let_go():
        had[name] += 1
        unfinished = [had[str(request)] for request, size in enumerate(sizes) if had[str(request)] < size]
        assert all(had[name] - other <= 1 for other in unfinished)
    assert list(had.values()) == sizes
