"""What a reviewer decides, and whether it is in order."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from models.domain.action import Action
from models.domain.risk import RiskLevel
from serving.review.items import ReviewRefusedError
from serving.review.words import Outcome

RELEASES = frozenset({Action.PUBLISH, Action.PUBLISH_WITH_WARNING})
_LONGEST_NOTE = 10_000


@dataclass(frozen=True)
class Verdict:
    """One person's answer to one item.

    Parameters
    ----------
    outcome : Outcome
    action : Action
        What to do with the listing.
    level : RiskLevel
        Of the risk, as the reviewer sees it.
    hazards : tuple of str
        Risk types that are a real concern.
    reason_code : str
        A code of the plan.
    note : str
        Free text; may be erased after the retention time.
    worksheet : dict, optional
        Steps of the scenario as the reviewer set them.
    seconds : float
        Time that the item was before the reviewer.
    """

    outcome: Outcome
    action: Action
    level: RiskLevel
    hazards: tuple[str, ...] = ()
    reason_code: str = ""
    note: str = ""
    worksheet: dict[str, Any] | None = None
    seconds: float = 0.0

    @property
    def releases(self) -> bool:
        """Whether the offer may be seen."""
        return self.action in RELEASES

    def check(self, risk_types: Collection[str], reason_codes: Collection[str]) -> None:
        """Raise where the verdict contradicts itself or names what does not exist.

        Parameters
        ----------
        risk_types : collection of str
            Of the taxonomy.
        reason_codes : collection of str
            Of the plan; empty where it has none, and then none is asked for.

        Raises
        ------
        ReviewRefusedError
            Naming the field and the mend.
        """
        unknown = sorted(set(self.hazards) - set(risk_types))
        if unknown:
            raise ReviewRefusedError("hazards", f"{unknown[0]!r} is no risk type", "give risk types of the taxonomy")
        if self.action is Action.HOLD_FOR_REVIEW:
            raise ReviewRefusedError("action", "a review cannot end in a review", "hold the item or escalate it")
        if self.outcome is Outcome.CONFIRMED_RISK:
            if not self.hazards:
                raise ReviewRefusedError("hazards", "a confirmed risk has a hazard", "name one at least")
            if self.level is RiskLevel.NONE:
                raise ReviewRefusedError("level", "a confirmed risk has a level", "give low, medium, high or serious")
            if self.action is Action.PUBLISH and self.level.rank >= RiskLevel.HIGH.rank:
                raise ReviewRefusedError(
                    "action", f"a risk of level {self.level} is not published", "block it, or ask for information"
                )
        elif self.action is Action.BLOCK:
            raise ReviewRefusedError(
                "action", f"{self.outcome} means that there is no risk", "release the listing, or confirm the risk"
            )
        elif self.level.rank >= RiskLevel.HIGH.rank:
            raise ReviewRefusedError(
                "level", f"{self.outcome} means that there is no such risk", "give none, low or medium"
            )
        if not self.releases and reason_codes and self.reason_code not in reason_codes:
            raise ReviewRefusedError(
                "reason_code", f"{self.reason_code!r} is no code of the plan", f"give one of {', '.join(reason_codes)}"
            )
        if len(self.note) > _LONGEST_NOTE or "\x00" in self.note:
            raise ReviewRefusedError("note", "it is too long or holds a NUL byte", f"at most {_LONGEST_NOTE:,} letters")

    def agrees_with(self, other_action: str, other_level: str) -> bool:
        """Whether another verdict comes to the same: the action, and the level to within the same side of `high`."""
        high = RiskLevel.HIGH.rank
        same_side = (self.level.rank >= high) == (RiskLevel(other_level).rank >= high)
        return self.action == other_action and same_side


def needs_second(verdict: Verdict, model_level: RiskLevel) -> bool:
    """Whether a second person must decide too: on every block, and where what seemed `serious` is released."""
    return asks_for_second(verdict.action, model_level)


def asks_for_second(action: Action, model_level: RiskLevel) -> bool:
    """Tell the same of an action."""
    return action is Action.BLOCK or (action in RELEASES and model_level is RiskLevel.SERIOUS)
