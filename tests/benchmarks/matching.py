"""Alerts against listings rewritten from them, hidden among ordinary ones; beside RapidFuzz, vectors and TF-IDF alone.

``python tests/benchmarks/matching.py --model var/models/default``; `HAZARDLENS_REALDATA` names the public records. Only
the latest fifth of the Safety Gate alerts is used, which the combiner has not learnt from, rewritten with another seed.
Whoever changes matching looks at the fifth before, with a combiner that has learnt from what came before that one:
``python -m training.matching ... --leave 0.4 --out C``, then ``--development --combiner C`` here.

Where brand or model was kept, and where both were dropped, are two tasks: listings of the one are no candidates of the
other. A pair with another alert that may be about the same product (`Product.may_be`: the same GTIN; or the same brand
and one of kind, name and model the same) may well be true, and nobody knows: it is counted neither as right nor as
wrong; the column "strict" counts it as wrong. All methods are counted alike, and each gets the threshold that suits it
best on these very pairs; ours is shown at a probability of 0.5 too, which was set before. Intervals hold 95 of 100
draws of as many brands' alerts.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import process_time

import numpy as np
import real_data
from numpy.typing import NDArray
from rapidfuzz import fuzz, process
from rapidfuzz.utils import default_process
from sklearn.feature_extraction.text import TfidfVectorizer

from models.classifier.classifier import HazardClassifier
from models.domain.listing import Listing
from models.matching.combiner import Combiner, load_combiner, probability, shipped_combiner
from models.matching.rivals import Rivals, in_order
from models.matching.search import Shelf
from models.sources.examples import read_examples
from training.matching.__main__ import LATER, earlier_alerts
from training.matching.pairs import Product, rewritten_alerts
from training.matching.texts import Texts

SEED = 2011
KEPT_EACH = 100
"""Best listings of an alert that are looked at: more than any has true ones."""
TOP = 20
LEAST, FITS = 1e-5, 0.01
"""Probability from which on a listing is looked at, and from which on another alert speaks against it."""
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Task:
    """What is to be found: for each alert the rows of its listings."""

    alerts: list[Listing]
    listings: list[Listing]
    alert_of: NDArray[np.int64]
    """Of each row; -1 for an ordinary listing."""
    both_dropped: NDArray[np.bool_]
    products: list[Product]
    """Of each alert."""
    of_alerts: Texts
    of_listings: Texts

    def may_be_true(self, alert: int, row: int) -> bool:
        """Tell whether a row offers what another alert is about that may be about the same product."""
        other = int(self.alert_of[row])
        return other >= 0 and other != alert and self.products[other].may_be(self.products[alert])


Best = list[tuple[NDArray[np.int64], Array]]
"""Of each alert, its best rows with their scores, best first."""


def task_of(model: HazardClassifier, most: int | None, development: bool) -> Task:
    """Rewrite the later alerts, or those of the fifth before, and hide the listings among the ordinary ones."""
    place = real_data.directory()
    everything = read_examples(place / real_data.ALERTS, model.taxonomy, labelled=False, unknown="other")[0]
    earlier, alerts = earlier_alerts(everything)
    if development:
        alerts = earlier[len(earlier_alerts(everything, 2 * LATER)[0]) :]
    alerts = alerts[-most:] if most else alerts
    ordinary = read_examples(
        place / "ordinary_listings_sample.csv.gz", model.taxonomy, labelled=False, unknown="other"
    )[0]
    of_alerts = Texts.of(model, [alert.to_listing() for alert in alerts])
    kinds = of_alerts.kinds
    languages = [profile.code for profile in model.knowledge.languages if profile.code != "en" and profile.required]
    written = rewritten_alerts(alerts, kinds, model.knowledge, languages, SEED)
    listings = [each.listing for each in written] + [each.to_listing() for each in ordinary]
    return Task(
        [alert.to_listing() for alert in alerts],
        listings,
        np.array([each.alert for each in written] + [-1] * len(ordinary)),
        np.array([each.disguise.both_dropped for each in written] + [False] * len(ordinary)),
        [Product.of(alert, kind) for alert, kind in zip(alerts, kinds, strict=True)],
        of_alerts,
        Texts.of(model, listings),
    )


def ours(task: Task, combiner: Combiner) -> Best:
    """Search by the combiner; the alerts of the task are all that are known."""
    shelf = Shelf(combiner, alert_asks=True)
    packed = [signature.to_bytes() for signature in task.of_listings.signed(combiner.rarity)]
    shelf.add(packed)
    queries = task.of_alerts.signed(combiner.rarity)
    begun = process_time()
    hits = [shelf.search([query], LEAST, KEPT_EACH)[0] for query in queries]
    print(f"search: {1_000 * (process_time() - begun) / len(queries):.1f} ms of CPU an alert, one after the other")
    begun = process_time()
    rivals = Rivals(combiner, queries)
    rows = sorted({hit.row for some in hits for hit in some})
    beside = dict(zip(rows, rivals.beside([packed[row] for row in rows], FITS), strict=True))
    hits = [in_order(rivals.weighed(alert, hit, beside[hit.row]) for hit in some) for alert, some in enumerate(hits)]
    print(f"what other alerts say of {len(rows):,} listings: {process_time() - begun:.1f} s of CPU for all alerts")
    return [(np.array([h.row for h in some]), np.array([probability(h.logit) for h in some])) for some in hits]


def vectors(task: Task) -> Best:
    """Cosine of the encoder's vectors."""
    return best_of(task.of_alerts.embeddings @ task.of_listings.embeddings.T)


