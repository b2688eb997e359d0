"""Counts of a simulation: added up record by record, merged over processes, of bounded size whatever the history."""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

from models.domain.action import Action
from models.simulation.outcome import Outcome

ACTIONS = len(Action)
BINS = 400
"""Bins of a score's histogram, equal in width over 0 to 1."""
SCORES = ("risk_score", "p_unsafe")
DIMENSIONS = ("level", "hazard", "category", "consumers", "language", "country")
_VALUES_KEPT = 500
_OTHERS = "(others)"
_CHANGES_KEPT = 200
_FAULTS_KEPT = 20
_RESTRICTED = Action.REQUEST_INFORMATION.rank
_HELD = Action.HOLD_FOR_REVIEW.rank
_TITLE_SHOWN = 120

_PENDING = 20_000
"""Patterns of records that are held before they are taken apart."""
_Pattern = tuple[Outcome, Outcome, str, str, str, str, tuple[str, ...]]
Matrix = list[int]
"""Counts of (action before, action after), rows first, length 25."""


class Cut(NamedTuple):
    """A number that a plan compares a score with: a threshold, or one that stands in a condition."""

    label: str
    score: str
    at: float


class Change(NamedTuple):
    """A listing whose action changes; ordered by how much, then by its risk."""

    steps: int
    risk_score: float
    listing_id: str
    assessment_id: str
    title: str
    before: int
    after: int
    level: str
    hazard: str
    rules: tuple[str, ...]


@dataclass
class Hits:
    """How often each rule of one side did what."""

    fired: Counter[str] = field(default_factory=Counter)
    decided: Counter[str] = field(default_factory=Counter)
    background: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    queues: Counter[str] = field(default_factory=Counter)

    def add(self, outcome: Outcome, times: int) -> None:
        """Count a decision that was taken so many times."""
        for counts, names in (
            (self.fired, outcome.rules),
            (self.decided, outcome.deciding),
            (self.background, outcome.background),
            (self.errors, outcome.errors),
        ):
            for name in names:
                counts[name] += times
        if outcome.queue is not None:
            self.queues[outcome.queue] += times

    def merge(self, other: Hits) -> None:
        """Add another's counts."""
        for name in self.__dataclass_fields__:
            getattr(self, name).update(getattr(other, name))


@dataclass
class Harm:
    """Expected figures, as sums of probabilities.

    Parameters
    ----------
    missed : float
        Listings of level high or serious that go on sale.
    held_wrongly : float
        Listings below that level that are held or blocked.
    """

    missed: float = 0.0
    held_wrongly: float = 0.0

    def add(self, action: int, risk_score: float) -> None:
        """Add one listing."""
        if action < _RESTRICTED:
            self.missed += risk_score
        elif action >= _HELD:
            self.held_wrongly += 1.0 - risk_score

    def merge(self, other: Harm) -> None:
        """Add another's sums."""
        self.missed += other.missed
        self.held_wrongly += other.held_wrongly


