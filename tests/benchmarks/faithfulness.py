"""Our explanations beside SHAP, LIME, gradient x input and chance: how faithful, how many seconds a text (one core)."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from peer_explainers import GradientTimesInput, lime_scores, shap_scores
from real_data import alerts

from models.classifier.classifier import HazardClassifier
from models.classifier.explanation import Explainer
from models.domain.listing import Listing
from training.faithfulness import Case, curve, make_case, one_by_one, randomised, reread_order, tau

SEED = 7
_LONGEST = 280
Array = NDArray[np.float64]


def main() -> None:
    """Print one row an explainer, over all texts so far every 25 texts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=Path("var/models/default"))
    parser.add_argument("--texts", type=int, default=300)
    parser.add_argument("--skip", nargs="*", default=[], help="explainers to leave out: shap lime gradient")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--json", type=Path, help="keep the figures of every text here, and go on with those kept")
    arguments = parser.parse_args()
    model = HazardClassifier.load(arguments.model, threads=1)
    cases = real_cases(model, arguments.texts, arguments.seed)
    explainers = explainers_of(model, set(arguments.skip), arguments.seed)
    kept: Path | None = arguments.json
    rows: dict[str, list[list[float]]] = json.loads(kept.read_text()) if kept and kept.is_file() else {}
    if rows and rows.keys() != explainers.keys():
        sys.exit(f"{kept} holds other explainers ({', '.join(rows)}); give another file")
    for number, case in enumerate(cases):
        if number < len(next(iter(rows.values()), [])):
            continue
        for name, figures in figures_of(model, case, explainers).items():
            rows.setdefault(name, []).append(figures)
        if kept:
            unfinished = kept.with_suffix(".part")
            unfinished.write_text(json.dumps(rows))
            unfinished.replace(kept)
        if (number + 1) % 25 == 0 and number + 1 < len(cases):
            print(f"\n{number + 1} of {len(cases)} texts")
            table(rows)
    print(f"\n{len(cases)} texts")
    table(rows)


def figures_of(
    model: HazardClassifier, case: Case, explainers: dict[str, Callable[[Case], Array]]
) -> dict[str, list[float]]:
    """Return comprehensiveness, sufficiency, tau with leave-one-out, seconds and CPU seconds of every explainer."""
    alone = one_by_one(model, case)
    figures = {}
    for name, explain in explainers.items():
        begun, busy = time.perf_counter(), time.process_time()
        scores = explain(case)
        seconds, busy = time.perf_counter() - begun, time.process_time() - busy
        found = curve(model, case, case.order(scores))
        figures[name] = [found.comprehensiveness, found.sufficiency, tau(scores, alone), seconds, busy]
    return figures


def real_cases(model: HazardClassifier, n: int, seed: int) -> list[Case]:
    """Return real alerts' products as listings of one field, long texts cut at a word: all explainers read the same."""
    examples = alerts(model.taxonomy)
    cases: list[Case] = []
    for i in np.random.default_rng(seed).permutation(len(examples)):
        text = " ".join(f"{examples[i].title}. {examples[i].description}".split())
        text = text if len(text) <= _LONGEST else text[:_LONGEST].rsplit(" ", 1)[0]
        case = make_case(model, Listing(id=examples[i].id, title=text, language="en"))
        if case is not None:
            cases.append(case)
        if len(cases) == n:
            break
    return cases


def explainers_of(model: HazardClassifier, skip: set[str], seed: int) -> dict[str, Callable[[Case], Array]]:
    """Return the explainers by name; each gives one score a word, and is timed with its own forward passes."""
    rng = np.random.default_rng(seed)
    sham = Explainer(randomised(model.heads, seed), model.sparse, model.kind_model, model.scenario_model)

    def shares(case: Case) -> Array:
        return model.explainer.hazard_shares(model.explained(case.listing), [case.hazard]).weights[:, 0]

    def reread(case: Case) -> Array:
        order = reread_order(model, replace(case, explained=model.explained(case.listing)))
        scores = np.zeros(len(order))
        scores[order] = np.arange(len(order), 0, -1)
        return scores

    explainers: dict[str, Callable[[Case], Array]] = {
        "shares, reread": reread,
        "shares": shares,
        "leave-one-out": lambda case: one_by_one(model, case),
        "random order": lambda case: rng.random(len(case.places)),
        "random head": lambda case: sham.hazard_shares(case.explained, [case.hazard]).weights[:, 0],
    }
    if "gradient" not in skip:
        explainers["gradient x input"] = GradientTimesInput(model)
    for name, scores in {"shap": shap_scores, "lime": lambda m, case: lime_scores(m, case, seed)}.items():
        if name in skip:
            continue
        if find_spec(name) is None:
            print(f"{name} is left out: not installed (pip install {name})", file=sys.stderr)
        else:
            explainers[name] = lambda case, scores=scores: scores(model, case)
    return explainers


def table(rows: dict[str, list[list[float]]]) -> None:
    """Print the means, and the difference to SHAP in comprehensiveness with its standard error."""
    peer = np.array(rows["shap"]) if rows.get("shap") else None
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(f"{'explainer':17s} comprehensiveness  sufficiency  tau loo  s/text  CPU s/text   against SHAP")
    for name, values in rows.items():
        found = np.array(values)
        c, s, t, seconds, busy = found.mean(axis=0)
        line = f"{name:17s} {c:17.3f} {s:12.3f} {t:8.2f} {seconds:7.4f} {busy:11.4f}"
        if peer is not None and name != "shap":
            gap = found[:, 0] - peer[:, 0]
            error = gap.std(ddof=1) / np.sqrt(len(gap))
            faster = peer[:, 3:].mean(axis=0) / np.maximum([seconds, busy], 1e-6)
            line += f"   {gap.mean():+.3f} ± {error:.3f}, {faster[0]:,.0f} and {faster[1]:,.0f} x as fast"
        print(line, flush=True)


if __name__ == "__main__":
    main()
