"""The page in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from serving.settings import Settings

pytestmark = pytest.mark.browser
HOSTILE = '"><img src=x onerror="window.broken=1"><script>window.broken=2</script>'

SIGHT = "damage to sight"
SCRIPTS: dict[str, tuple[str, str, str, str]] = {
    # title, description, hazard, what must be marked
    "Latin": ("Green laser pointer pen 5000 mW", "Gift for kids.", SIGHT, "laser pointer"),
    "Latin, decomposed, with emoji": (
        "🔥👩‍👩‍👧 Gru\u0308ner Laserpointer fu\u0308r Ka\u0308tzchen", "Fu\u0308r drinnen", SIGHT, "Laserpointer"
    ),
    "Cyrillic": ("Зелёная лазерная указка 5000 мВт", "Игрушка для детей", SIGHT, "лазерная указка"),
    "Arabic": ("مؤشر ليزر أخضر قوي", "قميص قطني أبيض", SIGHT, "مؤشر ليزر"),
    "Hebrew": ("מצביע לייזר ירוק", "חולצת כותנה לבנה", SIGHT, "מצביע לייזר"),
    "Devanagari": ("हरा लेजर पॉइंटर", "सूती कपड़ा", SIGHT, "लेजर पॉइंटर"),
    "Thai": ("เลเซอร์พอยเตอร์สีเขียว", "ผ้าฝ้าย", SIGHT, "เลเซอร์พอยเตอร์"),
    "Kana": ("超強力レーザーポインター グリーン", "送料無料", SIGHT, "レーザーポインター"),
    "Han": ("绿色激光笔", "包邮", SIGHT, "激光笔"),
    "Hangul": ("초강력 레이저 포인터 녹색", "무료 배송", SIGHT, "레이저 포인터"),
}  # fmt: skip


@pytest.fixture(scope="module")
def live_settings(live_settings: Settings) -> Settings:
    """With the example listings."""
    return replace(live_settings, demo=True)


@pytest.fixture
def page(browser: Browser, live_url: str, live_key: dict[str, str]) -> Iterator[Page]:
    """The front page, signed in; fails on any script error, refused content or request to elsewhere."""
    context = browser.new_context(viewport={"width": 1366, "height": 900})
    page = context.new_page()
    sign_in(page, live_url, live_key)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("request", lambda request: complaints.append(request.url) if not request.url.startswith(live_url) else None)
    page.goto(live_url)
    yield page
    context.close()
    assert complaints == []


def sign_in(page: Page, live_url: str, live_key: dict[str, str]) -> None:
    page.goto(f"{live_url}/#key={live_key['Authorization'].removeprefix('Bearer ')}")
    page.wait_for_selector("#assess:enabled")


def assess(page: Page, **fields: str) -> None:
    page.wait_for_selector("#assess:enabled")
    for name, text in fields.items():
        page.fill(f"#f-{name}", text)
    with page.expect_response(re.compile("/v1/assessments")):
        page.press("#f-description", "Control+Enter")
    page.wait_for_selector("#result:not([hidden])")
    page.wait_for_function("!document.body.classList.contains('busy')")
    explained(page)


def explained(page: Page) -> None:
    """Wait until the words are marked."""
    page.wait_for_selector("#listing .field")
    page.wait_for_selector("[aria-busy=true]", state="detached")


def marks(page: Page, field: str) -> list[str]:
    found: list[str] = page.locator(f'[data-field="{field}"] mark').all_text_contents()
    return found


def test_a_listing_is_assessed_by_key_and_shown_whole(page: Page) -> None:
    assess(page, title="Mini space heater 1500W", description="No thermostat. Use all night.", captions="heater\nplug")
    assert page.locator("#level").text_content()
    assert page.locator("#action").text_content()
    assert page.locator("#reasons li").count() >= 1
    assert page.locator("#matrix td.here").count() == 1
    assert page.locator("#hazards button").count() == 22
    assert page.locator("#hazards button[aria-pressed=true]").count() == 1
    assert page.locator('[data-field="title"]').text_content() == "Mini space heater 1500W"
    assert page.locator('[data-field="captions[1]"]').text_content() == "plug"
    assert page.locator("#listing mark").count() >= 1
    assert "model" in (page.locator("#versions").text_content() or "")


def test_a_click_assesses_too(page: Page) -> None:
    page.fill("#f-title", "Cotton bag")
    page.click("#assess")
    page.wait_for_selector("#result:not([hidden])")
    explained(page)
    assert page.locator('[data-field="title"]').text_content() == "Cotton bag"


def test_what_is_sent_before_the_script_listens_is_not_lost(browser: Browser, live_url: str, live_key: Any) -> None:
    context = browser.new_context()
    page = context.new_page()
    sign_in(page, live_url, live_key)
    held: list[Route] = []
    page.route("**/app.js", lambda route: held.append(route))
    page.goto(live_url, wait_until="commit")
    page.fill("#f-title", "Cotton bag")
    page.press("#f-title", "Enter")
    assert page.locator("#assess").is_disabled()
    for each in held:
        each.continue_()
    page.click("#assess")
    page.wait_for_selector("#result:not([hidden])")
    assert page.locator('[data-field="title"]').text_content() == "Cotton bag"
    assert page.url.rstrip("/") == live_url
    context.close()


def test_another_hazard_gets_its_own_words(page: Page) -> None:
    assess(page, title="Laser pointer 5000mW with lithium battery, small magnets", description="burning laser")
    page.locator("#more-hazards").click()
    page.locator('#hazards button[data-hazard="fire"]').click()
    expect(page.locator("#legend strong")).to_have_text("fire")
    fire = page.locator("#listing").inner_html()
    page.locator('#hazards button[data-hazard="damage to sight"]').click()
    expect(page.locator("#legend strong")).to_have_text("damage to sight")
    assert page.locator("#legend strong").text_content() == "damage to sight"
    assert page.locator("#listing").inner_html() != fire


@pytest.mark.parametrize(
    "title",
    ["🔥🔥👨‍👩‍👧 laser pointer 5000mW 🔥", "𝒜𝒷 laser 5000mW", "דוב laser pointer 5000mW", "e\u0301 laser pointer"],
)
def test_highlights_stand_where_the_words_are(page: Page, live_url: str, live_key: dict[str, str], title: str) -> None:
    assess(page, title=title, description="")
    assert page.locator('[data-field="title"]').text_content() == title
    found = marks(page, "title")
    assert found
    posted = httpx.post(f"{live_url}/v1/assessments", json=[{"id": "page", "title": title}], headers=live_key).json()
    identifier = posted["results"][0]["assessment"]["id"]
    answer = httpx.get(f"{live_url}/v1/assessments/{identifier}/explanation", headers=live_key).json()
    words = {phrase["text"] for hazard in answer["hazards"] for phrase in hazard["phrases"]}
    assert set(found) <= words


@pytest.mark.parametrize("script", list(SCRIPTS))
def test_every_mark_is_on_the_right_word_in_every_script(page: Page, script: str) -> None:
    title, description, hazard, right = SCRIPTS[script]
    assess(page, title=title, description=description)
    page.locator("#more-hazards").click()
    page.locator(f'#hazards button[data-hazard="{hazard}"]').click()
    expect(page.locator("#legend strong")).to_have_text(hazard)
    assert page.locator('[data-field="title"]').text_content() == title
    assert page.locator('[data-field="description"]').text_content() == description
    found = page.locator("#listing .text mark.for").all_text_contents()
    assert any(right in text for text in found), found
    letters = page.locator("#listing .text mark").evaluate_all("marks => marks.map(m => m.getClientRects().length)")
    assert all(count >= 1 for count in letters)


def test_marks_are_told_without_colour(page: Page) -> None:
    assess(page, title="Laser pointer 5000mW", description="cotton bag")
    style = "m => [getComputedStyle(m).textDecorationStyle, getComputedStyle(m, '::before').content]"
    for_style = page.locator("#listing .text mark.for").first.evaluate(style)
    assert for_style[0] == "solid"
    assert "speaks for" in for_style[1]
    against = page.locator("#legend mark.against").evaluate(style)
    assert against[0] == "dotted"
    assert "speaks against" in against[1]
    page.locator(".alternative summary").click()
    listed = page.locator(".alternative li q").all_text_contents()
    assert set(page.locator("#listing .text mark").all_text_contents()) == set(listed)


def test_the_page_says_what_would_change_the_answer(page: Page) -> None:
    assess(page, title="Green laser pointer pen", description="A paper notebook with lines, A5.")
    assert "ithout" in (page.locator(".what-if").text_content() or "")
    assert page.locator(".removals tbody tr").count() >= 1
    assert page.locator(".scenario-line").text_content()
    page.locator("#about-level").click()
    expect(page.locator("#legend strong")).to_contain_text("level")
    assert page.locator("#about-level").get_attribute("aria-pressed") == "true"


def test_right_to_left_text_runs_from_the_right(page: Page) -> None:
    assess(page, title="دفاية كهربائية صغيرة", description="heater")
    direction = page.locator('[data-field="title"]').evaluate("e => getComputedStyle(e).direction")
    assert direction == "rtl"
    assert page.locator('[data-field="description"]').evaluate("e => getComputedStyle(e).direction") == "ltr"


def test_markup_in_any_field_stays_text(page: Page, live_url: str, live_key: dict[str, str]) -> None:
    assess(page, title=HOSTILE, description=HOSTILE, brand=HOSTILE, category=HOSTILE, captions=HOSTILE)
    assert page.locator('[data-field="title"]').text_content() == HOSTILE
    assert page.locator('[data-field="captions[0]"]').text_content() == HOSTILE
    listing: dict[str, Any] = {
        "id": HOSTILE, "title": HOSTILE, "attributes": {HOSTILE: f"{HOSTILE} 5000mW laser"}, "warnings": [HOSTILE],
        "captions": [f"{HOSTILE} laser 5000mW"], "brand": HOSTILE,
    }  # fmt: skip
    answer = httpx.post(f"{live_url}/v1/assessments", json=[listing], headers=live_key).json()
    page.goto(f"{live_url}/assessments/{answer['results'][0]['assessment']['id']}")
    page.wait_for_selector("#result:not([hidden])")
    explained(page)
    assert page.locator("h1").text_content() == HOSTILE
    assert page.locator("#listing img, #listing script, h1 img, #cues img").count() == 0
    assert page.evaluate("window.broken") is None


def test_a_bad_value_is_told_and_mended(page: Page) -> None:
    page.fill("#f-title", "x")
    page.evaluate("document.querySelector('#f-language').removeAttribute('maxlength')")
    page.fill("#f-language", "a language that is far too long")
    page.click("#assess")
    page.wait_for_selector("#message:not([hidden])")
    assert "language" in (page.locator("#message").text_content() or "")
    assess(page, title="x", language="en", description="")
    assert page.locator("#message").is_hidden()


def test_a_kept_assessment_loads_into_the_form(page: Page) -> None:
    link = page.locator("#rows a").first
    title = link.text_content()
    link.click()
    page.wait_for_selector("#result:not([hidden])")
    explained(page)
    assert page.locator("#f-title").input_value() == title
    assert page.locator('[data-field="title"]').text_content() == title


def test_the_permalink_shows_the_same_assessment(page: Page) -> None:
    assess(page, title="Laser pointer 5000mW", description="")
    level = page.locator("#level").text_content()
    page.click("#permalink")
    page.wait_for_url(re.compile(r"/assessments/"))
    page.wait_for_selector("#result:not([hidden])")
    explained(page)
    assert re.search(r"/assessments/[0-9a-f]{32}$", page.url)
    assert page.locator("h1").text_content() == "Laser pointer 5000mW"
    assert page.locator("#level").text_content() == level
    assert page.locator("#listing mark").count() >= 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_overflows_a_phone(browser: Browser, live_url: str, live_key: dict[str, str], scheme: Any) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme=scheme)
    page = context.new_page()
    sign_in(page, live_url, live_key)
    assess(page, title="W" * 300, description="x" * 400, captions="y" * 300)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()


def test_every_control_can_be_reached_and_seen_by_key(page: Page) -> None:
    page.locator("#f-title").focus()
    for _ in range(3):
        page.keyboard.press("Tab")
        style = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert style == "solid"
