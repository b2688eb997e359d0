"""Clocks of what the marketplace receives: which periods begin, and when they end."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.deadlines.calendar import WorkCalendar
from models.deadlines.clocks import Duty, NoticeKind, ends_of, load_clock_rules, resumed
from models.deadlines.institutions import calendar_of, institutions
from models.deadlines.period import ends_at
from models.domain.action import Due
from models.domain.countries import eea_codes
from models.domain.errors import InputError
from models.domain.resources import datasets_dir
from tests.deadlines.test_period import VECTORS, ZONES

DAY = dt.timedelta(days=1)


def test_each_kind_of_receipt_has_the_periods_of_law_and_pledge() -> None:
    rules = load_clock_rules()
    found = {kind: {rule.duty: str(rule.due) for rule in each} for kind, each in rules.by_kind.items()}
    assert found == {
        NoticeKind.ORDER: {Duty.REMOVE: "2 working days", Duty.IDENTIFY: "3 working days"},
        NoticeKind.AUTHORITY_NOTICE: {Duty.REMOVE: "2 working days", Duty.IDENTIFY: "3 working days"},
        NoticeKind.NOTICE: {Duty.PROCESS: "3 working days"},
        NoticeKind.CONSUMER: {Duty.PROCESS: "5 working days"},
        NoticeKind.MONITORING: {Duty.IDENTIFY: "3 working days"},
    }
    assert str(rules.takedown.due) == "2 working days"


@pytest.mark.parametrize("receipt", sorted(VECTORS))
def test_the_vectors_hold_for_every_kind_of_receipt(receipt: str) -> None:
    rules = load_clock_rules().by_kind
    for country, lasts in VECTORS[receipt].items():
        received = dt.datetime.fromisoformat(receipt).replace(hour=9, tzinfo=ZoneInfo(ZONES[country]))
        for kind, number in ((NoticeKind.ORDER, 0), (NoticeKind.NOTICE, 1), (NoticeKind.CONSUMER, 2)):
            ends = ends_of(rules[kind][0], received, calendar_of(country))
            assert ends.due == dt.datetime.fromisoformat(lasts[number]).replace(tzinfo=received.tzinfo) + DAY
            assert ends.target <= ends.due


def test_a_target_takes_public_holidays_for_working_days() -> None:
    received = dt.datetime(2025, 12, 23, 12, tzinfo=dt.UTC)
    ends = ends_of(load_clock_rules().by_kind[NoticeKind.ORDER][0], received, calendar_of("DE"))
    assert ends.due.isoformat() == "2025-12-29T23:00:00+00:00"
    assert ends.target.isoformat() == "2025-12-25T23:00:00+00:00"  # Christmas Day counts


@pytest.mark.parametrize("code", eea_codes())
def test_every_state_has_its_days_and_its_zone(code: str) -> None:
    assert not calendar_of(code).is_working_day(dt.date(2026, 1, 1))


def test_the_commission_has_days_off_that_no_state_has_and_works_on_others() -> None:
    commission = calendar_of("EU")
    assert not commission.is_working_day(dt.date(2025, 4, 17))  # Maundy Thursday
    assert not commission.is_working_day(dt.date(2025, 5, 30))  # the day after Ascension
    assert commission.is_working_day(dt.date(2025, 11, 11))  # a holiday in Belgium
    received = dt.datetime(2025, 4, 16, 9, tzinfo=ZoneInfo("Europe/Brussels"))
    due = ends_at(received, Due(amount=2, unit="working_days"), commission)
    assert due == dt.datetime(2025, 4, 24, tzinfo=ZoneInfo("Europe/Brussels"))  # Thursday to Easter Monday are off
    luxembourg = calendar_of("EU-LUX")
    assert not luxembourg.is_working_day(dt.date(2025, 6, 23))
    assert commission.is_working_day(dt.date(2025, 6, 23))


def test_a_place_that_has_no_calendar_is_named() -> None:
    with pytest.raises(InputError, match="'US' are not known"):
        calendar_of("US")
    with pytest.raises(InputError, match="no region 'BY'"):
        calendar_of("EU", "BY")
    with pytest.raises(InputError, match="'DE-QQ'"):
        calendar_of("DE", "QQ")
    with pytest.raises(InputError, match="time zone"):
        calendar_of("DE", zone="Europe/Nowhere")


def test_a_file_of_periods_that_is_not_in_order_names_line_and_value(tmp_path: Path) -> None:
    text = (datasets_dir() / "clocks.yaml").read_text(encoding="utf-8")
    wrong = tmp_path / "clocks.yaml"
    wrong.write_text(text.replace("amount: 2, unit: working_days", "amount: two, unit: working_days", 1), "utf-8")
    with pytest.raises(InputError, match=r"'two' of kinds\.0\.clocks\.0\.amount") as found:
        load_clock_rules(wrong)
    assert ":10" in found.value.place
    gap = tmp_path / "gap.yaml"
    gap.write_text(text.replace("kind: consumer", "kind: notice"), "utf-8")
    with pytest.raises(InputError, match="missing: consumer"):
        load_clock_rules(gap)


def test_an_institution_that_is_not_in_order_names_line_and_value(tmp_path: Path) -> None:
    text = (datasets_dir() / "institutions.yaml").read_text(encoding="utf-8")
    wrong = tmp_path / "institutions.yaml"
    wrong.write_text(text.replace("[01-01, 01-02", "[01-01, 02-30", 1), "utf-8")
    with pytest.raises(InputError, match="'2015-02-30' is no day"):
        institutions(wrong)
    wrong.write_text(text.replace("    zone: Europe/Brussels\n", ""), "utf-8")
    with pytest.raises(InputError, match="'zone' is missing"):
        institutions(wrong)


MOMENTS = st.datetimes(dt.datetime(2023, 1, 1), dt.datetime(2029, 12, 1), timezones=st.just(dt.UTC))


def left(moment: dt.datetime, due: dt.datetime, calendar: WorkCalendar) -> int:
    """Working days from a moment to the end of a period, counted day by day, both days included."""
    day, last, count = calendar.local_day(moment), calendar.local_day(due - dt.timedelta(seconds=1)), 0
    while day <= last:
        count += calendar.is_working_day(day)
        day += DAY
    return count


@given(
    begun=MOMENTS,
    amount=st.integers(1, 8),
    before=st.integers(0, 14 * 24),
    hours=st.integers(0, 30 * 24),
    country=st.sampled_from(["BE", "DE", "EU", "IE", "SE"]),
)
def test_a_clock_that_stood_still_has_as_many_working_days_left_as_before(
    begun: dt.datetime, amount: int, before: int, hours: int, country: str
) -> None:
    calendar = calendar_of(country)
    due = ends_at(begun, Due(amount=amount, unit="working_days"), calendar)
    paused = min(begun + dt.timedelta(hours=before), due - dt.timedelta(minutes=1))
    again = paused + dt.timedelta(hours=hours)
    later = resumed(due, paused, again, calendar)
    assert later >= due
    assert left(again, later, calendar) == left(paused, due, calendar)
    if calendar.local_day(paused) == calendar.local_day(again):
        assert later == due
