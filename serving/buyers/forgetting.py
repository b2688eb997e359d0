"""Deletes order lines whose time is over, and keeps how many there were."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Engine, delete, func, select

from serving.buyers.sending import BUYERS, COUNTS, LINES
from serving.store.buyer_tables import BuyerCountRow, BuyerLineRow
from serving.store.database import insert_into, one_at_a_time

_AT_ONCE = 5_000


def forget_buyers(engine: Engine, now: dt.datetime) -> int:
    """Delete what is kept too long, a part in a transaction; return how many lines that were.

    A line is counted in the transaction that deletes it: a crash counts none twice and loses none.
    """
    gone = 0
    while True:
        part = _forget_some(engine, now)
        gone += part
        if part < _AT_ONCE:
            return gone


def _forget_some(engine: Engine, now: dt.datetime) -> int:
    with one_at_a_time(engine, BUYERS) as connection:
        old = select(LINES.c.id).where(LINES.c.forget_at <= now).order_by(LINES.c.forget_at, LINES.c.id).limit(_AT_ONCE)
        ids = list(connection.execute(old).scalars())
        if not ids:
            return 0
        keys = (LINES.c.case_id, LINES.c.country, LINES.c.notice_language, LINES.c.status)
        counted = select(*keys, func.count()).where(LINES.c.id.in_(ids)).group_by(*keys)
        for case_id, country, language, status, n in connection.execute(counted).all():
            adding = insert_into(engine, BuyerCountRow).values(
                case_id=case_id, country=country, language=language, status=status, n=n
            )
            more = {"n": COUNTS.c.n + adding.excluded.n}
            connection.execute(adding.on_conflict_do_update(index_elements=list(COUNTS.primary_key), set_=more))
        connection.execute(delete(BuyerLineRow).where(LINES.c.id.in_(ids)))
        return len(ids)
