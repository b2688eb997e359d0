"""Endpoints: who wants to hear of what, and the secrets that their webhooks are signed with."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, Row, func, insert, select, update

from models.domain.errors import InputError
from serving.hooks.kinds import KINDS
from serving.hooks.signing import new_secret
from serving.outgoing.addresses import AddressRules
from serving.store.database import one_at_a_time
from serving.store.hook_tables import DeliveryRow, EndpointRow

_ENDPOINTS, _DELIVERIES = EndpointRow.__table__, DeliveryRow.__table__
_LOCK = 0x484F4F4B  # "HOOK"
_MOST = 100
"""Endpoints that there can be: every event is held against each."""
_LONGEST_URL, _LONGEST_DESCRIPTION = 2_000, 500
_LONGEST_OVERLAP = dt.timedelta(days=30)


@dataclass(frozen=True)
class Secret:
    """What webhooks of an endpoint are signed with, for ever or until a moment."""

    text: str
    until: dt.datetime | None = None


@dataclass(frozen=True)
class Endpoint:
    """An address that is told of events.

    Parameters
    ----------
    kinds : tuple of str
        Kinds of events that it hears of; empty for all.
    secrets : tuple of Secret
        Newest first.
    enabled : bool
        While it is not, what happens is collected for it.
    failures : int
        Failed tries since the last one that went well.
    rests_until : datetime or None
        Until when it is not asked.
    """

    id: str
    url: str
    description: str
    kinds: tuple[str, ...]
    secrets: tuple[Secret, ...]
    enabled: bool
    failures: int
    rests_until: dt.datetime | None
    created_by: str
    created_at: dt.datetime

    def hears(self, kind: str) -> bool:
        """Tell whether it wants to hear of events of a kind."""
        return not self.kinds or kind in self.kinds

    def signing(self, now: dt.datetime) -> list[str]:
        """Return the secrets that are valid now, newest first."""
        return [secret.text for secret in self.secrets if secret.until is None or secret.until > now]


class NoEndpointError(Exception):
    """There is no endpoint of that id."""


@dataclass(frozen=True)
class EndpointStore:
    """Endpoints in the database. Its methods block: call them from a thread.

    Secrets are kept as they are: without them nothing can be signed. Whoever reads the database can sign webhooks.

    Parameters
    ----------
    engine : Engine
        From `open_database`, migrated.
    rules : AddressRules
        What a URL is checked by; where its name leads is checked each time it is asked.
    """

    engine: Engine
    rules: AddressRules

    def add(self, url: str, kinds: Sequence[str], description: str, created_by: str) -> Endpoint:
        """Register an endpoint, with a secret of its own.

        Raises
        ------
        InputError
            Naming what is wrong.
        """
        values = {
            "id": uuid.uuid4().hex,
            **self._checked(url=url, kinds=kinds, description=description),
            "secrets": [[new_secret(), None]],
            "enabled": True,
            "failures": 0,
            "created_by": created_by,
            "created_at": dt.datetime.now(dt.UTC),
        }
        with one_at_a_time(self.engine, _LOCK) as connection:
            count = select(func.count()).select_from(_ENDPOINTS).where(_ENDPOINTS.c.removed_at.is_(None))
            if connection.execute(count).scalar_one() >= _MOST:
                raise InputError(f"there are {_MOST} endpoints", place="url", hint="remove one first")
            connection.execute(insert(EndpointRow).values(**values))
            return _get(connection, values["id"])

    def known(self) -> list[Endpoint]:
        """Return the endpoints, oldest first."""
        with self.engine.connect() as connection:
            return known_endpoints(connection)

    def get(self, endpoint_id: str) -> Endpoint:
        """Return an endpoint.

        Raises
        ------
        NoEndpointError
        """
        with self.engine.connect() as connection:
            return _get(connection, endpoint_id)

    def change(self, endpoint_id: str, **values: Any) -> Endpoint:
        """Change `url`, `kinds`, `description` or `enabled`; one that is enabled anew is asked at once.

        Raises
        ------
        NoEndpointError
        InputError
            Naming what is wrong.
        """
        checked = self._checked(**values)
        if checked.get("enabled") or "url" in checked:
            checked |= {"failures": 0, "rests_until": None}
        with one_at_a_time(self.engine, _LOCK) as connection:
            _get(connection, endpoint_id)
            if checked:
                connection.execute(update(EndpointRow).where(_ENDPOINTS.c.id == endpoint_id).values(**checked))
            return _get(connection, endpoint_id)

    def rotate(self, endpoint_id: str, overlap: dt.timedelta) -> Endpoint:
        """Give an endpoint a new secret; webhooks are signed with the ones before as well until the overlap ends.

        Raises
        ------
        NoEndpointError
        InputError
            If the overlap is too long.
        """
        if not dt.timedelta() <= overlap <= _LONGEST_OVERLAP:
            raise InputError(
                f"{overlap} is out of range", place="overlap", hint=f"from 0 to {_LONGEST_OVERLAP.days} days"
            )
        now = dt.datetime.now(dt.UTC)
        with one_at_a_time(self.engine, _LOCK) as connection:
            before = _get(connection, endpoint_id)
            kept = [Secret(new_secret())]
            for secret in before.secrets:
                until = min(filter(None, (secret.until, now + overlap)))
                if until > now:
                    kept.append(Secret(secret.text, until))
            secrets = [[secret.text, secret.until and secret.until.isoformat()] for secret in kept]
            connection.execute(update(EndpointRow).where(_ENDPOINTS.c.id == endpoint_id).values(secrets=secrets))
            return _get(connection, endpoint_id)

    def remove(self, endpoint_id: str) -> None:
        """Forget an endpoint and its secrets; what waits for it is dropped, the log of its deliveries stays.

        Raises
        ------
        NoEndpointError
        """
        now = dt.datetime.now(dt.UTC)
        with one_at_a_time(self.engine, _LOCK) as connection:
            _get(connection, endpoint_id)
            gone = update(EndpointRow).where(_ENDPOINTS.c.id == endpoint_id)
            connection.execute(gone.values(removed_at=now, enabled=False, secrets=[]))
            waiting = update(DeliveryRow).where(
                _DELIVERIES.c.endpoint_id == endpoint_id, _DELIVERIES.c.state == "waiting"
            )
            connection.execute(waiting.values(state="dropped", ended_at=now, leased_until=None))

    def _checked(self, **values: Any) -> dict[str, Any]:
        if "url" in values:
            if len(values["url"]) > _LONGEST_URL:
                raise InputError("it is too long", place="url", hint=f"give at most {_LONGEST_URL:,} characters")
            self.rules.check_url(values["url"])
        if "kinds" in values:
            values["kinds"] = _kinds(values["kinds"])
        description = values.get("description", "")
        if len(description) > _LONGEST_DESCRIPTION or not all(c.isprintable() for c in description):
            hint = f"give at most {_LONGEST_DESCRIPTION} characters that can be printed"
            raise InputError("it is too long, or no line of text", place="description", hint=hint)
        return values


def known_endpoints(connection: Connection) -> list[Endpoint]:
    """Return the endpoints that are not removed, oldest first."""
    query = select(_ENDPOINTS).where(_ENDPOINTS.c.removed_at.is_(None))
    return [_endpoint(row) for row in connection.execute(query.order_by(_ENDPOINTS.c.created_at, _ENDPOINTS.c.id))]


def _kinds(given: Collection[str]) -> list[str]:
    for kind in given:
        if kind not in KINDS:
            raise InputError(f"{kind!r} is no kind of event", place="kinds", hint=f"give some of {', '.join(KINDS)}")
    return sorted(set(given))


def _get(connection: Connection, endpoint_id: str) -> Endpoint:
    query = select(_ENDPOINTS).where(_ENDPOINTS.c.id == endpoint_id, _ENDPOINTS.c.removed_at.is_(None))
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NoEndpointError(f"No endpoint has the id {endpoint_id}.")
    return _endpoint(row)


def _endpoint(row: Row[Any]) -> Endpoint:
    secrets = tuple(
        Secret(text, None if until is None else dt.datetime.fromisoformat(until)) for text, until in row.secrets
    )
    return Endpoint(
        row.id, row.url, row.description, tuple(row.kinds), secrets, row.enabled, row.failures, row.rests_until,
        row.created_by, row.created_at,
    )  # fmt: skip
