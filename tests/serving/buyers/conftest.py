"""A case with two confirmed listings and one that was refused, over each database."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import pytest

from serving.buyers.lines import OrderLine, Receipt
from serving.buyers.notices import NoticeDesk
from serving.buyers.sending import BuyerList
from serving.store.assessments import AssessmentStore
from tests.serving.figures.conftest import NOW, Cases

KEEP = dt.timedelta(days=90)


def line(order: str = "A-1", listing: str = "li-1", **facts: Any) -> OrderLine:
    given: dict[str, Any] = {
        "order_id": order, "listing_id": listing, "buyer": "b-1", "channel": "email", "address": "b1@example.org",
        "language": "de", "country": "DE", "bought_on": "2026-02-03", **facts,
    }  # fmt: skip
    return OrderLine.model_validate(given)


def receipt(status: str, hours: float = 1, order: str = "A-1", listing: str = "li-1", **facts: Any) -> Receipt:
    at = NOW + dt.timedelta(hours=hours)
    if status == "remedied":
        facts = {"remedy": "refund", **facts}
    return Receipt.model_validate(
        {"order_id": order, "listing_id": listing, "status": status, "at": at.isoformat(), **facts}
    )


@dataclass
class Shop:
    """Notices and send lists over one database, with a case."""

    store: AssessmentStore
    case: int
    notices: NoticeDesk
    buyers: BuyerList


def shop_over(store: AssessmentStore) -> Shop:
    cases = Cases(store.engine)
    case = cases.case()
    for listing, state in (("li-1", "confirmed"), ("li-2", "confirmed"), ("li-3", "refused")):
        cases.match(case, state, listing_id=listing)
    return Shop(store, case, NoticeDesk(store.engine), BuyerList(store.engine, KEEP))


@pytest.fixture
def shop(store: AssessmentStore) -> Shop:
    return shop_over(store)
