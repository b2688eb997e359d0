"""An explanation's sentences, put together again: in English those of the record, in German and French whole."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from models.classifier.explaining import explain_listing
from models.classifier.scenario_line import scenario_line
from models.domain.explanation import Explanation
from models.domain.listing import Listing
from models.plan.reading import load_plan
from serving.console.language import languages, translations_for
from serving.console.wording import Wording
from serving.engine import AssessmentEngine
from serving.fragments import LEVEL, explanation_fragment
from tests.serving.conftest import HEATER

LISTINGS = [
    Listing(**HEATER),
    Listing(id="laser", title="Green laser pointer 5000 mW", description="Burns paper. Fun gift for kids."),
    Listing(id="bag", title="Cotton tote bag with long handles"),
    Listing(id="strange", title="qqq zzz xxxy"),
    Listing(id="empty", title=""),
]
ENGLISH = Wording(translations_for("en").gettext)


@pytest.fixture(scope="module", params=LISTINGS, ids=[listing.id for listing in LISTINGS])
def explained(request: pytest.FixtureRequest, engine: AssessmentEngine) -> tuple[Listing, Explanation]:
    return request.param, explain_listing(engine.model, request.param, load_plan(), "full")


def test_in_english_the_sentences_are_those_of_the_record(
    explained: tuple[Listing, Explanation], engine: AssessmentEngine
) -> None:
    _, found = explained
    taxonomy = engine.model.taxonomy
    labels = {risk.name: risk.label for risk in taxonomy.risk_types}
    label = labels.get(found.scenario.risk_type, "") if found.scenario else ""
    assert ENGLISH.scenario_line(found.scenario, label) == found.scenario_line
    assert found.scenario_line == scenario_line(found.scenario, taxonomy)
    assert ENGLISH.claim(found.risk_level) == found.level.claim
    assert found.what_if is not None
    assert ENGLISH.what_if(found, found.what_if) == found.what_if.sentence
    assert found.evidence is not None
    for item in (*found.evidence.supporting, *found.evidence.contradicting):
        assert ENGLISH.why(item) == item.why
    assert [ENGLISH.note(note) for note in found.notes] == found.notes


@pytest.mark.parametrize("language", [code for code in languages() if code != "en"])
def test_every_note_and_sentence_is_translated(explained: tuple[Listing, Explanation], language: str) -> None:
    _, found = explained
    wording = Wording(translations_for(language).gettext)
    assert wording.scenario_line(found.scenario, "") != found.scenario_line
    assert wording.claim(found.risk_level) != found.level.claim
    assert found.what_if is not None
    assert wording.what_if(found, found.what_if) != found.what_if.sentence
    for note in found.notes:
        assert wording.note(note) != note
    assert not {note for note in wording.known_notes() if note in ENGLISH.known_notes()} - {"language"}


def test_a_note_that_nobody_knows_stays(explained: tuple[Listing, Explanation]) -> None:
    german = Wording(translations_for("de").gettext)
    assert german.note("something else: new (x 1)") == "something else: new (x 1)"
    changed = "the plan has changed since, from a@1 to b@2: actions here follow the plan in force"
    assert ENGLISH.note(changed) == changed
    assert german.note(changed).startswith("der Plan hat sich seitdem geändert, von a@1 zu b@2")


@pytest.mark.parametrize("about", [None, LEVEL])
def test_a_german_fragment_has_no_english_of_ours(explained: tuple[Listing, Explanation], about: str | None) -> None:
    listing, found = explained
    fragment = explanation_fragment(
        found, listing.model_dump(mode="json"), about, "de", lambda kind, name: "Produktart"
    )
    for english in (
        "What the level rests on",
        "speaks for",
        "The same as a list",
        "likely",
        "similarity",
        "without it",
    ):
        assert english not in fragment
    assert "Worauf die Stufe beruht" in fragment


def test_the_item_page_speaks_the_readers_language(client: TestClient) -> None:
    answer = client.post("/v1/assessments", json={"listings": [LISTINGS[1].model_dump(mode="json")]}).json()
    assert answer["results"][0]["assessment"]["decision"]["queue"]
    desk: Any = client.app.state.services.desk  # type: ignore[attr-defined]
    (item,) = desk.browsing.of_listing("laser")
    page = client.get(f"/review/items/{item.id}", headers={"Accept-Language": "de"}).text
    assert "Risiko: vor dem Verkauf entscheidet ein Mensch" in page
    assert "a reviewer decides before sale" not in page
    why = client.get(f"/review/items/{item.id}/why", headers={"Accept-Language": "fr"}).text
    assert "Sur quoi repose le niveau" in why
    rests_on = why.partition('class="rests-on"')[2].partition("</ul>")[0]
    assert "% laser pointer" not in rests_on
    assert "laser" in rests_on, "kinds have names in French"
