"""Which product kind a listing is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.classifier.composing import ComposedText, Composer
from models.classifier.kind_model import KindModel, name_strengths
from models.domain.errors import InputError
from models.domain.listing import Listing
from models.knowledge.base import Knowledge
from models.knowledge.matching import Findings, NameHit


@pytest.fixture(scope="module")
def three_kinds() -> tuple[KindModel, np.ndarray]:
    """A model of three well-separated kinds, and their centres."""
    rng = np.random.default_rng(0)
    centres = np.eye(3, 8, dtype=np.float32)
    kinds = np.repeat(np.arange(3), 40)
    embeddings = centres[kinds] + 0.1 * rng.standard_normal((120, 8)).astype(np.float32)
    return KindModel.fit(embeddings, kinds, 3, temperature=2.0, name_bonus=5.0), centres


def strengths(knowledge: Knowledge, composer: Composer, **fields: object) -> dict[str, float]:
    listing = Listing.model_validate({"id": "1", "title": "", **fields})
    text: ComposedText = composer.compose(listing, {})
    row = name_strengths([text], knowledge)[0]
    return {knowledge.kinds[int(i)].id: float(row[i]) for i in np.flatnonzero(row)}


def test_the_nearest_kind_is_the_likeliest(three_kinds: tuple[KindModel, np.ndarray]) -> None:
    model, centres = three_kinds
    assert model.judge(centres, np.zeros((3, 3))).posterior.argmax(axis=1).tolist() == [0, 1, 2]


@given(seed=st.integers(0, 1000), names=st.lists(st.floats(0, 1), min_size=3, max_size=3))
def test_the_posterior_is_a_distribution(
    three_kinds: tuple[KindModel, np.ndarray], seed: int, names: list[float]
) -> None:
    embedding = np.random.default_rng(seed).standard_normal((1, 8)).astype(np.float32)
    posterior = three_kinds[0].judge(embedding, np.array([names])).posterior
    assert (posterior >= 0).all()
    assert posterior.sum() == pytest.approx(1.0)


def test_a_name_in_the_text_raises_its_kind(three_kinds: tuple[KindModel, np.ndarray]) -> None:
    model, centres = replace(three_kinds[0], temperature=50.0), three_kinds[1]
    without, named = model.judge(centres[[0, 0]], np.array([[0, 0, 0], [0, 1.0, 0]])).posterior
    assert named[1] > without[1]


def test_a_higher_temperature_doubts_more(three_kinds: tuple[KindModel, np.ndarray]) -> None:
    model, centres = three_kinds
    doubting = replace(model, temperature=20.0)
    names = np.zeros((1, 3))
    assert doubting.judge(centres[:1], names).posterior.max() < model.judge(centres[:1], names).posterior.max()


def test_a_listing_like_its_kind_is_familiar_and_a_strange_one_is_not(
    three_kinds: tuple[KindModel, np.ndarray],
) -> None:
    model, centres = three_kinds
    strange = np.eye(8, dtype=np.float32)[[7]]
    familiarity = model.judge(np.concatenate([centres[:1], strange]), np.zeros((2, 3))).familiarity
    assert familiarity[0] == pytest.approx(1.0, abs=0.1)
    assert abs(familiarity[1]) < 0.2


def test_a_strange_listing_gives_most_of_its_posterior_to_the_background(
    three_kinds: tuple[KindModel, np.ndarray],
) -> None:
    model, centres = three_kinds
    market = model.with_background(np.array([[0.0, 0.2, 0.8], [0.0, 0.4, 0.6]]))
    assert market.background.tolist() == pytest.approx([0.0, 0.3, 0.7])
    strange = np.eye(8, dtype=np.float32)[[7]]
    named = np.array([[1.0, 0.0, 0.0]])
    posterior = market.judge(strange, named).posterior[0]
    assert posterior[2] > posterior[0], "even a name in the text does not make it the named kind"
    assert market.judge(centres[:1], named).posterior[0, 0] > 0.95


def test_the_background_of_a_model_without_a_market_is_every_kind_alike(
    three_kinds: tuple[KindModel, np.ndarray],
) -> None:
    assert three_kinds[0].background.tolist() == pytest.approx([1 / 3] * 3)


def test_a_kind_without_a_listing_is_refused_with_the_mend() -> None:
    with pytest.raises(InputError, match=r"1 product kinds have no listing \(write a larger corpus\)"):
        KindModel.fit(np.eye(2, dtype=np.float32), np.array([0, 2]), 3)


def test_a_name_in_the_title_counts_more_than_in_the_description(knowledge: Knowledge, composer: Composer) -> None:
    title, description = (
        strengths(knowledge, composer, **{field: "laser pointer"}) for field in ("title", "description")
    )
    assert title["laser-pointer"] == 1.0
    assert 0 < description["laser-pointer"] < 1.0


def test_a_name_said_twice_counts_once(knowledge: Knowledge, composer: Composer) -> None:
    said = strengths(
        knowledge, composer, title="laser pointer", description="laser pointer. laser pointer. laser pointer"
    )
    assert said["laser-pointer"] == 1.0


def test_no_name_gives_no_strength(knowledge: Knowledge, composer: Composer) -> None:
    assert strengths(knowledge, composer, title="zzqx") == {}


def test_kinds_that_share_a_name_share_its_strength(knowledge: Knowledge) -> None:
    one, other = knowledge.kinds[:2]
    found = Findings(names=(NameHit(one.id, 0, 4), NameHit(other.id, 0, 4)))
    row = name_strengths([ComposedText("lamp", (), {"title": found})], knowledge)[0]
    assert row[:2].tolist() == [0.5, 0.5]
