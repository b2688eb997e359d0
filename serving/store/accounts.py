"""Keeps people's accounts: who may sign in, as what, and how it is proven."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, Row, delete, func, insert, or_, select, update

from models.domain.errors import InputError
from serving.access.passwords import check_new, hash_of, new_password
from serving.access.principal import Role, new_account_id
from serving.review.events import append
from serving.review.items import ACTS
from serving.review.words import Act
from serving.store.account_tables import AccountLinkRow, AccountRow, SessionRow
from serving.store.database import one_at_a_time
from serving.store.names import checked_name

TEMPORARY_LASTS = timedelta(days=7)
"""How long a password can be used that somebody else has chosen."""
_ACCOUNTS = AccountRow.__table__
_SPOKEN = re.compile(r"\s+")


@dataclass(frozen=True)
class Account:
    """A person as kept; `name` is None once it is erased."""

    id: str
    name: str | None
    display_name: str
    roles: frozenset[Role]
    password: str | None
    password_until: datetime | None
    created_at: datetime
    last_used_at: datetime | None
    disabled_at: datetime | None
    erased_at: datetime | None

    @property
    def active(self) -> bool:
        """Whether the person may sign in."""
        return self.disabled_at is None and self.erased_at is None

    @property
    def state(self) -> str:
        """Return "active", "disabled" or "erased"."""
        return "erased" if self.erased_at else "disabled" if self.disabled_at else "active"


class AccountStore:
    """Accounts in a database. Its methods block: call them from a thread.

    Every change of an account is an act in the log of reviews, which names the account by its id.

    Parameters
    ----------
    engine : Engine
        From `open_database`, migrated.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def add(
        self, name: str, roles: Collection[Role], by: str, display_name: str = "", password: str | None = None
    ) -> tuple[Account, str]:
        """Add an account, and return it with the password that the person signs in with once.

        Parameters
        ----------
        by : str
            Who adds it, as records name them.
        password : str, optional
            By default a random one.

        Raises
        ------
        InputError
            If the name is not usable or taken, there is no role, or the password is too easy.
        """
        name = sign_in_name(name)
        given = _chosen(password, name)
        with one_at_a_time(self.engine, ACTS) as connection:
            if named_account(connection, name) is not None:
                hint = f"choose another, or hazardlens accounts reset {name!r}"
                raise InputError(f"an account is called {name!r} already", place="name", hint=hint)
            account = _add(connection, name, display_name, _some(roles), hash_of(given), by)
        return account, given

    def reset(self, which: str, by: str, password: str | None = None) -> tuple[Account, str]:
        """Give an account a password for one sign-in, and end its sessions.

        Raises
        ------
        InputError
            If there is no such account, or the password is too easy.
        """
        with one_at_a_time(self.engine, ACTS) as connection:
            account = _found(connection, which)
            given, now = _chosen(password, account.name or ""), datetime.now(UTC)
            values = {"password": hash_of(given), "password_until": now + TEMPORARY_LASTS, "password_at": now}
            return _change(connection, account, values, by, "reset", sign_out=True), given

    def set_roles(self, which: str, roles: Collection[Role], by: str) -> Account:
        """Give an account these roles and no others; they count within two seconds.

        Raises
        ------
        InputError
            If there is no such account, no role, or nobody would be an admin any more.
        """
        with one_at_a_time(self.engine, ACTS) as connection:
            account, wanted = _found(connection, which), _some(roles)
            if Role.ADMIN not in wanted:
                refuse_the_last_admin(connection, account)
            return _change(connection, account, {"roles": _written(wanted)}, by, "roles", roles=sorted(wanted))

    def disable(self, which: str, by: str) -> Account:
        """Let nobody sign in to an account, and end its sessions.

        Raises
        ------
        InputError
            If there is no such account, or nobody would be an admin any more.
        """
        with one_at_a_time(self.engine, ACTS) as connection:
            account = _found(connection, which)
            refuse_the_last_admin(connection, account)
            return _change(connection, account, {"disabled_at": datetime.now(UTC)}, by, "disabled", sign_out=True)

    def enable(self, which: str, by: str) -> Account:
        """Let the person of a disabled account sign in again.

        Raises
        ------
        InputError
            If there is no such account.
        """
        with one_at_a_time(self.engine, ACTS) as connection:
            return _change(connection, _found(connection, which), {"disabled_at": None}, by, "enabled")

    def sign_out(self, which: str, by: str) -> Account:
        """End every session of an account.

        Raises
        ------
        InputError
            If there is no such account.
        """
        with one_at_a_time(self.engine, ACTS) as connection:
            return _change(connection, _found(connection, which), {}, by, "signed_out", sign_out=True)

    def choose_password(self, account_id: str, password: str, session: str) -> Account:
        """Keep the password that a person chose, and end their other sessions.

        Parameters
        ----------
        session : str
            Prefix of the session that goes on.

        Raises
        ------
        InputError
            If it is too easy.
        """
        with one_at_a_time(self.engine, ACTS) as connection:
            account = _found(connection, account_id)
            check_new(password, account.name or "")
            others = (SessionRow.account_id == account_id, SessionRow.prefix != session)
            connection.execute(delete(SessionRow).where(*others))
            values = {"password": hash_of(password), "password_until": None, "password_at": datetime.now(UTC)}
            return _change(connection, account, values, account_id, "password")

    def rename(self, account_id: str, display_name: str) -> Account:
        """Change what others call a person; records go on naming the account's id.

        Raises
        ------
        InputError
            If it is no name.
        """
        with one_at_a_time(self.engine, ACTS) as connection:
            account = _found(connection, account_id)
            shown = checked_name(display_name)
            connection.execute(update(AccountRow).where(AccountRow.id == account_id).values(display_name=shown))
            return replace(account, display_name=shown)

    def rehash(self, account_id: str, password: str, kept: str) -> None:
        """Keep a password's hash by today's parameters, unless it was changed meanwhile."""
        same = (AccountRow.id == account_id, AccountRow.password == kept)
        with one_at_a_time(self.engine, ACTS) as connection:
            connection.execute(update(AccountRow).where(*same).values(password=hash_of(password)))

    def linked(self, issuer: str, subject: str) -> Account | None:
        """Return the account of a provider's subject."""
        link = select(AccountLinkRow.account_id).where(
            AccountLinkRow.issuer == issuer, AccountLinkRow.subject == subject
        )
        with self.engine.connect() as connection:
            row = connection.execute(select(_ACCOUNTS).where(_ACCOUNTS.c.id == link.scalar_subquery())).one_or_none()
        return None if row is None else _account(row)

    def link(self, issuer: str, subject: str, name: str, display_name: str, roles: Collection[Role]) -> Account:
        """Return the account of a provider's subject with these roles; the first time it is made.

        A name that is taken gets a number: who has a name with a provider is not therefore the person who has it here.
        """
        with one_at_a_time(self.engine, ACTS) as connection:
            now, wanted = datetime.now(UTC), _some(roles)
            where = (AccountLinkRow.issuer == issuer, AccountLinkRow.subject == subject)
            known = connection.execute(select(AccountLinkRow.account_id).where(*where)).scalar()
            if known is not None:
                account = _found(connection, known)
                if account.roles == wanted:
                    return account
                return _change(connection, account, {"roles": _written(wanted)}, account.id, "roles",
                               roles=sorted(wanted))  # fmt: skip
            first, number = sign_in_name(name), 1
            while named_account(connection, first if number == 1 else f"{first}-{number}") is not None:
                number += 1
            free = first if number == 1 else f"{first}-{number}"
            account = _add(connection, free, display_name, wanted, None, None)
            values = {"issuer": issuer, "subject": subject, "account_id": account.id, "created_at": now}
            connection.execute(insert(AccountLinkRow).values(**values))
            return account

    def find(self, which: str) -> Account | None:
        """Return the account of an id or a name, None where there is none."""
        with self.engine.connect() as connection:
            return named_account(connection, which)

    def all(self) -> list[Account]:
        """Return every account, by name; erased ones last."""
        order = (_ACCOUNTS.c.name.is_(None), _ACCOUNTS.c.name, _ACCOUNTS.c.id)
        with self.engine.connect() as connection:
            return [_account(row) for row in connection.execute(select(_ACCOUNTS).order_by(*order))]


