"""Which alias a new model gets: the first good one is champion, later ones challenge it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from training.comparison import figures_of
from training.mlflow_store import MODEL_NAME, Store
from training.registry import CHALLENGER, CHAMPION, alias_holder, versions_in

HAZARDS, LEVELS = "hazards.map", "levels.auroc"
"""The figures that decide: neither depends on a threshold."""
TOLERANCE = 0.01
"""How much the level AUROC of a better model may fall below the champion's: less is noise."""


@dataclass(frozen=True)
class Choice:
    """An alias, why, and the figures that decided."""

    alias: str
    reason: str
    figures: dict[str, float]


def choose_alias(
    store: Store, metrics: Mapping[str, Any], champion_metrics: Mapping[str, Any] | None, promote: bool
) -> Choice:
    """Choose the alias of a new model.

    Parameters
    ----------
    metrics : mapping
        `Evaluation.metrics` of the new model.
    champion_metrics : mapping, optional
        The same of the champion. Without them the figures logged with the champion count, if they come from the
        same examples: figures on different examples say nothing about which model is better.
    promote : bool
        Whether a better model becomes champion at once.

    Notes
    -----
    Good: a mAP of the hazards that one in a hundred models without knowledge reaches (see
    `HazardStatistics.chance_map`). Better: a higher mAP than the champion's, and a level AUROC (where both have one) at
    most 0.01 below.
    """
    figures = deciding_figures(metrics)
    holder = alias_holder(store, CHAMPION)
    if holder is None:
        if is_good(metrics):
            return Choice(CHAMPION, "it is the first good model", figures)
        return Choice(
            CHALLENGER,
            "there is no champion, but the model does not clearly order hazards better than "
            "chance on its test examples",
            figures,
        )
    champion = _champion_figures(store, holder, metrics, champion_metrics)
    if champion is None:
        return Choice(
            CHALLENGER,
            f"champion version {holder} was evaluated on other examples; evaluate it on these, or promote by hand",
            figures,
        )
    verdict = f"{HAZARDS} {_shown(figures, HAZARDS)} against {_shown(champion, HAZARDS)} of version {holder}"
    if not is_good(metrics) or not _better(figures, champion):
        return Choice(CHALLENGER, f"it is not better than the champion: {verdict}", figures)
    if not promote:
        return Choice(CHALLENGER, f"it is better than the champion ({verdict}); promote it to put it to use", figures)
    return Choice(CHAMPION, f"it is better than the champion before: {verdict}", figures)


def champion_metrics(metrics: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what `choose_alias` needs of the champion, where an evaluation compared the model with it."""
    figures = figures_of(metrics["comparisons"], CHAMPION)
    if figures is None:
        return None
    return {
        "evaluation_sha256": metrics["evaluation_sha256"],
        "headline": {"hazards": {"map": figures.get("map")}, "levels": {"auroc": figures.get("auroc")}},
    }


def is_good(metrics: Mapping[str, Any]) -> bool:
    """Return whether the hazards' mAP is above what chance reaches."""
    hazards = metrics["headline"]["hazards"]
    return hazards["map"] is not None and bool(hazards["map"] > hazards["map_by_chance"])


def deciding_figures(metrics: Mapping[str, Any]) -> dict[str, float]:
    """Return the figures that decide, those that are defined."""
    headline = metrics["headline"]
    found = {HAZARDS: headline["hazards"]["map"], LEVELS: headline["levels"]["auroc"]}
    return {name: value for name, value in found.items() if value is not None}


def _champion_figures(
    store: Store, holder: int, metrics: Mapping[str, Any], champion_metrics: Mapping[str, Any] | None
) -> dict[str, float] | None:
    if champion_metrics is not None:
        if champion_metrics["evaluation_sha256"] != metrics["evaluation_sha256"]:
            raise ValueError(f"the metrics of the champion of {MODEL_NAME} come from other examples")
        return deciding_figures(champion_metrics)
    tags = next(found.tags for found in versions_in(store) if found.version == holder)
    if tags.get("evaluation_sha256") != metrics["evaluation_sha256"]:
        return None
    return {name: float(tags[name]) for name in (HAZARDS, LEVELS) if name in tags}


def _better(figures: Mapping[str, float], champion: Mapping[str, float]) -> bool:
    gains = figures.get(HAZARDS, 0.0) > champion.get(HAZARDS, 0.0)
    keeps = LEVELS not in figures or LEVELS not in champion or figures[LEVELS] >= champion[LEVELS] - TOLERANCE
    return gains and keeps


def _shown(figures: Mapping[str, float], name: str) -> str:
    return f"{figures[name]:.3f}" if name in figures else "unknown"
