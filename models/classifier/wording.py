"""From the model's figures to the answer that people and programs read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.classifier.reading import ReadListing
from models.classifier.scenarios import KindRisks, ScenarioModel, median_level
from models.domain.assessment import (
    Assessment,
    Attribution,
    CueFound,
    Findings,
    HazardScore,
    KindGuess,
    Language,
    Span,
    Versions,
    assessment_id,
)
from models.domain.risk import RiskLevel
from models.knowledge.base import Knowledge
from models.plan.plan import Plan

Array = NDArray[np.float64]

_KINDS_SHOWN = 3


@dataclass(frozen=True)
class Opinion:
    """What the model thinks of one listing, before it is worded as an assessment."""

    kinds: Array
    risks: KindRisks
    knowledge: Array
    given_unsafe: Array
    levels: Array


def concern(levels: Array) -> Array:
    """Return the factor from P(hazard | unsafe) to the probability that the hazard is a real concern.

    It is 1 where a scenario is more likely than none, and falls to 0 as P(none) rises to 1: a listing of an everyday
    good has no hazard to speak of, whatever an unsafe one would do.

    Parameters
    ----------
    levels : array of shape (..., 5)
        P(none), P(low), P(medium), P(high), P(serious).

    Returns
    -------
    array of shape (...)
    """
    factor: Array = np.minimum(1.0, 2.0 * (1.0 - levels[..., 0]))
    return factor


def hazard_scores(opinion: Opinion, names: Sequence[str], thresholds: Array) -> list[HazardScore]:
    """Return every risk type, most probable first.

    A hazard is a real concern with the probability that an unsafe product of this listing has it, times `concern`.
    """
    factor = float(concern(opinion.levels))
    scores = [
        HazardScore(
            risk_type=name,
            probability=float(opinion.given_unsafe[j]) * factor,
            given_unsafe=float(opinion.given_unsafe[j]),
            flagged=bool(opinion.given_unsafe[j] * factor >= thresholds[j]),
        )
        for j, name in enumerate(names)
    ]
    return sorted(scores, key=lambda score: (-score.probability, score.risk_type))


def word_assessment(
    read: ReadListing,
    opinion: Opinion,
    hazards: list[HazardScore],
    scenario_model: ScenarioModel,
    plan: Plan,
    versions: Versions,
    *,
    least_known_share: float,
    truncated: bool,
    explanation: list[Attribution],
) -> Assessment:
    """Word what the model thinks of a listing, and let the plan decide.

    Parameters
    ----------
    least_known_share : float
        Below this share of known letters the model abstains.
    truncated : bool
        The encoder has not read the whole text.
    """
    listing, levels = read.listing, opinion.levels
    level = median_level(levels)
    abstains = _abstains(read, least_known_share)
    content = listing.content_hash()
    scenarios = scenario_model.scenarios(opinion.kinds, opinion.risks, level) if level != RiskLevel.NONE else []
    findings = Findings(
        id=assessment_id(content, listing.id, versions),
        listing_id=listing.id,
        content_hash=content,
        versions=versions,
        language=Language(
            code=read.language.code,
            confidence=read.language.confidence,
            covered=read.text.known_share >= least_known_share,
        ),
        risk_level=level,
        level_probabilities={name: float(p) for name, p in zip(RiskLevel, levels, strict=True)},
        risk_score=min(1.0, float(levels[3] + levels[4])),
        p_unsafe=min(1.0, float(opinion.kinds @ opinion.risks.unsafe)),
        hazards=hazards,
        scenario=scenarios[0] if scenarios else None,
        kinds=_kinds(opinion, scenario_model.knowledge),
        cues=_cues(read),
        abstains=abstains,
        notes=["the text was longer than the encoder reads"] if truncated else [],
        warning_languages=sorted({code for name, code in read.languages.items() if name.startswith("warnings[")}),
        explanation=explanation,
    )
    return Assessment.of(findings, plan.decide(findings, listing))


def _kinds(opinion: Opinion, knowledge: Knowledge) -> list[KindGuess]:
    best = np.argsort(-opinion.kinds, kind="stable")[:_KINDS_SHOWN]
    return [
        KindGuess(kind=kind.id, name=kind.name, category=kind.category, probability=min(1.0, float(opinion.kinds[i])))
        for i, kind in ((int(i), knowledge.kinds[int(i)]) for i in best)
    ]


def _abstains(read: ReadListing, least_known_share: float) -> list[str]:
    if read.text.known_share < least_known_share:
        return [f"language-not-covered: little of the text is known to the model (language {read.language.code})"]
    if not read.text.text.strip():
        return ["no-text: the listing has no words to judge"]
    return []


def _cues(read: ReadListing) -> list[CueFound]:
    fields = dict(read.listing.texts())
    return [
        CueFound(
            cue=hit.cue,
            effect=hit.effect,
            negated=hit.negated,
            span=Span(field=name, start=hit.start, end=hit.end, text=fields[name][hit.start : hit.end]),
        )
        for name, findings in read.text.findings.items()
        for hit in findings.cues
    ]
