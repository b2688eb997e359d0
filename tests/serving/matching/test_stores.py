"""Signatures, judgements and the search over the store, on SQLite and on PostgreSQL."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from sqlalchemy import func, select, update

from models.classifier.classifier import HazardClassifier
from models.domain.listing import Listing
from models.matching.combiner import shipped_combiner
from models.matching.judgements import Judged, Judgements
from models.matching.matcher import KnownAlert
from models.matching.signing import Signer
from models.plan.plan import Plan
from serving.matching.judging import JudgementStore, Verdict
from serving.matching.recalls import KnownRecalls
from serving.matching.signatures import SignatureStore
from serving.matching.stored_listings import ListingSearch
from serving.store.assessments import Answered, AssessmentStore
from serving.store.database import writing
from serving.store.match_tables import AlertSignatureRow, SignatureRow
from serving.store.recall_tables import AlertRow
from tests.serving.matching.conftest import OFFER, XYLOPHONE, put_alert

NOW = dt.datetime(2026, 11, 26, tzinfo=dt.UTC)
OTHERS = ["Cotton tote bag", "Green laser pointer 5000mW", "Wooden baby rattle with rings", "Desk lamp with clamp"]


@pytest.fixture
def signer(small_model: HazardClassifier) -> Signer:
    return Signer(small_model, shipped_combiner().rarity)


@pytest.fixture
def filled(store: AssessmentStore, small_model: HazardClassifier, default_plan: Plan) -> AssessmentStore:
    """A store with the offer, the same under another id, and other listings; the last two without a signature."""
    signatures, recalls = SignatureStore(store.engine), KnownRecalls(small_model, store.engine)
    store.also = signatures.keep_within
    again = {**OFFER, "id": "again"}
    listings = [Listing.model_validate(raw) for raw in (OFFER, again)]
    listings += [Listing(id=f"o{i}", title=title) for i, title in enumerate(OTHERS)]
    signed = [Answered(each, small_model.assess(each, default_plan, recalls=recalls)) for each in listings[:-2]]
    store.save(signed)
    store.save([Answered(each, small_model.assess(each, default_plan)) for each in listings[-2:]])
    return store


def _alert(signer: Signer) -> KnownAlert:
    return KnownAlert("a1", XYLOPHONE.title, XYLOPHONE.url, signer.alerts([XYLOPHONE])[0])


def test_equal_content_has_one_signature(filled: AssessmentStore, signer: Signer) -> None:
    with filled.engine.connect() as connection:
        rows = connection.execute(select(SignatureRow.content_hash, SignatureRow.version)).all()
    assert len(rows) == len(set(rows)) == 3
    assert {row.version for row in rows} == {signer.version}


def test_an_alert_finds_every_listing_with_such_a_content(filled: AssessmentStore, signer: Signer) -> None:
    found = ListingSearch(signer, filled.engine).search([_alert(signer)], least=0.5)
    assert [match.listing_id for match in found.matches[0]] == ["again", "offer"]
    assert found.contents == 5, "what had no signature was signed first"
    assert any("kx204" in feature.text for feature in found.matches[0][0].features)


def test_both_directions_agree(filled: AssessmentStore, signer: Signer, small_model: HazardClassifier) -> None:
    put_alert(filled.engine)
    recalls = KnownRecalls(small_model, filled.engine)
    assert recalls.refresh()
    stored = ListingSearch(signer, filled.engine).search([_alert(signer)], least=1e-6).matches[0]
    listings = [Listing.model_validate(OFFER), *(Listing(id=f"o{i}", title=t) for i, t in enumerate(OTHERS))]
    asked = {m.listing_id: m for m in recalls.matcher.match(listings, least=1e-6)}
    assert "offer" in asked
    for match in stored:
        if match.listing_id in asked:
            assert match.probability == asked[match.listing_id].probability
            assert match.features == asked[match.listing_id].features


def test_a_search_sees_what_came_since_the_last(
    filled: AssessmentStore, signer: Signer, small_model: HazardClassifier, default_plan: Plan
) -> None:
    search = ListingSearch(signer, filled.engine)
    before = search.search([_alert(signer)], least=0.5)
    assert search.search([_alert(signer)], least=0.5) == before
    late = Listing.model_validate({**OFFER, "id": "late", "title": "Zarvox KX-204 xylophone toy"})
    filled.save([Answered(late, small_model.assess(late, default_plan))])
    after = search.search([_alert(signer)], least=0.5)
    assert after.contents == before.contents + 1
    assert {m.listing_id for m in after.matches[0]} == {"again", "offer", "late"}


def test_a_listing_that_offers_something_else_by_now_is_not_found(
    filled: AssessmentStore, signer: Signer, small_model: HazardClassifier, default_plan: Plan
) -> None:
    changed = Listing(id="again", title="Cotton tote bag in blue")
    filled.save([Answered(changed, small_model.assess(changed, default_plan))])
    found = ListingSearch(signer, filled.engine).search([_alert(signer)], least=0.5)
    assert [match.listing_id for match in found.matches[0]] == ["offer"]


def test_several_alerts_at_once_are_each_answered(filled: AssessmentStore, signer: Signer) -> None:
    alert = _alert(signer)
    search = ListingSearch(signer, filled.engine)
    alone = search.search([alert], least=0.3).matches[0]
    together = search.search([alert] * 3, least=0.3).matches
    assert together == [alone] * 3


def test_a_search_leaves_refused_contents_out_and_finds_what_is_like_a_confirmed_one(
    filled: AssessmentStore, signer: Signer, small_model: HazardClassifier, default_plan: Plan
) -> None:
    offer = Listing.model_validate(OFFER)
    renamed = offer.model_copy(update={"id": "renamed", "title": "Melody maker xylophone for kids"})
    filled.save([Answered(renamed, small_model.assess(renamed, default_plan))])
    judged = [Judged("a1", offer.content_hash(), signer.listings([offer])[0])]
    search = ListingSearch(signer, filled.engine)
    assert search.search([_alert(signer)], Judgements(refused=judged), 0.5).matches == [[]]
    found = search.search([_alert(signer)], Judgements(confirmed=judged), 0.9).matches[0]
    assert {match.listing_id: match.content for match in found} == {
        "again": "identical",
        "offer": "identical",
        "renamed": "nearly identical",
    }
    other = search.search([_alert(signer)], Judgements(refused=[replace(judged[0], alert_id="a2")]), 0.5)
    assert other == search.search_for({"a1": XYLOPHONE}, least=0.5)


def test_the_newest_verdict_stands(store: AssessmentStore) -> None:
    judgements, listing = JudgementStore(store.engine), Listing.model_validate(OFFER)
    assert judgements.newest() == 0
    judgements.judge("a1", [listing], Verdict.REFUSED, "ada", NOW, "other number")
    judgements.judge("a1", [listing], Verdict.CONFIRMED, "ben", NOW)
    judgements.judge("a2", [listing], Verdict.REFUSED, "ada", NOW)
    assert [(j.alert_id, j.verdict, j.person) for j in judgements.standing()] == [
        ("a1", Verdict.CONFIRMED, "ben"),
        ("a2", Verdict.REFUSED, "ada"),
    ]
    assert len(judgements.of_listing("offer")) == 3
    assert Listing.model_validate(judgements.standing()[0].listing) == listing


def test_a_verdict_can_be_kept_in_the_callers_transaction(store: AssessmentStore) -> None:
    judgements, listing = JudgementStore(store.engine), Listing.model_validate(OFFER)
    with writing(store.engine) as connection:
        judgements.judge("a1", [listing], Verdict.REFUSED, "ada", NOW, connection=connection)
        connection.rollback()
    assert judgements.standing() == []


def test_known_alerts_follow_the_database(store: AssessmentStore, small_model: HazardClassifier) -> None:
    recalls = KnownRecalls(small_model, store.engine)
    assert not recalls.refresh()
    put_alert(store.engine)
    assert recalls.refresh()
    assert not recalls.refresh()
    version = recalls.version
    assert [alert.id for alert in recalls.matcher.alerts] == ["a1"]
    with writing(store.engine) as connection:
        connection.execute(update(AlertRow).values(withdrawn_at=NOW))
    assert recalls.refresh()
    assert recalls.version != version
    assert len(recalls.matcher) == 0


def test_alerts_that_were_read_once_are_not_encoded_again(
    store: AssessmentStore, small_model: HazardClassifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_alert(store.engine)
    KnownRecalls(small_model, store.engine).refresh()
    with store.engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(AlertSignatureRow)).scalar_one() == 1
    again = KnownRecalls(small_model, store.engine)
    monkeypatch.setattr(Signer, "alerts", lambda self, alerts: [] if not alerts else pytest.fail("read again"))
    assert again.refresh()
    assert [alert.id for alert in again.matcher.alerts] == ["a1"]
