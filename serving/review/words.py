"""The words of reviews: states, outcomes, rounds, kinds of acts."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """Where an item stands."""

    OPEN = "open"
    SECOND = "second"
    """One person has decided; another one must, without seeing it."""
    DISPUTED = "disputed"
    """Two people decided otherwise; a third one settles it."""
    HELD = "held"
    """Waits for something until a moment, then opens again."""
    DECIDED = "decided"
    ERASED = "erased"
    """Was erased before anybody had decided; it waits for nobody."""


WAITING = (State.OPEN, State.SECOND, State.DISPUTED)
"""States in which a person can claim an item."""


class Outcome(StrEnum):
    """What a review found out about the assessment."""

    CONFIRMED_RISK = "confirmed_risk"
    JUSTIFIED_ALERT = "justified_alert"
    """No risk after all, but it was right to ask."""
    FALSE_ALARM = "false_alarm"


class Round(StrEnum):
    """Which look at an item a decision is."""

    FIRST = "first"
    SECOND = "second"
    SETTLING = "settling"
    APPEAL = "appeal"


ROUND_IN = {State.OPEN: Round.FIRST, State.SECOND: Round.SECOND, State.DISPUTED: Round.SETTLING}
"""Which look a decision is that is made in a state."""


class Sample(StrEnum):
    """Why an item is in a queue."""

    PLAN = ""
    """The plan sent it there."""
    LEARN = "learn"
    """A label of it would teach the model much."""
    GOLDEN = "golden"
    """Its answer is known; it measures the reviewer and has no effect."""


class Act(StrEnum):
    """Kinds of acts in the log."""

    CLAIMED = "claimed"
    RENEWED = "renewed"
    RELEASED = "released"
    SKIPPED = "skipped"
    HELD = "held"
    RESUMED = "resumed"
    ESCALATED = "escalated"
    DECIDED = "decided"
    UNDONE = "undone"
    APPEALED = "appealed"
    RULED = "ruled"
    ERASED = "erased"
    GOLDEN_ADDED = "golden_added"
    GOLDEN_RETIRED = "golden_retired"
    ACCOUNT_CHANGED = "account_changed"
