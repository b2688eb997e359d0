"""The gate: refused before it is read, ended when nobody waits for it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import orjson
import pytest
from fastapi.testclient import TestClient

from models.domain.assessment import Assessment
from serving.api import gate
from serving.engine import AssessmentEngine
from serving.services import Services
from serving.settings import Settings
from tests.serving.conftest import BAG, HEATER, PATIENT_MS, StartApp

PATH = "/v1/assessments"


class Call:
    """One request at the level of ASGI: what the app read of it, what it sent, and a client that can leave."""

    def __init__(self, body: bytes, **headers: str) -> None:
        given = {"content-type": "application/json", "content-length": str(len(body)), **headers}
        self.scope = {
            "type": "http", "method": "POST", "path": PATH, "raw_path": PATH.encode(), "query_string": b"",
            "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in given.items()],
            "scheme": "http", "server": ("test", 80), "client": ("test", 1), "http_version": "1.1", "root_path": "",
        }  # fmt: skip
        self.body = body
        self.read = 0
        self.sent: list[dict[str, Any]] = []
        self.leaves = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        if not self.read:
            self.read += 1
            return {"type": "http.request", "body": self.body, "more_body": False}
        await self.leaves.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)

    async def made_to(self, app: Any) -> Call:
        await app({**self.scope, "app": app}, self.receive, self.send)
        return self

    @property
    def status(self) -> int | None:
        return self.sent[0]["status"] if self.sent else None

    @property
    def headers(self) -> dict[str, str]:
        return {name.decode().lower(): value.decode() for name, value in self.sent[0]["headers"]}

    @property
    def answer(self) -> Any:
        return orjson.loads(self.sent[1]["body"])


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Without keys: who may ask is another question."""
    return replace(settings, access="off")


@pytest.fixture
def patient(settings: Settings, start_app: StartApp) -> TestClient:
    """A server with one thread and time."""
    return start_app(replace(settings, threads=1, max_queue_ms=PATIENT_MS, remember_mb=0))


class Held:
    """The server's one thread, busy until it is let go; notes which listings it got to."""

    def __init__(self, engine: AssessmentEngine, monkeypatch: pytest.MonkeyPatch) -> None:
        self.go = threading.Event()
        self.got_to: list[str] = []
        assess = engine.model.assess

        def waiting(listing: Any, *rest: Any) -> Assessment:
            self.got_to.append(listing.id)
            assert self.go.wait(10)
            return assess(listing, *rest)

        monkeypatch.setattr(engine.model, "assess", waiting)


def services_of(client: TestClient) -> Services:
    services: Services = client.app.state.services  # type: ignore[attr-defined]
    return services


def in_the_server(client: TestClient, do: Callable[[], Awaitable[Any]]) -> Any:
    """Run something on the server's event loop."""
    assert client.portal is not None
    return client.portal.call(do)


def body(*ids: str) -> bytes:
    return orjson.dumps([{"id": name, "title": f"Cotton bag {name}"} for name in ids])


async def until(holds: Callable[[], bool]) -> None:
    for _ in range(1_000):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not happen within ten seconds")


def test_a_call_is_refused_before_its_body_is_read(settings: Settings, start_app: StartApp) -> None:
    client = start_app(replace(settings, max_queue_ms=20, threads=1))
    admission = services_of(client).engine.admission
    admission.took(0.5)
    call = Call(body("a"))
    with ExitStack() as held:
        held.enter_context(admission.admit(1))
        in_the_server(client, lambda: call.made_to(client.app))
    assert call.status == 429
    assert call.read == 0
    assert int(call.headers["retry-after"]) >= 1
    assert call.answer["type"] == "urn:hazardlens:problem:too-busy"
    assert "would wait" in call.answer["detail"]
    assert "at most 20 ms" in call.answer["detail"]
    assert client.post(PATH, json=[BAG]).status_code == 200


