"""What the knowledge base that ships must hold."""

from __future__ import annotations

import re
from collections import defaultdict

import pytest

from models.domain.risk import RiskLevel
from models.domain.taxonomy import Taxonomy
from models.knowledge.base import Knowledge, load_knowledge, read_knowledge

REQUIRED = ("en", "ru", "pt", "es", "fr", "de", "it", "nl", "pl", "tr", "ar", "he", "ja", "ko", "th", "vi", "id", "uk")
SCRIPTS = {
    "ru": "[а-яё]",
    "uk": "[а-яіїєґ]",
    "ar": "[\u0600-\u06ff]",
    "he": "[\u0590-\u05ff]",
    "ja": "[\u3040-\u30ff\u4e00-\u9fff]",
    "ko": "[\uac00-\ud7af]",
    "th": "[\u0e00-\u0e7f]",
}


def test_it_has_no_problem(taxonomy: Taxonomy) -> None:
    assert list(map(str, read_knowledge(None, taxonomy)[1])) == []


def test_it_holds_at_least_400_kinds(knowledge: Knowledge) -> None:
    assert len(knowledge.kinds) >= 400


def test_it_holds_at_least_120_harmless_kinds(knowledge: Knowledge) -> None:
    assert sum(kind.harmless for kind in knowledge.kinds) >= 120


def test_harmless_kinds_and_only_these_have_no_level(knowledge: Knowledge) -> None:
    assert [k.id for k in knowledge.kinds if k.harmless != (k.level == RiskLevel.NONE)] == []


@pytest.mark.parametrize("language", REQUIRED)
def test_every_kind_has_a_name_in_every_required_language(knowledge: Knowledge, language: str) -> None:
    assert [kind.id for kind in knowledge.kinds if not kind.names.get(language)] == []


@pytest.mark.parametrize("language", REQUIRED)
def test_at_least_95_percent_of_the_cues_in_words_are_translated(knowledge: Knowledge, language: str) -> None:
    worded = [cue for cue in knowledge.cues if cue.phrases]
    missing = [cue.id for cue in worded if not cue.phrases.get(language)]
    assert len(missing) <= 0.05 * len(worded), missing


@pytest.mark.parametrize("language", SCRIPTS)
def test_names_are_written_in_the_script_of_their_language(knowledge: Knowledge, language: str) -> None:
    script = re.compile(SCRIPTS[language], re.IGNORECASE)
    foreign = [kind.id for kind in knowledge.kinds if not any(script.search(name) for name in kind.names[language])]
    assert foreign == []


def test_every_consumer_category_has_kinds(knowledge: Knowledge, taxonomy: Taxonomy) -> None:
    assert set(taxonomy.consumer_categories) - {kind.category for kind in knowledge.kinds} == set()


def test_every_required_language_has_negation_and_ages(knowledge: Knowledge) -> None:
    for code in REQUIRED:
        profile = knowledge.language_by_code[code]
        assert profile.negators_before or profile.negators_after, code
        assert profile.months, code
        assert profile.years, code
        assert profile.from_words or profile.after_from, code
        assert profile.not_under or profile.not_under_after, code


def test_every_cue_can_fire(knowledge: Knowledge) -> None:
    assert [cue.id for cue in knowledge.cues if not (cue.phrases or cue.age or cue.quantity)] == []


def test_every_kind_with_a_hazard_has_a_scenario_in_a_sentence(knowledge: Knowledge) -> None:
    scenarios = [profile.scenario for kind in knowledge.kinds for profile in kind.hazards.values()]
    sentence = re.compile(r"[A-Z]\S*(?: \S+){4,}\.")
    assert [text for text in scenarios if not sentence.fullmatch(text)] == []


def test_near_misses_that_look_alike_are_there_with_different_levels(knowledge: Knowledge) -> None:
    for harmful, alike in (
        ("magnetic-ball-set", "magnetic-chess"),
        ("laser-pointer", "laser-level"),
        ("baby-rattle", "bike-bell"),
    ):
        assert knowledge.kind_by_id[harmful].level.rank > knowledge.kind_by_id[alike].level.rank


def test_at_least_50_kinds_name_a_look_alike_of_another_level(knowledge: Knowledge) -> None:
    kinds = knowledge.kind_by_id
    alike = [k.id for k in knowledge.kinds if any(kinds[near].level != k.level for near in k.near)]
    assert len(alike) >= 50


def test_prohibited_kinds_say_why_and_are_at_least_high(knowledge: Knowledge) -> None:
    prohibited = [kind for kind in knowledge.kinds if kind.prohibited]
    assert prohibited
    assert [k.id for k in prohibited if len(k.prohibited.split()) < 4 or k.level.rank < RiskLevel.HIGH.rank] == []


def test_a_name_belongs_to_one_kind(knowledge: Knowledge) -> None:
    kinds: dict[tuple[str, str], set[str]] = defaultdict(set)
    for kind in knowledge.kinds:
        for language, names in kind.names.items():
            for name in names:
                kinds[language, name.lower()].add(kind.id)
    assert {name: ids for name, ids in kinds.items() if len(ids) > 1} == {}


@pytest.mark.parametrize(
    ("kind", "cue"), [("lithium-coin-cell", "button-cell"), ("neodymium-craft-magnets", "strong-magnets")]
)
def test_what_a_toy_may_hold_is_told_by_a_cue(knowledge: Knowledge, kind: str, cue: str) -> None:
    """Words that stand in a kind's name are no cue any more: a doll "with button cell" must keep it."""
    phrases = knowledge.cue_by_id[cue].phrases
    for code, names in knowledge.kind_by_id[kind].names.items():
        assert {name.casefold() for name in names} & {phrase.casefold() for phrase in phrases.get(code, [])} == set()


def test_json_carries_it_whole(knowledge: Knowledge) -> None:
    copy = Knowledge.from_json(knowledge.to_json())
    assert (copy.kinds, copy.cues, copy.languages, copy.vocabulary) == (
        knowledge.kinds,
        knowledge.cues,
        knowledge.languages,
        knowledge.vocabulary,
    )
    assert copy.digest == knowledge.digest


def test_its_digest_does_not_depend_on_when_it_is_read(knowledge: Knowledge) -> None:
    assert load_knowledge().digest == knowledge.digest


def test_kinds_are_found_by_id_and_column(knowledge: Knowledge) -> None:
    for kind in knowledge.kinds:
        assert knowledge.kinds[knowledge.kind_column[kind.id]] is knowledge.kind_by_id[kind.id] is kind
