"""Assessment and listing -> the facts that conditions look at.

Both come as JSON gives them, so that a live answer and one from the store, years old, take the same way. A key that an
older record lacks is an absent fact, never an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from models.domain.countries import eea_country
from models.domain.risk import RiskLevel
from models.plan.traceability import countries_without_warnings, targets_eea, traceability_gaps

Facts = dict[str, Any]
"""Facts by name; None where one is absent. Levels are ranks, 0 (none) to 4 (serious)."""

RANKS = {level.value: level.rank for level in RiskLevel}


@dataclass(frozen=True)
class Circumstances:
    """What is known of an offer beyond its listing: found by hazardlens, not told by the seller.

    Parameters
    ----------
    recall_match : float or None
        Score (0 to 1) of the best match with an alert or recall; where it is None, what the assessment says counts.
    removed_before : bool
        Equal content is among the removed listings.
    """

    recall_match: float | None = None
    removed_before: bool = False


NOTHING_KNOWN = Circumstances()


def facts_of(
    assessment: Mapping[str, Any], listing: Mapping[str, Any], circumstances: Circumstances = NOTHING_KNOWN
) -> Facts:
    """Return the facts of one assessment; `prohibited` and the plan's level are for the plan to add.

    Parameters
    ----------
    assessment : mapping
        A `Findings` or `Assessment` as JSON gives it; its decision is not looked at.
    listing : mapping
        The `Listing` as JSON gives it.
    """
    hazards = assessment.get("hazards") or ()
    kinds = assessment.get("kinds") or ()
    scenario = assessment.get("scenario") or {}
    cues = assessment.get("cues") or ()
    language = assessment.get("language") or {}
    reasons = assessment.get("abstains") or ()
    best = kinds[0] if kinds else {}
    countries = [_country(code) for code in listing.get("target_countries") or ()]
    seller = listing.get("seller") or {}
    gaps = traceability_gaps(listing)
    level = RANKS.get(assessment.get("risk_level", ""))
    return {
        "level": level,
        "model_level": level,
        "level_probabilities": assessment.get("level_probabilities") or {},
        "risk_score": assessment.get("risk_score"),
        "p_unsafe": assessment.get("p_unsafe"),
        "hazards": {hazard["risk_type"]: hazard["probability"] for hazard in hazards},
        "hazards_if_unsafe": {hazard["risk_type"]: hazard["given_unsafe"] for hazard in hazards},
        "flagged": {hazard["risk_type"] for hazard in hazards if hazard["flagged"]},
        "scenario_hazard": scenario.get("risk_type"),
        "severity": scenario.get("severity"),
        "consumers": scenario.get("consumers"),
        "kind": best.get("kind"),
        "kind_probability": best.get("probability"),
        "kind_probabilities": {kind["kind"]: kind["probability"] for kind in kinds},
        "kinds": {kind["kind"] for kind in kinds},
        "category": best.get("category"),
        "seller_category": listing.get("category") or "",
        "brand": listing.get("brand") or "",
        "cues": {cue["cue"] for cue in cues if not cue["negated"]},
        "negated_cues": {cue["cue"] for cue in cues if cue["negated"]},
        **_facts_of_pictures(listing),
        "picture_confidence": assessment.get("picture_confidence"),
        "language": language.get("code"),
        "language_confidence": language.get("confidence"),
        "language_covered": language.get("covered"),
        "abstains": bool(reasons),
        "abstain_reasons": {reason.partition(":")[0] for reason in reasons},
        "countries": set(countries),
        "targets_eea": targets_eea(countries),
        "traceability_complete": not gaps,
        "missing": set(gaps),
        "countries_without_warnings": set(
            countries_without_warnings(countries, assessment.get("warning_languages") or ())
        ),
        "seller_warnings": seller.get("prior_warnings"),
        "seller_removals": seller.get("removals"),
        "seller_suspended": seller.get("suspended"),
        "recall_match": _first_known(circumstances.recall_match, assessment.get("recall_match")),
        "removed_before": circumstances.removed_before or bool(assessment.get("removed_before")),
    }


def _first_known(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)


def _facts_of_pictures(listing: Mapping[str, Any]) -> Facts:
    # A caption was a bare text once.
    captions = [caption for caption in listing.get("captions") or () if not isinstance(caption, str)]
    bare = len(captions) < len(listing.get("captions") or ())
    failed = [caption for caption in captions if caption.get("failure")]
    told = {caption.get("source") or "given" for caption in captions if not caption.get("failure")}
    return {
        "picture_marks": {caption["mark"] for caption in captions if caption.get("mark")},
        "caption_sources": told | ({"given"} if bare else set()),
        "unread_pictures": len({caption.get("picture") or i for i, caption in enumerate(failed)}),
    }


def _country(code: str) -> str:
    """Return a code as plans write it: in capitals, and one for each state."""
    known = eea_country(code)
    return known.code if known is not None else code.upper()
