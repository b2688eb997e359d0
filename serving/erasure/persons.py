"""Erases who worked here; what they did stays, under a name that leads back to nobody."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, delete, func, select, update

from models.domain.errors import InputError
from serving.erasure.names import pseudonym
from serving.recalls import events as cases
from serving.review import events as reviews
from serving.review.items import ACTS
from serving.review.words import Act
from serving.store.account_tables import AccountLinkRow, AccountRow, PreferenceRow, ReviewViewRow, SessionRow
from serving.store.accounts import Account, named_account, refuse_the_last_admin
from serving.store.buyer_tables import RecallNoticeRow
from serving.store.database import one_at_a_time, wait_for_turn
from serving.store.hook_tables import EndpointRow
from serving.store.match_tables import JudgementRow
from serving.store.picture_tables import KnownPictureRow
from serving.store.recall_tables import CaseMatchRow, TakedownOrderRow
from serving.store.review_tables import (
    GoldenAnswerRow,
    GoldenUseRow,
    ReviewAppealRow,
    ReviewDecisionRow,
    ReviewItemRow,
    ReviewSkipRow,
)
from serving.store.tables import ApiKeyRow, IdempotencyRow, JobRow, PlanActRow, PlanRow

_NAMED = (
    ReviewItemRow.__table__.c.claimed_by,
    ReviewItemRow.__table__.c.assigned_to,
    ReviewDecisionRow.__table__.c.reviewer,
    ReviewSkipRow.__table__.c.reviewer,
    ReviewAppealRow.__table__.c.reviewer,
    JobRow.__table__.c.principal,
    PlanRow.__table__.c.author,
    PlanActRow.__table__.c.person,
    CaseMatchRow.__table__.c.judged_by,
    TakedownOrderRow.__table__.c.ordered_by,
    TakedownOrderRow.__table__.c.receipt_by,
    JudgementRow.__table__.c.person,
    RecallNoticeRow.__table__.c.written_by,
    RecallNoticeRow.__table__.c.released_by,
    KnownPictureRow.__table__.c.added_by,
    GoldenAnswerRow.__table__.c.added_by,
    GoldenUseRow.__table__.c.reviewer,
    EndpointRow.__table__.c.created_by,
)
"""Columns that name who did something: an account by its id, a key by its name."""
_LOGS = (reviews.LOG, cases.LOG)


class PersonErasure:
    """Erases people. Its methods block: call them from a thread.

    Parameters
    ----------
    engine : Engine
        Of the server's database, migrated.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def count(self, which: str) -> dict[str, int]:
        """Return how much would be erased of an account, or of a key of that name.

        Raises
        ------
        InputError
            If nobody is called so, or it cannot be erased yet.
        """
        with self.engine.connect() as connection:
            account = _account_or_key(connection, which)
            person = account.id if account is not None else which
            records = sum(
                connection.execute(select(func.count()).where(column == person)).scalar_one() for column in _NAMED
            )
            name = which if account is None else str(account.name)
            sealed = sum(len(log.naming(connection, [name])) for log in _LOGS)
            views = select(func.count()).where(ReviewViewRow.owner == person)
            unsealed = 0 if account is not None else sum(log.unsealed(connection, which) for log in _LOGS)
            return {
                "accounts": int(account is not None),
                "records under another name": records if account is None else 0,
                "records that go on naming the id": records if account is not None else 0,
                "texts in the log": sealed,
                "views": connection.execute(views).scalar_one(),
                "kept in entries of the log without a seal": unsealed,
            }

    def erase(self, which: str, by: str) -> dict[str, int]:
        """Erase an account, or a key of that name, and return how much of what was erased.

        Raises
        ------
        InputError
            If nobody is called so, or it cannot be erased yet.
        """
        counted = self.count(which)
        with one_at_a_time(self.engine, ACTS) as connection:
            wait_for_turn(connection, cases.ACTS)
            account = _account_or_key(connection, which)
            if account is None:
                self._erase_key(connection, which, by)
            else:
                self._erase_account(connection, account, by)
        return counted

    @staticmethod
    def _erase_account(connection: Connection, account: Account, by: str) -> None:
        """Empty the row that alone tells who an id is."""
        now = datetime.now(UTC)
        nothing: dict[str, Any] = {"name": None, "display_name": "", "password": None, "password_until": None}
        gone = {**nothing, "disabled_at": now, "erased_at": now, "last_used_at": None}
        connection.execute(update(AccountRow).where(AccountRow.id == account.id).values(**gone))
        connection.execute(delete(AccountLinkRow).where(AccountLinkRow.account_id == account.id))
        connection.execute(delete(SessionRow).where(SessionRow.account_id == account.id))
        _forget_choices(connection, account.id)
        _erase_in_logs(connection, str(account.name), now, by)
        reviews.append(connection, now, by, Act.ACCOUNT_CHANGED, None, {"account": account.id, "what": "erased"})

    @staticmethod
    def _erase_key(connection: Connection, name: str, by: str) -> None:
        """Put another name in the place of a key's, the same one everywhere."""
        other, now = pseudonym(), datetime.now(UTC)
        for column in _NAMED:
            connection.execute(update(column.table).where(column == name).values({column.name: other}))
        connection.execute(update(ApiKeyRow).where(ApiKeyRow.name == name).values(name=other))
        connection.execute(delete(IdempotencyRow).where(IdempotencyRow.principal == name))
        _forget_choices(connection, name)
        _erase_in_logs(connection, name, now, by)


def _account_or_key(connection: Connection, which: str) -> Account | None:
    """Return an account, or None where it is a key that has that name; refuse what may not be erased."""
    account = named_account(connection, which)
    if account is not None and account.erased_at is None:
        refuse_the_last_admin(connection, account)
        return account
    now = datetime.now(UTC)
    keys = list(connection.execute(select(ApiKeyRow.__table__).where(ApiKeyRow.name == which)))
    if not keys:
        hint = "hazardlens accounts list --all, hazardlens keys list --all"
        raise InputError(f"no account and no key is called {which!r}", place="--account", hint=hint)
    if any(key.revoked_at is None and (key.expires_at is None or key.expires_at > now) for key in keys):
        hint = f"hazardlens keys revoke {which!r}"
        raise InputError(f"a key of {which!r} is still valid", place="--account", hint=hint)
    return None


def _erase_in_logs(connection: Connection, name: str, now: datetime, by: str) -> None:
    for log in _LOGS:
        log.erase(connection, log.naming(connection, [name]), now, by, "account")


def _forget_choices(connection: Connection, person: str) -> None:
    connection.execute(delete(PreferenceRow).where(PreferenceRow.person == person))
    connection.execute(delete(ReviewViewRow).where(ReviewViewRow.owner == person))
