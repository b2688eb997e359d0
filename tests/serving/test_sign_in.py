"""People sign in by name and password, look after their account, and admins after everybody's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from fastapi.testclient import TestClient

from serving.access.guard import COOKIE, PAGE_HEADER
from serving.access.principal import Role
from serving.app import create_app
from serving.console.language import COOKIE as LANGUAGE
from serving.settings import Settings
from serving.store.accounts import AccountStore
from serving.store.database import open_database
from serving.store.migrating import migrate
from serving.store.sign_in_failures import OF_NAME
from tests.serving.conftest import bearer
from tests.serving.review.conftest import answered
from tests.serving.test_error_shape import check

HTML = {"Accept": "text/html"}
FORM = {"Content-Type": "application/x-www-form-urlencoded", "HX-Request": "true"}
PASSWORD = "four words by chance"
OTHER = "entirely different words"
HOSTILE = "\"'><img src=x onerror=alert(1)></script>{{ 7*7 }}"


@pytest.fixture(scope="module")
def place(small_model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    url = f"sqlite:///{tmp_path_factory.mktemp('people') / 'h.db'}"
    return Settings(model=small_model_dir, database_url=url, review_learn_daily=0)


@pytest.fixture(scope="module")
def accounts(place: Settings) -> Iterator[AccountStore]:
    """The accounts of the server, as the command line has them."""
    database = open_database(place.database_url)
    migrate(database)
    yield AccountStore(database)
    database.dispose()


@pytest.fixture(scope="module")
def server(place: Settings, accounts: AccountStore) -> Iterator[TestClient]:
    with TestClient(create_app(place)) as client:
        assert client.portal is not None
        client.portal.call(client.app.state.services.started)  # type: ignore[attr-defined]
        yield client


@pytest.fixture
def browser(server: TestClient) -> Iterator[TestClient]:
    """A browser without cookies, from an address of its own."""
    server.cookies.clear()
    yield server
    server.cookies.clear()


def person(accounts: AccountStore, name: str, *roles: Role, chosen: bool = True) -> str:
    """Add an account with `PASSWORD`, chosen by its person unless said otherwise; return its id."""
    account, _ = accounts.add(name, roles or [Role.REVIEWER], "command line", f"{name} the person", PASSWORD)
    if chosen:
        accounts.choose_password(account.id, PASSWORD, "")
    return account.id


def sign_in(browser: TestClient, name: str, password: str = PASSWORD) -> httpx.Response:
    return browser.post("/session", json={"name": name, "password": password})


def send(browser: TestClient, path: str, **fields: str) -> httpx.Response:
    """Send a form, as htmx does on our pages."""
    return browser.post(path, content=urlencode(fields), headers={**FORM, PAGE_HEADER: "1"})


def test_a_person_signs_in_by_name_and_password_and_records_name_the_id(
    browser: TestClient, accounts: AccountStore
) -> None:
    account = person(accounts, "ada")
    answer = sign_in(browser, " ADA ")
    assert answer.status_code == 204, answer.text
    assert {"httponly", "samesite=strict"} <= {p.strip().lower() for p in answer.headers["set-cookie"].split(";")}
    assert "ada the person" in browser.get("/review", headers=HTML).text

    services = browser.app.state.services  # type: ignore[attr-defined]
    services.store.save([answered("by-account", "high", queue="acc")])
    where = send(browser, "/review/next", queue="acc").headers["hx-redirect"]
    item = int(re.findall(r"items/(\d+)", where)[0])
    assert services.desk.browsing.item(item).claimed_by == account
    assert [event.actor for event in services.desk.browsing.history(item)] == [account]
    page = browser.get(where, headers=HTML).text
    assert "ada the person" in page  # in the history, where the log has the id
    assert browser.delete("/session", headers={PAGE_HEADER: "1"}).status_code == 204
    check(browser.get("/review"), 401)


def test_an_item_can_be_sent_to_a_person_by_name(browser: TestClient, accounts: AccountStore) -> None:
    person(accounts, "sender")
    to = person(accounts, "receiver")
    sign_in(browser, "sender")
    services = browser.app.state.services  # type: ignore[attr-defined]
    browser.portal.call(services.keyring.refresh)  # type: ignore[union-attr]
    services.store.save([answered("sent-on", "high", queue="sent")])
    item = int(re.findall(r"items/(\d+)", send(browser, "/review/next", queue="sent").headers["hx-redirect"])[0])
    send(browser, f"/review/items/{item}/escalate", person="Receiver the Person", reason="she knows these")
    assert services.desk.browsing.item(item).assigned_to == to
    assert "for receiver the person" in browser.get("/review?queue=sent").text


def test_a_wrong_password_an_unknown_name_and_a_disabled_account_look_alike(
    browser: TestClient, accounts: AccountStore
) -> None:
    person(accounts, "known")
    person(accounts, "gone")
    accounts.disable("gone", "command line")
    problems = [
        check(sign_in(browser, name, password), 401)
        for name, password in (("known", OTHER), ("nobody", OTHER), ("gone", PASSWORD), ("\x00", "x"), ("", ""))
    ]
    assert {problem.detail for problem in problems} == {problems[0].detail}


def test_unknown_names_cost_a_hash_as_known_ones_do(
    browser: TestClient, accounts: AccountStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    person(accounts, "timed")
    hashed: list[bool] = []
    from serving.access import passwords

    verify = passwords._HASHER.verify

    class Counted:
        check_needs_rehash = staticmethod(passwords._HASHER.check_needs_rehash)

        @staticmethod
        def verify(kept: str, password: bytes) -> bool:
            hashed.append(True)
            return verify(kept, password)

    monkeypatch.setattr(passwords, "_HASHER", Counted)
    for name in ("timed", "no such name", "\x00"):
        sign_in(browser, name, OTHER)
    assert len(hashed) == 3


def test_guessing_is_met_by_growing_waits_that_the_right_password_cannot_pass(
    browser: TestClient, accounts: AccountStore
) -> None:
    person(accounts, "victim")
    for _ in range(OF_NAME.free + 1):
        check(sign_in(browser, "victim", OTHER), 401)
    answer = sign_in(browser, "victim")
    problem = check(answer, 429)
    assert problem.type.endswith("too-many-sign-ins")
    assert int(answer.headers["retry-after"]) >= 1
    assert f"Try again in {answer.headers['retry-after']} s" in problem.detail
    assert browser.app.state.services.sign_in.failures.succeeded("victim", "testclient") is None  # type: ignore[attr-defined]
    assert sign_in(browser, "victim").status_code == 204


def test_with_a_password_of_somebody_else_one_can_only_choose_another(
    browser: TestClient, accounts: AccountStore
) -> None:
    person(accounts, "newcomer", chosen=False)
    assert sign_in(browser, "newcomer").status_code == 204
    page = browser.get("/review", headers=HTML)
    assert page.status_code == 403
    assert 'href="/account"' in page.text
    assert check(browser.get("/v1/model"), 403).type.endswith("password-due")
    assert "Choose one of your own" in browser.get("/account", headers=HTML).text
    for fields, field, why in (
        ({"password": PASSWORD, "new_password": OTHER, "again": "x"}, "again", "not the new password"),
        ({"password": PASSWORD, "new_password": PASSWORD, "again": PASSWORD}, "new_password", "that you have"),
        ({"password": PASSWORD, "new_password": "newcomer123456", "again": "newcomer123456"}, "new_password", "name"),
    ):
        refused = send(browser, "/account/password", **fields)
        assert (refused.status_code, f'data-field="{field}"' in refused.text) == (422, True)
        assert why in unescape(refused.text)
    check(send(browser, "/account/password", password="wrong", new_password=OTHER, again=OTHER), 401)
    done = send(browser, "/account/password", password=PASSWORD, new_password=OTHER, again=OTHER)
    assert done.headers["hx-redirect"] == "/account?changed=password"
    assert browser.get("/review", headers=HTML).status_code == 200
    browser.cookies.clear()
    check(sign_in(browser, "newcomer", PASSWORD), 401)
    assert sign_in(browser, "newcomer", OTHER).status_code == 204


def test_signing_out_everywhere_ends_every_browser(browser: TestClient, accounts: AccountStore) -> None:
    person(accounts, "roamer")
    sign_in(browser, "roamer")
    first = browser.cookies[COOKIE]
    browser.cookies.clear()
    sign_in(browser, "roamer")
    assert send(browser, "/account/sign-out").headers["hx-redirect"] == "/account"
    for token in (first, None):
        headers = {"Cookie": f"{COOKIE}={token}"} if token else {}
        check(browser.get("/v1/model", headers=headers), 401)


def test_nothing_is_changed_without_the_header_that_no_other_site_can_send(
    browser: TestClient, accounts: AccountStore
) -> None:
    person(accounts, "careful", Role.ADMIN)
    sign_in(browser, "careful")
    for path in ("/account/name", "/account/password", "/account/language", "/account/sign-out", "/accounts",
                 "/review/views"):  # fmt: skip
        assert PAGE_HEADER in check(browser.post(path, content="", headers=FORM), 403).detail


def test_the_language_is_kept_in_the_browser_and_with_the_account(browser: TestClient, accounts: AccountStore) -> None:
    person(accounts, "sprachkundig")
    sign_in(browser, "sprachkundig")
    assert '<html lang="fr">' in browser.get("/review", headers={"Accept-Language": "fr"}).text
    assert send(browser, "/account/language", language="xx").status_code == 422
    assert send(browser, "/account/language", language="de").headers["hx-refresh"] == "true"
    assert '<html lang="de">' in browser.get("/review", headers={"Accept-Language": "fr"}).text
    browser.cookies.clear()
    assert '<html lang="fr">' in browser.get("/review", headers={"Accept-Language": "fr", **HTML}).text  # sign-in page
    sign_in(browser, "sprachkundig")
    assert browser.cookies[LANGUAGE] == "de"


def test_what_others_see_can_change_and_records_stay(browser: TestClient, accounts: AccountStore) -> None:
    account = person(accounts, "renamed")
    sign_in(browser, "renamed")
    assert send(browser, "/account/name", display_name=HOSTILE).headers["hx-redirect"] == "/account?changed=name"
    page = browser.get("/review", headers=HTML).text
    assert "<img src=x" not in page
    assert HOSTILE in unescape(page)
    found = accounts.find(account)
    assert found is not None
    assert (found.id, found.name) == (account, "renamed")
    assert send(browser, "/account/name", display_name=" ").status_code == 422


def test_an_admin_adds_resets_and_disables_accounts_on_a_page(browser: TestClient, accounts: AccountStore) -> None:
    person(accounts, "boss", Role.ADMIN)
    sign_in(browser, "boss")
    made = send(browser, "/accounts", name="fresh", display_name="Fresh", roles="reviewer")
    (password,) = re.findall(r"<code>([a-z0-9-]+)</code>", made.text)
    fresh = accounts.find("fresh")
    assert fresh is not None
    assert fresh.id in browser.get("/accounts").text
    assert send(browser, "/accounts", name="fresh", roles="reviewer").status_code == 422
    assert send(browser, "/accounts", name="roleless").status_code == 422
    assert send(browser, "/accounts", name="roleless", roles="god").status_code == 422
    assert send(browser, f"/accounts/{fresh.id}/roles", roles="scientist").status_code == 204
    again = send(browser, f"/accounts/{fresh.id}/reset")
    assert re.findall(r"<code>([a-z0-9-]+)</code>", again.text) != [password]
    for act, state in (("disable", "disabled"), ("enable", "active"), ("sign-out", "active")):
        assert send(browser, f"/accounts/{fresh.id}/{act}").status_code == 204
        found = accounts.find("fresh")
        assert found is not None
        assert (found.state, found.roles) == (state, {Role.SCIENTIST})
    boss = accounts.find("boss")
    assert boss is not None
    assert send(browser, f"/accounts/{boss.id}/disable").status_code == 422
    assert send(browser, "/accounts/u_nobody00/disable").status_code == 404


def test_a_key_has_no_password_to_change(browser: TestClient, place: Settings) -> None:
    key = bearer(place, Role.REVIEWER, name="robot")
    assert "robot" in browser.get("/account", headers={**key, **HTML}).text
    answer = browser.post("/account/password", content="", headers={**FORM, **key})
    assert (answer.status_code, "signed in with a key" in unescape(answer.text)) == (422, True)
    assert browser.post("/account/sign-out", content="", headers={**FORM, **key}).status_code == 204
    assert browser.get("/account", headers={**key, **HTML}).status_code == 200


class TestViews:
    """Filters of the queue under names."""

    @pytest.fixture
    def pair(self, browser: TestClient, accounts: AccountStore) -> Iterator[Any]:
        """Two reviewers; gives what signs one of them in."""
        for name in ("vera", "wim"):
            if accounts.find(name) is None:
                person(accounts, name)

        def enter(name: str) -> TestClient:
            browser.cookies.clear()
            assert sign_in(browser, name).status_code == 204
            return browser

        yield enter
        preferences = browser.app.state.services.preferences  # type: ignore[attr-defined]
        for name in ("vera", "wim"):
            account = accounts.find(name)
            assert account is not None
            for view in preferences.views(account.id):
                if view.owner == account.id:
                    preferences.delete_view(account.id, view.id)

    def names(self, client: TestClient) -> list[str]:
        page = client.get("/review?state=waiting").text
        return [unescape(name) for name in re.findall(r'<li>\s*<a href="/review\?[^"]*"[^>]*><bdi>([^<]*)</bdi>', page)]

    def number(self, client: TestClient) -> int:
        return int(re.findall(r'hx-post="/review/views/(\d+)/default"', client.get("/review?state=waiting").text)[-1])

    def test_a_view_is_saved_shared_renamed_and_deleted(self, pair: Any) -> None:
        vera = pair("vera")
        saved = send(vera, "/review/views", name=HOSTILE, query="?queue=toys&level=serious&nonsense=1&after=9")
        assert saved.headers["hx-redirect"] == "/review?state=waiting&queue=toys&level=serious"
        assert self.names(vera) == [HOSTILE]
        number = self.number(vera)
        assert self.names(pair("wim")) == []
        assert send(pair("vera"), f"/review/views/{number}", name="Toys", shared="1").status_code == 204
        wim = pair("wim")
        assert self.names(wim) == ["Toys"]
        assert "shared by vera the person" in wim.get("/review?state=waiting").text
        assert send(wim, f"/review/views/{number}", name="Mine").status_code == 422
        assert send(wim, f"/review/views/{number}/delete").status_code == 422
        assert send(pair("vera"), f"/review/views/{number}/delete").status_code == 204
        assert self.names(pair("wim")) == []

    def test_the_queue_begins_with_the_chosen_view(self, pair: Any) -> None:
        vera = pair("vera")
        send(vera, "/review/views", name="Late", query="due=overdue", shared="1")
        number = self.number(vera)
        wim = pair("wim")
        send(wim, f"/review/views/{number}/default", default="on")
        first = wim.get("/review", headers=HTML, follow_redirects=False)
        assert (first.status_code, first.headers["location"]) == (303, "/review?state=waiting&due=overdue")
        assert wim.get("/review?state=waiting", follow_redirects=False).status_code == 200
        send(pair("vera"), f"/review/views/{number}", name="Late")  # no longer shared
        assert pair("wim").get("/review", follow_redirects=False).status_code == 200

    def test_the_same_name_writes_over_and_another_views_name_is_refused(self, pair: Any) -> None:
        vera = pair("vera")
        for query in ("queue=a", "queue=b"):
            send(vera, "/review/views", name="One", query=query)
        assert self.names(vera) == ["One"]
        assert "queue=b" in vera.get("/review?state=waiting").text
        number = self.number(vera)
        send(vera, "/review/views", name="Two", query="queue=c")
        assert send(vera, f"/review/views/{number}", name="Two").status_code == 422

    @pytest.mark.parametrize("name", ["", " ", "x" * 61, "a\x00b"])
    def test_what_is_no_name_is_refused(self, pair: Any, name: str) -> None:
        assert send(pair("vera"), "/review/views", name=name, query="").status_code == 422

    @pytest.mark.parametrize("path", ["/review/views/0/default", "/review/views/99999999999999999999/delete"])
    def test_a_view_that_is_not_there_is_said_so(self, pair: Any, path: str) -> None:
        assert send(pair("vera"), path, default="on").status_code == 422