def sign_in_name(name: str) -> str:
    """Return the name that a person signs in with in the one form that is kept.

    Raises
    ------
    InputError
        If it is no name.
    """
    return _SPOKEN.sub("-", checked_name(name).casefold())


def _chosen(password: str | None, name: str) -> str:
    if password is None:
        return new_password()
    check_new(password, name)
    return password


def _some(roles: Collection[Role]) -> frozenset[Role]:
    if not roles:
        hint = f"give one or more of {', '.join(Role)}"
        raise InputError("an account without a role may do nothing", place="role", hint=hint)
    return frozenset(roles)


def _written(roles: frozenset[Role]) -> str:
    return " ".join(sorted(roles))


def named_account(connection: Connection, which: str) -> Account | None:
    """Return the account of a name or an id, None where there is none."""
    name = which.strip().casefold()
    row = connection.execute(select(_ACCOUNTS).where(or_(_ACCOUNTS.c.id == name, _ACCOUNTS.c.name == name)))
    found = row.one_or_none()
    return None if found is None else _account(found)


def _found(connection: Connection, which: str) -> Account:
    account = named_account(connection, which)
    if account is None or account.erased_at is not None:
        raise InputError(f"no account is called {which!r}", place="name", hint="hazardlens accounts list")
    return account


def refuse_the_last_admin(connection: Connection, account: Account) -> None:
    """Refuse what would leave accounts, but none that may look after them."""
    admins = select(func.count()).where(
        _ACCOUNTS.c.roles.contains(Role.ADMIN.value), _ACCOUNTS.c.disabled_at.is_(None),
        _ACCOUNTS.c.erased_at.is_(None), _ACCOUNTS.c.id != account.id,
    )  # fmt: skip
    if account.active and Role.ADMIN in account.roles and not connection.execute(admins).scalar_one():
        raise InputError(
            f"{account.name!r} is the last admin", place="name", hint="make another account an admin first"
        )


