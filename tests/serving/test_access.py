"""A running server and its keys: let in, refused, rotated, revoked, limited, signed in; and what the log holds."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import OperationalError

from serving.access.allowances import Bucket
from serving.access.guard import COOKIE, PAGE_HEADER
from serving.access.keyring import LOOKS_EVERY, Keyring
from serving.access.principal import Allowance, Role
from serving.access.tokens import KEY, new_token
from serving.api.problems import ProblemError
from serving.http_head import LONGEST_HEAD, BoundedHead
from serving.logs import begin_logging
from serving.settings import Settings
from serving.store.database import open_database
from serving.store.keys import KeyStore
from serving.store.migrating import migrate
from tests.serving.conftest import BAG, HEATER, StartApp, post
from tests.serving.test_error_shape import check

HTML = {"Accept": "text/html"}


def with_key(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def keys_of(client: TestClient) -> KeyStore:
    return client.app.state.services.keyring.store  # type: ignore[attr-defined,no-any-return]


def status(client: TestClient, secret: str) -> int:
    return client.get("/openapi.json", headers=with_key(secret)).status_code


def until(condition: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


class TestKeysOfARunningServer:
    """A server follows its store by itself."""

    def test_a_new_key_counts_in_its_first_request(self, shared_client: TestClient) -> None:
        made = keys_of(shared_client).replace("new", [Role.UPLOADER])
        assert status(shared_client, made.secret) == 200

    @pytest.mark.parametrize(
        "header",
        [b"Bearer", b"Bearer ", b"Basic YTpi", b"Bearer hl_aaaaaaaa_" + b"x" * 40, b"hl_aaaaaaaa_" + b"x" * 40,
         b"Bearer \xff", b"Bearer " + b"x" * 5_000],
    )  # fmt: skip
    def test_what_is_no_key_is_401_and_says_how(self, shared_client: TestClient, header: bytes) -> None:
        answer = shared_client.get("/v1/model", headers=[(b"Authorization", header)])
        check(answer, 401)
        assert answer.headers["www-authenticate"].startswith("Bearer ")
        assert "x" * 40 not in answer.text

    def test_a_revoked_key_is_refused_within_seconds(self, shared_client: TestClient) -> None:
        made = keys_of(shared_client).replace("leaver", [Role.UPLOADER])
        assert status(shared_client, made.secret) == 200
        keys_of(shared_client).revoke(made.key.prefix)
        until(lambda: status(shared_client, made.secret) == 401, LOOKS_EVERY + 5)

    def test_an_expired_key_is_refused_to_the_second(self, shared_client: TestClient) -> None:
        ends = datetime.now(UTC) + timedelta(seconds=1.5)
        made = keys_of(shared_client).create("guest", [Role.UPLOADER], ends)
        assert status(shared_client, made.secret) == 200
        time.sleep(max(0.0, (ends - datetime.now(UTC)).total_seconds()))
        assert status(shared_client, made.secret) == 401

    def test_both_keys_are_good_while_a_rotation_lasts(self, shared_client: TestClient) -> None:
        store = keys_of(shared_client)
        first = store.replace("rotated", [Role.UPLOADER])
        second, _ = store.rotate("rotated", timedelta(days=1))
        assert [status(shared_client, made.secret) for made in (first, second)] == [200, 200]

    def test_the_last_use_is_written(self, client: TestClient) -> None:
        made = keys_of(client).create("used", [Role.UPLOADER])
        assert status(client, made.secret) == 200

        def noted() -> bool:
            return any(key.prefix == made.key.prefix and key.last_used_at for key in keys_of(client).known())

        until(noted, LOOKS_EVERY + 5)

    def test_nobody_needs_a_key_where_access_is_off_and_the_log_shouts(
        self, start_app: StartApp, settings: Settings, caplog: pytest.LogCaptureFixture
    ) -> None:
        client = start_app(replace(settings, access="off"))
        del client.headers["Authorization"]
        assert post(client, [BAG])["results"][0]["error"] is None
        assert client.get("/", headers=HTML).status_code == 200
        assert "ACCESS CONTROL IS OFF" in caplog.text

    def test_metrics_are_open_by_setting_only(self, start_app: StartApp, settings: Settings) -> None:
        client = start_app(replace(settings, metrics_open=True))
        del client.headers["Authorization"]
        assert client.get("/metrics").status_code == 200
        check(client.get("/v1/model"), 401)


class TestKeyring:
    """The keys in memory, on a clock that the test turns."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[KeyStore]:
        store = KeyStore(open_database(f"sqlite:///{tmp_path / 'h.db'}"))
        migrate(store.engine)
        yield store
        store.engine.dispose()

    def test_no_request_waits_for_the_database(self, store: KeyStore, monkeypatch: pytest.MonkeyPatch) -> None:
        made, reads = store.create("p", [Role.UPLOADER]), 0
        usable = store.usable

        def counted() -> Any:
            nonlocal reads
            reads += 1
            return usable()

        monkeypatch.setattr(store, "usable", counted)

        async def asked() -> None:
            ring = Keyring(store)
            await ring.refresh()
            for _ in range(1_000):
                found = await ring.principal(made.secret)
                assert found is not None
                assert (found.name, found.roles, found.how) == ("p", {Role.UPLOADER}, "key")

        asyncio.run(asked())
        assert reads == 1

    def test_guesses_at_once_cost_one_look_together(self, store: KeyStore, monkeypatch: pytest.MonkeyPatch) -> None:
        reads, usable = 0, store.usable

        def counted() -> Any:
            nonlocal reads
            reads += 1
            return usable()

        monkeypatch.setattr(store, "usable", counted)

        async def guessed() -> None:
            ring = Keyring(store)
            await ring.refresh()
            guesses = [ring.principal(new_token(KEY).secret) for _ in range(200)]
            assert await asyncio.gather(*guesses) == [None] * 200

        asyncio.run(guessed())
        assert reads <= 3

    def test_while_the_database_is_away_keys_are_good_for_a_minute(
        self, store: KeyStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made, now = store.create("p", [Role.UPLOADER]), 0.0

        def lost() -> None:
            raise OperationalError("SELECT", {}, Exception("gone"))

        async def asked() -> None:
            nonlocal now
            ring = Keyring(store, clock=lambda: now)
            monkeypatch.setattr(store, "usable", lost)
            with pytest.raises(ProblemError, match="being read"):
                await ring.principal(made.secret)
            monkeypatch.undo()
            now = 1.0
            assert await ring.principal(made.secret) is not None
            monkeypatch.setattr(store, "usable", lost)
            now = 60.0
            assert await ring.principal(made.secret) is not None
            now = 62.0
            with pytest.raises(ProblemError, match="database") as caught:
                await ring.principal(made.secret)
            assert caught.value.kind.status == 503

        asyncio.run(asked())

    def test_the_last_use_is_written_once_a_minute_at_most(
        self, store: KeyStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made, now, written = store.create("p", [Role.UPLOADER]), 0.0, 0
        note = store.note_use

        def counted(used: Any) -> None:
            nonlocal written
            written += 1
            note(used)

        monkeypatch.setattr(store, "note_use", counted)

        async def used() -> None:
            nonlocal now
            ring = Keyring(store, clock=lambda: now)
            await ring.refresh()
            for _ in range(90):
                assert await ring.principal(made.secret) is not None
                await ring._note_use()
                now += 2.0
                await ring.refresh()

        asyncio.run(used())
        assert written == 3
        assert store.known()[0].last_used_at is not None


class TestAllowances:
    """Token buckets."""

    def test_a_key_without_allowance_left_gets_429_and_others_do_not(
        self, start_app: StartApp, settings: Settings
    ) -> None:
        client = start_app(replace(settings, requests_per_minute=1_000))
        few = keys_of(client).create("few", [Role.UPLOADER], None, Allowance(requests=2))
        answers = [client.get("/v1/model", headers=with_key(few.secret)) for _ in range(3)]

        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert answers[0].headers["ratelimit-policy"] == '"requests";q=2;w=60'
        assert answers[0].headers["ratelimit"].startswith('"requests";r=1;t=')
        problem = check(answers[2], 429)
        assert problem.type.endswith("rate-limited")
        assert 1 <= int(answers[2].headers["retry-after"]) <= 30
        assert answers[2].headers["ratelimit"].startswith('"requests";r=0;t=')
        assert client.get("/v1/model").headers["ratelimit-policy"] == '"requests";q=1000;w=60'

    def test_listings_count_one_by_one_and_refused_ones_cost_the_server_nothing(
        self, start_app: StartApp, settings: Settings
    ) -> None:
        client = start_app(replace(settings, listings_per_minute=3))
        assert len(post(client, [HEATER, BAG])["results"]) == 2
        answer = client.post("/v1/assessments", json=[HEATER, BAG])
        assert "3 listings a minute" in check(answer, 429).detail
        assert answer.headers["ratelimit"].startswith('"listings";r=1;t=')
        assert len(post(client, [BAG])["results"]) == 1
        assert "hazardlens_listings_total" in client.get("/metrics").text, "what costs no listing is still answered"

    def test_two_keys_of_one_name_share_what_there_is(self, start_app: StartApp, settings: Settings) -> None:
        client = start_app(settings)
        store = keys_of(client)
        first = store.create("p", [Role.UPLOADER], None, Allowance(requests=2))
        second, _ = store.rotate("p", timedelta(days=1))
        assert [status(client, made.secret) for made in (first, second, first, second)] == [200, 200, 429, 429]

    @given(
        st.integers(1, 600),
        st.lists(st.tuples(st.floats(0, 30), st.integers(1, 1_000)), max_size=50),
    )
    def test_no_pattern_of_asking_gets_more_than_the_rate(
        self, per_minute: int, asked: list[tuple[float, int]]
    ) -> None:
        now, given = 0.0, 0
        bucket = Bucket(per_minute, clock=lambda: now)
        for pause, tokens in asked:
            now += pause
            wait = bucket.take(tokens)
            assert wait >= 0
            given += tokens if wait == 0 else 0
            largest = max(tokens for _, tokens in asked)
            assert given <= per_minute + now * per_minute / 60 + largest + 1e-6

    @given(st.integers(1, 600), st.integers(1, 5_000))
    def test_who_waits_as_long_as_told_is_served(self, per_minute: int, tokens: int) -> None:
        now = 0.0
        bucket = Bucket(per_minute, clock=lambda: now)
        bucket.take(per_minute)
        now += bucket.take(tokens) + 1e-6
        assert bucket.take(tokens) == 0


class TestSessions:
    """A browser signs in with a key."""

    @pytest.fixture
    def browser(self, client: TestClient) -> TestClient:
        client.headers.pop("Authorization", None)
        return client

    def sign_in(self, browser: TestClient, *roles: Role) -> str:
        made = keys_of(browser).replace("person", roles or [Role.REVIEWER])
        answer = browser.post("/session", json={"key": made.secret})
        assert answer.status_code == 204, answer.text
        cookie = answer.headers["set-cookie"]
        assert {"httponly", "samesite=strict", "path=/"} <= {part.strip().lower() for part in cookie.split(";")}
        assert made.secret.rpartition("_")[2] not in cookie, "the cookie is not the key"
        return made.key.prefix

    def test_without_a_session_every_page_is_the_way_in(self, browser: TestClient) -> None:
        for path in ("/", "/assessments/none", "/nowhere"):
            page = browser.get(path, headers=HTML)
            assert page.status_code == 401
            assert 'id="sign-in"' in page.text
            assert "sign_in.js" in page.text

    def test_with_one_the_page_is_there_and_programs_of_the_page_may_write(self, browser: TestClient) -> None:
        self.sign_in(browser)
        assert "Assess a listing" in browser.get("/", headers=HTML).text
        answer = browser.post("/v1/assessments", json=[BAG], headers={PAGE_HEADER: "1"})
        assert answer.status_code == 200

    def test_nothing_is_changed_without_the_header_that_no_other_site_can_send(self, browser: TestClient) -> None:
        self.sign_in(browser)
        problem = check(browser.post("/v1/assessments", json=[BAG]), 403)
        assert PAGE_HEADER in problem.detail

    def test_a_session_has_the_roles_of_its_key_and_no_more(self, browser: TestClient) -> None:
        self.sign_in(browser, Role.UPLOADER)
        page = browser.get("/", headers=HTML)
        assert page.status_code == 403
        assert "Sign out" in page.text

    def test_signing_out_ends_it_and_the_cookie_is_worth_nothing(self, browser: TestClient) -> None:
        self.sign_in(browser)
        kept = browser.cookies[COOKIE]
        assert browser.delete("/session", headers={PAGE_HEADER: "1"}).status_code == 204
        assert COOKIE not in browser.cookies
        check(browser.get("/v1/model", headers={"Cookie": f"{COOKIE}={kept}"}), 401)

    def test_a_session_ends_with_its_key(self, browser: TestClient) -> None:
        prefix = self.sign_in(browser)
        keys_of(browser).revoke(prefix)
        until(lambda: browser.get("/v1/model").status_code == 401, LOOKS_EVERY + 5)

    def test_a_key_is_no_cookie_and_a_cookie_no_key(self, browser: TestClient) -> None:
        self.sign_in(browser)
        token = browser.cookies[COOKIE]
        browser.cookies.clear()
        check(browser.get("/v1/model", headers=with_key(token)), 401)
        made = keys_of(browser).replace("other", [Role.REVIEWER])
        check(browser.get("/v1/model", headers={"Cookie": f"{COOKIE}={made.secret}"}), 401)
        check(browser.post("/session", json={"key": token}), 401)

    @pytest.mark.parametrize("body", [[], {}, {"key": 5}, {"key": None}])
    def test_a_sign_in_of_another_shape_is_told(self, browser: TestClient, body: Any) -> None:
        assert check(browser.post("/session", json=body), 422).errors[0].field == "key"

    def test_half_a_character_is_no_key(self, browser: TestClient) -> None:
        body = b'{"key": "hl_\\ud800"}'
        check(browser.post("/session", content=body, headers={"Content-Type": "application/json"}), 401)

    def test_a_sign_in_reads_no_long_body(self, browser: TestClient) -> None:
        check(browser.post("/session", json={"key": "x" * 2_000}), 413)


class TestHeaders:
    """What every answer carries."""

    def test_answers_are_kept_by_no_cache(self, shared_client: TestClient) -> None:
        assert shared_client.get("/v1/model").headers["cache-control"] == "no-store"
        assert shared_client.get("/v1/none").headers["cache-control"] == "no-store"

    def test_https_is_insisted_on_by_setting_and_over_https_only(self, start_app: StartApp, settings: Settings) -> None:
        client = start_app(replace(settings, hsts_seconds=86_400))
        assert "strict-transport-security" not in client.get("/healthz").headers
        secure = client.get("https://testserver/healthz")
        assert secure.headers["strict-transport-security"] == "max-age=86400"

    def test_over_https_the_cookie_is_for_https_only(self, client: TestClient) -> None:
        made = keys_of(client).replace("person", [Role.REVIEWER])
        answer = client.post("https://testserver/session", json={"key": made.secret})
        assert "; secure" in answer.headers["set-cookie"].lower()


def test_headers_without_end_are_refused_before_they_fill_the_memory() -> None:
    """Over a real socket, since the limit stands before the app."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    server = uvicorn.Server(uvicorn.Config(app, port=0, http=BoundedHead, lifespan="off", log_level="critical"))
    thread = threading.Thread(target=server.run)
    thread.start()
    until(lambda: server.started, 30)
    address = server.servers[0].sockets[0].getsockname()[:2]
    answers = []
    for length in (1_000, 50_000, 1_000_000):
        with socket.create_connection(address, timeout=30) as caller, suppress(ConnectionError):
            caller.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"y" * length)
            if length < LONGEST_HEAD:
                caller.sendall(b"\r\n\r\n")
            answers.append(caller.recv(1_000).split(b"\r\n")[0])
    server.should_exit = True
    thread.join(30)

    assert answers[:2] == [b"HTTP/1.1 204 No Content"] * 2
    assert answers[2:] in ([], [b"HTTP/1.1 400 Bad Request"]), "where it still writes, it may only see the end"


class TestLog:
    """One line a request, and nothing that a seller or a key holder would mind."""

    SECRET_TITLE = "Grandmother's silver teapot"

    @pytest.fixture
    def logged(self, capfd: pytest.CaptureFixture[str]) -> Callable[..., Callable[[], str]]:
        """Begin a log; the result ends it and returns what it wrote."""

        def begin(form: str = "json", listings: bool = False, level: str = "info") -> Callable[[], str]:
            capfd.readouterr()
            listener = begin_logging(level, form, listings)

            def end() -> str:
                listener.stop()
                return capfd.readouterr().err

            return end

        return begin

    def test_a_request_is_one_line_of_json(self, logged: Any, client: TestClient) -> None:
        end = logged()
        post(client, [HEATER, BAG, {}])
        lines = [json.loads(line) for line in end().splitlines()]
        (line,) = [line for line in lines if line["logger"] == "hazardlens.request"]

        assert (line["level"], line["method"], line["route"], line["status"]) == (
            "info",
            "POST",
            "/v1/assessments",
            200,
        )
        assert line["listings"] == 3
        assert line["ms"] > 0
        assert len(line["request_id"]) == 32
        assert line["key"].startswith("hl_")
        assert datetime.fromisoformat(line["time"]).tzinfo is not None

    @pytest.mark.parametrize("form", ["json", "text"])
    def test_no_title_and_no_secret_is_logged(
        self, logged: Any, client: TestClient, form: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        end = logged(form, level="debug")
        made = keys_of(client).create("p", [Role.ADMIN])
        client.headers["Authorization"] = f"Bearer {made.secret}"
        post(client, [{"id": "1", "title": self.SECRET_TITLE}])
        client.post("/session", json={"key": made.secret})
        client.get("/v1/model", headers=with_key(made.secret + "x"))

        def broken(*_: object) -> None:
            raise RuntimeError(f"cannot keep {self.SECRET_TITLE}")

        monkeypatch.setattr(client.app.state.services.store, "summaries", broken)  # type: ignore[attr-defined]
        check(client.get("/v1/assessments"), 500)
        text = end()

        assert self.SECRET_TITLE not in text
        assert made.secret.rpartition("_")[2] not in text
        assert made.key.prefix in text
        assert "RuntimeError: (message left out)" in text
        assert "in broken" in text

    def test_titles_are_logged_where_they_may_be(self, logged: Any, start_app: StartApp, settings: Settings) -> None:
        client = start_app(replace(settings, log_listings=True))
        end = logged(listings=True)
        post(client, [{"id": "1", "title": self.SECRET_TITLE}])
        (line,) = [line for line in map(json.loads, end().splitlines()) if line["logger"] == "hazardlens.request"]
        assert line["titles"] == [self.SECRET_TITLE]

    def test_probes_are_told_at_debug_level_only(self, logged: Any, client: TestClient) -> None:
        end = logged()
        for path in ("/healthz", "/readyz", "/metrics"):
            client.get(path)
        assert "hazardlens.request" not in end()
