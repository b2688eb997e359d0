"""Dashboard and alerts ask for what the server tells, and its figures are true."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

import serving
from models.domain.assessment import Versions
from serving.metrics import Metrics
from serving.watching import RequestWatch, begin_request, listing_watch
from tests.serving.conftest import BAG, HEATER, post

HOME = Path(serving.__file__).parent / "observability"
DASHBOARD: dict[str, Any] = json.loads((HOME / "grafana-dashboard.json").read_text(encoding="utf-8"))
RULES: dict[str, Any] = yaml.safe_load((HOME / "prometheus-rules.yaml").read_text(encoding="utf-8"))
README = (HOME / "README.md").read_text(encoding="utf-8")
TARGET_LABELS = {"job", "instance"}
"""Prometheus adds these to every sample when it scrapes."""
_SELECTOR = re.compile(r"(hazardlens_\w+|up)(?:\{([^}]*)\})?")
_GROUPING = re.compile(r"\b(?:by|without|on)\s*\(([^)]*)\)")


def panels() -> Iterator[dict[str, Any]]:
    """Every panel that asks for something."""
    yield from (panel for panel in DASHBOARD["panels"] if panel["type"] != "row")


def expressions() -> list[str]:
    """Every expression of dashboard and alerts."""
    found = [target["expr"] for panel in panels() for target in panel["targets"]]
    found += [annotation["expr"] for annotation in DASHBOARD["annotations"]["list"]]
    return found + [rule["expr"] for group in RULES["groups"] for rule in group["rules"]]


@pytest.fixture(scope="module")
def told(shared_client: TestClient) -> dict[str, set[str]]:
    """Names of the samples of a server that has answered, refused and abstained, each with its labels."""
    post(shared_client, [HEATER, BAG, {}, {"id": "strange", "title": "ᚠᚢᚦᚨᚱᚲ ᚷᚹᚺᚾᛁᛃ"}], explain="tokens")
    shared_client.post("/v1/assessments", content=b"{")
    names: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(shared_client.get("/metrics").text):
        for found in family.samples:
            names.setdefault(found.name, set()).update(found.labels)
    # Nothing was swapped, so that no label was told yet.
    names["hazardlens_changes_total"] = {"what"}
    return names


@pytest.mark.parametrize("expression", expressions())
def test_dashboard_and_alerts_ask_for_what_the_server_tells(expression: str, told: dict[str, set[str]]) -> None:
    known: set[str] = set()
    for name, selection in _SELECTOR.findall(expression):
        if name == "up":
            continue
        assert name in told
        labels = set(re.findall(r"(\w+)\s*[=!]~?\s*\"", selection))
        assert labels <= told[name] | TARGET_LABELS, name
        known |= told[name]
    grouped = {label.strip() for group in _GROUPING.findall(expression) for label in group.split(",")}
    assert grouped <= known | TARGET_LABELS


def test_every_metric_is_described(told: dict[str, set[str]]) -> None:
    own = {re.sub(r"_(bucket|count|sum)$", "", name) for name in told if name.startswith("hazardlens_")}
    own = {name for name in own if not name.endswith("_created")}
    described = set(re.findall(r"`(hazardlens_\w+)`", README))

    assert own == described


def test_a_legend_shows_labels_that_its_expression_keeps() -> None:
    for panel in panels():
        for target in panel["targets"]:
            shown = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
            kept = {label.strip() for group in _GROUPING.findall(target["expr"]) for label in group.split(",")}
            assert shown <= kept, panel["title"]


def test_the_dashboard_can_be_provisioned() -> None:
    identifiers = [panel["id"] for panel in DASHBOARD["panels"]]
    sources = {target["datasource"]["uid"] for panel in panels() for target in panel["targets"]}

    assert DASHBOARD["uid"] == "hazardlens"
    assert len(set(identifiers)) == len(identifiers)
    assert sources == {"${datasource}"}
    assert DASHBOARD["templating"]["list"][0]["name"] == "datasource"
    assert all(panel["description"].endswith(".") for panel in panels())


def test_panels_lie_side_by_side_and_never_on_each_other() -> None:
    places = [panel["gridPos"] for panel in DASHBOARD["panels"]]
    cells = [(x, y) for p in places for x in range(p["x"], p["x"] + p["w"]) for y in range(p["y"], p["y"] + p["h"])]

    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24


def test_every_alert_says_what_to_do() -> None:
    alerts = [rule for group in RULES["groups"] for rule in group["rules"]]

    assert len({rule["alert"] for rule in alerts}) == len(alerts)
    for rule in alerts:
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert rule["annotations"]["summary"]
        assert rule["annotations"]["action"].endswith("."), rule["alert"]


class Growth:
    """How much samples have grown since this was made."""

    def __init__(self, client: TestClient) -> None:
        self.client = client
        self.before = self.now()

    def now(self) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
        families = text_string_to_metric_families(self.client.get("/metrics").text)
        return {(s.name, frozenset(s.labels.items())): s.value for family in families for s in family.samples}

    def of(self, name: str, **labels: str) -> float:
        """Sum over the samples of a name that have these labels."""
        asked = set(labels.items())
        grown = {key: value - self.before.get(key, 0) for key, value in self.now().items()}
        return sum(value for (found, given), value in grown.items() if found == name and asked <= given)


@pytest.fixture
def growth(shared_client: TestClient) -> Growth:
    """Growth from now on."""
    return Growth(shared_client)


def test_the_phases_of_a_request_are_told(shared_client: TestClient, growth: Growth) -> None:
    post(shared_client, [{"id": str(i), "title": f"Never asked before {i}"} for i in range(2)], explain="tokens")

    for phase in ("read", "assess", "store", "write"):
        assert growth.of("hazardlens_request_phase_seconds_count", phase=phase) == 1, phase
    for phase in ("queue", "language", "encode", "judge", "explain", "decide", "tell"):
        assert growth.of("hazardlens_listing_phase_seconds_count", phase=phase) == 2, phase
    whole = growth.of("hazardlens_request_seconds_sum", route="/v1/assessments", status="200")
    assert 0 < growth.of("hazardlens_request_phase_seconds_sum") < whole


def test_sizes_and_tokens_are_told(shared_client: TestClient, growth: Growth) -> None:
    post(shared_client, [{"id": "1", "title": "Three plain words"}, {}])

    assert growth.of("hazardlens_request_listings_sum") == 2
    assert growth.of("hazardlens_listing_tokens_count") == 1
    assert growth.of("hazardlens_listing_tokens_sum") == len(["[CLS]", "three", "plain", "words", ".", "[SEP]"])


def test_equal_content_under_way_is_counted_as_joined(shared_client: TestClient, growth: Growth) -> None:
    post(shared_client, [{"id": str(i), "title": "The same five times"} for i in range(5)])

    computed = growth.of("hazardlens_answers_total", source="model")
    assert growth.of("hazardlens_answers_total") == 5
    assert 1 <= computed < 5
    assert growth.of("hazardlens_listing_tokens_count") == computed


def test_an_answer_that_is_remembered_is_counted_and_takes_room(shared_client: TestClient, growth: Growth) -> None:
    for _ in range(2):
        post(shared_client, [{"id": "1", "title": "Asked for twice"}])

    assert growth.of("hazardlens_answers_total", source="model") == 1
    assert growth.of("hazardlens_answers_total", source="cache") == 1
    assert growth.of("hazardlens_remembered_bytes") > 500


def test_refusals_are_counted_by_their_reason(shared_client: TestClient, growth: Growth) -> None:
    shared_client.post("/v1/assessments", content=b"{", headers={"Content-Type": "application/json"})
    shared_client.post("/v1/assessments", content=b"{}")
    shared_client.get("/v1/assessments/none")

    for problem in ("malformed-json", "unsupported-media-type", "not-found"):
        assert growth.of("hazardlens_problems_total", type=problem) == 1
    assert growth.of("hazardlens_problems_total") == 3


def test_a_listing_that_the_model_abstains_on_is_counted_with_the_reason(
    shared_client: TestClient, growth: Growth
) -> None:
    assessment = post(shared_client, [{"id": "1", "title": "ᚠᚢᚦᚨᚱᚲ ᚷᚹᚺᚾᛁᛃ ᛖ"}])["results"][0]["assessment"]

    reasons = {reason.partition(":")[0] for reason in assessment["abstains"]}
    assert reasons
    for reason in reasons:
        assert growth.of("hazardlens_abstentions_total", reason=reason) == 1


def test_memory_and_processor_time_are_told(shared_client: TestClient, growth: Growth) -> None:
    post(shared_client, [{"id": "1", "title": "Something to work on"}], explain="full")

    assert growth.now()[("hazardlens_worker_resident_bytes", frozenset())] > 50e6
    assert growth.of("hazardlens_worker_cpu_seconds_total") > 0


def test_a_swap_is_counted_and_the_earlier_version_counts_nobody() -> None:
    metrics = Metrics()
    first = Versions(model="m1", plan="p1", taxonomy="t")
    for versions in (
        first,
        first,
        first.model_copy(update={"plan": "p2"}),
        Versions(model="m2", plan="p2", taxonomy="t"),
    ):
        metrics.versions(versions)

    told = metrics.exposition().decode()
    assert 'hazardlens_changes_total{what="plan"} 1.0' in told
    assert 'hazardlens_changes_total{what="model"} 1.0' in told
    assert 'hazardlens_model_info{model="m2",plan="p2",taxonomy="t"} 1.0' in told
    assert told.count('taxonomy="t"} 0.0') == 2


def test_a_request_keeps_the_watches_of_its_first_listings_only() -> None:
    async def serve() -> RequestWatch:
        watch = begin_request()
        for _ in range(1_000):
            await asyncio.create_task(watched())
        return watch

    async def watched() -> None:
        listing_watch().lap("encode")

    kept = asyncio.run(serve()).listings
    assert 0 < len(kept) < 100
    assert all([lap.phase for lap in watch.laps] == ["encode"] for watch in kept)
