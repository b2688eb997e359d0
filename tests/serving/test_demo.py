from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import replace
from pathlib import Path

import orjson
from fastapi.testclient import TestClient

from models.domain.listing import Listing
from models.domain.resources import datasets_dir
from serving.demo import REVIEWERS, Upload, seed
from serving.engine import AssessmentEngine
from serving.review.browsing import Filter
from serving.review.desk import ReviewDesk
from serving.review.events import breaks
from serving.setting_rules import desk_rules
from serving.settings import Settings
from serving.store.assessments import AssessmentStore
from tests.serving.conftest import BAG, StartApp, post

_UPLOADS = [
    Upload.model_validate(orjson.loads(line))
    for line in (datasets_dir() / "samples" / "demo.jsonl").read_bytes().splitlines()
]


def test_an_empty_store_is_filled_once(engine: AssessmentEngine, store: AssessmentStore, tmp_path: Path) -> None:
    source = tmp_path / "uploads.jsonl"
    uploads = [Upload(days_ago=age, listing=Listing(id=f"l{age}", title="Laser pointer 5000 mW")) for age in (1, 5)]
    source.write_text("\n".join(upload.model_dump_json() for upload in uploads), encoding="utf-8")
    desk = ReviewDesk(store.engine, desk_rules(Settings()))
    decisions = desk.decisions(engine.plan, engine.model.taxonomy.names)
    assert asyncio.run(seed(engine, desk, decisions, source)) == 2
    assert asyncio.run(seed(engine, desk, decisions, source)) == 0
    assert {row.listing_id for row in store.summaries(10)} == {"l1", "l5"}


def test_the_examples_are_a_marketplace_in_small() -> None:
    listings = [upload.listing for upload in _UPLOADS]
    assert 300 <= len(listings) <= 600
    assert len({listing.language for listing in listings}) >= 12
    assert len({country for listing in listings for country in listing.target_countries}) >= 12
    assert len({listing.seller_id for listing in listings}) >= 10
    assert len({listing.id for listing in listings}) < len(listings), "some listings come in several versions"
    known = [upload.found.level for upload in _UPLOADS if upload.found is not None]
    assert 0.1 < sum(level.rank >= 3 for level in known) / len(known) < 0.4, "most are ordinary"


def test_no_example_names_a_real_number_or_address() -> None:
    for upload in _UPLOADS:
        assert not upload.listing.gtin or upload.listing.gtin.startswith("000"), upload.listing.id
        for operator in (upload.listing.manufacturer, upload.listing.responsible_person):
            assert operator is None or not operator.email or operator.email.endswith(".example"), upload.listing.id


def test_a_demo_server_shows_queue_decisions_and_a_whole_log(settings: Settings, start_app: StartApp) -> None:
    client = start_app(replace(settings, demo=True))
    assert client.get("/v1/assessments").json()["total"] == len(_UPLOADS)
    desk, now = desk_of(client), dt.datetime.now(dt.UTC)
    assert desk.browsing.count(Filter(), now) > 5, "something waits"
    decided = desk.browsing.page(Filter(state="decided"), now, limit=500)
    assert len(decided) > 20
    made = [decision for item in decided for decision in desk.browsing.decisions(item.id)]
    assert {decision.reviewer for decision in made} == set(REVIEWERS), "reviewers are called examples"
    assert len({decision.outcome for decision in made}) > 1
    with desk.engine.connect() as connection:
        assert list(breaks(connection)) == []


def test_without_the_setting_nothing_is_added(settings: Settings, start_app: StartApp) -> None:
    client = start_app(settings)
    post(client, [BAG])
    assert client.get("/v1/assessments").json()["total"] == 1


def desk_of(client: TestClient) -> ReviewDesk:
    desk: ReviewDesk = client.app.state.services.desk  # type: ignore[attr-defined]
    return desk
