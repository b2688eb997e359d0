"""Alerts in the database, as the recall desk keeps them."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable

import orjson
import pytest
from sqlalchemy import Engine, delete, insert

from models.domain.alert import Alert
from serving.store.database import writing
from serving.store.recall_tables import AlertRow

XYLOPHONE = Alert(
    "safety-gate",
    "SR/00001/30",
    "Toy xylophone - Melodika",
    risk_types=("choking",),
    brand="Zarvox",
    category="Toys",
    description="Multi-coloured toy xylophone with eight metal bars and two wooden sticks.",
    models=("KX-204",),
    barcodes=("4006381333931",),
    country_of_notification="Germany",
    url="https://example.org/1",
)
OFFER = {
    "id": "offer",
    "title": "Zarvox toy xylophone KX-204",
    "description": "Multi-coloured xylophone with eight metal bars and two wooden sticks for small musicians.",
}

PutAlert = Callable[..., None]


def put_alert(engine: Engine, alert: Alert = XYLOPHONE, alert_id: str = "a1") -> None:
    """Keep an alert; one of the same id is replaced."""
    values = alert.as_json()
    now = dt.datetime.now(dt.UTC)
    with writing(engine) as connection:
        connection.execute(delete(AlertRow).where(AlertRow.id == alert_id))
        connection.execute(
            insert(AlertRow).values(
                id=alert_id,
                identity=f"{alert.source}:{alert.reference}:{alert_id}",
                register=alert.source,
                number=alert.reference,
                reference=alert.reference,
                title=alert.title,
                brand=alert.brand,
                category=alert.category,
                level=alert.level.value,
                country=alert.country_of_notification,
                published="",
                digest=hashlib.sha256(orjson.dumps(values)).hexdigest(),
                received_at=now,
                updated_at=now,
                withdrawn_at=None,
                alert=values,
            )
        )


@pytest.fixture
def known_alert() -> Alert:
    return XYLOPHONE
