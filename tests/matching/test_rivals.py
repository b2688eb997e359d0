"""What other alerts say of a match: a better one speaks against it, one about the same product does not."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.domain.listing import Listing
from models.matching.combiner import logit, shipped_combiner
from models.matching.features import COLUMN
from models.matching.matcher import AlertMatcher, KnownAlert
from models.matching.rivals import Rivals
from models.matching.search import Shelf
from models.matching.signing import Signer
from tests.matching.conftest import ALERTS, drawn_signature


@settings(max_examples=20)
@given(st.integers(0, 10_000), st.sampled_from([1e-4, 0.1, 0.6]), st.sampled_from([0, 500]))
def test_it_is_all_one_whether_the_listing_asks_or_its_alerts(seed: int, least: float, few: int) -> None:
    rng, combiner = Random(seed), shipped_combiner()
    rivals = Rivals(combiner, [drawn_signature(rng) for _ in range(8)])
    listings = [drawn_signature(rng) for _ in range(6)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("models.matching.rivals._FEW", few)
        beside = rivals.beside([listing.to_bytes() for listing in listings], least)
    by_alert = Shelf(combiner, alert_asks=True)
    by_alert.add([listing.to_bytes() for listing in listings])
    for row, listing in enumerate(listings):
        hits = rivals.shelf.search([listing], least, 100)[0]
        assert beside[row] == {hit.row: hit.logit for hit in hits}
        weighed = {hit.row: hit.logit for hit in rivals.of_listing(hits)}
        for alert, signature in enumerate(rivals.alerts):
            (hit,) = by_alert.compare(signature, [row])
            if hit.logit >= logit(least):
                assert rivals.weighed(alert, hit, beside[row]).logit == weighed[alert]


@settings(max_examples=20)
@given(st.integers(0, 10_000))
def test_what_others_say_never_speaks_for_a_match_nor_against_the_best(seed: int) -> None:
    rng = Random(seed)
    rivals = Rivals(shipped_combiner(), [drawn_signature(rng) for _ in range(8)])
    hits = rivals.shelf.search([drawn_signature(rng)], 1e-4, 100)[0]
    weighed = {hit.row: hit for hit in rivals.of_listing(hits)}
    for hit in hits:
        assert weighed[hit.row].logit <= hit.logit
        assert 0 <= weighed[hit.row].features[COLUMN["fits_other"]] <= 1
    if hits:
        assert weighed[hits[0].row].logit == hits[0].logit


def test_two_alerts_that_share_a_number_do_not_speak_against_each_other(signer: Signer) -> None:
    xylophone, laser, _ = signer.alerts(ALERTS)
    rivals = Rivals(shipped_combiner(), [xylophone, xylophone, laser])
    assert rivals.kin(0) == rivals.kin(1) == {0, 1}
    (hit,) = rivals.shelf.compare(xylophone, [0])
    assert rivals.weighed(0, hit, {1: hit.logit + 5}).logit == hit.logit
    assert rivals.weighed(0, hit, {2: hit.logit + 5}).logit == pytest.approx(
        hit.logit + 0.5 * float(rivals.combiner.weights[COLUMN["fits_other"]]), abs=1e-4
    )


def test_a_sister_product_that_fits_better_speaks_against_up_to_a_limit(signer: Signer) -> None:
    plain = replace(ALERTS[0], models=(), barcodes=())
    sisters = [plain, replace(plain, title="Toy xylophone - Melodika grande")]
    one, other = signer.alerts(sisters)
    rivals = Rivals(shipped_combiner(), [one, other])
    assert rivals.kin(0) == {0, 1}
    (hit,) = rivals.shelf.compare(one, [0])
    weight = float(rivals.combiner.weights[COLUMN["fits_sister"]])
    assert rivals.weighed(0, hit, {1: hit.logit + 1.5}).logit == pytest.approx(hit.logit + 0.5 * weight, abs=1e-4)
    assert rivals.weighed(0, hit, {1: hit.logit + 9}).logit == pytest.approx(hit.logit + weight, abs=1e-4)
    assert rivals.weighed(0, hit, {1: hit.logit - 1}).logit == hit.logit


def test_a_match_says_that_another_alert_fits_better(signer: Signer) -> None:
    known = [KnownAlert(a.reference, a.title, a.url, s) for a, s in zip(ALERTS, signer.alerts(ALERTS), strict=True)]
    matcher = AlertMatcher(signer, known)
    listing = Listing(id="l", title="Mirelli baby rattle MR 310, three wooden rings")
    matches = matcher.match([listing], least=1e-9)
    assert matches[0].alert_id == ALERTS[2].reference
    others = {match.alert_id: {f.name: f.contribution for f in match.features} for match in matches[1:]}
    assert others
    assert all(features["fits_other"] < 0 for features in others.values())
    assert "fits_other" not in {feature.name for feature in matches[0].features}
