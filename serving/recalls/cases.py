"""Cases as they stand, and what brings them further: each step is noted once it is done."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import ColumnElement, Connection, Engine, TextClause, and_, case, func, or_, select, update

from models.deadlines.clocks import Duty
from serving.recalls import clocks
from serving.recalls.alerts import ALERTS, KeptAlert, as_kept
from serving.recalls.errors import NoRecallError, RecallConflictError, RecallRefusedError
from serving.recalls.events import ACTS, SERVER, CaseEvent, append, events
from serving.recalls.words import STEPS, CaseAct, MatchState
from serving.store.database import one_at_a_time
from serving.store.recall_tables import (
    OPEN,
    UNANSWERED,
    CaseMatchRow,
    CaseNoticeRow,
    RecallCaseRow,
    TakedownOrderRow,
)

CASES = RecallCaseRow.__table__
_MATCHES = CaseMatchRow.__table__
_ORDERS = TakedownOrderRow.__table__
_NOTICES = CaseNoticeRow.__table__
Condition = ColumnElement[bool] | TextClause


@dataclass(frozen=True)
class RecallCase:
    """The work on one alert; the columns of its row."""

    id: int
    alert_id: str
    kind: str
    authority: str
    country: str
    received_at: dt.datetime
    due_at: dt.datetime | None
    search_wanted_at: dt.datetime | None
    search_started_at: dt.datetime | None
    search_finished_at: dt.datetime | None
    search_failure: str
    looked_at: int | None
    identified_at: dt.datetime | None
    ordered_at: dt.datetime | None
    removed_at: dt.datetime | None
    sellers_informed_at: dt.datetime | None
    informed_at: dt.datetime | None
    answer: str
    answered_at: dt.datetime | None
    closed_at: dt.datetime | None

    @property
    def searched(self) -> bool:
        """Whether the store was searched for all that is known of the alert now."""
        wanted, finished = self.search_wanted_at, self.search_finished_at
        return finished is not None and (wanted is None or finished >= wanted)

    @property
    def steps(self) -> list[tuple[str, dt.datetime | None]]:
        """How far it has come: each step in words, with when it was done."""
        return [(word, getattr(self, instant)) for word, instant in STEPS.items()]

    @property
    def state(self) -> str:
        """Return what is to be done next: ``search``, ``identify``, ``remove``, ``answer``, ``close`` or ``closed``."""
        if self.closed_at is not None:
            return "closed"
        if not self.searched:
            return "search"
        if self.identified_at is None:
            return "identify"
        if self.removed_at is None:
            return "remove"
        return "answer" if self.answered_at is None and self.kind != "monitoring" else "close"


@dataclass(frozen=True)
class Counts:
    """Matches and takedown orders of a case."""

    proposed: int = 0
    confirmed: int = 0
    refused: int = 0
    relisted: int = 0
    ordered: int = 0
    removed: int = 0
    removal_refused: int = 0

    @property
    def waiting(self) -> int:
        """Orders without a receipt."""
        return self.ordered - self.removed - self.removal_refused


@dataclass(frozen=True)
class Notice:
    """One receipt of the alert; the columns of its row."""

    id: int
    document_id: int
    kind: str
    authority: str
    country: str
    region: str
    zone: str
    reference: str
    received_at: dt.datetime
    said: dict[str, Any]


@dataclass(frozen=True)
class CaseFilter:
    """Which cases to show; what is empty asks for nothing.

    Parameters
    ----------
    state : str
        ``open``, ``closed`` or ``all``.
    due : str
        ``overdue``, ``soon`` (within 24 hours) or empty.
    work : str
        ``match`` (matches wait to be judged), ``receipt`` (takedown orders without a receipt), ``answer`` (removed and
        not answered) or empty.
    text : str
        Part of title or brand, or a reference.
    """

    state: str = "open"
    kind: str = ""
    due: str = ""
    work: str = ""
    country: str = ""
    text: str = ""

    def query(self) -> str:
        """Return the filter as the query of an address."""
        return urlencode({name: value for name, value in vars(self).items() if value})

    def conditions(self, now: dt.datetime) -> list[Condition]:
        """Return the filter as conditions on cases joined with their alerts."""
        found: list[Condition] = []
        if self.state == "open":
            found.append(OPEN)
        elif self.state == "closed":
            found.append(CASES.c.closed_at.is_not(None))
        if self.kind:
            found.append(CASES.c.kind == self.kind)
        if self.country:
            found.append(CASES.c.country == self.country.upper())
        if self.due:
            found.append(CASES.c.due_at <= (now if self.due == "overdue" else now + dt.timedelta(days=1)))
        if self.work == "match":
            waits = and_(_MATCHES.c.case_id == CASES.c.id, _MATCHES.c.state == MatchState.PROPOSED.value)
            found.append(select(_MATCHES.c.id).where(waits).exists())
        elif self.work == "receipt":
            found.append(select(_ORDERS.c.id).where(_ORDERS.c.case_id == CASES.c.id, UNANSWERED).exists())
        elif self.work == "answer":
            found.append(and_(CASES.c.removed_at.is_not(None), CASES.c.answered_at.is_(None)))
        if self.text:
            like = [ALERTS.c[name].icontains(self.text, autoescape=True) for name in ("title", "brand", "reference")]
            found.append(or_(*like))
        return found


@dataclass(frozen=True)
class CaseLine:
    """A case in a list."""

    case: RecallCase
    alert: KeptAlert
    counts: Counts


def as_case(values: Any) -> RecallCase:
    """Return the case of a row's mapping."""
    return RecallCase(**{each.name: values[each.name] for each in fields(RecallCase)})


