"""The corpus that is written from the knowledge base that ships with hazardlens."""

from __future__ import annotations

import dataclasses
import time
from collections import Counter
from itertools import islice

import numpy as np
import pytest

from models.classifier.scenarios import CueFact, ScenarioModel
from models.domain.errors import InputError
from models.domain.listing import LIMITS, Listing
from models.domain.risk import RiskLevel, highest, risk_level
from models.domain.taxonomy import Taxonomy, load_taxonomy
from models.knowledge.base import Knowledge, load_knowledge
from models.knowledge.matching import KnowledgeMatcher, matcher_of
from training.corpus import STYLES, CorpusListing, CorpusSettings, CorpusWriter, write_corpus
from training.corpus.cue_wording import CueWording
from training.corpus.phrase_book import PhraseBook, load_phrase_book

MEASURED = 6_000
JUDGED = 15_000


@pytest.fixture(scope="module")
def taxonomy() -> Taxonomy:
    return load_taxonomy()


@pytest.fixture(scope="module")
def knowledge(taxonomy: Taxonomy) -> Knowledge:
    return load_knowledge(taxonomy=taxonomy)


@pytest.fixture(scope="module")
def matcher(knowledge: Knowledge) -> KnowledgeMatcher:
    return matcher_of(knowledge)


@pytest.fixture(scope="module")
def book() -> PhraseBook:
    return load_phrase_book()


@pytest.fixture(scope="module")
def writer(knowledge: Knowledge, taxonomy: Taxonomy) -> CorpusWriter:
    return CorpusWriter(knowledge, taxonomy, CorpusSettings(size=MEASURED))


@pytest.fixture(scope="module")
def corpus(writer: CorpusWriter) -> list[CorpusListing]:
    return [writer.listing(i) for i in range(MEASURED)]


def fields(listing: Listing) -> dict[str, str]:
    return dict(listing.texts())


def all_text(listing: Listing) -> str:
    names = " ".join(listing.attributes)
    return " \n ".join([*fields(listing).values(), names, listing.price])


# --- reproducible ----------------------------------------------------------------------------------------------------


def test_same_seed_gives_the_same_corpus(knowledge: Knowledge, taxonomy: Taxonomy, corpus: list[CorpusListing]) -> None:
    again = list(islice(write_corpus(knowledge, taxonomy, CorpusSettings(size=MEASURED)), 300))
    assert again == corpus[:300]


def test_a_larger_corpus_begins_with_the_smaller_one(
    knowledge: Knowledge, taxonomy: Taxonomy, corpus: list[CorpusListing]
) -> None:
    settings = CorpusSettings(size=10 * MEASURED)
    larger = list(islice(write_corpus(knowledge, taxonomy, settings), 200))
    assert larger == corpus[:200]


def test_another_seed_gives_another_corpus(
    knowledge: Knowledge, taxonomy: Taxonomy, corpus: list[CorpusListing]
) -> None:
    other = CorpusWriter(knowledge, taxonomy, CorpusSettings(seed=7))
    assert all(other.listing(i).listing.title != corpus[i].listing.title for i in range(20))


def test_listings_can_be_written_in_any_order(writer: CorpusWriter, corpus: list[CorpusListing]) -> None:
    for i in (4_000, 3, 2_999, 0):
        assert writer.listing(i) == corpus[i]


# --- complete --------------------------------------------------------------------------------------------------------


def test_size_is_raised_until_every_kind_is_written_often_enough(knowledge: Knowledge, taxonomy: Taxonomy) -> None:
    few = dataclasses.replace(knowledge, kinds=knowledge.kinds[:5])
    counts = Counter(entry.kind for entry in write_corpus(few, taxonomy, CorpusSettings(size=1, min_per_kind=12)))
    assert counts == {kind.id: 12 for kind in few.kinds}


def test_kinds_are_written_equally_often(knowledge: Knowledge, corpus: list[CorpusListing]) -> None:
    counts = Counter(entry.kind for entry in corpus)
    assert len(counts) == len(knowledge.kinds)
    assert max(counts.values()) - min(counts.values()) <= 1


def test_english_takes_half_and_all_other_languages_share_the_rest(
    knowledge: Knowledge, corpus: list[CorpusListing]
) -> None:
    counts = Counter(entry.language for entry in corpus)
    named = {code for kind in knowledge.kinds for code in kind.names}
    assert set(counts) == named
    assert counts["en"] / len(corpus) == pytest.approx(0.5, abs=0.03)
    others = [count for code, count in counts.items() if code != "en"]
    assert max(others) < 2 * min(others)


def test_every_style_is_written(corpus: list[CorpusListing]) -> None:
    assert {entry.style for entry in corpus} == set(STYLES)


