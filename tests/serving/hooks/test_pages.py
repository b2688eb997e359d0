"""The console's pages of webhooks, over HTTP and in a browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest
from playwright.sync_api import Browser, expect

from serving.access.principal import Role
from serving.app import create_app
from serving.hooks.webhooks import Webhooks
from serving.outgoing.addresses import read_networks
from serving.settings import Settings
from tests.serving.accessibility import violations
from tests.serving.conftest import bearer, listening, within
from tests.serving.hooks.conftest import Answer, Target, target_listens

HOSTILE = '"><img src=x onerror="window.broken=1"><script>window.broken=2</script>'
FORM = {"Content-Type": "application/x-www-form-urlencoded", "HX-Request": "true"}


@pytest.fixture(scope="module")
def place(small_model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    url = f"sqlite:///{tmp_path_factory.mktemp('webhook pages') / 'h.db'}"
    here = read_networks("127.0.0.1")
    return Settings(
        model=small_model_dir, database_url=url, outgoing_networks=here, hook_backoff_seconds=0.05, hook_tries=2
    )


@pytest.fixture(scope="module")
def running(place: Settings) -> Iterator[tuple[str, Webhooks]]:
    """Address of a server, and its webhooks."""
    app = create_app(place)
    with listening(app) as url:
        yield url, app.state.services.hooks


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    with target_listens() as target:
        yield target


class Admin:
    """An admin at the pages."""

    def __init__(self, url: str, place: Settings) -> None:
        self.http = httpx.Client(base_url=url, headers=bearer(place, Role.ADMIN, name="grace"), timeout=30)

    def get(self, path: str) -> str:
        answer = self.http.get(path, headers={"Accept": "text/html"})
        assert answer.status_code == 200, answer.text
        return unescape(answer.text)

    def send(self, path: str, status: int = 204, **fields: str) -> str:
        answer = self.http.post(path, content=urlencode(fields), headers=FORM)
        assert answer.status_code == status, answer.text
        return unescape(answer.text)


@pytest.fixture
def admin(running: tuple[str, Webhooks], place: Settings) -> Iterator[Admin]:
    admin = Admin(running[0], place)
    yield admin
    admin.http.close()


def test_an_endpoint_is_registered_used_and_removed(
    admin: Admin, running: tuple[str, Webhooks], target: Target
) -> None:
    shown = admin.send("/review/webhooks", 200, url=target.url, description="the shop", kinds="review.decided")
    secret = re.search(r"whsec_[\w-]+", shown)
    assert secret is not None
    page = admin.get("/review/webhooks")
    assert target.url in page
    assert "review.decided" in page
    assert secret[0] not in page
    (endpoint,) = running[1].endpoints.known()
    admin.send(f"/review/webhooks/{endpoint.id}/ping")
    within(10, lambda: bool(target.came))
    within(10, lambda: "delivered" in admin.get(f"/review/webhooks?endpoint={endpoint.id}&state=delivered"))
    (delivery,) = running[1].log.page(10, endpoint_id=endpoint.id)
    assert "thank you" in admin.get(f"/review/webhooks/deliveries/{delivery.id}")
    admin.send(f"/review/webhooks/deliveries/{delivery.id}/resend")
    within(10, lambda: len(target.came) == 2)
    assert "whsec_" in admin.send(f"/review/webhooks/{endpoint.id}/rotate", 200)
    admin.send(f"/review/webhooks/{endpoint.id}/disable")
    assert "disabled" in admin.get("/review/webhooks")
    admin.send(f"/review/webhooks/{endpoint.id}/enable")
    admin.send(f"/review/webhooks/{endpoint.id}/remove")
    assert running[1].endpoints.known() == []


def test_what_is_wrong_is_said_and_nothing_is_kept(admin: Admin, running: tuple[str, Webhooks]) -> None:
    refused = admin.send("/review/webhooks", 422, url="ftp://hooks.shop.example/")
    assert "url" in refused
    assert "no address of the web" in refused
    admin.send(f"/review/webhooks/{'0' * 32}/ping", 404)
    admin.send(f"/review/webhooks/{'0' * 32}/explode", 404)
    assert running[1].endpoints.known() == []


def test_a_reviewer_is_not_shown_the_way_there(running: tuple[str, Webhooks], place: Settings, admin: Admin) -> None:
    headers = bearer(place, Role.REVIEWER)
    assert admin.http.get("/review/webhooks", headers=headers).status_code == 403
    assert "/review/webhooks" not in admin.http.get("/review", headers=headers).text
    assert "/review/webhooks" in admin.get("/review")


@pytest.mark.browser
def test_pages_are_accessible_and_what_others_write_stays_text(
    browser: Browser, running: tuple[str, Webhooks], place: Settings, target: Target
) -> None:
    url, hooks = running
    endpoint = hooks.endpoints.add(f"{target.url}/in", (), HOSTILE, "grace")
    target.answers = [Answer(500, content=HOSTILE.encode())] * 2
    hooks.ping(endpoint, HOSTILE)
    within(20, lambda: [each.state for each in hooks.log.page(1)] == ["dead"])
    (delivery,) = hooks.log.page(1)
    key = bearer(place, name="ida")["Authorization"].removeprefix("Bearer ")
    for scheme, width in (("light", 1366), ("dark", 390)):
        context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 768})  # type: ignore[arg-type]
        page = context.new_page()
        page.goto(f"{url}/#key={key}")
        page.wait_for_selector("#form")
        for path in ("/review/webhooks", f"/review/webhooks/deliveries/{delivery.id}"):
            page.goto(url + path)
            assert violations(page) == [], path
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (path, width)
            expect(page.locator("main")).to_contain_text("window.broken=2")
            assert page.evaluate("window.broken") is None
        context.close()
    page = browser.new_page()
    page.goto(f"{url}/#key={key}")
    page.wait_for_selector("#form")
    page.goto(f"{url}/review/webhooks")
    page.locator("main summary").click()
    page.locator("input[name=url]").fill("https://hooks.shop.example/in")
    page.get_by_role("button", name="Register", exact=True).click()
    expect(page.locator("#secret")).to_contain_text("whsec_")
    page.close()
