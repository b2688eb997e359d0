"""A listing finds its alert through every disguise, and says why; judgements are remembered."""

from __future__ import annotations

import pytest

from models.domain.listing import Listing
from models.domain.match import Match
from models.matching.judgements import Judged, Judgements
from models.matching.matcher import AlertMatcher, KnownAlert
from models.matching.signature import Signature
from models.matching.signing import Signer
from tests.matching.conftest import ALERTS

XYLOPHONE, LASER, RATTLE = (alert.reference for alert in ALERTS)


@pytest.fixture(scope="module")
def matcher(signer: Signer) -> AlertMatcher:
    return AlertMatcher.of(signer, ALERTS)


def _best(matcher: AlertMatcher, least: float = 0.1, **fields: object) -> Match | None:
    listing = Listing.model_validate({"id": "l", "title": "", **fields})
    return next(iter(matcher.match([listing], least)), None)


@pytest.mark.parametrize(
    "fields",
    [
        {"title": "Zarvox toy xylophone KX-204"},
        {"title": "Toy xylophone with 8 metal bars", "brand": "ZARVOX"},
        {"title": "Zаrvох xylophone for kids, metal bars"},
        {"title": "Toy xylophone KX204 metal bars", "brand": "No brand"},
        {"title": "Spielzeug Xylophon Zarvox KX204", "language": "de"},
        {"title": "Xylophone toy 8 bars", "gtin": "4006381333931"},
    ],
)
def test_brand_model_or_code_give_it_away(matcher: AlertMatcher, fields: dict[str, str]) -> None:
    match = _best(matcher, **fields)
    assert match is not None
    assert match.alert_id == XYLOPHONE
    assert match.probability > 0.3  # the small model knows fewer words
    assert match.url == "https://example.org/1"


def test_what_has_nothing_to_do_with_any_alert_has_no_match(matcher: AlertMatcher) -> None:
    assert _best(matcher, title="Cotton tote bag with long handles") is None
    assert _best(matcher, title="") is None


def test_without_brand_and_model_the_right_alert_comes_first(matcher: AlertMatcher) -> None:
    match = _best(matcher, least=1e-6, title="Wooden rattle with rings for babies, pastel")
    assert match is not None
    assert match.alert_id == RATTLE


def test_another_number_of_the_range_speaks_against_and_is_named(matcher: AlertMatcher) -> None:
    same = _best(matcher, title="Zarvox toy xylophone KX-204")
    other = _best(matcher, least=1e-6, title="Zarvox toy xylophone KX-999")
    assert same is not None
    assert other is not None
    assert other.probability < same.probability
    against = [feature for feature in other.features if feature.contribution < 0]
    assert "model_of_family" in {feature.name for feature in against}
    assert any("kx204" in feature.text for feature in against)
    assert any(reason.startswith("- ") for reason in other.reasons)


def test_contributions_and_bias_add_up_to_the_logit(matcher: AlertMatcher) -> None:
    import math

    match = _best(matcher, title="Zarvox toy xylophone KX-204 with bars")
    assert match is not None
    total = matcher.combiner.bias + sum(feature.contribution for feature in match.features)
    # Contributions too small to be worth a line are left out.
    assert math.log(match.probability / (1 - match.probability)) == pytest.approx(total, abs=0.2)
    assert [abs(f.contribution) for f in match.features] == sorted(
        (abs(f.contribution) for f in match.features), reverse=True
    )


def test_signatures_survive_as_json(signer: Signer) -> None:
    for signature in signer.alerts(ALERTS):
        again = Signature.from_json(signature.to_json())
        assert again.to_bytes() == signature.to_bytes()
        assert again.texts == signature.texts


def test_the_defect_of_an_alert_is_no_part_of_its_signature(signer: Signer) -> None:
    from dataclasses import replace

    plain, told = signer.alerts(
        [ALERTS[0], replace(ALERTS[0], hazard_text="Small parts may come off", measures="Recall")]
    )
    assert plain.to_bytes() == told.to_bytes()


class TestJudgements:
    """What people have said holds for equal and nearly equal content."""

    SOLD = Listing(
        id="seller-1",
        title="Zarvox toy xylophone KX-204",
        description="Multi-coloured xylophone with eight metal bars and two wooden sticks for small musicians.",
    )

    def _with(self, signer: Signer, *, confirmed: bool, alert: str = XYLOPHONE, known: bool = True) -> AlertMatcher:
        judged = Judged(alert, self.SOLD.content_hash(), signer.listings([self.SOLD])[0])
        judgements = Judgements([judged], []) if confirmed else Judgements([], [judged])
        alerts = [
            KnownAlert(a.reference, a.title, a.url, s) for a, s in zip(ALERTS, signer.alerts(ALERTS), strict=True)
        ]
        return AlertMatcher(signer, alerts if known else [], judgements)

    def test_a_refused_pair_does_not_come_back(self, signer: Signer) -> None:
        matcher = self._with(signer, confirmed=False)
        again = self.SOLD.model_copy(update={"id": "other-id", "price": "9.99"})
        assert [m for m in matcher.match([self.SOLD, again]) if m.alert_id == XYLOPHONE] == []

    def test_a_refusal_does_not_hold_for_another_offer(self, signer: Signer) -> None:
        matcher = self._with(signer, confirmed=False)
        other = Listing(id="x", title="Zarvox xylophone KX-204", gtin="4006381333931", description="Brand new in box.")
        assert [m.alert_id for m in matcher.match([other])] == [XYLOPHONE]

    def test_a_confirmed_product_is_known_under_another_id(self, signer: Signer) -> None:
        match = self._with(signer, confirmed=True).match([self.SOLD.model_copy(update={"id": "seller-2"})])[0]
        assert match.content == "identical"
        assert match.probability > 0.99

    def test_a_confirmed_product_is_known_under_another_name(self, signer: Signer) -> None:
        renamed = self.SOLD.model_copy(update={"id": "seller-3", "title": "Melody maker xylophone for kids"})
        match = self._with(signer, confirmed=True).match([renamed])[0]
        assert match.content == "nearly identical"
        assert match.alert_id == XYLOPHONE

    def test_another_model_is_not_taken_for_the_confirmed_one(self, signer: Signer) -> None:
        other = self.SOLD.model_copy(update={"id": "seller-4", "title": "Zarvox toy xylophone KX-999"})
        assert all(m.content == "other" for m in self._with(signer, confirmed=True).match([other], least=1e-6))

    def test_a_withdrawn_alert_still_holds_its_product_down(self, signer: Signer) -> None:
        matcher = self._with(signer, confirmed=True, known=False)
        match = matcher.match([self.SOLD])[0]
        assert (match.alert_id, match.content) == (XYLOPHONE, "identical")
