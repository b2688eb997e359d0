"""The words of the recall desk: states of matches, kinds of acts."""

from __future__ import annotations

from enum import StrEnum


class MatchState(StrEnum):
    """What is known of a listing that may be what an alert is about."""

    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    REFUSED = "refused"


class FoundBy(StrEnum):
    """How a match was found."""

    SEARCH = "search"
    """The whole store was searched for the alert."""
    SCORING = "scoring"
    """The listing was assessed, and compared with the alerts."""
    PERSON = "person"
    """A person, or whoever sent the notice, named it."""


class Informed(StrEnum):
    """Who is informed of a recall, beside the authority, which is answered."""

    SELLERS = "sellers"
    BUYERS = "buyers"


class CaseAct(StrEnum):
    """Kinds of acts in the log of cases."""

    RECEIVED = "received"
    NOTIFIED = "notified"
    """A further notice on the same alert."""
    UPDATED = "updated"
    WITHDRAWN = "withdrawn"
    RESTORED = "restored"
    CLOCK_STARTED = "clock_started"
    CLOCK_WARNED = "clock_warned"
    CLOCK_BREACHED = "clock_breached"
    CLOCK_PAUSED = "clock_paused"
    CLOCK_RESUMED = "clock_resumed"
    CLOCK_EXTENDED = "clock_extended"
    CLOCK_MET = "clock_met"
    CLOCK_ENDED = "clock_ended"
    SEARCH_WANTED = "search_wanted"
    SEARCHED = "searched"
    SEARCH_FAILED = "search_failed"
    MATCH_FOUND = "match_found"
    RELISTED = "relisted"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    TAKEN_BACK = "taken_back"
    IDENTIFIED = "identified"
    ORDERED = "ordered"
    ORDER_WITHDRAWN = "order_withdrawn"
    REMINDED = "reminded"
    REMOVED = "removed"
    REMOVAL_REFUSED = "removal_refused"
    ALL_REMOVED = "all_removed"
    INFORMED = "informed"
    TO_INFORM = "to_inform"
    """More buyers have become known."""
    DRAFTED = "drafted"
    ANSWERED = "answered"
    CLOSED = "closed"
    REOPENED = "reopened"
    ERASED = "erased"


CASE_STATES = ("search", "identify", "remove", "answer", "close", "closed")
"""What is to be done next with a case."""
STEPS = {
    "received": "received_at",
    "identified": "identified_at",
    "ordered down": "ordered_at",
    "removed": "removed_at",
    "sellers informed": "sellers_informed_at",
    "buyers informed": "informed_at",
    "authority answered": "answered_at",
}
"""How far a case has come, in words: each with the instant of the case that says so."""
CLOCK_STATES = ("runs", "paused", "breached", "met", "met late", "ended")
ORDER_STATES = ("waiting", "removed", "refused", "withdrawn")
COMPARED = ("title", "brand", "model", "barcode", "category")
"""Fields of an alert that are shown beside those of a listing."""
