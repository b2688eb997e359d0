"""Sends what waits: a few deliveries at once to each endpoint, each signed and within a time limit."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

import httpx
from sqlalchemy.exc import SQLAlchemyError

from serving.hooks.deliveries import Claimed, DeliveryStore, Tried
from serving.hooks.delivery_log import DeliveryLog, Figures
from serving.hooks.schedule import wished_wait
from serving.hooks.signing import ID_HEADER, SIGNATURE_HEADER, TIME_HEADER, signature_header
from serving.outgoing.addresses import Guard, TargetError
from serving.outgoing.transport import AsyncCheckedTransport
from serving.pausing import outlived, pause, taken

_log = logging.getLogger("hazardlens.hooks")
_COUNTS_EVERY = 10.0
_SWEEPS_EVERY = 60.0
_AFTER_FAILURE = 5.0
_LAST_SECONDS = 2.0
"""That tries under way have when the server ends; then they are broken off, and made again."""
_AT_ONCE = 16
_TO_ONE = 4
"""Tries at once, of all and of one endpoint: one that hangs takes no other's place."""
_ANSWER_READ = 4_096
_ANSWER_KEPT = 500
_WAITS_ASKED_BY = frozenset({429, 503})
"""Statuses whose ``Retry-After`` counts."""

Observe = Callable[[str], None]


@dataclass(frozen=True)
class SendingRules:
    """What an operator sets.

    Parameters
    ----------
    timeout : float
        Seconds that a try may take, with everything.
    keep : timedelta
        How long the log of deliveries is kept.
    looks_every : float
        Seconds until an event, or a delivery that is due again, is seen.
    """

    timeout: float = 10.0
    keep: dt.timedelta = field(default_factory=lambda: dt.timedelta(days=30))
    looks_every: float = 0.5

    @property
    def lease(self) -> dt.timedelta:
        """How long a process that died keeps what it was sending; a try that lives is over by then."""
        return dt.timedelta(seconds=self.timeout + 5.0 if self.timeout >= 5.0 else 2 * self.timeout)


