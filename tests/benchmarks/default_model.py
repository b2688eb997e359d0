"""The default model on real data that it never saw."""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np
from real_data import alerts, directory, recalls

from models.classifier.classifier import HazardClassifier
from models.classifier.predictions import Predictions
from models.domain.alert import Example
from models.sources.examples import read_examples
from training.metrics import HazardStatistics, LevelStatistics
from training.scored import Scored

RECALLS_A_LANGUAGE = 300


def main() -> None:
    """Print the three tables."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--model", type=Path, default=Path("var/models/default"))
    model = HazardClassifier.load(arguments.parse_args().model)
    print(f"model {model.version}")
    given = statistics(model, alerts(model.taxonomy))
    print(f"Safety Gate alerts 2009-2011, no vehicles, all of them: n {len(given.truth)}")
    print("  " + shown(given))
    listings, _ = read_examples(directory() / "labelled_listings_dev.csv", model.taxonomy)
    for title, keep in (("all", None), ("English", True), ("other languages", False)):
        part = [x for x in listings if keep is None or x.lang.startswith("en") == keep]
        scored = Scored.of(part, predicted(model, part), model.taxonomy)
        rows = np.arange(len(part))
        levels: LevelStatistics = scored.level_statistics(rows)
        print(f"hand-labelled listings, {title}: n {len(part)}")
        print(
            "  "
            + ", ".join(f"{k} {v:.3f}" for k, v in levels().items())
            + " | served hazards: "
            + ", ".join(f"{k} {v:.3f}" for k, v in scored.hazards(rows, model.thresholds)().items())
        )
    by_language(model)


def by_language(model: HazardClassifier) -> None:
    """Print hazards of the same recalls in each language, and the ratio to English."""
    tables: dict[str, dict[str, Example]] = defaultdict(dict)
    for example in recalls(model.taxonomy, "cpsc_recalls_translated_to_2025.csv.gz"):
        tables[example.lang][example.id] = example
    tables["en"] = {x.id: x for x in recalls(model.taxonomy, "cpsc_recalls_to_2025.csv")}
    shared = sorted(set.intersection(*(set(table) for table in tables.values())))
    chosen = np.random.default_rng(0).permutation(len(shared))[:RECALLS_A_LANGUAGE]
    ids = [shared[i] for i in chosen if tables["en"][shared[i]].labels]
    figures = {language: statistics(model, [table[i] for i in ids])() for language, table in tables.items()}
    print(f"translated recalls, the same {len(ids)} in each language")
    for language in ["en", *sorted(set(figures) - {"en"})]:
        ratios = ", ".join(
            f"{k} {figures[language][k]:.3f} ({figures[language][k] / figures['en'][k]:.2f} of English)"
            for k in ("map", "top1")
        )
        print(f"  {language}: {ratios}")


def statistics(model: HazardClassifier, examples: list[Example]) -> HazardStatistics:
    """Return the statistics of P(hazard | unsafe)."""
    scored = Scored.of(examples, predicted(model, examples), model.taxonomy)
    return scored.hazards_given_unsafe(np.arange(len(examples)), model.thresholds)


def predicted(model: HazardClassifier, examples: list[Example]) -> Predictions:
    """Return the model's figures."""
    return model.predict(example.to_listing() for example in examples)


def shown(statistics: HazardStatistics) -> str:
    """Return figures on one line."""
    return ", ".join(f"{name} {value:.3f}" for name, value in statistics().items())


if __name__ == "__main__":
    main()
