"""What language a field is written in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.classifier.language import LanguageDetector
from models.knowledge.matching import KnowledgeMatcher

COVERED = [
    ("en", "Wooden building blocks for toddlers, with storage bag"),
    ("ru", "Деревянные кубики для малышей"),
    ("pt", "Blocos de madeira para crianças pequenas"),
    ("es", "Bloques de madera para niños pequeños"),
    ("fr", "Cubes en bois pour les tout-petits"),
    ("de", "Holzbausteine für Kleinkinder mit Beutel"),
    ("it", "Blocchi di legno per bambini piccoli"),
    ("nl", "Houten blokken voor peuters met opbergzak"),
    ("pl", "Drewniane klocki dla małych dzieci"),
    ("tr", "Küçük çocuklar için ahşap bloklar"),
    ("ar", "مكعبات خشبية للأطفال الصغار"),
    ("he", "קוביות עץ לפעוטות"),
    ("ja", "幼児用木製ブロック おもちゃ"),
    ("ko", "유아용 나무 블록 장난감"),
    ("th", "บล็อกไม้สำหรับเด็ก"),
    ("vi", "Khối gỗ cho trẻ nhỏ, đồ chơi"),
    ("id", "Balok kayu mainan untuk balita"),
    ("uk", "Дерев'яні кубики для малюків і дітей"),
    ("zh", "幼儿木制积木玩具"),
    ("hi", "बच्चों के लिए लकड़ी के ब्लॉक"),
    ("ro", "Cuburi din lemn pentru copii mici"),
    ("cs", "Dřevěné kostky pro malé děti s taškou"),
]
NOT_COVERED = [
    ("el", "Ξύλινα τουβλάκια για μικρά παιδιά"),
    ("ka", "ხის კუბები ბავშვებისთვის"),
    ("hy", "Փայտե խորանարդներ երեխաների համար"),
    ("bn", "শিশুদের জন্য কাঠের ব্লক"),
    ("ta", "குழந்தைகளுக்கான மரத் தொகுதிகள்"),
    ("hu", "Fa építőkockák kisgyermekeknek, tárolózsákkal"),
    ("sv", "Träklossar för småbarn med förvaringspåse"),
    ("fi", "Puiset rakennuspalikat pienille lapsille"),
    ("fa", "بلوک‌های چوبی برای کودکان پیش دبستانی گچ"),
    ("sr", "Дрвене коцке за децу и њихове родитеље"),
    ("kk", "Балаларға арналған ағаш текшелер"),
]
SHORT = [
    ("en", "laser pointer"),
    ("de", "Laserpointer grün"),
    ("de", "Spielzeug Auto"),
    ("es", "muñeca bebé"),
    ("fr", "jouet bébé"),
    ("it", "giocattolo legno"),
    ("pl", "lampka nocna"),
    ("uk", "Електросамокат складний 350 Вт"),
    ("uk", "Шолом мотоциклетний чорний"),
    ("ru", "Лазерная указка"),
    ("ru", "Лестница алюминиевая"),
]


@pytest.fixture(scope="module")
def detector(matcher: KnowledgeMatcher) -> LanguageDetector:
    return LanguageDetector(matcher)


@pytest.mark.parametrize(("code", "text"), [*COVERED, *NOT_COVERED, *SHORT])
def test_the_language_of_a_product_text_is_told(detector: LanguageDetector, code: str, text: str) -> None:
    assert detector.detect(text).code == code


def test_every_language_of_the_base_is_in_the_table(matcher: KnowledgeMatcher) -> None:
    assert {code for code, _ in COVERED} == set(matcher.knowledge.language_by_code)


@pytest.mark.parametrize("text", ["", "  ", "12345 --- 67%", "😀😀", "★★★"])
def test_a_text_without_letters_has_no_language(detector: LanguageDetector, text: str) -> None:
    assert (detector.detect(text).code, detector.detect(text).confidence) == ("und", 0.0)


@pytest.mark.parametrize(
    "text",
    [
        "ለሕፃናት የእንጨት ብሎኮች",
        "પ્લાસ્ટિક રમકડું",
        "ပလပ်စတစ် အရုပ်",
        "តុក្កតាប្លាស្ទិក",
        "ප්ලාස්ටික් සෙල්ලම් බඩු",
        "ప్లాస్టిక్ బొమ్మ",
    ],
)
def test_a_script_that_nobody_reads_is_taken_for_no_known_language(detector: LanguageDetector, text: str) -> None:
    assert detector.detect(text).code == "und"


def test_the_sellers_word_decides_between_languages_that_the_text_leaves_open(detector: LanguageDetector) -> None:
    assert [detector.detect("Lampe", hint).code for hint in ("de", "fr", "de-AT")] == ["de", "fr", "de"]
    assert [detector.detect("Тест 12", hint).code for hint in ("", "ru", "uk-UA")] == ["ru", "ru", "uk"]


def test_the_sellers_word_does_not_beat_a_clear_text(detector: LanguageDetector) -> None:
    assert detector.detect("Holzbausteine für Kleinkinder mit Beutel", "en").code == "de"


def test_a_short_text_is_less_sure_than_a_long_one(detector: LanguageDetector) -> None:
    assert detector.detect("Lampe").confidence < detector.detect(dict(COVERED)["de"]).confidence


def test_brands_in_latin_letters_do_not_hide_the_script(detector: LanguageDetector) -> None:
    assert detector.detect("Чехол для Apple iPhone 15 Pro силиконовый").code == "ru"


def test_one_foreign_word_does_not_change_the_language(detector: LanguageDetector) -> None:
    assert detector.detect("Wooden building blocks for toddlers 木 with a storage bag").code == "en"


@given(st.text(max_size=80), st.text(max_size=5))
def test_any_text_gets_a_code_and_a_confidence_within_zero_and_one(
    detector: LanguageDetector, text: str, hint: str
) -> None:
    found = detector.detect(text, hint)
    assert found.code.isalpha()
    assert 0.0 <= found.confidence <= 1.0


def test_vocabularies_are_asked_only_where_n_grams_leave_it_open(detector: LanguageDetector) -> None:
    assert detector.asks("This is a soft toy for small children, with a strong magnet in it") == set()
    assert detector.asks("Лазерная указка, зелёный луч") == detector.asks("5000 - 12") == set()
    assert detector.asks("Лазерная указка") == {"ru", "uk"}
    asked = detector.asks("Neruhus", "de-AT")
    assert {"de", "en"} < asked


def test_only_the_beginning_of_a_long_text_is_looked_at(detector: LanguageDetector) -> None:
    assert detector.detect(dict(COVERED)["de"] * 20 + " лазерная указка" * 10_000).code == "de"
