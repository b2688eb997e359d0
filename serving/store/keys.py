"""Keeps API keys and the sessions that were opened with them: digests, never secrets."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, Row, delete, insert, or_, select, update

from models.domain.errors import InputError
from serving.access.principal import Allowance, Role
from serving.access.tokens import KEY, SESSION, new_token
from serving.store.account_tables import AccountRow, SessionRow
from serving.store.database import one_at_a_time, writing
from serving.store.names import checked_name
from serving.store.tables import ApiKeyRow

_LOCK = 0x4B455953  # "KEYS"


@dataclass(frozen=True)
class StoredKey:
    """An API key as it is kept; the secret itself is not."""

    prefix: str
    digest: str
    name: str
    roles: frozenset[Role]
    allowance: Allowance
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None

    def state(self, now: datetime) -> str:
        """Return "valid", "expired" or "revoked"."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "valid"


@dataclass(frozen=True)
class StoredSession:
    """A browser's session as it is kept."""

    prefix: str
    digest: str
    key_prefix: str | None
    account_id: str | None
    expires_at: datetime


@dataclass(frozen=True)
class Person:
    """An account, as whoever asks must know it; `name` is None once it is erased."""

    id: str
    name: str | None
    display_name: str
    roles: frozenset[Role]
    password_due: bool
    active: bool


@dataclass(frozen=True)
class Usable:
    """Who may be let in now."""

    keys: list[StoredKey]
    sessions: list[StoredSession]
    people: list[Person]


@dataclass(frozen=True)
class NewKey:
    """A key that was just made, with the secret that is shown this once."""

    secret: str
    key: StoredKey


class KeyStore:
    """API keys in a database. Its methods block: call them from a thread.

    Parameters
    ----------
    engine : Engine
        From `open_database`, migrated.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def create(
        self,
        name: str,
        roles: Collection[Role],
        expires_at: datetime | None = None,
        allowance: Allowance | None = None,
    ) -> NewKey:
        """Make a key.

        Raises
        ------
        InputError
            If the name is not usable or a valid key has it, there is no role, or the key would have expired already.
        """
        name = checked_name(name)
        with one_at_a_time(self.engine, _LOCK) as connection:
            if _valid(connection, name):
                hint = f"hazardlens keys rotate {name!r} gives it a second key"
                raise InputError(f"a valid key is called {name!r} already", place="name", hint=hint)
            return _add(connection, name, frozenset(roles), allowance or Allowance(), expires_at)

    def rotate(self, name: str, overlap: timedelta, expires_at: datetime | None = None) -> tuple[NewKey, StoredKey]:
        """Make a second key of the same name, roles and limits; the first one ends after the overlap.

        Parameters
        ----------
        expires_at : datetime, optional
            Of the new key; by default it lives as long as the old one was to live.

        Returns
        -------
        tuple of (NewKey, StoredKey)
            The new key, and the old one with its new end.

        Raises
        ------
        InputError
            If no key of the name is valid, or two are.
        """
        name = checked_name(name)
        with one_at_a_time(self.engine, _LOCK) as connection:
            found = _valid(connection, name)
            if not found:
                raise InputError(f"no valid key is called {name!r}", place="name", hint="hazardlens keys list")
            if len(found) > 1:
                known = " and ".join(key.prefix for key in found)
                hint = "revoke one of them first"
                raise InputError(f"two keys are called {name!r} already: {known}", place="name", hint=hint)
            old, now = found[0], datetime.now(UTC)
            if expires_at is None and old.expires_at is not None:
                expires_at = now + (old.expires_at - old.created_at)
            new = _add(connection, old.name, old.roles, old.allowance, expires_at)
            ends = min(filter(None, (old.expires_at, now + overlap)))
            connection.execute(update(ApiKeyRow).where(ApiKeyRow.prefix == old.prefix).values(expires_at=ends))
            return new, replace(old, expires_at=ends)

    def revoke(self, which: str) -> list[StoredKey]:
        """End the key of a prefix, or every key of a name, at once and for ever.

        Raises
        ------
        InputError
            If none of them is valid.
        """
        now = datetime.now(UTC)
        with one_at_a_time(self.engine, _LOCK) as connection:
            ended = [key for key in _all_valid(connection) if which == key.prefix or _same(which, key.name)]
            if not ended:
                raise InputError(f"no valid key has the prefix or the name {which!r}", hint="hazardlens keys list")
            prefixes = [key.prefix for key in ended]
            connection.execute(update(ApiKeyRow).where(ApiKeyRow.prefix.in_(prefixes)).values(revoked_at=now))
        return [key for key in self.known() if key.prefix in prefixes]

    def replace(self, name: str, roles: Collection[Role]) -> NewKey:
        """Forget every key of a name and make one anew, for a key that nobody keeps: the demo's."""
        name = checked_name(name)
        with one_at_a_time(self.engine, _LOCK) as connection:
            connection.execute(delete(ApiKeyRow).where(ApiKeyRow.name == name))
            return _add(connection, name, frozenset(roles), Allowance(), None)

    def known(self) -> list[StoredKey]:
        """Return every key that ever was, newest first."""
        query = select(ApiKeyRow.__table__).order_by(ApiKeyRow.created_at.desc(), ApiKeyRow.prefix)
        with self.engine.connect() as connection:
            return [_stored(row) for row in connection.execute(query)]

    def usable(self) -> Usable:
        """Return the keys that are valid now, everybody, and the sessions of valid keys and active accounts."""
        columns = (
            SessionRow.prefix, SessionRow.digest, SessionRow.key_prefix, SessionRow.account_id, SessionRow.expires_at,
        )  # fmt: skip
        with self.engine.connect() as connection:
            keys, people = _all_valid(connection), _people(connection)
            rows = connection.execute(select(*columns).where(SessionRow.expires_at > datetime.now(UTC)))
            known = {key.prefix for key in keys} | {person.id for person in people if person.active}
            sessions = [StoredSession(*row) for row in rows]
        return Usable(keys, [each for each in sessions if (each.key_prefix or each.account_id) in known], people)

    def note_use(self, used: Mapping[str, datetime]) -> None:
        """Write when keys and accounts were last used, by prefix and id."""
        with writing(self.engine) as connection:
            for name, when in used.items():
                connection.execute(update(ApiKeyRow).where(ApiKeyRow.prefix == name).values(last_used_at=when))
                connection.execute(update(AccountRow).where(AccountRow.id == name).values(last_used_at=when))

    def open_session(
        self, key_prefix: str | None, expires_at: datetime, account_id: str | None = None, most: int = 20
    ) -> str:
        """Sign a browser in with a key or to an account, and return the token of its cookie.

        Sessions that are over are forgotten, and of an account's the oldest ones beyond `most`.
        """
        token, now = new_token(SESSION), datetime.now(UTC)
        with writing(self.engine) as connection:
            connection.execute(delete(SessionRow).where(SessionRow.expires_at <= now))
            if account_id is not None:
                newest = select(SessionRow.prefix).where(SessionRow.account_id == account_id)
                kept = newest.order_by(SessionRow.created_at.desc()).limit(most - 1)
                surplus = (SessionRow.account_id == account_id, SessionRow.prefix.not_in(kept))
                connection.execute(delete(SessionRow).where(*surplus))
            connection.execute(
                insert(SessionRow).values(
                    prefix=token.prefix, digest=token.digest, key_prefix=key_prefix, account_id=account_id,
                    created_at=now, expires_at=expires_at,
                )
            )  # fmt: skip
        return token.secret

    def close_session(self, prefix: str) -> None:
        """Sign a browser out; a session that is not there is closed already."""
        with writing(self.engine) as connection:
            connection.execute(delete(SessionRow).where(SessionRow.prefix == prefix))