def test_every_english_name_leads_some_listing(knowledge: Knowledge, taxonomy: Taxonomy) -> None:
    few = dataclasses.replace(knowledge, kinds=knowledge.kinds[:8])
    settings = CorpusSettings(size=1_000, languages={"en": 1.0})
    leading = {(entry.kind, entry.names_used[0]) for entry in write_corpus(few, taxonomy, settings)}
    assert leading == {(kind.id, name) for kind in few.kinds for name in kind.names["en"]}


def test_names_used_are_the_kinds_own_and_the_first_stands_in_the_title(
    knowledge: Knowledge, corpus: list[CorpusListing]
) -> None:
    for entry in corpus:
        own = {name for names in knowledge.kind_by_id[entry.kind].names.values() for name in names}
        assert entry.names_used
        assert set(entry.names_used) <= own
    in_title = [e.names_used[0].casefold() in e.listing.title.casefold() for e in corpus if e.language == "en"]
    assert np.mean(in_title) > 0.9  # the rest is mistyped


def test_only_the_languages_asked_for_are_written(knowledge: Knowledge, taxonomy: Taxonomy) -> None:
    settings = CorpusSettings(size=50, min_per_kind=0, languages={"de": 3, "ja": 1})
    assert {entry.language for entry in write_corpus(knowledge, taxonomy, settings)} == {"de", "ja"}


def test_a_language_without_names_is_refused(knowledge: Knowledge, taxonomy: Taxonomy) -> None:
    with pytest.raises(InputError, match="no names in 'xx'"):
        write_corpus(knowledge, taxonomy, CorpusSettings(languages={"xx": 1.0}))


