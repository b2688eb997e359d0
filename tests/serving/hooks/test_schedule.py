"""When a webhook is tried again."""

from __future__ import annotations

import datetime as dt
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.hooks.schedule import LONGEST_WISH, Schedule, wished_wait

NOW = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_waits_double_up_to_their_bound_and_are_spread(tried: int, drawn: float) -> None:
    schedule = Schedule(base=5, longest=21_600, draw=lambda: drawn)
    bound = min(21_600.0, 5 * 2.0 ** min(tried - 1, 40))
    assert bound / 2 <= schedule.wait(tried).total_seconds() <= bound


def test_twenty_tries_go_over_some_two_days() -> None:
    schedule = Schedule(draw=lambda: 0.5)
    total = sum((schedule.wait(tried) for tried in range(1, schedule.tries)), dt.timedelta())
    assert dt.timedelta(days=1) < total < dt.timedelta(days=3)


def test_an_endpoint_rests_from_its_fifth_failure_in_a_row() -> None:
    schedule = Schedule(draw=lambda: 1.0)
    assert [schedule.rest(failures) for failures in (0, 4)] == [None, None]
    assert schedule.rest(5) == dt.timedelta(seconds=5)
    assert schedule.rest(7) == dt.timedelta(seconds=20)


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ("0", 0), ("120", 120), ("999999999999", LONGEST_WISH.total_seconds()), ("-1", None), ("soon", None),
        ("", None), (format_datetime(NOW + dt.timedelta(minutes=2), usegmt=True), 120),
        (format_datetime(NOW - dt.timedelta(minutes=2), usegmt=True), 0),
    ],
)  # fmt: skip
def test_retry_after_is_read_in_both_forms_and_never_for_more_than_a_day(given: str, seconds: float | None) -> None:
    wish = wished_wait({"retry-after": given}, NOW)
    assert wish == (None if seconds is None else dt.timedelta(seconds=seconds))


@given(st.text())
def test_any_header_is_read(text: str) -> None:
    wish = wished_wait({"retry-after": text}, NOW)
    assert wish is None or dt.timedelta() <= wish <= LONGEST_WISH
