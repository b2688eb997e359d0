"""The whole way in a browser: an alert is polled, its listing confirmed, taken down, and the authority answered."""

from __future__ import annotations

import datetime as dt
import queue
from collections.abc import Iterator
from dataclasses import dataclass, replace
from ipaddress import ip_network
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from hazardlens.webhooks import Receiver, WebhookEvent
from serving.access.principal import Role
from serving.app import create_app
from serving.settings import Settings
from tests.serving.accessibility import violations
from tests.serving.conftest import BAG, bearer, client_of, listening, post, within
from tests.serving.recalls.conftest import BEAR, Register, weekly, weekly_list

pytestmark = pytest.mark.browser
OFFER = {
    "id": "li-bear", "title": "Softpaw plush bear with glass eyes, PB-7", "brand": "Softpaw", "model": "PB-7",
    "category": "Toys > Soft toys", "seller_id": "s-9", "target_countries": ["NL"],
}  # fmt: skip
LONGEST_WAIT = 60_000
"""Milliseconds."""


@dataclass(frozen=True)
class Shop:
    """A marketplace around the server: its address, its programs' key, and the webhooks that it got."""

    settings: Settings
    url: str
    key: dict[str, str]
    told: queue.Queue[WebhookEvent]

    def next(self, kind: str) -> WebhookEvent:
        while True:
            event = self.told.get(timeout=LONGEST_WAIT / 1_000)
            if event.kind == kind:
                return event


@pytest.fixture
def shop(small_model_dir: Path, tmp_path: Path, register: Register) -> Iterator[Shop]:
    """A server with two stored listings; the register publishes an alert about one of them."""
    register.says("/list", weekly_list(register, {"/report": dt.datetime.now(dt.UTC).strftime("%d/%m/%Y")}))
    register.says("/report", weekly(replace(BEAR, date=None)))
    sources = tmp_path / "sources.yaml"
    sources.write_text(
        f"sources:\n  - id: weekly\n    kind: safety-gate-weekly\n    url: {register.url}/list\n"
        "    issuer: safety-gate\n    sure: yours\n",
        "utf-8",
    )
    settings = Settings(
        model=small_model_dir,
        database_url=f"sqlite:///{tmp_path / 'h.db'}",
        outgoing_networks=(ip_network("127.0.0.0/8"),),
        recall_sources=sources,
        review_learn_daily=0,
    )
    told: queue.Queue[WebhookEvent] = queue.Queue()
    with client_of(settings) as client:
        assert client.portal is not None
        client.portal.call(client.app.state.services.started)  # type: ignore[attr-defined]
        post(client, [OFFER, BAG])
        receiver = Receiver("", told.put)
        made = client.post(
            "/v1/webhooks", json={"url": receiver.url, "kinds": ["alert.received", "case.takedown_ordered"]}
        )
        receiver._secrets = [made.json()["secret"]]
    with receiver, listening(create_app(replace(settings, recall_poll=True))) as url:
        yield Shop(settings, url, bearer(settings, Role.UPLOADER, name="takedowns"), told)


def signed_in(browser: Browser, shop: Shop) -> Page:
    page = browser.new_context(viewport={"width": 1366, "height": 768}).new_page()
    page.goto(f"{shop.url}/#key={bearer(shop.settings, Role.REVIEWER, name='ada')['Authorization'].split()[1]}")
    page.wait_for_selector("#form")
    return page


def look(page: Page) -> None:
    """Let axe look at a page, in the light and in the dark, on a screen and on a telephone."""
    for scheme, width in (("light", 1366), ("dark", 390)):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.set_viewport_size({"width": width, "height": 768})
        assert violations(page) == [], page.url
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1366, "height": 768})


def reload_until(page: Page, selector: str) -> None:
    """Reload a page until it shows something: the desk works in the background."""
    for _ in range(LONGEST_WAIT // 500):
        if page.locator(selector).count():
            return
        page.wait_for_timeout(500)
        page.reload()
    raise AssertionError(f"{page.url} never showed {selector}")


def test_from_an_alert_to_the_answer(browser: Browser, shop: Shop) -> None:
    received = shop.next("alert.received")
    assert (received.body["reference"], received.body["kind"]) == (BEAR.reference, "monitoring")
    page = signed_in(browser, shop)
    page.goto(f"{shop.url}/recalls")
    reload_until(page, f"text={BEAR.title}")
    look(page)
    page.goto(f"{shop.url}/recalls/notices/new")
    look(page)

    page.goto(f"{shop.url}/recalls/cases/{received.body['case_id']}")
    reload_until(page, "button[data-key=y]")
    expect(page.locator(".match")).to_have_count(1)
    look(page)
    page.wait_for_function("window.htmx !== undefined")
    with page.expect_navigation():
        page.keyboard.press("y")
    expect(page.locator(".match.confirmed")).to_have_count(1)

    (order,) = shop.next("case.takedown_ordered").body["orders"]
    assert order["listing_id"] == OFFER["id"]
    now = dt.datetime.now(dt.UTC).isoformat()
    receipt = f"{shop.url}/v1/recalls/orders/{order['order_id']}/receipt"
    assert httpx.post(receipt, json={"removed_at": now}, headers=shop.key).status_code == 200

    page.reload()
    expect(page.locator("#answer-heading ~ .notice")).to_have_text("Complete: searched, judged, removed.")
    page.wait_for_function("window.htmx !== undefined")
    page.locator("textarea[name=text]").fill("One offer was found, and removed.")
    with page.expect_navigation():
        page.locator("button[value=sent]").click()
    expect(page.locator("pre.answer")).to_have_text("One offer was found, and removed.")
    look(page)

    page.get_by_role("link", name="Recall notice for buyers").click()
    expect(page.locator("[name=product]")).to_have_value(BEAR.title)
    page.goto(f"{shop.url}/review/figures")
    expect(page.locator("tr", has_text="KPI 2").first).to_contain_text("100")
    page.context.close()

    def removed_before() -> bool:
        offered = [{**OFFER, "id": "li-again"}]
        again = httpx.post(f"{shop.url}/v1/assessments", json=offered, headers=shop.key, timeout=60)
        return bool(again.json()["results"][0]["assessment"]["removed_before"])

    within(30, removed_before)


def test_what_a_source_writes_stays_text(browser: Browser, shop: Shop) -> None:
    hostile = '"><img src=x onerror="window.broken=1"><script>window.broken=2</script>'
    page = signed_in(browser, shop)
    page.goto(f"{shop.url}/recalls/notices/new")
    page.check("[name=kind][value=notice]")
    for name in ("authority", "reference", "title", "brand", "models", "hazard_text", "description", "note"):
        page.fill(f"[name={name}]", hostile)
    page.wait_for_function("window.htmx !== undefined")
    with page.expect_navigation():
        page.click("button.primary")
    expect(page.locator("h1")).to_have_text(hostile)
    assert page.evaluate("window.broken") is None
    page.context.close()
