"""Hazards on the latest fifth of the Safety Gate table, beside word TF-IDF with logistic regression on the same rows.

Give a model that was trained on that table, `hazardlens train --examples safety_gate_alerts_2009_2011.csv --out DIR`,
or several of different seeds, whose mean is printed.

`--ids-as-text` asks for another split instead, for comparison with figures that were taken on it: rows ordered by id as
text, where week 10 of a year comes before its week 2. No model at hand was trained so: one is trained here for each
`--seed`.
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
from default_model import predicted, shown
from real_data import ALERTS, alerts, directory

from models.classifier.classifier import HazardClassifier
from models.domain.alert import Example
from models.domain.taxonomy import load_taxonomy
from training.baselines import balanced_regression, word_tfidf
from training.metrics import HazardStatistics
from training.pipeline import train
from training.rivals import frozen_encoder
from training.scored import Scored
from training.settings import TrainSettings

_FIRST_DAY = dt.date(2000, 1, 1)


def main() -> None:
    """Print model and peers on the same test rows."""
    arguments = argparse.ArgumentParser(description=__doc__)
    which = arguments.add_mutually_exclusive_group(required=True)
    which.add_argument("--model", type=Path, nargs="+")
    which.add_argument("--ids-as-text", action="store_true")
    arguments.add_argument(
        "--finetune", choices=["auto", "on", "off"], default="auto", help="of the model trained here"
    )
    arguments.add_argument(
        "--seed", type=int, nargs="+", default=[0], help="of that model; of several the mean is printed"
    )
    given = arguments.parse_args()
    rows = alerts(load_taxonomy())
    if given.ids_as_text:
        rows.sort(key=lambda example: example.id)
        models = [trained_on(rows, given.finetune, seed) for seed in given.seed]
    else:
        models = [HazardClassifier.load(model) for model in given.model]
    compare(rows, models)


def compare(rows: list[Example], models: list[HazardClassifier]) -> None:
    """Print the figures on the last fifth of the rows."""
    taxonomy = models[0].taxonomy
    cut = round(0.8 * len(rows))
    test = rows[cut:]
    index = np.arange(len(test))
    scored = [Scored.of(test, predicted(model, test), taxonomy) for model in models]
    pairs = list(zip(scored, models, strict=True))
    print(f"latest {len(test)} of {len(rows)} alerts; the model's own split drops earlier near-duplicates of them too")
    print("  hazardlens, P(hazard | unsafe): " + mean([s.hazards_given_unsafe(index, m.thresholds) for s, m in pairs]))
    print("  hazardlens, as served:          " + mean([s.hazards(index, m.thresholds) for s, m in pairs]))
    for name, known, asked in peers([text(x) for x in rows[:cut]], [text(x) for x in test]):
        found = peer(rows[:cut], scored[0].truth, known, asked, taxonomy.names)
        print(f"  {name + ' + LR, balanced:':<31} {shown(found)}")


def trained_on(rows: list[Example], finetune: Literal["auto", "on", "off"], seed: int) -> HazardClassifier:
    """Train on the first four fifths of the rows: each gets the day of its place, so that the order is time."""
    with tempfile.TemporaryDirectory() as scratch:
        table, out = Path(scratch) / "rows.csv", Path(scratch) / "model"
        days = {example.id: (_FIRST_DAY + dt.timedelta(days=i)).isoformat() for i, example in enumerate(rows)}
        with (directory() / ALERTS).open(encoding="utf-8", newline="") as source:
            kept = [row | {"date": days[row["id"]]} for row in csv.DictReader(source) if row["id"] in days]
        with table.open("w", encoding="utf-8", newline="") as target:
            writer = csv.DictWriter(target, list(kept[0]))
            writer.writeheader()
            writer.writerows(kept)
        train(TrainSettings(out, [table], finetune=finetune, seed=seed, track=False, compare=False))
        return HazardClassifier.load(out)


def mean(statistics: list[HazardStatistics]) -> str:
    """Return the mean figures of several models on one line."""
    figures = [one() for one in statistics]
    return ", ".join(f"{name} {np.mean([f[name] for f in figures]):.3f}" for name in figures[0])


def text(example: Example) -> str:
    """Return what the peers read."""
    return f"{example.title} {example.category} {example.description}"


def peers(known: list[str], asked: list[str]) -> Iterator[tuple[str, Any, Any]]:
    """Yield each peer's name and its features of both parts."""
    vectoriser = word_tfidf(len(known))
    yield "word TF-IDF", vectoriser.fit_transform(known), vectoriser.transform(asked)
    encoder = frozen_encoder()
    yield "frozen encoder", encoder.embed(known), encoder.embed(asked)


def peer(train: list[Example], truth: np.ndarray, known: Any, asked: Any, names: tuple[str, ...]) -> HazardStatistics:
    """Fit and apply one balanced logistic regression per risk type, threshold 0.5."""
    scores = np.zeros(truth.shape)
    for j, name in enumerate(names):
        labels = [name in (x.labels or ()) for x in train]
        if sum(labels) >= 2:
            scores[:, j] = balanced_regression().fit(known, labels).predict_proba(asked)[:, 1]
    return HazardStatistics(truth, scores, np.full(len(names), 0.5))


if __name__ == "__main__":
    main()
