"""A plan's simulation as one HTML page that stands alone."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from training.simulation_plots import actions_plot, flow_plot, thresholds_plot, workload_plot

_DIMENSIONS = {
    "level": "Risk level",
    "hazard": "Hazard of the worst scenario",
    "category": "Product category",
    "consumers": "Consumer group",
    "language": "Language",
    "country": "Target country",
}


def write_simulation_report(figures: Mapping[str, Any], path: Path) -> None:
    """Write the page.

    Parameters
    ----------
    figures : mapping
        From `models.simulation.summary.summary`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(simulation_page(figures), encoding="utf-8")


def simulation_page(figures: Mapping[str, Any]) -> str:
    """Return the page's HTML."""
    environment = Environment(
        loader=PackageLoader("training", "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters["count"] = lambda value: f"{value:,}"
    environment.filters["amount"] = lambda value: "–" if value is None else f"{value:,.1f}"
    environment.filters["words"] = lambda value: str(value).replace("_", " ")
    pictures = {
        "actions": actions_plot(figures["actions"]),
        "flow": flow_plot(figures["actions"]["matrix"]),
        "thresholds": thresholds_plot(figures["thresholds"]),
        "workload": workload_plot(figures["queues"]),
    }
    plots = {name: base64.b64encode(data).decode() for name, data in pictures.items()}
    return environment.get_template("simulation.html").render(
        figures=figures, plots=plots, dimensions=_DIMENSIONS, actions=list(figures["actions"]["before"])
    )
