"""From the model's figures to the answer that people and programs read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

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
    Tier,
    Versions,
    assessment_id,
)
from models.domain.listing import Listing
from models.domain.risk import RiskLevel
from models.knowledge.base import Knowledge
from models.matching.looking import NOT_LOOKED, Looked
from models.plan.plan import Plan

Array = NDArray[np.float64]

_KINDS_SHOWN = 3
_HAZARDS = TypeAdapter(list[HazardScore])


@dataclass(frozen=True)
class Opinion:
    """What the model thinks of one listing, before it is worded as an assessment."""

    kinds: Array
    risks: KindRisks
    knowledge: Array
    given_unsafe: Array
    levels: Array
    unsafe: float
    known: Array
    familiarity: float


def concern(levels: Array, scenarios_known: bool = True) -> Array:
    """Return the factor from P(hazard | unsafe) to the probability that the hazard is a real concern.

    It is 1 where a scenario is more likely than none, and falls to 0 as P(none) rises to 1: a listing of an everyday
    good has no hazard to speak of, whatever an unsafe one would do.

    Parameters
    ----------
    levels : array of shape (..., 5)
        P(none), P(low), P(medium), P(high), P(serious).
    scenarios_known : bool
        Whether the knowledge base has scenarios of this label set. Under a foreign one it has none, P(none) is 1 for
        every listing and says nothing: hazards then keep their full probability.

    Returns
    -------
    array of shape (...)
    """
    known: Array = np.minimum(1.0, 2.0 * (1.0 - levels[..., 0]))
    return known if scenarios_known else np.ones_like(known)


def hazard_scores(
    opinion: Opinion, names: Sequence[str], thresholds: Array, scenarios_known: bool = True
) -> list[HazardScore]:
    """Return every risk type, most probable first.

    A hazard is a real concern with the probability that an unsafe product of this listing has it, times `concern`.
    """
    probabilities = opinion.given_unsafe * concern(opinion.levels, scenarios_known)
    columns = zip(
        names,
        probabilities.tolist(),
        opinion.given_unsafe.tolist(),
        (probabilities >= thresholds).tolist(),
        strict=True,
    )
    scores = [
        {"risk_type": name, "probability": probability, "given_unsafe": given, "flagged": flagged}
        for name, probability, given, flagged in sorted(columns, key=lambda column: (-column[1], column[0]))
    ]
    return _HAZARDS.validate_python(scores)  # all at once: each alone costs four times as much


def flagged(hazards: Sequence[HazardScore]) -> list[str]:
    """Return the risk types that are a concern, in their order."""
    return [hazard.risk_type for hazard in hazards if hazard.flagged]


def word_assessment(
    read: ReadListing,
    opinion: Opinion,
    hazards: list[HazardScore],
    scenario_model: ScenarioModel,
    plan: Plan,
    versions: Versions,
    *,
    abstains: list[str],
    least_known_share: float,
    prior_unsafe: float,
    truncated: bool,
    explanation: list[Attribution],
    looked: Looked = NOT_LOOKED,
    tier: Tier = "full",
) -> Assessment:
    """Word what the model thinks of a listing, and let the plan decide.

    Parameters
    ----------
    abstains : list of str
        Why a person should look.
    least_known_share : float
        Below this share of known letters a language does not count as covered.
    prior_unsafe : float
        Share of unsafe offers under which the model's P(unsafe) is calibrated; where the plan states another, the
        probability is put under that one.
    truncated : bool
        The encoder has not read the whole text.
    looked : Looked
        What was found among the known alerts.
    tier : {"full", "screen"}
        What has read the listing.
    """
    listing, levels = read.listing, opinion.levels
    level = median_level(levels)
    stated = plan.document.assess.prior
    content = listing.content_hash()
    scenarios = scenario_model.scenarios(opinion.kinds, opinion.risks, level, 1) if level != RiskLevel.NONE else []
    findings = Findings(
        id=assessment_id(content, listing.id, versions, looked.matches, tier),
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
        p_unsafe=under_prior(opinion.unsafe, prior_unsafe, stated.p_unsafe) if stated else opinion.unsafe,
        hazards=hazards,
        scenario=scenarios[0] if scenarios else None,
        kinds=_kinds(opinion, scenario_model.knowledge),
        cues=_cues(read),
        abstains=abstains,
        notes=[*(["the text was longer than the encoder reads"] if truncated else []), *_unread(listing)],
        picture_confidence=_picture_confidence(listing),
        warning_languages=sorted({code for name, code in read.languages.items() if name.startswith("warnings[")}),
        matches=list(looked.matches),
        recall_match=looked.recall_match,
        removed_before=looked.removed_before,
        explanation=explanation,
        tier=tier,
    )
    return Assessment.of(findings, plan.decide(findings, listing)).signed(looked.signature)


def _unread(listing: Listing) -> list[str]:
    """Say which source gave no words for which picture, and why."""
    return [
        f"picture {caption.picture[:12] or f'of captions[{i}]'}: no words of source {caption.source}: {caption.failure}"
        for i, caption in enumerate(listing.captions)
        if caption.failure
    ]


def _picture_confidence(listing: Listing) -> float | None:
    """Return how sure the words are that were read off the pictures; what the seller wrote was not read."""
    read = [caption.confidence for caption in listing.captions if caption.failure or caption.source != "given"]
    return sum(read) / len(read) if read else None


def under_prior(probability: float, prior: float, stated: float) -> float:
    """Return a probability that holds under one prior as it is under another.

    The evidence, posterior odds over prior odds, stays what it is (Saerens, Latinne and Decaestecker 2002, "Adjusting
    the outputs of a classifier to new a priori probabilities").

    Examples
    --------
    >>> round(under_prior(0.5, prior=0.1, stated=0.2), 3)
    0.692
    """
    if not (0.0 < probability < 1.0 and 0.0 < stated < 1.0):
        return probability if 0.0 < stated < 1.0 else stated
    odds = probability / (1 - probability) * (stated / (1 - stated)) / (prior / (1 - prior))
    return odds / (1 + odds)


def _kinds(opinion: Opinion, knowledge: Knowledge) -> list[KindGuess]:
    best = np.argsort(-opinion.kinds, kind="stable")[:_KINDS_SHOWN]
    return [
        KindGuess(kind=kind.id, name=kind.name, category=kind.category, probability=min(1.0, float(opinion.kinds[i])))
        for i, kind in ((int(i), knowledge.kinds[int(i)]) for i in best)
    ]


def _cues(read: ReadListing) -> list[CueFound]:
    fields, pictures = dict(read.listing.texts()), read.listing.pictures()
    return [
        CueFound(
            cue=hit.cue,
            effect=hit.effect,
            negated=hit.negated,
            span=Span(
                field=name,
                start=hit.start,
                end=hit.end,
                text=fields[name][hit.start : hit.end],
                picture=pictures.get(name, ""),
            ),
        )
        for name, findings in read.text.findings.items()
        for hit in findings.cues
    ]
