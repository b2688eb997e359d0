"""The review console in a real browser, worked by keyboard."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from serving.access.principal import Role
from serving.app import create_app
from serving.review.golden import GoldenMix
from serving.settings import Settings
from tests.serving.accessibility import violations
from tests.serving.conftest import bearer, listening
from tests.serving.review.conftest import answered

pytestmark = pytest.mark.browser
HOSTILE = '"><img src=x onerror="window.broken=1"><script>window.broken=2</script>'


@pytest.fixture(scope="module")
def place(small_model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    url = f"sqlite:///{tmp_path_factory.mktemp('console') / 'h.db'}"
    return Settings(
        model=small_model_dir,
        database_url=url,
        review_learn_daily=0,
        review_grace_seconds=60,
        demo=True,
        review_golden_share=0,
    )


@pytest.fixture(scope="module")
def app(place: Settings) -> Any:
    return create_app(place)


@pytest.fixture(scope="module")
def url(app: Any) -> Iterator[str]:
    """Address of a server with the example listings, and with others in queues of their own."""
    with listening(app) as address:
        app.state.services.store.save([answered(f"keys {i}", "high", queue="keys") for i in range(22)])
        hostile = {"title": HOSTILE, "seller": HOSTILE}
        app.state.services.store.save([answered(HOSTILE, "high", queue="hostile", **hostile)])
        yield address


@pytest.fixture
def sign_in(browser: Browser, place: Settings, url: str) -> Iterator[Any]:
    """Open a browser that is signed in as a reviewer; its page fails on script errors and refused content."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def enter(name: str, **options: Any) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1366, "height": 768}, **options})
        contexts.append(context)
        page = context.new_page()
        key = bearer(place, Role.REVIEWER, name=name)["Authorization"].removeprefix("Bearer ")
        page.goto(f"{url}/#key={key}")
        page.wait_for_selector("#form")
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        return page

    yield enter
    for context in contexts:
        context.close()
    # A refusal (409, 422) is part of the work; the browser notes it as an error of the console.
    assert [each for each in complaints if "status of 409" not in each and "status of 422" not in each] == []


def item_of(page: Page) -> int:
    found = re.search(r"/review/items/(\d+)", page.url)
    assert found is not None
    return int(found.group(1))


def press_and_move(page: Page, key: str) -> None:
    before = page.url
    page.keyboard.press(key)
    page.wait_for_url(lambda now: now != before)
    page.wait_for_load_state()
    page.wait_for_function("window.htmx !== undefined")


def test_a_reviewer_works_twenty_items_by_keyboard_and_a_second_one_completes_four_eyes(
    sign_in: Any, url: str, app: Any
) -> None:
    ada = sign_in("ada")
    ada.goto(f"{url}/review?queue=keys")
    press_and_move(ada, "n")
    done = []
    for number in range(20):
        item = item_of(ada)
        done.append(item)
        if number == 3:  # escalated: a dialog, typed in, sent by Enter
            ada.keyboard.press("e")
            ada.locator("#escalate-dialog select").select_option("urgent")
            ada.locator("#escalate-dialog input[name=reason]").fill("needs a second look")
            press_and_move(ada, "Enter")
            continue
        for key in ("c", "b") if number == 5 else ("c", "i"):
            ada.keyboard.press(key)
        press_and_move(ada, "Enter")
        if number == 7:  # taken back, and decided again
            press_and_move(ada, "z")
            assert item_of(ada) == item
            assert "queue=keys" in ada.url  # and the work goes on where it was
            ada.keyboard.press("f")  # sets level and action too
            press_and_move(ada, "Enter")
    assert len(set(done)) == 20
    browsing = app.state.services.desk.browsing
    assert browsing.item(done[3]).queue == "urgent"
    assert browsing.item(done[5]).state == "second"
    assert [made.action for made in browsing.decisions(done[7]) if made.undone_at is None] == ["publish"]
    assert all(browsing.item(item).state == "decided" for item in done if item not in (done[3], done[5]))

    ben = sign_in("ben")
    ben.goto(f"{url}/review/items/{done[5]}")
    expect(ben.locator("#main")).not_to_contain_text("ada")
    ben.keyboard.press("a")
    ben.wait_for_selector("#decide")
    for key in ("c", "b"):
        ben.keyboard.press(key)
    press_and_move(ben, "Enter")
    assert browsing.item(done[5]).state == "decided"


def test_keys_do_nothing_while_one_types_or_holds_a_modifier(sign_in: Any, url: str) -> None:
    page = sign_in("cy")
    page.goto(f"{url}/review")
    press_and_move(page, "n")
    page.keyboard.press("t")
    page.keyboard.type("cbjfq publish")
    expect(page.locator("textarea[name=note]")).to_have_value("cbjfq publish")
    expect(page.locator("#decide input:checked[name=outcome]")).to_have_count(0)
    page.keyboard.press("Escape")
    page.keyboard.press("Control+c")
    expect(page.locator("#decide input:checked[name=outcome]")).to_have_count(0)
    page.keyboard.press("c")
    expect(page.locator("#decide input:checked[name=outcome]")).to_have_value("confirmed_risk")


