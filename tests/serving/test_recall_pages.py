"""The pages on recalls in a real browser: a notice is written and released; figures, commitments, authorities."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from serving.access.principal import Role
from serving.app import create_app
from serving.settings import Settings
from tests.serving.accessibility import violations
from tests.serving.buyers.conftest import line, shop_over
from tests.serving.conftest import PATIENT_MS, bearer, listening
from tests.serving.figures.test_records import filled

pytestmark = pytest.mark.browser
FIGURES = "/review/figures?from=2026-03-01&to=2026-03-31"


@pytest.fixture(scope="module")
def place(small_model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(model=small_model_dir, database_url=f"sqlite:///{tmp_path_factory.mktemp('recalls') / 'h.db'}")


@pytest.fixture(scope="module")
def server(place: Settings) -> Iterator[tuple[str, Any, int]]:
    """Address of a server, its app and the number of a case with buyers."""
    app = create_app(place)
    with listening(app) as url:
        shop = shop_over(app.state.services.store)
        shop.buyers.take(shop.case, [line(), line("A-2", country="FR", language="fr")], dt.datetime.now(dt.UTC))
        filled(app.state.services.store)
        yield url, app, shop.case


def signed_in(browser: Browser, place: Settings, url: str, **options: Any) -> Page:
    page = browser.new_context(**options).new_page()
    page.set_default_timeout(PATIENT_MS)
    key = bearer(place, Role.REVIEWER)["Authorization"].removeprefix("Bearer ")
    page.goto(f"{url}/#key={key}")
    page.wait_for_selector("#form")
    return page


def send(page: Page, button: str) -> None:
    """Press a button of a form, once the page can send it."""
    page.wait_for_function("window.htmx !== undefined")
    with page.expect_navigation():
        page.click(button)


def test_a_notice_is_written_mended_and_released(
    browser: Browser, place: Settings, server: tuple[str, Any, int]
) -> None:
    url, app, case = server
    page = signed_in(browser, place, url)
    page.goto(f"{url}/review/cases/{case}/notice")
    expect(page.locator("[name=product]")).to_have_value("Mini heater")
    for name, value in (
        ("brand", "Hearthlane"), ("models", "HX-15, HX-16"), ("picture", "https://marketplace.example/h.jpg"),
        ("sold_from", "2026-01-05"), ("sold_until", "2026-03-09"), ("sold_where", "Example Marketplace"),
        ("sold_by", "Warm Things Ltd"), ("hazards", "fire"), ("phone", "+31 800 000"),
    ):  # fmt: skip
        page.fill(f"[name={name}]", value)
    page.fill('[name="hazard_details.en"]', "The housing melts.")
    page.fill('[name="hazard_details.de"]', "In seltenen Fällen brennt es.")
    page.check("[name=remedies][value=refund]")
    page.check("[name=remedies][value=repair]")
    send(page, "form button.primary")
    expect(page.locator("#lacks + ul li")).to_contain_text("In seltenen")
    expect(page.get_by_role("button", name="Release")).to_have_count(0)
    page.fill('[name="hazard_details.de"]', "Das Gehäuse schmilzt.")
    send(page, "form button.primary")
    page.goto(f"{url}/review/cases/{case}/notice?preview=de")
    expect(page.locator(".preview h1")).to_have_text("Produktsicherheitsrückruf")
    expect(page.locator(".preview")).to_contain_text("Das Gehäuse schmilzt.")
    send(page, "button:has-text('Release')")
    expect(page.locator(".queue-head")).to_contain_text("was released by")
    assert app.state.services.notices.released(case).models == ["HX-15", "HX-16"]
    page.context.close()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1366), ("dark", 390)])
def test_no_page_breaks_a_rule_of_accessibility(
    browser: Browser, place: Settings, server: tuple[str, Any, int], scheme: str, width: int
) -> None:
    url, _, case = server
    page = signed_in(browser, place, url, color_scheme=scheme, viewport={"width": width, "height": 768})
    notice = f"/review/cases/{case}/notice"
    for path in (FIGURES, "/review/commitments", notice, f"{notice}?preview=ar", "/authorities", "/authorities/CY"):
        page.goto(url + path)
        assert violations(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    page.context.close()


def test_a_consumer_finds_an_authority_without_a_key(browser: Browser, server: tuple[str, Any, int]) -> None:
    page = browser.new_context(locale="de-DE").new_page()
    page.goto(f"{server[0]}/authorities")
    page.get_by_role("link", name="Dänemark").click()
    page.wait_for_url("**/authorities/DK")
    expect(page.locator("main")).to_contain_text("Sikkerhedsstyrelsen")
    page.context.close()