def tfidf(task: Task) -> Best:
    """Cosine of TF-IDF over words, all texts of both sides."""
    vectorizer = TfidfVectorizer(sublinear_tf=True, strip_accents="unicode")
    rows = vectorizer.fit_transform([text_of(listing) for listing in task.listings])
    return best_of((vectorizer.transform([text_of(alert) for alert in task.alerts]) @ rows.T).toarray())


def rapidfuzz(task: Task) -> Best:
    """RapidFuzz's token set ratio of brand and title, as `default_process` spells them; whole per cents.

    Sixteen alerts at a time, on all cores: scores of one byte for every listing stay within half a megabyte.
    """
    names = [default_process(f"{each.brand} {each.title}") for each in task.listings]
    asked = [default_process(f"{each.brand} {each.title}") for each in task.alerts]
    found: Best = []
    for start in range(0, len(asked), 16):
        some = asked[start : start + 16]
        found += best_of(process.cdist(some, names, scorer=fuzz.token_set_ratio, dtype=np.uint8, workers=-1))
    return found


def best_of(scores: NDArray[np.floating]) -> Best:
    """Return the best rows of each line of a matrix."""
    found: Best = []
    for line in scores.astype(np.float32):
        rows = np.argpartition(-line, KEPT_EACH)[:KEPT_EACH]
        rows = rows[np.argsort(-line[rows], kind="stable")]
        found.append((rows, line[rows].astype(np.float64)))
    return found


def text_of(listing: Listing) -> str:
    """Return all words of a listing."""
    return " ".join(text for _, text in listing.texts())


@dataclass(frozen=True)
class Curve:
    """The pairs whose brand or model was kept, from the best score down."""

    scores: Array
    right: NDArray[np.bool_]
    alerts: NDArray[np.int64]
    wanted: NDArray[np.int64]
    """True pairs of each alert."""

    def precision_and_recall(self, drawn: NDArray[np.int64] | None = None) -> tuple[Array, Array]:
        """Return both down to each pair; `drawn` says how often each alert counts."""
        counts = np.ones(len(self.wanted), dtype=np.int64) if drawn is None else drawn
        each = counts[self.alerts]
        hits = np.cumsum(each * self.right)
        return hits / np.maximum(1, np.cumsum(each)), hits / int(counts @ self.wanted)

    def interval(self, groups: NDArray[np.int64], draws: int = 400) -> tuple[float, float]:
        """Return the 95 % interval of the recall at precision 0.9, groups of alerts drawn with replacement."""
        rng, n = np.random.default_rng(SEED), int(groups.max()) + 1
        drawn = [np.bincount(rng.integers(0, n, n), minlength=n)[groups] for _ in range(draws)]
        low, high = np.quantile([recall_at(*self.precision_and_recall(each)) for each in drawn], (0.025, 0.975))
        return float(low), float(high)


