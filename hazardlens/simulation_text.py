"""A simulation in lines for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_CHANGES_SHOWN = 5


def simulation_text(figures: dict[str, Any]) -> str:
    """Return the summary of `models.simulation.summary` as text."""
    return "\n".join(_lines(figures))


def _lines(figures: dict[str, Any]) -> Iterator[str]:
    actions, history = figures["actions"], figures["history"]
    n = figures["n"]
    yield f"{figures['after']} on {n:,} assessments, compared with {_before(figures)}"
    if figures["unreadable"]:
        yield f"{figures['unreadable']:,} could not be read, first: {figures['faults'][0]}"
    if figures["without_a_decision"]:
        yield f"{figures['without_a_decision']:,} hold no decision and count as unchanged"
    yield ""
    yield f"{'action':24}{'before':>12}{'after':>12}"
    for name, before in actions["before"].items():
        yield f"{name:24}{before:>12,}{actions['after'][name]:>12,}"
    changed = actions["changed"]
    yield f"{changed:,} change ({changed / n:.2%}): {actions['stricter']:,} stricter, {actions['looser']:,} looser"
    yield ""
    yield f"{'queue, items a day':24}{'before':>12}{'after':>12}{'minutes after':>16}"
    for row in figures["queues"]:
        minutes = row["minutes_a_day"]
        shown = f"{minutes[1]:>16,.0f}" if minutes else f"{'':>16}"
        yield f"{row['queue']:24}{row['items_a_day'][0]:>12,.1f}{row['items_a_day'][1]:>12,.1f}{shown}"
    yield f"at {history['listings_a_day']:,.0f} listings a day"
    yield ""
    for row in figures["harm"]:
        missed, wrongly = row["missed"], row["held_wrongly"]
        yield f"{row['side']:7} by {row['by']}: {missed:,.1f} expected missed, {wrongly:,.1f} expected held wrongly"
    firing = [row for row in figures["rules"] if any(row["fired"]) or any(row["errors"]) or any(row["background"])]
    yield ""
    yield f"{'rule, hits':32}{'before':>12}{'after':>12}"
    for row in firing:
        note = " (on trial)" if row["status"] == "background" else ""
        before, after = (fired + trial for fired, trial in zip(row["fired"], row["background"], strict=True))
        yield f"{row['id'] + note:32}{before:>12,}{after:>12,}"
        if any(row["errors"]):
            yield f"  could not be judged {row['errors'][1]:,} times"
    if figures["changes"]:
        yield ""
    for row in figures["changes"][:_CHANGES_SHOWN]:
        yield f"{row['before']} -> {row['after']}: {row['listing_id']} {row['title'][:60]}"


def _before(figures: dict[str, Any]) -> str:
    before = figures["before"]
    named = "what was decided at the time" if before == "as decided" else before
    model = figures["candidate_model"]
    return f"{named}; candidate model {model}" if model else str(named)
