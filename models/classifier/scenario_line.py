"""A scenario as one line that a reviewer reads in a glance."""

from __future__ import annotations

from models.domain.assessment import Scenario
from models.domain.taxonomy import Taxonomy

_CONSUMERS = {
    "very_vulnerable": "very vulnerable consumers (such as children under 3)",
    "vulnerable": "vulnerable consumers (such as children from 3 to 14)",
    "other": "any consumer",
}
_SEVERITY = {1: "first aid", 2: "a visit to a doctor", 3: "hospital", 4: "death or lasting harm"}
_STEPS = {
    "severity_up": "one step more severe",
    "severity_down": "one step less severe",
    "probability_up": "one band more probable",
    "probability_down": "one band less probable",
}


def scenario_line(scenario: Scenario | None, taxonomy: Taxonomy) -> str:
    """Return hazard, who is hurt, severity, probability band, matrix cell and sensitivity as one line."""
    if scenario is None:
        return "No scenario of harm stands out: an everyday product as far as the listing tells."
    label = next((r.label for r in taxonomy.risk_types if r.name == scenario.risk_type), scenario.risk_type)
    changes = [
        f"{step} would be {level.value}"
        for name, step in _STEPS.items()
        if (level := getattr(scenario.sensitivity, name)) != scenario.level
    ]
    sensitivity = "; ".join(changes) or "stable one step of severity or probability up or down"
    return (
        f"{label}, {_CONSUMERS.get(scenario.consumers, scenario.consumers)}: severity {scenario.severity}"
        f" ({_SEVERITY[scenario.severity]}), {one_in(scenario.probability)} (band {scenario.band})"
        f" → {scenario.level.value} risk; {sensitivity}."
    )


def one_in(probability: float) -> str:
    """Return a probability of harm as odds.

    Examples
    --------
    >>> one_in(0.00043)
    'harm for about 1 in 2300'
    >>> one_in(0.75)
    'harm for about 75 in 100'
    """
    if probability <= 0:
        return "harm for nobody"
    if probability > 0.5:
        return f"harm for about {100 * probability:.0f} in 100"
    return f"harm for about 1 in {float(f'{1 / probability:.2g}'):.0f}"