def curve(task: Task, best: Best, strict: bool) -> Curve:
    """Return the pairs that are counted."""
    scores, right, alerts = [], [], []
    for alert, (rows, values) in enumerate(best):
        for row, value in zip(rows.tolist(), values.tolist(), strict=True):
            true = task.alert_of[row] == alert
            if task.both_dropped[row] or (not strict and task.may_be_true(alert, row)):
                continue
            scores.append(value)
            right.append(true)
            alerts.append(alert)
    order = np.argsort(-np.array(scores), kind="stable")
    wanted = np.bincount(task.alert_of[(task.alert_of >= 0) & ~task.both_dropped], minlength=len(task.alerts))
    return Curve(np.array(scores)[order], np.array(right)[order], np.array(alerts)[order], wanted)


def recall_at(precision: Array, recall: Array, least: float = 0.9) -> float:
    """Return the best recall at which the precision is still reached."""
    enough = precision >= least
    return float(recall[enough].max()) if enough.any() else 0.0


def recall_in_top(task: Task, best: Best) -> float:
    """Return the share of the listings without brand and model that are among the best of their alert."""
    wanted = np.flatnonzero(task.both_dropped)
    found = sum(int(row) in best[int(task.alert_of[row])][0][:TOP].tolist() for row in wanted)
    return found / len(wanted)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="var/models/default")
    parser.add_argument("--most", type=int, help="only so many alerts, the latest")
    parser.add_argument("--development", action="store_true", help="the fifth of the alerts before the latest")
    parser.add_argument("--combiner", type=Path, help="weights to use; the shipped ones")
    options = parser.parse_args()
    if options.development and options.combiner is None:
        parser.error("the shipped weights were learnt from these alerts: --development needs --combiner")
    combiner = load_combiner(options.combiner) if options.combiner else shipped_combiner()
    model = HazardClassifier.load(options.model)
    task = task_of(model, options.most, options.development)
    brands = np.unique([each.brand or f"#{i}" for i, each in enumerate(task.products)], return_inverse=True)[1]
    kept = int(np.sum((task.alert_of >= 0) & ~task.both_dropped))
    print(
        f"{len(task.alerts):,} alerts, {kept:,} listings that keep brand or model,"
        f" {int(task.both_dropped.sum()):,} that keep neither, among {int(np.sum(task.alert_of < 0)):,} ordinary ones"
    )
    print("                recall at precision 0.9     interval   strict   both dropped: in the top 20")
    methods: dict[str, Callable[[Task], Best]] = {
        "hazardlens": partial(ours, combiner=combiner),
        "vectors alone": vectors,
        "TF-IDF": tfidf,
        "RapidFuzz alone": rapidfuzz,
    }
    for name, method in methods.items():
        best = method(task)
        found = curve(task, best, strict=False)
        precision, recall = found.precision_and_recall()
        low, high = found.interval(brands)
        strict = recall_at(*curve(task, best, strict=True).precision_and_recall())
        print(
            f"{name:16}{recall_at(precision, recall):24.3f}  {low:.3f}-{high:.3f}{strict:9.3f}"
            f"{recall_in_top(task, best):31.3f}",
            flush=True,
        )
        if name == "hazardlens":
            at = int(np.sum(found.scores >= 0.5)) - 1
            print(f"    at probability 0.5: precision {precision[at]:.3f}, recall {recall[at]:.3f}")


if __name__ == "__main__":
    main()
