"""The store, on SQLite and on PostgreSQL."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import StatementError

from models.domain.assessment import Assessment
from models.domain.errors import InputError
from models.domain.listing import Listing
from serving.engine import AssessmentEngine
from serving.store.assessments import Answered, AssessmentStore
from serving.store.database import open_database, writing
from serving.store.migrating import migrate
from serving.store.tables import AssessmentRow


@pytest.fixture(scope="module")
def answers(engine: AssessmentEngine) -> list[Answered]:
    titles = ["Laser pointer 5000mW", "Cotton bag", "Mini heater no thermostat", "Bóia 👶 דוב"]
    listings = [Listing(id=f"l{i}", title=title, attributes={"z": "1", "a": "2"}) for i, title in enumerate(titles)]
    return [Answered(listing, engine.model.assess(listing, engine.plan)) for listing in listings]


def test_what_is_saved_is_read_back_equal(store: AssessmentStore, answers: list[Answered]) -> None:
    store.save(answers)
    for answer in answers:
        stored = store.get(answer.assessment.id)
        assert stored is not None
        assert Assessment.model_validate(stored.assessment) == answer.assessment
        assert Listing.model_validate(stored.listing) == answer.listing
        assert list(stored.listing["attributes"]) == ["z", "a"]
        assert stored.created_at.utcoffset() == timedelta(0)
        assert datetime.now(UTC) - stored.created_at < timedelta(minutes=1)


def test_saving_again_changes_nothing(store: AssessmentStore, answers: list[Answered]) -> None:
    store.save(answers)
    before = [store.get(answer.assessment.id) for answer in answers]
    store.save(answers + answers)
    assert [store.get(answer.assessment.id) for answer in answers] == before
    assert store.count() == len(answers)


def test_only_a_fuller_explanation_replaces(store: AssessmentStore, engine: AssessmentEngine) -> None:
    listing = Listing(id="1", title="Laser pointer 5000mW")
    kept = []
    for explain in ("none", "full", "tokens", "none"):
        store.save([Answered(listing, engine.model.assess(listing, engine.plan, explain), explain)])  # type: ignore[arg-type]
        stored = store.get(engine.model.assess(listing, engine.plan).id)
        assert stored is not None
        kept.append(len(stored.assessment["explanation"]))
    assert kept == [0, 22, 22, 22]


def test_lists_are_ordered_and_limited(store: AssessmentStore, answers: list[Answered]) -> None:
    for answer in answers:
        store.save([answer])
    by_risk = store.summaries(10, "risk")
    assert [row.risk_score for row in by_risk] == sorted((row.risk_score for row in by_risk), reverse=True)
    assert [row.listing_id for row in store.summaries(2, "recent")] == ["l3", "l2"]


def test_an_unknown_id_is_none(store: AssessmentStore) -> None:
    assert store.get("0" * 32) is None
    assert store.count() == 0
    store.ping()


def test_writers_at_once_with_the_same_rows_do_not_block_each_other(
    store: AssessmentStore, answers: list[Answered]
) -> None:
    def write(turn: int) -> None:
        for _ in range(5):
            store.save(answers if turn % 2 else answers[::-1])

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(write, range(6)))
    assert store.count() == len(answers)


def test_a_failed_write_leaves_nothing(store: AssessmentStore, answers: list[Answered]) -> None:
    store.save(answers[:1])

    def fail_halfway() -> None:
        with writing(store.engine) as connection:
            connection.execute(text("DELETE FROM assessments"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_halfway()
    assert store.count() == 1


def test_times_without_a_zone_are_refused_and_others_turned_to_utc(
    store: AssessmentStore, answers: list[Answered]
) -> None:
    store.save(answers[:1])
    east = datetime(2026, 1, 1, 12, tzinfo=timezone(timedelta(hours=5)))
    with writing(store.engine) as connection:
        connection.execute(AssessmentRow.__table__.update().values(created_at=east))  # type: ignore[attr-defined]
    with store.engine.connect() as connection:
        assert connection.execute(select(AssessmentRow.created_at)).scalar_one() == datetime(2026, 1, 1, 7, tzinfo=UTC)
    with pytest.raises(StatementError, match="has no zone"), writing(store.engine) as connection:
        connection.execute(AssessmentRow.__table__.update().values(created_at=datetime(2026, 1, 1)))  # type: ignore[attr-defined]


def test_sqlite_writes_ahead_and_waits_for_locks(tmp_path) -> None:  # type: ignore[no-untyped-def]
    engine = open_database(f"sqlite:///{tmp_path / 'h.db'}")
    with engine.connect() as connection:
        pragmas = [
            connection.execute(text(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "foreign_keys", "busy_timeout")
        ]
    assert pragmas == ["wal", 1, 30_000]
    migrate(engine)
    engine.dispose()
    with sqlite3.connect(tmp_path / "h.db") as plain:
        assert plain.execute("SELECT count(*) FROM assessments").fetchone() == (0,)
    plain.close()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "not a database URL"),
        ("nonsense", "not a database URL"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("mysql://u:hush@h/d", "unknown kind"),
    ],
)
def test_a_url_that_cannot_work_is_told(url: str, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        open_database(url)
    assert "HAZARDLENS_DATABASE_URL" in str(caught.value)
    assert "hush" not in str(caught.value)
