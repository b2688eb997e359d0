"""What an operator sets for the recall desk."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from models.deadlines.calendar import WorkCalendar
from models.deadlines.clocks import ClockRules, NoticeKind, load_clock_rules
from models.deadlines.institutions import calendar_of

_OF_AUTHORITIES = (NoticeKind.ORDER, NoticeKind.AUTHORITY_NOTICE)


@dataclass(frozen=True)
class RecallRules:
    """How cases are worked.

    Parameters
    ----------
    home : WorkCalendar
        Of the marketplace, for what no authority sent.
    clocks : ClockRules
    by_authority : bool
        Periods of orders and notices of authorities are counted by the authority's calendar; otherwise all by `home`.
    regions : mapping
        Country -> region whose holidays count where a notice names none.
    warn : timedelta
        How long before its end a clock is warned of.
    remind : timedelta
        How long a takedown order waits for its receipt before it is sent again, each time.
    """

    home: WorkCalendar
    clocks: ClockRules = field(default_factory=load_clock_rules)
    by_authority: bool = True
    regions: Mapping[str, str] = field(default_factory=dict)
    warn: dt.timedelta = dt.timedelta(hours=24)
    remind: dt.timedelta = dt.timedelta(hours=24)

    def calendar(self, kind: NoticeKind, country: str, region: str = "", zone: str = "") -> WorkCalendar:
        """Return by whose days the periods of a receipt are counted.

        Raises
        ------
        InputError
            If the country, region or zone is not known.
        """
        if not country or not self.by_authority or kind not in _OF_AUTHORITIES:
            return self.home
        return calendar_of(country, region or self.regions.get(country.upper(), ""), zone)
