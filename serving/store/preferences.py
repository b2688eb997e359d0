"""Keeps what people chose: views of the queue, the one it begins with, and the console's language."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Engine, and_, delete, func, insert, or_, select, update

from models.domain.errors import InputError
from serving.store.account_tables import PreferenceRow, ReviewViewRow
from serving.store.database import insert_into, one_at_a_time, writing

_LOCK = 0x56494557  # "VIEW"
_VIEWS, _CHOSEN = ReviewViewRow.__table__, PreferenceRow.__table__
MOST_VIEWS, _LONGEST_NAME, _LONGEST_QUERY = 100, 60, 4_000


@dataclass(frozen=True)
class View:
    """A filter of the queue under a name."""

    id: int
    owner: str
    name: str
    query: str
    shared: bool
    default: bool


class Preferences:
    """What people chose, in a database. Its methods block: call them from a thread.

    People are named as in records: the id of an account, or the name of a key.

    Parameters
    ----------
    engine : Engine
        From `open_database`, migrated.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def language(self, person: str) -> str | None:
        """Return the language that a person chose, if any."""
        with self.engine.connect() as connection:
            return connection.execute(select(_CHOSEN.c.language).where(_CHOSEN.c.person == person)).scalar()

    def choose_language(self, person: str, language: str) -> None:
        """Note the language that a person chose."""
        self._choose(person, language=language)

    def views(self, person: str) -> list[View]:
        """Return a person's views and those that others share, each by name, their own first."""
        default = select(_CHOSEN.c.view_id).where(_CHOSEN.c.person == person).scalar_subquery()
        query = (
            select(_VIEWS, (_VIEWS.c.id == default).label("is_default"))
            .where(_seen_by(person))
            .order_by(_VIEWS.c.owner != person, func.lower(_VIEWS.c.name), _VIEWS.c.id)
        )
        with self.engine.connect() as connection:
            rows = connection.execute(query)
            return [View(r.id, r.owner, r.name, r.query, r.shared, bool(r.is_default)) for r in rows]

    def default_query(self, person: str) -> str | None:
        """Return the filter that the queue begins with for a person, if they chose one that is still there for them."""
        chosen = select(_CHOSEN.c.view_id).where(_CHOSEN.c.person == person).scalar_subquery()
        query = select(_VIEWS.c.query).where(_VIEWS.c.id == chosen, _seen_by(person))
        with self.engine.connect() as connection:
            return connection.execute(query).scalar()

    def save_view(self, person: str, name: str, query: str, shared: bool) -> int:
        """Keep a view; one of the same name is written over. Return its number.

        Raises
        ------
        InputError
            If the name or the filter cannot be kept, or there are too many.
        """
        name = _checked(name)
        if len(query) > _LONGEST_QUERY:
            raise InputError(f"it has {len(query):,} characters", place="filter", hint="filter by less")
        values = {"owner": person, "name": name, "query": query, "shared": shared, "created_at": datetime.now(UTC)}
        with one_at_a_time(self.engine, _LOCK) as connection:
            own = select(_VIEWS.c.id, _VIEWS.c.name).where(_VIEWS.c.owner == person)
            known = {row.name: row.id for row in connection.execute(own)}
            if name in known:
                connection.execute(update(ReviewViewRow).where(_VIEWS.c.id == known[name]).values(**values))
                return int(known[name])
            if len(known) >= MOST_VIEWS:
                raise InputError(f"there are {MOST_VIEWS} views already", place="name", hint="delete one first")
            added = insert(ReviewViewRow).values(**values).returning(ReviewViewRow.id)
            return connection.execute(added).scalar_one()

    def change_view(self, person: str, view_id: int, name: str, shared: bool) -> None:
        """Rename one's own view, and share it or not.

        Raises
        ------
        InputError
            If it is not one's own, or another one has the name.
        """
        name = _checked(name)
        with one_at_a_time(self.engine, _LOCK) as connection:
            clash = and_(_VIEWS.c.owner == person, _VIEWS.c.name == name, _VIEWS.c.id != view_id)
            if connection.execute(select(_VIEWS.c.id).where(clash)).scalar() is not None:
                raise InputError(f"another view is called {name!r}", place="name", hint="choose another name")
            changing = update(ReviewViewRow).where(_own(person, view_id)).values(name=name, shared=shared)
            if not connection.execute(changing).rowcount:
                raise _not_yours(view_id)

    def delete_view(self, person: str, view_id: int) -> None:
        """Remove one's own view.

        Raises
        ------
        InputError
            If it is not one's own.
        """
        with writing(self.engine) as connection:
            if not connection.execute(delete(ReviewViewRow).where(_own(person, view_id))).rowcount:
                raise _not_yours(view_id)

    def choose_default(self, person: str, view_id: int | None) -> None:
        """Let the queue begin with a view, or (None) with everything.

        Raises
        ------
        InputError
            If the view is not one's own, and not shared.
        """
        if view_id is not None:
            with self.engine.connect() as connection:
                seen = select(_VIEWS.c.id).where(_VIEWS.c.id == view_id, _seen_by(person))
                if connection.execute(seen).scalar() is None:
                    raise _not_yours(view_id)
        self._choose(person, view_id=view_id)

    def _choose(self, person: str, **values: Any) -> None:
        adding = insert_into(self.engine, PreferenceRow).values(person=person, **values)
        with writing(self.engine) as connection:
            connection.execute(adding.on_conflict_do_update(index_elements=[_CHOSEN.c.person], set_=values))


def _seen_by(person: str) -> ColumnElement[bool]:
    return or_(_VIEWS.c.owner == person, _VIEWS.c.shared)


def _own(person: str, view_id: int) -> ColumnElement[bool]:
    return and_(_VIEWS.c.id == view_id, _VIEWS.c.owner == person)


def _checked(name: str) -> str:
    form = " ".join(name.split())
    if not 1 <= len(form) <= _LONGEST_NAME or not form.isprintable():
        raise InputError(f"{name!r} is no name for a view", place="name", hint=f"give 1 to {_LONGEST_NAME} characters")
    return form


def _not_yours(view_id: int) -> InputError:
    return InputError(f"you have no view {view_id}", place="view", hint="choose one of the list")
