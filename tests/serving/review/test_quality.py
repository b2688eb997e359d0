"""Agreement of reviewers, checked against scikit-learn, and what is told of each."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from serving.review.browsing import Filter
from serving.review.quality import cohens_kappa, quality
from tests.serving.review.conftest import ASK, BLOCK, NOW, RELEASE, Desk, answered

DAY = dt.timedelta(days=1)
words = st.sampled_from(["block", "publish", "request_information"])


@given(st.lists(st.tuples(words, words), min_size=1, max_size=60))
def test_kappa_is_that_of_the_reference(pairs: list[tuple[str, str]]) -> None:
    found = cohens_kappa(pairs)
    ones, others = zip(*pairs, strict=True)
    if len({*ones, *others}) == 1:
        assert found.kappa is None
    else:
        assert found.kappa == pytest.approx(cohen_kappa_score(ones, others))
    assert found.observed == sum(one == other for one, other in pairs) / len(pairs)


def test_agreement_needs_an_item_that_both_rated() -> None:
    with pytest.raises(ValueError, match="rated by both"):
        cohens_kappa([])


def test_what_is_told_of_each_reviewer(desk: Desk) -> None:
    desk.take(*(answered(f"l{i}") for i in range(4)))
    ids = [item.id for item in desk.browsing.page(Filter(), NOW)]
    desk.decide("ada", replace(BLOCK, seconds=10), ids[0])
    desk.decide("ben", replace(BLOCK, seconds=30), ids[0])
    desk.decide("ada", replace(BLOCK, seconds=20), ids[1])
    desk.decide("ben", replace(RELEASE, seconds=50), ids[1])
    desk.decide("cy", RELEASE, ids[1])
    desk.decide("ada", replace(ASK, seconds=60), ids[2])
    taken_back = desk.decide("ada", RELEASE, ids[3])
    desk.decisions.undo(taken_back, "ada", NOW)
    found = quality(desk.engine, NOW - DAY, NOW + DAY)
    ada, ben, cy = found.reviewers
    assert (ada.reviewer, ada.decisions, ada.seconds, ada.drift.one.value, ada.overruled) == ("ada", 3, 20, 1.0, 1)
    assert (ben.decisions, ben.seconds, ben.drift.one.value, ben.overruled) == (2, 40, 0.5, 0)
    assert ben.drift.other.value == 0.75
    assert not ben.drift.is_real, "of two decisions nothing can be said"
    assert cy.seconds is None
    (pair,) = found.pairs
    assert pair.reviewers == ("ada", "ben")
    assert (pair.agreement.items, pair.agreement.observed) == (2, 0.5)
    assert found.hazards["burns"].observed == 0.5


def test_only_the_period_counts(desk: Desk) -> None:
    desk.take(answered("a"))
    desk.decide("ada", ASK)
    assert quality(desk.engine, NOW + DAY, NOW + 2 * DAY).reviewers == []
    assert quality(desk.engine, NOW - DAY, NOW).reviewers == []
    assert len(quality(desk.engine, NOW, NOW + DAY).reviewers) == 1
