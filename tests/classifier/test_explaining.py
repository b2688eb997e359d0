"""The whole explanation of one listing: what the level rests on, what would change it, and one readable line."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.classifier.classifier import HazardClassifier
from models.classifier.explaining import explain_listing
from models.classifier.leaving_out import leave_out
from models.classifier.scenario_line import scenario_line
from models.domain.explanation import Explanation, Removal
from models.domain.listing import Listing
from models.plan.plan import Plan

POINTER = Listing(
    id="1",
    title="Green laser pointer pen 5000 mW",
    description="Burns paper. A notebook with lined paper comes with it.",
)
SHIRT = Listing(id="2", title="Cotton T-shirt, white", description="Soft T-shirt for men.")


def without(listing: Listing, removal: Removal) -> Listing:
    return leave_out(listing, [(span.field, span.start, span.end) for span in removal.removed])


@pytest.fixture(scope="module")
def pointer(small_model: HazardClassifier, default_plan: Plan) -> Explanation:
    return explain_listing(small_model, POINTER, default_plan, "full")


def test_it_says_what_the_assessment_says(
    small_model: HazardClassifier, default_plan: Plan, pointer: Explanation
) -> None:
    assessment = small_model.assess(POINTER, default_plan)
    assert pointer.assessment_id == assessment.id
    assert (pointer.risk_level, pointer.action) == (assessment.risk_level, assessment.decision.action)
    assert pointer.scenario == assessment.scenario
    assert {h.risk_type: h.probability for h in pointer.hazards} == {
        h.risk_type: h.probability for h in assessment.hazards
    }


def test_every_removal_is_what_the_model_answers(
    small_model: HazardClassifier, default_plan: Plan, pointer: Explanation
) -> None:
    assert pointer.what_if is not None
    assert pointer.what_if.removals
    for removal in [*pointer.what_if.removals, *filter(None, [pointer.what_if.smallest])]:
        answer = small_model.assess(without(POINTER, removal), default_plan)
        assert (removal.risk_level, removal.action) == (answer.risk_level, answer.decision.action)
        given_unsafe = {h.risk_type: h.given_unsafe for h in answer.hazards}
        assert removal.given_unsafe == given_unsafe[pointer.what_if.risk_type or ""]


def test_the_smallest_change_lowers_the_action_and_none_of_it_can_be_spared(
    small_model: HazardClassifier, default_plan: Plan, pointer: Explanation
) -> None:
    assert pointer.what_if is not None
    smallest = pointer.what_if.smallest
    assert smallest is not None
    assert smallest.action.rank < pointer.action.rank
    assert all(span.text.lower() in pointer.what_if.sentence for span in smallest.removed)
    for back in {span.text.lower() for span in smallest.removed}:
        kept = [span for span in smallest.removed if span.text.lower() != back]
        fewer = leave_out(POINTER, [(span.field, span.start, span.end) for span in kept])
        assert small_model.assess(fewer, default_plan).decision.action.rank >= pointer.action.rank


def test_an_everyday_good_has_nothing_to_lower(small_model: HazardClassifier, default_plan: Plan) -> None:
    explanation = explain_listing(small_model, SHIRT, default_plan, "full")
    assert explanation.what_if is not None
    assert (explanation.what_if.removals, explanation.what_if.evaluations) == ([], 0)
    assert explanation.scenario_line.startswith("No scenario")
    assert explanation.level.kinds[0].level == "none"


def test_the_level_comes_from_kinds_and_cues_whose_shares_are_told(pointer: Explanation) -> None:
    level = pointer.level
    assert level.kinds[0].kind == "laser-pointer"
    assert 0.9 <= sum(kind.share for kind in level.kinds) <= 1 + 1e-9, "the background has the rest"
    assert {cue.cue for cue in level.cues} >= {"laser-high-power"}
    assert level.words is not None
    assert any("laser" in phrase.text for phrase in level.words.phrases if phrase.weight > 0)


def test_tokens_cost_one_pass_and_name_only_the_main_hazards(small_model: HazardClassifier, default_plan: Plan) -> None:
    explanation = explain_listing(small_model, POINTER, default_plan, "tokens", ["fire"])
    assert explanation.what_if is None
    assert explanation.evidence is None
    assert explanation.hazards[0].risk_type == "damage to sight"
    assert "fire" in {hazard.risk_type for hazard in explanation.hazards}
    assert len(explanation.hazards) < len(small_model.taxonomy.names)


@settings(max_examples=25)
@given(st.data())
def test_every_part_of_any_listing_adds_up_and_lies_in_its_text(
    small_model: HazardClassifier, default_plan: Plan, listings: st.SearchStrategy[Listing], data: st.DataObject
) -> None:
    listing = data.draw(listings)
    explanation = explain_listing(small_model, listing, default_plan, "tokens")
    fields = dict(listing.texts())
    for part in [*explanation.hazards, *filter(None, [explanation.level.words])]:
        total = part.bias + sum(field.weight for field in part.fields) + part.rest
        assert total == pytest.approx(part.logit, abs=1e-4)
        for phrase in part.phrases:
            assert phrase.text == fields[phrase.field][phrase.start : phrase.end] != ""


def test_the_scenario_is_one_line_that_names_all_its_steps(small_model: HazardClassifier, pointer: Explanation) -> None:
    line = scenario_line(pointer.scenario, small_model.taxonomy)
    assert line == pointer.scenario_line
    assert "\n" not in line
    for part in ("sight", "consumer", "severity 3", "1 in", "band > 1/", "→ serious risk"):
        assert part in line
