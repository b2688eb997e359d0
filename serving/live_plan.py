"""Keeps the engine's plan the one that is live in the store, whichever server's call put it in force."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import threading
from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError

from models.domain.assessment import Versions
from models.domain.errors import InputError
from models.plan.plan import Plan
from models.plan.reading import parse_plan
from models.plan.vocabulary import vocabulary_of
from serving.engine import AssessmentEngine
from serving.store.plans import PlanStore, StoredPlan

_log = logging.getLogger("hazardlens.plan")
_LOOKS_EVERY = 5.0
"""Seconds until an act of another server counts here too."""


class LivePlan:
    """The plan in force of one server.

    Parameters
    ----------
    store : PlanStore
    engine : AssessmentEngine
        Has the plan of the server's file.
    on_change : function of Versions
        Is told what answers are made with from then on.
    today : function without arguments
        The day by which rules expire; by default in UTC.
    """

    def __init__(
        self,
        store: PlanStore,
        engine: AssessmentEngine,
        on_change: Callable[[Versions], None],
        today: Callable[[], dt.date] = lambda: dt.datetime.now(dt.UTC).date(),
    ) -> None:
        self.store, self.engine, self.on_change, self.today = store, engine, on_change, today
        self._seen = 0
        self._one_at_a_time = threading.Lock()

    def begin(self) -> None:
        """Store the plan of the server's file, and take what is live; blocks.

        Raises
        ------
        InputError
            If this version cannot read the live plan.
        """
        own = self.engine.plan
        self.note_another_model()
        seen = self.store.newest_act()
        live = self.store.start(own)
        if live.digest != own.content_digest:
            _log.warning("plan %s of the store is live, not %s of the file", live.plan_id, own.id)
            self._take(live)
        self._seen = seen

    def note_another_model(self) -> None:
        """Tell in the log what the plan says that the model in force does not know or keep."""
        model, plan = self.engine.model, self.engine.plan
        vocabulary = vocabulary_of(model.taxonomy, model.knowledge)
        strange = [problem.message for problem in parse_plan(plan.text, vocabulary=vocabulary).errors]
        if strange:
            shown = "; ".join(strange[:3]) + ("; ..." if len(strange) > 3 else "")
            _log.warning("plan %s uses %d words that this model does not know: %s", plan.id, len(strange), shown)
        self._note_what_is_strange()

    def refresh(self) -> None:
        """Take what is live now: after an act, here or elsewhere, and after midnight (UTC); blocks."""
        with self._one_at_a_time:
            newest, today = self.store.newest_act(), self.today()
            if newest != self._seen:
                live = self.store.live()
                if live is not None and live.digest != self.engine.plan.content_digest:
                    self._take(live)
                self._seen = newest
            elif self.engine.plan.on(today) is not self.engine.plan:
                self._put(self.engine.plan.on(today))

    async def watch(self) -> None:
        """Look from time to time, for ever; a store that does not answer leaves the plan as it is."""
        while True:
            await asyncio.sleep(_LOOKS_EVERY)
            try:
                await asyncio.to_thread(self.refresh)
            except (SQLAlchemyError, InputError) as error:
                _log.error("plan %s stays: what is live could not be read: %s", self.engine.plan.id, error)

    def _take(self, stored: StoredPlan) -> None:
        self._put(plan_of(stored))

    def _put(self, plan: Plan) -> None:
        self.engine.put_in_force(plan)
        self._note_what_is_strange()
        self.on_change(self.engine.versions)
        _log.info("plan %s is in force", self.engine.plan.id)

    def _note_what_is_strange(self) -> None:
        model, plan = self.engine.model, self.engine.plan
        for what in plan.strange_to(model.guarantees, model.settings.spread):
            _log.warning("plan %s: %s", plan.id, what)


def plan_of(stored: StoredPlan) -> Plan:
    """Return a stored plan, ready to decide.

    Raises
    ------
    InputError
        If this version cannot read it.
    """
    reading = parse_plan(stored.content, f"stored plan {stored.plan_id}")
    if reading.plan is None:
        raise reading.errors[0].as_error(reading.file)
    return reading.plan
