"""Decisions as examples: only final ones, the last word on each content, weighted by agreement."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import update

from hazardlens.example_lines import example_line
from models.domain.alert import Example
from models.domain.errors import InputError
from models.domain.risk import RiskLevel
from models.domain.taxonomy import load_taxonomy
from models.sources.examples import read_examples
from models.sources.report import ReadReport
from serving.review.feedback import decided_examples
from serving.review.intake import Intake, IntakeRules
from serving.review.words import Outcome
from serving.store.assessments import Answered, AssessmentStore
from serving.store.database import writing
from serving.store.review_tables import ReviewItemRow
from tests.serving.review.conftest import ASK, BLOCK, NOW, RELEASE, Desk, answered, minutes

TAXONOMY = load_taxonomy()


def take(desk: Desk, *answers: Answered) -> list[int]:
    """Keep answers and open their items, as the server does; return the items."""
    AssessmentStore(desk.engine, lambda on, kept: desk.intake.take_within(on, kept, desk.now)).save(answers)
    return [desk.browsing.of_listing(answer.listing.id)[0].id for answer in answers]


def taught(desk: Desk, after: dt.timedelta = dt.timedelta(minutes=1)) -> list[Example]:
    return list(decided_examples(desk.engine, TAXONOMY, NOW + after, ReadReport("decisions")))


def test_a_decision_becomes_an_example_with_the_words_of_the_listing(desk: Desk, tmp_path: Path) -> None:
    answer = answered("a", title="Mini heater é 🔥")
    listing = answer.listing.model_copy(
        update={"description": "Warm.", "attributes": {"Power": "1500 W"}, "brand": "Glow"}
    )
    (item,) = take(desk, replace(answer, listing=listing))
    desk.decide("ada", ASK, item)
    (example,) = taught(desk)
    assert example == Example(
        id="a", title="Mini heater é 🔥", date="2026-03-02", lang="en", brand="Glow", category="Home",
        description="Warm.\nPower: 1500 W", labels=("burns",), risk_level=RiskLevel.HIGH, source="review",
    )  # fmt: skip
    table = tmp_path / "reviews.jsonl"
    table.write_bytes(example_line(example))
    assert read_examples(table, TAXONOMY)[0] == [example]


@pytest.mark.parametrize("outcome", [Outcome.FALSE_ALARM, Outcome.JUSTIFIED_ALERT])
def test_what_was_released_has_no_hazard(desk: Desk, outcome: Outcome) -> None:
    (item,) = take(desk, answered("a"))
    desk.decide("ada", replace(RELEASE, outcome=outcome, level=RiskLevel.LOW, hazards=("burns",)), item)
    (example,) = taught(desk)
    assert (example.labels, example.risk_level) == ((), RiskLevel.LOW)


def test_what_can_be_taken_back_or_was_teaches_nothing(desk: Desk) -> None:
    undone, fresh, waits = take(desk, answered("a"), answered("b", title="B"), answered("c", title="C"))
    desk.decisions.undo(desk.decide("ada", ASK, undone), "ada", NOW)
    desk.decide("ada", ASK, fresh)
    desk.decide("ada", BLOCK, waits)
    assert taught(desk, dt.timedelta(seconds=29)) == []
    assert [example.id for example in taught(desk, dt.timedelta(seconds=30))] == ["b"]


def test_agreement_is_the_weight(desk: Desk) -> None:
    alone, agreed, settled = take(desk, *(answered(f"l{i}", title=f"Thing {i}") for i in range(3)))
    desk.decide("ada", ASK, alone)
    desk.decide("ada", BLOCK, agreed)
    desk.decide("ben", BLOCK, agreed)
    desk.decide("ada", BLOCK, settled)
    desk.decide("ben", RELEASE, settled)
    desk.decide("cy", BLOCK, settled)
    assert {example.id: example.weight for example in taught(desk)} == {"l0": 1.0, "l1": 1.5, "l2": 0.5}


def test_a_complaint_that_succeeded_is_the_last_word_once_it_is_final(desk: Desk) -> None:
    (item,) = take(desk, answered("a"))
    desk.decide("ada", ASK, item)
    appeal = desk.appeals.receive(item, "It is safe.", "desk", NOW + minutes(1))
    desk.appeals.rule(appeal.id, "ben", "overturned", "Tested.", NOW + minutes(1))
    (before,) = taught(desk, minutes(1))
    assert before.labels == ("burns",)
    (after,) = taught(desk, minutes(2))
    assert (after.labels, after.risk_level, after.weight) == ((), RiskLevel.NONE, 0.5)


def test_equal_content_is_one_row_and_the_newest_decision_counts(desk: Desk) -> None:
    first, other, twin = take(desk, answered("a"), answered("b", title="Another"), answered("twin"))
    for item, verdict in ((first, ASK), (other, ASK), (twin, RELEASE)):
        desk.decide("ada", verdict, item)
    assert [(example.id, example.labels) for example in taught(desk)] == [("b", ("burns",)), ("twin", ())]


def test_what_was_asked_for_learning_is_marked_and_what_measures_reviewers_left_out(desk: Desk) -> None:
    desk.intake = Intake(desk.engine, IntakeRules(desk.intake.rules.calendar, learn_daily=5))
    learn, golden = take(desk, answered("a", sure=0.2, queue=None), answered("b", title="Golden"))
    with writing(desk.engine) as connection:
        connection.execute(update(ReviewItemRow).where(ReviewItemRow.id == golden).values(sample="golden"))
    desk.decide("ada", ASK, learn)
    item = desk.claims.claim(golden, "ada", NOW)
    desk.decisions.decide(golden, "ada", item.assessment_id, ASK, NOW)
    assert [(example.id, example.source) for example in taught(desk)] == [("a", "review-learn")]


def test_hazards_of_another_taxonomy_go_to_its_fallback_or_are_refused(desk: Desk) -> None:
    desk.decisions = replace(desk.decisions, risk_types=("time travel",))
    (item,) = take(desk, answered("a"))
    number = desk.decide("ada", replace(ASK, hazards=("time travel",)), item)
    report = ReadReport("decisions")
    (example,) = decided_examples(desk.engine, TAXONOMY, NOW + minutes(1), report)
    assert example.labels == (TAXONOMY.fallback,)
    assert report.unknown_labels == {"time travel": 1}
    strictly = decided_examples(desk.engine, TAXONOMY, NOW + minutes(1), ReadReport("decisions"), strict=True)
    with pytest.raises(InputError, match=f"decision {number}.*hazards"):
        list(strictly)
