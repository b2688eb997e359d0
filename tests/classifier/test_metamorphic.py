"""Swapping one cue moves the level the right way, in every language.

A pair is one offer written twice: once with words that raise the risk, once with words that lower or deny it.
The pairs come from the knowledge base and from the table of ages below; a pair passes when the riskier text has the
higher expected level by more than rounding. The breadth runs on the shipped base with the product kind given; some
pairs run end to end through a real model.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pytest

from models.classifier.classifier import HazardClassifier
from models.classifier.scenarios import CueFact, ScenarioModel
from models.domain.listing import Listing
from models.domain.risk import RiskLevel
from models.knowledge.base import Knowledge
from models.knowledge.kinds import Cue, LanguageProfile, ProductKind
from models.knowledge.matching import KnowledgeMatcher
from models.plan.plan import Plan

AGES = {
    # for a baby, for adolescents and adults
    "en": ("from 6 months", "14+"),
    "ru": ("от 6 месяцев", "от 14 лет"),
    "pt": ("a partir de 6 meses", "a partir de 14 anos"),
    "es": ("a partir de 6 meses", "a partir de 14 años"),
    "fr": ("dès 6 mois", "à partir de 14 ans"),
    "de": ("ab 6 Monaten", "ab 14 Jahren"),
    "it": ("da 6 mesi", "da 14 anni"),
    "nl": ("vanaf 6 maanden", "vanaf 14 jaar"),
    "pl": ("od 6 miesięcy", "od 14 lat"),
    "tr": ("6 ay ve üzeri", "14 yaş ve üzeri"),
    "ar": ("من 6 أشهر", "من 14 سنة"),
    "he": ("מגיל 6 חודשים", "מגיל 14 שנים"),
    "ja": ("6ヶ月から", "14歳以上"),
    "ko": ("6개월부터", "14세 이상"),
    "th": ("อายุ 6 เดือนขึ้นไป", "อายุ 14 ปีขึ้นไป"),
    "vi": ("từ 6 tháng", "từ 14 tuổi"),
    "id": ("usia 6 bulan ke atas", "usia 14 tahun ke atas"),
    "uk": ("від 6 місяців", "від 14 років"),
    "zh": ("6个月以上", "14岁以上"),
    "hi": ("6 महीने से ऊपर", "14 साल से ऊपर"),
    "ro": ("de la 6 luni", "de la 14 ani"),
    "cs": ("od 6 měsíců", "od 14 let"),
}
_STRIDE = 10_007
"""A prime above the number of kinds, so that each has its turn."""
_PAIRS_OF_EACH_SORT = 6
_LEAST_MOVE = 1e-3


@dataclass(frozen=True)
class Pair:
    """One offer written twice."""

    language: str
    sort: str
    kind: str
    riskier: str
    safer: str

    def __str__(self) -> str:
        return f"{self.language} {self.sort} [{self.kind}]: {self.riskier!r} against {self.safer!r}"


def denied(phrase: str, profile: LanguageProfile) -> str:
    """Return a phrase with the language's first word of denial."""
    gap = " " if profile.spaces else ""
    if profile.code == "tr" or not profile.negators_before:
        return f"{phrase}{gap}{profile.negators_after[0]}"
    return f"{profile.negators_before[0]}{gap}{phrase}"


def bearing(knowledge: Knowledge, kind: ProductKind, effect: str, language: str) -> list[Cue]:
    """The kind's cues in words of that effect that bear on the odds or on one of its hazards, strongest first."""
    listed = kind.aggravating if effect == "aggravating" else kind.mitigating
    cues = [knowledge.cue_by_id[cue] for cue in listed]
    fitting = [cue for cue in cues if cue.phrases.get(language) and cue.implied_for is None]
    return sorted(fitting, key=lambda cue: -abs(np.log(cue.unsafe)))


def pairs_of(knowledge: Knowledge, profile: LanguageProfile, turn: int) -> Iterator[Pair]:
    """Pairs of one language; another `turn` gives other kinds."""
    kinds = [kind for kind in knowledge.kinds if kind.hazards and kind.names.get(profile.code)]
    order = [kinds[(_STRIDE * i + 11 * turn) % len(kinds)] for i in range(len(kinds))]
    made: Counter[str] = Counter()
    for kind in dict.fromkeys(kind.id for kind in order):
        for pair in _written(knowledge, knowledge.kind_by_id[kind], profile):
            if made[pair.sort] < _PAIRS_OF_EACH_SORT:
                made[pair.sort] += 1
                yield pair


