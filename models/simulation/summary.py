"""A tally in words and figures: what `plan simulate` prints, and what its report draws."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from models.domain.action import Action
from models.plan.plan import Plan
from models.simulation.replay import change_row
from models.simulation.tally import ACTIONS, DIMENSIONS, Harm, Matrix, Tally

_NAMES = [action.value for action in Action]
_SLICES_SHOWN = 25

DEFINITIONS = {
    "missed": "expected listings of level high or serious that go on sale: the sum of risk_score over listings that are"
    " published, with or without a warning",
    "held_wrongly": "expected listings below that level that are held or blocked: the sum of 1 - risk_score over them",
    "a_day": "items over the days from the first to the last assessment, or scaled to the volume that was given",
}


@dataclass(frozen=True)
class Compared:
    """The two sides of a simulation.

    Parameters
    ----------
    before : Plan or None
        None where the decisions are those that were made at the time.
    model : str
        Version of the candidate model, empty where none was tried.
    per_day : float or None
        Listings a day for the forecast; None takes what the history shows.
    """

    after: Plan
    before: Plan | None = None
    model: str = ""
    per_day: float | None = None


def summary(tally: Tally, compared: Compared) -> dict[str, Any]:
    """Return a tally as JSON values."""
    first, last, days = _span(tally)
    scale = (compared.per_day / tally.n) if compared.per_day else 1 / days
    return {
        "n": tally.n,
        "unreadable": tally.unreadable,
        "without_a_decision": tally.undecided,
        "faults": tally.faults,
        "before": compared.before.id if compared.before else "as decided",
        "after": compared.after.id,
        "candidate_model": compared.model or None,
        "history": {"first": first, "last": last, "days": days, "listings_a_day": round(tally.n * scale, 3)},
        "actions": _actions(tally.total),
        "slices": {dimension: _slices(tally.slices[dimension]) for dimension in DIMENSIONS},
        "rules": _rules(tally, compared),
        "queues": _queues(tally, compared, scale),
        "thresholds": _thresholds(tally, compared.after),
        "harm": [
            {
                "by": f"{whose} probabilities" if whose == "kept" else "probabilities of the candidate model",
                "side": side,
                "missed": round(harm.missed, 3),
                "held_wrongly": round(harm.held_wrongly, 3),
                "missed_a_day": round(harm.missed * scale, 3),
                "held_wrongly_a_day": round(harm.held_wrongly * scale, 3),
            }
            for (whose, side), harm in sorted(tally.harm.items(), key=_yardsticks_first)
        ],
        "definitions": DEFINITIONS,
        "changes": [change_row(change) for change in sorted(tally.changes, reverse=True)],
    }


def _yardsticks_first(item: tuple[tuple[str, str], Harm]) -> tuple[bool, bool]:
    (whose, side), _ = item
    return whose != "kept", side != "before"


def _span(tally: Tally) -> tuple[str | None, str | None, int]:
    known = sorted(day for day in tally.days if day)
    if not known:
        return None, None, 1
    days = (dt.date.fromisoformat(known[-1]) - dt.date.fromisoformat(known[0])).days + 1
    return known[0], known[-1], days


def _actions(matrix: Matrix) -> dict[str, Any]:
    rows = [matrix[i * ACTIONS : (i + 1) * ACTIONS] for i in range(ACTIONS)]
    return {
        "before": {name: sum(rows[i]) for i, name in enumerate(_NAMES)},
        "after": {name: sum(row[i] for row in rows) for i, name in enumerate(_NAMES)},
        "changed": sum(n for i, row in enumerate(rows) for j, n in enumerate(row) if i != j),
        "stricter": sum(n for i, row in enumerate(rows) for j, n in enumerate(row) if j > i),
        "looser": sum(n for i, row in enumerate(rows) for j, n in enumerate(row) if j < i),
        "matrix": rows,
    }


def _slices(values: dict[str, Matrix]) -> list[dict[str, Any]]:
    largest = sorted(values.items(), key=lambda item: (-sum(item[1]), item[0]))[:_SLICES_SHOWN]
    return [{"value": value, "n": sum(matrix), **_actions(matrix)} for value, matrix in largest]


def _rules(tally: Tally, compared: Compared) -> list[dict[str, Any]]:
    known = {rule.id: rule for plan in (compared.before, compared.after) if plan for rule in plan.rules}
    hits = (tally.before, tally.after)
    seen = {name for side in hits for counts in (side.fired, side.background, side.errors) for name in counts}
    rows = []
    for name in [*known, *sorted(seen - known.keys())]:
        rule = known.get(name)
        rows.append(
            {
                "id": name,
                "status": rule.status if rule else "not in this plan",
                "action": rule.spec.action.value if rule else None,
                "fired": [side.fired[name] for side in hits],
                "decided": [side.decided[name] for side in hits],
                "background": [side.background[name] for side in hits],
                "errors": [side.errors[name] for side in hits],
            }
        )
    return rows


def _queues(tally: Tally, compared: Compared, scale: float) -> list[dict[str, Any]]:
    queues = compared.after.document.mitigate.queues
    earlier = compared.before.document.mitigate.queues if compared.before else {}
    names = [*queues, *sorted((tally.before.queues.keys() | earlier.keys()) - queues.keys())]
    rows = []
    for name in names:
        spec = queues.get(name) or earlier.get(name)
        before, after = tally.before.queues[name] * scale, tally.after.queues[name] * scale
        minutes = spec.minutes if spec else None
        rows.append(
            {
                "queue": name,
                "who": spec.who if spec else "",
                "items": [tally.before.queues[name], tally.after.queues[name]],
                "items_a_day": [round(before, 3), round(after, 3)],
                "minutes_an_item": minutes,
                "minutes_a_day": None if minutes is None else [round(before * minutes, 1), round(after * minutes, 1)],
            }
        )
    return rows


def _thresholds(tally: Tally, after: Plan) -> list[dict[str, Any]]:
    promised = {
        f"threshold {name}": after.guarantees.get(threshold.guarantee or "")
        for name, threshold in after.document.assess.thresholds.items()
    }
    rows = []
    for cut in tally.cuts:
        guarantee = promised.get(cut.label)
        rows.append(
            {
                "label": cut.label,
                "score": cut.score,
                "at": cut.at,
                "reached": tally.reached[cut.label],
                "guarantee": guarantee.statement if guarantee else None,
                "histogram": tally.histograms[cut.score],
            }
        )
    return rows
