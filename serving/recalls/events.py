"""The log of every act on cases: append-only, each entry chained to the one before, listings and free text sealed."""

from __future__ import annotations

from dataclasses import dataclass

from serving.store.recall_tables import CaseEventPersonalRow, CaseEventRow
from serving.store.sealed_log import SealedEntry, SealedLog

ACTS = 0x43415345  # "CASE"
"""Key under which acts on cases are done one after another. Whoever also takes that of reviews takes it first."""
SERVER = "server"
"""Actor of what nobody asked for."""


@dataclass(frozen=True)
class CaseEvent(SealedEntry):
    """One act on a case, or on none in particular."""

    case_id: int | None
    old: str
    new: str
    previous: str
    digest: str
    seal: str | None = None
    salt: str | None = None
    personal: str | None = None


LOG = SealedLog(CaseEventRow, CaseEvent, "case_id", CaseEventPersonalRow, ("listing", "reason", "text", "why"))
append, head, events, breaks = LOG.append, LOG.head, LOG.events, LOG.breaks
