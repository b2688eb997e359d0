"""One alert from what several sources say of it, and what a newer version changed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import orjson

from models.domain.alert import Alert, AlertLevel

_COLLECTED = ("barcodes", "models", "batches")
"""Whatever any source names helps to find the product."""


@dataclass(frozen=True)
class Change:
    """A field that a newer version changed."""

    field: str
    before: Any
    now: Any


def merged(versions: Sequence[Alert]) -> Alert:
    """Return one alert: each field from the first version that has it, identifiers from all.

    Parameters
    ----------
    versions : sequence of Alert
        At least one; the most trusted first.

    Examples
    --------
    >>> one = Alert("safety-gate", "SR/1/30", "Bear", barcodes=("123",))
    >>> merged([one, replace(one, brand="Toyco", barcodes=("456",))]).barcodes
    ('123', '456')
    """
    first = versions[0]
    values: dict[str, Any] = {}
    for field in (each.name for each in fields(Alert)):
        given = [getattr(version, field) for version in versions]
        if field in _COLLECTED:
            values[field] = tuple(dict.fromkeys(item for items in given for item in items))
        elif field == "level":
            values[field] = next((level for level in given if level is not AlertLevel.UNKNOWN), AlertLevel.UNKNOWN)
        elif field == "language":  # of the text that was taken
            values[field] = next((v.language for v in versions if v.description), first.language)
        else:
            values[field] = next((value for value in given if value), getattr(first, field))
    return replace(first, **values)


def changes(before: Alert, now: Alert) -> list[Change]:
    """Return the fields in which two versions of an alert differ."""
    old, new = before.as_json(), now.as_json()
    return [Change(name, old[name], new[name]) for name in new if old[name] != new[name]]


def digest_of(alert: Alert) -> str:
    """Return the SHA-256 (hex) of all that an alert says."""
    return hashlib.sha256(orjson.dumps(alert.as_json(), option=orjson.OPT_SORT_KEYS)).hexdigest()
