"""The valid keys and sessions in memory, so that no request waits for the database to know who asks."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError

from serving.access.principal import Principal, account_ids_in
from serving.access.tokens import digest_of, is_secret, prefix_of
from serving.api.problems import NOT_READY, STORE_UNAVAILABLE, ProblemError
from serving.store.keys import KeyStore, Person, StoredKey

LOOKS_EVERY = 2.0
"""Seconds between two looks: a revoked key is refused everywhere after this time at the latest."""
SESSION_LASTS = timedelta(hours=12)
_TRUSTED_FOR = 60.0
"""Seconds that what was read stays true while the database does not answer; after them nobody is let in."""
_LOOKS_AT_MOST_EVERY = 0.25
"""Seconds between two looks for unknown secrets, which wait for the next one together: a new key counts in its first
request, and guessing costs the database next to nothing."""
_NOTES_EVERY = 60.0
_NOBODY = digest_of("")
_log = logging.getLogger("hazardlens.access")


@dataclass(frozen=True)
class _Known:
    digest: str
    principal: Principal
    noted: str
    """Whose use is noted: the prefix of the key, or the id of the account."""
    expires: float

    @property
    def alive(self) -> bool:
        return time.time() < self.expires


class Keyring:
    """What the store says about keys, at most `LOOKS_EVERY` seconds old.

    Used from the event loop only; the database is read on other threads.

    Parameters
    ----------
    store : KeyStore
    clock : callable
        Seconds that never go back.
    session_lasts : timedelta
        How long a browser stays signed in.
    """

    def __init__(
        self,
        store: KeyStore,
        clock: Callable[[], float] = time.monotonic,
        session_lasts: timedelta = SESSION_LASTS,
    ) -> None:
        self.store = store
        self.session_lasts = session_lasts
        self._clock = clock
        self._known: dict[str, _Known] = {}
        self._people: dict[str, Person] = {}
        self._read_at: float | None = None
        self._tried_at = float("-inf")
        self._one_at_a_time = asyncio.Lock()
        self._used: dict[str, datetime] = {}
        self._noted: dict[str, float] = {}
        self._watching: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Read the keys, and keep reading them."""
        await self.refresh()
        self._watching = asyncio.create_task(self._watch())

    async def end(self) -> None:
        """Stop reading, and write what is still to be noted."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait([self._watching])
            await self._guarded(lambda: self._note_use(everything=True))

    async def principal(self, secret: str) -> Principal | None:
        """Return whose key or session a secret is; None if it is none, or no longer.

        Raises
        ------
        ProblemError
            503 before the keys were read, and when they have not been readable for too long.
        """
        prefix = prefix_of(secret)
        found = self._find(prefix, secret)
        if found is None and prefix is not None:
            await self._catch_up()
            found = self._find(prefix, secret)
        if self._read_at is None:
            raise ProblemError(NOT_READY, "The keys are being read.", headers={"Retry-After": "2"})
        if self._age() > _TRUSTED_FOR:
            detail = "The database does not answer, so that nobody can be known."
            raise ProblemError(STORE_UNAVAILABLE, detail, headers={"Retry-After": "5"})
        if found is None:
            return None
        self._used[found.noted] = datetime.now(UTC)
        return found.principal

    async def open_session(self, key: Principal) -> str:
        """Sign a browser in with a key and return the token for its cookie."""
        secret = await asyncio.to_thread(
            self.store.open_session, key.credential, datetime.now(UTC) + self.session_lasts
        )
        await self.refresh()
        return secret

    async def open_session_of(self, account_id: str) -> str:
        """Sign a browser in to an account and return the token for its cookie."""
        ends = datetime.now(UTC) + self.session_lasts
        secret = await asyncio.to_thread(self.store.open_session, None, ends, account_id)
        await self.refresh()
        return secret

    def shown(self, text: object) -> str:
        """Return a text with what people are called in place of the ids of their accounts."""
        written = str(text)
        for account_id in account_ids_in(written):
            person = self._people.get(account_id)
            if person is not None and person.display_name:
                written = written.replace(account_id, person.display_name)
        return written

    def called(self, text: str) -> str:
        """Return whom a typed name means, as records name them: an account by its name or what it is called, if one."""
        wanted = text.strip().casefold()
        found = [
            person.id
            for person in self._people.values()
            if person.active and wanted in (person.name, person.display_name.casefold())
        ]
        return found[0] if len(found) == 1 else text

    async def close_session(self, session: Principal) -> None:
        """Sign a browser out."""
        await asyncio.to_thread(self.store.close_session, session.credential)
        await self.refresh()

    async def refresh(self) -> None:
        """Read the store now."""
        async with self._one_at_a_time:
            await self._read()

    async def _catch_up(self) -> None:
        asked_at = self._clock()
        async with self._one_at_a_time:
            if self._tried_at < asked_at:  # nobody has looked since
                await asyncio.sleep(self._tried_at + _LOOKS_AT_MOST_EVERY - asked_at)
                await self._guarded(self._read)

    async def _read(self) -> None:
        self._tried_at = self._clock()
        usable = await asyncio.to_thread(self.store.usable)
        keys = {key.prefix: key for key in usable.keys}
        people = {person.id: person for person in usable.people}
        known = {key.prefix: _known(key) for key in usable.keys}
        for session in usable.sessions:
            ends = session.expires_at.timestamp()
            if session.account_id is not None:
                who = _person(people[session.account_id], session.prefix)
                known[session.prefix] = _Known(session.digest, who, session.account_id, ends)
            elif session.key_prefix is not None:
                key = keys[session.key_prefix]
                who = _principal(key, "session", session.prefix)
                known[session.prefix] = _Known(session.digest, who, key.prefix, min(ends, known[key.prefix].expires))
        self._known, self._people, self._read_at = known, people, self._tried_at

    def _find(self, prefix: str | None, secret: str) -> _Known | None:
        known = self._known.get(prefix) if prefix is not None else None
        # Compared even where nothing is known by that prefix: the time tells nobody which prefixes there are.
        same = is_secret(secret, known.digest if known is not None else _NOBODY)
        return known if known is not None and same and known.alive else None

    def _age(self) -> float:
        return float("inf") if self._read_at is None else self._clock() - self._read_at

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(LOOKS_EVERY)
            await self._guarded(self._note_use)
            await self._guarded(self.refresh)

    async def _guarded(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except SQLAlchemyError as error:
            _log.error("the store of keys does not answer: %s", error)

    async def _note_use(self, everything: bool = False) -> None:
        now = self._clock()
        due = [p for p in self._used if everything or now - self._noted.get(p, -_NOTES_EVERY) >= _NOTES_EVERY]
        if due:
            used = {prefix: self._used.pop(prefix) for prefix in due}
            self._noted.update(dict.fromkeys(due, now))
            await asyncio.to_thread(self.store.note_use, used)


def _known(key: StoredKey) -> _Known:
    expires = key.expires_at.timestamp() if key.expires_at is not None else float("inf")
    return _Known(key.digest, _principal(key, "key", key.prefix), key.prefix, expires)


def _person(person: Person, credential: str) -> Principal:
    return Principal(
        person.id, person.roles, "session", credential, display=person.display_name, password_due=person.password_due
    )


def _principal(key: StoredKey, how: str, credential: str) -> Principal:
    return Principal(key.name, key.roles, how, credential, key.allowance)
