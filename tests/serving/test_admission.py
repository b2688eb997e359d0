"""Who is let in: room, queue time, deadlines."""

from __future__ import annotations

from contextlib import ExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.admission import Admission, Full, TooLate


def paced(threads: int = 2, seconds: float = 0.01, longest_wait: float = 0.05, capacity: int = 1_000) -> Admission:
    door = Admission(capacity, threads, longest_wait)
    door.took(seconds)
    return door


def test_nobody_waits_while_a_thread_is_free() -> None:
    door = paced(threads=2)
    with door.admit(1):
        assert door.wait() == 0


def test_a_listing_waits_for_one_of_each_other_request() -> None:
    door = paced(threads=1, seconds=0.01, longest_wait=1)
    with door.admit(500), door.admit(1), door.admit(3):
        assert door.wait() == pytest.approx(0.03)
        assert door.wait(3) == pytest.approx(0.07)


def test_a_queue_that_is_too_long_refuses_with_the_wait_and_when_to_come_back() -> None:
    door = paced(threads=1, seconds=0.5, longest_wait=1.2)
    with ExitStack() as held:
        for _ in range(3):
            held.enter_context(door.admit(1))
        with pytest.raises(Full, match="would wait 1500 ms, at most 1200 ms") as caught:
            held.enter_context(door.admit(1))
    assert caught.value.retry_after == 2
    with door.admit(1):
        pass


def test_a_request_that_is_not_read_yet_counts_as_one_listing_until_it_is() -> None:
    door = paced(threads=1, seconds=0.01, longest_wait=0.015)
    first, second = door.expect(), door.expect()
    assert door.wait() == pytest.approx(0.02)
    with pytest.raises(Full, match="would wait 20 ms"):
        door.require_a_short_queue()
    assert door.in_flight == 0
    door.arrived(first)
    door.arrived(first)
    with door.admit(5):
        assert door.wait() == pytest.approx(0.02)
        door.arrived(second)
        assert door.wait() == pytest.approx(0.01)


def test_many_listings_are_taken_by_an_idle_server_however_long_they_take() -> None:
    door = paced(threads=2, seconds=1.0, longest_wait=0.05)
    with door.admit(1_000):
        assert door.in_flight == 1_000


def test_no_listings_are_always_taken() -> None:
    door = paced(threads=1, longest_wait=0.0)
    with door.admit(1), door.admit(0), door.admit(0):
        pass


def test_what_would_come_too_late_is_refused_at_once() -> None:
    door = paced(threads=2, seconds=0.01, longest_wait=1)
    with door.admit(100, within=0.6):
        pass
    with pytest.raises(TooLate, match=r"would take about 0\.5 s"), door.admit(100, within=0.4):
        pass
    assert door.in_flight == 0


def test_each_kind_of_work_has_a_pace_of_its_own() -> None:
    door = Admission(100, threads=1)
    for _ in range(200):
        door.took(0.01, "none")
        door.took(0.10, "full")
    assert door.pace("none") == pytest.approx(0.01)
    assert door.pace("full") == pytest.approx(0.10)
    assert door.pace("never seen") == pytest.approx(0.10), "rather too careful than too bold"


@given(st.lists(st.integers(1, 30), max_size=20), st.integers(1, 4), st.integers(1, 30))
def test_a_wait_lies_between_nothing_and_all_the_work_there_is(sizes: list[int], threads: int, listings: int) -> None:
    door = paced(threads=threads, seconds=0.01, longest_wait=float("inf"))
    with ExitStack() as held:
        for size in sizes:
            held.enter_context(door.admit(size))
        assert 0 <= door.wait(listings) <= door.wait(listings + 1) <= 0.01 * sum(sizes) + 1e-9
        assert door.wait(listings) <= 0.01 * listings * len(sizes) + 1e-9
