"""Send lists: taken once, told of without a person, noted in any order, deleted in time and still counted."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from itertools import permutations
from typing import Any

import pytest
from sqlalchemy import select

from models.notices.recall import Recall
from serving.buyers.forgetting import forget_buyers
from serving.buyers.lines import LineStatus, Refused
from serving.buyers.notices import NoticeRefusedError, NotReleasedError
from serving.buyers.sending import NoSuchCaseError
from serving.recalls.events import events as log_of_cases
from serving.store.buyer_tables import BuyerCountRow, BuyerLineRow
from serving.store.hook_tables import EventRow
from serving.store.recall_tables import RecallCaseRow
from tests.notices.conftest import heater
from tests.serving.buyers.conftest import KEEP, Shop, line, receipt
from tests.serving.figures.conftest import NOW

LATER = NOW + dt.timedelta(days=2)


def events(shop: Shop) -> list[dict[str, Any]]:
    with shop.store.engine.connect() as connection:
        return list(connection.execute(select(EventRow.body).order_by(EventRow.number)).scalars())


def informed_at(shop: Shop) -> dt.datetime | None:
    with shop.store.engine.connect() as connection:
        query = select(RecallCaseRow.informed_at).where(RecallCaseRow.id == shop.case)
        return connection.execute(query).scalar_one()


def test_a_line_is_taken_once_however_often_it_is_handed_over(shop: Shop) -> None:
    lines = [line(), line("A-2"), line("A-1", "li-2")]
    first = shop.buyers.take(shop.case, [*lines, line()], NOW)
    again = shop.buyers.take(shop.case, lines, NOW)
    assert (first.taken, first.known) == (3, 1)
    assert (again.taken, again.known, again.changed) == (0, 3, 0)
    assert shop.buyers.counts(shop.case).by_status == {"queued": 3}


def test_two_uploads_at_once_make_no_line_twice(shop: Shop) -> None:
    lines = [line(f"A-{i}") for i in range(40)]
    with ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(lambda _: shop.buyers.take(shop.case, lines, NOW).taken, range(4)))
    assert sum(taken) == 40
    assert shop.buyers.counts(shop.case).lines == 40


def test_only_confirmed_listings_have_buyers_here(shop: Shop) -> None:
    taken = shop.buyers.take(shop.case, [line(), line("A-2", "li-3"), line("A-3", "other")], NOW)
    assert taken.taken == 1
    assert [(each.place, each.errors[0].field) for each in taken.refused] == [
        ("order A-2", "listing_id"), ("order A-3", "listing_id"),
    ]  # fmt: skip


def test_another_address_counts_until_the_notice_was_sent(shop: Shop) -> None:
    shop.buyers.take(shop.case, [line()], NOW)
    assert shop.buyers.take(shop.case, [line(address="new@example.org")], NOW).changed == 1
    shop.buyers.receipts(shop.case, [receipt("sent")], LATER)
    assert shop.buyers.take(shop.case, [line(address="third@example.org")], LATER).known == 1
    (kept,) = shop.buyers.lines(shop.case)
    assert (kept["address"], kept["status"]) == ("new@example.org", "sent")


def test_a_bounced_notice_is_queued_again_with_another_address(shop: Shop) -> None:
    shop.buyers.take(shop.case, [line()], NOW)
    shop.buyers.receipts(shop.case, [receipt("bounced")], LATER)
    assert shop.buyers.take(shop.case, [line(address="new@example.org")], LATER).changed == 1
    assert shop.buyers.counts(shop.case).by_status == {"queued": 1}


@pytest.mark.parametrize("order", list(permutations(["sent", "bounced", "remedied"])))
def test_the_order_of_receipts_does_not_matter(shop: Shop, order: tuple[str, ...]) -> None:
    shop.buyers.take(shop.case, [line()], NOW)
    hours = {"sent": 1, "bounced": 2, "remedied": 3}
    for status in order:
        noted = shop.buyers.receipts(shop.case, [receipt(status, hours[status])] * 2, LATER)
        assert (noted.taken, noted.known) == (1, 1)
    (kept,) = shop.buyers.lines(shop.case)
    assert (kept["status"], kept["remedy"]) == ("remedied", "refund")
    assert kept["sent_at"] == NOW + dt.timedelta(hours=1)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        (receipt("sent", order="A-9"), "order_id"),
        (receipt("sent", 24 * 30), "at"),
        (receipt("sent", at="2026-03-02T10:00:00"), "at"),
        (receipt("sent", remedy="refund"), "remedy"),
        (receipt("remedied", remedy=None), "remedy"),
    ],
)
def test_a_receipt_that_fits_nothing_is_refused_alone(shop: Shop, given: Any, field: str) -> None:
    shop.buyers.take(shop.case, [line(), line("A-2")], NOW)
    noted = shop.buyers.receipts(shop.case, [given, receipt("sent", order="A-2")], LATER)
    assert (noted.taken, [each.errors[0].field for each in noted.refused]) == (1, [field])


def test_the_case_is_informed_once_nobody_waits(shop: Shop) -> None:
    shop.buyers.take(shop.case, [line(), line("A-2")], NOW)
    shop.buyers.receipts(shop.case, [receipt("sent", 1)], LATER)
    assert informed_at(shop) is None
    shop.buyers.receipts(shop.case, [receipt("bounced", 3, "A-2")], LATER)
    assert informed_at(shop) == NOW + dt.timedelta(hours=3)
    shop.buyers.take(shop.case, [line("A-3")], LATER)
    assert informed_at(shop) is None
    with shop.store.engine.connect() as connection:
        assert [event.kind for event in log_of_cases(connection, shop.case)] == ["informed", "to_inform"]


def test_a_notice_is_begun_from_the_alert_and_released_only_whole(shop: Shop) -> None:
    begun = shop.notices.get(shop.case)
    assert (begun.version, begun.recall.product) == (0, "Mini heater")
    with pytest.raises(NotReleasedError):
        shop.notices.release(shop.case, "ada", NOW)
    shop.notices.write(shop.case, heater(picture="", hazard_details={"en": "It burns in rare cases."}), "ada", NOW)
    with pytest.raises(NoticeRefusedError) as refused:
        shop.notices.release(shop.case, "ada", NOW)
    assert {each.place for each in refused.value.problems} == {"picture", "hazard_details.en"}
    with pytest.raises(NotReleasedError):
        shop.notices.released(shop.case)


def test_a_later_change_is_not_sent_before_it_is_released(shop: Shop) -> None:
    first = shop.notices.write(shop.case, heater(), "ada", NOW)
    assert shop.notices.write(shop.case, heater(), "ada", NOW).version == first.version == 1
    shop.notices.release(shop.case, "ada", NOW)
    changed = shop.notices.write(shop.case, heater(product="Other heater"), "ben", LATER)
    assert (changed.version, changed.released_version) == (2, 1)
    assert shop.notices.released(shop.case).product == "Sparkle Mini Heater"
    shop.notices.release(shop.case, "ben", LATER)
    assert shop.notices.released(shop.case).product == "Other heater"


def test_the_marketplace_is_told_once_that_notices_wait_and_of_no_person(shop: Shop) -> None:
    shop.buyers.take(shop.case, [line(), line("A-2", country="FR", language="fr")], NOW)
    assert events(shop) == []
    shop.notices.write(shop.case, heater(), "ada", NOW)
    shop.notices.release(shop.case, "ada", NOW)
    shop.notices.release(shop.case, "ada", NOW)
    (told,) = events(shop)
    assert {key: told[key] for key in ("case_id", "version", "queued", "languages")} == {
        "case_id": shop.case, "version": 1, "queued": 2, "languages": ["de", "fr"],
    }  # fmt: skip
    assert "example.org" not in str(told)
    shop.buyers.take(shop.case, [line()], NOW)  # known: nothing new waits
    assert len(events(shop)) == 1
    shop.buyers.take(shop.case, [line("A-3")], LATER)
    assert events(shop)[1]["queued"] == 3


def test_what_is_over_is_deleted_and_only_counted(shop: Shop) -> None:
    shop.buyers.take(shop.case, [line(f"A-{i}", country="FR" if i % 2 else "DE") for i in range(6)], NOW)
    shop.buyers.receipts(shop.case, [receipt("sent", order="A-0")], LATER)
    shop.buyers.take(shop.case, [line("B-1")], NOW + dt.timedelta(days=80))
    before = shop.buyers.counts(shop.case)

    assert forget_buyers(shop.store.engine, NOW + KEEP - dt.timedelta(seconds=1)) == 0
    assert forget_buyers(shop.store.engine, NOW + KEEP) == 6
    assert forget_buyers(shop.store.engine, NOW + KEEP) == 0

    after = shop.buyers.counts(shop.case)
    assert (after.kept, after.lines) == (1, 7)
    assert (after.by_status, after.by_country) == (before.by_status, before.by_country)
    with shop.store.engine.connect() as connection:
        left = connection.execute(select(BuyerLineRow.order_id)).scalars().all()
        counted = connection.execute(select(BuyerCountRow.__table__)).all()
    assert left == ["B-1"]
    assert sum(row.n for row in counted) == 6


def test_counts_of_two_sweeps_add_up(shop: Shop) -> None:
    for order, days in (("A-1", 0), ("A-2", 1)):
        shop.buyers.take(shop.case, [line(order)], NOW + dt.timedelta(days=days))
    forget_buyers(shop.store.engine, NOW + KEEP)
    forget_buyers(shop.store.engine, NOW + KEEP + dt.timedelta(days=1))
    assert shop.buyers.counts(shop.case).by_status == {"queued": 2}


def test_a_case_that_is_not_there_is_said_to_be_none(shop: Shop) -> None:
    for act in (
        lambda: shop.buyers.take(999, [line()], NOW),
        lambda: shop.buyers.counts(999),
        lambda: shop.notices.get(999),
        lambda: shop.notices.write(999, Recall(), "ada", NOW),
    ):
        with pytest.raises(NoSuchCaseError):
            act()


def test_a_long_list_is_read_in_parts(shop: Shop) -> None:
    rows = [line(f"A-{i}") if i % 3 else Refused(f"line {i}", ()) for i in range(1_300)]
    taken = shop.buyers.take(shop.case, rows, NOW)
    assert (taken.taken, taken.refusals, len(taken.refused)) == (866, 434, 100)
    assert len(list(shop.buyers.lines(shop.case, LineStatus.QUEUED))) == 866
