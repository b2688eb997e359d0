"""Hazards on the latest fifth of the Safety Gate table, beside word TF-IDF with logistic regression on the same rows.

Give a model that was trained on that table, `hazardlens train --examples safety_gate_alerts_2009_2011.csv --out DIR`,
or several of different seeds, whose mean is printed.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from default_model import predicted, shown
from real_data import alerts

from models.classifier.classifier import HazardClassifier
from models.domain.alert import Example
from training.baselines import balanced_regression, word_tfidf
from training.metrics import HazardStatistics
from training.scored import Scored


def main() -> None:
    """Print model and peer on the same test rows."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--model", type=Path, required=True, nargs="+")
    models = [HazardClassifier.load(directory) for directory in arguments.parse_args().model]
    taxonomy = models[0].taxonomy
    rows = alerts(taxonomy)
    cut = round(0.8 * len(rows))
    test = rows[cut:]
    index = np.arange(len(test))
    scored = [Scored.of(test, predicted(model, test), taxonomy) for model in models]
    pairs = list(zip(scored, models, strict=True))
    print(f"latest {len(test)} of {len(rows)} alerts; the model's own split drops earlier near-duplicates of them too")
    print("  hazardlens, P(hazard | unsafe): " + mean([s.hazards_given_unsafe(index, m.thresholds) for s, m in pairs]))
    print("  hazardlens, as served:          " + mean([s.hazards(index, m.thresholds) for s, m in pairs]))
    print("  word TF-IDF + LR, balanced:     " + shown(peer(rows[:cut], scored[0].truth, test, taxonomy.names)))


def mean(statistics: list[HazardStatistics]) -> str:
    """Return the mean figures of several models on one line."""
    figures = [one() for one in statistics]
    return ", ".join(f"{name} {np.mean([f[name] for f in figures]):.3f}" for name in figures[0])


def peer(train: list[Example], truth: np.ndarray, test: list[Example], names: tuple[str, ...]) -> HazardStatistics:
    """Fit and apply the peer: words and word pairs, one balanced logistic regression per risk type, threshold 0.5."""

    def text(example: Example) -> str:
        return f"{example.title} {example.category} {example.description}"

    vectoriser = word_tfidf(len(train))
    known, asked = vectoriser.fit_transform([text(x) for x in train]), vectoriser.transform([text(x) for x in test])
    scores = np.zeros(truth.shape)
    for j, name in enumerate(names):
        labels = [name in (x.labels or ()) for x in train]
        if sum(labels) >= 2:
            fitted = balanced_regression().fit(known, labels)
            scores[:, j] = fitted.predict_proba(asked)[:, 1]
    return HazardStatistics(truth, scores, np.full(len(names), 0.5))


if __name__ == "__main__":
    main()
