"""Attributions add up to the logit, and every highlight is a slice of the seller's text."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.classifier.classifier import HazardClassifier
from models.classifier.explanation import Explainer
from models.classifier.heads import Blocks, LinearHeads
from models.domain.listing import Listing
from models.domain.risk import RiskLevel

MAGNETS = Listing(
    id="1",
    title="Magnetic balls 5 mm, 216 pieces",
    description="Strong magnets. For children from 3 years.",
    category="Toys",
    attributes={"material": "neodymium"},
)
RUSSIAN = Listing(id="2", title="Лазерная указка 5000mW для детей")


def logits_of(model: HazardClassifier, listing: Listing) -> list[float]:
    """The logits as the heads score them: another way than the attribution's."""
    read = model.read(listing)
    embedding = model.encoder.encode(read.text.text).embedding[None, :]
    opinion = model.opinions([read], embedding)[0]
    blocks = Blocks(embedding, model.sparse.transform([read.text.text]), opinion.knowledge[None, :])
    return [float(logit) for logit in model.heads.logits(blocks)[0]]


@settings(max_examples=100)
@given(st.data())
def test_the_attribution_of_every_risk_type_adds_up_to_its_logit(
    small_model: HazardClassifier, listings: st.SearchStrategy[Listing], data: st.DataObject
) -> None:
    listing = data.draw(listings)
    attributions = small_model.explain(listing)
    assert [a.risk_type for a in attributions] == list(small_model.taxonomy.names)
    for attribution, logit in zip(attributions, logits_of(small_model, listing), strict=True):
        highlighted = sum(highlight.weight for highlight in attribution.highlights)
        assert attribution.bias + highlighted + attribution.rest == pytest.approx(logit, abs=1e-4)
        assert attribution.bias + sum(attribution.parts.values()) == pytest.approx(logit, abs=1e-4)
        assert attribution.logit == pytest.approx(logit, abs=1e-4)


@settings(max_examples=60)
@given(st.data())
def test_every_highlight_is_the_slice_of_its_field(
    small_model: HazardClassifier, listings: st.SearchStrategy[Listing], data: st.DataObject
) -> None:
    listing = data.draw(listings)
    fields = dict(listing.texts())
    for attribution in small_model.explain(listing):
        for highlight in attribution.highlights:
            assert highlight.text == fields[highlight.field][highlight.start : highlight.end] != ""


@settings(max_examples=40)
@given(st.data())
def test_every_cue_is_the_slice_of_its_field(
    small_model: HazardClassifier, listings: st.SearchStrategy[Listing], data: st.DataObject
) -> None:
    listing = data.draw(listings)
    fields = dict(listing.texts())
    for findings_field, findings in small_model.read(listing).text.findings.items():
        for hit in findings.cues:
            assert 0 <= hit.start < hit.end <= len(fields[findings_field])


def test_the_encoders_share_that_no_word_has_is_that_of_special_tokens_and_punctuation(
    small_model: HazardClassifier,
) -> None:
    explained = small_model.explained(MAGNETS)
    heads = small_model.heads
    encoder_alone = LinearHeads(heads.dense, np.zeros_like(heads.sparse), np.zeros_like(heads.knowledge), heads.bias)
    explainer = Explainer(encoder_alone, small_model.sparse, small_model.kind_model, small_model.scenario_model)
    shares = explainer.hazard_shares(explained, range(len(heads.bias)))
    text, encoding = explained.read.text.text, explained.encoding
    rest = [i for i, (start, end) in enumerate(encoding.offsets) if not any(c.isalnum() for c in text[start:end])]
    mean = encoding.tokens[rest].astype(np.float64).sum(axis=0) / (len(encoding.tokens) * encoding.norm)
    assert len(rest) > 2
    assert shares.rest == pytest.approx(heads.dense @ mean, abs=1e-5)
    assert shares.weights.sum(axis=0) + shares.rest + heads.bias == pytest.approx(shares.totals, abs=1e-5)


@settings(max_examples=30)
@given(level=st.sampled_from(list(RiskLevel)), data=st.data())
def test_the_words_of_the_level_add_up_to_the_log_odds_of_its_kinds(
    small_model: HazardClassifier, listings: st.SearchStrategy[Listing], level: RiskLevel, data: st.DataObject
) -> None:
    listing = data.draw(listings)
    explained = small_model.explained(listing)
    members = small_model.explainer.members(explained, level)
    if members.all() or not members.any():
        with pytest.raises(ValueError, match="every kind or none"):
            small_model.explainer.level_shares(explained, members)
        return
    shares = small_model.explainer.level_shares(explained, members)
    inside = float(explained.opinion.known[members].sum())
    outside = float(explained.opinion.known[~members].sum())
    assert shares.totals[0] == pytest.approx(np.log(inside / outside), abs=1e-4)
    added = shares.bias + shares.parts["kinds"] + shares.parts["names"]
    assert added == pytest.approx(shares.totals, abs=1e-3 * max(1.0, abs(float(shares.bias[0]))))
    assert shares.weights.sum(axis=0) + shares.rest + shares.bias == pytest.approx(shares.totals, abs=1e-9)


def test_a_name_speaks_for_its_kind(small_model: HazardClassifier) -> None:
    explained = small_model.explained(RUSSIAN)
    members = small_model.explainer.members(explained, RiskLevel.SERIOUS)
    shares = small_model.explainer.level_shares(explained, members)
    strongest = shares.spans[int(shares.weights[:, 0].argmax())]
    assert RUSSIAN.title[strongest[1] : strongest[2]] == "Лазерная указка"


def test_the_level_none_is_told_by_kinds_without_a_scenario(small_model: HazardClassifier) -> None:
    explained = small_model.explained(Listing(id="1", title="Cotton T-shirt, white"))
    members = small_model.explainer.members(explained, RiskLevel.NONE)
    assert (members == small_model.scenario_model.harmless).all()


def test_highlights_are_sorted_by_the_size_of_their_share(small_model: HazardClassifier) -> None:
    for attribution in small_model.explain(MAGNETS):
        sizes = [abs(highlight.weight) for highlight in attribution.highlights]
        assert sizes == sorted(sizes, reverse=True)


def test_a_place_is_highlighted_once(small_model: HazardClassifier) -> None:
    for attribution in small_model.explain(MAGNETS):
        places = [(h.field, h.start, h.end) for h in attribution.highlights]
        assert len(set(places)) == len(places)


def test_words_of_every_field_are_highlighted(small_model: HazardClassifier) -> None:
    fields = {h.field for a in small_model.explain(MAGNETS) for h in a.highlights}
    assert fields == {"title", "description", "category", "attributes.material"}


def test_glossed_words_are_highlighted_in_the_sellers_own_language(small_model: HazardClassifier) -> None:
    words = {h.text for a in small_model.explain(RUSSIAN, ["damage to sight"]) for h in a.highlights}
    assert {"Лазерная указка", "5000mW"} <= words


def test_only_the_risk_types_asked_for_are_explained(small_model: HazardClassifier) -> None:
    assert [a.risk_type for a in small_model.explain(MAGNETS, ["fire", "choking"])] == ["fire", "choking"]


def test_explaining_is_the_same_every_time(small_model: HazardClassifier) -> None:
    assert small_model.explain(MAGNETS) == small_model.explain(MAGNETS)


def test_a_listing_without_words_is_explained_by_the_bias_and_the_rest(small_model: HazardClassifier) -> None:
    for attribution in small_model.explain(Listing(id="1", title="")):
        assert attribution.highlights == []
        assert attribution.bias + attribution.rest == pytest.approx(attribution.logit, abs=1e-9)
