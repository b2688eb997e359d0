"""Two tiers: the screen of a model answers for everyday goods, and leaves the rest to the whole model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from models.classifier.encoder import NO_ENCODING
from models.classifier.stopwatch import Stopwatch
from models.classifier.wording import Opinion, flagged
from models.domain.action import Action
from models.domain.assessment import Assessment
from models.domain.listing import Listing
from models.domain.risk import RiskLevel
from models.matching.looking import NOT_LOOKED, Looked, Recalls
from models.plan.plan import Plan
from models.screening.score import ScreenScore
from models.screening.screen import Screened, Screener
from models.screening.skimming import Skimmer
from models.screening.static_encoder import StaticEncoder

if TYPE_CHECKING:
    from models.classifier.classifier import HazardClassifier

_LETS_PASS = {Action.PUBLISH, Action.PUBLISH_WITH_WARNING}


def screener_for(
    model: HazardClassifier, static: StaticEncoder, score: ScreenScore, skimmer: Skimmer | None = None
) -> Screener:
    """Return what screens listings for a model with some static vectors and a score."""
    return Screener(
        static,
        model.encoder,
        model.kind_model,
        model.scenario_model,
        model.reader.detector,
        skimmer or Skimmer(model.knowledge),
        model.settings.least_known_share,
        score,
    )


class FirstTier:
    """The answers of a model's screen.

    Parameters
    ----------
    model : HazardClassifier
        One that `screens`.
    """

    def __init__(self, model: HazardClassifier) -> None:
        if model.screen is None or model.screener is None or not model.screens:
            raise ValueError("the model has no screen that may answer")
        self._model = model
        self._screener = model.screener
        self._threshold = model.screen.guarantee.threshold

    def answers(self, listings: Sequence[Listing], plan: Plan, looked: Looked) -> dict[int, Assessment]:
        """Return the answers, by the place of their listing: those that let it pass."""
        screened, places = self._below(listings)
        answers = (
            self._model.word(read, opinion, plan, NO_ENCODING, "none", looked=looked, tier="screen")
            for read, opinion in zip(screened.read, self._opinions(screened), strict=True)
        )
        return {i: answer for i, answer in zip(places, answers, strict=True) if _lets_pass(answer)}

    def answer(
        self, listing: Listing, plan: Plan, recalls: Recalls | None = None, watch: Stopwatch | None = None
    ) -> Assessment | None:
        """Return the answer to one listing, as `answers` gives it; None where the whole model is to read.

        Parameters
        ----------
        recalls : Recalls, optional
            Looks for matches among the known alerts, with the words as the whole model reads them and the vector of the
            screen. A listing that has any is for the whole model. The answer has no signature, which is not for a
            rough vector to make.
        watch : Stopwatch, optional
            Gets the phases ``screen``, ``match`` and ``decide``.
        """
        model, watch = self._model, watch or Stopwatch()
        screened, places = self._below([listing])
        opinion = self._opinions(screened)[0] if places else None
        watch.lap("screen")
        if opinion is None:
            return None
        looked, hazards = NOT_LOOKED, model.hazards(opinion)
        if recalls is not None:
            looked = recalls.look(model.read(listing), screened.embeddings[0], opinion.kinds, flagged(hazards))
            watch.lap("match")
            if looked.matches:
                return None
            looked = replace(looked, signature=None)
        read = screened.read[0]
        answer = model.word(read, opinion, plan, NO_ENCODING, "none", looked=looked, tier="screen", hazards=hazards)
        watch.lap("decide")
        return answer if _lets_pass(answer) else None

    def _below(self, listings: Sequence[Listing]) -> tuple[Screened, list[int]]:
        """Return what the screen makes of the listings that it may answer for, and their places."""
        screened = self._screener.screen(listings)
        places = screened.below(self._threshold)
        return screened.of(places), places.tolist()

    def _opinions(self, screened: Screened) -> list[Opinion]:
        return self._model.opinions_given(screened.read, screened.embeddings, screened.names, screened.risks)


def _lets_pass(answer: Assessment) -> bool:
    """Tell whether an answer of the screen stands: one that holds a listing, or asks for anything, is not its own."""
    calm = not answer.abstains and answer.risk_level.rank < RiskLevel.HIGH.rank
    return calm and answer.decision.action in _LETS_PASS
