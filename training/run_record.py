"""What cards are written from: a model's manifest and guarantees beside an evaluation of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models.domain.guarantee import Guarantee
from models.screening.screen import Screen
from training.cards import Table
from training.evaluation import Evaluation

DASH = "–"


@dataclass(frozen=True)
class RunRecord:
    """A trained model and how it was judged.

    Parameters
    ----------
    facts : mapping
        Facts of the manifest: ``training``, ``data``, ``profile``, ``ordinary``, ``evaluated_on`` and whatever else the
        training measured (``ablation``, ``quantisation``, ``style``, ``unsafe``, ``faithfulness``); what is absent is
        left out.
    evaluation : Evaluation
        Of this model; its metrics are those that the card shows.
    own_test : bool
        Whether the evaluation is that of the training, on its own held-out part.
    screen : Screen, optional
        Of the model, where it has one.
    """

    version: str
    facts: Mapping[str, Any]
    guarantees: Sequence[Guarantee]
    evaluation: Evaluation
    own_test: bool = True
    screen: Screen | None = None

    @property
    def training(self) -> Mapping[str, Any]:
        """Settings and counts of the training; empty where the manifest has none."""
        found: Mapping[str, Any] = self.facts.get("training") or {}
        return found

    def promises(self) -> list[Mapping[str, Any]]:
        """Guarantees as plain values: those of the model, else those among the facts."""
        if self.guarantees:
            return [guarantee.as_dict() for guarantee in self.guarantees]
        return list(self.facts.get("guarantees") or ())


def shown(value: Any, digits: int = 3) -> str:
    """Return a value for reading: figures rounded, a dash for what is not known."""
    if value is None or value != value:
        return DASH
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.{digits}f}"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, list | tuple):
        return ", ".join(shown(item, digits) for item in value)
    return str(value)


def interval(limits: Sequence[float | None] | None) -> str:
    """Return an interval for reading."""
    return DASH if not limits or limits[0] is None else f"{shown(limits[0])} to {shown(limits[1])}"


def facts_table(facts: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> Table:
    """Return any measured facts as a table: a list of records by their keys, a mapping as names and values."""
    if not isinstance(facts, Mapping):
        head = list(dict.fromkeys(key for record in facts for key in record))
        rows = [[shown(record.get(key)) for key in head] for record in facts]
        numbers = {i for i, key in enumerate(head) if any(_is_number(record.get(key)) for record in facts)}
        return Table([words_of(key) for key in head], rows, frozenset(numbers))
    return Table(("what", "value"), [(name, shown(value)) for name, value in _flat(facts)], frozenset({1}))


def promises_table(promises: Sequence[Mapping[str, Any]], side: str = "≥") -> Table:
    """Return guarantees, as plain values, as a table.

    Parameters
    ----------
    side : str
        On which side of its threshold a score must be.
    """
    rows = [
        (
            str(p["id"]),
            str(p["statement"]),
            f"{p['score']} {side} {shown(p['threshold'])}" if p["threshold"] is not None else "no threshold keeps it",
            shown(p["confidence"], 2),
            f"{shown(p['n'])} ({shown(p['positives'])})",
            f"{p['source']}{', ' + str(p['calibrated_on']) if p['calibrated_on'] else ''}",
        )
        for p in promises
    ]
    head = ("id", "promise", "threshold", "confidence", "n (positives)", "calibration set")
    return Table(head, rows, frozenset({3}))


def words_of(key: str) -> str:
    """Return a key in words."""
    known = {"macro_f1": "macro-F1", "micro_f1": "micro-F1", "map": "mAP", "top1": "top-1", "ece": "calibration error"}
    return known.get(key, key.replace("_", " "))


def _flat(facts: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = []
    for key, value in facts.items():
        name = f"{prefix}{words_of(str(key))}"
        rows += _flat(value, f"{name}: ") if isinstance(value, Mapping) else [(name, value)]
    return rows


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