def get_case(connection: Connection, case_id: int) -> RecallCase:
    """Return a case.

    Raises
    ------
    NoRecallError
        If there is none of that number.
    """
    row = connection.execute(select(CASES).where(CASES.c.id == case_id)).one_or_none()
    if row is None:
        raise NoRecallError(f"There is no case {case_id}.")
    return as_case(row._mapping)


def open_case(connection: Connection, case_id: int) -> RecallCase:
    """Return a case that is not closed.

    Raises
    ------
    RecallConflictError
        If it is.
    """
    found = get_case(connection, case_id)
    if found.closed_at is not None:
        raise RecallConflictError(f"Case {case_id} is closed; open it again first.")
    return found


def change_case(connection: Connection, case_id: int, **values: Any) -> None:
    """Write columns of a case."""
    connection.execute(update(RecallCaseRow).where(CASES.c.id == case_id).values(**values))


def counts_of(connection: Connection, case_ids: Sequence[int]) -> dict[int, Counts]:
    """Count matches and takedown orders of cases."""

    def sums(condition: ColumnElement[bool]) -> ColumnElement[int]:
        return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)

    stands = [sums(_MATCHES.c.state == state.value) for state in MatchState]
    matches = select(_MATCHES.c.case_id, *stands, sums(_MATCHES.c.relisted)).where(_MATCHES.c.case_id.in_(case_ids))
    orders = select(
        _ORDERS.c.case_id,
        func.count(),
        sums(_ORDERS.c.removed_at.is_not(None)),
        sums(and_(_ORDERS.c.refused != "", _ORDERS.c.removed_at.is_(None))),
    ).where(_ORDERS.c.case_id.in_(case_ids), _ORDERS.c.withdrawn_at.is_(None))
    found = {key: [0, 0, 0, 0, 0, 0, 0] for key in case_ids}
    for row in connection.execute(matches.group_by(_MATCHES.c.case_id)):
        found[row[0]][:4] = [int(n) for n in row[1:]]
    for row in connection.execute(orders.group_by(_ORDERS.c.case_id)):
        found[row[0]][4:] = [int(n) for n in row[1:]]
    return {key: Counts(*numbers) for key, numbers in found.items()}


def settle(connection: Connection, case_id: int, now: dt.datetime, actor: str = SERVER) -> RecallCase:
    """Note what a case has come to: everything identified, everything removed.

    Called within the transaction of whatever may have brought it there.
    """
    found = get_case(connection, case_id)
    counts = counts_of(connection, [case_id])[case_id]
    if found.searched and counts.proposed == 0 and found.identified_at is None:
        change_case(connection, case_id, identified_at=now)
        facts = {"looked_at": found.looked_at, "confirmed": counts.confirmed, "refused": counts.refused}
        append(connection, now, actor, CaseAct.IDENTIFIED, case_id, facts)
        clocks.meet(connection, case_id, Duty.IDENTIFY, now, now)
        found = get_case(connection, case_id)
    done = found.identified_at is not None and counts.proposed == 0 and counts.removed == counts.ordered
    if done and found.removed_at is None:
        at = _last_removal(connection, case_id) or found.identified_at
        assert at is not None
        change_case(connection, case_id, removed_at=at)
        append(connection, now, actor, CaseAct.ALL_REMOVED, case_id, {"removed": counts.removed, "at": at.isoformat()})
        clocks.meet(connection, case_id, Duty.REMOVE, at, now)
    elif not done and found.removed_at is not None:
        change_case(connection, case_id, removed_at=None)
    return get_case(connection, case_id)


def _last_removal(connection: Connection, case_id: int) -> dt.datetime | None:
    latest = func.max(_ORDERS.c.removed_at, type_=_ORDERS.c.removed_at.type)
    in_force = and_(_ORDERS.c.case_id == case_id, _ORDERS.c.withdrawn_at.is_(None))
    found: dt.datetime | None = connection.execute(select(latest).where(in_force)).scalar_one()
    return found