def test_a_key_can_be_changed_and_shows_on_its_button(sign_in: Any, url: str) -> None:
    page = sign_in("dee")
    page.goto(f"{url}/review")
    press_and_move(page, "n")
    page.keyboard.press("?")
    page.locator('#keys-table input[aria-label="f"]').fill("x")
    page.locator('#keys-table input[aria-label="f"]').press("Tab")
    page.keyboard.press("Escape")
    expect(page.locator('label[data-key="f"] kbd')).to_have_text("x")
    page.keyboard.press("x")
    expect(page.locator("#decide input:checked[name=outcome]")).to_have_value("false_alarm")


def test_the_item_page_fits_one_screen_and_says_why(sign_in: Any, url: str) -> None:
    page = sign_in("eve")
    page.goto(f"{url}/review?queue=safety")
    press_and_move(page, "n")
    page.wait_for_selector("#why .why-part, #why .notice")
    height, seen = page.evaluate("[document.documentElement.scrollHeight, innerHeight]")
    assert height <= seen
    for selector in ("#decide button.primary", ".matrix td.here", "[data-hazard]", "#listing-heading"):
        expect(page.locator(selector).first).to_be_in_viewport()


def test_the_worksheet_moves_the_level(sign_in: Any, url: str) -> None:
    page = sign_in("fay")
    page.goto(f"{url}/review?queue=urgent&level=serious")
    press_and_move(page, "n")
    page.fill("#worksheet input[name=p_unsafe]", "0.0001")
    page.press("#worksheet input[name=p_unsafe]", "Tab")
    expect(page.locator("#matrix-result [data-level]")).not_to_have_attribute("data-level", "serious")
    level = page.locator("#matrix-result [data-level]").get_attribute("data-level")
    expect(page.locator("#decide select[name=level]")).to_have_value(str(level))


def test_what_a_seller_wrote_runs_nowhere(sign_in: Any, url: str) -> None:
    page = sign_in("gus")
    page.goto(f"{url}/review?queue=hostile")
    expect(page.locator(".queue-rows .title a")).to_have_text(HOSTILE)
    press_and_move(page, "n")
    expect(page.locator("h1")).to_have_text(HOSTILE)
    page.wait_for_timeout(300)
    assert page.evaluate("window.broken") is None


def test_a_known_answer_is_worked_like_any_other_item(sign_in: Any, url: str, app: Any) -> None:
    desk = app.state.services.desk
    usual = desk.claims
    desk.claims = replace(usual, mix=GoldenMix(1.0, lambda: 0.0))
    page = sign_in("hal")
    page.goto(f"{url}/review")
    press_and_move(page, "n")
    copy = item_of(page)
    desk.claims = usual
    assert desk.browsing.item(copy).sample == "golden"
    page.wait_for_selector("#why .why-part, #why .notice")
    assert not re.search("golden|known answer", page.content(), re.IGNORECASE)
    page.keyboard.press("f")
    press_and_move(page, "Enter")
    (made,) = desk.browsing.decisions(copy)
    assert made.final_at is None
    page.goto(f"{url}/review/quality?days=1")
    expect(page.locator("section[aria-labelledby=golden]")).to_contain_text("hal")


def test_the_dashboard_shows_charts_with_their_tables(sign_in: Any, url: str) -> None:
    page = sign_in("ivy")
    page.goto(f"{url}/review/dashboard")
    page.locator("select[name=days]").select_option("90")
    page.get_by_role("button", name="Show", exact=True).click()
    page.wait_for_url("**days=90**")
    for name in ("flow", "decisions", "clocks", "precision-by-level", "reliability", "months"):
        figure = page.locator(f"section[aria-labelledby=figure-{name}]")
        chart = figure.get_by_role("img")
        assert chart.bounding_box()["height"] > 60, name
        assert len(chart.get_attribute("aria-label")) > 20, name
        figure.get_by_text("As a table").click()
        expect(figure.locator("tbody tr").first).to_be_visible()
    with page.expect_download() as download:
        page.locator("section[aria-labelledby=figure-decisions] a").click()
    assert "confirmed_risk" in Path(download.value.path()).read_text(encoding="utf-8")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1366, 390])
def test_no_page_breaks_a_rule_of_accessibility(sign_in: Any, url: str, scheme: str, width: int) -> None:
    page = sign_in(f"axe {scheme} {width}", color_scheme=scheme, viewport={"width": width, "height": 768})
    page.goto(f"{url}/review")
    press_and_move(page, "n")
    item = item_of(page)
    for path in (f"/review/items/{item}", "/review", "/review?state=decided", "/review/complaints", "/review/quality",
                 "/review/dashboard?days=90", "/review/log"):  # fmt: skip
        page.goto(url + path)
        if "items" in path:
            page.wait_for_selector("#why .why-part, #why .notice")
        assert violations(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    page.goto(f"{url}/review/items/{item}")
    page.keyboard.press("?")
    assert violations(page) == []
