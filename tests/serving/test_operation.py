"""For whoever runs the server: probes, metrics, request ids, imports."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from serving.settings import Settings
from tests.serving.conftest import HEATER, StartApp, post

ROOT = Path(__file__).parents[2]


def sample(client: TestClient, name: str, **labels: str) -> float:
    """Return a sample of the metrics, 0 where there is none."""
    for line in client.get("/metrics").text.splitlines():
        if line.split("{")[0].split(" ")[0] == name and all(f'{k}="{v}"' in line for k, v in labels.items()):
            return float(line.rsplit(" ", 1)[1])
    return 0.0


def test_a_ready_server_says_so(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "alive"}
    version = client.get("/v1/model").json()["version"]
    assert client.get("/readyz").json() == {"status": "ready", "model": version, "note": None}


def test_metrics_count_listings_errors_and_requests(client: TestClient) -> None:
    assessment = post(client, [HEATER, {}, {"id": "x"}])["results"][0]["assessment"]
    labels = {"level": assessment["risk_level"], "action": assessment["decision"]["action"]}
    assert sample(client, "hazardlens_listings_total", **labels) == 1
    assert sample(client, "hazardlens_listing_errors_total", type="invalid-listing") == 2
    route = {"method": "POST", "route": "/v1/assessments", "status": "200"}
    assert sample(client, "hazardlens_request_seconds_count", **route) == 1
    assert sample(client, "hazardlens_listings_in_flight") == 0
    assert sample(client, "hazardlens_listings_capacity") == 4_000
    assert sample(client, "hazardlens_ready") == 1
    assert sample(client, "hazardlens_model_info", model=assessment["versions"]["model"]) == 1


def test_metrics_name_the_pattern_of_a_route_and_never_its_path(client: TestClient) -> None:
    for path in (f"/v1/assessments/{'0' * 32}", "/secret/place", f"{client.app.state.static}/app.js"):  # type: ignore[attr-defined]
        client.get(path)
    text = client.get("/metrics").text
    assert 'route="/v1/assessments/{assessment_id}",status="404"' in text
    assert 'route="unmatched",status="404"' in text
    assert re.search(r'route="/static[^"]*",status="200"', text)
    assert "secret" not in text
    assert "0" * 32 not in text


def test_several_apps_count_for_themselves(settings: Settings, start_app: StartApp) -> None:
    first, second = start_app(settings), start_app(settings)
    first.get("/healthz")
    labels = {"route": "/healthz", "status": "200"}
    assert sample(first, "hazardlens_request_seconds_count", **labels) == 1
    assert sample(second, "hazardlens_request_seconds_count", **labels) == 0


def test_a_request_id_is_given_back(shared_client: TestClient) -> None:
    assert shared_client.get("/healthz", headers={"X-Request-ID": "abc-1"}).headers["X-Request-ID"] == "abc-1"


@pytest.mark.parametrize("given", ["", "a b", "x" * 200, "<script>"])
def test_a_request_id_that_is_none_is_replaced(shared_client: TestClient, given: str) -> None:
    made = shared_client.get("/healthz", headers={"X-Request-ID": given}).headers["X-Request-ID"]
    assert re.fullmatch(r"[0-9a-f]{32}", made)


def test_importing_the_app_loads_no_training_library() -> None:
    environment = {**os.environ, "HAZARDLENS_PORT": "not read at import", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "import serving.app"],
        capture_output=True, text=True, env=environment, cwd=ROOT, check=True,
    )  # fmt: skip
    imported = {line.rsplit("|", 1)[1].strip().split(".")[0] for line in done.stderr.splitlines() if "|" in line}
    assert "fastapi" in imported
    assert imported.isdisjoint({"torch", "mlflow", "transformers", "sentence_transformers", "pandas", "onnx"})


def test_a_server_without_a_model_ends_with_an_error(tmp_path: Path) -> None:
    environment = {
        **os.environ, "PYTHONPATH": str(ROOT), "HAZARDLENS_MODEL": str(tmp_path / "none"), "HAZARDLENS_PORT": "0",
        "HAZARDLENS_DATABASE_URL": f"sqlite:///{tmp_path / 'h.db'}",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", "import sys; from serving.app import run; sys.exit(run())"],
        capture_output=True, text=True, env=environment, cwd=tmp_path, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "no such model directory" in done.stderr
    assert "hazardlens train" in done.stderr
    assert "Traceback" not in done.stderr
