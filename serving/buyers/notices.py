"""The recall notice of a case: written, checked in every language, released."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, Row, insert, select, update

from models.domain.errors import InputError
from models.notices.notice import load_wordings, problems_of
from models.notices.recall import Recall
from serving.buyers.sending import BUYERS, NOTICES, NoSuchCaseError, tell_ready
from serving.store.buyer_tables import RecallNoticeRow
from serving.store.database import one_at_a_time
from serving.store.recall_tables import AlertRow, RecallCaseRow

_CASES, _ALERTS = RecallCaseRow.__table__, AlertRow.__table__


class NotReleasedError(Exception):
    """The notice of a case was not written, or not released."""


class NoticeRefusedError(Exception):
    """A notice cannot be released.

    Parameters
    ----------
    problems : list of InputError
        Each with the field, the words and the mend.
    """

    def __init__(self, problems: list[InputError]) -> None:
        self.problems = problems
        super().__init__("; ".join(map(str, problems)))


@dataclass(frozen=True)
class CaseNotice:
    """The notice of a case as it stands.

    Parameters
    ----------
    version : int
        0 for one that was only begun from the alert and never written.
    released : Recall or None
        What may be sent; a later change is not in it until it is released too.
    """

    case_id: int
    version: int
    recall: Recall
    written_by: str = ""
    written_at: dt.datetime | None = None
    released_version: int | None = None
    released: Recall | None = None
    released_by: str | None = None
    released_at: dt.datetime | None = None

    def problems(self, languages: Mapping[str, Any] | None = None) -> list[InputError]:
        """Return what keeps the newest version from being released, in any language, each once."""
        found: dict[str, InputError] = {}
        for language in languages or load_wordings():
            for problem in problems_of(self.recall, language):
                found.setdefault(str(problem), problem)
        return list(found.values())


class NoticeDesk:
    """Notices of all cases. Its methods block: call them from a thread.

    Parameters
    ----------
    engine : Engine
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def get(self, case_id: int) -> CaseNotice:
        """Return the notice of a case; one that was not written yet is begun from the alert.

        Raises
        ------
        NoSuchCaseError
        """
        with self.engine.connect() as connection:
            return _get(connection, case_id)

    def write(self, case_id: int, recall: Recall, person: str, now: dt.datetime) -> CaseNotice:
        """Keep a new version of the notice; what is the same as before makes none.

        Raises
        ------
        NoSuchCaseError
        """
        with one_at_a_time(self.engine, BUYERS) as connection:
            found = _get(connection, case_id)
            if found.version and found.recall == recall:
                return found
            values = {"recall": recall.model_dump(mode="json"), "written_by": person, "written_at": now}
            if found.version:
                changed = update(RecallNoticeRow).where(NOTICES.c.case_id == case_id)
                connection.execute(changed.values(**values, version=found.version + 1))
            else:
                connection.execute(insert(RecallNoticeRow).values(**values, case_id=case_id, version=1))
            return _get(connection, case_id)

    def release(self, case_id: int, person: str, now: dt.datetime) -> CaseNotice:
        """Let the newest version be sent, and tell the marketplace that it can be; again changes nothing.

        Raises
        ------
        NoSuchCaseError
        NotReleasedError
            Where nothing was written.
        NoticeRefusedError
            Where a part is missing or a word softens the risk, in any language.
        """
        with one_at_a_time(self.engine, BUYERS) as connection:
            found = _get(connection, case_id)
            if not found.version:
                raise NotReleasedError(f"The recall notice of case {case_id} is not written.")
            if found.released_version == found.version:
                return found
            if problems := found.problems():
                raise NoticeRefusedError(problems)
            values = {
                "released_version": found.version,
                "released": found.recall.model_dump(mode="json"),
                "released_by": person,
                "released_at": now,
            }
            connection.execute(update(RecallNoticeRow).where(NOTICES.c.case_id == case_id).values(**values))
            tell_ready(connection, case_id, now, "released")
            return _get(connection, case_id)

    def released(self, case_id: int) -> Recall:
        """Return what may be sent.

        Raises
        ------
        NoSuchCaseError
        NotReleasedError
        """
        found = self.get(case_id)
        if found.released is None:
            raise NotReleasedError(f"The recall notice of case {case_id} is not released.")
        return found.released


def _get(connection: Connection, case_id: int) -> CaseNotice:
    case = connection.execute(
        select(_ALERTS.c.alert, _CASES.c.id)
        .join(_CASES, _CASES.c.alert_id == _ALERTS.c.id)
        .where(_CASES.c.id == case_id)
    ).one_or_none()
    if case is None:
        raise NoSuchCaseError(case_id)
    row = connection.execute(select(NOTICES).where(NOTICES.c.case_id == case_id)).one_or_none()
    return CaseNotice(case_id, 0, begun_from(case.alert)) if row is None else _as_notice(row)


def _as_notice(row: Row[Any]) -> CaseNotice:
    values = dict(row._mapping)
    released = values.pop("released")
    recall = Recall.model_validate(values.pop("recall"))
    return CaseNotice(**values, recall=recall, released=None if released is None else Recall.model_validate(released))


def begun_from(alert: Mapping[str, Any]) -> Recall:
    """Return a draft with what the alert says of the product; what it says of the defect is for people to put."""

    def texts(name: str) -> list[str]:
        return [str(each)[:500] for each in alert.get(name) or () if str(each).strip()][:200]

    return Recall(
        product=str(alert.get("title") or "")[:500],
        brand=str(alert.get("brand") or "")[:500],
        gtins=texts("barcodes"),
        models=texts("models"),
        batches=texts("batches"),
        hazards=texts("risk_types")[:22],
    )
