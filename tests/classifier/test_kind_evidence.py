"""The product kinds' logits split exactly, and the hazards' knowledge features are followed along a path."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import softmax

from models.classifier.classifier import HazardClassifier
from models.classifier.kind_evidence import knowledge_weights, named_kinds, set_weights
from models.classifier.kind_model import name_strengths
from models.domain.listing import Listing

LOGITS = arrays(np.float64, 6, elements=st.floats(-30, 30))


@given(LOGITS, st.lists(st.booleans(), min_size=6, max_size=6))
def test_the_log_odds_of_a_set_of_kinds_are_linear_in_their_logits(
    logits: np.ndarray[tuple[int], np.dtype[np.float64]], chosen: list[bool]
) -> None:
    members, posterior = np.array(chosen), softmax(logits)
    if members.all() or not members.any():
        with pytest.raises(ValueError, match="every kind or none"):
            set_weights(posterior, members)
        return
    weights, log_odds, constant = set_weights(posterior, members)
    assert log_odds == pytest.approx(np.log(posterior[members].sum() / posterior[~members].sum()), abs=1e-9)
    assert weights @ logits + constant == pytest.approx(log_odds, abs=1e-8)
    assert weights.sum() == pytest.approx(0.0, abs=1e-12)


def test_shares_along_the_path_add_up_to_the_way_from_any_kind_to_this_one(small_model: HazardClassifier) -> None:
    opinion = small_model.explained(Listing(id="1", title="Laser pointer")).opinion
    hazard = np.array([small_model.taxonomy.names.index("damage to sight")])
    logits = np.log(opinion.kinds)
    logits -= logits.mean()  # any kind: all logits 0
    weights = knowledge_weights(opinion.kinds, opinion.risks, hazard, steps=512)
    any_kind = np.full(len(logits), 1 / len(logits))
    begin, end = small_model.scenario_model.hazard_log_odds(np.stack([any_kind, opinion.kinds]), [opinion.risks] * 2)
    moved = end[hazard[0]] - begin[hazard[0]]
    assert moved > 1
    assert weights[0] @ logits == pytest.approx(moved, rel=0.05)


def test_named_kinds_have_the_strengths_that_the_kind_model_counts(small_model: HazardClassifier) -> None:
    listing = Listing(id="1", title="Laser pointer", description="A laser pointer and a baby rattle. Laser pointer!")
    text = small_model.read(listing).text
    strengths = name_strengths([text], small_model.knowledge)[0]
    named = named_kinds(text, small_model.knowledge)
    assert {name.kind: name.strength for name in named} == {int(i): strengths[i] for i in np.flatnonzero(strengths)}
    pointer = next(n for n in named if small_model.knowledge.kinds[n.kind].id == "laser-pointer")
    assert pointer.places == (("title", 0, 13),)
