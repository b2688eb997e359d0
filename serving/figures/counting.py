"""How the figures of the Product Safety Pledge are counted, from what is known of each listing and each case.

Nothing here reads a database or a clock: equal records give equal figures.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import ceil
from statistics import median

from models.deadlines.calendar import WorkCalendar
from models.deadlines.period import ends_at
from models.domain.action import Due

REMOVE = Due(amount=2, unit="working_days")
"""Of KPI 1 and KPI 2: first progress report on the Product Safety Pledge."""
IDENTIFY = Due(amount=3, unit="working_days")
"""Of Pledge+, area a."""
_HOUR = 3_600.0
_NINE_TENTHS = 0.9


class Origin(StrEnum):
    """What brought a listing to the desk, as far as the key figures tell it apart."""

    AUTHORITY = "authority"
    """An order or a notice of an authority, to the single contact point: KPI 1."""
    MONITORING = "monitoring"
    """The marketplace's own watch over public registers: KPI 2."""
    OTHER = "other"
    """Notices of others and complaints of consumers: neither."""


@dataclass(frozen=True)
class IdentifiedListing:
    """A listing that a person found to be what an alert is about.

    Parameters
    ----------
    identified_at : datetime
        When that person said so: the clock of the key figures begins.
    removed_at : datetime or None
        When the marketplace took it down, by its own receipt.
    relisted : bool
        It puts up again a product that was removed before.
    """

    case_id: int
    origin: Origin
    authority: str
    country: str
    category: str
    identified_at: dt.datetime
    removed_at: dt.datetime | None = None
    relisted: bool = False


@dataclass(frozen=True)
class HandledCase:
    """A case, by the instants that its steps were done at."""

    case_id: int
    origin: Origin
    received_at: dt.datetime
    identified_at: dt.datetime | None = None
    informed_at: dt.datetime | None = None


@dataclass(frozen=True)
class Share:
    """A share, with what it is a share of.

    Parameters
    ----------
    pending : int
        What is not counted yet: not done, and its time not over.
    """

    numerator: int
    denominator: int
    pending: int = 0

    @property
    def value(self) -> float | None:
        """The share, None of nothing."""
        return self.numerator / self.denominator if self.denominator else None


@dataclass(frozen=True)
class Duration:
    """How long something took, in hours.

    Parameters
    ----------
    n : int
        How often it was done.
    p90 : float or None
        The least duration that nine in ten did not exceed (nearest rank); None where nothing was done.
    """

    n: int
    median: float | None
    p90: float | None

    @classmethod
    def of(cls, seconds: Iterable[float]) -> Duration:
        """Return the figure of some durations in seconds.

        Examples
        --------
        >>> Duration.of([3600, 7200, 10800, 36000])
        Duration(n=4, median=2.5, p90=10.0)
        """
        ordered = sorted(each / _HOUR for each in seconds)
        if not ordered:
            return cls(0, None, None)
        return cls(len(ordered), median(ordered), ordered[ceil(_NINE_TENTHS * len(ordered)) - 1])


@dataclass(frozen=True)
class Group:
    """The key figures of some listings."""

    name: str
    kpi_1: Share
    kpi_2: Share
    remove: Duration


@dataclass(frozen=True)
class PledgeFigures:
    """All figures of a period.

    Parameters
    ----------
    first, last : date
        Days of the period, both included, where the calendar is.
    as_of : datetime
        The moment up to which things are known.
    """

    first: dt.date
    last: dt.date
    zone: str
    as_of: dt.datetime
    kpi_1: Share
    kpi_2: Share
    identification: Share
    reappearance: Share
    identify: Duration
    remove: Duration
    inform: Duration
    groups: Mapping[str, Sequence[Group]]


GROUPINGS: dict[str, Callable[[IdentifiedListing], str]] = {
    "authority": lambda listing: listing.authority,
    "category": lambda listing: listing.category,
    "country": lambda listing: listing.country,
}
"""What the figures are told apart by."""


def pledge_figures(
    listings: Sequence[IdentifiedListing],
    cases: Sequence[HandledCase],
    first: dt.date,
    last: dt.date,
    calendar: WorkCalendar,
    as_of: dt.datetime,
) -> PledgeFigures:
    """Count the figures of a period.

    Parameters
    ----------
    listings, cases : sequence
        Those whose identification, or receipt, lies in the period count; others are left out.
    calendar : WorkCalendar
        By whose working days removals and identifications are in time.
    """
    counted = [each for each in listings if first <= calendar.local_day(each.identified_at) <= last]
    handled = [each for each in cases if first <= calendar.local_day(each.received_at) <= last]
    return PledgeFigures(
        first=first,
        last=last,
        zone=calendar.zone,
        as_of=as_of,
        kpi_1=_removed_in_time(counted, Origin.AUTHORITY, calendar, as_of),
        kpi_2=_removed_in_time(counted, Origin.MONITORING, calendar, as_of),
        identification=_share(((each.received_at, each.identified_at) for each in handled), IDENTIFY, calendar, as_of),
        reappearance=Share(sum(each.relisted for each in counted), len(counted)),
        identify=_took((each.received_at, each.identified_at) for each in handled),
        remove=_took((each.identified_at, each.removed_at) for each in counted),
        inform=_took((each.received_at, each.informed_at) for each in handled),
        groups={name: _groups(counted, key, calendar, as_of) for name, key in GROUPINGS.items()},
    )


def _groups(
    listings: Sequence[IdentifiedListing],
    key: Callable[[IdentifiedListing], str],
    calendar: WorkCalendar,
    as_of: dt.datetime,
) -> list[Group]:
    parts: dict[str, list[IdentifiedListing]] = {}
    for listing in listings:
        parts.setdefault(key(listing), []).append(listing)
    return [
        Group(
            name,
            _removed_in_time(part, Origin.AUTHORITY, calendar, as_of),
            _removed_in_time(part, Origin.MONITORING, calendar, as_of),
            _took((each.identified_at, each.removed_at) for each in part),
        )
        for name, part in sorted(parts.items())
    ]


def _removed_in_time(
    listings: Iterable[IdentifiedListing], origin: Origin, calendar: WorkCalendar, as_of: dt.datetime
) -> Share:
    steps = ((each.identified_at, each.removed_at) for each in listings if each.origin is origin)
    return _share(steps, REMOVE, calendar, as_of)


def _share(
    steps: Iterable[tuple[dt.datetime, dt.datetime | None]], due: Due, calendar: WorkCalendar, as_of: dt.datetime
) -> Share:
    """Count what was done in time among what was done or is overdue."""
    in_time = late = pending = 0
    for begun, done in steps:
        end = ends_at(begun, due, calendar)
        if done is not None and done < end:
            in_time += 1
        elif done is not None or as_of >= end:
            late += 1
        else:
            pending += 1
    return Share(in_time, in_time + late, pending)


def _took(steps: Iterable[tuple[dt.datetime, dt.datetime | None]]) -> Duration:
    """A step that was done before its beginning was noted took no time."""
    return Duration.of(max(0.0, (done - begun).total_seconds()) for begun, done in steps if done is not None)
