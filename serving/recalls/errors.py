"""What the recall desk refuses, and why."""

from __future__ import annotations


class RecallConflictError(Exception):
    """An act does not fit how things stand; the message says how they do."""


class NoRecallError(RecallConflictError):
    """There is nothing of that number."""


class RecallRefusedError(Exception):
    """What was given is not in order.

    Parameters
    ----------
    field : str
        What is wrong.
    message, hint : str
        Why, and how to mend it.
    value : object, optional
        What was given.
    """

    def __init__(self, field: str, message: str, hint: str, value: object = None) -> None:
        self.field, self.message, self.hint, self.value = field, message, hint, value
        super().__init__(f"{field}: {message}; {hint}")