@dataclass
class Tally:
    """Everything that a simulation counts.

    Parameters
    ----------
    cuts : sequence of Cut
        Numbers for which listings that reach them are counted, in `reached` by label.
    slices : mapping
        Dimension -> value -> counts of (before, after).
    histograms : mapping
        Score -> counts in `BINS` bins, of what the plan after sees.
    harm : mapping
        (whose probabilities, side) -> expected figures; probabilities are those of the ``kept`` assessment or of the
        ``candidate`` model, sides are ``before`` and ``after``.
    """

    cuts: Sequence[Cut] = ()
    n: int = 0
    unreadable: int = 0
    undecided: int = 0
    faults: list[str] = field(default_factory=list)
    total: Matrix = field(default_factory=lambda: [0] * ACTIONS**2)
    slices: dict[str, dict[str, Matrix]] = field(default_factory=lambda: {name: {} for name in DIMENSIONS})
    before: Hits = field(default_factory=Hits)
    after: Hits = field(default_factory=Hits)
    days: Counter[str] = field(default_factory=Counter)
    histograms: dict[str, Matrix] = field(default_factory=lambda: {name: [0] * BINS for name in SCORES})
    harm: defaultdict[tuple[str, str], Harm] = field(default_factory=lambda: defaultdict(Harm))
    changes: list[Change] = field(default_factory=list)
    reached: Counter[str] = field(default_factory=Counter)
    _pending: defaultdict[_Pattern, int] = field(default_factory=lambda: defaultdict(int), repr=False)

    def fault(self, message: str) -> None:
        """Count a record that could not be read; the first ones are named."""
        self.unreadable += 1
        if len(self.faults) < _FAULTS_KEPT:
            self.faults.append(message)

    def add(
        self,
        day: str,
        listing: Mapping[str, Any],
        kept: Mapping[str, Any],
        seen: Mapping[str, Any],
        before: Outcome,
        after: Outcome,
    ) -> Change | None:
        """Count one record.

        Parameters
        ----------
        kept, seen : mapping
            The assessment that was kept, and the one that the plan after decides on; the same without a candidate.

        Returns
        -------
        Change or None
            Where the action changes.
        """
        self.n += 1
        self.days[day] += 1
        # Most records look like one that came before, so that whole patterns are counted first and taken apart later.
        self._pending[before, after, *_slices(listing, seen)] += 1
        if len(self._pending) > _PENDING:
            self.settle()
        for score in SCORES:
            figure = seen.get(score)
            if figure is not None:
                self.histograms[score][min(BINS - 1, int(figure * BINS))] += 1
        for cut in self.cuts:
            figure = seen.get(cut.score)
            if figure is not None and figure >= cut.at:
                self.reached[cut.label] += 1
        self._harm("kept", kept, before, after)
        if seen is not kept:
            self._harm("candidate", seen, before, after)
        return self._change(listing, seen, before, after) if before.action != after.action else None

    def settle(self) -> Self:
        """Bring what was added into the counts; done before they are read."""
        for (before, after, hazard, category, consumers, language, countries), times in self._pending.items():
            cell = before.action * ACTIONS + after.action
            self.total[cell] += times
            values = (_LEVELS[after.level], hazard, category, consumers, language)
            for dimension, value in (*zip(DIMENSIONS, values, strict=False), *(("country", c) for c in countries)):
                self._matrix(dimension, value)[cell] += times
            self.before.add(before, times)
            self.after.add(after, times)
        self._pending.clear()
        return self

    def merge(self, other: Tally) -> None:
        """Add another part's counts."""
        self.settle()
        other.settle()
        self.n += other.n
        self.unreadable += other.unreadable
        self.undecided += other.undecided
        self.faults = [*self.faults, *other.faults][:_FAULTS_KEPT]
        self.total = _sum(self.total, other.total)
        for dimension, values in other.slices.items():
            for value, matrix in values.items():
                own = self._matrix(dimension, value)
                own[:] = _sum(own, matrix)
        self.before.merge(other.before)
        self.after.merge(other.after)
        self.days.update(other.days)
        self.reached.update(other.reached)
        self.histograms = {name: _sum(self.histograms[name], other.histograms[name]) for name in SCORES}
        for key, harm in other.harm.items():
            self.harm[key].merge(harm)
        self.changes = heapq.nlargest(_CHANGES_KEPT, [*self.changes, *other.changes])

    def _matrix(self, dimension: str, value: str) -> Matrix:
        values = self.slices[dimension]
        found = values.get(value)
        if found is None:
            if len(values) >= _VALUES_KEPT:
                value = _OTHERS
            found = values.setdefault(value, [0] * ACTIONS**2)
        return found

    def _harm(self, whose: str, assessment: Mapping[str, Any], before: Outcome, after: Outcome) -> None:
        score = assessment.get("risk_score") or 0.0
        self.harm[whose, "before"].add(before.action, score)
        self.harm[whose, "after"].add(after.action, score)

    def _change(self, listing: Mapping[str, Any], seen: Mapping[str, Any], before: Outcome, after: Outcome) -> Change:
        change = Change(
            abs(after.action - before.action),
            seen.get("risk_score") or 0.0,
            str(listing.get("id", "")),
            str(seen.get("id", "")),
            str(listing.get("title", ""))[:_TITLE_SHOWN],
            before.action,
            after.action,
            _LEVELS[after.level],
            (seen.get("scenario") or {}).get("risk_type") or "",
            tuple(after.deciding),
        )
        if len(self.changes) < _CHANGES_KEPT:
            heapq.heappush(self.changes, change)
        else:
            heapq.heappushpop(self.changes, change)
        return change


def _slices(listing: Mapping[str, Any], seen: Mapping[str, Any]) -> tuple[str, str, str, str, tuple[str, ...]]:
    """Return hazard, category, consumers, language and countries of a record."""
    scenario = seen.get("scenario") or _NOTHING
    kinds = seen.get("kinds")
    return (
        scenario.get("risk_type") or "(none)",
        (kinds[0].get("category") if kinds else None) or "(unknown)",
        scenario.get("consumers") or "(none)",
        (seen.get("language") or _NOTHING).get("code") or "(unknown)",
        tuple([country.upper() for country in listing.get("target_countries") or ("(not told)",)]),
    )


def _sum(a: list[int], b: list[int]) -> list[int]:
    return [x + y for x, y in zip(a, b, strict=True)]


_LEVELS = ("none", "low", "medium", "high", "serious")
_NOTHING: Mapping[str, Any] = {}
