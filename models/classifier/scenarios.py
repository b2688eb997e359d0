"""From product kinds and cues to scenarios: hazard x severity x probability -> level, with its uncertainty."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from models.domain.assessment import Scenario, Sensitivity
from models.domain.risk import BANDS, CONSUMER_GROUPS, RiskLevel, band_index, risk_level
from models.domain.taxonomy import Taxonomy
from models.knowledge.base import Knowledge
from models.knowledge.kinds import Cue

Array = NDArray[np.float64]

_LEVELS = tuple(RiskLevel)
_NEGATED_STRENGTH = 0.5
"""A negated cue ("without magnets") moves the odds of an unsafe product the other way, half as far as the cue."""
_UNLISTED_STRENGTH = 0.5
"""A cue that a kind does not list moves that kind half as far (in log odds); harmless kinds do not move at all. It
brings new hazards only to kinds whose consumers are children: a magnet in a headphone is no toy."""
_LONGEST_ODDS = 1e-9
_CACHED_RISKS = 8
"""Sets of cues whose arrays, 0.4 MB each, are kept: nine in ten ordinary listings show no cue at all."""


def _reaching_edges() -> Array:
    """Return the probability above which a severity reaches a level, shape (4 severities, 4 levels from low)."""
    edges = np.full((4, 4), np.inf)
    for severity in range(4):
        for column, level in enumerate(_LEVELS[1:]):
            reaching = [band.above for band in BANDS if band.levels[severity].rank >= level.rank]
            if reaching:
                edges[severity, column] = max(min(reaching), 1e-12)
    return edges


_LOG_EDGES = np.log10(_reaching_edges())


@dataclass(frozen=True)
class CueFact:
    """A cue that a listing shows or negates."""

    cue: str
    negated: bool


@dataclass(frozen=True)
class KindRisks:
    """Every kind's scenario steps under the cues of one listing.

    Parameters
    ----------
    unsafe : array of shape (kinds,)
    share, severity, injury : array of shape (kinds, risk types)
    reaches : array of shape (kinds, 4)
        P(level at least low, medium, high, serious) of the kind's worst scenario.
    """

    unsafe: Array
    share: Array
    severity: NDArray[np.int8]
    injury: Array
    reaches: Array

    @property
    def probability(self) -> Array:
        """P(harm over the lifetime) of each kind's scenario."""
        probability: Array = self.unsafe[:, None] * self.share * self.injury
        return probability

    def probability_of(self, kind: int, hazard: int) -> float:
        """Return one entry of `probability`."""
        return float(self.unsafe[kind] * self.share[kind, hazard] * self.injury[kind, hazard])