def _same(one: str, other: str) -> bool:
    return one.strip().casefold() == other.casefold()


def _all_valid(connection: Connection) -> list[StoredKey]:
    table, now = ApiKeyRow.__table__, datetime.now(UTC)
    alive = select(table).where(
        ApiKeyRow.revoked_at.is_(None), or_(ApiKeyRow.expires_at.is_(None), ApiKeyRow.expires_at > now)
    )
    return [_stored(row) for row in connection.execute(alive.order_by(ApiKeyRow.created_at))]


def _people(connection: Connection) -> list[Person]:
    columns = (
        AccountRow.id, AccountRow.name, AccountRow.display_name, AccountRow.roles, AccountRow.password_until,
        AccountRow.disabled_at, AccountRow.erased_at,
    )  # fmt: skip
    return [
        Person(
            row.id, row.name, row.display_name, frozenset(Role(role) for role in row.roles.split()),
            row.password_until is not None, row.disabled_at is None and row.erased_at is None,
        )
        for row in connection.execute(select(*columns))
    ]  # fmt: skip


def _valid(connection: Connection, name: str) -> list[StoredKey]:
    return [key for key in _all_valid(connection) if _same(name, key.name)]


def _add(
    connection: Connection,
    name: str,
    roles: frozenset[Role],
    allowance: Allowance,
    expires_at: datetime | None,
) -> NewKey:
    now = datetime.now(UTC)
    if not roles:
        hint = f"give one or more of {', '.join(Role)}"
        raise InputError("a key without a role may do nothing", place="roles", hint=hint)
    if expires_at is not None and expires_at <= now:
        given = expires_at.isoformat()
        raise InputError(f"{given} is in the past", place="expires", hint="give a time to come")
    token = new_token(KEY)
    key = StoredKey(token.prefix, token.digest, name, roles, allowance, now, expires_at, None, None)
    connection.execute(
        insert(ApiKeyRow).values(
            prefix=key.prefix, digest=key.digest, name=name, roles=" ".join(sorted(roles)),
            requests_per_minute=allowance.requests, listings_per_minute=allowance.listings, created_at=now,
            expires_at=expires_at,
        )
    )  # fmt: skip
    return NewKey(token.secret, key)


def _stored(row: Row[Any]) -> StoredKey:
    return StoredKey(
        row.prefix, row.digest, row.name, frozenset(Role(role) for role in row.roles.split()),
        Allowance(row.requests_per_minute, row.listings_per_minute), row.created_at, row.expires_at, row.revoked_at,
        row.last_used_at,
    )  # fmt: skip
