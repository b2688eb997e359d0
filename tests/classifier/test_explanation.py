"""Attributions add up to the logit, and every highlight is a slice of the seller's text."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.classifier.classifier import HazardClassifier
from models.classifier.heads import Blocks
from models.domain.listing import Listing

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


def test_what_no_word_explains_falls_on_special_tokens_alone(small_model: HazardClassifier) -> None:
    read = small_model.read(MAGNETS)
    encoding = small_model.encoder.encode(read.text.text)
    special = [i for i, (start, end) in enumerate(encoding.offsets) if end <= start]
    mean = encoding.tokens[special].astype(np.float64).sum(axis=0) / (len(encoding.tokens) * encoding.norm)
    for attribution, weights in zip(small_model.explain(MAGNETS), small_model.heads.dense, strict=True):
        assert attribution.rest == pytest.approx(float(mean @ weights), abs=1e-5)


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