class ScenarioModel:
    """The knowledge base as arrays, and the arithmetic of the EU method over them.

    Parameters
    ----------
    spread : float
        Standard deviation of the scenario probability's uncertainty, in powers of ten.
    evidence : array of shape (kinds,), optional
        What the market says of each kind, added to its log odds of an unsafe offer; see `market_evidence`.
    """

    def __init__(
        self, knowledge: Knowledge, taxonomy: Taxonomy, spread: float = 0.8, evidence: Array | None = None
    ) -> None:
        self.knowledge = knowledge
        self.taxonomy = taxonomy
        self.spread = spread
        n, h = len(knowledge.kinds), len(taxonomy.names)
        column = {name: j for j, name in enumerate(taxonomy.names)}
        self._column = column
        unsafe = np.clip([kind.unsafe for kind in knowledge.kinds], _LONGEST_ODDS, 1 - _LONGEST_ODDS)
        self._unsafe_logit: Array = np.log(unsafe) - np.log1p(-unsafe) + (0.0 if evidence is None else evidence)
        self._share = np.zeros((n, h))
        self._severity = np.ones((n, h), dtype=np.int8)
        self._injury = np.zeros((n, h))
        self.harmless = np.array([kind.harmless for kind in knowledge.kinds], dtype=bool)
        for i, kind in enumerate(knowledge.kinds):
            for name, risk in ((r.name, r) for r in taxonomy.risk_types):
                self._severity[i, column[name]] = risk.severity_for(kind.consumers)
                self._injury[i, column[name]] = risk.injury
            for name, profile in kind.hazards.items():
                if name in column:
                    j = column[name]
                    self._share[i, j] = profile.share
                    self._severity[i, j] = profile.severity
                    self._injury[i, j] = profile.injury
        group = np.array([CONSUMER_GROUPS.index(kind.consumers) for kind in knowledge.kinds])
        self._risks = lru_cache(maxsize=_CACHED_RISKS)(self._compute_risks)
        self._for_children = group < CONSUMER_GROUPS.index("other")
        self._listed = {
            cue.id: np.array([cue.id in kind.aggravating or cue.id in kind.mitigating for kind in knowledge.kinds])
            for cue in knowledge.cues
        }
        self._strength = {
            cue.id: np.where(
                group <= (CONSUMER_GROUPS.index(cue.implied_for) if cue.implied_for else -1),
                0.0,
                np.where(self._listed[cue.id], 1.0, np.where(self.harmless, 0.0, _UNLISTED_STRENGTH)),
            )
            for cue in knowledge.cues
        }

    @property
    def knows_hazards(self) -> bool:
        """Whether the knowledge base has a scenario for any risk type of the taxonomy; it has none of a foreign one."""
        return bool(self._share.any())

    def risks(self, cues: Iterable[CueFact]) -> KindRisks:
        """Return every kind's scenario steps under some cues; each cue counts once."""
        return self._risks(frozenset(cues))

    def _compute_risks(self, cues: frozenset[CueFact]) -> KindRisks:
        unsafe_logit = self._unsafe_logit.copy()
        # By column: the shares of one hazard lie together, as explanations ask for them.
        share, injury, severity = self._share.copy("F"), self._injury.copy(), self._severity.copy()
        # In one order, so that equal cues give equal bits; hazards are brought first, so that every factor meets them.
        known = [
            (self.knowledge.cue_by_id[fact.cue], fact.negated)
            for fact in sorted(cues, key=lambda fact: (fact.cue, fact.negated))
            if fact.cue in self.knowledge.cue_by_id
        ]
        self._introduce([cue for cue, negated in known if not negated], share, injury, severity)
        for cue, negated in known:
            self._apply(cue, negated, unsafe_logit, share, injury)
        unsafe, injury = 1 / (1 + np.exp(-unsafe_logit)), np.clip(injury, 0.0, 1.0)
        return KindRisks(unsafe, share, severity, injury, self._reaches(unsafe[:, None] * share * injury, severity))

    def _introduce(self, cues: Sequence[Cue], share: Array, injury: Array, severity: NDArray[np.int8]) -> None:
        """Bring the hazards of cues to kinds without them; where several bring one hazard, the worst of each step."""
        free = share == 0.0
        for cue in cues:
            strength = self._strength[cue.id]
            for name, brought in cue.introduces.items():
                j = self._column.get(name)
                if j is not None:
                    new = (strength > 0) & free[:, j] & (self._listed[cue.id] | self._for_children)
                    first = new & (share[:, j] == 0.0)
                    injury[first, j], severity[first, j] = brought.injury, brought.severity
                    share[new, j] = np.maximum(share[new, j], brought.share * strength[new])
                    injury[new, j] = np.maximum(injury[new, j], brought.injury)
                    severity[new, j] = np.maximum(severity[new, j], brought.severity)

    def _apply(self, cue: Cue, negated: bool, unsafe_logit: Array, share: Array, injury: Array) -> None:
        strength = self._strength[cue.id]
        direction = -_NEGATED_STRENGTH if negated else 1.0
        unsafe_logit += strength * direction * np.log(cue.unsafe)
        for name, factor in cue.hazards.items():
            j = self._column.get(name)
            if j is None:
                continue
            exponent = strength * (-1.0 if negated else 1.0)
            odds = share[:, j] / np.maximum(1 - share[:, j], 1e-6) * factor**exponent
            share[:, j] = np.where(share[:, j] > 0, odds / (1 + odds), 0.0)
            injury[:, j] = injury[:, j] * cue.injury**exponent

    def level_probabilities(self, kinds: Array, risks: KindRisks) -> Array:
        """Return P(level) for none, low, medium, high, serious: shape (5,).

        The uncertainty of the kind (`kinds`, the posterior, shape (kinds,)) and that of the scenario's probability
        (log-normal) are carried through the matrix. A kind's level is that of its worst scenario; scenarios of
        one kind share their uncertainty.
        """
        at_least = np.concatenate([[1.0], kinds @ risks.reaches, [0.0]])
        levels: Array = np.clip(at_least[:-1] - at_least[1:], 0.0, 1.0)
        return levels

    def _reaches(self, probability: Array, severity: NDArray[np.int8]) -> Array:
        kind, hazard = np.nonzero(probability)
        distance = np.log10(probability[kind, hazard])[:, None] - _LOG_EDGES[severity[kind, hazard] - 1]
        scenario = ndtr(distance / self.spread)
        scenario[:, 0] = 1.0
        reaches: Array = np.zeros((len(probability), 4))
        np.maximum.at(reaches, kind, scenario)
        return reaches

    def hazard_shares(self, kinds: Array, risks: KindRisks) -> Array:
        """Return P(hazard | unsafe) as the knowledge base sees it, shape (risk types,).

        The kinds weigh as much as their offers are often unsafe.
        """
        weight = kinds * risks.unsafe
        total = float(weight.sum())
        shares: Array = (weight @ risks.share) / total if total > 0 else np.zeros(share_width(risks))
        return shares

    def hazard_log_odds(self, kinds: Array, risks: Sequence[KindRisks]) -> Array:
        """Return the log odds of P(hazard | unsafe) of n listings, shape (n, risk types): the heads' knowledge block.

        Parameters
        ----------
        kinds : array of shape (n, kinds)
            Posterior over the kinds.
        """
        features = np.zeros((len(risks), len(self.taxonomy.names)))
        for i, (posterior, risk) in enumerate(zip(kinds, risks, strict=True)):
            features[i] = log_odds(self.hazard_shares(posterior, risk))
        return features

    def unsafe_log_odds(self, kinds: Array, risks: Sequence[KindRisks]) -> Array:
        """Return the log odds of an unsafe offer of n listings, not calibrated, shape (n, 1).

        Those of the likeliest kind under the listing's cues. A mean over the posterior would see how plainly a text is
        written, which is style: among texts of one kind it tells alerts from ordinary listings with AUROC 0.85, the
        likeliest kind with 0.56, and over all kinds both tell as much (0.90).

        Parameters
        ----------
        kinds : array of shape (n, kinds)
            Posterior over the kinds.
        """
        unsafe = [float(risk.unsafe[posterior.argmax()]) for posterior, risk in zip(kinds, risks, strict=True)]
        return log_odds(np.array(unsafe), 1e-6)[:, None]

    def scenarios(self, kinds: Array, risks: KindRisks, level: RiskLevel, limit: int = 3) -> list[Scenario]:
        """Return the worst scenarios of the listing's likeliest kinds, at most at `level`, worst first."""
        found: list[tuple[float, float, float, int, int]] = []
        for i in np.argsort(-kinds, kind="stable")[:5].tolist():
            if self.harmless[i] and not risks.share[i].any():
                continue
            for j in np.flatnonzero(risks.share[i] > 0).tolist():
                severity, probability = int(risks.severity[i, j]), risks.probability_of(i, j)
                rank = risk_level(severity, probability).rank
                if rank <= level.rank:
                    found.append((-rank, -float(kinds[i]), -severity * probability, i, j))
        found.sort(key=lambda scenario: scenario[:3])
        return [self._scenario(i, j, risks) for _, _, _, i, j in found[:limit]]

    def _scenario(self, i: int, j: int, risks: KindRisks) -> Scenario:
        kind, risk = self.knowledge.kinds[i], self.taxonomy.risk_types[j]
        severity, probability = int(risks.severity[i, j]), risks.probability_of(i, j)
        profile = kind.hazards.get(risk.name)
        return Scenario(
            risk_type=risk.name,
            kind=kind.id,
            consumers=kind.consumers,
            sentence=profile.scenario if profile else f"The product causes harm through: {risk.label.lower()}.",
            severity=severity,
            p_unsafe=float(risks.unsafe[i]),
            p_hazard=float(risks.share[i, j]),
            p_injury=float(risks.injury[i, j]),
            probability=probability,
            band=BANDS[band_index(probability)].label,
            level=risk_level(severity, probability),
            sensitivity=sensitivity(severity, probability),
        )


