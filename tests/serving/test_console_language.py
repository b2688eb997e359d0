"""The console's texts in other languages."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from fastapi import Request

import serving.console
from models.deadlines.clocks import Duty, NoticeKind
from models.domain.action import Action
from models.domain.risk import RiskLevel
from models.domain.taxonomy import load_taxonomy
from models.knowledge.base import Knowledge
from models.notices.commitments import Status
from models.notices.recall import Remedy
from models.plan.reading import load_plan
from serving.access.principal import Role
from serving.audit import LOGS
from serving.buyers.lines import LineStatus
from serving.console.language import chosen_language, languages, translations_for
from serving.console.rendering import percent
from serving.console.wording import Wording
from serving.highlighting import Run
from serving.hooks.delivery_log import State as DeliveryState
from serving.oversight.figures import FIGURES, Reviews
from serving.oversight.scope import Scope
from serving.recalls.words import CASE_STATES, CLOCK_STATES, COMPARED, ORDER_STATES, STEPS, CaseAct, MatchState
from serving.review.words import Act, Outcome, Round, State
from serving.store.database import open_database
from serving.store.migrating import migrate

CONSOLE = Path(serving.console.__file__).parent
TEMPLATES = CONSOLE.parent / "templates"
KINDS = (
    Action,
    RiskLevel,
    Act,
    CaseAct,
    DeliveryState,
    Duty,
    LineStatus,
    MatchState,
    NoticeKind,
    Outcome,
    Remedy,
    Role,
    Round,
    State,
    Status,
)
WORDS = {word.value.replace("_", " ") for kind in KINDS for word in kind}
WORDS |= {"active", "disabled"}  # how an account stands
WORDS |= {
    *CASE_STATES,
    *CLOCK_STATES,
    *ORDER_STATES,
    *COMPARED,
    *STEPS,
    *LOGS,
    "withdrawal",
    "working days",
    "days",
    "hours",
}
HAZARDS = set(load_taxonomy().names)
MARKS = {Run("", strength, weight).words for strength in range(1, 5) for weight in (-1, 1)}
FIELDS = {
    "Title", "Category", "Brand", "Caption", "Description", "Warning", "Price", "Model", "Seller", "Sold to", "GTIN",
    "Manufacturer", "Responsible person", "title", "brand", "description", "captions", "attributes", "warnings",
}  # fmt: skip
OF_EXPLANATIONS = {"aggravating", "mitigating", "no hazard worth an entry", "seller", "marketplace", "reviewer"}


def of_the_plan() -> set[str]:
    """What the plan that ships says to people; the texts of another plan are shown as they are written."""
    mitigate = load_plan().document.mitigate
    return {rule.reason for rule in mitigate.rules} | {each.text for each in mitigate.obligations.values()}


OTHERS = [language for language in languages() if language != "en"]


def catalogue(language: str) -> Catalog:
    with (CONSOLE / "catalogues" / f"{language}.po").open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def texts() -> set[str]:
    """Every text that the templates and the pages' own code have translated."""
    options = {"**.html": {"newstyle_gettext": "true", "trimmed": "false"}}
    method = [("**.html", "jinja2.ext:babel_extract")]
    shown = {str(found[2]) for found in extract_from_dir(TEMPLATES, method, options)}
    return shown | {
        str(found[2]) for found in extract_from_dir(CONSOLE, [("**.py", "python")], keywords={"said": None})
    }


def columns(tmp_path: Path) -> set[str]:
    """What the columns of the figures are called, and the two probabilities that one of them compares."""
    engine = open_database(f"sqlite:///{tmp_path / 'h.db'}")
    migrate(engine)
    with engine.connect() as connection:
        reviews = Reviews(connection, Scope(dt.datetime.now(dt.UTC)))
        tables = [figure(reviews) for figure in FIGURES.values()]
    engine.dispose()
    return {column for table in tables for column in table.columns} | {"unsafe", "high or serious"}


def test_there_are_three_languages() -> None:
    assert languages() == ("en", "de", "fr")


@pytest.mark.parametrize("language", OTHERS)
def test_a_catalogue_has_every_text_and_no_other(language: str, tmp_path: Path, knowledge: Knowledge) -> None:
    known = {str(message.id) for message in catalogue(language) if message.id}
    words = WORDS | HAZARDS | MARKS | FIELDS | OF_EXPLANATIONS | {cue.id.replace("-", " ") for cue in knowledge.cues}
    wanted = texts() | words | of_the_plan() | columns(tmp_path)
    assert wanted - known == set(), "add these to the catalogue"
    assert known - wanted == set(), "nothing shows these any more"


@pytest.mark.parametrize("language", OTHERS)
def test_every_scenario_of_the_knowledge_base_is_told_in_the_readers_language(
    language: str, knowledge: Knowledge
) -> None:
    written = {profile.scenario for kind in knowledge.kinds for profile in kind.hazards.values()}
    with (CONSOLE / "catalogues" / "scenarios" / f"{language}.po").open("rb") as file:
        known = {str(message.id): str(message.string) for message in read_po(file, locale=language) if message.id}
    assert written - set(known) == set(), "add these to the catalogue"
    assert set(known) - written == set(), "no kind says these any more"
    assert all(told.endswith(".") and told != sentence for sentence, told in known.items())


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", "The product causes harm through: electric shock."),
        ("de", "Das Produkt schadet durch: Stromschlag."),
        ("fr", "Le produit cause un dommage par : choc électrique."),
    ],
)
def test_a_scenario_without_a_sentence_of_its_own_names_the_hazard(language: str, told: str) -> None:
    wording = Wording(translations_for(language).gettext)
    assert wording.scenario("The product causes harm through: electric shock.") == told


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_fills_in_the_same_values(language: str) -> None:
    for message in catalogue(language):
        assert message.string or not message.id
        assert not message.fuzzy or not message.id
        holes = re.compile(r"%\(\w+\)s|%%")
        assert sorted(holes.findall(str(message.id))) == sorted(holes.findall(str(message.string))) or not message.id


def request(headers: dict[str, str]) -> Request:
    pairs = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "headers": pairs, "method": "GET", "path": "/review", "query_string": b""})


@pytest.mark.parametrize(
    ("headers", "language"),
    [
        ({}, "en"),
        ({"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"}, "de"),
        ({"Accept-Language": "fr"}, "fr"),
        ({"Accept-Language": "xx, ;;q=, é"}, "en"),
        ({"Accept-Language": "fr", "Cookie": "hazardlens_language=de"}, "de"),
        ({"Accept-Language": "fr", "Cookie": "hazardlens_language=../../etc"}, "fr"),
    ],
)
def test_the_readers_language_is_chosen(headers: dict[str, str], language: str) -> None:
    assert chosen_language(request(headers)) == language


def test_words_are_translated() -> None:
    assert translations_for("de").gettext("confirmed risk") == "Risiko bestätigt"
    assert translations_for("en").gettext("confirmed risk") == "confirmed risk"
    assert percent(0.0) == "0 %"
