"""Clocks of cases: started by a receipt, warned of, breached, stopped for a while, extended, met."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import Connection, Engine, Row, and_, func, insert, or_, select, update

from models.deadlines.calendar import WorkCalendar
from models.deadlines.clocks import Duty, NoticeKind, ends_of, resumed
from serving.recalls.errors import NoRecallError, RecallConflictError, RecallRefusedError
from serving.recalls.events import ACTS, SERVER, append
from serving.recalls.rules import RecallRules
from serving.recalls.words import CaseAct
from serving.store.database import one_at_a_time
from serving.store.recall_tables import RUNS, CaseClockRow, CaseNoticeRow, RecallCaseRow

CLOCKS = CaseClockRow.__table__
_CASES = RecallCaseRow.__table__
_NOTICES = CaseNoticeRow.__table__


@dataclass(frozen=True)
class Clock:
    """One period of a case; the columns of its row."""

    id: int
    case_id: int
    notice_id: int
    duty: Duty
    amount: int
    unit: str
    basis: str
    country: str
    region: str
    zone: str
    started_at: dt.datetime
    target_at: dt.datetime
    due_at: dt.datetime
    first_due_at: dt.datetime
    paused_at: dt.datetime | None
    warned_at: dt.datetime | None
    breached_at: dt.datetime | None
    met_at: dt.datetime | None
    ended_at: dt.datetime | None

    @property
    def runs(self) -> bool:
        """Whether time passes on it."""
        return self.met_at is None and self.ended_at is None and self.paused_at is None

    def state(self, now: dt.datetime) -> str:
        """Return ``met``, ``met late``, ``ended``, ``paused``, ``breached`` or ``runs``."""
        if self.met_at is not None:
            return "met late" if self.met_at > self.due_at else "met"
        if self.ended_at is not None:
            return "ended"
        if self.paused_at is not None:
            return "paused"
        return "breached" if now >= self.due_at else "runs"


def as_clock(row: Row[Any]) -> Clock:
    """Return the clock of a row."""
    values = {each.name: row._mapping[each.name] for each in fields(Clock)}
    return Clock(**{**values, "duty": Duty(values["duty"])})


def clocks_of(connection: Connection, case_id: int) -> list[Clock]:
    """Return the clocks of a case, in the order in which they were started."""
    query = select(CLOCKS).where(CLOCKS.c.case_id == case_id).order_by(CLOCKS.c.id)
    return [as_clock(row) for row in connection.execute(query)]


def start(connection: Connection, rules: RecallRules, notice_id: int, now: dt.datetime) -> list[Clock]:
    """Start the clocks of a notice, within the transaction that takes it in."""
    notice = connection.execute(select(_NOTICES).where(_NOTICES.c.id == notice_id)).one()
    kind = NoticeKind(notice.kind)
    calendar = rules.calendar(kind, notice.country, notice.region, notice.zone)
    for rule in rules.clocks.by_kind[kind]:
        ends = ends_of(rule, notice.received_at, calendar)
        values = {
            "case_id": notice.case_id,
            "notice_id": notice_id,
            "duty": rule.duty.value,
            "amount": rule.amount,
            "unit": rule.unit,
            "basis": rule.basis,
            "country": calendar.country if calendar is rules.home else notice.country,
            "region": calendar.subdivision,
            "zone": calendar.zone,
            "started_at": notice.received_at,
            "target_at": ends.target,
            "due_at": ends.due,
            "first_due_at": ends.due,
        }
        key = connection.execute(insert(CaseClockRow).values(**values).returning(CLOCKS.c.id)).scalar_one()
        facts = {"clock": key, "duty": rule.duty.value, "due": ends.due.isoformat(), "basis": rule.basis}
        append(connection, now, SERVER, CaseAct.CLOCK_STARTED, notice.case_id, facts)
    refresh(connection, notice.case_id)
    return [clock for clock in clocks_of(connection, notice.case_id) if clock.notice_id == notice_id]


def meet(connection: Connection, case_id: int, duty: Duty, at: dt.datetime, now: dt.datetime) -> None:
    """Note that a duty was done at a moment: every clock of it that has not ended is met."""
    for clock in clocks_of(connection, case_id):
        if clock.duty is not duty or clock.met_at is not None or clock.ended_at is not None:
            continue
        if clock.paused_at is None and clock.breached_at is None and at > clock.due_at:
            _breach(connection, clock, now)
        _change(connection, clock.id, met_at=at)
        facts = {"clock": clock.id, "duty": duty.value, "at": at.isoformat(), "late": at > clock.due_at}
        append(connection, now, SERVER, CaseAct.CLOCK_MET, case_id, facts)
    refresh(connection, case_id)


def end(connection: Connection, case_id: int, why: str, now: dt.datetime) -> None:
    """Stop every clock of a case for good: what was to be done fell away."""
    for clock in clocks_of(connection, case_id):
        if clock.met_at is None and clock.ended_at is None:
            _change(connection, clock.id, ended_at=now)
            append(connection, now, SERVER, CaseAct.CLOCK_ENDED, case_id, {"clock": clock.id, "why": why})
    refresh(connection, case_id)


def refresh(connection: Connection, case_id: int) -> None:
    """Bring the end that a case is ordered by up to date: the earliest of the clocks on which time passes."""
    running = and_(RUNS, CLOCKS.c.case_id == case_id, CLOCKS.c.paused_at.is_(None))
    earliest = connection.execute(select(func.min(CLOCKS.c.due_at, type_=CLOCKS.c.due_at.type)).where(running))
    connection.execute(update(RecallCaseRow).where(_CASES.c.id == case_id).values(due_at=earliest.scalar_one()))


@dataclass(frozen=True)
class Swept:
    """What a look at all clocks found."""

    warned: Sequence[Clock]
    breached: Sequence[Clock]


@dataclass(frozen=True)
class Clocks:
    """Acts of people on clocks, and the look at all of them. Its methods block: call them from a thread.

    Parameters
    ----------
    engine : Engine
    rules : RecallRules
    """

    engine: Engine
    rules: RecallRules

    def pause(self, clock_id: int, person: str, reason: str, now: dt.datetime) -> Clock:
        """Let a clock stand still.

        Raises
        ------
        RecallConflictError
            If it does not run.
        RecallRefusedError
            Without a reason.
        """
        _check_reason(reason)
        with one_at_a_time(self.engine, ACTS) as connection:
            clock = _running(connection, clock_id, now)
            _change(connection, clock_id, paused_at=now)
            append(connection, now, person, CaseAct.CLOCK_PAUSED, clock.case_id, {"clock": clock_id, "reason": reason})
            refresh(connection, clock.case_id)
            return _get(connection, clock_id)

    def resume(self, clock_id: int, person: str, now: dt.datetime) -> Clock:
        """Let a clock go on; the working days that began meanwhile are added at its end.

        Raises
        ------
        RecallConflictError
            If it does not stand still.
        """
        with one_at_a_time(self.engine, ACTS) as connection:
            clock = _get(connection, clock_id)
            if clock.paused_at is None or clock.met_at is not None or clock.ended_at is not None:
                raise RecallConflictError(f"Clock {clock_id} does not stand still: it is {clock.state(now)}.")
            due = resumed(clock.due_at, clock.paused_at, now, self._calendar(connection, clock))
            _change(connection, clock_id, paused_at=None, due_at=due, warned_at=None)
            new = {"clock": clock_id, "due": due.isoformat()}
            append(
                connection, now, person, CaseAct.CLOCK_RESUMED, clock.case_id, new, {"due": clock.due_at.isoformat()}
            )
            refresh(connection, clock.case_id)
            return _get(connection, clock_id)

    def extend(self, clock_id: int, until: dt.datetime, person: str, reason: str, now: dt.datetime) -> Clock:
        """Give a clock a later end, as who set the period has granted it.

        Raises
        ------
        RecallConflictError
            If it does not run.
        RecallRefusedError
            Without a reason, or if the end is not later.
        """
        _check_reason(reason)
        with one_at_a_time(self.engine, ACTS) as connection:
            clock = _running(connection, clock_id, now, breached=True)
            if until <= max(clock.due_at, now):
                hint = f"give a moment after {max(clock.due_at, now).isoformat(timespec='minutes')}"
                raise RecallRefusedError("until", f"{until.isoformat()} is no later end", hint, until.isoformat())
            _change(connection, clock_id, due_at=until, warned_at=None, breached_at=None)
            new = {"clock": clock_id, "due": until.isoformat(), "reason": reason}
            append(
                connection, now, person, CaseAct.CLOCK_EXTENDED, clock.case_id, new, {"due": clock.due_at.isoformat()}
            )
            refresh(connection, clock.case_id)
            return _get(connection, clock_id)

    def sweep(self, now: dt.datetime) -> Swept:
        """Note which clocks end soon, and which have ended without being met; each once."""
        soon = and_(CLOCKS.c.warned_at.is_(None), CLOCKS.c.due_at <= now + self.rules.warn)
        over = and_(CLOCKS.c.breached_at.is_(None), CLOCKS.c.due_at <= now)
        query = select(CLOCKS).where(RUNS, CLOCKS.c.paused_at.is_(None), or_(soon, over)).order_by(CLOCKS.c.due_at)
        with self.engine.connect() as connection:
            if connection.execute(query.limit(1)).first() is None:  # so nearly always: then nobody need wait
                return Swept([], [])
        warned, breached = [], []
        with one_at_a_time(self.engine, ACTS) as connection:
            for clock in map(as_clock, connection.execute(query).all()):
                if clock.due_at <= now:
                    _breach(connection, clock, now)
                    breached.append(clock)
                elif clock.warned_at is None:
                    _change(connection, clock.id, warned_at=now)
                    facts = {"clock": clock.id, "duty": clock.duty.value, "due": clock.due_at.isoformat()}
                    append(connection, now, SERVER, CaseAct.CLOCK_WARNED, clock.case_id, facts)
                    warned.append(clock)
        return Swept(warned, breached)

    def counts(self, now: dt.datetime) -> dict[str, dict[str, int]]:
        """Return, by duty, how many clocks run, stand still, end soon and are breached."""
        query = select(CLOCKS).where(RUNS)
        found = {duty.value: dict.fromkeys(("running", "paused", "soon", "breached"), 0) for duty in Duty}
        with self.engine.connect() as connection:
            for clock in map(as_clock, connection.execute(query)):
                of_duty = found[clock.duty.value]
                if clock.paused_at is not None:
                    of_duty["paused"] += 1
                    continue
                of_duty["running"] += 1
                of_duty["breached"] += clock.due_at <= now
                of_duty["soon"] += now < clock.due_at <= now + self.rules.warn
        return found

    def _calendar(self, connection: Connection, clock: Clock) -> WorkCalendar:
        query = select(_NOTICES).where(_NOTICES.c.id == clock.notice_id)
        notice = connection.execute(query).one()
        return self.rules.calendar(NoticeKind(notice.kind), notice.country, clock.region, clock.zone)


def _get(connection: Connection, clock_id: int) -> Clock:
    row = connection.execute(select(CLOCKS).where(CLOCKS.c.id == clock_id)).one_or_none()
    if row is None:
        raise NoRecallError(f"There is no clock {clock_id}.")
    return as_clock(row)


def _running(connection: Connection, clock_id: int, now: dt.datetime, *, breached: bool = False) -> Clock:
    clock = _get(connection, clock_id)
    state = clock.state(now)
    if state != "runs" and not (breached and state == "breached"):
        raise RecallConflictError(f"Clock {clock_id} does not run: it is {state}.")
    return clock


def _breach(connection: Connection, clock: Clock, now: dt.datetime) -> None:
    _change(connection, clock.id, breached_at=clock.due_at)
    facts = {"clock": clock.id, "duty": clock.duty.value, "due": clock.due_at.isoformat()}
    append(connection, now, SERVER, CaseAct.CLOCK_BREACHED, clock.case_id, facts)


def _change(connection: Connection, clock_id: int, **values: Any) -> None:
    connection.execute(update(CaseClockRow).where(CLOCKS.c.id == clock_id).values(**values))


def _check_reason(reason: str) -> None:
    if not reason.strip():
        raise RecallRefusedError("reason", "there is none", "say why in a few words")
