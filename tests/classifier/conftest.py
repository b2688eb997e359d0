from __future__ import annotations

import pytest
from hypothesis import strategies as st

from models.classifier.composing import Composer, load_boilerplate
from models.classifier.encoder import OnnxEncoder
from models.classifier.scenarios import ScenarioModel
from models.domain.listing import Listing
from models.domain.taxonomy import Taxonomy
from models.knowledge.base import Knowledge
from models.knowledge.matching import KnowledgeMatcher, matcher_of

SNIPPETS = (
    "Laser pointer 5000mW, button cell",
    "14+",
    "from 6 months",
    "without magnets",
    "free shipping",
    "[NEW] ★ 【HOT】 {3 pcs}",
    "Лазерная указка с магнитами",
    "від 3 років",
    "Spielzeug mit Knopfzelle für Kinder",
    "jouet à aimants",
    "مؤشر ليزر للأطفال",
    "צעצוע עם מגנטים",
    "強力な磁石 おもちゃ",
    "레이저 포인터",
    "ของเล่น แม่เหล็ก",
    "激光笔 5000mW",
    "लेजर पॉइंटर",
    "παιχνίδι",
    "cafe\u0301 ﬁre ＣＲ２０３２",
    "🧲😀👩\u200d👧",
    "ب\u064eط\u0651ارية",
    "\u200b\u200d\ufeff",
    "\t\n \u00a0",
    "తెలుగు బొమ్మ",
)


@pytest.fixture(scope="session")
def texts() -> st.SearchStrategy[str]:
    """Texts over ten scripts and more, with emoji, combining marks, ligatures, invisible characters, nothing at all."""
    scripts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
    return st.lists(st.one_of(st.sampled_from(SNIPPETS), scripts), max_size=5).map(" ".join)


@pytest.fixture(scope="session")
def listings(texts: st.SearchStrategy[str]) -> st.SearchStrategy[Listing]:
    """Listings of such texts in any field."""
    return st.builds(
        Listing,
        id=st.just("1"),
        title=texts,
        description=texts,
        category=texts,
        brand=texts,
        captions=st.lists(texts, max_size=2),
        attributes=st.dictionaries(st.sampled_from("ab"), texts, max_size=2),
        warnings=st.lists(texts, max_size=2),
    )


@pytest.fixture(scope="session")
def matcher(knowledge: Knowledge) -> KnowledgeMatcher:
    return matcher_of(knowledge)


@pytest.fixture(scope="session")
def composer(matcher: KnowledgeMatcher) -> Composer:
    return Composer(matcher, load_boilerplate())


@pytest.fixture(scope="session")
def scenario_model(knowledge: Knowledge, taxonomy: Taxonomy) -> ScenarioModel:
    return ScenarioModel(knowledge, taxonomy)


@pytest.fixture(scope="session")
def encoder() -> OnnxEncoder:
    """The embedded encoder."""
    from training.encoder_export import export_encoder

    exported = export_encoder()
    return OnnxEncoder(exported.graph, exported.tokenizer, max_tokens=64, threads=2)
