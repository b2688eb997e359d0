"""Age grades as sellers write them, and what only looks like one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.knowledge.age_grades import AgeGrammar
from models.knowledge.base import Knowledge
from models.knowledge.normalising import fold

AGES = [
    # language, text, months of the grades in it
    ("en", "suitable for ages 14+", [168]),
    ("en", "14+", [168]),
    ("en", "0-3 years", [0]),
    ("en", "0-36 months", [0]),
    ("en", "for ages 6 to 12 years", [72]),
    ("en", "ages 3 – 6 yrs", [36]),
    ("en", "from 6 months", [6]),
    ("en", "6m+", [6]),
    ("en", "3 years and up", [36]),
    ("en", "Ages: 3+", [36]),
    ("en", "ages: 8 years and up", [96]),
    ("en", "not suitable for children under 36 months", [36]),
    ("en", "not suitable for children under 3 years", [36]),
    ("en", "ages 3+ and not for children under 36 months", [36, 36]),
    ("en", "ａｇｅｓ ３＋", [36]),
    ("de", "3-6 Jahre", [36]),
    ("de", "ab 36 Monaten", [36]),
    ("de", "für Kinder ab 14 Jahren", [168]),
    ("de", "Nicht geeignet für Kinder unter 36 Monaten", [36]),
    ("ru", "от 3 лет", [36]),
    ("ru", "с 6 месяцев", [6]),
    ("ru", "от 0 до 3 лет", [0]),
    ("ru", "не предназначено для детей до 3 лет", [36]),
    ("uk", "від 3 років", [36]),
    ("fr", "dès 3 ans", [36]),
    ("fr", "de 3 à 6 ans", [36]),
    ("fr", "à partir de 18 mois", [18]),
    ("fr", "ne convient pas aux enfants de moins de 36 mois", [36]),
    ("es", "a partir de 3 años", [36]),
    ("es", "no apto para menores de 36 meses", [36]),
    ("pt", "a partir de 3 anos", [36]),
    ("it", "da 3 anni", [36]),
    ("it", "dai 6 mesi in su", [6]),
    ("nl", "vanaf 3 jaar", [36]),
    ("pl", "od 3 lat", [36]),
    ("ro", "de la 3 ani", [36]),
    ("tr", "3 yaş ve üzeri", [36]),
    ("tr", "6 aydan itibaren", [6]),
    ("ar", "من ٣ سنوات", [36]),
    ("ar", "غير مناسب للأطفال دون 3 سنوات", [36]),
    ("he", "מגיל 3 שנים", [36]),
    ("ja", "3歳以上", [36]),
    ("ja", "対象年齢6ヶ月から", [6]),
    ("ja", "3歳未満のお子様には適していません", [36]),
    ("ko", "3세 이상", [36]),
    ("ko", "6개월부터", [6]),
    ("ko", "3~6세", [36]),
    ("ko", "36개월 미만 사용금지", [36]),
    ("zh", "适合6个月以上", [6]),
    ("th", "อายุ 3 ปีขึ้นไป", [36]),
    ("vi", "6 tháng trở lên", [6]),
    ("id", "usia 3 tahun ke atas", [36]),
    ("hi", "3 साल से ऊपर", [36]),
]
NO_AGES = [
    ("en", "2 years warranty"),
    ("en", "2 year warranty, free returns"),
    ("en", "battery lasts 6 months"),
    ("en", "for over 20 years we make toys"),
    ("en", "USB 3.0+"),
    ("en", "Galaxy S10+"),
    ("en", "C++ 14"),
    ("en", "A4, 120+ sheets"),
    ("en", "19+"),
    ("en", "pack of 3 + 2 free"),
    ("en", "delivery in 2-3 days"),
    ("en", "cable 2-3 m"),
    ("en", "from 2 m length"),
    ("en", "24-36V"),
    ("en", "12/14+"),
    ("de", "2 Jahre Garantie"),
    ("ru", "гарантия 2 года"),
    ("fr", "garantie 2 ans"),
    ("es", "garantía de 2 años"),
    ("it", "garanzia 2 anni"),
    ("nl", "2 jaar garantie"),
    ("pl", "gwarancja 2 lata"),
    ("pt", "garantia de 2 anos"),
    ("tr", "2 yıl garanti"),
    ("ar", "ضمان سنتين"),
    ("he", "אחריות 2 שנים"),
    ("ja", "保証2年"),
    ("ko", "보증 2년"),
    ("zh", "保修2年"),
    ("th", "รับประกัน 2 ปี"),
    ("vi", "bảo hành 2 năm"),
    ("id", "garansi 2 tahun"),
]


def months(knowledge: Knowledge, language: str, text: str) -> list[int]:
    grammar = AgeGrammar(knowledge.language_by_code[language])
    return [grade.months for grade in grammar.find(fold(text).text)]


@pytest.mark.parametrize(("language", "text", "expected"), AGES, ids=[f"{row[0]}: {row[1]}" for row in AGES])
def test_an_age_grade_is_read(knowledge: Knowledge, language: str, text: str, expected: list[int]) -> None:
    assert months(knowledge, language, text) == expected


@pytest.mark.parametrize(("language", "text"), NO_AGES, ids=[f"{row[0]}: {row[1]}" for row in NO_AGES])
def test_what_only_looks_like_an_age_is_none(knowledge: Knowledge, language: str, text: str) -> None:
    assert months(knowledge, language, text) == []


def test_the_place_of_an_age_grade_covers_number_and_unit(knowledge: Knowledge) -> None:
    text = "puzzle, ages 3 to 6 years, wood"
    grades = AgeGrammar(knowledge.language_by_code["en"]).find(text)
    assert [text[grade.start : grade.end] for grade in grades] == ["3 to 6 years"]


@given(st.data())
def test_age_grades_lie_in_the_text_and_do_not_overlap(knowledge: Knowledge, data: st.DataObject) -> None:
    profile = data.draw(st.sampled_from(knowledge.languages))
    words = [
        *profile.months,
        *profile.years,
        *profile.from_words,
        *profile.after_from,
        *profile.not_under,
        "3",
        "36",
        "14+",
        "-",
    ]
    text = fold(" ".join(data.draw(st.lists(st.sampled_from(words), max_size=8)))).text
    grades = AgeGrammar(profile).find(text)
    ends = [0, *(grade.end for grade in grades)]
    assert all(end <= grade.start < grade.end <= len(text) for end, grade in zip(ends, grades, strict=False))
    assert all(0 <= grade.months <= 18 * 12 for grade in grades)