def test_of_calls_that_come_at_once_only_those_are_read_that_the_queue_has_room_for(
    settings: Settings, start_app: StartApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = start_app(replace(settings, max_queue_ms=100, threads=1, remember_mb=0))
    engine = services_of(client).engine
    engine.admission.took(0.04)
    held = Held(engine, monkeypatch)

    async def burst() -> list[Call]:
        calls = [asyncio.create_task(Call(body(f"b{i}")).made_to(client.app)) for i in range(30)]
        await until(lambda: bool(held.got_to))
        await until(lambda: sum(call.done() for call in calls) >= 27)
        held.go.set()
        return await asyncio.gather(*calls)

    calls = in_the_server(client, burst)
    assert sorted(call.status for call in calls) == [200] * 3 + [429] * 27
    assert [call.read for call in calls if call.status == 429] == [0] * 27
    assert client.post(PATH, json=[BAG]).status_code == 200, "no place is held any more"


def test_a_request_that_comes_slowly_holds_its_place_for_a_moment_only(
    settings: Settings, start_app: StartApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "_SOON", 0.05)
    client = start_app(replace(settings, max_queue_ms=20, threads=1))
    admission = services_of(client).engine.admission
    for _ in range(200):
        admission.took(0.5)

    class Slow(Call):
        async def receive(self) -> dict[str, Any]:
            await self.leaves.wait()
            return {"type": "http.disconnect"}

    async def both() -> Call:
        slow = Slow(body("slow"))
        coming = asyncio.create_task(slow.made_to(client.app))
        await until(lambda: admission.wait() > 0)
        early = await Call(body("early")).made_to(client.app)
        assert early.status == 429
        await until(lambda: admission.wait() == 0)
        later = await Call(body("later")).made_to(client.app)
        slow.leaves.set()
        await coming
        return later

    assert in_the_server(client, both).status == 200


def test_what_asks_nothing_of_the_model_is_answered_by_a_full_server(settings: Settings, start_app: StartApp) -> None:
    client = start_app(replace(settings, max_queue_ms=20, threads=1))
    kept = client.post(PATH, json=[BAG]).json()["results"][0]["assessment"]["id"]
    admission = services_of(client).engine.admission
    for _ in range(200):
        admission.took(0.5)
    with admission.admit(1):
        assert client.get(f"{PATH}/{kept}").status_code == 200
        assert client.get("/v1/model").status_code == 200
        assert client.get("/readyz").status_code == 200, "full is not unready: it says when to come back"
        assert client.get(f"{PATH}/{kept}/explanation").status_code == 429


def test_bodies_that_do_not_fit_in_memory_together_are_refused_by_their_announcement(
    settings: Settings, start_app: StartApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = start_app(replace(settings, max_body_mb=1, threads=1, max_queue_ms=PATIENT_MS))
    held = Held(services_of(client).engine, monkeypatch)

    async def four() -> Call:
        long = body("a") + b" " * 900_000
        first = [asyncio.create_task(Call(long).made_to(client.app)) for _ in range(3)]
        await until(lambda: bool(held.got_to))
        fourth = await Call(long).made_to(client.app)
        held.go.set()
        assert {call.status for call in await asyncio.gather(*first)} == {200}
        return fourth

    fourth = in_the_server(client, four)
    assert fourth.status == 429
    assert fourth.read == 0
    assert client.post(PATH, json=[BAG]).status_code == 200


@pytest.mark.parametrize("given", ["0", "-1", "soon", "", "nan", "inf", "3601", "1_0", "２", "1;2"])
def test_a_deadline_that_is_none_is_422(shared_client: TestClient, given: str) -> None:
    response = shared_client.post(PATH, json=[BAG], headers=[(b"X-Request-Timeout", given.encode())])
    assert response.status_code == 422
    (error,) = response.json()["errors"]
    assert error["field"] == "X-Request-Timeout"
    assert "such as 2.5" in error["hint"]


@pytest.mark.parametrize("given", ["30", "2.5e2", "3600", " 60 "])
def test_a_deadline_that_leaves_time_changes_nothing(shared_client: TestClient, given: str) -> None:
    with_one = shared_client.post(PATH, json=[BAG, HEATER], headers={"X-Request-Timeout": given})
    assert with_one.status_code == 200
    assert with_one.json() == shared_client.post(PATH, json=[BAG, HEATER]).json()


def test_a_deadline_that_cannot_be_kept_is_refused_at_once(patient: TestClient) -> None:
    admission = services_of(patient).engine.admission
    for _ in range(200):
        admission.took(0.2)
    call = Call(body("a"), x_request_timeout="0.1")
    in_the_server(patient, lambda: call.made_to(patient.app))
    assert call.status == 504
    assert call.read == 0
    assert call.answer["type"] == "urn:hazardlens:problem:deadline"
    assert "would take about 0.2 s" in call.answer["detail"]
    many = patient.post(PATH, content=body(*map(str, range(50))), headers={"Content-Type": "application/json",
                        "X-Request-Timeout": "1"})  # fmt: skip
    assert many.status_code == 504
    assert "would take about 10 s" in many.json()["detail"]


def test_what_is_overdue_is_dropped_and_answered(patient: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = services_of(patient).engine
    assert patient.post(PATH, json=[BAG]).status_code == 200  # so that the pace is known
    engine.admission._pace.clear()
    engine.admission.took(0.001)
    held = Held(engine, monkeypatch)

    async def late() -> tuple[Call, Call]:
        first = asyncio.create_task(Call(body("first")).made_to(patient.app))
        await until(lambda: held.got_to == ["first"])
        overdue = await Call(body("overdue", "too"), x_request_timeout="0.3").made_to(patient.app)
        held.go.set()
        return await first, overdue

    first, overdue = in_the_server(patient, late)
    assert first.status == 200
    assert overdue.status == 504
    assert overdue.answer["type"] == "urn:hazardlens:problem:deadline"
    assert "0.3 s" in overdue.answer["detail"]
    assert patient.post(PATH, json=[BAG]).status_code == 200
    assert held.got_to == ["first", "bag"], "what was overdue was not worked on"
    assert engine.admission.in_flight == 0


def test_listings_of_a_client_that_left_are_not_assessed_unless_others_want_them(
    patient: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = services_of(patient).engine
    held = Held(engine, monkeypatch)

    async def one_leaves() -> tuple[Call, Call, Call]:
        first = asyncio.create_task(Call(body("first")).made_to(patient.app))
        await until(lambda: held.got_to == ["first"])
        leaving, staying = Call(body("own", "shared")), Call(body("shared"))
        calls = [asyncio.create_task(call.made_to(patient.app)) for call in (leaving, staying)]
        await until(lambda: engine.admission.in_flight == 4)
        leaving.leaves.set()
        await until(calls[0].done)
        held.go.set()
        await asyncio.gather(first, *calls)
        return first.result(), leaving, staying

    first, leaving, staying = in_the_server(patient, one_leaves)
    assert (first.status, leaving.status, staying.status) == (200, None, 200)
    assert held.got_to == ["first", "shared"]
    metrics = patient.get("/metrics").text
    assert 'status="499"} 1.0' in metrics, "the metrics tell of the client that left"


def test_a_draining_server_takes_no_calls_and_is_not_ready(patient: TestClient) -> None:
    services_of(patient).drain()
    for answer in (patient.post(PATH, json=[BAG]), patient.get(PATH), patient.get("/readyz")):
        assert answer.status_code == 503
        assert answer.json()["type"] == "urn:hazardlens:problem:draining"
        assert answer.headers["Retry-After"] == "1"
    assert patient.get("/healthz").status_code == 200


def test_a_server_whose_threads_have_ended_is_not_ready(patient: TestClient) -> None:
    services_of(patient).engine.close()
    assert patient.get("/readyz").status_code == 503
