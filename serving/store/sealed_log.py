"""Chained logs from which persons can be erased while the chain stays whole.

What a person can be known by stands apart: the name of who acted, where it is no account's id, and free text. The
entry holds a seal of it, a keyed hash whose random key is kept with the text and goes with it. Without the key the seal
tells nothing, also to who guesses the text. An erasure is an act of its own in the chain and names the entries; a text
that is gone without one counts as a break.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, TypeVar

import orjson
from sqlalchemy import Connection, Select, delete, func, insert, select
from sqlalchemy.orm import DeclarativeBase

from models.domain.parts import in_parts
from serving.access.principal import is_pseudonym
from serving.store.chained_log import ChainedLog, Entry, as_json

NOTHING_SEALED = "0" * 64
"""Seal of an entry in which nothing is personal."""
SEALED_ACTOR = "sealed"
"""Stands for who acted, where the name is sealed."""
ERASED = "erased"
"""Kind of the acts that tell of an erasure."""
_AT_ONCE = 500


@dataclass(frozen=True)
class SealedEntry(Entry):
    """One act, of which some may be sealed. After the fields of the chain, a log's entries have three more.

    `seal` is the HMAC-SHA256 of `personal` under `salt`; `NOTHING_SEALED` where nothing is personal; None in entries
    that were written before there were seals. `salt` and `personal` are None where nothing is sealed, and after an
    erasure. `personal` is a JSON object as a text: `actor`, and what was taken out of `old` and `new`.
    """

    @property
    def person(self) -> str:
        """Who acted: an account's id, the name of a key, or `SEALED_ACTOR` where that name was erased."""
        return str(self._opened.get("actor", self.actor))

    @property
    def before(self) -> str:
        """`old` with what was taken out of it, as JSON."""
        return self._whole("old")

    @property
    def after(self) -> str:
        """`new` with what was taken out of it, as JSON."""
        return self._whole("new")

    @property
    def _opened(self) -> dict[str, Any]:
        personal = vars(self)["personal"]
        return dict(orjson.loads(personal)) if personal else {}

    def _whole(self, side: str) -> str:
        chained: str = vars(self)[side]
        taken_out = self._opened.get(side)
        return as_json({**orjson.loads(chained), **taken_out}) if taken_out else chained


S = TypeVar("S", bound=SealedEntry)


