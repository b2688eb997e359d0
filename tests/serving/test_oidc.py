"""Sign-in by an OpenID provider that really runs: let in, and refused for each thing that is not in order."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi.testclient import TestClient

from models.domain.errors import InputError
from serving.access.guard import COOKIE
from serving.access.oidc import provider as provider_module
from serving.access.oidc.flow import Reading
from serving.access.principal import Role
from serving.api.oidc import COOKIE as BEGUN
from serving.app import create_app
from serving.settings import Settings
from serving.store.accounts import Account, AccountStore
from tests.serving.conftest import free_port
from tests.serving.openid_provider import CLIENT_ID, CLIENT_SECRET, OpenIdProvider, asked_of, new_key, running
from tests.serving.test_error_shape import check

HTML = {"Accept": "text/html"}
ROLES = "safety-team=reviewer,leads=admin"


@pytest.fixture(scope="module")
def openid() -> Iterator[OpenIdProvider]:
    with running(OpenIdProvider()) as provider:
        yield provider


@pytest.fixture(scope="module")
def place(openid: OpenIdProvider, small_model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    url = f"sqlite:///{tmp_path_factory.mktemp('oidc') / 'h.db'}"
    return Settings(
        model=small_model_dir, database_url=url, oidc_issuer=openid.address, oidc_client_id=CLIENT_ID,
        oidc_client_secret=CLIENT_SECRET, oidc_roles=ROLES, oidc_name="Company <ID>",
    )  # fmt: skip


@pytest.fixture(scope="module")
def server(place: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(place), follow_redirects=False) as client:
        assert client.portal is not None
        client.portal.call(client.app.state.services.started)  # type: ignore[attr-defined]
        yield client


@pytest.fixture
def browser(server: TestClient, openid: OpenIdProvider) -> Iterator[TestClient]:
    """A browser without cookies, and a provider that behaves."""
    usual = OpenIdProvider(openid.address, key=openid.key)
    server.cookies.clear()
    yield server
    server.cookies.clear()
    for name in ("claims", "algorithm", "discovery", "answers"):
        setattr(openid, name, getattr(usual, name))
    openid.published = [openid.key]


def accounts_of(browser: TestClient) -> AccountStore:
    return browser.app.state.services.sign_in.accounts  # type: ignore[attr-defined,no-any-return]


def to_provider(browser: TestClient) -> str:
    """Begin a sign-in; return where the browser is sent."""
    answer = browser.get("/session/oidc")
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def back(location: str) -> str:
    """Sign in at the provider; return the path that it sends the browser back to."""
    with httpx.Client() as elsewhere:
        answer = elsewhere.get(location)
    assert answer.status_code == 302, answer.text
    parts = urlsplit(answer.headers["location"])
    return f"{parts.path}?{parts.query}"


def sign_in(browser: TestClient) -> Any:
    return browser.get(back(to_provider(browser)))


def account(browser: TestClient, openid: OpenIdProvider, subject: str = "subject-1") -> Account:
    found = accounts_of(browser).linked(openid.address, subject)
    assert found is not None
    return found


def refusal(browser: TestClient) -> str:
    """Sign in and return why that did not work; nobody is signed in then."""
    browser.cookies.clear()
    problem = check(sign_in(browser), 403)
    assert problem.type.endswith("sign-in-failed")
    assert COOKIE not in browser.cookies
    return problem.detail


def test_the_sign_in_page_names_the_provider(browser: TestClient) -> None:
    page = browser.get("/review", headers=HTML)
    assert (page.status_code, "Company &lt;ID&gt;" in page.text) == (401, True)


def test_a_person_is_let_in_with_the_role_that_the_provider_gives(browser: TestClient, openid: OpenIdProvider) -> None:
    answer = sign_in(browser)
    assert answer.status_code == 200, answer.text
    assert 'content="0;url=/review"' in answer.text
    assert BEGUN not in browser.cookies
    assert "Ada Byron" in browser.get("/review", headers=HTML).text
    kept = account(browser, openid)
    assert (kept.name, kept.roles, kept.password) == ("ada", {Role.REVIEWER}, None)
    assert browser.get("/accounts").status_code == 403


def test_the_browser_is_sent_with_pkce_state_and_nonce_and_never_twice_the_same(browser: TestClient) -> None:
    first, second = (asked_of(to_provider(browser)) for _ in range(2))
    assert (first["code_challenge_method"], first["scope"]) == ("S256", "openid profile email")
    assert first["redirect_uri"] == "http://testserver/session/oidc/callback"
    for name in ("state", "nonce", "code_challenge"):
        assert len(first[name]) >= 43
        assert first[name] != second[name]
    assert first["nonce"] not in (first["state"], first["code_challenge"])


def test_the_next_sign_in_finds_the_same_account_whatever_the_name_is_now(
    browser: TestClient, openid: OpenIdProvider
) -> None:
    sign_in(browser)
    before = account(browser, openid)
    openid.claims = {"preferred_username": "countess", "roles": ["leads", "golf"]}
    sign_in(browser)
    assert (account(browser, openid).id, account(browser, openid).roles) == (before.id, {Role.ADMIN})
    assert browser.get("/accounts").status_code == 200


def test_a_local_account_of_the_same_name_is_not_taken_over(browser: TestClient, openid: OpenIdProvider) -> None:
    local, _ = accounts_of(browser).add("grace", [Role.ADMIN], "command line")
    openid.claims = {"sub": "impostor", "preferred_username": "grace"}
    assert sign_in(browser).status_code == 200
    assert account(browser, openid, "impostor").id != local.id
    assert browser.get("/accounts").status_code == 403


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"nonce": "another"}, "nonce"),
        ({"nonce": None}, "nonce"),
        ({"aud": "another client"}, "aud"),
        ({"aud": None}, "aud"),
        ({"aud": [CLIENT_ID, "another client"]}, "azp"),
        ({"azp": "another client"}, "azp"),
        ({"iss": "https://another.example"}, "iss"),
        ({"exp": int(time.time()) - 3_600}, "expired"),
        ({"exp": None}, "exp"),
        ({"iat": int(time.time()) + 3_600}, "iat"),
        ({"nbf": int(time.time()) + 3_600}, "nbf"),
        ({"sub": None}, "sub"),
        ({"sub": "x" * 256}, "sub"),
        ({"roles": []}, "no role"),
        ({"roles": None}, "no role"),
        ({"roles": {"leads": True}}, "no role"),
        ({"roles": ["Safety-Team"]}, "no role"),
    ],
)
def test_a_token_that_is_not_in_order_lets_nobody_in(
    browser: TestClient, openid: OpenIdProvider, claims: dict[str, Any], why: str
) -> None:
    openid.claims = claims
    assert why in refusal(browser)


@pytest.mark.parametrize("shift", [-45, 45])
def test_clocks_may_differ_by_less_than_a_minute(browser: TestClient, openid: OpenIdProvider, shift: int) -> None:
    now = int(time.time()) + shift
    openid.claims = {"iat": now, "nbf": now, "exp": now + (1 if shift < 0 else 300)}
    assert sign_in(browser).status_code == 200


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_a_token_without_a_signature_by_a_private_key_is_refused(
    browser: TestClient, openid: OpenIdProvider, algorithm: str
) -> None:
    openid.algorithm = algorithm
    assert f"signed by '{algorithm}'" in refusal(browser)


def test_a_key_that_the_provider_changes_to_is_found(
    browser: TestClient, openid: OpenIdProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sign_in(browser).status_code == 200
    monkeypatch.setattr(provider_module, "_KEYS_AT_MOST_EVERY", 0.0)
    openid.rotate()
    assert sign_in(browser).status_code == 200


def test_a_key_that_is_not_published_is_refused_and_costs_one_look_at_most(
    browser: TestClient, openid: OpenIdProvider
) -> None:
    assert sign_in(browser).status_code == 200
    own, looks = openid.key, openid.key_looks
    for _ in range(3):
        openid.key = new_key("made-up")
        assert "does not publish" in refusal(browser)
    assert openid.key_looks - looks <= 1
    openid.key = own


def test_a_made_up_signature_under_a_known_key_is_refused(browser: TestClient, openid: OpenIdProvider) -> None:
    assert sign_in(browser).status_code == 200
    own = openid.key
    openid.key = new_key(str(own.kid))
    assert "cannot be trusted" in refusal(browser)
    openid.key = own


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.replace("state=", "state=x"),
        lambda path: path.replace("code=", "code=x"),
        lambda path: path.split("?")[0],
        lambda path: path.split("?")[0] + "?error=access_denied",
        lambda path: path.replace("iss=http", "iss=https"),
        lambda path: path + "&error=access_denied",
    ],
)
def test_an_answer_that_was_spoiled_on_the_way_lets_nobody_in(browser: TestClient, spoil: Callable[[str], str]) -> None:
    check(browser.get(spoil(back(to_provider(browser)))), 403)
    assert COOKIE not in browser.cookies


def test_an_answer_counts_in_the_browser_that_began_and_once(browser: TestClient) -> None:
    path = back(to_provider(browser))
    begun = browser.cookies[BEGUN]
    browser.cookies.clear()
    assert "not begun in this browser" in check(browser.get(path), 403).detail
    kept = {"Cookie": f"{BEGUN}={begun}"}
    assert browser.get(path, headers=kept).status_code == 200
    browser.cookies.clear()
    assert "did not take the code" in check(browser.get(path, headers=kept), 403).detail


def test_a_code_is_worth_nothing_without_the_verifier_of_the_browser_that_began(browser: TestClient) -> None:
    path = back(to_provider(browser))
    state, nonce, verifier = browser.cookies[BEGUN].split(".")
    browser.cookies.clear()
    other = {"Cookie": f"{BEGUN}={state}.{nonce}.{verifier[::-1]}"}
    assert "did not take the code" in check(browser.get(path, headers=other), 403).detail


def test_a_disabled_account_stays_out(browser: TestClient, openid: OpenIdProvider) -> None:
    openid.claims = {"sub": "leaver", "preferred_username": "leaver"}
    sign_in(browser)
    accounts_of(browser).disable("leaver", "command line")
    browser.cookies.clear()
    assert "disabled" in refusal(browser)


class TestProviderThatDoesNotDoItsPart:
    """The page says so, and other ways in remain."""

    @pytest.fixture
    def fresh(self, browser: TestClient, place: Settings) -> TestClient:
        """A browser at a server that has not asked the provider yet."""
        services = browser.app.state.services  # type: ignore[attr-defined]
        services.provider = type(services.provider).of(place, services.sign_in.accounts)
        return browser

    def test_one_that_is_down_is_503_and_asked_again_later(self, fresh: TestClient, openid: OpenIdProvider) -> None:
        openid.answers = False
        answer = fresh.get("/session/oidc")
        assert check(answer, 503).type.endswith("provider-unavailable")
        assert answer.headers["retry-after"] == "10"
        openid.answers = True
        assert sign_in(fresh).status_code == 200

    @pytest.mark.parametrize(
        "discovery",
        [{"issuer": "https://another.example"}, {"token_endpoint": "http://id.example/token"}, {"jwks_uri": None}],
    )
    def test_one_that_says_strange_things_of_itself_is_not_used(
        self, fresh: TestClient, openid: OpenIdProvider, discovery: dict[str, Any]
    ) -> None:
        openid.discovery = discovery
        check(fresh.get("/session/oidc"), 503)

    def test_one_that_nobody_listens_at_is_503(self, fresh: TestClient, place: Settings) -> None:
        services = fresh.app.state.services  # type: ignore[attr-defined]
        nobody = replace(place, oidc_issuer=f"http://127.0.0.1:{free_port()}")
        usual, services.provider = services.provider, type(services.provider).of(nobody, services.sign_in.accounts)
        check(fresh.get("/session/oidc"), 503)
        services.provider = usual


class TestSettings:
    """What an operator says of the provider."""

    def test_roles_are_read_from_where_the_setting_says(self) -> None:
        reading = Reading("realm_access.roles", {"a": Role.REVIEWER, "b": Role.ADMIN}, "email")
        assert reading.roles_of({"realm_access": {"roles": ["a", "x", 7]}}) == {Role.REVIEWER}
        assert reading.roles_of({"realm_access.roles": "b"}) == {Role.ADMIN}
        assert reading.roles_of({"realm_access": ["a"]}) == set()
        assert reading.name_of({"email": "Ada <ada@x.example>"}) == "Ada-ada@x.example"
        assert reading.name_of({}) == "person"

    def test_a_name_of_two_words_and_commas_is_a_role_too(self) -> None:
        settings = Settings.from_environment({"HAZARDLENS_OIDC_ROLES": "Product Safety=reviewer, a=b=admin"})
        assert settings.oidc_role_pairs == [("Product Safety", "reviewer"), ("a=b", "admin")]

    @pytest.mark.parametrize(
        ("given", "named"),
        [
            ({"OIDC_ISSUER": "http://id.example"}, "HAZARDLENS_OIDC_ISSUER"),
            ({"OIDC_ROLES": "team=boss"}, "HAZARDLENS_OIDC_ROLES"),
            ({"OIDC_ROLES": "team"}, "HAZARDLENS_OIDC_ROLES"),
            ({"OIDC_ISSUER": "https://id.example"}, "HAZARDLENS_OIDC_CLIENT_ID"),
            ({"OIDC_ISSUER": "https://id.example", "OIDC_CLIENT_ID": "x"}, "HAZARDLENS_OIDC_ROLES"),
            ({"PUBLIC_URL": "http://shop.example"}, "HAZARDLENS_PUBLIC_URL"),
        ],
    )
    def test_what_cannot_be_is_told_with_the_variable(self, given: dict[str, str], named: str) -> None:
        with pytest.raises(InputError, match=named):
            Settings.from_environment({f"HAZARDLENS_{name}": value for name, value in given.items()})

    def test_without_a_provider_there_is_no_way_to_it(self, shared_client: TestClient) -> None:
        assert shared_client.get("/session/oidc", follow_redirects=False).status_code == 404
        assert "/session/oidc" not in shared_client.get("/none", headers={**HTML, "Authorization": "x"}).text
