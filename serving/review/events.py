"""The log of every act: append-only, each entry chained by SHA-256 to the one before.

What a person can be known by stands apart, so that it can be erased one day while the chain stays whole: the name of
who acted, where it is no account's id, and free text. The entry holds a seal of it, a keyed hash whose random key is
kept with the text and goes with it. Without the key the seal tells nothing, also to who guesses the text. An erasure is
an act of its own in the chain and names the entries; a text that is gone without one counts as a break.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import re
import secrets
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, delete, insert, select

from serving.access.principal import is_pseudonym
from serving.review.words import Act
from serving.store.review_tables import ReviewEventPersonalRow, ReviewEventRow

START = "0" * 64
"""What the first entry is chained to."""
NOTHING_SEALED = "0" * 64
"""Seal of an entry in which nothing is personal."""
SEALED_ACTOR = "sealed"
"""Stands for who acted, where the name is sealed."""
PERSONAL_FIELDS = ("reason", "assigned_to")
"""Fields of `old` and `new` that are sealed."""

_TABLE = ReviewEventRow.__table__
_PERSONAL = ReviewEventPersonalRow.__table__
_AT_ONCE = 500


@dataclass(frozen=True)
class Event:
    """One act as it is kept. `old` and `new` are JSON objects as texts: the digest is of these very texts.

    Parameters
    ----------
    seal : str or None
        HMAC-SHA256 of `personal` under `salt`, which the digest covers; `NOTHING_SEALED` where nothing is personal;
        None in entries that were written before there were seals.
    salt, personal : str or None
        None where nothing is sealed, and after an erasure. `personal` is a JSON object as a text: `actor`, and what was
        taken out of `old` and `new`.
    """

    number: int
    at: dt.datetime
    actor: str
    kind: str
    item_id: int | None
    old: str
    new: str
    previous: str
    digest: str
    seal: str | None = None
    salt: str | None = None
    personal: str | None = None

    def own_digest(self) -> str:
        """Return what the digest must be."""
        parts = [
            self.number, self.at.astimezone(dt.UTC).isoformat(), self.actor, self.kind, self.item_id,
            self.old, self.new, self.previous, *([] if self.seal is None else [self.seal]),
        ]  # fmt: skip
        return hashlib.sha256(orjson.dumps(parts)).hexdigest()

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
        return dict(orjson.loads(self.personal)) if self.personal else {}

    def _whole(self, side: str) -> str:
        chained: str = getattr(self, side)
        taken_out = self._opened.get(side)
        return _json({**orjson.loads(chained), **taken_out}) if taken_out else chained


@dataclass(frozen=True)
class Head:
    """The newest entry: who keeps it elsewhere can tell later that nothing before it was changed or cut off."""

    number: int
    digest: str

    def __str__(self) -> str:
        return f"{self.number}:{self.digest}"

    @classmethod
    def read(cls, text: str) -> Head:
        """Return a head that was written by `str`.

        Raises
        ------
        ValueError
            If the text is none.
        """
        written = re.fullmatch(r"([0-9]{1,18}):([0-9a-f]{64})", text.strip())
        if written is None:
            raise ValueError(f"{text!r} is no head")
        return cls(int(written[1]), written[2])


@dataclass(frozen=True)
class Break:
    """A place where the log was changed."""

    number: int
    what: str


def append(
    connection: Connection,
    at: dt.datetime,
    actor: str,
    kind: Act,
    item_id: int | None,
    new: Mapping[str, Any],
    old: Mapping[str, Any] | None = None,
) -> Event:
    """Add an act to the log, within the transaction that does it.

    The caller holds the lock under which acts are done one after another; otherwise two would get one number, and the
    database refuses the later.
    """
    last = head(connection)
    chained_old, personal_old = _split(old or {})
    chained_new, personal_new = _split(new)
    personal: dict[str, Any] = {"old": personal_old, "new": personal_new}
    if not is_pseudonym(actor):
        personal["actor"] = actor
    text = _json({name: value for name, value in personal.items() if value})
    salt = secrets.token_hex(32) if text != "{}" else None
    unsigned = Event(
        last.number + 1,
        at.astimezone(dt.UTC),
        actor if "actor" not in personal else SEALED_ACTOR,
        kind.value,
        item_id,
        _json(chained_old),
        _json(chained_new),
        last.digest,
        "",
        NOTHING_SEALED if salt is None else seal_of(text, salt),
        salt,
        None if salt is None else text,
    )
    event = Event(**{**vars(unsigned), "digest": unsigned.own_digest()})
    connection.execute(
        insert(ReviewEventRow).values(**{column.name: getattr(event, column.name) for column in _TABLE.c})
    )
    if event.salt is not None:
        kept = {"number": event.number, "salt": event.salt, "personal": event.personal}
        connection.execute(insert(ReviewEventPersonalRow).values(**kept))
    return event


def seal_of(personal: str, salt: str) -> str:
    """Return what an entry holds of its personal part."""
    return hmac.new(salt.encode(), personal.encode(), hashlib.sha256).hexdigest()


def erase_personal(
    connection: Connection, numbers: Collection[int], at: dt.datetime, actor: str, why: str
) -> list[list[int]]:
    """Erase the personal parts of entries, and log that.

    The caller holds the lock under which acts are done one after another.

    Parameters
    ----------
    why : str
        In a word, without naming anybody: it stays.

    Returns
    -------
    list of [int, int]
        First and last number of each run of entries, as the log keeps it; entries that have no personal part are left
        out.
    """
    wanted = sorted(set(numbers))
    found: list[int] = []
    for start in range(0, len(wanted), _AT_ONCE):
        some = _PERSONAL.c.number.in_(wanted[start : start + _AT_ONCE])
        found += connection.execute(select(_PERSONAL.c.number).where(some)).scalars()
        connection.execute(delete(ReviewEventPersonalRow).where(some))
    runs = _runs(sorted(found))
    if runs:
        append(connection, at, actor, Act.ERASED, None, {"entries": runs, "why": why})
    return runs


def head(connection: Connection) -> Head:
    """Return the newest entry's number and digest; 0 and zeros for an empty log."""
    query = select(_TABLE.c.number, _TABLE.c.digest).order_by(_TABLE.c.number.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    return Head(0, START) if row is None else Head(row.number, row.digest)


def events(connection: Connection, item_id: int | None = None, after: int = 0) -> Iterator[Event]:
    """Yield entries in their order: of one item, or of all, from a number on."""
    columns = (*_TABLE.c, _PERSONAL.c.salt, _PERSONAL.c.personal)
    joined = _TABLE.outerjoin(_PERSONAL, _PERSONAL.c.number == _TABLE.c.number)
    query = select(*columns).select_from(joined).where(_TABLE.c.number > after).order_by(_TABLE.c.number)
    if item_id is not None:
        query = query.where(_TABLE.c.item_id == item_id)
    with connection.execute(query.execution_options(yield_per=1_000)) as rows:
        for row in rows:
            yield Event(*row)


def breaks(connection: Connection, known: Head | None = None) -> Iterator[Break]:
    """Yield every place where the log is not as it was written.

    Parameters
    ----------
    known : Head, optional
        The newest entry at an earlier time, kept elsewhere. Without it a log whose end was cut off looks whole.
    """
    previous, number = START, 0
    erased = _erased(connection)
    found = known is None or known.number == 0
    try:
        for event in events(connection):
            if event.number != number + 1:
                missing = f"entries {number + 1} to {event.number - 1} are missing"
                yield Break(event.number, missing)
            elif event.previous != previous:
                yield Break(event.number, "it is not chained to the entry before")
            if event.digest != event.own_digest():
                yield Break(event.number, "its content does not fit its digest")
            if (wrong := _wrong_seal(event, erased)) is not None:
                yield Break(event.number, wrong)
            if known is not None and event.number == known.number:
                found = True
                if event.digest != known.digest:
                    yield Break(event.number, "its digest is not the one that was noted")
            previous, number = event.digest, event.number
    except ValueError as error:  # SQLite keeps any text as a time
        yield Break(number + 1, f"it cannot be read, and nothing after it was: {error}")
        return
    if not found and known is not None:
        yield Break(known.number, f"the log ends at entry {number}, before the one that was noted")


def _wrong_seal(event: Event, erased: list[tuple[int, int, int]]) -> str | None:
    """Return what is wrong with the personal part of an entry."""
    if event.seal is None or event.seal == NOTHING_SEALED:
        return None if event.personal is None else "a personal part was added to it"
    if event.personal is None or event.salt is None:
        told = any(first <= event.number <= last < at for first, last, at in erased)
        return None if told else "its personal part is gone, and no erasure names it"
    fits = hmac.compare_digest(seal_of(event.personal, event.salt), event.seal)
    return None if fits else "its personal part does not fit its seal"


def _erased(connection: Connection) -> list[tuple[int, int, int]]:
    """Return the runs of entries whose personal part was erased, each with the number of the act."""
    query = select(_TABLE.c.number, _TABLE.c.new).where(_TABLE.c.kind == Act.ERASED.value)
    found = []
    for number, new in connection.execute(query):
        try:
            found += [(int(first), int(last), int(number)) for first, last in orjson.loads(new)["entries"]]
        except (ValueError, KeyError, TypeError):  # was tampered with, which its digest tells
            continue
    return found


def _runs(numbers: list[int]) -> list[list[int]]:
    """Return the first and last of each run of sorted numbers.

    Examples
    --------
    >>> _runs([1, 2, 3, 7])
    [[1, 3], [7, 7]]
    """
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return runs


def _split(value: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what is chained of a value, and what is sealed."""
    personal = {name: value[name] for name in PERSONAL_FIELDS if value.get(name) is not None}
    return {name: each for name, each in value.items() if name not in personal}, personal


def _json(value: Mapping[str, Any]) -> str:
    return orjson.dumps(dict(value), option=orjson.OPT_SORT_KEYS).decode()
