"""Turns assessments into items: what the plan sends to a person, and a few that would teach the model much."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, func, insert, select

from models.deadlines.calendar import WorkCalendar
from models.deadlines.period import ends_at
from models.domain.action import Due
from models.domain.assessment import Assessment
from models.domain.listing import Listing
from serving.review.items import ACTS, ITEMS, as_item, change_item, countries_column
from serving.review.ranking import harm_of, place_of, uncertainty_of
from serving.review.told import tell_sent_to_review
from serving.review.words import WAITING, Sample, State
from serving.store.assessments import Answered
from serving.store.database import wait_for_turn, writing
from serving.store.review_tables import LEARNS, ReviewItemRow

_TITLE_KEPT, _CATEGORY_KEPT = 200, 200
_FIVE_WORKING_DAYS = Due(amount=5, unit="working_days")
LEARN_QUEUE = "learn"
"""Queue of items that no rule of the plan sent anywhere."""
_UNDECIDED = [*(state.value for state in WAITING), State.HELD.value]
# Asked with every answer that is kept: making such a query takes as long as running it, so each is made once.
_LEARNT_SINCE = select(func.count()).where(LEARNS, ITEMS.c.opened_at >= bindparam("since"))
_UNDECIDED_OF = select(ITEMS.c.listing_id).where(
    ITEMS.c.listing_id.in_(bindparam("listings", expanding=True)),
    ITEMS.c.state.in_(_UNDECIDED),
    ITEMS.c.sample != Sample.GOLDEN.value,
)
_NEWEST_OF = (
    select(ITEMS)
    .where(ITEMS.c.listing_id == bindparam("listing"), ITEMS.c.sample != Sample.GOLDEN.value)
    .order_by(ITEMS.c.id.desc())
    .limit(1)
)


@dataclass(frozen=True)
class IntakeRules:
    """How assessments become items.

    Parameters
    ----------
    calendar : WorkCalendar
        By which periods in working days end.
    otherwise_due : Due
        Time for items whose rules give none.
    patience : timedelta
        See `Place.rank`.
    learn_daily : int
        Most listings a day (UTC) that are queued only because the model would learn from them.
    learn_from : float
        Least uncertainty of these, 0 to 1.
    """

    calendar: WorkCalendar
    otherwise_due: Due = _FIVE_WORKING_DAYS
    patience: dt.timedelta = dt.timedelta(hours=24)
    learn_daily: int = 20
    learn_from: float = 0.5


class Intake:
    """Opens items for assessments. Its methods block: call them from a thread.

    Parameters
    ----------
    engine : Engine
    rules : IntakeRules
    """

    def __init__(self, engine: Engine, rules: IntakeRules) -> None:
        self.engine = engine
        self.rules = rules
        self._learnt_enough_on: dt.date | None = None

    def take(self, answers: Sequence[Answered], now: dt.datetime) -> int:
        """Open an item for each answer that needs one, or bring the listing's waiting item up to date.

        A listing has one undecided item at most. Equal content that a person has decided on is not asked about again.

        Returns
        -------
        int
            Items opened or changed.
        """
        with writing(self.engine) as connection:
            return self.take_within(connection, answers, now)

    def take_within(self, connection: Connection, answers: Sequence[Answered], now: dt.datetime) -> int:
        """Do the same in a transaction that is under way, so that an answer and its item are kept together."""
        judged = [(answer, self._sample(answer.assessment)) for answer in answers]
        waiting = _waiting(connection, [answer.listing.id for answer, sample in judged if sample is None])
        wanted = [(answer, sample) for answer, sample in judged if sample is not None or answer.listing.id in waiting]
        learning = any(sample is Sample.LEARN for _, sample in wanted)
        if learning and self._room_to_learn(connection, now) <= 0:  # so on most of a day: then nobody need wait
            wanted = [(answer, sample) for answer, sample in wanted if sample is not Sample.LEARN]
        if not wanted:
            return 0
        wait_for_turn(connection, ACTS)
        room = self._room_to_learn(connection, now) if learning else 0
        touched = 0
        for answer, sample in wanted:
            if sample is Sample.LEARN and room <= 0:
                continue
            changed = self._take(connection, answer.listing, answer.assessment, sample, now)
            touched += changed
            room -= changed and sample is Sample.LEARN
        return touched

    def _sample(self, assessment: Assessment) -> Sample | None:
        if assessment.decision.queue is not None:
            return Sample.PLAN
        unsure = uncertainty_of(assessment.level_probabilities) >= self.rules.learn_from
        return Sample.LEARN if self.rules.learn_daily > 0 and unsure else None

    def _room_to_learn(self, connection: Connection, now: dt.datetime) -> int:
        midnight = now.astimezone(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        if self._learnt_enough_on == midnight.date():
            return 0
        room = self.rules.learn_daily - connection.execute(_LEARNT_SINCE, {"since": midnight}).scalar_one()
        if room <= 0:
            self._learnt_enough_on = midnight.date()
        return room

    def _take(
        self,
        connection: Connection,
        listing: Listing,
        assessment: Assessment,
        sample: Sample | None,
        now: dt.datetime,
    ) -> bool:
        newest = connection.execute(_NEWEST_OF, {"listing": listing.id}).one_or_none()
        item = None if newest is None else as_item(newest)
        if item is None or (item.state is State.DECIDED and item.content_hash != assessment.content_hash):
            if sample is None:
                return False
            connection.execute(insert(ReviewItemRow).values(**self._opened(listing, assessment, sample, now)))
            if sample is Sample.PLAN:
                tell_sent_to_review(connection, assessment, now)
            return True
        if item.state is State.DECIDED or item.assessment_id == assessment.id:
            return False
        values = self._described(listing, assessment, item.due_at)
        if assessment.decision.queue is not None:
            values |= {"queue": assessment.decision.queue, "sample": Sample.PLAN.value}
            tell_sent_to_review(connection, assessment, now)
        if item.state is not State.OPEN:  # who looked already, looked at other content
            values["state"] = State.OPEN.value
        change_item(connection, item.id, values)
        return True

    def _opened(self, listing: Listing, assessment: Assessment, sample: Sample, now: dt.datetime) -> dict[str, Any]:
        due = assessment.decision.due or self.rules.otherwise_due
        due_at = ends_at(now, due, self.rules.calendar)
        return {
            **self._described(listing, assessment, due_at),
            "queue": assessment.decision.queue or LEARN_QUEUE,
            "sample": sample.value,
            "state": State.OPEN.value,
            "opened_at": now,
            "due_at": due_at,
        }

    def _described(self, listing: Listing, assessment: Assessment, due_at: dt.datetime) -> dict[str, Any]:
        rank = place_of(assessment.level_probabilities, due_at).rank(self.rules.patience)
        return {**described(listing, assessment), "rank": rank}


def described(listing: Listing, assessment: Assessment) -> dict[str, Any]:
    """Return the columns of an item that follow from its assessment alone."""
    return {
        "listing_id": listing.id,
        "assessment_id": assessment.id,
        "content_hash": assessment.content_hash,
        "level": (assessment.decision.level or assessment.risk_level).value,
        "action": assessment.decision.action.value,
        "hazard": assessment.scenario.risk_type if assessment.scenario else "",
        "risk_score": assessment.risk_score,
        "p_unsafe": assessment.p_unsafe,
        "category": listing.category[:_CATEGORY_KEPT],
        "language": assessment.language.code,
        "countries": countries_column(list(listing.target_countries)),
        "seller": listing.seller_id,
        "title": listing.title[:_TITLE_KEPT],
        "harm": harm_of(assessment.level_probabilities),
        "uncertainty": uncertainty_of(assessment.level_probabilities),
    }


def _waiting(connection: Connection, listing_ids: list[str]) -> set[str]:
    """Return the listings that wait for a person: one whose new text seems harmless must still be looked at."""
    if not listing_ids:
        return set()
    return set(connection.execute(_UNDECIDED_OF, {"listings": listing_ids}).scalars())
