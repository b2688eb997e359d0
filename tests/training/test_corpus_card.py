"""The dataset card, near-duplicates, and the small parts of the corpus writer."""

from __future__ import annotations

import gzip
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.classifier.scenarios import CueFact
from models.domain.errors import InputError
from models.domain.risk import RiskLevel
from models.domain.taxonomy import Taxonomy, load_taxonomy
from models.knowledge.base import Knowledge
from models.knowledge.kinds import Cue, LanguageProfile, ProductKind
from training.corpus import CorpusSettings, write_corpus
from training.corpus.card import write_card
from training.corpus.labelling import Labeller, Outlook
from training.corpus.near_duplicates import near_duplicate_rate
from training.corpus.ordering import strolled
from training.corpus.phrase_book import load_phrase_book
from training.corpus.seller_noise import SellerNoise, load_letters
from training.corpus.spans import Span, capitalised, joined, placements, plain, unmasked, written
from training.corpus.templates import Template


@pytest.fixture(scope="module")
def taxonomy() -> Taxonomy:
    return load_taxonomy()


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    """Two kinds, three cues, two languages: enough to be read in full."""
    rattle = ProductKind.model_validate(
        {
            "id": "rattle",
            "category": "Toys",
            "consumers": "very_vulnerable",
            "level": "high",
            "unsafe": 0.3,
            "family": "toys",
            "hazards": {
                "choking": {"share": 0.8, "severity": 4, "injury": 1.0e-4, "scenario": "A baby swallows a bead."}
            },
            "aggravating": ["small-parts"],
            "mitigating": ["age-14-plus"],
            "details": ["bright colours", "small parts inside"],
            "names": {"en": ["rattle", "shaker"], "de": ["Rassel"]},
        }
    )
    book = ProductKind.model_validate(
        {
            "id": "book",
            "category": "Stationery",
            "consumers": "other",
            "level": "none",
            "unsafe": 0.0,
            "family": "paper",
            "details": ["200 pages"],
            "names": {"en": ["novel"], "de": ["Roman"]},
        }
    )
    cues = [
        {
            "id": "small-parts",
            "effect": "aggravating",
            "unsafe": 3,
            "hazards": {"choking": 4},
            "injury": 3,
            "phrases": {"en": ["tiny beads"]},
        },
        {
            "id": "age-14-plus",
            "effect": "mitigating",
            "unsafe": 0.3,
            "hazards": {"choking": 0.2},
            "injury": 0.2,
            "age": {"from": 168},
        },
        {"id": "no-brand", "effect": "aggravating", "unsafe": 1.3, "phrases": {"en": ["noname"], "de": ["markenlos"]}},
    ]
    languages = [
        {
            "code": "en",
            "name": "English",
            "negators_before": ["without"],
            "months": ["months"],
            "years": ["years"],
            "from_words": ["from"],
        },
        {
            "code": "de",
            "name": "German",
            "negators_before": ["ohne"],
            "months": ["Monate"],
            "years": ["Jahre"],
            "from_words": ["ab"],
        },
    ]
    return Knowledge(
        (rattle, book),
        tuple(Cue.model_validate(cue) for cue in cues),
        tuple(LanguageProfile.model_validate(language) for language in languages),
        {},
    )


def test_card_tells_what_the_corpus_holds(knowledge: Knowledge, taxonomy: Taxonomy, tmp_path: Path) -> None:
    settings = CorpusSettings(size=400, seed=3)
    path = tmp_path / "card.md"
    measures = write_card(path, write_corpus(knowledge, taxonomy, settings), settings)
    text = path.read_text(encoding="utf-8")
    assert measures.size == 400
    assert measures.kinds == {"rattle": 200, "book": 200}
    for part in (
        "400 listings of 2 product kinds",
        "seed 3",
        "| none | ",
        "| choking | ",
        "| inspector | ",
        "| de | ",
        "Vocabulary: ",
        "Near-duplicates: ",
        "| title median | ",
        "Unsafe: ",
    ):
        assert part in text
    assert "real listings |" not in text


def test_card_compares_lengths_with_real_listings(knowledge: Knowledge, taxonomy: Taxonomy, tmp_path: Path) -> None:
    rows = 'id,title,description\n1,"a title, with comma","two\nlines"\n2,another,\n'
    (tmp_path / "ordinary_listings_sample.csv.gz").write_bytes(gzip.compress(rows.encode()))
    settings = CorpusSettings(size=50)
    measures = write_card(tmp_path / "card.md", write_corpus(knowledge, taxonomy, settings), settings, tmp_path)
    assert measures.real.titles == [19, 7]
    assert measures.real.descriptions == [9, 0]
    assert "| without description, % | " in (tmp_path / "card.md").read_text(encoding="utf-8")
    assert measures.real.rows()["without description, %"] == 50


