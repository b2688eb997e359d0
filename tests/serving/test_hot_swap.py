"""Under load, while two models that answer differently take turns: no call fails, no answer is of another model."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from models.classifier.classifier import HazardClassifier
from models.domain.listing import Listing
from models.plan.plan import Plan
from serving.settings import Settings
from tests.serving.conftest import PATIENT_MS, StartApp, post

LISTINGS = [
    Listing(id="laser", title="Green laser pointer 5000mW", description="Burns paper."),
    Listing(id="bag", title="Cotton tote bag"),
    Listing(id="rassel", title="Babyrassel aus Holz"),
    Listing(id="chaleco", title="Chaleco salvavidas para niños"),
]
SWAPS = 6
Content = dict[str, float]


def content_of(assessment: Any) -> Content:
    return {hazard["risk_type"]: round(hazard["given_unsafe"], 5) for hazard in assessment["hazards"]}


def contents(directory: Path, plan: Plan) -> tuple[str, dict[str, Content]]:
    """Return a model's version, and what it finds in each listing."""
    model = HazardClassifier.load(directory, threads=1)
    answers = {listing.id: model.assess(listing, plan).model_dump(mode="json") for listing in LISTINGS}
    return model.version, {name: content_of(answer) for name, answer in answers.items()}


def test_no_call_fails_and_every_answer_is_of_the_model_that_it_names(
    start_app: StartApp,
    settings: Settings,
    default_plan: Plan,
    first_model_dir: Path,
    other_model_dir: Path,
    tmp_path: Path,
) -> None:
    expected = dict(contents(directory, default_plan) for directory in (first_model_dir, other_model_dir))
    link = tmp_path / "live"
    link.symlink_to(first_model_dir)
    client = start_app(replace(settings, model=link, model_watch=0.0, max_queue_ms=PATIENT_MS))
    over = threading.Event()

    def ask(number: int) -> set[str]:
        seen = set()
        while not over.is_set():
            seen |= answered(client, expected, number)
        return seen

    with ThreadPoolExecutor(3) as pool:
        asked = [pool.submit(ask, number) for number in range(3)]
        seen: set[str] = set()
        try:
            for turn in range(SWAPS):
                (tmp_path / "next").symlink_to((other_model_dir, first_model_dir)[turn % 2])
                (tmp_path / "next").replace(link)
                assert client.post("/v1/model/reload").json()["changed"]
                seen |= answered(client, expected, turn)
        finally:
            over.set()
        for future in asked:
            seen |= future.result()
    assert seen == set(expected)


def answered(client: TestClient, expected: dict[str, dict[str, Content]], number: int) -> set[str]:
    """Ask for some listings in another order each time, and compare; returns the version that answered."""
    chosen = [LISTINGS[(number + i) % len(LISTINGS)] for i in range(3)]
    answer = post(client, [listing.model_dump(mode="json") for listing in chosen])
    version = answer["versions"]["model"]
    for listing, result in zip(chosen, answer["results"], strict=True):
        assert result["assessment"]["versions"] == answer["versions"]
        assert content_of(result["assessment"]) == expected[version][listing.id]
    return {version}
