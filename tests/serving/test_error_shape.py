"""Every error of every route has one shape."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.exc import OperationalError

from serving.api.problems import PROBLEM_TYPES, Problem
from serving.settings import Settings
from tests.serving.conftest import BAG, client_of, post

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")


def check(response: Any, status: int) -> Problem:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["x-request-id"]
    assert response.headers["content-security-policy"].startswith("default-src 'none'")
    body = response.json()
    assert set(body) == set(Problem.model_fields)
    problem = Problem.model_validate(body)
    assert problem.status == status
    assert problem.type in {kind.uri for kind in PROBLEM_TYPES}
    assert problem.title
    assert problem.detail
    assert problem.instance.startswith("/")
    assert "Traceback" not in response.text
    return problem


def _routes(client: TestClient) -> Iterator[tuple[str, set[str]]]:
    schema = client.get("/openapi.json").json()
    for path, operations in schema["paths"].items():
        yield re.sub(r"{\w+}", "0" * 32, path), {method.upper() for method in operations}
    yield from (("/", {"GET"}), (f"/assessments/{'0' * 32}", {"GET"}), ("/openapi.json", {"GET"}))


def test_every_route_answers_a_wrong_method_with_405(shared_client: TestClient) -> None:
    routes = list(_routes(shared_client))
    assert len(routes) >= 9
    for path, allowed in routes:
        for method in METHODS:
            if method not in allowed and not (method == "HEAD" and "GET" in allowed):
                problem = check(shared_client.request(method, path), 405)
                assert all(name in problem.detail for name in [method])


@pytest.mark.parametrize(
    "path", ["/nowhere", "/v1", "/v1/", "/v1/assessments/x", "/assessments/x", "/static/0/app.js", "/v1/model/x"]
)
def test_an_unknown_path_is_404(shared_client: TestClient, path: str) -> None:
    check(shared_client.get(path), 404)


def test_a_missing_static_file_is_404(shared_client: TestClient) -> None:
    check(shared_client.get(f"{shared_client.app.state.static}/../app.py"), 404)  # type: ignore[attr-defined]
    check(shared_client.get(f"{shared_client.app.state.static}/none.js"), 404)  # type: ignore[attr-defined]


def test_errors_of_the_scoring_route_have_the_shape(shared_client: TestClient) -> None:
    headers = {"Content-Type": "application/json"}
    check(shared_client.post("/v1/assessments", content=b"{", headers=headers), 400)
    check(shared_client.post("/v1/assessments", content=b"{}"), 415)
    check(shared_client.post("/v1/assessments", json=[BAG] * 1001), 413)
    check(shared_client.post("/v1/assessments", json={}), 422)
    check(shared_client.post("/v1/assessments?explain=x", json=[]), 422)
    check(shared_client.get("/v1/assessments?order=size"), 422)


def test_an_error_of_a_listing_has_the_shape(shared_client: TestClient) -> None:
    error = post(shared_client, [{}])["results"][0]["error"]
    assert set(error) == set(Problem.model_fields)


def test_a_fault_of_ours_is_500_without_its_reason(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("secret path /root")

    monkeypatch.setattr(client.app.state.services.store, "get", broken)  # type: ignore[attr-defined]
    response = client.get(f"/v1/assessments/{'0' * 32}", headers={"X-Request-ID": "trace-7"})
    problem = check(response, 500)
    assert "secret" not in response.text
    assert "trace-7" in problem.detail
    assert "trace-7" in caplog.text
    assert "secret path" in caplog.text


def test_a_listing_that_breaks_the_model_gets_a_problem_of_its_own(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    model = client.app.state.services.engine.model  # type: ignore[attr-defined]
    assess = model.assess
    monkeypatch.setattr(
        model, "assess", lambda listing, *rest: assess(listing, *rest) if listing.id == "bag" else 1 / 0
    )
    results = post(client, [{"id": "x", "title": "x"}, BAG])["results"]
    assert results[0]["error"]["status"] == 500
    assert set(results[0]["error"]) == set(Problem.model_fields)
    assert "ZeroDivision" not in json.dumps(results)
    assert "ZeroDivision" in caplog.text
    assert results[1]["assessment"]["listing_id"] == "bag"


def test_a_lost_database_is_503_with_retry_after(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(*_: object) -> None:
        raise OperationalError("SELECT secret", {}, Exception("gone"))

    store = client.app.state.services.store  # type: ignore[attr-defined]
    for name in ("save", "get", "summaries", "ping"):
        monkeypatch.setattr(store, name, lost)
    for response in (
        client.post("/v1/assessments", json=[BAG]),
        client.get("/v1/assessments"),
        client.get(f"/v1/assessments/{'0' * 32}"),
        client.get("/readyz"),
    ):
        check(response, 503)
        assert response.headers["retry-after"] == "5"
        assert "secret" not in response.text
    assert client.get("/healthz").status_code == 200


def test_before_the_model_is_loaded_it_is_503(settings: Settings) -> None:
    client = client_of(settings)  # no lifespan: nothing is loaded
    for response in (
        client.get("/readyz"),
        client.get("/v1/model"),
        client.post("/v1/assessments", json=[BAG]),
    ):
        check(response, 503)
        assert response.headers["retry-after"]
    assert client.get("/healthz").json() == {"status": "alive"}


def test_a_start_that_fails_is_told_by_readyz(settings: Settings, tmp_path: Path) -> None:
    with client_of(replace(settings, model=tmp_path / "none")) as client:
        services = client.app.state.services  # type: ignore[attr-defined]
        assert client.portal is not None
        with pytest.raises(Exception, match="no such model directory"):
            client.portal.call(services.started)
        assert "could not start" in check(client.get("/readyz"), 503).detail
        assert client.get("/healthz").status_code == 200
