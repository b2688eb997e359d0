from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from models.domain.resources import datasets_dir
from models.sources.listings import read_listings
from serving.demo import seed
from serving.engine import AssessmentEngine
from serving.settings import Settings
from serving.store.assessments import AssessmentStore
from tests.serving.conftest import BAG, StartApp, post


def test_an_empty_store_is_filled_once(engine: AssessmentEngine, store: AssessmentStore, tmp_path: Path) -> None:
    source = tmp_path / "listings.jsonl"
    source.write_text('{"id": "a", "title": "Laser pointer"}\n{"id": "b", "title": "Bag"}\n', encoding="utf-8")
    assert asyncio.run(seed(engine, store, source)) == 2
    assert asyncio.run(seed(engine, store, source)) == 0
    assert {row.listing_id for row in store.summaries(10)} == {"a", "b"}


def test_a_demo_server_shows_the_samples(settings: Settings, start_app: StartApp) -> None:
    client = start_app(replace(settings, demo=True))
    rows, _ = read_listings(datasets_dir() / "samples" / "listings.jsonl")
    assert client.get("/v1/assessments").json()["total"] == len(rows)


def test_without_the_setting_nothing_is_added(settings: Settings, start_app: StartApp) -> None:
    client = start_app(settings)
    post(client, [BAG])
    assert client.get("/v1/assessments").json()["total"] == 1
