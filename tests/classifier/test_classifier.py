"""A model that was really trained: one answer whatever the way, no listing lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.classifier.classifier import HazardClassifier
from models.classifier.wording import concern
from models.domain.action import Action
from models.domain.alert import Example
from models.domain.listing import LIMITS, Listing
from models.domain.risk import RiskLevel
from models.plan.plan import Plan

LISTINGS = [
    Listing(id="laser", title="Green laser pointer 5000mW", description="Burning laser, for kids."),
    Listing(id="book", title="Paperback novel, crime thriller"),
    Listing(id="ru", title="Лазерная указка 5000mW для детей"),
    Listing(id="ja", title="マグネットボール 216個", description="強力な磁石"),
    Listing(id="empty", title=""),
    Listing(id="emoji", title="🧲😀"),
    Listing(
        id="rattle", title="Baby rattle", description="From 3 months. With small parts.", captions=["a pink rattle"]
    ),
    Listing(id="telugu", title="తెలుగు బొమ్మ"),
    Listing(id="again", title="Green laser pointer 5000mW", description="Burning laser, for kids."),
]


@settings(max_examples=15)
@given(st.data())
def test_an_answer_is_the_same_alone_and_in_any_chunk(
    small_model: HazardClassifier, default_plan: Plan, listings: st.SearchStrategy[Listing], data: st.DataObject
) -> None:
    some = data.draw(st.lists(st.one_of(listings, st.sampled_from(LISTINGS)), min_size=1, max_size=5))
    together = list(small_model.assess_many(some, default_plan, chunk=data.draw(st.integers(1, 6))))
    assert together == [small_model.assess(listing, default_plan) for listing in some]


def test_an_answer_with_explanation_is_the_same_alone_and_in_a_chunk(
    small_model: HazardClassifier, default_plan: Plan
) -> None:
    together = list(small_model.assess_many(LISTINGS, default_plan, explain="tokens"))
    assert together == [small_model.assess(listing, default_plan, explain="tokens") for listing in LISTINGS]


def test_the_explanation_changes_no_figure(small_model: HazardClassifier, default_plan: Plan) -> None:
    plain, full = (small_model.assess(LISTINGS[0], default_plan, explain=detail) for detail in ("none", "full"))
    assert full.model_copy(update={"explanation": []}) == plain
    assert len(full.explanation) == len(small_model.taxonomy.names)


def test_predictions_are_the_figures_of_the_answers(small_model: HazardClassifier, default_plan: Plan) -> None:
    predictions = small_model.predict(LISTINGS)
    for i, answer in enumerate(small_model.assess_many(LISTINGS, default_plan)):
        assert list(answer.level_probabilities.values()) == pytest.approx(predictions.levels[i], abs=1e-6)
        assert answer.risk_score == pytest.approx(predictions.risk_score[i], abs=1e-6)
        assert answer.risk_level.rank == predictions.level_ranks[i]
        assert answer.p_unsafe == pytest.approx(predictions.unsafe[i], abs=1e-6)
        assert (answer.language.code, answer.kinds[0].kind) == (predictions.languages[i], predictions.kinds[i])
        probabilities = {score.risk_type: score.probability for score in answer.hazards}
        assert [probabilities[name] for name in small_model.taxonomy.names] == pytest.approx(
            predictions.hazards[i], abs=1e-6
        )


def test_predicting_nothing_gives_empty_arrays(small_model: HazardClassifier) -> None:
    predictions = small_model.predict([])
    assert predictions.levels.shape == (0, len(RiskLevel))
    assert predictions.hazards.shape == (0, len(small_model.taxonomy.names))


def test_sixteen_threads_get_the_same_answers(small_model: HazardClassifier, default_plan: Plan) -> None:
    expected = [small_model.assess(listing, default_plan, explain="tokens") for listing in LISTINGS]
    with ThreadPoolExecutor(16) as pool:
        answers = list(
            pool.map(lambda listing: small_model.assess(listing, default_plan, explain="tokens"), LISTINGS * 6)
        )
    assert answers == expected * 6


def test_two_loads_of_an_artifact_give_the_same_answers(
    small_model: HazardClassifier, small_model_dir: str, default_plan: Plan
) -> None:
    other = HazardClassifier.load(small_model_dir, threads=1)
    assert [other.assess(x, default_plan) for x in LISTINGS] == [small_model.assess(x, default_plan) for x in LISTINGS]


def test_equal_content_under_another_id_gets_an_equal_answer_under_another_id(
    small_model: HazardClassifier, default_plan: Plan
) -> None:
    one, other = (small_model.assess(LISTINGS[i], default_plan) for i in (0, -1))
    assert one.id != other.id
    assert other.model_copy(update={"id": one.id, "listing_id": one.listing_id}) == one


def test_an_answer_names_its_versions(small_model: HazardClassifier, default_plan: Plan) -> None:
    versions = small_model.assess(LISTINGS[0], default_plan).versions
    assert (versions.model, versions.plan, versions.taxonomy) == (
        small_model.version,
        default_plan.id,
        small_model.taxonomy.id,
    )


def test_a_burning_laser_is_serious_for_the_eyes_and_a_book_is_nothing(
    small_model: HazardClassifier, default_plan: Plan
) -> None:
    laser, book = (small_model.assess(listing, default_plan) for listing in LISTINGS[:2])
    assert (laser.risk_level, laser.hazards[0].risk_type) == (RiskLevel.SERIOUS, "damage to sight")
    assert laser.scenario is not None
    assert laser.scenario.risk_type == "damage to sight"
    assert (book.risk_level, book.scenario) == (RiskLevel.NONE, None)
    assert book.decision.action == Action.PUBLISH


def test_a_listing_in_russian_is_judged_like_its_english_twin(
    small_model: HazardClassifier, default_plan: Plan
) -> None:
    russian, english = small_model.assess(LISTINGS[2], default_plan), small_model.assess(LISTINGS[0], default_plan)
    assert russian.language.covered
    assert (russian.risk_level, russian.kinds[0].kind) == (english.risk_level, english.kinds[0].kind)


@settings(max_examples=25)
@given(st.data())
def test_every_listing_gets_a_sound_answer(
    small_model: HazardClassifier, default_plan: Plan, listings: st.SearchStrategy[Listing], data: st.DataObject
) -> None:
    answer = small_model.assess(data.draw(listings), default_plan, explain="tokens")
    assert sum(answer.level_probabilities.values()) == pytest.approx(1.0, abs=1e-6)
    assert sorted(score.risk_type for score in answer.hazards) == sorted(small_model.taxonomy.names)
    assert [s.probability for s in answer.hazards] == sorted((s.probability for s in answer.hazards), reverse=True)
    assert answer.scenario is None or answer.scenario.level.rank <= answer.risk_level.rank


def test_an_empty_title_is_held_for_review_and_says_why(small_model: HazardClassifier, default_plan: Plan) -> None:
    answer = small_model.assess(LISTINGS[4], default_plan)
    assert answer.abstains == ["no-text: the listing has no words to judge"]
    assert answer.decision.action == Action.HOLD_FOR_REVIEW


def test_a_language_that_nothing_covers_is_held_for_review_and_says_why(
    small_model: HazardClassifier, default_plan: Plan
) -> None:
    for title in ("తెలుగు బొమ్మ ప్లాస్టిక్", "პლასტმასის სათამაშო ბავშვებისთვის", "Műanyag játékbaba gyerekeknek ajándékba"):
        answer = small_model.assess(Listing(id="1", title=title), default_plan)
        assert not answer.language.covered, title
        assert [reason.partition(":")[0] for reason in answer.abstains] == ["language-not-covered"], title
        assert answer.decision.action == Action.HOLD_FOR_REVIEW


def test_the_longest_description_is_answered_and_said_to_be_cut(
    small_model: HazardClassifier, default_plan: Plan
) -> None:
    words = "magnet lamp toy " * (LIMITS["description"] // 16)
    answer = small_model.assess(Listing(id="1", title="Soft toy bear", description=words), default_plan)
    assert answer.notes
    assert answer.kinds[0].kind == "soft-toy"


def test_a_description_of_one_megabyte_from_a_file_is_answered(
    small_model: HazardClassifier, default_plan: Plan
) -> None:
    listing = Example(id="1", title="Soft toy bear", description="ж" * 1_000_000).to_listing()
    assert small_model.assess(listing, default_plan).kinds[0].kind == "soft-toy"


def test_flags_follow_the_thresholds_of_the_artifact(small_model: HazardClassifier, default_plan: Plan) -> None:
    thresholds = dict(zip(small_model.taxonomy.names, small_model.thresholds, strict=True))
    scores = [score for answer in small_model.assess_many(LISTINGS, default_plan) for score in answer.hazards]
    assert any(score.flagged for score in scores)
    assert [s for s in scores if s.flagged != (s.probability >= thresholds[s.risk_type])] == []


def test_the_cues_of_an_answer_are_the_sellers_words(small_model: HazardClassifier, default_plan: Plan) -> None:
    cues = small_model.assess(LISTINGS[0], default_plan).cues
    assert {(cue.cue, cue.span.field, cue.span.text) for cue in cues} >= {
        ("laser-high-power", "title", "5000mW"),
        ("for-children", "description", "for kids"),
    }


def test_saving_and_loading_changes_no_answer(
    small_model: HazardClassifier, default_plan: Plan, tmp_path: object
) -> None:
    manifest = small_model.manifest
    saved = small_model.save(f"{tmp_path}/copy", {"note": "a copy"})
    copy = HazardClassifier.load(f"{tmp_path}/copy", threads=2)
    small_model.manifest = manifest
    assert saved.version == copy.version == small_model.version
    assert copy.manifest is not None
    assert copy.manifest.facts["note"] == "a copy"
    assert [copy.assess(x, default_plan) for x in LISTINGS] == [small_model.assess(x, default_plan) for x in LISTINGS]


def test_progress_counts_every_listing(small_model: HazardClassifier) -> None:
    done: list[int] = []
    small_model.predict(LISTINGS, done.append)
    assert int(np.sum(done)) == len(LISTINGS)


def test_an_everyday_good_has_no_hazard_of_concern_and_a_likely_scenario_takes_nothing_off() -> None:
    likely, even, harmless = np.array([[0.1, 0.9, 0, 0, 0], [0.5, 0.5, 0, 0, 0], [1.0, 0, 0, 0, 0]])
    assert concern(np.array([likely, even, harmless])).tolist() == [1.0, 1.0, 0.0]
    assert concern(np.array([0.75, 0.25, 0.0, 0.0, 0.0])) == pytest.approx(0.5)
