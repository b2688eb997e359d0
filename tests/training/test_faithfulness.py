"""The measures of an explanation's faithfulness, and that ours passes them."""

from __future__ import annotations

import numpy as np
import pytest

from models.classifier import rereading
from models.classifier.classifier import HazardClassifier
from models.classifier.explanation import ExplainedListing
from models.classifier.placing import Place
from models.domain.listing import Listing
from training.faithfulness import curve, faithfulness, make_case, one_by_one, randomised, reread_order, tau

LISTINGS = [
    Listing(
        id="1", title="Green laser pointer pen 5000 mW", description="Burns paper and pops balloons in the garden."
    ),
    Listing(
        id="2", title="Magnetic balls, 216 pieces, strong magnets", description="Cube puzzle for your desk, gift box."
    ),
    Listing(
        id="3", title="Baby rattle with small parts", description="Soft colours, light in the hand, from 3 months."
    ),
    Listing(id="4", title="Electric kettle 2200 W", description="Boils water fast, steel, one litre and a half."),
    Listing(
        id="5", title="Amber necklace for teething babies", description="Natural stones on a string, with a clasp."
    ),
    Listing(id="6", title="Skin lightening cream 50 ml", description="For face and hands, apply twice a day at most."),
    Listing(id="7", title="x"),
]


@pytest.fixture(scope="module")
def figures(small_model: HazardClassifier) -> dict[str, float]:
    return faithfulness(small_model, LISTINGS, seed=1)


def test_our_ranking_beats_chance_and_a_randomised_head(figures: dict[str, float]) -> None:
    for other in ("_random", "_random_head"):
        assert figures["comprehensiveness"] > figures[f"comprehensiveness{other}"] + 0.1
        assert figures["sufficiency"] < figures[f"sufficiency{other}"] - 0.1
    assert figures["tau_leave_one_out"] > 0.3


def test_heads_of_random_weights_rank_otherwise_in_the_mean(small_model: HazardClassifier) -> None:
    taus = [faithfulness(small_model, LISTINGS, seed=seed)["tau_random_head"] for seed in range(12)]
    assert abs(np.mean(taus)) < 0.35  # of one head alone it lies anywhere between -0.8 and 0.6 on six texts


def test_listings_without_enough_words_are_not_measured(
    small_model: HazardClassifier, figures: dict[str, float]
) -> None:
    assert figures["listings"] == 6
    assert make_case(small_model, LISTINGS[-1]) is None
    assert faithfulness(small_model, LISTINGS[-1:])["listings"] == 0


def test_the_measures_are_what_the_model_answers_without_the_words(small_model: HazardClassifier) -> None:
    case = make_case(small_model, LISTINGS[0])
    assert case is not None
    alone = one_by_one(small_model, case)
    first = case.places[0]
    title = LISTINGS[0].title
    shorter = LISTINGS[0].model_copy(update={"title": title[: first[1]] + title[first[2] + 1 :]})
    answer = small_model.predict([shorter]).given_unsafe[0, case.hazard]
    assert alone[0] == pytest.approx(case.probability - answer, abs=1e-12)
    order = case.order(case.shares)
    assert curve(small_model, case, order).comprehensiveness > curve(small_model, case, order[::-1]).comprehensiveness


def test_a_ranking_names_every_word_once(small_model: HazardClassifier) -> None:
    case = make_case(small_model, LISTINGS[1])
    assert case is not None
    assert sorted(reread_order(small_model, case)) == list(range(len(case.places)))


def test_a_randomised_head_keeps_the_sizes_of_its_weights(small_model: HazardClassifier) -> None:
    sham = randomised(small_model.heads, 0)
    assert np.sort(np.abs(sham.dense[3])) == pytest.approx(np.sort(np.abs(small_model.heads.dense[3])))
    assert not np.allclose(sham.dense, small_model.heads.dense)


def test_tau_is_one_for_the_same_order_and_none_where_nothing_differs() -> None:
    assert tau(np.array([1.0, 2, 3]), np.array([10.0, 20, 30])) == pytest.approx(1.0)
    assert tau(np.array([1.0, 2, 3]), np.array([3.0, 2, 1])) == pytest.approx(-1.0)
    assert tau(np.array([1.0, 1, 1]), np.array([3.0, 2, 1])) == 0.0


def test_a_text_is_read_again_only_while_the_hazard_stands(
    small_model: HazardClassifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = make_case(small_model, LISTINGS[0])
    assert case is not None
    read_again: list[int] = []
    reread = small_model.reread

    def counted(explained: ExplainedListing, gone: list[Place]) -> ExplainedListing:
        read_again.append(len(gone))
        return reread(explained, gone)

    monkeypatch.setattr(small_model, "reread", counted)
    monkeypatch.setattr(rereading, "LOST", 0.0)
    every = rereading.reread_ranking(small_model, case.explained, case.hazard, (0.1, 0.3, 0.3, 0.5))
    assert read_again == [round(cut * len(case.places)) for cut in (0.1, 0.3, 0.5)]  # not twice without the same words
    read_again.clear()
    monkeypatch.setattr(rereading, "LOST", 1.0)
    none = rereading.reread_ranking(small_model, case.explained, case.hazard, (0.1, 0.3, 0.5))
    assert read_again == []
    assert none == [case.places[i] for i in case.order(case.shares)]
    assert sorted(every) == sorted(none)
