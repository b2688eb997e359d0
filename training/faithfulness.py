"""Do the explanations say what the model does? Words are taken away in their order, and the model is asked again.

- Comprehensiveness: how far P(hazard | unsafe) falls when the first 10, 20, 30, 40 and 50 % of the words are taken
  away; mean over the steps (area over the perturbation curve). High is good.
- Sufficiency: how far it falls when only they are left. Low is good; below 0 the rest spoke against the hazard.
- Kendall's tau with leave-one-out: agreement with taking each word away alone.
- Randomised head: the ranking of a head with random weights must lose all this, or the ranking shows the text and not
  the model.

Measures after DeYoung et al. 2020 (ERASER) and Adebayo et al. 2018 (sanity checks). The hazard is the model's own first
guess, so no labels are needed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kendalltau

from models.classifier.explanation import Explainer
from models.classifier.heads import LinearHeads
from models.classifier.leaving_out import leave_out
from models.classifier.placing import Place
from models.classifier.rereading import reread_ranking
from models.domain.listing import Listing

if TYPE_CHECKING:
    from models.classifier.classifier import HazardClassifier
    from models.classifier.explanation import ExplainedListing

Array = NDArray[np.float64]

STEPS = (0.1, 0.2, 0.3, 0.4, 0.5)
_FEWEST_WORDS = 5
_LEFT_OUT_ONE_BY_ONE = 25
"""Listings whose words are all left out in turn; each costs as many forward passes as it has words."""


@dataclass(frozen=True)
class Curve:
    """Fall of the probability over `STEPS`, without the first words and with them alone."""

    comprehensiveness: float
    sufficiency: float


@dataclass(frozen=True)
class Case:
    """One listing, its main hazard and its words."""

    explained: ExplainedListing
    hazard: int
    places: tuple[Place, ...]
    shares: Array
    probability: float

    @property
    def listing(self) -> Listing:
        """The listing."""
        return self.explained.read.listing

    def order(self, scores: Array) -> list[int]:
        """Return the words by falling score."""
        return [int(i) for i in np.argsort(-scores, kind="stable")]


def make_case(model: HazardClassifier, listing: Listing) -> Case | None:
    """Return the case of a listing; None where it has too few words to rank."""
    explained = model.explained(listing)
    hazard = int(explained.opinion.given_unsafe.argmax())
    shares = model.explainer.hazard_shares(explained, [hazard])
    if len(shares.spans) < _FEWEST_WORDS:
        return None
    probability = float(explained.opinion.given_unsafe[hazard])
    return Case(explained, hazard, tuple(shares.spans), shares.weights[:, 0], probability)


def probabilities(model: HazardClassifier, case: Case, gone: Sequence[Sequence[int]]) -> Array:
    """Return P(main hazard | unsafe) without some words, for several choices of words."""
    listings = [leave_out(case.listing, [case.places[i] for i in places]) for places in gone]
    result: Array = model.predict(listings).given_unsafe[:, case.hazard]
    return result


def curve(model: HazardClassifier, case: Case, order: Sequence[int]) -> Curve:
    """Measure one ranking of a listing's words."""
    ends = [max(1, round(step * len(order))) for step in STEPS]
    found = probabilities(model, case, [order[:end] for end in ends] + [order[end:] for end in ends])
    without, alone = found[: len(ends)], found[len(ends) :]
    return Curve(float(np.mean(case.probability - without)), float(np.mean(case.probability - alone)))


def one_by_one(model: HazardClassifier, case: Case) -> Array:
    """Return how far the probability falls without each word alone."""
    return case.probability - probabilities(model, case, [[i] for i in range(len(case.places))])


def reread_order(model: HazardClassifier, case: Case) -> list[int]:
    """Return the words in the order of `rereading`."""
    position = {place: i for i, place in enumerate(case.places)}
    return [position[place] for place in reread_ranking(model, case.explained, case.hazard)]


def randomised(heads: LinearHeads, seed: int) -> LinearHeads:
    """Return heads with random weights of the same size as the trained ones."""
    rng = np.random.default_rng(seed)

    def shuffled(weights: NDArray[np.float32]) -> NDArray[np.float32]:
        signs = rng.choice(np.array([-1, 1], dtype=np.float32), weights.shape)
        result: NDArray[np.float32] = rng.permuted(weights, axis=-1) * signs
        return result

    return LinearHeads(shuffled(heads.dense), shuffled(heads.sparse), shuffled(heads.knowledge), heads.bias)


def faithfulness(
    model: HazardClassifier,
    listings: Sequence[Listing],
    seed: int = 0,
    progress: Callable[[int], object] | None = None,
) -> dict[str, float]:
    """Measure the explanations of a model on some listings; labels are not needed.

    Parameters
    ----------
    listings : sequence of Listing
        A hundred take less than a minute.
    progress : callable, optional
        Called with the number of listings done since the last call.

    Returns
    -------
    dict
        ``comprehensiveness`` and ``sufficiency`` of the ranking that is shown (shares, read anew after each cut),
        the same with suffix ``_shares`` (one pass), ``_random`` and ``_random_head``; ``tau_leave_one_out`` of the
        shares; ``tau_random_head``, of the shares with those of a randomised head; ``listings`` measured. NaN where
        no listing has enough words.
    """
    rng = np.random.default_rng(seed)
    sham = Explainer(randomised(model.heads, seed), model.sparse, model.kind_model, model.scenario_model)
    rows: dict[str, list[float]] = {}
    measured = 0
    for listing in listings:
        case = make_case(model, listing)
        if case is not None:
            fake = sham.hazard_shares(case.explained, [case.hazard]).weights[:, 0]
            orders = {
                "": reread_order(model, case),
                "_shares": case.order(case.shares),
                "_random": rng.permutation(len(case.places)).tolist(),
                "_random_head": case.order(fake),
            }
            for suffix, order in orders.items():
                found = curve(model, case, order)
                rows.setdefault(f"comprehensiveness{suffix}", []).append(found.comprehensiveness)
                rows.setdefault(f"sufficiency{suffix}", []).append(found.sufficiency)
            rows.setdefault("tau_random_head", []).append(tau(case.shares, fake))
            if measured < _LEFT_OUT_ONE_BY_ONE:
                rows.setdefault("tau_leave_one_out", []).append(tau(case.shares, one_by_one(model, case)))
            measured += 1
        if progress is not None:
            progress(1)
    means = {name: float(np.nanmean(values)) if values else float("nan") for name, values in sorted(rows.items())}
    return {**means, "listings": float(measured)}


def tau(a: Array, b: Array) -> float:
    """Return Kendall's tau, 0 where one side makes no difference between words."""
    found = float(kendalltau(a, b).statistic)
    return 0.0 if np.isnan(found) else found
