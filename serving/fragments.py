"""An explanation as a piece of HTML: the page and the console show the same one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from models.domain.explanation import Decomposition, Explanation
from serving.console.language import translations_for
from serving.console.rendering import environment_for
from serving.console.wording import Wording
from serving.highlighting import alternatives, marked_fields

LEVEL = "level"
"""What stands in place of a risk type when the words behind the level are asked for."""


def explanation_fragment(
    explanation: Explanation,
    listing: Mapping[str, Any],
    about: str | None = None,
    language: str = "en",
    kind_name: Callable[[str, str], str] = lambda kind, name: name,  # noqa: ARG005
    pictures: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """Return the fragment; no script, no style, everything a seller wrote escaped.

    Parameters
    ----------
    listing : mapping
        The listing as JSON.
    about : str, optional
        Risk type whose words are marked, or `LEVEL`; by default the main hazard.
    language : str
        Of the console; the explanation's own sentences are English.
    kind_name : callable
        Gives the name of a product kind in that language, from its id and its English name.
    pictures : mapping
        Field of a caption -> id of the picture that it is about, to be shown beside it.
    """
    wording = Wording(translations_for(language).gettext, kind_name)
    subject, found = _subject(explanation, about, wording)
    phrases = found.phrases if found else []
    return (
        environment_for(language)
        .get_template("explanation.html")
        .render(
            wording=wording,
            english=language == "en",
            explanation=explanation,
            subject=subject,
            found=found,
            fields=marked_fields(listing, phrases),
            alternatives=alternatives(listing, phrases),
            pictures=pictures,
        )
    )


def _subject(explanation: Explanation, about: str | None, wording: Wording) -> tuple[str, Decomposition | None]:
    if about == LEVEL:
        return wording.claim(explanation.risk_level), explanation.level.words
    for hazard in explanation.hazards:
        if hazard.risk_type == about or about is None:
            return wording.plain(hazard.risk_type), hazard
    return wording.plain(about or ""), None
