"""Whether P(unsafe) sees what a product is or how its text is written.

Alerts are inspectors' prose and ordinary listings sellers': a model that tells the two apart by style scores
brilliantly and is worthless. Product mix may tell them apart, and should. So the source must not be predictable among
listings of one product kind, and the same product written in both styles must score alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit
from sklearn.metrics import roc_auc_score

from models.classifier.classifier import HazardClassifier
from models.classifier.predictions import Predictions
from models.domain.alert import Example
from models.domain.taxonomy import Taxonomy
from models.knowledge.base import Knowledge
from training.baselines import balanced_regression, word_tfidf
from training.corpus.settings import CorpusSettings, Style
from training.corpus.writer import write_corpus
from training.predicted import Predicted
from training.reliability import expected_calibration_error

Array = NDArray[np.float64]

_FEWEST_OF_A_KIND = 5


def style_control(
    model: HazardClassifier,
    alerts: Predicted,
    ordinary: Predicted,
    knowledge: Knowledge,
    taxonomy: Taxonomy,
    pairs: int,
    seed: int = 0,
) -> dict[str, float]:
    """Return figures of how much style reaches P(unsafe).

    Parameters
    ----------
    alerts, ordinary : Predicted
        Texts that the model has not learnt from.
    pairs : int
        Products to write as inspector and as seller.

    Returns
    -------
    dict
        ``source_auroc_within_kind``: chance that of an alert and an ordinary listing of the same predicted kind the
        alert has the higher P(unsafe), ties counting half; 0.5 says that only product mix is seen (left out where no
        kind has enough of both, or where there are hardly any texts). ``source_auroc_words``: the same for a model that
        reads words, trained on half of the texts, to show how strong the temptation is. ``pairs``,
        ``pairs_same_level``, ``pairs_log_odds_difference``: products written as inspector and as seller, how often
        their level is equal, and the mean absolute difference of the log odds of an unsafe offer.
    """
    found: dict[str, float] = {}
    if len(alerts) and len(ordinary):
        found |= _by_source(alerts, ordinary, seed)
    return found | _by_pair(model, knowledge, taxonomy, pairs, seed)


def _by_source(alerts: Predicted, ordinary: Predicted, seed: int) -> dict[str, float]:
    both = [*alerts.examples, *ordinary.examples]
    source = np.arange(len(both)) < len(alerts)
    kinds = np.array([*alerts.predictions.kinds, *ordinary.predictions.kinds])
    unsafe = np.concatenate([alerts.predictions.unsafe, ordinary.predictions.unsafe])
    judged = np.random.default_rng(seed).random(len(both)) < 0.5
    if min(len(np.unique(source[part])) for part in (judged, ~judged)) < 2:
        return {}
    words = _word_scores(both, source, judged)
    scores = {"source_auroc_within_kind": unsafe[judged], "source_auroc_words": words}
    return {
        name: value
        for name, column in scores.items()
        if (value := within_kind_auroc(column, source[judged], kinds[judged])) is not None
    }


def within_kind_auroc(scores: Array, source: NDArray[np.bool_], kinds: NDArray[np.str_]) -> float | None:
    """Return the AUROC of a score among texts of one kind, the mean over kinds by their number of pairs.

    Parameters
    ----------
    scores : array of shape (n,)
    source : array of bool, shape (n,)
    kinds : array of str, shape (n,)

    Returns
    -------
    float or None
        None where no kind has five texts of either source.
    """
    total, pairs = 0.0, 0
    for kind in np.unique(kinds):
        rows = kinds == kind
        of_source = int(source[rows].sum())
        others = int(rows.sum()) - of_source
        if min(of_source, others) >= _FEWEST_OF_A_KIND:
            total += of_source * others * float(roc_auc_score(source[rows], scores[rows]))
            pairs += of_source * others
    return total / pairs if pairs else None


def _word_scores(both: Sequence[Example], source: NDArray[np.bool_], judged: NDArray[np.bool_]) -> Array:
    texts = np.array([f"{example.title} {example.description}" for example in both], dtype=object)
    vectoriser = word_tfidf(int((~judged).sum()))
    peer = balanced_regression().fit(vectoriser.fit_transform(texts[~judged]), source[~judged])
    scores: Array = peer.decision_function(vectoriser.transform(texts[judged]))
    return scores


def _by_pair(
    model: HazardClassifier, knowledge: Knowledge, taxonomy: Taxonomy, pairs: int, seed: int
) -> dict[str, float]:
    styles: tuple[Style, ...] = ("inspector", "seller_rich")
    inspector, seller = (_written(model, knowledge, taxonomy, style, pairs, seed) for style in styles)
    difference = np.abs(logit(_inside(inspector.unsafe)) - logit(_inside(seller.unsafe)))
    return {
        "pairs": len(difference),
        "pairs_same_level": float(np.mean(inspector.level_ranks == seller.level_ranks)),
        "pairs_log_odds_difference": float(difference.mean()),
    }


def _written(
    model: HazardClassifier, knowledge: Knowledge, taxonomy: Taxonomy, style: Style, size: int, seed: int
) -> Predictions:
    """Return the figures of English listings in one style: equal seeds give equal products and cues in every style."""
    settings = CorpusSettings(
        size=size, seed=seed + 2, min_per_kind=0, styles={style: 1.0}, languages={"en": 1.0}, wrong_category=0.0
    )
    return model.predict(written.listing for written in write_corpus(knowledge, taxonomy, settings))


def _inside(probabilities: Array) -> Array:
    clipped: Array = np.clip(probabilities, 1e-6, 1 - 1e-6)
    return clipped


def unsafe_calibration(alerts: Array, ordinary: Array, prior: float) -> dict[str, Any]:
    """Return how well P(unsafe) is calibrated on a market with a stated share of unsafe offers.

    Parameters
    ----------
    alerts, ordinary : array of shape (n,)
        P(unsafe) of held-out alerts, which count as unsafe, and of held-out ordinary listings, which count as safe; a
        few of them are not.
    prior : float
        Weight of the alerts in all.

    Returns
    -------
    dict
        ``ece`` of the weighted predictions, ``auroc``, ``prior`` and the counts.
    """
    unsafe, source = np.concatenate([alerts, ordinary]), np.arange(len(alerts) + len(ordinary)) < len(alerts)
    weight = np.where(source, prior / len(alerts), (1 - prior) / len(ordinary))
    return {
        "prior": prior,
        "n_alerts": len(alerts),
        "n_ordinary": len(ordinary),
        "ece": expected_calibration_error(source, unsafe, weights=weight),
        "auroc": float(roc_auc_score(source, unsafe)),
    }
