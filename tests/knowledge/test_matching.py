"""What the knowledge base sees in a text: names, cues, denials, quantities, ages, words for the gloss."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.knowledge.base import Knowledge
from models.knowledge.matching import CueHit, KnowledgeMatcher

NEGATED = [
    ("en", "toy without small magnets", "strong-magnets"),
    ("en", "toy with no strong magnets", "strong-magnets"),
    ("en", "does not contain a lithium battery", "lithium-battery"),
    ("en", "without any tiny parts", "small-parts"),
    ("de", "Spielzeug ohne starke Magnete", "strong-magnets"),
    ("de", "Puppe ohne Knopfzelle", "button-cell"),
    ("fr", "jouet sans pile bouton", "button-cell"),
    ("fr", "ne contient pas de formaldéhyde", "formaldehyde"),
    ("es", "crema sin hidroquinona", "hydroquinone"),
    ("es", "juguete sin piezas diminutas", "small-parts"),
    ("it", "crema senza idrochinone", "hydroquinone"),
    ("pt", "creme sem hidroquinona", "hydroquinone"),
    ("ru", "крем без гидрохинона", "hydroquinone"),
    ("uk", "крем не містить гідрохінон", "hydroquinone"),
    ("pl", "krem bez hydrochinonu", "hydroquinone"),
    ("nl", "crème zonder hydrochinon", "hydroquinone"),
    ("tr", "hidrokinon içermez", "hydroquinone"),
    ("ja", "ボタン電池不使用", "button-cell"),
    ("ko", "하이드로퀴논 없음", "hydroquinone"),
    ("th", "ไม่มีไฮโดรควิโนน", "hydroquinone"),
    ("vi", "kem không chứa hydroquinone", "hydroquinone"),
    ("id", "krim tanpa hidrokuinon", "hydroquinone"),
    ("ar", "كريم بدون هيدروكينون", "hydroquinone"),
    ("he", "קרם ללא הידרוקינון", "hydroquinone"),
    ("zh", "不含氢醌", "hydroquinone"),
]
STATED = [
    ("en", "strong magnets, no batteries needed", "strong-magnets"),
    ("en", "No batteries needed. Strong magnets inside", "strong-magnets"),
    ("en", "no tools and no glue are ever needed for it, strong magnets", "strong-magnets"),
    ("de", "ohne Werkzeug; starke Magnete", "strong-magnets"),
    ("ru", "без батареек. Сильные магниты", "strong-magnets"),
    ("ja", "工具不要。ボタン電池付き", "button-cell"),
]
QUANTITIES = [
    ("laser 5000mW", "laser-high-power", True),
    ("laser 5000 mW", "laser-high-power", True),
    ("laser 5.5mW", "laser-high-power", True),
    ("laser 5,5 mW", "laser-high-power", True),
    ("laser 1,000mW", "laser-high-power", True),
    ("laser 5.000 mW", "laser-high-power", True),
    ("лазер 5000 мВт", "laser-high-power", True),
    ("laser ５０００ｍＷ", "laser-high-power", True),
    ("laser 1 mW", "laser-high-power", False),
    ("laser 5 mW", "laser-high-power", False),
    ("laser 0.5 mW", "laser-high-power", False),
    ("power bank 5000 mWh", "laser-high-power", False),
    ("model X5000mW", "laser-high-power", False),
    ("alarm 120dB", "loud-noise", True),
    ("alarm 120 decibels", "loud-noise", True),
    ("speaker 60 dB", "loud-noise", False),
    ("fan 99 dB", "loud-noise", False),
]
MIXED = [
    "laser 5000mW für Kinder ab 3 Jahren",
    "ボタン電池 magnet 14+ 强磁",
    "🧲 לייזר 120dB ﬁre ab 6 Monaten",
    "без magnets (лазер)",
]


@pytest.fixture(scope="session")
def matcher(knowledge: Knowledge) -> KnowledgeMatcher:
    return KnowledgeMatcher(knowledge)


def cues(matcher: KnowledgeMatcher, text: str, language: str = "en") -> dict[str, CueHit]:
    return {hit.cue: hit for hit in matcher.find(text, language).cues}


@pytest.mark.parametrize(("language", "text", "cue"), NEGATED, ids=[f"{row[0]}: {row[1]}" for row in NEGATED])
def test_a_denied_cue_is_found_as_denied(matcher: KnowledgeMatcher, language: str, text: str, cue: str) -> None:
    found = cues(matcher, text, language)
    assert found[cue].negated


@pytest.mark.parametrize(("language", "text", "cue"), STATED, ids=[f"{row[0]}: {row[1]}" for row in STATED])
def test_a_denial_does_not_reach_into_another_clause(
    matcher: KnowledgeMatcher, language: str, text: str, cue: str
) -> None:
    assert not cues(matcher, text, language)[cue].negated


def test_a_mitigating_phrase_that_holds_a_denial_is_not_denied(matcher: KnowledgeMatcher) -> None:
    found = cues(matcher, "toy with no small parts")
    assert set(found) == {"no-small-parts"}
    assert not found["no-small-parts"].negated


@pytest.mark.parametrize(("text", "cue", "fires"), QUANTITIES, ids=[row[0] for row in QUANTITIES])
def test_a_quantity_fires_beyond_its_bound_only(matcher: KnowledgeMatcher, text: str, cue: str, fires: bool) -> None:
    assert (cue in cues(matcher, text)) == fires


def test_a_quantity_is_shown_with_its_unit(matcher: KnowledgeMatcher) -> None:
    text = "green laser 5000 mW pen"
    hit = cues(matcher, text)["laser-high-power"]
    assert text[hit.start : hit.end] == "5000 mW"


@pytest.mark.parametrize(
    ("text", "cue"),
    [
        ("from 6 months", "age-under-3"),
        ("0-3 years", "age-under-3"),
        ("ages 3+", "age-3-plus"),
        ("ages 8+", "age-8-plus"),
        ("14+", "age-14-plus"),
        ("not suitable for children under 36 months", "age-3-plus"),
    ],
)
def test_an_age_grade_is_the_cue_of_its_range(matcher: KnowledgeMatcher, text: str, cue: str) -> None:
    assert set(cues(matcher, text)) == {cue}


def test_a_word_inside_an_age_grade_is_no_cue_of_its_own(matcher: KnowledgeMatcher) -> None:
    assert "for-children" not in cues(matcher, "Not for kids under 3 years")


@pytest.mark.parametrize(
    ("text", "kind", "cue"),
    [
        ("water beads 1000 pieces", "water-beads", "water-beads"),
        ("lithium coin cell battery CR2032", "lithium-coin-cell", "button-cell"),
    ],
)
def test_a_cue_inside_a_product_name_does_not_fire(matcher: KnowledgeMatcher, text: str, kind: str, cue: str) -> None:
    found = matcher.find(text, "en")
    assert kind in {hit.kind for hit in found.names}
    assert all(hit.cue != cue or hit.start > len(text) - len("CR2032") - 1 for hit in found.cues)


def test_names_are_found_in_any_form_of_the_word(matcher: KnowledgeMatcher) -> None:
    assert "laser-pointer" in {hit.kind for hit in matcher.find("Лазерные указки зелёные", "ru").names}


def test_cyrillic_names_are_found_in_latin_letters(matcher: KnowledgeMatcher) -> None:
    assert "laser-pointer" in {hit.kind for hit in matcher.find("lazernaya ukazka", "ru").names}


def test_english_is_read_in_a_text_of_another_language(matcher: KnowledgeMatcher) -> None:
    assert {"laser-high-power", "for-children"} <= set(cues(matcher, "Laserpointer 5000mW for kids", "de"))


def test_an_unknown_language_is_read_as_english(matcher: KnowledgeMatcher) -> None:
    assert matcher.find("laser pointer 5000mW", "xx") == matcher.find("laser pointer 5000mW", "en")


def test_the_gloss_gives_english_for_names_cues_and_words(matcher: KnowledgeMatcher) -> None:
    text = "Laserpointer für Kinder, Seil"
    glosses = {text[hit.start : hit.end]: hit.english for hit in matcher.find(text, "de").glosses}
    assert glosses == {"Laserpointer": "laser pointer", "für Kinder": "for kids", "Seil": "rope"}


def test_of_the_names_of_a_kind_the_one_that_says_the_word_is_its_english(matcher: KnowledgeMatcher) -> None:
    assert "tie" in matcher.knowledge.vocabulary["de"]["Krawatte"]
    assert [hit.english for hit in matcher.find("Krawatte", "de").glosses] == ["silk necktie for men"]
    assert "necktie" not in next(k.name for k in matcher.knowledge.kinds if "Krawatte" in k.names["de"])


@pytest.mark.parametrize(
    ("text", "language", "least", "most"),
    [
        ("лазерная указка", "ru", 0.99, 1.0),
        ("zzz qqq", "de", 0.0, 0.0),
        ("", "de", 0.0, 0.0),
        ("1234", "de", 0.0, 0.0),
        ("лазерная указка", "xx", 0.0, 0.0),
        ("Laserpointer qqqqqqqqqqqq", "de", 0.4, 0.6),
    ],
)
def test_gloss_coverage_is_the_share_of_known_letters(
    matcher: KnowledgeMatcher, text: str, language: str, least: float, most: float
) -> None:
    assert least <= matcher.gloss_coverage(text, language) <= most


@given(st.data())
def test_every_finding_lies_in_the_text(matcher: KnowledgeMatcher, data: st.DataObject) -> None:
    language = data.draw(st.sampled_from([*matcher.knowledge.language_by_code, "xx"]))
    parts = st.one_of(st.sampled_from(MIXED), st.text(max_size=10))
    text = " ".join(data.draw(st.lists(parts, max_size=4)))
    found = matcher.find(text, language)
    for hit in (*found.names, *found.cues, *found.glosses):
        assert 0 <= hit.start < hit.end <= len(text)


@pytest.mark.parametrize("language", ["en", "de", "ru", "ja", "ar"])
def test_a_text_that_holds_nothing_known_gives_nothing(matcher: KnowledgeMatcher, language: str) -> None:
    found = matcher.find("zzqx wvvq", language)
    assert (found.names, found.cues, found.glosses) == ((), (), ())


def test_nearly_every_phrase_of_every_cue_is_found_where_it_stands_alone(matcher: KnowledgeMatcher) -> None:
    phrases = [
        (c.id, code, phrase) for c in matcher.knowledge.cues for code, all_ in c.phrases.items() for phrase in all_
    ]
    lost = [(cue, code, phrase) for cue, code, phrase in phrases if cue not in cues(matcher, phrase, code)]
    assert len(lost) <= 0.01 * len(phrases), lost[:20]


def test_nearly_every_name_of_every_kind_is_found_where_it_stands_alone(matcher: KnowledgeMatcher) -> None:
    names = [(k.id, code, name) for k in matcher.knowledge.kinds for code, all_ in k.names.items() for name in all_]
    lost = [n for n in names if n[0] not in {hit.kind for hit in matcher.find(n[2], n[1]).names}]
    assert len(lost) <= 0.01 * len(names), lost[:20]


@pytest.mark.parametrize(
    ("language", "text", "english"),
    [
        ("ru", "фиолетового цвета", ["purple", "colour"]),
        ("ru", "Электрогирлянда", ["Christmas string lights"]),
        ("fr", "slim", ["slim"]),
        ("de", "LED", ["LED"]),
        ("vi", "bảng từ", ["magnetic board"]),
        ("cs", "nabíječka do zásuvky", ["phone charger"]),
    ],
)
def test_a_word_is_glossed_once_and_in_its_own_sense(
    matcher: KnowledgeMatcher, language: str, text: str, english: list[str]
) -> None:
    assert [hit.english for hit in matcher.find(text, language).glosses] == english


def test_words_that_say_nothing_are_known_and_have_no_english(matcher: KnowledgeMatcher) -> None:
    assert [hit.english for hit in matcher.find("de la lampe", "fr").glosses if hit.english] == ["lamp"]
    assert matcher.gloss_coverage("de la lampe", "fr") == 1.0
