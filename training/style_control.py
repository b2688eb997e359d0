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
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from models.classifier.classifier import HazardClassifier
from models.classifier.predictions import Predictions
from models.domain.alert import Example
from models.domain.taxonomy import Taxonomy
from models.knowledge.base import Knowledge
from training.corpus.settings import CorpusSettings, Style
from training.corpus.writer import write_corpus

Array = NDArray[np.float64]

_PAIRS = 600
_FEWEST_OF_A_KIND = 5


def style_control(
    model: HazardClassifier,
    alerts: Sequence[Example],
    ordinary: Sequence[Example],
    knowledge: Knowledge,
    taxonomy: Taxonomy,
    seed: int = 0,
) -> dict[str, float]:
    """Return figures of how much style reaches P(unsafe).

    Parameters
    ----------
    alerts, ordinary : sequence of Example
        Texts that the model has not learnt from.

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
    if alerts and ordinary:
        found |= _by_source(model, alerts, ordinary, seed)
    return found | _by_pair(model, knowledge, taxonomy, seed)


def _by_source(
    model: HazardClassifier, alerts: Sequence[Example], ordinary: Sequence[Example], seed: int
) -> dict[str, float]:
    both = [*alerts, *ordinary]
    predictions = model.predict(example.to_listing() for example in both)
    source = np.arange(len(both)) < len(alerts)
    kinds = np.array(predictions.kinds)
    judged = np.random.default_rng(seed).random(len(both)) < 0.5
    if min(len(np.unique(source[part])) for part in (judged, ~judged)) < 2:
        return {}
    words = _word_scores(both, source, judged)
    scores = {"source_auroc_within_kind": predictions.unsafe[judged], "source_auroc_words": words}
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
    texts = [f"{example.title} {example.description}" for example in both]
    vectoriser = TfidfVectorizer(sublinear_tf=True, min_df=2)
    known = vectoriser.fit_transform([text for text, is_judged in zip(texts, judged, strict=True) if not is_judged])
    asked = vectoriser.transform([text for text, is_judged in zip(texts, judged, strict=True) if is_judged])
    peer = LogisticRegression(C=10.0, class_weight="balanced", solver="liblinear").fit(known, source[~judged])
    scores: Array = peer.decision_function(asked)
    return scores


def _by_pair(model: HazardClassifier, knowledge: Knowledge, taxonomy: Taxonomy, seed: int) -> dict[str, float]:
    inspector, seller = (_written(model, knowledge, taxonomy, style, seed) for style in ("inspector", "seller_rich"))
    difference = np.abs(logit(_inside(inspector.unsafe)) - logit(_inside(seller.unsafe)))
    return {
        "pairs": len(difference),
        "pairs_same_level": float(np.mean(inspector.level_ranks == seller.level_ranks)),
        "pairs_log_odds_difference": float(difference.mean()),
    }


def _written(model: HazardClassifier, knowledge: Knowledge, taxonomy: Taxonomy, style: Style, seed: int) -> Predictions:
    """Return the figures of English listings in one style: equal seeds give equal products and cues in every style."""
    settings = CorpusSettings(
        size=_PAIRS, seed=seed + 2, min_per_kind=0, styles={style: 1.0}, languages={"en": 1.0}, wrong_category=0.0
    )
    return model.predict(written.listing for written in write_corpus(knowledge, taxonomy, settings))


def _inside(probabilities: Array) -> Array:
    clipped: Array = np.clip(probabilities, 1e-6, 1 - 1e-6)
    return clipped


def unsafe_calibration(unsafe: Array, alerts: NDArray[np.bool_], prior: float) -> dict[str, Any]:
    """Return how well P(unsafe) is calibrated on a market with a stated share of unsafe offers.

    Parameters
    ----------
    unsafe : array of shape (n,)
        P(unsafe) of held-out alerts and ordinary listings.
    alerts : array of bool, shape (n,)
    prior : float
        Weight of the alerts in all; the ordinary listings count as safe, which a few of them are not.

    Returns
    -------
    dict
        ``ece`` over the deciles of the weighted predictions and the tenths, ``auroc``, ``prior`` and the counts.
    """
    weight = np.where(alerts, prior / alerts.sum(), (1 - prior) / (~alerts).sum())
    order = np.argsort(unsafe, kind="stable")
    cumulated = weight[order].cumsum()
    deciles = unsafe[order][np.searchsorted(cumulated, np.arange(1, 10) / 10)]
    edges = np.unique(np.concatenate([deciles, np.arange(1, 10) / 10]))
    which = np.searchsorted(edges, unsafe, side="left")
    mass, predicted, observed = (
        np.bincount(which, weights=w, minlength=len(edges) + 1) for w in (weight, weight * unsafe, weight * alerts)
    )
    return {
        "prior": prior,
        "n_alerts": int(alerts.sum()),
        "n_ordinary": int((~alerts).sum()),
        "ece": float(np.abs(predicted - observed).sum() / mass.sum()),
        "auroc": float(roc_auc_score(alerts, unsafe)),
    }
