"""One round over a source: everything new in it is taken in, and what fails stops nothing else."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine, select

from models.deadlines.clocks import NoticeKind
from models.domain.alert import Alert
from models.domain.taxonomy import Taxonomy
from serving.hooks.schedule import Schedule
from serving.recalls.alerts import SIGHTINGS
from serving.recalls.documents import DOCUMENTS, Document, KeptDocument, newest, read, seen_again
from serving.recalls.fetching import Fetcher, FetchError, GoneError
from serving.recalls.reading import Read, UnreadableError, read_document
from serving.recalls.receiving import CASES, Receipt, Receiving
from serving.recalls.source_states import LostLeaseError, SourceState, SourceStates
from serving.recalls.sources import Source
from serving.store.database import writing

_log = logging.getLogger("hazardlens.recalls")
_TOLD = 5
_FOLLOWED = 200
_FOLLOWED_EVERY = dt.timedelta(hours=24)
BACK_OFF = Schedule(base=600.0, longest=21_600.0)
"""Ten minutes after the first failed round, six hours at most."""


@dataclass
class Polled:
    """What a round brought.

    Parameters
    ----------
    documents, unchanged : int
        Taken in, and said to be as before.
    new, updated, withdrawn : int
        Alerts.
    failures : list of str
        Each with its place.
    """

    source: str
    documents: int = 0
    unchanged: int = 0
    new: int = 0
    updated: int = 0
    withdrawn: int = 0
    failures: list[str] = field(default_factory=list)
    wait: dt.timedelta | None = None

    @property
    def failure(self) -> str:
        """What went wrong, shortened."""
        more = f" (and {len(self.failures) - _TOLD} more)" if len(self.failures) > _TOLD else ""
        return "; ".join(self.failures[:_TOLD])[:4_000] + more


class Round:
    """What a round over one source can do; each kind of source has its own way through it.

    Parameters
    ----------
    source : Source
    held : SourceState
        Of the source, which this worker has.
    """

    def __init__(
        self,
        source: Source,
        held: SourceState,
        states: SourceStates,
        receiving: Receiving,
        fetcher: Fetcher,
        taxonomy: Taxonomy,
    ) -> None:
        self.source, self.held, self.polled = source, held, Polled(source.id)
        self.cursor: dict[str, Any] = dict(held.cursor)
        self.began = fetcher.now()
        self._states, self._receiving, self._fetcher, self._taxonomy = states, receiving, fetcher, taxonomy

    def since(self) -> dt.date:
        """Return the day from which the source is asked for alerts."""
        noted = self.cursor.get("since")
        first = self.began.date() - dt.timedelta(days=self.source.first_days)
        return dt.date.fromisoformat(noted) if noted else first

    def known(self, url: str) -> KeptDocument | None:
        """Return what an address gave last."""
        with self._receiving.engine.connect() as connection:
            return newest(connection, self.source.id, url)

    def get(self, url: str, **options: Any) -> Document | None:
        """Return what an address gives; None where it is as before, or failed, which is noted.

        Raises
        ------
        GoneError
            If it is not there.
        FetchError
            If the server asks to be left alone: the round ends.
        """
        self._states.renew(self.held, self._fetcher.now())
        known = self.known(url) if "method" not in options else None
        try:
            document = self._fetcher.get(self.source, url, known, **options)
        except GoneError:
            raise
        except FetchError as error:
            self.fail(str(error))
            if error.wait is not None:
                self.polled.wait = error.wait
                raise
            return None
        if document is None and known is not None:
            self.polled.unchanged += 1
            with writing(self._receiving.engine) as connection:
                seen_again(connection, known.id, self._fetcher.now())
        return document

    def index(self, document: Document) -> None:
        """Keep a document that only names others."""
        self._receiving.take(document, [], self._receipt(document))

    def kept(self, url: str) -> Document | None:
        """Return, from the store, what an address gave last."""
        known = self.known(url)
        with self._receiving.engine.connect() as connection:
            found = None if known is None else read(connection, known.id)
        if known is None or found is None:
            return None
        return Document(self.source.id, found[1], known.seen_at, known.url)

    def take(self, document: Document, cursor: Mapping[str, Any] | None = None) -> Read | None:
        """Take a document in, and move the cursor with it; None where it cannot be read, which is noted.

        Parameters
        ----------
        cursor : mapping, optional
            Where the cursor stands once all of the document was taken in.
        """
        try:
            found = read_document(document, self.source, self._taxonomy)
        except UnreadableError as error:
            self.fail(str(error))
            self._receiving.keep_unread(document, str(error))
            return None
        after = {**self.cursor, **(cursor or {})}
        taken = self._receiving.take(
            document,
            found.alerts,
            self._receipt(document),
            rank=self.source.rank,
            failure=found.failure,
            then=lambda connection: self._states.save(connection, self.held, after, self._fetcher.now()),
        )
        if found.failure:
            self.fail(found.failure)
        self.cursor = after
        self.polled.documents += 1
        self.polled.new += len(taken.new)
        self.polled.updated += len(taken.updated) + len(taken.restored)
        return found

    def move(self, cursor: Mapping[str, Any]) -> None:
        """Move the cursor."""
        self.cursor = {**self.cursor, **cursor}
        with writing(self._receiving.engine) as connection:
            self._states.save(connection, self.held, self.cursor, self._fetcher.now())

    def fail(self, message: str) -> None:
        """Note what went wrong."""
        _log.warning("source %s: %s", self.source.id, message)
        self.polled.failures.append(message)

    def lose(self, alert_ids: Sequence[str]) -> None:
        """Note alerts of which the source no longer tells."""
        now = self._fetcher.now()
        self.polled.withdrawn += len(self._receiving.lose(self.source.id, alert_ids, now))

    def not_seen_since(self, moment: dt.datetime) -> list[str]:
        """Return the alerts of which the source told before a moment and not after."""
        query = select(SIGHTINGS.c.alert_id).where(
            SIGHTINGS.c.source == self.source.id, SIGHTINGS.c.gone_at.is_(None), SIGHTINGS.c.last_at < moment
        )
        with self._receiving.engine.connect() as connection:
            return list(connection.execute(query.order_by(SIGHTINGS.c.alert_id)).scalars())

    def to_follow(self) -> list[tuple[str, str]]:
        """Return (alert, address) of open cases whose document was not asked for lately, longest ago first."""
        query = (
            select(SIGHTINGS.c.alert_id, DOCUMENTS.c.url)
            .join(DOCUMENTS, DOCUMENTS.c.id == SIGHTINGS.c.document_id)
            .join(CASES, CASES.c.alert_id == SIGHTINGS.c.alert_id)
            .where(SIGHTINGS.c.source == self.source.id, SIGHTINGS.c.gone_at.is_(None), CASES.c.closed_at.is_(None))
            .where(DOCUMENTS.c.seen_at < self.began - _FOLLOWED_EVERY)
            .order_by(DOCUMENTS.c.seen_at)
            .limit(_FOLLOWED)
        )
        with self._receiving.engine.connect() as connection:
            return [(row.alert_id, row.url) for row in connection.execute(query)]

    def _receipt(self, document: Document) -> Receipt:
        return Receipt(NoticeKind.MONITORING, document.fetched_at)


Ask = Callable[[Round], None]
"""How a kind of source is gone through."""


@dataclass(frozen=True)
class Poller:
    """Asks sources. Its methods block: call them from a thread.

    Parameters
    ----------
    engine : Engine
    sources : sequence of Source
    receiving : Receiving
    fetcher : Fetcher
    taxonomy : Taxonomy
        Names of risk types that notices are read into.
    ways : mapping
        How each kind of source is gone through.
    """

    engine: Engine
    sources: Sequence[Source]
    receiving: Receiving
    fetcher: Fetcher
    taxonomy: Taxonomy
    ways: Mapping[str, Ask]
    back_off: Schedule = BACK_OFF

    def poll_next(self, *, due_only: bool = True, among: Sequence[str] = ()) -> Polled | None:
        """Ask the source whose turn it is; None where it is nobody's.

        Parameters
        ----------
        among : sequence of str
            Only these; empty for all.
        """
        states = SourceStates(self.engine)
        chosen = [source for source in self.sources if not among or source.id in among]
        held = states.claim(chosen, self.fetcher.now(), due_only=due_only)
        if held is None:
            return None
        source = next(each for each in chosen if each.id == held.source)
        work = Round(source, held, states, self.receiving, self.fetcher, self.taxonomy)
        try:
            self.ways[source.kind](work)
        except LostLeaseError as error:
            _log.warning("%s", error)
            return work.polled
        except FetchError as error:
            if str(error) not in work.polled.failures:
                work.fail(str(error))
        except Exception as error:  # noqa: BLE001  (told, and tried again: one source must not stop the others)
            _log.exception("source %s", source.id)
            work.fail(f"{type(error).__name__}: {error}")
        now = self.fetcher.now()
        states.release(held, now, now + self._wait(source, held, work.polled), work.polled.failure)
        _log.info(
            "source %s: %d documents, %d alerts new, %d updated, %d withdrawn, %d failures",
            source.id, work.polled.documents, work.polled.new, work.polled.updated, work.polled.withdrawn,
            len(work.polled.failures),
        )  # fmt: skip
        return work.polled

    def _wait(self, source: Source, held: SourceState, polled: Polled) -> dt.timedelta:
        if polled.wait is not None:
            return max(polled.wait, min(source.every, self.back_off.wait(held.failures + 1)))
        return min(source.every, self.back_off.wait(held.failures + 1)) if polled.failures else source.every


def since_of(alerts: Sequence[Alert], before: dt.date) -> str:
    """Return the newest day that some alerts name, or the one before, as a cursor keeps it."""
    days = [alert.date for alert in alerts if alert.date is not None]
    return max([before, *days]).isoformat()