def test_details_that_hold_a_cue_are_never_written(knowledge: Knowledge, taxonomy: Taxonomy) -> None:
    clash = knowledge.cues[0].model_copy(update={"phrases": {"en": ["small parts", "tiny beads"]}})
    with_clash = Knowledge(knowledge.kinds, (clash, *knowledge.cues[1:]), knowledge.languages, {})
    for entry in write_corpus(with_clash, taxonomy, CorpusSettings(size=300)):
        if all(fact.cue != "small-parts" for fact in entry.cues):
            assert "small parts" not in entry.listing.model_dump_json().casefold()


def test_a_cue_without_words_in_a_language_is_written_in_english(knowledge: Knowledge, taxonomy: Taxonomy) -> None:
    entries = list(write_corpus(knowledge, taxonomy, CorpusSettings(size=400, languages={"de": 1.0})))
    shown = [e for e in entries if CueFact("small-parts", False) in e.cues]
    assert shown
    assert all("tiny beads" in e.listing.model_dump_json().casefold() for e in shown)
    branded = [e for e in entries if any(fact.cue == "no-brand" for fact in e.cues)]
    assert branded
    assert all("markenlos" in e.listing.model_dump_json().casefold() for e in branded)


def test_near_duplicates_are_found_whatever_the_case_and_spacing() -> None:
    train = "Wooden train with five wagons, painted blue"
    texts = [train, train.upper().replace(" ", "  ") + "!", "hair dryer"]
    assert near_duplicate_rate(texts) == pytest.approx(1 / 3)
    assert near_duplicate_rate([]) == 0.0


@given(st.lists(st.integers()), st.integers(0, 99))
def test_a_stroll_visits_everything_once(items: list[int], seed: int) -> None:
    assert sorted(strolled(items, Random(seed))) == sorted(items)


@given(st.floats(0.001, 0.999), st.floats(-3, 3), st.integers(0, 999))
def test_weights_balance_every_draw(probability: float, tilt: float, seed: int) -> None:
    """E[weight] = 1 and E[weight x unsafe] = probability, whatever the tilt."""
    labeller = Labeller(Knowledge((), (), (), {}), load_taxonomy(), tilt)
    outlook = Outlook(probability, (("fire", 0.4), ("burns", 0.2)), RiskLevel.HIGH)
    tilted = labeller.tilted(probability)
    verdict = labeller.draw(outlook, Random(seed))
    expected = probability / tilted if verdict.unsafe else (1 - probability) / (1 - tilted)
    assert verdict.weight == pytest.approx(expected)
    assert bool(verdict.labels) == verdict.unsafe
    assert tilted * (probability / tilted) + (1 - tilted) * ((1 - probability) / (1 - tilted)) == pytest.approx(1.0)


def test_template_leaves_out_chunks_without_words() -> None:
    words = {"name": [Span("lamp", "NAME", "name")], "brand": [], "colour": [plain("red")]}
    template = Template.title("{brand} {name} in~{colour} by~{brand}")
    assert written(template.filled(lambda slot: words[slot])) == "lamp in red"
    assert written(template.filled(lambda slot: words[slot]), masked=True) == "NAME in red"
    assert Template.sentence("{name} by {brand}.").filled(lambda slot: words[slot]) == []


def test_template_with_an_unknown_slot_is_refused() -> None:
    with pytest.raises(InputError, match="no slot 'hazard'"):
        Template.sentence("{hazard}")


def test_cues_know_where_they_stand() -> None:
    fact = CueFact("small-parts", False)
    spans = capitalised(joined([[plain("blue")], [Span("tiny beads", "", "cue", fact)], [plain("new")]], ", "))
    text = written(spans)
    (placed,) = placements(spans, "title")
    assert text == "Blue, tiny beads, new"
    assert text[placed.start : placed.end] == "tiny beads"
    assert written(spans, masked=True) == "Blue, new"
    assert written(unmasked(spans), masked=True) == ""


def test_sellers_lose_accents_and_script() -> None:
    noise = SellerNoise(["qwertyuiop"], load_letters())
    assert noise.slug("Деревянная игрушка", "ru") == "derevyannaya-igrushka"
    assert noise.slug("Jucărie de pluș", "ro") == "jucarie-de-plus"
    assert written(noise.latinised([plain("łóżko"), Span("bez magnesów", "", "cue")], "pl")) == "lozkobez magnesów"


@given(st.text(min_size=5, max_size=40), st.integers(0, 500))
def test_typing_errors_spare_cues(text: str, seed: int) -> None:
    noise = SellerNoise(["qwertyuiop", "asdfghjkl"], {})
    cue = Span("tiny beads", "", "cue")
    assert noise.mistyped([plain(text), cue], Random(seed))[1] == cue


def test_a_word_of_one_letter_is_not_lost() -> None:
    noise = SellerNoise([], {})
    assert {written(noise.mistyped([plain("1 a 2")], Random(seed))) for seed in range(200)} == {"1 a 2"}


def test_phrase_book_names_the_file_that_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no English phrases"):
        load_phrase_book(tmp_path)
    (tmp_path / "phrases").mkdir()
    (tmp_path / "phrases" / "en.yaml").write_text("titles: []\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"en\.yaml"):
        load_phrase_book(tmp_path)