class SealedLog(ChainedLog[S]):
    """The log in one table, and what is personal of it in another.

    Parameters
    ----------
    row, entry, subject
        As of `ChainedLog`; the table has a column `seal`.
    personal : type
        The table of the personal parts as a model, with the columns `number`, `salt` and `personal`.
    sealed : collection of str
        Fields of `old` and `new` that are sealed.
    """

    def __init__(
        self,
        row: type[DeclarativeBase],
        entry: type[S],
        subject: str,
        personal: type[DeclarativeBase],
        sealed: Collection[str],
    ) -> None:
        super().__init__(row, entry, subject)
        self._personal_row = personal
        self._personal = personal.__table__
        self._sealed = frozenset(sealed)

    def append(
        self,
        connection: Connection,
        at: dt.datetime,
        actor: str,
        kind: str,
        subject: int | None,
        new: Mapping[str, Any],
        old: Mapping[str, Any] | None = None,
    ) -> S:
        """Add an act, within the transaction that does it; what is personal in it is sealed.

        The caller holds the lock under which acts are done one after another; otherwise two would get one number, and
        the database refuses the later.
        """
        chained_old, personal_old = self._split(old or {})
        chained_new, personal_new = self._split(new)
        named = not is_pseudonym(actor)
        personal = {"actor": actor if named else "", "old": personal_old, "new": personal_new}
        text = as_json({name: value for name, value in personal.items() if value})
        salt = secrets.token_hex(32) if text != "{}" else None
        more = {"seal": NOTHING_SEALED if salt is None else seal_of(text, salt)}
        known_as = SEALED_ACTOR if named else actor
        entry = self._append(connection, at, known_as, kind, subject, chained_new, chained_old, more)
        if salt is None:
            return entry
        kept = {"number": entry.number, "salt": salt, "personal": text}
        connection.execute(insert(self._personal_row).values(**kept))
        return type(entry)(**{**vars(entry), "salt": salt, "personal": text})

    def erase(self, connection: Connection, numbers: Collection[int], at: dt.datetime, actor: str, why: str) -> int:
        """Erase the personal parts of entries, log that, and return how many there were.

        The caller holds the lock under which acts are done one after another.

        Parameters
        ----------
        why : str
            In a word, without naming anybody: it stays.
        """
        wanted, found = sorted(set(numbers)), list[int]()
        for part in in_parts(wanted, _AT_ONCE):
            some = self._personal.c.number.in_(part)
            found += connection.execute(select(self._personal.c.number).where(some)).scalars()
            connection.execute(delete(self._personal_row).where(some))
        if found:
            self.append(connection, at, actor, ERASED, None, {"entries": runs_of(sorted(found)), "why": why})
        return len(found)

    def naming(
        self, connection: Connection, words: Collection[str], subjects: Collection[int] | None = None
    ) -> list[int]:
        """Return the entries in whose sealed part one of some words stands as a value: a name, an id.

        Parameters
        ----------
        subjects : collection of int, optional
            Look among the acts on these alone.
        """
        wanted = frozenset(words)
        query = select(self._personal.c.number, self._personal.c.personal)
        if subjects is not None:
            acts = self._table.c
            query = query.join(self._table, acts.number == self._personal.c.number)
            query = query.where(acts[self._subject].in_(subjects))
        found = []
        with connection.execute(query.execution_options(yield_per=1_000)) as rows:
            for number, personal in rows:
                opened = orjson.loads(personal)
                sides = ((opened.get(side) or {}).values() for side in ("old", "new"))
                told = (opened.get("actor"), *chain.from_iterable(sides))
                if not wanted.isdisjoint(each for each in told if isinstance(each, str)):
                    found.append(int(number))
        return found

    def sealed_before(self, connection: Connection, moment: dt.datetime, limit: int) -> list[int]:
        """Return entries from before a moment that have a personal part, oldest first."""
        joined = self._personal.c.number == self._table.c.number
        query = select(self._table.c.number).join(self._personal, joined).where(self._table.c.at < moment)
        return list(connection.execute(query.order_by(self._table.c.number).limit(limit)).scalars())

    def unsealed(self, connection: Connection, actor: str) -> int:
        """Return how many entries from before there were seals name somebody: their digest is of the name."""
        table = self._table
        old = select(func.count()).where(table.c.seal.is_(None), table.c.actor == actor)
        return connection.execute(old).scalar_one()

    def _split(self, value: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return what is chained of a value, and what is sealed."""
        personal = {name: value[name] for name in self._sealed if value.get(name) is not None}
        return {name: each for name, each in value.items() if name not in personal}, personal

    def _query(self) -> Select[Any]:
        joined = self._table.outerjoin(self._personal, self._personal.c.number == self._table.c.number)
        return select(*self._table.c, self._personal.c.salt, self._personal.c.personal).select_from(joined)

    def _further_check(self, connection: Connection) -> Callable[[S], str | None]:
        erased = self._erased(connection)
        return lambda entry: _wrong_seal(entry, erased)

    def _erased(self, connection: Connection) -> list[tuple[int, int, int]]:
        """Return the runs of entries whose personal part was erased, each with the number of the act."""
        columns = self._table.c
        found = []
        for number, new in connection.execute(select(columns.number, columns.new).where(columns.kind == ERASED)):
            try:
                found += [(int(first), int(last), int(number)) for first, last in orjson.loads(new)["entries"]]
            except (ValueError, KeyError, TypeError):  # was tampered with, which its digest tells
                continue
        return found


def seal_of(personal: str, salt: str) -> str:
    """Return what an entry holds of its personal part."""
    return hmac.new(salt.encode(), personal.encode(), hashlib.sha256).hexdigest()


def runs_of(numbers: list[int]) -> list[list[int]]:
    """Return the first and last of each run of sorted numbers.

    Examples
    --------
    >>> runs_of([1, 2, 3, 7])
    [[1, 3], [7, 7]]
    """
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return runs


def _wrong_seal(entry: SealedEntry, erased: list[tuple[int, int, int]]) -> str | None:
    """Return what is wrong with the personal part of an entry."""
    seal, salt, personal = (vars(entry)[name] for name in ("seal", "salt", "personal"))
    if seal is None or seal == NOTHING_SEALED:
        return None if personal is None else "a personal part was added to it"
    if personal is None:
        told = any(first <= entry.number <= last < at for first, last, at in erased)
        return None if told else "its personal part is gone, and no erasure names it"
    return None if hmac.compare_digest(seal_of(personal, salt), seal) else "its personal part does not fit its seal"
