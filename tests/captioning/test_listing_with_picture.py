"""A listing that looks harmless in words, and what its picture says."""

from __future__ import annotations

import pytest

from models.captioning.building import CaptionerSettings, build_chain, pictures_can_be_read
from models.classifier.classifier import HazardClassifier
from models.domain.listing import Caption, Listing
from models.plan.plan import Plan
from tests.captioning.conftest import draw


@pytest.mark.skipif(not pictures_can_be_read(), reason="the extra pictures is not installed")
@pytest.mark.parametrize(
    ("title", "description", "print_", "words", "mark"),
    [
        ("Cat toy pen", "Keeps your cat busy", "GREEN LASER\n5000 mW", {"LASER", "mW"}, "laser-power"),
        (
            "Building tiles set",
            "Nice gift for friends",
            "Not for children under 3:\nsmall magnets",
            {"magnets"},
            "magnet-warning",
        ),
    ],
)
def test_what_the_picture_says_changes_the_level_and_is_shown_with_its_words(
    small_model: HazardClassifier,
    default_plan: Plan,
    title: str,
    description: str,
    print_: str,
    words: set[str],
    mark: str,
) -> None:
    picture = draw((print_, 40), size=(760, 240))
    chain = build_chain(CaptionerSettings(seconds=300))
    captions = chain(picture)
    chain.close()
    plain = Listing(id="1", title=title, description=description)
    shown = plain.model_copy(update={"captions": captions})
    before = small_model.assess(plain, default_plan)
    after = small_model.assess(shown, default_plan, explain="tokens")

    assert mark in {caption.mark for caption in captions}
    assert after.decision.level is not None
    assert before.decision.level is not None
    assert after.decision.level.rank > before.decision.level.rank
    assert after.picture_confidence is not None
    assert after.picture_confidence > 0.8
    seen = {
        (highlight.text, highlight.picture)
        for attribution in after.explanation
        for highlight in attribution.highlights
        if highlight.weight > 0 and highlight.field.startswith("captions[")
    }
    assert {(word, picture.sha256) for word in words} <= seen
    assert {cue.span.picture for cue in after.cues} == {picture.sha256}


def test_a_reading_that_failed_is_shown_and_lowers_the_confidence(
    small_model: HazardClassifier, default_plan: Plan
) -> None:
    read = Caption(text="a pen", source="ocr", confidence=0.9, picture="ab" * 32)
    failed = Caption(text="", source="caption", confidence=0.0, picture="ab" * 32, failure="took more than 60 s")
    sure = small_model.assess(Listing(id="1", title="Pen", captions=[read]), default_plan)
    unsure = small_model.assess(Listing(id="1", title="Pen", captions=[read, failed]), default_plan)
    plain = small_model.assess(Listing(id="1", title="Pen", captions=["a pen"]), default_plan)

    assert unsure.notes == ["picture abababababab: no words of source caption: took more than 60 s"]
    assert (plain.picture_confidence, sure.picture_confidence, unsure.picture_confidence) == (None, 0.9, 0.45)
    assert unsure.hazards == sure.hazards
    assert unsure.risk_level == sure.risk_level


def test_answers_on_listings_without_pictures_look_as_before(small_model: HazardClassifier, default_plan: Plan) -> None:
    answer = small_model.assess(Listing(id="1", title="Laser pen 5000 mW", captions=["laser"]), default_plan, "tokens")

    assert answer.cues
    assert '"picture"' not in answer.model_dump_json()