def _written(knowledge: Knowledge, kind: ProductKind, profile: LanguageProfile) -> Iterator[Pair]:
    code, name = profile.code, kind.names[profile.code][0]

    def pair(sort: str, riskier: str, safer: str) -> Pair:
        return Pair(code, sort, kind.id, f"{name}, {riskier}", f"{name}, {safer}" if safer else name)

    raising, lowering = (bearing(knowledge, kind, effect, code) for effect in ("aggravating", "mitigating"))
    if raising:
        phrase = raising[0].phrases[code][0]
        yield pair("said or denied", phrase, denied(phrase, profile))
        yield pair("said or not", phrase, "")
    if raising and lowering:
        yield pair("worse or better", raising[0].phrases[code][0], lowering[0].phrases[code][0])
    if kind.consumers == "vulnerable" and "choking" in kind.hazards:
        yield pair("baby or adolescent", *AGES[code])


@pytest.fixture(scope="module")
def pairs(knowledge: Knowledge) -> list[Pair]:
    return [p for turn, profile in enumerate(knowledge.languages) for p in pairs_of(knowledge, profile, turn)]


@pytest.fixture(scope="module")
def expected_level(scenario_model: ScenarioModel, matcher: KnowledgeMatcher) -> Callable[[str, str, str], float]:
    """A function: kind, text, language -> mean rank of the level."""
    columns, n_kinds = scenario_model.knowledge.kind_column, len(scenario_model.knowledge.kinds)

    def expected(kind: str, text: str, language: str) -> float:
        facts = {CueFact(hit.cue, hit.negated) for hit in matcher.find(text, language).cues}
        kinds = np.zeros(n_kinds)
        kinds[columns[kind]] = 1.0
        levels = scenario_model.level_probabilities(kinds, scenario_model.risks(facts))
        return float(levels @ np.arange(len(RiskLevel)))

    return expected


@pytest.fixture(scope="module")
def failures(pairs: list[Pair], expected_level: Callable[[str, str, str], float]) -> list[Pair]:
    return [
        p
        for p in pairs
        if expected_level(p.kind, p.riskier, p.language) - expected_level(p.kind, p.safer, p.language) < _LEAST_MOVE
    ]


def test_there_are_at_least_200_pairs_over_every_language_and_sort(pairs: list[Pair], knowledge: Knowledge) -> None:
    assert len(pairs) >= 200
    assert {p.language for p in pairs} == set(knowledge.language_by_code) == set(AGES)
    assert min(Counter((p.language, p.sort) for p in pairs).values()) >= 4
    assert len({p.kind for p in pairs}) >= 100


def test_at_least_90_percent_of_all_pairs_move_the_right_way(pairs: list[Pair], failures: list[Pair]) -> None:
    listed = "\n".join(map(str, failures))
    assert len(failures) <= 0.1 * len(pairs), f"{len(failures)} of {len(pairs)} pairs fail:\n{listed}"


@pytest.mark.parametrize("language", AGES)
def test_at_least_90_percent_of_the_pairs_of_a_language_move_the_right_way(
    pairs: list[Pair], failures: list[Pair], language: str
) -> None:
    n, failed = sum(p.language == language for p in pairs), [p for p in failures if p.language == language]
    listed = "\n".join(map(str, failed))
    assert len(failed) <= 0.1 * n, f"{len(failed)} of {n} pairs fail:\n{listed}"


@pytest.mark.parametrize("sort", ["said or denied", "said or not", "worse or better", "baby or adolescent"])
def test_at_least_90_percent_of_the_pairs_of_a_sort_move_the_right_way(
    pairs: list[Pair], failures: list[Pair], sort: str
) -> None:
    n, failed = sum(p.sort == sort for p in pairs), [p for p in failures if p.sort == sort]
    listed = "\n".join(map(str, failed))
    assert len(failed) <= 0.1 * n, f"{len(failed)} of {n} pairs fail:\n{listed}"


