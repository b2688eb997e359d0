"""Reads from the tables of the recall desk what the figures are counted from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine, select

from models.deadlines.calendar import WorkCalendar
from serving.figures.counting import HandledCase, IdentifiedListing, Origin, PledgeFigures, pledge_figures
from serving.store.recall_tables import AlertRow, CaseMatchRow, RecallCaseRow, TakedownOrderRow

_CASES, _ALERTS = RecallCaseRow.__table__, AlertRow.__table__
_MATCHES, _ORDERS = CaseMatchRow.__table__, TakedownOrderRow.__table__
_CONFIRMED = "confirmed"
_ORIGINS = {
    "order": Origin.AUTHORITY,
    "authority_notice": Origin.AUTHORITY,
    "monitoring": Origin.MONITORING,
}
"""By the case's kind of notice; any other is of others."""


def figures_of(
    engine: Engine, first: dt.date, last: dt.date, calendar: WorkCalendar, as_of: dt.datetime
) -> PledgeFigures:
    """Count the figures of a period from what is kept. It blocks: call it from a thread."""
    begin = dt.datetime.combine(first, dt.time(), ZoneInfo(calendar.zone)).astimezone(dt.UTC)
    end = calendar.end_of(last)
    with engine.connect() as connection:
        listings = list(_listings(connection, begin, end))
        cases = list(_cases(connection, begin, end))
    return pledge_figures(listings, cases, first, last, calendar, as_of)


def _listings(connection: Connection, begin: dt.datetime, end: dt.datetime) -> Iterable[IdentifiedListing]:
    in_period = (_MATCHES.c.state == _CONFIRMED, _MATCHES.c.judged_at >= begin, _MATCHES.c.judged_at < end)
    orders = (
        select(_ORDERS.c.match_id, _ORDERS.c.removed_at)
        .join(_MATCHES, _MATCHES.c.id == _ORDERS.c.match_id)
        .where(*in_period, _ORDERS.c.withdrawn_at.is_(None))
        .order_by(_ORDERS.c.ordered_at, _ORDERS.c.id)
    )
    # The newest order counts, where a product was put up again.
    removed: dict[int, dt.datetime | None] = dict(tuple(row) for row in connection.execute(orders))
    found = (
        select(
            _MATCHES.c.id,
            _MATCHES.c.case_id,
            _MATCHES.c.judged_at,
            _MATCHES.c.relisted,
            _CASES.c.kind,
            _CASES.c.authority,
            _CASES.c.country,
            _ALERTS.c.category,
        )
        .join(_CASES, _CASES.c.id == _MATCHES.c.case_id)
        .join(_ALERTS, _ALERTS.c.id == _CASES.c.alert_id)
        .where(*in_period)
        .order_by(_MATCHES.c.id)
    )
    for row in connection.execute(found):
        yield IdentifiedListing(
            case_id=row.case_id,
            origin=_origin(row.kind),
            authority=row.authority,
            country=row.country,
            category=row.category,
            identified_at=row.judged_at,
            removed_at=removed.get(row.id),
            relisted=row.relisted,
        )


def _cases(connection: Connection, begin: dt.datetime, end: dt.datetime) -> Iterable[HandledCase]:
    query = select(
        _CASES.c.id, _CASES.c.kind, _CASES.c.received_at, _CASES.c.identified_at, _CASES.c.informed_at
    ).where(_CASES.c.received_at >= begin, _CASES.c.received_at < end)
    for row in connection.execute(query.order_by(_CASES.c.id)):
        yield HandledCase(row.id, _origin(row.kind), row.received_at, row.identified_at, row.informed_at)


def _origin(kind: Any) -> Origin:
    return _ORIGINS.get(kind, Origin.OTHER)
