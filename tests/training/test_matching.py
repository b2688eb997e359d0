"""Alerts rewritten as listings, weights with the signs that sense demands, words by rarity."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.domain.alert import Example
from models.knowledge.base import Knowledge
from models.matching.features import COLUMN, FEATURES
from models.matching.identifiers import mixed_forms, model_key, shortened
from models.matching.names import brand_key
from models.matching.rarity import Rarity
from training.matching.fitting import BY_HAND, expected_error, first_guess, fit
from training.matching.pairs import Pairs, Product, rewritten_alerts
from training.matching.rareness import weights_of_names, weights_of_words
from training.matching.rewriting import Named, slipped

ALERT = Example(
    id="2030w1-1",
    title="Toy xylophone - Melodika KX-204",
    brand="Zarvox",
    description="Multi-coloured Zarvox xylophone with metal bars. In a cardboard box. Two wooden sticks, model KX-204.",
)
NAMELESS = Example(id="2030w1-2", title="Candle", brand="Unknown", description="Candle in the form of a cake.")


def test_brand_and_model_are_read_as_they_are_written() -> None:
    assert Named.of(ALERT) == Named("Zarvox", "KX-204")
    assert Named.of(NAMELESS) == Named("", "")


def test_what_is_dropped_is_nowhere_in_the_listing(knowledge: Knowledge) -> None:
    written = rewritten_alerts([ALERT] * 60, [None] * 60, knowledge, ["de", "ru"], seed=1)
    assert {each.disguise.both_dropped for each in written} == {True, False}
    for each in written:
        whole = f"{each.listing.title} {each.listing.description} {brand_key(each.listing.brand)}".lower()
        if each.disguise.both_dropped:
            assert "zarvox" not in whole
            assert "204" not in whole
        if each.disguise.brand == "in the field":
            assert brand_key(each.listing.brand) == "zarvox"
        if each.disguise.model == "kept":
            assert "kx-204" in whole


def test_rewriting_is_the_same_for_the_same_seed(knowledge: Knowledge) -> None:
    one, same, other = (rewritten_alerts([ALERT], [None], knowledge, ["fr"], seed=seed) for seed in (3, 3, 4))
    assert one == same
    assert one != other


def test_an_alert_without_names_has_no_listing_that_keeps_them(knowledge: Knowledge) -> None:
    written = rewritten_alerts([NAMELESS], [None], knowledge, [], seed=0)
    assert [each.disguise.both_dropped for each in written] == [True]


@given(st.from_regex(r"[A-Z]{2}-?[0-9]{3,5}", fullmatch=True), st.integers(0, 1_000))
def test_a_slip_stays_near_the_number(model: str, seed: int) -> None:
    written, true = model_key(slipped(model, Random(seed))), model_key(model)
    near = written == true or written in shortened(true) or true in shortened(written)
    assert near or mixed_forms(written) & mixed_forms(true)


def test_alerts_of_one_brand_and_kind_name_model_or_code_may_be_one_product() -> None:
    alert = Product.of(ALERT, "toy-xylophone")
    renamed = replace(ALERT, title="Instrument for toddlers", description="")
    assert alert.may_be(Product.of(renamed, "toy-xylophone"))
    assert not alert.may_be(Product.of(renamed, None))
    assert alert.may_be(Product.of(replace(renamed, title="Melodika xylophones, toy"), None))
    assert alert.may_be(Product.of(replace(renamed, title="Instrument KX 204"), None))
    assert not alert.may_be(Product.of(replace(ALERT, brand="Mirelli"), "toy-xylophone"))
    code = "Bar code 4006381333931."
    assert Product.of(replace(ALERT, brand="Mirelli", description=code), None).may_be(
        Product.of(replace(renamed, brand="", description=code), None)
    )
    nameless = Product.of(NAMELESS, "candle")
    assert not nameless.may_be(Product.of(NAMELESS, "candle")), "without a brand nobody can tell"


def test_a_word_is_as_common_as_where_it_is_most_common() -> None:
    sellers = (Counter({"toy": 50, "cardboard": 4, "zarvox": 1}), 100)
    inspectors = (Counter({"toy": 10, "cardboard": 80}), 100)
    rarity = Rarity(weights_of_words([sellers, inspectors]))
    assert rarity.of("cardboard") < rarity.of("toy") < rarity.of("zarvox") == 100


def test_a_name_that_many_titles_say_tells_little() -> None:
    titles = ["Laser pointer"] * 50 + ["Zarvox lamp"] * 2 + [f"thing {i}" for i in range(48)]
    rarity = Rarity({}, weights_of_names(titles))
    assert rarity.of_name("laser") < 0.2
    assert rarity.of_name("zarvox") == 1.0


def _pairs(rng: np.random.Generator, n: int = 3_000) -> Pairs:
    """Pairs in which brand and words tell, and `kind` misleads."""
    features = (rng.random((n, len(FEATURES))) < 0.3).astype(np.float32)
    for name in BY_HAND:
        features[:, COLUMN[name]] = 0
    logits = (
        4 * features[:, COLUMN["brand"]] + 3 * features[:, COLUMN["text_words"]] - 3 * features[:, COLUMN["kind"]] - 3
    )
    return Pairs(features, rng.random(n) < 1 / (1 + np.exp(-logits)), np.arange(n))


@pytest.mark.parametrize("seed", [0, 1])
def test_weights_are_learnt_within_their_signs_and_probabilities_hold(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pairs = _pairs(rng)
    fitted = fit(pairs, np.arange(3_000) % 3 == 0, Rarity({}))
    weights = dict(zip(COLUMN, fitted.combiner.weights.tolist(), strict=True))
    assert weights["brand"] > 2.5
    assert weights["text_words"] > 1.5
    assert weights["kind"] == 0.0, "it would have to count against its side"
    assert all(weights[f.name] >= 0 if f.side == "for" else weights[f.name] <= 0 for f in FEATURES)
    assert fitted.expected_error < 0.06


def test_the_first_guess_has_the_signs_too() -> None:
    guess = first_guess(Rarity({}))
    assert all(w >= 0 if f.side == "for" else w <= 0 for f, w in zip(FEATURES, guess.weights, strict=True))


def test_the_expected_error_of_a_sure_mistake_is_one() -> None:
    assert expected_error(np.array([1.0, 1.0]), np.array([0.0, 0.0])) == 1.0
    assert expected_error(np.array([1.0, 0.0]), np.array([1.0, 0.0])) == 0.0
