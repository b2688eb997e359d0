"""Keeps plans, each as it was written, and every act that put one in force or took it back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine, func, insert, or_, select

from models.plan.plan import Plan
from serving.store.database import one_at_a_time
from serving.store.tables import PlanActRow, PlanRow

_LOCK = 0x504C414E  # "PLAN"


class PlanConflictError(Exception):
    """The act does not fit what is stored; the message says why."""


@dataclass(frozen=True)
class StoredPlan:
    """A plan as it was stored."""

    digest: str
    plan_id: str
    name: str
    version: str
    content: str
    author: str
    reason: str
    created_at: datetime


@dataclass(frozen=True)
class StoredAct:
    """One act, by the number it has among all."""

    number: int
    act: str
    plan_id: str
    digest: str
    person: str
    reason: str
    created_at: datetime


class PlanStore:
    """Plans in a database. Its methods block: call them from a thread.

    What is live follows from the acts alone: `start` names the plan of the server's file, `activate` puts one on top,
    and `rollback` takes the top one away. Rows are added and never changed.

    Parameters
    ----------
    engine : Engine
        From `open_database`, migrated.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def keep(self, plan: Plan, author: str, reason: str, *, version_once: bool = True) -> StoredPlan:
        """Store a plan; one of the same content is kept as it is.

        Parameters
        ----------
        version_once : bool
            Refuse other content under a name and version that are taken.

        Raises
        ------
        PlanConflictError
            If that is so.
        """
        with one_at_a_time(self.engine, _LOCK) as connection:
            return self._keep(connection, plan, author, reason, version_once)

    def start(self, plan: Plan) -> StoredPlan:
        """Note the plan of the server's file, and return the one that is live: what was activated stays live."""
        with one_at_a_time(self.engine, _LOCK) as connection:
            kept = self._keep(connection, plan, "server", "the plan that the server was started with", False)
            acts = _acts(connection)
            if (_base(acts) or "") != kept.digest:
                _add(connection, "start", kept.digest, "server", kept.reason)
            return _one(connection, _live([*acts, _Step("start", kept.digest)]))

    def activate(self, digest: str, person: str, reason: str, *, four_eyes: bool) -> StoredPlan:
        """Put a stored plan in force.

        Raises
        ------
        PlanConflictError
            If it is live already, or `four_eyes` is wanted and the person wrote it.
        """
        with one_at_a_time(self.engine, _LOCK) as connection:
            plan = _one(connection, digest)
            acts = _acts(connection)
            if acts and _live(acts) == digest:
                raise PlanConflictError(f"Plan {plan.plan_id} is live already.")
            if four_eyes and _same_person(plan.author, person):
                raise PlanConflictError(
                    f"{person} wrote plan {plan.plan_id}: another person must put it in force (four eyes)."
                )
            _add(connection, "activate", digest, person, reason)
            return plan

    def roll_back(self, person: str, reason: str) -> StoredPlan:
        """Take the live plan out of force; the one before it is live again.

        Raises
        ------
        PlanConflictError
            If none was activated.
        """
        with one_at_a_time(self.engine, _LOCK) as connection:
            stack = _stack(_acts(connection))
            if len(stack) < 2:
                raise PlanConflictError("No plan was activated: there is none to go back from.")
            _add(connection, "rollback", stack[-2], person, reason)
            return _one(connection, stack[-2])

    def live(self) -> StoredPlan | None:
        """Return the live plan, None where no server has started yet."""
        with self.engine.connect() as connection:
            acts = _acts(connection)
            return _one(connection, _live(acts)) if acts else None

    def get(self, name: str) -> StoredPlan | None:
        """Return the plan of an id or a digest, None where there is none."""
        with self.engine.connect() as connection:
            query = select(PlanRow.__table__).where(or_(PlanRow.plan_id == name, PlanRow.digest == name))
            row = connection.execute(query).one_or_none()
        return None if row is None else StoredPlan(*row)

    def plans(self, limit: int) -> list[StoredPlan]:
        """Return the newest plans, newest first."""
        query = select(PlanRow.__table__).order_by(PlanRow.created_at.desc(), PlanRow.plan_id.desc()).limit(limit)
        with self.engine.connect() as connection:
            return [StoredPlan(*row) for row in connection.execute(query)]

    def acts(self, limit: int) -> list[StoredAct]:
        """Return the newest acts, newest first."""
        columns = (
            PlanActRow.number, PlanActRow.act, PlanRow.plan_id, PlanActRow.digest, PlanActRow.person,
            PlanActRow.reason, PlanActRow.created_at,
        )  # fmt: skip
        query = select(*columns).join(PlanRow, PlanRow.digest == PlanActRow.digest)
        with self.engine.connect() as connection:
            rows = connection.execute(query.order_by(PlanActRow.number.desc()).limit(limit))
            return [StoredAct(*row) for row in rows]

    def newest_act(self) -> int:
        """Return the number of the newest act, 0 where there is none: it grows whenever another plan may be live."""
        with self.engine.connect() as connection:
            return connection.execute(select(func.coalesce(func.max(PlanActRow.number), 0))).scalar_one()

    @staticmethod
    def _keep(connection: Connection, plan: Plan, author: str, reason: str, version_once: bool) -> StoredPlan:
        table = PlanRow.__table__
        kept = connection.execute(select(table).where(PlanRow.digest == plan.content_digest)).one_or_none()
        if kept is not None:
            return StoredPlan(*kept)
        same = select(PlanRow.plan_id).where(PlanRow.name == plan.name, PlanRow.version == plan.version)
        taken = connection.execute(same.limit(1)).scalar()
        if taken is not None and version_once:
            raise PlanConflictError(
                f"Version {plan.version} of plan {plan.name} is stored with other content ({taken}); raise the version."
            )
        stored = StoredPlan(
            plan.content_digest, f"{plan.name}@{plan.version}+{plan.content_digest[:8]}", plan.name, plan.version,
            plan.text, author, reason, datetime.now(UTC),
        )  # fmt: skip
        connection.execute(insert(PlanRow).values(**vars(stored)))
        return stored


@dataclass(frozen=True)
class _Step:
    act: str
    digest: str


def _acts(connection: Connection) -> list[_Step]:
    rows = connection.execute(select(PlanActRow.act, PlanActRow.digest).order_by(PlanActRow.number))
    return [_Step(row.act, row.digest) for row in rows]


def _base(steps: Iterable[_Step]) -> str | None:
    """Return the plan of the file that the newest start named."""
    return next((step.digest for step in reversed(list(steps)) if step.act == "start"), None)


def _stack(steps: list[_Step]) -> list[str]:
    """Return the plan of the file and what was activated and not taken back, the live one last."""
    base = _base(steps)
    activated: list[str] = []
    for step in steps:
        if step.act == "activate":
            activated.append(step.digest)
        elif step.act == "rollback" and activated:
            activated.pop()
    return [*([base] if base else []), *activated]


def _live(steps: list[_Step]) -> str:
    return _stack(steps)[-1]


def _add(connection: Connection, act: str, digest: str, person: str, reason: str) -> None:
    values = {"act": act, "digest": digest, "person": person, "reason": reason, "created_at": datetime.now(UTC)}
    connection.execute(insert(PlanActRow).values(**values))


def _one(connection: Connection, digest: str) -> StoredPlan:
    return StoredPlan(*connection.execute(select(PlanRow.__table__).where(PlanRow.digest == digest)).one())


def _same_person(one: str, other: str) -> bool:
    return " ".join(one.split()).casefold() == " ".join(other.split()).casefold()
