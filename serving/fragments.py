"""An explanation as a piece of HTML: the page and the console show the same one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.domain.explanation import Decomposition, Explanation
from serving.highlighting import alternatives, marked_fields
from serving.templating import template_environment

LEVEL = "level"
"""What stands in place of a risk type when the words behind the level are asked for."""

_templates = template_environment()


def explanation_fragment(explanation: Explanation, listing: Mapping[str, Any], about: str | None = None) -> str:
    """Return the fragment; no script, no style, everything a seller wrote escaped.

    Parameters
    ----------
    listing : mapping
        The listing as JSON.
    about : str, optional
        Risk type whose words are marked, or `LEVEL`; by default the main hazard.
    """
    subject, found = _subject(explanation, about)
    phrases = found.phrases if found else []
    return _templates.get_template("explanation.html").render(
        explanation=explanation,
        subject=subject,
        found=found,
        fields=marked_fields(listing, phrases),
        alternatives=alternatives(listing, phrases),
    )


def _subject(explanation: Explanation, about: str | None) -> tuple[str, Decomposition | None]:
    if about == LEVEL:
        return explanation.level.claim, explanation.level.words
    for hazard in explanation.hazards:
        if hazard.risk_type == about or about is None:
            return hazard.risk_type, hazard
    return about or "", None
