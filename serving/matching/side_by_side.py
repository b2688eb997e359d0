"""A listing beside the alerts that it matches, field by field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, select

from models.domain.alert import Alert
from models.domain.match import Match
from models.matching.identifiers import gtin, model_key
from models.matching.names import brand_key
from serving.store.recall_tables import AlertRow


@dataclass(frozen=True)
class Pair:
    """One field of both; `differs` only where both say something."""

    name: str
    listing: str
    alert: str
    differs: bool


@dataclass(frozen=True)
class SideBySide:
    """A match with the fields of both sides; none where the alert is no longer kept."""

    match: Match
    pairs: list[Pair]


def side_by_side(engine: Engine, listing: Mapping[str, Any], matches: Sequence[Match]) -> list[SideBySide]:
    """Return the matches of a listing with the alerts' fields beside its own; blocks.

    Parameters
    ----------
    listing : mapping
        As JSON gives it.
    """
    if not matches:
        return []
    query = select(AlertRow.id, AlertRow.alert).where(AlertRow.id.in_([match.alert_id for match in matches]))
    with engine.connect() as connection:
        alerts = {row.id: Alert.of_json(row.alert) for row in connection.execute(query)}
    return [
        SideBySide(match, _pairs(listing, alerts[match.alert_id]) if match.alert_id in alerts else [])
        for match in matches
    ]


def _pairs(listing: Mapping[str, Any], alert: Alert) -> list[Pair]:
    brand, model, code = (str(listing.get(name) or "") for name in ("brand", "model", "gtin"))
    found = [
        Pair("name", str(listing.get("title") or ""), alert.title, False),
        Pair("brand", brand, alert.brand, _differ({brand_key(brand)}, {brand_key(alert.brand)})),
        Pair("model", model, ", ".join(alert.models), _differ({model_key(model)}, set(map(model_key, alert.models)))),
        Pair(
            "gtin",
            code,
            ", ".join(alert.barcodes),
            _differ({gtin(code) or ""}, {known for text in alert.barcodes if (known := gtin(text))}),
        ),
        Pair("category", str(listing.get("category") or ""), alert.category, False),
        Pair("description", str(listing.get("description") or ""), alert.description, False),
        Pair("risk", "", ", ".join(alert.risk_types), False),
    ]
    return [pair for pair in found if pair.listing or pair.alert]


def _differ(ours: set[str], theirs: set[str]) -> bool:
    """Tell whether two sides name something, and nothing of it is the same."""
    ours, theirs = ours - {""}, theirs - {""}
    return bool(ours) and bool(theirs) and not ours & theirs
