"""The send list of a case: who is to get the notice, and what came of it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, func, insert, select, tuple_, update

from models.notices.notice import language_for
from serving.api.problems import FieldError
from serving.buyers.lines import LineStatus, OrderLine, Receipt, Refused
from serving.hooks.kinds import NOTICE_READY
from serving.hooks.outbox import Outbox
from serving.recalls.events import ACTS, SERVER, append
from serving.recalls.words import CaseAct, Informed
from serving.store.buyer_tables import BuyerCountRow, BuyerLineRow, RecallNoticeRow
from serving.store.database import one_at_a_time, wait_for_turn
from serving.store.recall_tables import CaseMatchRow, RecallCaseRow

LINES, COUNTS, NOTICES = BuyerLineRow.__table__, BuyerCountRow.__table__, RecallNoticeRow.__table__
_CASES, _MATCHES = RecallCaseRow.__table__, CaseMatchRow.__table__
BUYERS = 0x42555945  # "BUYE"
"""Key under which acts on send lists are done one after another. Whoever also takes that of cases takes this first."""
_AT_ONCE = 500
_MOST_REFUSALS = 100
_T = TypeVar("_T")


class NoSuchCaseError(LookupError):
    """There is no case of that number."""


@dataclass
class Taken:
    """What became of the rows of an upload.

    Parameters
    ----------
    taken, changed, known : int
        New; known with other contact data, which now counts; known as they are.
    refused : list of Refused
        The first hundred; `refusals` counts all.
    """

    taken: int = 0
    changed: int = 0
    known: int = 0
    refusals: int = 0
    refused: list[Refused] = field(default_factory=list)

    def refuse(self, refused: Refused) -> None:
        """Note a row that was not taken."""
        self.refusals += 1
        if len(self.refused) < _MOST_REFUSALS:
            self.refused.append(refused)


@dataclass(frozen=True)
class BuyerCounts:
    """How many lines a case has, told apart; lines that were deleted count too.

    Parameters
    ----------
    kept : int
        Lines whose personal data is still here.
    """

    lines: int
    kept: int
    by_status: Mapping[str, int]
    by_language: Mapping[str, int]
    by_country: Mapping[str, int]


class BuyerList:
    """Send lists of all cases. Its methods block: call them from a thread.

    Parameters
    ----------
    engine : Engine
    keep : timedelta
        How long a line is kept after it was handed over.
    """

    def __init__(self, engine: Engine, keep: dt.timedelta) -> None:
        self.engine = engine
        self.keep = keep

    def take(self, case_id: int, rows: Iterable[OrderLine | Refused], now: dt.datetime) -> Taken:
        """Add order lines to a case; a line that is there already is not added twice.

        Raises
        ------
        NoSuchCaseError
        """
        result = Taken()
        confirmed = self._confirmed(case_id)
        for part in _parts(rows):
            good = []
            for row in part:
                if isinstance(row, Refused):
                    result.refuse(row)
                elif row.listing_id not in confirmed:
                    result.refuse(_not_confirmed(row, case_id))
                else:
                    good.append(row)
            if good:
                self._keep(case_id, good, now, result)
        return result

    def receipts(self, case_id: int, rows: Iterable[Receipt | Refused], now: dt.datetime) -> Taken:
        """Note what became of notices; the same receipt twice changes nothing.

        Raises
        ------
        NoSuchCaseError
        """
        result = Taken()
        self._confirmed(case_id)
        for part in _parts(rows):
            with one_at_a_time(self.engine, BUYERS) as connection:
                for row in part:
                    if isinstance(row, Refused):
                        result.refuse(row)
                    else:
                        _note(connection, case_id, row, now, result)
                _settle(connection, case_id, now)
        return result

    def counts(self, case_id: int) -> BuyerCounts:
        """Count the lines of a case.

        Raises
        ------
        NoSuchCaseError
        """
        self._confirmed(case_id)
        keys = (LINES.c.status, LINES.c.notice_language, LINES.c.country)
        with self.engine.connect() as connection:
            here = connection.execute(
                select(*keys, func.count()).where(LINES.c.case_id == case_id).group_by(*keys)
            ).all()
            gone = connection.execute(
                select(COUNTS.c.status, COUNTS.c.language, COUNTS.c.country, COUNTS.c.n).where(
                    COUNTS.c.case_id == case_id
                )
            ).all()
        by: list[Counter[str]] = [Counter(), Counter(), Counter()]
        for *names, n in (*here, *gone):
            for counter, name in zip(by, names, strict=True):
                counter[name] += n
        status, language, country = (dict(sorted(counter.items())) for counter in by)
        kept = sum(row[3] for row in here)
        return BuyerCounts(sum(status.values()), kept, status, language, country)

    def lines(self, case_id: int, status: LineStatus | None = None) -> Iterator[Mapping[str, Any]]:
        """Yield the lines of a case, some in memory at a time."""
        after = 0
        while True:
            query = select(LINES).where(LINES.c.case_id == case_id, LINES.c.id > after)
            if status is not None:
                query = query.where(LINES.c.status == status.value)
            with self.engine.connect() as connection:
                rows = connection.execute(query.order_by(LINES.c.id).limit(_AT_ONCE)).all()
            for row in rows:
                yield row._asdict()
            if len(rows) < _AT_ONCE:
                return
            after = rows[-1].id

    def _confirmed(self, case_id: int) -> frozenset[str]:
        """Return the listings that were confirmed in a case."""
        with self.engine.connect() as connection:
            if connection.execute(select(_CASES.c.id).where(_CASES.c.id == case_id)).first() is None:
                raise NoSuchCaseError(case_id)
            query = select(_MATCHES.c.listing_id).where(_MATCHES.c.case_id == case_id, _MATCHES.c.state == "confirmed")
            return frozenset(connection.execute(query).scalars())

    def _keep(self, case_id: int, lines: Sequence[OrderLine], now: dt.datetime, result: Taken) -> None:
        wanted = {(line.order_id, line.listing_id): line for line in lines}
        result.known += len(lines) - len(wanted)
        with one_at_a_time(self.engine, BUYERS) as connection:
            place = tuple_(LINES.c.order_id, LINES.c.listing_id)
            query = select(LINES).where(LINES.c.case_id == case_id, place.in_(list(wanted)))
            here = {(row.order_id, row.listing_id): row for row in connection.execute(query)}
            changed = 0
            for key, row in here.items():
                values = _contact(wanted.pop(key))
                if row.status in (LineStatus.QUEUED, LineStatus.BOUNCED) and any(
                    row._mapping[name] != value for name, value in values.items()
                ):
                    again = {**values, "status": LineStatus.QUEUED.value, "bounced_at": None, "sent_at": None}
                    connection.execute(update(BuyerLineRow).where(LINES.c.id == row.id).values(**again))
                    changed += 1
                else:
                    result.known += 1
            fresh = [self._row(case_id, line, now) for line in wanted.values()]
            if fresh:
                connection.execute(insert(BuyerLineRow), fresh)
            _settle(connection, case_id, now)
            if fresh or changed:
                tell_ready(connection, case_id, now, uuid.uuid4().hex)
        result.taken += len(fresh)
        result.changed += changed

    def _row(self, case_id: int, line: OrderLine, now: dt.datetime) -> dict[str, Any]:
        return {
            "case_id": case_id,
            "order_id": line.order_id,
            "listing_id": line.listing_id,
            **_contact(line),
            "status": LineStatus.QUEUED.value,
            "received_at": now,
            "remedy": "",
            "forget_at": now + self.keep,
        }


def tell_ready(connection: Connection, case_id: int, now: dt.datetime, occasion: str) -> None:
    """Tell the marketplace that notices wait, in the transaction that makes them wait; nothing where none do."""
    notice = connection.execute(select(NOTICES).where(NOTICES.c.case_id == case_id)).one_or_none()
    if notice is None or notice.released_version is None:
        return
    waits = (LINES.c.case_id == case_id, LINES.c.status == LineStatus.QUEUED.value)
    queued = connection.execute(select(func.count()).select_from(LINES).where(*waits)).scalar_one()
    if not queued:
        return
    languages = connection.execute(select(LINES.c.notice_language).where(*waits).distinct()).scalars()
    body = {
        "case_id": case_id,
        "version": notice.released_version,
        "queued": queued,
        "languages": sorted(languages),
        "at": now,
    }
    key = f"case:{case_id}:{notice.released_version}:{occasion}"
    Outbox.put(connection, NOTICE_READY, key, body, subject=f"case:{case_id}")


def _contact(line: OrderLine) -> dict[str, Any]:
    return {
        "notice_language": language_for(line.language, line.country),
        "buyer": line.buyer,
        "channel": line.channel.value,
        "address": line.address,
        "language": line.language,
        "country": line.country,
        "bought_on": line.bought_on,
        "quantity": line.quantity,
    }


def _parts(rows: Iterable[_T]) -> Iterator[list[_T]]:
    stream = iter(rows)
    while part := list(islice(stream, _AT_ONCE)):
        yield part


def _not_confirmed(line: OrderLine, case_id: int) -> Refused:
    error = FieldError(
        field="listing_id",
        value=line.listing_id,
        message=f"is not confirmed in case {case_id}",
        hint="hand over the orders of confirmed listings only",
    )
    return Refused(f"order {line.order_id}", (error,))


def _note(connection: Connection, case_id: int, receipt: Receipt, now: dt.datetime, result: Taken) -> None:
    of_line = (
        LINES.c.case_id == case_id,
        LINES.c.order_id == receipt.order_id,
        LINES.c.listing_id == receipt.listing_id,
    )
    row = connection.execute(select(LINES).where(*of_line)).one_or_none()
    problem = _receipt_problem(receipt, row is not None, now)
    if problem is not None or row is None:
        assert problem is not None
        result.refuse(Refused(f"order {receipt.order_id}", (problem,)))
        return
    moments = {name: row._mapping[f"{name}_at"] for name in ("sent", "bounced", "remedied")}
    if moments[receipt.status] is not None and moments[receipt.status] >= receipt.at:
        result.known += 1
        return
    moments[receipt.status] = receipt.at
    values = {f"{name}_at": moment for name, moment in moments.items()}
    values["status"] = status_of(**moments).value
    values["remedy"] = receipt.remedy.value if receipt.remedy else row.remedy
    connection.execute(update(BuyerLineRow).where(LINES.c.id == row.id).values(**values))
    result.taken += 1


def _receipt_problem(receipt: Receipt, known: bool, now: dt.datetime) -> FieldError | None:
    if not known:
        hint = "hand the order line over first; lines are deleted after their time"
        return FieldError(field="order_id", value=receipt.order_id, message="is not in the send list", hint=hint)
    if receipt.at.tzinfo is None:
        shown = receipt.at.isoformat()
        return FieldError(field="at", value=shown, message="has no time zone", hint="write 2026-03-04T10:00:00Z")
    if receipt.at > now + dt.timedelta(minutes=5):
        shown = receipt.at.isoformat()
        return FieldError(field="at", value=shown, message="lies in the future", hint="give when it happened")
    if (receipt.status == "remedied") != (receipt.remedy is not None):
        return FieldError(
            field="remedy", value=receipt.remedy, message="goes with the status remedied", hint="give both or neither"
        )
    return None


def status_of(sent: dt.datetime | None, bounced: dt.datetime | None, remedied: dt.datetime | None) -> LineStatus:
    """Return the status that follows from what happened, whatever the order in which it was told.

    Examples
    --------
    >>> noon = dt.datetime(2026, 3, 4, 12, tzinfo=dt.UTC)
    >>> status_of(noon, noon + dt.timedelta(minutes=1), None).value
    'bounced'
    """
    if remedied is not None:
        return LineStatus.REMEDIED
    if bounced is not None and (sent is None or bounced >= sent):
        return LineStatus.BOUNCED
    return LineStatus.SENT if sent is not None else LineStatus.QUEUED


def _settle(connection: Connection, case_id: int, now: dt.datetime) -> None:
    """Note on the case when its last waiting buyer was written to; new lines take that back. Both are acts of it."""
    of_case = LINES.c.case_id == case_id
    kind = LINES.c.sent_at.type
    waiting, total, last_sent, last_bounced = connection.execute(
        select(
            func.count().filter(LINES.c.status == LineStatus.QUEUED.value),
            func.count(),
            func.max(LINES.c.sent_at, type_=kind),
            func.max(LINES.c.bounced_at, type_=kind),
        ).where(of_case)
    ).one()
    told = [moment for moment in (last_sent, last_bounced) if moment is not None]
    informed = max(told) if told and not waiting else None
    if not total:
        return
    wait_for_turn(connection, ACTS)
    known = connection.execute(select(_CASES.c.informed_at).where(_CASES.c.id == case_id)).scalar_one()
    if informed == known:
        return
    connection.execute(update(RecallCaseRow).where(_CASES.c.id == case_id).values(informed_at=informed))
    if informed is None:
        append(connection, now, SERVER, CaseAct.TO_INFORM, case_id, {"who": Informed.BUYERS.value, "lines": waiting})
    else:
        facts = {"who": Informed.BUYERS.value, "at": informed.isoformat(), "lines": total}
        append(connection, now, SERVER, CaseAct.INFORMED, case_id, facts)
