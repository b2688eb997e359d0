"""The log of every act on cases: append-only, each entry chained to the one before."""

from __future__ import annotations

from dataclasses import dataclass

from serving.store.chained_log import ChainedLog, Entry
from serving.store.recall_tables import CaseEventRow

ACTS = 0x43415345  # "CASE"
"""Key under which acts on cases are done one after another. Whoever also takes that of reviews takes it first."""
SERVER = "server"
"""Actor of what nobody asked for."""


@dataclass(frozen=True)
class CaseEvent(Entry):
    """One act on a case."""

    case_id: int | None
    old: str
    new: str
    previous: str
    digest: str


LOG = ChainedLog(CaseEventRow, CaseEvent, "case_id")
append, head, events, breaks = LOG.append, LOG.head, LOG.events, LOG.breaks
