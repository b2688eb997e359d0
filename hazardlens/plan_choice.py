"""Which plan a report is about, and which one was live before it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from models.domain.errors import InputError
from models.plan.plan import Plan
from models.plan.reading import load_plan, parse_plan
from serving.store.database import open_database
from serving.store.migrating import migrate
from serving.store.plans import PlanStore, StoredPlan

_ACTS = 10_000


@dataclass(frozen=True)
class ChosenPlan:
    """A plan, the one before it, and who stored it."""

    plan: Plan
    previous: Plan | None
    author: str = ""
    reason: str = ""


def chosen_plan(file: Path | None, previous: Path | None, database_url: str, server_file: Path | None) -> ChosenPlan:
    """Return what was named, else the store's live plan and the one that was live before, else the server's file.

    Raises
    ------
    InputError
        If a plan is missing or not in order.
    """
    engine = open_database(database_url)
    try:
        migrate(engine)
        store = PlanStore(engine)
        live = store.live()
        before = _before(store, live) if live is not None else None
    finally:
        engine.dispose()
    earlier = load_plan(previous) if previous is not None else None
    if file is not None or live is None:
        return ChosenPlan(load_plan(file or server_file), earlier or _read(live))
    return ChosenPlan(_read(live) or load_plan(server_file), earlier or _read(before), live.author, live.reason)


def _before(store: PlanStore, live: StoredPlan) -> StoredPlan | None:
    """Return the plan of the newest act on another plan."""
    digest = next((act.digest for act in store.acts(_ACTS) if act.digest != live.digest), None)
    return None if digest is None else store.get(digest)


def _read(stored: StoredPlan | None) -> Plan | None:
    if stored is None:
        return None
    reading = parse_plan(stored.content, stored.plan_id)
    if reading.plan is None:
        raise InputError(
            f"this version cannot read the stored plan: {reading.errors[0].message}",
            place=stored.plan_id,
            hint="name a plan that it can read: --plan F, --previous F",
        )
    return reading.plan
