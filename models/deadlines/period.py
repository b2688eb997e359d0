"""When a period ends, by Article 3 of Regulation (EEC, Euratom) 1182/71."""

from __future__ import annotations

import datetime as dt

from models.deadlines.calendar import WorkCalendar
from models.domain.action import Due

_AT_LEAST_WORKING_DAYS = 2
"""A period of two days or more holds at least so many working days (Article 3(5))."""


def ends_at(begun: dt.datetime, due: Due, calendar: WorkCalendar) -> dt.datetime:
    """Return the moment at which a period is over.

    Hours run from the moment itself. That is stricter than the Regulation, which does not count the hour of the event.
    Days begin after the day of the event and end with the last hour of the last day; calendar days that would end on
    a day off end on the next working day and hold two working days at least.

    Parameters
    ----------
    begun : datetime
        The event, with its zone.
    due : Due
        Length of the period.
    calendar : WorkCalendar
        Of the place where action is to be taken.

    Returns
    -------
    datetime
        In UTC. What is done before it is in time.

    Raises
    ------
    ValueError
        If `begun` has no zone.

    Examples
    --------
    >>> received = dt.datetime(2025, 4, 17, 15, 0, tzinfo=dt.UTC)  # Maundy Thursday
    >>> ends_at(received, Due(amount=3, unit="working_days"), WorkCalendar("BE", "Europe/Brussels")).isoformat()
    '2025-04-23T22:00:00+00:00'
    """
    day = calendar.local_day(begun)
    if due.unit == "hours":
        return begun.astimezone(dt.UTC) + dt.timedelta(hours=due.amount)
    if due.unit == "working_days":
        last = calendar.working_days_after(day, due.amount)
    else:
        last = calendar.next_working_day(day + dt.timedelta(days=due.amount))
        if due.amount >= _AT_LEAST_WORKING_DAYS:
            last = max(last, calendar.working_days_after(day, _AT_LEAST_WORKING_DAYS))
    return calendar.end_of(last)
