"""Legal periods, against vectors worked out by hand and a slow reference."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import holidays
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.deadlines.calendar import WorkCalendar
from models.deadlines.period import ends_at
from models.domain.action import Due, DueUnit
from models.domain.countries import eea_codes
from models.domain.errors import InputError

ZONES = {
    "BE": "Europe/Brussels",
    "DE": "Europe/Berlin",
    "FR": "Europe/Paris",
    "IE": "Europe/Dublin",
    "SE": "Europe/Stockholm",
    "NL": "Europe/Amsterdam",
    "PT": "Atlantic/Azores",
}
# Receipt -> the last day of 2, 3 and 5 working days.
VECTORS = {
    "2025-04-17": {
        "BE": ("2025-04-22", "2025-04-23", "2025-04-25"),
        "DE": ("2025-04-23", "2025-04-24", "2025-04-28"),
        "FR": ("2025-04-22", "2025-04-23", "2025-04-25"),
        "IE": ("2025-04-22", "2025-04-23", "2025-04-25"),
        "SE": ("2025-04-23", "2025-04-24", "2025-04-28"),
    },
    "2025-12-23": {
        "BE": ("2025-12-26", "2025-12-29", "2025-12-31"),
        "DE": ("2025-12-29", "2025-12-30", "2026-01-02"),
        "FR": ("2025-12-26", "2025-12-29", "2025-12-31"),
        "IE": ("2025-12-29", "2025-12-30", "2026-01-02"),
        "SE": ("2025-12-29", "2025-12-30", "2026-01-02"),
    },
    "2025-04-30": {
        "BE": ("2025-05-05", "2025-05-06", "2025-05-08"),
        "DE": ("2025-05-05", "2025-05-06", "2025-05-08"),
        "FR": ("2025-05-05", "2025-05-06", "2025-05-09"),
        "IE": ("2025-05-02", "2025-05-06", "2025-05-08"),
        "SE": ("2025-05-05", "2025-05-06", "2025-05-08"),
    },
    "2025-08-14": {
        "BE": ("2025-08-19", "2025-08-20", "2025-08-22"),
        "DE": ("2025-08-18", "2025-08-19", "2025-08-21"),
        "FR": ("2025-08-19", "2025-08-20", "2025-08-22"),
        "IE": ("2025-08-18", "2025-08-19", "2025-08-21"),
        "SE": ("2025-08-18", "2025-08-19", "2025-08-21"),
    },
    "2025-03-01": {"BE": ("2025-03-04", "2025-03-05", "2025-03-07")},
}


def working_days(amount: int) -> Due:
    return Due(amount=amount, unit="working_days")


@pytest.mark.parametrize(
    ("receipt", "country", "amount", "last"),
    [
        (receipt, country, amount, last)
        for receipt, countries in VECTORS.items()
        for country, lasts in countries.items()
        for amount, last in zip((2, 3, 5), lasts, strict=True)
    ],
)
def test_working_days_end_with_the_last_hour_of_the_last_day(
    receipt: str, country: str, amount: int, last: str
) -> None:
    zone = ZoneInfo(ZONES[country])
    for hour in (0, 12, 23):
        received = dt.datetime.fromisoformat(receipt).replace(hour=hour, tzinfo=zone)
        end = ends_at(received, working_days(amount), WorkCalendar(country, ZONES[country]))
        midnight = dt.datetime.fromisoformat(last).replace(tzinfo=zone) + dt.timedelta(days=1)
        assert end == midnight
        assert end.utcoffset() == dt.timedelta(0)


def test_the_day_of_receipt_is_the_day_of_the_place_not_of_utc() -> None:
    calendar = WorkCalendar("BE", "Europe/Brussels")
    before = dt.datetime(2025, 6, 2, 21, 59, tzinfo=dt.UTC)  # Monday 23:59 in Brussels
    after = dt.datetime(2025, 6, 2, 22, 0, tzinfo=dt.UTC)  # Tuesday 00:00
    ends = [ends_at(moment, working_days(2), calendar) for moment in (before, after)]
    assert [end.isoformat() for end in ends] == ["2025-06-04T22:00:00+00:00", "2025-06-05T22:00:00+00:00"]


@pytest.mark.parametrize(
    ("received", "end"),
    [
        ("2025-03-28T10:00:00+01:00", "2025-04-01T00:00:00+02:00"),  # the clock goes forward in between
        ("2025-10-24T10:00:00+02:00", "2025-10-28T00:00:00+01:00"),  # and back
    ],
)
def test_a_change_of_the_clock_moves_no_day(received: str, end: str) -> None:
    calendar = WorkCalendar("NL", "Europe/Amsterdam")
    assert ends_at(dt.datetime.fromisoformat(received), working_days(1), calendar) == dt.datetime.fromisoformat(end)


def test_calendar_days_that_end_on_a_day_off_end_on_the_next_working_day() -> None:
    calendar = WorkCalendar("NL", "Europe/Amsterdam")
    wednesday = dt.datetime(2025, 6, 4, 9, tzinfo=ZoneInfo("Europe/Amsterdam"))
    # Three days after Wednesday is Saturday; Monday 9 June 2025 is Whit Monday.
    assert ends_at(wednesday, Due(amount=3, unit="days"), calendar).isoformat() == "2025-06-10T22:00:00+00:00"
    # One day may end before two working days are over, two days may not.
    friday = dt.datetime(2025, 6, 13, 9, tzinfo=ZoneInfo("Europe/Amsterdam"))
    assert ends_at(friday, Due(amount=1, unit="days"), calendar).isoformat() == "2025-06-16T22:00:00+00:00"
    assert ends_at(friday, Due(amount=2, unit="days"), calendar).isoformat() == "2025-06-17T22:00:00+00:00"


def test_hours_run_through_nights_and_weekends() -> None:
    begun = dt.datetime(2025, 6, 13, 22, 30, tzinfo=ZoneInfo("Europe/Amsterdam"))
    end = ends_at(begun, Due(amount=24, unit="hours"), WorkCalendar("NL", "Europe/Amsterdam"))
    assert end == begun + dt.timedelta(hours=24)


def test_a_region_and_an_institution_have_days_off_of_their_own() -> None:
    epiphany = dt.date(2026, 1, 6)
    assert WorkCalendar("DE", "Europe/Berlin").is_working_day(epiphany)
    assert not WorkCalendar("DE", "Europe/Berlin", "BY").is_working_day(epiphany)
    maundy_thursday = dt.date(2025, 4, 17)
    assert not WorkCalendar("BE", "Europe/Brussels", closed=[maundy_thursday]).is_working_day(maundy_thursday)


def test_what_is_not_known_is_named() -> None:
    with pytest.raises(InputError, match="'XX' are not known"):
        WorkCalendar("XX", "Europe/Brussels")
    with pytest.raises(InputError, match="'DE-ZZ' are not known"):
        WorkCalendar("DE", "Europe/Berlin", "ZZ")
    for zone in ("Europe/Nowhere", "../etc/passwd", ""):
        with pytest.raises(InputError, match="time zone"):
            WorkCalendar("DE", zone)
    with pytest.raises(ValueError, match="no zone"):
        ends_at(dt.datetime(2025, 1, 1), working_days(1), WorkCalendar("DE", "Europe/Berlin"))
    with pytest.raises(ValueError, match="give 1 or more"):
        WorkCalendar("DE", "Europe/Berlin").working_days_after(dt.date(2025, 1, 1), 0)


def test_codes_of_the_institutions_are_understood() -> None:
    assert WorkCalendar("el", "Europe/Athens") == WorkCalendar("GR", "Europe/Athens")


@pytest.mark.parametrize("country", eea_codes())
def test_every_state_of_the_economic_area_has_a_calendar(country: str) -> None:
    assert not WorkCalendar(country, "Europe/Brussels").is_working_day(dt.date(2026, 1, 1))


def slow_reference(begun: dt.datetime, amount: int, unit: DueUnit, country: str, zone: str) -> dt.datetime:
    """Walk hour by hour, counting each local day once its last hour has gone."""
    off = holidays.country_holidays(country, years=range(begun.year - 1, begun.year + 3))
    event = begun.astimezone(ZoneInfo(zone)).date()
    day, counted, working = event, 0, 0
    while True:
        day += dt.timedelta(days=1)
        works = day.isoweekday() < 6 and day not in off
        counted += 1
        working += works
        if unit == "working_days" and working == amount:
            break
        if unit == "days" and counted >= amount and works and working >= min(amount, 2):
            break
    moment = begun.astimezone(dt.UTC).replace(minute=0, second=0, microsecond=0)
    while moment.astimezone(ZoneInfo(zone)).date() <= day:
        moment += dt.timedelta(minutes=15)
    return moment


@given(
    begun=st.datetimes(dt.datetime(2020, 1, 1), dt.datetime(2030, 12, 31), timezones=st.just(dt.UTC)),
    amount=st.integers(1, 12),
    unit=st.sampled_from(["days", "working_days"]),
    country=st.sampled_from(sorted(ZONES)),
)
def test_equal_to_a_slow_reference(begun: dt.datetime, amount: int, unit: DueUnit, country: str) -> None:
    zone = ZONES[country]
    end = ends_at(begun, Due(amount=amount, unit=unit), WorkCalendar(country, zone))
    assert end == slow_reference(begun, amount, unit, country, zone)