class Sender:
    """Works off the deliveries of a store.

    Parameters
    ----------
    store : DeliveryStore
    log : DeliveryLog
    guard : Guard
        Says which addresses may be asked.
    rules : SendingRules
    observe : callable
        Is told what came of each try: `delivered`, `failed`, `dead` or `lost`.
    """

    def __init__(
        self, store: DeliveryStore, log: DeliveryLog, guard: Guard, rules: SendingRules, observe: Observe
    ) -> None:
        self.store, self.log, self.guard, self.rules = store, log, guard, rules
        self.figures = Figures()
        self._observe = observe
        self._woken = asyncio.Event()
        self._running: dict[asyncio.Task[None], Claimed] = {}
        self._task: asyncio.Task[None] | None = None
        self._counted = self._swept = float("-inf")

    def begin(self) -> None:
        """Start sending; returns at once."""
        self._task = asyncio.create_task(self._run(), name="hooks")

    def wake(self) -> None:
        """Look for work now."""
        self._woken.set()

    async def end(self) -> None:
        """Stop; tries under way have a moment, then others make them again."""
        if self._task is None:
            return
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _run(self) -> None:
        transport = AsyncCheckedTransport(self.guard, _AT_ONCE)
        headers = {"User-Agent": "hazardlens", "Accept-Encoding": "identity", "Content-Type": "application/json"}
        async with httpx.AsyncClient(transport=transport, timeout=self.rules.timeout, headers=headers) as client:
            try:
                while True:
                    self._woken.clear()
                    await pause(self._woken, await outlived(self._round(client), _log, "webhooks", _AFTER_FAILURE))
            finally:
                await self._finish()

    async def _round(self, client: httpx.AsyncClient) -> float:
        """Look once for what is due, begin to send it, and return the seconds until there may be more."""
        while await asyncio.to_thread(self.store.dispatch):
            pass
        for claimed in await self._claim():
            task = asyncio.create_task(self._deliver(client, claimed), name=f"hook {claimed.id}")
            self._running[task] = claimed
            task.add_done_callback(self._ended)
        await self._housekeeping()
        return self.rules.looks_every

    async def _claim(self) -> list[Claimed]:
        """Take what is due, as much as may be sent at once."""
        free = _AT_ONCE - len(self._running)
        if free <= 0:
            return []
        busy = Counter(claimed.endpoint.id for claimed in self._running.values())
        places = {endpoint: max(0, _TO_ONE - count) for endpoint, count in busy.items()}
        return await taken(lambda: self.store.claim(places, _TO_ONE, free), self._put_back)

    def _put_back(self, claimed: list[Claimed]) -> None:
        for each in claimed:
            self.store.release(each)

    async def _deliver(self, client: httpx.AsyncClient, claimed: Claimed) -> None:
        try:
            tried = await self._try(client, claimed)
        except asyncio.CancelledError:
            await asyncio.to_thread(self.store.release, claimed)
            raise
        try:
            outcome = await asyncio.to_thread(self.store.note, claimed, tried)
        except SQLAlchemyError as error:
            _log.error("webhook %s is sent again, since it was not noted: %s", claimed.event_id, error)
            return
        self._observe(outcome)
        if outcome == "dead":
            _log.error("webhook %s to %s is given up: %s", claimed.event_id, claimed.endpoint.id, tried.failure)

    async def _try(self, client: httpx.AsyncClient, claimed: Claimed) -> Tried:
        begun, at = monotonic(), dt.datetime.now(dt.UTC)
        try:
            async with asyncio.timeout(self.rules.timeout):
                return await self._answer(client, claimed, at, begun)
        except TimeoutError:
            failure = f"no answer within {self.rules.timeout:g} s"
        except (httpx.HTTPError, httpx.InvalidURL, TargetError) as error:
            failure = str(error) or type(error).__name__
        except Exception as error:  # noqa: BLE001  (logged; one delivery must not keep the others from being made)
            _log.exception("webhook %s could not be sent", claimed.event_id)
            failure = f"{type(error).__name__} on this side"
        return Tried(at, monotonic() - begun, failure=failure[:_ANSWER_KEPT])

    async def _answer(self, client: httpx.AsyncClient, claimed: Claimed, at: dt.datetime, begun: float) -> Tried:
        content, timestamp = claimed.content(), int(at.timestamp())
        headers = {
            ID_HEADER: claimed.event_id,
            TIME_HEADER: str(timestamp),
            SIGNATURE_HEADER: signature_header(claimed.endpoint.signing(at), timestamp, content),
        }
        async with client.stream("POST", claimed.endpoint.url, content=content, headers=headers) as response:
            answer = b""
            async for piece in response.aiter_raw():
                answer += piece
                if len(answer) >= _ANSWER_READ:
                    break
        status = response.status_code
        failure = "" if response.is_success else f"status {status}"
        if response.is_redirect:
            failure += "; redirects are not followed"
        wish = wished_wait(response.headers, at) if status in _WAITS_ASKED_BY else None
        shown = "".join(c if c.isprintable() else " " for c in answer.decode("utf-8", "replace"))[:_ANSWER_KEPT]
        return Tried(at, monotonic() - begun, status, failure, shown, wish)

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._running[task]
        if not task.cancelled() and task.exception() is not None:
            _log.error("a webhook was lost on its way and is sent again", exc_info=task.exception())
        self._woken.set()

    async def _housekeeping(self) -> None:
        now = monotonic()
        if now - self._counted > _COUNTS_EVERY:
            self._counted = now
            self.figures = await asyncio.to_thread(self.log.figures)
        if now - self._swept > _SWEEPS_EVERY:
            self._swept = now
            await asyncio.to_thread(self.log.sweep, dt.datetime.now(dt.UTC) - self.rules.keep)

    async def _finish(self) -> None:
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=_LAST_SECONDS)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late)
