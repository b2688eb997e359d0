"""What follows from kind and cues: unsafe or not, hazards, level. Nothing else enters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from random import Random

from models.classifier.scenarios import CueFact, ScenarioModel
from models.domain.risk import RiskLevel, highest, risk_level
from models.domain.taxonomy import Taxonomy
from models.knowledge.base import Knowledge

_REMEMBERED = 50_000


@dataclass(frozen=True)
class Outlook:
    """What a kind is like under some cues.

    Parameters
    ----------
    unsafe : float
        P(unsafe | kind, cues); 0 for a kind without any hazard.
    shares : tuple of (risk type, P(hazard | unsafe))
        In the order of the taxonomy, without those that cannot be.
    level : RiskLevel
        The level of the worst scenario.
    """

    unsafe: float
    shares: tuple[tuple[str, float], ...]
    level: RiskLevel

    @cached_property
    def expected(self) -> dict[str, float]:
        """P(label) of an unsafe listing by risk type, as `Labeller.draw` draws them: at least one holds."""
        none = math.prod(1.0 - share for _, share in self.shares)
        total = math.fsum(share for _, share in self.shares)
        return {name: share + none * share / total for name, share in self.shares}


@dataclass(frozen=True)
class Verdict:
    """The labels drawn for one listing, and the weight that undoes the tilted draw."""

    unsafe: bool
    labels: tuple[str, ...]
    level: RiskLevel
    weight: float


class Labeller:
    """Draws labels from the scenarios of the knowledge base.

    Parameters
    ----------
    tilt : float
        Added to the log odds of an unsafe listing, so that enough of them are seen; the weight takes it back.
    """

    def __init__(self, knowledge: Knowledge, taxonomy: Taxonomy, tilt: float = 0.0) -> None:
        self._knowledge = knowledge
        self._taxonomy = taxonomy
        self._models: dict[int, ScenarioModel] = {}
        self._outlooks: dict[tuple[int, tuple[CueFact, ...]], Outlook] = {}
        self.tilt = tilt

    def outlook(self, kind: int, cues: Sequence[CueFact]) -> Outlook:
        """Return what the kind at that position of the knowledge base is like under some cues."""
        key = (kind, tuple(sorted(cues, key=lambda fact: fact.cue)))
        found = self._outlooks.get(key)
        if found is None:
            if len(self._outlooks) >= _REMEMBERED:
                self._outlooks.clear()
            found = self._outlooks[key] = self._reckoned(*key)
        return found

    def draw(self, outlook: Outlook, rng: Random) -> Verdict:
        """Draw unsafe or not, and the hazards of an unsafe listing: each by its share, at least one."""
        tilted = self.tilted(outlook.unsafe)
        unsafe = rng.random() < tilted
        labels: list[str] = []
        draws = [rng.random() for _ in outlook.shares]
        fallback = rng.random()
        if unsafe:
            labels = [name for (name, share), luck in zip(outlook.shares, draws, strict=True) if luck < share]
            labels = labels or [_one_of(outlook.shares, fallback)]
        if tilted in (0.0, 1.0):
            weight = 1.0
        else:
            weight = outlook.unsafe / tilted if unsafe else (1 - outlook.unsafe) / (1 - tilted)
        return Verdict(unsafe, tuple(labels), outlook.level, weight)

    def tilted(self, probability: float) -> float:
        """Return the probability with which an unsafe listing is drawn."""
        if not 0.0 < probability < 1.0:
            return probability
        return 1 / (1 + math.exp(-(math.log(probability / (1 - probability)) + self.tilt)))

    def tilt_to(self, probabilities: Sequence[float], share: float) -> None:
        """Choose the tilt under which these probabilities have that mean."""
        risky = [p for p in probabilities if 0.0 < p < 1.0]
        low, high = -20.0, 20.0
        for _ in range(60):
            self.tilt = (low + high) / 2
            mean = math.fsum(map(self.tilted, risky)) / max(1, len(risky))
            low, high = (self.tilt, high) if mean < share else (low, self.tilt)

    def _reckoned(self, kind: int, cues: tuple[CueFact, ...]) -> Outlook:
        if kind not in self._models:
            alone = Knowledge((self._knowledge.kinds[kind],), self._knowledge.cues, (), {})
            self._models[kind] = ScenarioModel(alone, self._taxonomy)
        risks = self._models[kind].risks(cues)
        probability = risks.probability[0]
        present = [j for j, share in enumerate(risks.share[0]) if share > 0.0]
        level = highest(risk_level(int(risks.severity[0, j]), min(1.0, float(probability[j]))) for j in present)
        shares = tuple((self._taxonomy.names[j], float(risks.share[0, j])) for j in present)
        return Outlook(float(risks.unsafe[0]) if present else 0.0, shares, level)


def _one_of(shares: Sequence[tuple[str, float]], luck: float) -> str:
    total = math.fsum(share for _, share in shares)
    reached = 0.0
    for name, share in shares:
        reached += share / total
        if luck <= reached:
            return name
    return shares[-1][0]
