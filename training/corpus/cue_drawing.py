"""Which cues a listing of a kind shows."""

from __future__ import annotations

from random import Random

from models.classifier.scenarios import CueFact
from models.knowledge.base import Knowledge
from models.knowledge.kinds import ProductKind
from training.corpus.cue_wording import CueWording
from training.corpus.phrase_book import SharedWords
from training.corpus.settings import CorpusSettings

_COUNTS = (0.34, 0.68, 0.9, 1.0)
"""Cumulative shares of listings with 0, 1, 2 and 3 cues."""
MOST_CUES = len(_COUNTS) - 1


class CueDraw:
    """Draws up to three cues that do not contradict each other."""

    def __init__(
        self, knowledge: Knowledge, shared: SharedWords, settings: CorpusSettings, wording: CueWording
    ) -> None:
        self._known = knowledge.cue_by_id
        self._settings = settings
        self._wording = wording
        self._fitting = [cue for cue in shared.fitting_cues if cue in self._known]
        self._rivals: dict[str, set[str]] = {}
        for group in shared.exclusive_cues:
            for cue in group:
                self._rivals.setdefault(cue, set()).update(group)

    def draw(self, kind: ProductKind, language: str, rng: Random) -> list[CueFact]:
        """Return the cues of a listing, each at most once."""
        luck = rng.random()
        count = next(i for i, edge in enumerate(_COUNTS) if luck <= edge)
        listed = [*kind.aggravating, *kind.mitigating]
        facts: list[CueFact] = []
        barred: set[str] = set()
        for _ in range(count):
            pool = listed if listed and rng.random() >= self._settings.unlisted else self._fitting
            cue = pool[int(rng.random() * len(pool))] if pool else ""
            if not cue or cue in barred or not self._wording.can_write(cue, language):
                continue
            negated = rng.random() < self._settings.negated and self._wording.can_negate(cue, language)
            facts.append(CueFact(cue, negated))
            barred.add(cue)
            barred |= self._rivals.get(cue, set())
        return facts
