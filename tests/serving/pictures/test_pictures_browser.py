"""A picture from its upload to the reviewer's eyes: read, blurred, its words marked beside it, the change told."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from models.captioning.building import pictures_can_be_read
from serving.access.principal import Role
from serving.app import create_app
from serving.settings import Settings
from tests.captioning.conftest import draw
from tests.serving.accessibility import violations
from tests.serving.conftest import bearer, listening, within

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not pictures_can_be_read(), reason="the extra pictures is not installed"),
]


def test_a_reviewer_sees_what_a_picture_says_beside_it(browser: Browser, settings: Settings, tmp_path: Path) -> None:
    chosen = replace(settings, pictures=tmp_path / "pictures", review_learn_daily=0, captioner_seconds=300)
    file = io.BytesIO()
    draw(("GREEN LASER\n5000 mW", 40), size=(760, 240)).image.save(file, "PNG")
    listing = [{"id": "pen", "title": "Cat toy pen", "description": "Keeps your cat busy", "images": [{"part": "box"}]}]
    with listening(create_app(chosen)) as url, httpx.Client(base_url=url, timeout=60) as client:
        client.headers.update(bearer(chosen, Role.UPLOADER, Role.REVIEWER, name="ada"))
        files = {"listings": (None, json.dumps(listing)), "box": file.getvalue()}
        answer = client.post("/v1/assessments", files=files).raise_for_status().json()["results"][0]
        told = f"/v1/assessments/{answer['assessment']['id']}/pictures"
        within(240, lambda: client.get(told).json()["state"] == "done")
        change = client.get(told).json()["change"]

        page = browser.new_page(viewport={"width": 1366, "height": 768}, locale="en-GB")
        page.goto(f"{url}/#key={client.headers['Authorization'].removeprefix('Bearer ')}")
        page.wait_for_selector("#form")
        page.goto(f"{url}/review")
        page.get_by_role("link", name="Cat toy pen").click()

        notice = page.locator(".pictures .notice")
        expect(notice).to_contain_text("The pictures changed the answer")
        expect(notice).to_contain_text(change["before"]["level"])
        expect(notice.locator("strong")).to_contain_text(change["after"]["level"])
        beside = page.locator(".field.pictured").filter(has_text="LASER")
        expect(beside.locator("mark.for").filter(has_text="LASER").first).to_be_visible()
        for picture in (page.locator(".picture img"), beside.locator("img").first):
            picture.scroll_into_view_if_needed()
            page.wait_for_function("image => image.complete && image.naturalWidth > 100", arg=picture.element_handle())
            expect(picture).to_have_css("filter", "blur(18px)")
        assert violations(page) == []
        page.keyboard.press("v")
        expect(page.locator(".picture img")).to_have_css("filter", "none")
        expect(beside.locator("img").first).to_have_css("filter", "none")
        page.context.close()