@dataclass(frozen=True)
class Cases:
    """Reads cases, closes and opens them. Its methods block: call them from a thread.

    Parameters
    ----------
    engine : Engine
    """

    engine: Engine

    def page(self, chosen: CaseFilter, now: dt.datetime, limit: int = 50, after: int = 0) -> list[CaseLine]:
        """Return cases, those whose time ends first first; closed ones newest first.

        Parameters
        ----------
        after : int
            How many to pass over.
        """
        query = select(CASES, ALERTS).join(ALERTS, ALERTS.c.id == CASES.c.alert_id).where(*chosen.conditions(now))
        if chosen.state == "open":
            query = query.order_by(CASES.c.due_at.is_(None), CASES.c.due_at, CASES.c.id)
        else:
            query = query.order_by(CASES.c.received_at.desc(), CASES.c.id.desc())
        with self.engine.connect() as connection:
            rows = connection.execute(query.limit(limit).offset(after)).all()
            found = [(as_case(_of(row, CASES)), as_kept(_of(row, ALERTS))) for row in rows]
            counts = counts_of(connection, [each.id for each, _ in found]) if found else {}
        return [CaseLine(each, alert, counts[each.id]) for each, alert in found]

    def count(self, chosen: CaseFilter, now: dt.datetime) -> int:
        """Return how many cases a filter finds."""
        query = select(func.count()).select_from(CASES).join(ALERTS, ALERTS.c.id == CASES.c.alert_id)
        with self.engine.connect() as connection:
            return connection.execute(query.where(*chosen.conditions(now))).scalar_one()

    def get(self, case_id: int) -> CaseLine:
        """Return one case.

        Raises
        ------
        NoRecallError
            If there is none of that number.
        """
        with self.engine.connect() as connection:
            found = get_case(connection, case_id)
            alert = as_kept(connection.execute(select(ALERTS).where(ALERTS.c.id == found.alert_id)).one())
            return CaseLine(found, alert, counts_of(connection, [case_id])[case_id])

    def of_alert(self, alert_id: str) -> int | None:
        """Return the number of an alert's case, None where it has none."""
        with self.engine.connect() as connection:
            return connection.execute(select(CASES.c.id).where(CASES.c.alert_id == alert_id)).scalar_one_or_none()

    def notices(self, case_id: int) -> list[Notice]:
        """Return the receipts of a case, first one first."""
        columns = [_NOTICES.c[each.name] for each in fields(Notice)]
        query = select(*columns).where(_NOTICES.c.case_id == case_id).order_by(_NOTICES.c.id)
        with self.engine.connect() as connection:
            return [Notice(*row) for row in connection.execute(query)]

    def clocks(self, case_id: int) -> list[clocks.Clock]:
        """Return the clocks of a case."""
        with self.engine.connect() as connection:
            return clocks.clocks_of(connection, case_id)

    def history(self, case_id: int) -> list[CaseEvent]:
        """Return the acts on a case, oldest first."""
        with self.engine.connect() as connection:
            return list(events(connection, case_id))

    def close(self, case_id: int, person: str, reason: str, now: dt.datetime) -> None:
        """Close a case: nothing is left to do.

        Raises
        ------
        RecallConflictError
            If something is: matches to judge, orders without a removal, a search under way.
        RecallRefusedError
            Without a reason.
        """
        if not reason.strip():
            raise RecallRefusedError("reason", "there is none", "say in a few words how it ended")
        with one_at_a_time(self.engine, ACTS) as connection:
            found = open_case(connection, case_id)
            alert = connection.execute(select(ALERTS.c.withdrawn_at).where(ALERTS.c.id == found.alert_id)).one()
            left = {"search": "the store was not searched", "identify": "matches wait to be judged",
                    "remove": "listings are not removed", "answer": "nobody was answered"}.get(found.state)  # fmt: skip
            if left is not None and alert.withdrawn_at is None:
                raise RecallConflictError(f"Case {case_id} cannot be closed: {left}.")
            change_case(connection, case_id, closed_at=now)
            append(connection, now, person, CaseAct.CLOSED, case_id, {"reason": reason})
            clocks.end(connection, case_id, "the case was closed", now)

    def reopen(self, case_id: int, person: str, reason: str, now: dt.datetime) -> None:
        """Open a closed case again.

        Raises
        ------
        RecallConflictError
            If it is not closed.
        """
        with one_at_a_time(self.engine, ACTS) as connection:
            if get_case(connection, case_id).closed_at is None:
                raise RecallConflictError(f"Case {case_id} is open.")
            change_case(connection, case_id, closed_at=None)
            append(connection, now, person, CaseAct.REOPENED, case_id, {"why": reason})

    def want_search(self, case_id: int, person: str, now: dt.datetime) -> None:
        """Have the store searched for a case's alert once more."""
        with one_at_a_time(self.engine, ACTS) as connection:
            open_case(connection, case_id)
            change_case(connection, case_id, search_wanted_at=now)
            append(connection, now, person, CaseAct.SEARCH_WANTED, case_id, {})


def _of(row: Any, table: Any) -> dict[str, Any]:
    """Columns of one of two joined tables, whose names they share."""
    return {column.name: row._mapping[column] for column in table.c}