END_TO_END = [
    # language, riskier, safer
    (
        "en",
        "Magnetic building tiles for kids, with small magnets",
        "Magnetic building tiles for kids, without small magnets",
    ),
    ("en", "Soft plush toy bear, from 6 months", "Soft plush toy bear, 14+"),
    ("en", "Soft plush toy bear with small parts", "Soft plush toy bear with no small parts"),
    ("en", "Baby rattle, contains small parts", "Baby rattle, no small parts"),
    ("en", "Laser level, 5000mW", "Laser level, class 1 laser"),
    ("en", "Face cream with hydroquinone", "Face cream without hydroquinone"),
    ("en", "Face cream, no ingredients list", "Face cream, dermatologically tested"),
    ("en", "Necklace, contains nickel", "Necklace, nickel-free"),
    ("en", "Necklace, contains cadmium", "Necklace, lead-free"),
    ("en", "Electric kettle with unearthed plug", "Electric kettle with earthed plug"),
    ("en", "Electric kettle, no CE mark", "Electric kettle, CE marked, TUV tested"),
    ("en", "Phone wall charger, unbranded charger", "Phone wall charger, overload protection"),
    ("en", "Kids hooded jacket, hood with drawstring", "Kids hooded jacket, without drawstring"),
    ("en", "Battery fairy lights with button cell", "Battery fairy lights, screw-closed battery door"),
    ("en", "Bookcase, tall and narrow, no wall anchor", "Bookcase with anti-tip kit"),
    ("en", "Angle grinder without guard", "Angle grinder with blade guard"),
    ("en", "Pocket lighter, no child lock", "Pocket lighter, child-resistant"),
    ("en", "Toy slime kit, 3+", "Toy slime kit, 14+"),
    ("en", "Swim ring for kids, learn to swim", "Swim ring for kids, under adult supervision"),
    ("de", "Magnetbausteine mit starke Magnete", "Magnetbausteine ohne starke Magnete"),
    ("de", "Plüschtier Teddy, ab 6 Monaten", "Plüschtier Teddy, ab 14 Jahren"),
    ("de", "Plüschtier, enthält Kleinteile", "Plüschtier, keine Kleinteile"),
    ("de", "Gesichtscreme mit Hydrochinon", "Gesichtscreme ohne Hydrochinon"),
    ("fr", "Crème visage avec hydroquinone", "Crème visage sans hydroquinone"),
    ("fr", "Peluche ours, dès 6 mois", "Peluche ours, à partir de 14 ans"),
    ("es", "Crema facial con hidroquinona", "Crema facial sin hidroquinona"),
    ("es", "Peluche oso, a partir de 6 meses", "Peluche oso, a partir de 14 años"),
    ("it", "Crema viso con idrochinone", "Crema viso senza idrochinone"),
    ("pt", "Creme facial com hidroquinona", "Creme facial sem hidroquinona"),
    ("ru", "Крем для лица с гидрохиноном", "Крем для лица без гидрохинона"),
    ("ru", "Мягкая игрушка мишка, от 6 месяцев", "Мягкая игрушка мишка, от 14 лет"),
    ("pl", "Krem do twarzy, zawiera hydrochinon", "Krem do twarzy bez hydrochinonu"),
    ("nl", "Gezichtscrème met hydrochinon", "Gezichtscrème zonder hydrochinon"),
    ("tr", "Yüz kremi, hidrokinon içerir", "Yüz kremi, hidrokinon içermez"),
    ("ar", "كريم للوجه يحتوي على هيدروكينون", "كريم للوجه بدون هيدروكينون"),
    ("he", "קרם פנים עם הידרוקינון", "קרם פנים ללא הידרוקינון"),
    ("ja", "ぬいぐるみ くま 6ヶ月から", "ぬいぐるみ くま 14歳以上"),
    ("ko", "곰 인형 봉제인형 6개월부터", "곰 인형 봉제인형 14세 이상"),
    ("zh", "毛绒玩具熊 6个月以上", "毛绒玩具熊 14岁以上"),
    ("vi", "Gấu bông đồ chơi, từ 6 tháng", "Gấu bông đồ chơi, từ 14 tuổi"),
    ("id", "Boneka beruang, usia 6 bulan ke atas", "Boneka beruang, usia 14 tahun ke atas"),
    ("uk", "М'яка іграшка ведмедик, від 6 місяців", "М'яка іграшка ведмедик, від 14 років"),
]


def test_at_least_90_percent_of_the_pairs_move_the_right_way_end_to_end(
    small_model: HazardClassifier, default_plan: Plan
) -> None:
    def expected(title: str, language: str) -> float:
        answer = small_model.assess(Listing(id="1", title=title, language=language), default_plan)
        return sum(p * level.rank for level, p in answer.level_probabilities.items())

    wrong = [
        f"{language}: {riskier!r} {expected(riskier, language):.3f} against {safer!r} {expected(safer, language):.3f}"
        for language, riskier, safer in END_TO_END
        if expected(riskier, language) - expected(safer, language) < _LEAST_MOVE
    ]
    listed = "\n".join(wrong)
    assert len(wrong) <= 0.1 * len(END_TO_END), f"{len(wrong)} of {len(END_TO_END)} pairs fail:\n{listed}"