@pytest.mark.parametrize(
    "wrong",
    [
        {"size": -1},
        {"unsafe_share": 1.0},
        {"styles": {"poem": 1.0}},
        {"styles": {}},
        {"languages": {"en": 0.0}},
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InputError):
        CorpusSettings(**wrong)  # type: ignore[arg-type]


def test_no_listing_is_over_the_limits(corpus: list[CorpusListing]) -> None:
    for entry in corpus:
        listing = entry.listing
        assert listing.title.strip()
        assert len(listing.title) <= LIMITS["title"]
        assert len(listing.description) <= LIMITS["description"]
        assert len(listing.captions) <= LIMITS["captions"]
        assert entry.to_example().to_listing().title == listing.title


def test_no_slot_and_no_placeholder_is_left(corpus: list[CorpusListing]) -> None:
    for entry in corpus:
        text = " ".join(fields(entry.listing).values())
        assert not any(sign in text for sign in ("{", "}", "~", "  "))
        for name in entry.names_used:  # a title may shout "DETAIL SANDER"
            text = text.replace(name.upper(), name)
        assert not any(slot in text for slot in ("DETAIL", "MATERIAL"))


# --- labels follow from kind and cues --------------------------------------------------------------------------------


def test_labels_follow_from_kind_and_cues(
    knowledge: Knowledge, taxonomy: Taxonomy, corpus: list[CorpusListing]
) -> None:
    scenarios = ScenarioModel(knowledge, taxonomy)
    position = {kind.id: i for i, kind in enumerate(knowledge.kinds)}
    for entry in corpus[:400]:
        risks, i = scenarios.risks(entry.cues), position[entry.kind]
        present = np.flatnonzero(risks.share[i] > 0)
        possible = {taxonomy.names[j] for j in present}
        assert set(entry.labels) <= possible
        assert bool(entry.labels) == entry.unsafe
        assert entry.risk_level == highest(
            risk_level(int(risks.severity[i, j]), float(risks.probability[i, j])) for j in present
        )


def test_unsafe_share_is_reached_among_risky_kinds(writer: CorpusWriter, corpus: list[CorpusListing]) -> None:
    risky = [entry.unsafe for entry in corpus if entry.risk_level is not RiskLevel.NONE]
    assert np.mean(risky) == pytest.approx(0.4, abs=0.03)


def test_weights_take_the_tilt_back(knowledge: Knowledge, writer: CorpusWriter, corpus: list[CorpusListing]) -> None:
    position = {kind.id: i for i, kind in enumerate(knowledge.kinds)}
    expected = np.mean([writer.labeller.outlook(position[e.kind], e.cues).unsafe for e in corpus])
    weighted = sum(e.weight * e.unsafe for e in corpus) / sum(e.weight for e in corpus)
    assert weighted == pytest.approx(expected, abs=0.015)
    assert np.mean([e.weight for e in corpus]) == pytest.approx(1.0, abs=0.03)


def test_labels_are_as_frequent_as_they_are_expected(taxonomy: Taxonomy, corpus: list[CorpusListing]) -> None:
    unsafe = [entry for entry in corpus if entry.unsafe]
    expected = np.array([[entry.expected.get(name, 0.0) for name in taxonomy.names] for entry in unsafe])
    drawn = np.array([[name in entry.labels for name in taxonomy.names] for entry in unsafe])
    assert not drawn[expected == 0.0].any()
    assert drawn[expected == 1.0].all()
    error = np.sqrt((expected * (1.0 - expected)).sum(axis=0))
    assert (np.abs(drawn.sum(axis=0) - expected.sum(axis=0)) <= 4.0 * error).all()


def test_harmless_kinds_are_never_unsafe(knowledge: Knowledge, writer: CorpusWriter) -> None:
    for i, kind in enumerate(knowledge.kinds):
        if kind.harmless:
            outlook = writer.labeller.outlook(i, [CueFact("no-ce", False)])
            assert (outlook.unsafe, outlook.shares, outlook.level) == (0.0, (), RiskLevel.NONE)


def test_cues_do_not_contradict_each_other(book: PhraseBook, corpus: list[CorpusListing]) -> None:
    for entry in corpus:
        shown = [fact.cue for fact in entry.cues]
        assert len(shown) == len(set(shown)) <= 3
        for group in book.shared.exclusive_cues:
            assert len(set(shown) & set(group)) <= 1


def test_some_cues_are_denied(corpus: list[CorpusListing]) -> None:
    denied = [fact.negated for entry in corpus for fact in entry.cues]
    assert 0.005 < np.mean(denied) < 0.15


# --- the text says what the record says ------------------------------------------------------------------------------


def test_every_cue_of_the_record_is_placed_once(corpus: list[CorpusListing]) -> None:
    for entry in corpus:
        assert Counter(p.fact for p in entry.placements) == Counter(entry.cues)
        texts = fields(entry.listing)
        for placement in entry.placements:
            assert texts[placement.field][placement.start : placement.end].strip()


def test_the_knowledge_base_finds_nearly_every_placed_cue_again(
    matcher: KnowledgeMatcher, corpus: list[CorpusListing]
) -> None:
    found = []
    for entry in corpus:
        texts = fields(entry.listing)
        for p in entry.placements:
            hits = matcher.find(texts[p.field], entry.language).cues
            found.append(any(CueFact(h.cue, h.negated) == p.fact and h.start < p.end and p.start < h.end for h in hits))
    assert np.mean(found) > 0.98


def test_text_shows_hardly_any_cue_that_is_not_in_the_record(
    matcher: KnowledgeMatcher, corpus: list[CorpusListing]
) -> None:
    """Names may carry cues ("neodymium magnet balls"): those belong to the kind."""
    stray = 0
    for entry in corpus[:3_000]:
        shown = {fact.cue for fact in entry.cues}
        for field, text in fields(entry.listing).items():
            if field not in ("category", "brand"):
                found = matcher.find(text, entry.language)
                stray += any(
                    hit.cue not in shown and not any(hit.start < n.end and n.start < hit.end for n in found.names)
                    for hit in found.cues
                )
    assert stray / 3_000 < 0.02


def test_age_grades_are_written_as_numbers_in_every_language(
    knowledge: Knowledge, matcher: KnowledgeMatcher, book: PhraseBook
) -> None:
    wording = CueWording(knowledge, book, matcher)
    for language in book.languages:
        for cue in (cue for cue in knowledge.cues if cue.age is not None):
            grades = wording.age_grades(cue, language)
            numbered = [grade for grade in grades if any(c.isdigit() for c in grade)]
            assert len(numbered) == len(grades) >= 5, (language, cue.id)
            assert all(cue.id in {h.cue for h in matcher.find(g, language).cues} for g in grades), (language, cue.id)


@pytest.mark.parametrize("language", sorted(load_phrase_book().languages))
def test_templates_hold_no_cue(book: PhraseBook, matcher: KnowledgeMatcher, language: str) -> None:
    phrases = book.languages[language]
    kept = phrases.without(lambda text: bool(matcher.find(text, language).cues))
    assert kept == phrases


def test_every_language_of_the_knowledge_base_has_phrases(knowledge: Knowledge, book: PhraseBook) -> None:
    assert set(book.languages) == {language.code for language in knowledge.languages}


def test_marketplace_noise_is_there(corpus: list[CorpusListing]) -> None:
    assert np.mean([entry.wrong_category for entry in corpus]) == pytest.approx(0.1, abs=0.02)
    titles = [entry.listing.title for entry in corpus if entry.language == "en"]
    assert 0.02 < np.mean([title.isupper() for title in titles]) < 0.1
    assert 0.04 < np.mean([ord(title[0]) > 0x2000 for title in titles]) < 0.15
    assert np.mean([not entry.listing.description for entry in corpus]) > 0.3
    assert np.mean([bool(entry.listing.attributes) for entry in corpus]) > 0.2
    assert np.mean([bool(entry.listing.captions) for entry in corpus]) > 0.2
    russian = [entry.listing.title for entry in corpus if entry.language == "ru"]
    assert 0 < sum(not any("а" <= c <= "я" for c in title.lower()) for title in russian) < len(russian) / 5


def test_examples_keep_everything_training_needs(corpus: list[CorpusListing]) -> None:
    entry = next(e for e in corpus if e.unsafe and e.cues and e.listing.attributes)
    example = entry.to_example()
    assert (example.labels, example.risk_level, example.weight) == (entry.labels, entry.risk_level, entry.weight)
    assert example.extra["kind"] == entry.kind
    assert example.source == "corpus"
    assert all(value in example.description for value in entry.listing.attributes.values())


# --- style carries no label ------------------------------------------------------------------------------------------


def test_masked_listings_are_the_same_ones_without_their_words(
    knowledge: Knowledge, taxonomy: Taxonomy, corpus: list[CorpusListing]
) -> None:
    masked = list(islice(write_corpus(knowledge, taxonomy, CorpusSettings(size=MEASURED), masked=True), 500))
    leaking = 0
    for hidden, entry in zip(masked, corpus, strict=False):
        assert (hidden.kind, hidden.cues, hidden.unsafe, hidden.style) == (
            entry.kind,
            entry.cues,
            entry.unsafe,
            entry.style,
        )
        text = all_text(hidden.listing).casefold()
        leaking += any(name.casefold() in text for name in entry.names_used)
        for placement in entry.placements:
            words = fields(entry.listing)[placement.field][placement.start : placement.end]
            if len(words) > 12:
                assert words.casefold() not in text
    assert leaking <= 2  # a short name can stand inside a harmless word by chance


def auroc_of_text(texts: list[str], truth: list[bool]) -> float:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score

    cut = 2 * len(texts) // 3
    vectors = TfidfVectorizer(ngram_range=(1, 2), min_df=3, sublinear_tf=True, token_pattern=r"\S+").fit(texts[:cut])
    model = LogisticRegression(C=1.0, max_iter=400).fit(vectors.transform(texts[:cut]), truth[:cut])
    return float(roc_auc_score(truth[cut:], model.decision_function(vectors.transform(texts[cut:]))))


def test_style_carries_no_label(knowledge: Knowledge, taxonomy: Taxonomy) -> None:
    masked = list(write_corpus(knowledge, taxonomy, CorpusSettings(size=JUDGED), masked=True))
    texts = [
        f"{all_text(entry.listing)} lang={entry.listing.language} rows={len(entry.listing.attributes)} "
        f"pictures={len(entry.listing.captions)}"
        for entry in masked
    ]
    grave = [entry.risk_level in (RiskLevel.HIGH, RiskLevel.SERIOUS) for entry in masked]
    assert auroc_of_text(texts, [entry.unsafe for entry in masked]) == pytest.approx(0.5, abs=0.05)
    assert auroc_of_text(texts, grave) == pytest.approx(0.5, abs=0.05)


def test_the_same_classifier_reads_the_label_off_unmasked_text(knowledge: Knowledge, taxonomy: Taxonomy) -> None:
    """The test above would be worthless if its classifier could learn nothing from as many listings."""
    written = write_corpus(knowledge, taxonomy, CorpusSettings(size=JUDGED))
    english = [entry for entry in written if entry.language == "en"]
    texts = [all_text(entry.listing) for entry in english]
    grave = [entry.risk_level in (RiskLevel.HIGH, RiskLevel.SERIOUS) for entry in english]
    assert auroc_of_text(texts, grave) > 0.75


@pytest.mark.parametrize("trait", ["style", "language", "wrong_category"])
def test_unsafe_is_independent_of(trait: str, corpus: list[CorpusListing]) -> None:
    overall = np.mean([entry.unsafe for entry in corpus])
    for value in {getattr(entry, trait) for entry in corpus}:
        group = [entry.unsafe for entry in corpus if getattr(entry, trait) == value]
        error = np.sqrt(overall * (1 - overall) / len(group))
        assert abs(np.mean(group) - overall) < 4 * error, value


def test_writing_is_fast(writer: CorpusWriter, corpus: list[CorpusListing]) -> None:
    """4,000 a second on a free core; the bound leaves room for busy machines."""
    start = time.process_time()
    for i in range(2_000):
        writer.listing(i)
    assert 2_000 / (time.process_time() - start) > 1_200
