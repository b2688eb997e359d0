"""Which days are working days, by Article 2 of Regulation (EEC, Euratom) 1182/71."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import holidays

from models.domain.errors import InputError

_WEEKEND = frozenset({5, 6})
_DAY = dt.timedelta(days=1)
_CODES = {"EL": "GR", "UK": "GB"}
"""Codes that the institutions of the Union use, as ISO 3166-1 has them."""


@dataclass(frozen=True)
class WorkCalendar:
    """The working days of the place where action is to be taken.

    Parameters
    ----------
    country : str
        ISO 3166-1 alpha-2; the codes EL and UK are understood.
    zone : str
        IANA time zone, in which days begin and end.
    subdivision : str
        Region whose own holidays count too, ISO 3166-2 without the country ("BY" for Bavaria); empty for none.
    closed : collection of date
        Further days on which the authority is closed; an institution's own calendar.
    weekends_only : bool
        Public holidays are worked: the strictest reading, for targets that one sets oneself.

    Raises
    ------
    InputError
        If country, subdivision or zone is not known.

    Examples
    --------
    >>> belgium = WorkCalendar("BE", "Europe/Brussels")
    >>> belgium.is_working_day(dt.date(2025, 4, 21))  # Easter Monday
    False
    """

    country: str
    zone: str
    subdivision: str = ""
    closed: Collection[dt.date] = field(default=frozenset())
    weekends_only: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "closed", frozenset(self.closed))
        object.__setattr__(self, "country", _CODES.get(self.country.upper(), self.country.upper()))
        try:
            ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise InputError(
                f"time zone {self.zone!r} is not known", place="zone", hint="give an IANA name such as Europe/Brussels"
            ) from error
        try:
            _public_holidays(self.country, self.subdivision, 2025)
        except NotImplementedError as error:
            where = f"{self.country}-{self.subdivision}" if self.subdivision else self.country
            raise InputError(
                f"public holidays of {where!r} are not known",
                place="country",
                hint="give ISO 3166-1 alpha-2 such as NL, and a region of that country or none",
            ) from error

    def is_working_day(self, day: dt.date) -> bool:
        """Return whether a day is neither a Saturday, a Sunday nor a public holiday (Article 2(2))."""
        return (
            day.weekday() not in _WEEKEND
            and day not in self.closed
            and (self.weekends_only or day not in _public_holidays(self.country, self.subdivision, day.year))
        )

    def next_working_day(self, day: dt.date) -> dt.date:
        """Return the day itself where it is a working day, otherwise the first one after it."""
        while not self.is_working_day(day):
            day += _DAY
        return day

    def working_days_after(self, day: dt.date, amount: int) -> dt.date:
        """Return the `amount`-th working day after a day, which itself is not counted (Article 3(1)).

        Raises
        ------
        ValueError
            If `amount` is below 1.
        """
        if amount < 1:
            raise ValueError(f"{amount} working days: give 1 or more")
        for _ in range(amount):
            day = self.next_working_day(day + _DAY)
        return day

    def working_days_within(self, first: dt.date, last: dt.date) -> int:
        """Count the working days from `first` to `last`, both included."""
        days = (first + _DAY * i for i in range((last - first).days + 1))
        return sum(self.is_working_day(day) for day in days)

    def local_day(self, moment: dt.datetime) -> dt.date:
        """Return the day that it is here at a moment.

        Raises
        ------
        ValueError
            If the moment has no zone.
        """
        if moment.tzinfo is None:
            raise ValueError(f"time {moment!r} has no zone")
        return moment.astimezone(ZoneInfo(self.zone)).date()

    def end_of(self, day: dt.date) -> dt.datetime:
        """Return the moment, in UTC, at which a day is over here: midnight that begins the next one."""
        midnight = dt.datetime.combine(day + _DAY, dt.time(), ZoneInfo(self.zone))
        return midnight.astimezone(dt.UTC)


@cache
def _public_holidays(country: str, subdivision: str, year: int) -> frozenset[dt.date]:
    return frozenset(holidays.country_holidays(country, subdiv=subdivision or None, years=year))
