"""The store as a history to replay, on SQLite and on PostgreSQL."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from models.domain.assessment import Assessment
from models.domain.listing import Listing
from models.plan.reading import default_plan_file, plan_file_text
from models.simulation.candidate import ListingShard, ReassessedShard
from models.simulation.records import Record, Unreadable
from models.simulation.replay import PlanText, Setup, replay
from serving.engine import AssessmentEngine
from serving.store.assessments import Answered, AssessmentStore
from serving.store.database import writing
from serving.store.history import StoreShard, store_shards

TITLES = ["Laser pointer 5000mW", "Cotton bag", "Mini heater no thermostat", "Soft toy bear", "Bóia 👶 דוב"]
DEFAULT = PlanText(plan_file_text(default_plan_file()), "default.yaml", dt.datetime.now(dt.UTC).date())


@pytest.fixture(scope="module")
def answers(engine: AssessmentEngine) -> list[Answered]:
    """Ten answers."""
    listings = [Listing(id=f"l{i}", title=f"{TITLES[i % 5]} {i}", target_countries=["DE"]) for i in range(10)]
    return [Answered(listing, engine.model.assess(listing, engine.plan)) for listing in listings]


@pytest.fixture
def filled(store: AssessmentStore, answers: list[Answered]) -> AssessmentStore:
    """A store with these."""
    store.save(answers)
    return store


def read(shards: list[StoreShard]) -> Iterator[Record]:
    """Every record of some shards."""
    for shard in shards:
        for record in shard.records():
            assert isinstance(record, Record)
            yield record


@pytest.mark.parametrize("parts", [1, 3, 16])
def test_parts_hold_every_assessment_once(filled: AssessmentStore, answers: list[Answered], parts: int) -> None:
    records = list(read(store_shards(filled.engine, parts)))

    assert sorted(record.assessment["id"] for record in records) == sorted(a.assessment.id for a in answers)
    for record in records:
        stored = filled.get(record.assessment["id"])
        assert stored is not None
        assert (record.listing, record.assessment) == (stored.listing, stored.assessment)
        assert record.day == stored.created_at.date().isoformat()


def test_only_the_newest_assessment_of_a_listing_counts(filled: AssessmentStore, answers: list[Answered]) -> None:
    later = answers[0].assessment.model_copy(update={"id": "f" * 32})
    filled.save([Answered(answers[0].listing, later)])

    newest = [record.assessment["id"] for record in read(store_shards(filled.engine, 2))]
    every = [record.assessment["id"] for record in read(store_shards(filled.engine, 2, newest=False))]
    assert (len(newest), len(every)) == (10, 11)
    assert "f" * 32 in newest


def test_history_can_begin_on_a_day(filled: AssessmentStore) -> None:
    with writing(filled.engine) as connection:
        long_ago = dt.datetime(2020, 5, 1, 12, tzinfo=dt.UTC)
        moment = long_ago.strftime("%Y-%m-%d %H:%M:%S.%f") if connection.dialect.name == "sqlite" else long_ago
        connection.execute(text("UPDATE assessments SET created_at = :m WHERE listing_id = 'l3'"), {"m": moment})

    def days(since: dt.date) -> int:
        return len(list(read(store_shards(filled.engine, 2, since))))

    assert (days(dt.date(2020, 4, 30)), days(dt.date(2020, 5, 1)), days(dt.date(2020, 5, 2))) == (10, 10, 9)


def test_an_empty_store_has_no_record(store: AssessmentStore) -> None:
    assert list(read(store_shards(store.engine, 4))) == []


def test_the_replay_of_the_store_gives_what_was_decided(filled: AssessmentStore, engine: AssessmentEngine) -> None:
    plan = PlanText(DEFAULT.text, DEFAULT.file, DEFAULT.day, engine.model.guarantees)
    tally = replay(store_shards(filled.engine, 4), Setup(plan), workers=2)

    assert tally.n == 10
    assert sum(tally.total[::6]) == 10
    assert tally.before.fired == tally.after.fired


class TestCandidate:
    def test_a_candidate_model_and_a_plan_decide_together(
        self, filled: AssessmentStore, engine: AssessmentEngine
    ) -> None:
        strict = PlanText(DEFAULT.text.replace("otherwise: publish", "otherwise: block"), "s.yaml", DEFAULT.day)
        (shard,) = store_shards(filled.engine, 1)
        plan = strict.plan()
        tally = replay([ReassessedShard(shard, engine.model, plan)], Setup(strict))

        assert tally.n == 10
        assert {whose for whose, _ in tally.harm} == {"kept", "candidate"}
        # The same model: its probabilities are those that were kept.
        assert tally.harm["kept", "after"].missed == pytest.approx(tally.harm["candidate", "after"].missed)

    def test_its_decision_is_that_of_deciding_live(self, filled: AssessmentStore, engine: AssessmentEngine) -> None:
        (shard,) = store_shards(filled.engine, 1)
        for record in ReassessedShard(shard, engine.model, engine.plan).records():
            assert isinstance(record, Record)
            assert record.candidate is not None
            listing = Listing.model_validate(record.listing)
            assert Assessment.model_validate(record.candidate) == engine.model.assess(listing, engine.plan)

    def test_a_limit_and_an_unreadable_listing(self, engine: AssessmentEngine) -> None:
        class Two:
            def records(self) -> Iterator[Record | Unreadable]:
                yield Unreadable("line 1", "is no JSON")
                yield Record("", {"id": "1"}, {})
                yield Record("", {"id": "2", "title": "Bag"}, {})
                yield Record("", {"id": "3", "title": "Bag"}, {})

        found = list(ReassessedShard(Two(), engine.model, engine.plan, limit=3).records())
        assert [type(each).__name__ for each in found] == ["Unreadable", "Unreadable", "Record"]
        assert isinstance(found[1], Unreadable)
        assert "title" in found[1].message

    def test_a_table_of_listings_is_assessed_by_the_model(self, engine: AssessmentEngine, tmp_path: Path) -> None:
        table = tmp_path / "listings.csv"
        table.write_text("id,title\n1,Laser pointer 5000mW\n2,Cotton bag\n", encoding="utf-8")
        tally = replay([ListingShard(table, engine.model, engine.plan)], Setup(DEFAULT, DEFAULT))

        assert tally.n == 2
        assert sum(tally.total[::6]) == 2