def _add(
    connection: Connection, name: str, display_name: str, roles: frozenset[Role], password: str | None, by: str | None
) -> Account:
    now, key = datetime.now(UTC), new_account_id()
    shown = checked_name(display_name) if display_name.strip() else name
    until = now + TEMPORARY_LASTS if password is not None else None
    connection.execute(
        insert(AccountRow).values(
            id=key, name=name, display_name=shown, roles=_written(roles), password=password, password_until=until,
            password_at=now if password is not None else None, created_at=now,
        )
    )  # fmt: skip
    append(
        connection, now, by or key, Act.ACCOUNT_CHANGED, None, {"account": key, "what": "added", "roles": sorted(roles)}
    )
    return Account(key, name, shown, roles, password, until, now, None, None, None)


def _change(
    connection: Connection,
    account: Account,
    values: dict[str, Any],
    by: str,
    what: str,
    sign_out: bool = False,
    **facts: Any,
) -> Account:
    if values:
        connection.execute(update(AccountRow).where(AccountRow.id == account.id).values(**values))
    if sign_out:
        connection.execute(delete(SessionRow).where(SessionRow.account_id == account.id))
    old = {"roles": sorted(account.roles)} if "roles" in values else {}
    append(
        connection,
        datetime.now(UTC),
        by,
        Act.ACCOUNT_CHANGED,
        None,
        {"account": account.id, "what": what, **facts},
        old,
    )
    changed = named_account(connection, account.id)
    assert changed is not None
    return changed


def _account(row: Row[Any]) -> Account:
    return Account(
        row.id, row.name, row.display_name, frozenset(Role(role) for role in row.roles.split()), row.password,
        row.password_until, row.created_at, row.last_used_at, row.disabled_at, row.erased_at,
    )  # fmt: skip
