"""``python -m training.matching --model DIR --alerts F --ordinary F``: fits the combiner that ships with hazardlens."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path
from random import Random

import numpy as np

from models.classifier.classifier import HazardClassifier
from models.domain.alert import Example
from models.domain.resources import datasets_dir
from models.matching.combiner import Combiner
from models.matching.rarity import Rarity
from models.sources.examples import read_examples
from training.corpus import CorpusSettings, write_corpus
from training.matching.fitting import Fitted, first_guess, fit
from training.matching.pairs import Product, mined_pairs, rewritten_alerts
from training.matching.rareness import counted, weights_of_names, weights_of_words
from training.matching.texts import Texts
from training.splits import time_key

LATER = 0.2
"""Share of the alerts, the latest, that nothing is learnt from: the benchmark is made of them."""
_HELD_OUT_KINDS = 0.25
_ROUNDS = 2
_log = logging.getLogger("hazardlens.training.matching")


def earlier_alerts(alerts: Sequence[Example], later: float = LATER) -> tuple[list[Example], list[Example]]:
    """Return the alerts without vehicles, in order of time: the earlier ones, and the later ones that stay unseen.

    Parameters
    ----------
    later : float
        Share that stays unseen.
    """
    kept = [alert for alert in alerts if alert.category != "Motor vehicles"]
    ordered = sorted(kept, key=lambda alert: (time_key(alert) or (0, 0), alert.id))
    cut = round(len(ordered) * (1 - later))
    return ordered[:cut], ordered[cut:]


def fitted_combiner(
    model: HazardClassifier, alerts: Sequence[Example], ordinary: Sequence[Example], languages: Sequence[str], seed: int
) -> Fitted:
    """Fit a combiner on rewritten alerts among ordinary listings.

    Parameters
    ----------
    alerts : sequence of Example
        Those to learn from.
    """
    corpus = write_corpus(model.knowledge, model.taxonomy, CorpusSettings(size=3_000, seed=seed))
    of_alerts = Texts.of(model, [alert.to_listing() for alert in alerts])
    of_ordinary = Texts.of(model, [each.to_listing() for each in ordinary])
    words = [counted(model.read(each.listing) for each in corpus), counted(of_alerts.read)]
    titles = [each.listing.title for each in (*of_alerts.read, *of_ordinary.read)]
    rarity = Rarity(weights_of_words(words), weights_of_names(titles))
    kinds = of_alerts.kinds
    written = rewritten_alerts(alerts, kinds, model.knowledge, languages, seed)
    _log.info(
        "%d alerts, %d rewritten, %d ordinary listings, %d words, %d names",
        len(alerts), len(written), len(ordinary), len(rarity.weights), len(rarity.names),
    )  # fmt: skip
    signed_alerts = of_alerts.signed(rarity)
    of_written = Texts.of(model, [each.listing for each in written])
    signed = of_written.signed(rarity) + of_ordinary.signed(rarity)
    truth = [each.alert for each in written] + [None] * len(ordinary)
    products = [Product.of(alert, kind) for alert, kind in zip(alerts, kinds, strict=True)]
    # Pairs of one product kind stand on one side.
    sides = {kind: Random(f"{seed}{kind}").random() < _HELD_OUT_KINDS for kind in kinds}
    held_out = np.array([sides[kind] for kind in kinds])
    combiner: Combiner = first_guess(rarity)
    for _ in range(_ROUNDS):
        pairs = mined_pairs(combiner, signed_alerts, products, signed, truth)
        fitted = fit(pairs, held_out[pairs.alerts], rarity)
        combiner = fitted.combiner
        _log.info(
            "%d pairs, %d true; held-out log loss %.4f, calibration error %.4f",
            len(pairs.same), pairs.same.sum(), fitted.log_loss, fitted.expected_error,
        )  # fmt: skip
    made = {
        "alerts": len(alerts),
        "ordinary": len(ordinary),
        "rewritten": len(written),
        "pairs": len(pairs.same),
        "true_pairs": int(pairs.same.sum()),
        "held_out_log_loss": round(fitted.log_loss, 4),
        "held_out_calibration_error": round(fitted.expected_error, 4),
        "seed": seed,
    }
    return Fitted(Combiner(combiner.weights, combiner.bias, rarity, made), fitted.log_loss, fitted.expected_error)


def main() -> None:
    """Read the tables, fit, write the combiner."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--alerts", type=Path, required=True, help="example table; the latest are not used")
    parser.add_argument("--ordinary", type=Path, required=True, help="example table of ordinary listings")
    parser.add_argument("--leave", type=float, default=LATER, help="share of the alerts, the latest, not to learn from")
    parser.add_argument("--most-ordinary", type=int, default=4_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=datasets_dir() / "matching" / "combiner.json")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    model = HazardClassifier.load(options.model)
    everything, _ = read_examples(options.alerts, model.taxonomy, labelled=False, unknown="other")
    alerts, _ = earlier_alerts(everything, options.leave)
    ordinary, _ = read_examples(options.ordinary, model.taxonomy, labelled=False, unknown="other")
    some = Random(options.seed).sample(ordinary, min(len(ordinary), options.most_ordinary))
    languages = [profile.code for profile in model.knowledge.languages if profile.code != "en" and profile.required]
    fitted = fitted_combiner(model, alerts, some, languages, options.seed)
    options.out.write_bytes(fitted.combiner.to_json())
    _log.info("written to %s", options.out)


if __name__ == "__main__":
    main()
