"""People sign in, choose a language and keep views, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from serving.access.principal import Role
from serving.app import create_app
from serving.settings import Settings
from serving.store.accounts import AccountStore
from serving.store.database import open_database
from serving.store.migrating import migrate
from serving.store.sign_in_failures import OF_NAME
from tests.serving.accessibility import violations
from tests.serving.conftest import listening

pytestmark = pytest.mark.browser
PASSWORD, OTHER = "four words by chance", "entirely different words"


@pytest.fixture(scope="module")
def url(small_model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a server with an admin and a reviewer who are to choose a password of their own."""
    place = Settings(
        model=small_model_dir, database_url=f"sqlite:///{tmp_path_factory.mktemp('people') / 'h.db'}", oidc_name="ID"
    )
    database = open_database(place.database_url)
    migrate(database)
    for name, role in (("ada", Role.ADMIN), ("ben", Role.REVIEWER)):
        AccountStore(database).add(name, [role], "command line", f"{name.title()} B.", PASSWORD)
    database.dispose()
    with listening(create_app(place)) as address:
        yield address


def enter(page: Page, name: str, password: str) -> None:
    page.fill("#name", name)
    page.fill("#password", password)
    page.click("#sign-in button[type=submit]")


def begin(page: Page, url: str, name: str) -> None:
    """Sign in for the first time, and choose a password."""
    page.goto(f"{url}/review")
    enter(page, name, PASSWORD)
    page.click("a[href='/account']")
    page.fill("input[name=password]", PASSWORD)
    page.fill("input[name=new_password]", OTHER)
    page.fill("input[name=again]", OTHER)
    page.click("form[hx-post='/account/password'] button")
    page.wait_for_url(f"{url}/account?changed=password")


def accessible(page: Page) -> None:
    assert violations(page) == [], page.url
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url


def test_people_sign_in_choose_a_password_a_language_and_share_a_view(browser: Browser, url: str) -> None:
    with browser.new_context(viewport={"width": 1366, "height": 768}) as context:
        page = context.new_page()
        begin(page, url, "ben")
        page.goto(f"{url}/review?due=overdue")
        page.click("[data-open=save-view]")
        page.fill("#save-view input[name=name]", "Late ones")
        page.check("#save-view input[name=shared]")
        page.click("#save-view button.primary")
        expect(page.locator(".saved bdi")).to_have_text("Late ones")
        page.select_option(".language select", "de")
        expect(page.locator("html")).to_have_attribute("lang", "de")
        expect(page.locator(".saved h2")).to_have_text("Gemerkte Ansichten")
    for width, scheme in ((1366, "light"), (390, "dark")):
        with browser.new_context(viewport={"width": width, "height": 768}, color_scheme=scheme) as context:
            page = context.new_page()
            page.goto(f"{url}/review")
            accessible(page)
            if width == 1366:
                begin(page, url, "ada")
            else:
                enter(page, "ada", OTHER)
                page.wait_for_selector("#counts")
            page.goto(f"{url}/review?state=waiting")
            expect(page.locator(".saved bdi")).to_have_text("Late ones")
            page.click(".saved summary")
            for path in ("", "/account", "/accounts"):
                if path:
                    page.goto(f"{url}{path}")
                accessible(page)


def test_a_wrong_password_is_told_and_then_made_to_wait(browser: Browser, url: str) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"{url}/review")
        for _ in range(OF_NAME.free + 1):
            with page.expect_response("**/session"):
                enter(page, "nobody here", "wrong")
            expect(page.locator("#message")).to_contain_text("do not fit")
        enter(page, "nobody here", "wrong")
        expect(page.locator("#message")).to_contain_text("Try again in")
