"""What the answer would be without some phrases: asked of the model, never estimated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from models.classifier.leaving_out import every_occurrence, leave_out
from models.classifier.placing import Place, span_of
from models.domain.assessment import Assessment
from models.domain.explanation import Removal, WhatIf
from models.domain.listing import Listing
from models.domain.risk import RiskLevel
from models.matching.looking import looked_before

if TYPE_CHECKING:
    from models.classifier.classifier import HazardClassifier
from models.plan.plan import Plan

MOST_PHRASES = 6
"""Phrases that are left out one at a time."""
_MARKED = 0.02
"""A phrase that moves the level's probability by less says the same as another one: it keeps the place of its share."""


@dataclass(frozen=True)
class _Tried:
    """A choice of phrases (by number) and the answer without them."""

    gone: tuple[int, ...]
    removal: Removal


class WhatIfs:
    """Asks about one listing.

    Parameters
    ----------
    base : Assessment
        The answer for the whole listing.
    candidates : sequence of Place
        Phrases that matter, most important first.
    hazard : str or None
        Risk type whose probability is followed.
    """

    def __init__(
        self,
        model: HazardClassifier,
        plan: Plan,
        listing: Listing,
        base: Assessment,
        candidates: Sequence[Place],
        hazard: str | None,
    ) -> None:
        self.model, self.plan, self.listing, self.base, self.hazard = model, plan, listing, base, hazard
        self.groups = _different(listing, candidates)[:MOST_PHRASES]
        self.tried: dict[tuple[int, ...], _Tried] = {}

    def answer(self) -> WhatIf:
        """Leave out each phrase, then look for the smallest change that lowers the action."""
        if self.base.decision.action.rank == 0:
            return self._worded([], None, "The action is already the least strict one.")
        if not self.groups:
            return self._worded([], None, "No word of the listing speaks for the level.")
        single = self._try([(i,) for i in range(len(self.groups))])
        smallest = self._smallest(single)
        ranked = sorted(single, key=lambda tried: tried.removal.reached)
        return self._worded([tried.removal for tried in ranked], smallest, self._sentence(smallest))

    def _smallest(self, single: Sequence[_Tried]) -> Removal | None:
        enough = [tried for tried in single if self._lowers(tried)]
        if enough:
            return min(enough, key=lambda tried: (self._letters(tried.gone), tried.gone)).removal
        if len(self.groups) < 2:
            return None
        reached = reached_of(self.base, self.base.risk_level)
        effect = {tried.gone[0]: reached - tried.removal.reached for tried in single}
        order = sorted(effect, key=lambda i: (-effect[i] if effect[i] > _MARKED else 0.0, i))
        found = self._first_prefix(order)
        return None if found is None else self._pruned(found).removal

    def _first_prefix(self, order: Sequence[int]) -> _Tried | None:
        """Return the shortest choice of the first phrases that lowers the action, None where not even all of them do.

        Asked in pairs, as two cores take no longer for two: the shortest one and all at first, which settle most cases.
        """
        shortest, whole = self._try([tuple(order[:2]), tuple(order)])
        if not self._lowers(whole) or self._lowers(shortest):
            return shortest if self._lowers(shortest) else None
        for n in range(3, len(order), 2):
            for tried in self._try([tuple(order[:size]) for size in range(n, min(n + 2, len(order)))]):
                if self._lowers(tried):
                    return tried
        return whole

    def _pruned(self, found: _Tried) -> _Tried:
        """Put phrases back for as long as the action stays lowered."""
        # Of two phrases neither lowers it alone: that was asked first.
        while len(found.gone) > 2:
            fewer = self._try([tuple(i for i in found.gone if i != back) for back in found.gone])
            enough = [tried for tried in fewer if self._lowers(tried)]
            if not enough:
                break
            found = min(enough, key=lambda tried: (self._letters(tried.gone), tried.gone))
        return found

    def _try(self, choices: Sequence[tuple[int, ...]]) -> list[_Tried]:
        """Ask the model about several choices at once, about each choice but once."""
        new = [gone for gone in dict.fromkeys(tuple(sorted(choice)) for choice in choices) if gone not in self.tried]
        listings = [leave_out(self.listing, [place for i in gone for place in self.groups[i]]) for gone in new]
        answers = self.model.assess_many(listings, self.plan, looked=looked_before(self.base))
        for gone, answer in zip(new, answers, strict=True):
            self.tried[gone] = _Tried(gone, self._removal(gone, answer))
        return [self.tried[tuple(sorted(choice))] for choice in choices]

    def _removal(self, gone: Sequence[int], answer: Assessment) -> Removal:
        given = {hazard.risk_type: hazard.given_unsafe for hazard in answer.hazards}
        return Removal(
            removed=[span_of(self.listing, place) for i in gone for place in self.groups[i]],
            risk_level=answer.risk_level,
            action=answer.decision.action,
            reached=reached_of(answer, self.base.risk_level),
            given_unsafe=given.get(self.hazard or "", 0.0),
            kind=answer.kinds[0].name if answer.kinds else "",
        )

    def _lowers(self, tried: _Tried) -> bool:
        return tried.removal.action.rank < self.base.decision.action.rank

    def _letters(self, gone: Sequence[int]) -> int:
        return sum(self.groups[i][0][2] - self.groups[i][0][1] for i in gone)

    def _sentence(self, smallest: Removal | None) -> str:
        was = f"{self.base.risk_level.value} ({_plain(self.base.decision.action)})"
        if smallest is None:
            return f"Even without all the phrases that were left out the answer stays {was}."
        quoted = " and ".join(f"“{text}”" for text in dict.fromkeys(span.text.lower() for span in smallest.removed))
        level = f"the level falls from {self.base.risk_level.value} to {smallest.risk_level.value}"
        if smallest.risk_level == self.base.risk_level:
            level = f"the level stays {smallest.risk_level.value}"
        action = f"the action from {_plain(self.base.decision.action)} to {_plain(smallest.action)}"
        return f"Without {quoted} {level}, and {action}."

    def _worded(self, removals: list[Removal], smallest: Removal | None, sentence: str) -> WhatIf:
        return WhatIf(
            risk_type=self.hazard,
            removals=removals,
            smallest=smallest,
            sentence=sentence,
            evaluations=len(self.tried),
        )


def reached_of(answer: Assessment, level: RiskLevel) -> float:
    """Return P(at least a level); for `NONE`, P(none)."""
    if level == RiskLevel.NONE:
        return answer.level_probabilities[level]
    return min(1.0, sum(p for other, p in answer.level_probabilities.items() if other.rank >= level.rank))


def _different(listing: Listing, candidates: Sequence[Place]) -> list[list[Place]]:
    """Return each candidate with its other occurrences; those that lie in an earlier one are left out."""
    taken: set[Place] = set()
    groups: list[list[Place]] = []
    for place in candidates:
        group = every_occurrence(listing, place)
        if not any(name == place[0] and start < place[2] and end > place[1] for name, start, end in taken):
            groups.append(group)
            taken.update(group)
    return groups


def _plain(word: str) -> str:
    return str(word).replace("_", " ")
