"""Which periods a receipt begins, by its kind; `datasets/clocks.yaml` holds them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from models.deadlines.calendar import WorkCalendar
from models.deadlines.period import ends_at
from models.domain.action import Due, DueUnit
from models.domain.errors import InputError
from models.domain.resources import datasets_dir
from models.knowledge.located_yaml import read_located


class NoticeKind(StrEnum):
    """How an alert reached the marketplace."""

    ORDER = "order"
    AUTHORITY_NOTICE = "authority_notice"
    NOTICE = "notice"
    CONSUMER = "consumer"
    MONITORING = "monitoring"


class Duty(StrEnum):
    """What ends a clock in time."""

    REMOVE = "remove"
    IDENTIFY = "identify"
    PROCESS = "process"


class ClockRule(BaseModel):
    """One period.

    Parameters
    ----------
    basis : str
        Legal text or commitment that sets it.
    sure : str
        ``seen`` or ``memory``; see `datasets/clocks.yaml`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    duty: Duty = Duty.REMOVE
    amount: int
    unit: DueUnit
    basis: str
    sure: str

    @property
    def due(self) -> Due:
        """Its length."""
        return Due(amount=self.amount, unit=self.unit)


class _Kind(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: NoticeKind
    what: str
    clocks: list[ClockRule]


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    kinds: list[_Kind]
    takedown: ClockRule


@dataclass(frozen=True)
class ClockRules:
    """The periods of every kind, and that of a single takedown."""

    by_kind: Mapping[NoticeKind, tuple[ClockRule, ...]]
    takedown: ClockRule


@dataclass(frozen=True)
class Ends:
    """When a period is over.

    Parameters
    ----------
    due : datetime
        By law or commitment, in UTC.
    target : datetime
        By the strictest reading, that public holidays are worked: never later.
    """

    due: dt.datetime
    target: dt.datetime


def ends_of(rule: ClockRule, received: dt.datetime, calendar: WorkCalendar) -> Ends:
    """Return when a period is over that a receipt begins.

    Raises
    ------
    ValueError
        If the moment of receipt has no zone.

    Examples
    --------
    >>> received = dt.datetime(2025, 4, 17, 15, 0, tzinfo=dt.UTC)  # Maundy Thursday
    >>> rule = load_clock_rules().by_kind[NoticeKind.ORDER][0]
    >>> ends = ends_of(rule, received, WorkCalendar("BE", "Europe/Brussels"))
    >>> ends.due.isoformat(), ends.target.isoformat()
    ('2025-04-22T22:00:00+00:00', '2025-04-21T22:00:00+00:00')
    """
    strict = replace(calendar, weekends_only=True, closed=frozenset())
    return Ends(ends_at(received, rule.due, calendar), ends_at(received, rule.due, strict))


def resumed(due: dt.datetime, paused: dt.datetime, resumed_at: dt.datetime, calendar: WorkCalendar) -> dt.datetime:
    """Return when a period in working days is over that stood still for a while.

    The working days that began while it stood still, that of the pause included and that of the resumption not, are
    given back at its end. So nothing changes within a day, and as many working days are left as there were.

    Parameters
    ----------
    due : datetime
        When it would have been over.
    """
    first, after = calendar.local_day(paused), calendar.local_day(resumed_at)
    lost = calendar.working_days_within(first, after - dt.timedelta(days=1))
    if lost < 1:
        return due
    last = calendar.local_day(due - dt.timedelta(microseconds=1))  # a period is over at the midnight after its last day
    return calendar.end_of(calendar.working_days_after(last, lost))


@cache
def load_clock_rules(path: Path | None = None) -> ClockRules:
    """Read the periods; without a path, those that ship.

    Raises
    ------
    InputError
        Naming file, line, value and mend.
    """
    file = read_located(path or datasets_dir() / "clocks.yaml")
    try:
        read = _File.model_validate(file.data)
    except ValidationError as failure:
        found = failure.errors(include_url=False)[0]
        place = f"{file.file}:{file.line_of(found['loc'])}"
        value = f"value {found.get('input')!r} of {'.'.join(map(str, found['loc']))}"
        raise InputError(f"{value}: {found['msg']}", place=place, hint="see datasets/clocks.yaml") from failure
    by_kind = {each.kind: tuple(each.clocks) for each in read.kinds}
    missing = [kind.value for kind in NoticeKind if kind not in by_kind]
    if missing or len(by_kind) < len(read.kinds):
        raise InputError(
            f"every kind stands once; missing: {', '.join(missing) or 'none'}",
            place=str(file.file),
            hint=f"kinds: {', '.join(NoticeKind)}",
        )
    return ClockRules(by_kind, read.takedown)
