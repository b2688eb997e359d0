"""What real captions are worth: hazards of recalls from the title, with captions, with the description, with both.

Recalls of the CPSC have captions of their pictures since December 2023. The captioned ones are cut into five parts of
equal size by date; each of the last three is judged by heads that were fitted on everything before it, the older
recalls without captions included, and on the same fields. All heads rest on the same encoder and knowledge base. The
interval of a difference is that of a paired bootstrap over the recalls.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from real_data import recalls

from models.classifier.classifier import HazardClassifier
from models.classifier.fit_settings import FitSettings
from models.classifier.head_fitting import fit_heads
from models.classifier.heads import Blocks
from models.classifier.kind_model import name_strengths
from models.classifier.sparse import SparseFeatures
from models.domain.alert import Example
from training.intervals import bootstrap_intervals
from training.metrics import HazardStatistics

TABLE = "cpsc_recalls_to_2025.csv"
VIEWS = {
    "title": {"description": "", "captions": ()},
    "title + captions": {"description": ""},
    "title + description": {"captions": ()},
    "title + description + captions": {},
}
COMPARED = (("title + captions", "title"), ("title + description + captions", "title + description"))
Array = NDArray[np.float64]


def main() -> None:
    """Print mAP of each view, and what captions add."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--model", type=Path, required=True)
    arguments.add_argument("--resamples", type=int, default=1_000)
    given = arguments.parse_args()
    model = HazardClassifier.load(given.model)
    # The category is the recall's own filing, which no seller writes.
    rows = [replace(example, category="") for example in recalls(model.taxonomy, TABLE) if example.labels]
    rows.sort(key=lambda example: (example.date or "", example.id))
    labels = np.array([[name in (row.labels or ()) for name in model.taxonomy.names] for row in rows])
    captioned = np.flatnonzero([any(caption.strip() for caption in row.captions) for row in rows])
    windows = np.array_split(captioned, 5)[2:]
    test = np.concatenate(windows)
    statistics = {}
    for view, without in VIEWS.items():
        shown = [replace(row, **without) for row in rows]
        scores = judged(model, shown, labels, windows)
        statistics[view] = HazardStatistics(labels[test], scores[test], np.zeros(labels.shape[1]))
    print(f"{len(test)} captioned recalls, {rows[test[0]].date} to {rows[test[-1]].date}; fitted on what was before")
    print(f"{len(statistics['title'].counted)} risk types with enough cases")
    for view, statistic in statistics.items():
        print(f"  {view:32} mAP {statistic()['map']:.3f}")
    for more, fewer in COMPARED:
        gain = difference(statistics[more], statistics[fewer])
        interval = bootstrap_intervals(gain, np.arange(len(test)), resamples=given.resamples)["map"]
        whole = gain(np.ones(len(test)))["map"]
        print(f"  {more} - {fewer}: {whole:+.3f} ({interval.low:+.3f} to {interval.high:+.3f})")


def judged(
    model: HazardClassifier, rows: Sequence[Example], labels: NDArray[np.bool_], windows: Sequence[NDArray[np.int64]]
) -> Array:
    """Return logits of shape (rows, risk types), filled in the windows."""
    read = [model.read(row.to_listing()) for row in rows]
    texts = [r.text for r in read]
    embeddings = model.encoder.embed([text.text for text in texts])
    kinds = model.kind_model.judge(embeddings, name_strengths(texts, model.knowledge)).posterior
    risks = [model.scenario_model.risks(r.facts()) for r in read]
    knowledge = model.scenario_model.hazard_log_odds(kinds, risks)
    scores = np.zeros(labels.shape)
    fit = FitSettings().for_examples()
    for window in windows:
        earlier = np.arange(window[0])
        sparse = SparseFeatures.fit([texts[i].text for i in earlier])
        blocks = Blocks(embeddings, sparse.transform([text.text for text in texts]), knowledge)
        heads = fit_heads(blocks.rows(earlier), labels[earlier], np.ones(len(earlier)), fit)
        scores[window] = heads.logits(blocks.rows(window))
    return scores


def difference(one: HazardStatistics, other: HazardStatistics) -> Callable[[Array], dict[str, float]]:
    """Return the difference of the mean average precisions as a function of the rows' weights."""
    return lambda weights: {"map": one(weights)["map"] - other(weights)["map"]}


if __name__ == "__main__":
    main()
