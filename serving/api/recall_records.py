"""Cases, clocks, matches and takedown orders as answers hold them."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from typing import Any

import orjson

from serving.api.recall_schemas import ClockRecord, OrderRecord
from serving.recalls import alerts as kept
from serving.recalls.cases import CaseLine
from serving.recalls.clocks import Clock
from serving.recalls.desk import RecallDesk
from serving.recalls.matches import CaseMatch
from serving.recalls.orders import TakedownOrder


def detail(desk: RecallDesk, case_id: int) -> dict[str, Any]:
    """Return a case with everything about it; blocks."""
    line = desk.cases.get(case_id)
    with desk.engine.connect() as connection:
        sources = [asdict(each) for each in kept.sightings(connection, line.alert.id)]
    instants = (
        "search_finished_at", "looked_at", "identified_at", "ordered_at", "removed_at", "sellers_informed_at",
        "informed_at", "answered_at", "closed_at", "answer",
    )  # fmt: skip
    return {
        **summary_record(line),
        "alert": line.alert.alert.as_json(),
        "withdrawn_at": line.alert.withdrawn_at,
        "sources": sources,
        "notices": [asdict(each) for each in desk.cases.notices(case_id)],
        "clocks": [clock_record(clock) for clock in desk.cases.clocks(case_id)],
        **{name: getattr(line.case, name) for name in instants},
        "events": [
            {"number": event.number, "at": event.at, "actor": event.person, "kind": event.kind,
             "new": orjson.loads(event.after), "old": orjson.loads(event.before)}
            for event in desk.cases.history(case_id)
        ],
    }  # fmt: skip


def summary_record(line: CaseLine) -> dict[str, Any]:
    """Return a case as lists have it."""
    case, alert = line.case, line.alert.alert
    return {
        "id": case.id, "alert_id": case.alert_id, "reference": alert.reference, "title": alert.title,
        "brand": alert.brand, "kind": case.kind, "authority": case.authority, "country": case.country,
        "state": case.state, "received_at": case.received_at, "due_at": case.due_at, "counts": asdict(line.counts),
    }  # fmt: skip


def clock_record(clock: Clock) -> dict[str, Any]:
    """Return a clock as it stands now."""
    facts = {name: value for name, value in asdict(clock).items() if name in ClockRecord.model_fields}
    return {**facts, "duty": clock.duty.value, "state": clock.state(dt.datetime.now(dt.UTC))}


def match_record(match: CaseMatch) -> dict[str, Any]:
    """Return a match, without the listing that it is of."""
    left_out = ("case_id", "assessment_id", "content_hash", "countries", "listing")
    facts = {name: value for name, value in asdict(match).items() if name not in left_out}
    return {**facts, "state": match.state.value}


def order_record(order: TakedownOrder) -> dict[str, Any]:
    """Return a takedown order."""
    facts = {name: value for name, value in asdict(order).items() if name in OrderRecord.model_fields}
    return {**facts, "state": order.state}
