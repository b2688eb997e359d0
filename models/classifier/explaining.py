"""The explanation of one assessment, put together: shares, what-if, evidence, scenario."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from models.classifier.explanation import ExplainedListing, Shares, cue_places
from models.classifier.neighbours import find_evidence
from models.classifier.phrases import field_shares, phrases
from models.classifier.placing import Place, span_of
from models.classifier.rereading import reread_ranking
from models.classifier.scenario_line import scenario_line
from models.classifier.scenarios import median_level
from models.classifier.what_if import WhatIfs, reached_of
from models.domain.assessment import Assessment, HazardScore
from models.domain.explanation import (
    CueEffect,
    Decomposition,
    Detail,
    Explanation,
    HazardEvidence,
    KindSupport,
    LevelEvidence,
)
from models.domain.listing import Listing
from models.domain.risk import RiskLevel
from models.matching.looking import NOT_LOOKED, Looked

if TYPE_CHECKING:
    from models.classifier.classifier import HazardClassifier
    from models.plan.plan import Plan

Array = NDArray[np.float64]

_LEVELS = tuple(RiskLevel)
_HAZARDS_SHOWN = 3
_KINDS_SHOWN = 3
_LEAST_SHARE = 0.005


def explain_listing(
    model: HazardClassifier,
    listing: Listing,
    plan: Plan,
    detail: Detail = "tokens",
    risk_types: Sequence[str] = (),
    looked: Looked = NOT_LOOKED,
) -> Explanation:
    """Assess a listing and explain the answer.

    Parameters
    ----------
    detail : {"tokens", "full"}
        ``tokens``: what level and main hazards rest on, from one forward pass. ``full``: every hazard, what would
        change the answer, and known items for and against.
    risk_types : sequence of str
        Hazards to explain besides the main ones.
    looked : Looked
        What was found among the known alerts when the answer was given.
    """
    explained = model.explained(listing)
    answer = model.answer(explained, plan, looked)
    full = detail == "full"
    shown = _shown(answer, full, risk_types)
    main = shown[0].risk_type if answer.risk_level != RiskLevel.NONE else None
    with ThreadPoolExecutor(1) as beside:
        # The search waits for memory and holds no lock: it costs nothing beside the Python of the shares.
        searching = beside.submit(find_evidence, model, explained, main) if full else None
        level = _level(model, explained, answer)
        hazards = _hazards(model, explained, shown, main if full else None)
        evidence = searching.result() if searching else None
    return Explanation(
        assessment_id=answer.id,
        listing_id=answer.listing_id,
        versions=answer.versions,
        detail=detail,
        risk_level=answer.risk_level,
        action=answer.decision.action,
        scenario=answer.scenario,
        scenario_line=scenario_line(answer.scenario, model.taxonomy),
        level=level,
        hazards=hazards,
        what_if=WhatIfs(
            model, plan, listing, answer, _candidates(explained, answer, level, hazards[0]), shown[0].risk_type
        ).answer()
        if full
        else None,
        evidence=evidence,
        notes=[*answer.notes, *answer.abstains],
    )


def _shown(answer: Assessment, full: bool, risk_types: Sequence[str]) -> list[HazardScore]:
    """Main hazards, that of the scenario first; with `full` all of them."""
    scenario = answer.scenario.risk_type if answer.scenario else None
    ranked = sorted(answer.hazards, key=lambda hazard: hazard.risk_type != scenario)
    main = [h for h in ranked if h.flagged or h.risk_type == scenario][:_HAZARDS_SHOWN] or ranked[:1]
    asked = [h for h in ranked if h not in main and (full or h.risk_type in risk_types)]
    return [*main, *asked]


def _hazards(
    model: HazardClassifier, explained: ExplainedListing, shown: Sequence[HazardScore], ranked: str | None
) -> list[HazardEvidence]:
    index = [model.taxonomy.names.index(hazard.risk_type) for hazard in shown]
    shares = model.explainer.hazard_shares(explained, index)
    listing = explained.read.listing
    result = []
    for i, hazard in enumerate(shown):
        ranking = reread_ranking(model, explained, index[i]) if hazard.risk_type == ranked else []
        result.append(
            HazardEvidence(
                **_decomposed(listing, shares, i).__dict__,
                risk_type=hazard.risk_type,
                probability=hazard.probability,
                given_unsafe=hazard.given_unsafe,
                flagged=hazard.flagged,
                ranking=[span_of(listing, place) for place in ranking],
            )
        )
    return result


def _decomposed(listing: Listing, shares: Shares, i: int) -> Decomposition:
    fields, weights = dict(listing.texts()), shares.weights[:, i]
    return Decomposition(
        logit=float(shares.totals[i]),
        bias=float(shares.bias[i]),
        fields=field_shares(fields, shares.spans, weights),
        phrases=phrases(fields, shares.spans, weights, listing.pictures()),
        rest=float(shares.rest[i]),
    )


def _level(model: HazardClassifier, explained: ExplainedListing, answer: Assessment) -> LevelEvidence:
    level = answer.risk_level
    members = model.explainer.members(explained, level)
    mixed = bool(members.any() and not members.all())
    listing = explained.read.listing
    claim = (
        "the product is an everyday one, of a kind without a scenario of harm"
        if level == RiskLevel.NONE
        else f"the product is of a kind whose level is {level.value} or higher"
    )
    return LevelEvidence(
        level=level,
        reached=reached_of(answer, level),
        claim=claim,
        kinds=_support(model, explained, level),
        cues=_cues(model, explained, level),
        words=_decomposed(listing, model.explainer.level_shares(explained, members), 0) if mixed else None,
    )


def _support(model: HazardClassifier, explained: ExplainedListing, level: RiskLevel) -> list[KindSupport]:
    """P(at least a level) is a sum over the kinds: the largest terms."""
    opinion = explained.opinion
    reaches = opinion.risks.reaches
    reached = 1 - reaches[:, 0] if level == RiskLevel.NONE else reaches[:, level.rank - 1]
    terms = opinion.kinds * reached
    total = float(terms.sum()) or 1.0
    best = [i for i in np.argsort(-terms, kind="stable")[:_KINDS_SHOWN].tolist() if terms[i] >= _LEAST_SHARE * total]
    return [
        KindSupport(
            kind=model.knowledge.kinds[i].id,
            name=model.knowledge.kinds[i].name,
            probability=min(1.0, float(opinion.kinds[i])),
            level=_LEVELS[int((reaches[i] >= 0.5 - 1e-9).sum())],
            share=min(1.0, float(terms[i]) / total),
        )
        for i in best
    ]


def _cues(model: HazardClassifier, explained: ExplainedListing, level: RiskLevel) -> list[CueEffect]:
    facts, listing = explained.read.facts(), explained.read.listing
    result = []
    for fact in sorted(facts, key=lambda fact: (fact.cue, fact.negated)):
        risks = model.scenario_model.risks(facts - {fact})
        levels = model.scenario_model.level_probabilities(explained.opinion.kinds, risks)
        reached = levels[0] if level == RiskLevel.NONE else levels[level.rank :].sum()
        result.append(
            CueEffect(
                cue=fact.cue,
                effect=model.knowledge.cue_by_id[fact.cue].effect,
                negated=fact.negated,
                spans=[span_of(listing, place) for place in cue_places(explained.read, fact)],
                level_without=median_level(levels),
                reached_without=float(np.clip(reached, 0.0, 1.0)),
            )
        )
    return result


def _candidates(
    explained: ExplainedListing, answer: Assessment, level: LevelEvidence, main: HazardEvidence
) -> list[Place]:
    """Phrases worth leaving out, most important first: names and cues whole, then the words with the largest shares."""
    likely = {kind.kind for kind in level.kinds}
    names = [
        (name, hit.start, hit.end)
        for name, findings in explained.read.text.findings.items()
        for hit in findings.names
        if hit.kind in likely
    ]
    raising = [
        (cue.span.field, cue.span.start, cue.span.end)
        for cue in answer.cues
        if (cue.effect == "aggravating") != cue.negated
    ]
    words = [
        (phrase.field, phrase.start, phrase.end)
        for phrase in (level.words.phrases if level.words else [])
        if phrase.weight > 0
    ]
    hazard = [(phrase.field, phrase.start, phrase.end) for phrase in main.phrases if phrase.weight > 0]
    return [*dict.fromkeys(names[:3]), *raising[:3], *words[:3], *hazard[:2], *words[3:6], *hazard[2:4]]
