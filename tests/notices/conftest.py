"""A recall that lacks nothing."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from models.notices.recall import Recall, Remedy


def heater(**changes: Any) -> Recall:
    """A recall of an invented heater, whole, with changes."""
    facts: dict[str, Any] = {
        "product": "Sparkle Mini Heater",
        "brand": "Hearthlane",
        "gtins": ["0000000000017"],
        "models": ["HX-15"],
        "batches": ["L22"],
        "number_place": {"en": "On the label at the back."},
        "picture": "https://marketplace.example/heater.jpg",
        "sold_from": dt.date(2026, 1, 5),
        "sold_until": dt.date(2026, 3, 9),
        "sold_where": "Example Marketplace",
        "sold_by": "Warm Things Ltd",
        "hazards": ["fire", "electric shock"],
        "hazard_details": {"en": "The housing melts and sets fire to what is near."},
        "instructions": {"en": "Unplug it and let it cool."},
        "remedies": [Remedy.REFUND, Remedy.REPLACEMENT],
        "phone": "+31 800 000",
        "website": "https://marketplace.example/recall/1",
        "email": "safety@marketplace.example",
    }
    return Recall.model_validate({**facts, **changes})


@pytest.fixture
def recall() -> Recall:
    return heater()