def log_odds(probabilities: Array, floor: float = 1e-3) -> Array:
    """Return log(p / (1 - p)) with p kept within [floor, 1 - floor]."""
    p = np.clip(probabilities, floor, 1 - floor)
    result: Array = np.log(p) - np.log1p(-p)
    return result


def share_width(risks: KindRisks) -> int:
    """Return the number of risk types of some risks."""
    return int(risks.share.shape[1])


def sensitivity(severity: int, probability: float) -> Sensitivity:
    """Return the level after one step of severity, or one band of probability, up or down."""
    row = band_index(probability)

    def cell(row: int, severity: int) -> RiskLevel:
        row, severity = min(max(row, 0), len(BANDS) - 1), min(max(severity, 1), 4)
        return BANDS[row].levels[severity - 1]

    return Sensitivity(
        severity_up=cell(row, severity + 1),
        severity_down=cell(row, severity - 1),
        probability_up=cell(row - 1, severity),
        probability_down=cell(row + 1, severity),
    )


def median_level(probabilities: Sequence[float] | Array) -> RiskLevel:
    """Return the highest level that is reached with a probability of at least one half."""
    at_least = np.cumsum(np.asarray(probabilities)[::-1])[::-1]
    return _LEVELS[int(np.flatnonzero(at_least >= 0.5 - 1e-9).max(initial=0))]
