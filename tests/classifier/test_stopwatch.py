"""An assessment says where its time went."""

from __future__ import annotations

from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.classifier.classifier import Detail, HazardClassifier
from models.classifier.stopwatch import Stopwatch
from models.domain.listing import Listing
from models.plan.plan import Plan

LASER = Listing(id="1", title="Green laser pointer pen 5000 mW", description="Burns paper, pops balloons.")


@given(st.lists(st.text(min_size=1), max_size=20))
def test_each_phase_begins_where_the_one_before_ended(phases: list[str]) -> None:
    before = perf_counter()
    watch = Stopwatch()
    for phase in phases:
        watch.lap(phase)

    ends = [watch.begun, *(lap.ended for lap in watch.laps)]
    assert [lap.phase for lap in watch.laps] == phases
    assert [lap.begun for lap in watch.laps] == ends[:-1]
    assert ends == sorted(ends)
    assert before <= watch.begun
    assert all(lap.seconds == lap.ended - lap.begun for lap in watch.laps)


@pytest.mark.parametrize(
    ("explain", "phases"),
    [
        ("none", ["language", "encode", "judge", "decide"]),
        ("tokens", ["language", "encode", "judge", "explain", "decide"]),
        ("full", ["language", "encode", "judge", "explain", "decide"]),
    ],
)
def test_an_assessment_takes_its_phases_in_order(
    small_model: HazardClassifier, default_plan: Plan, explain: Detail, phases: list[str]
) -> None:
    watch = Stopwatch()
    small_model.assess(LASER, default_plan, explain, watch)

    assert [lap.phase for lap in watch.laps] == phases
    assert watch.tokens == len(small_model.encoder.encode(small_model.read(LASER).text.text).tokens)


def test_the_answer_is_the_same_with_and_without_a_watch(small_model: HazardClassifier, default_plan: Plan) -> None:
    assert small_model.assess(LASER, default_plan, "tokens", Stopwatch()) == small_model.assess(
        LASER, default_plan, "tokens"
    )
