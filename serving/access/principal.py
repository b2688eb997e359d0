"""Who asks: a name and roles, however they were proven."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Role(StrEnum):
    """What a key or a session is for."""

    UPLOADER = "uploader"
    REVIEWER = "reviewer"
    SCIENTIST = "scientist"
    ADMIN = "admin"


EVERY_ROLE = frozenset(Role)


@dataclass(frozen=True)
class Allowance:
    """How much somebody may ask for; None is no limit.

    Parameters
    ----------
    requests, listings : int or None
        Each in one minute.
    """

    requests: int | None = None
    listings: int | None = None


@dataclass(frozen=True)
class Principal:
    """Who asks. Nothing here depends on how it was proven: a key of a program, a session of a person.

    Parameters
    ----------
    name : str
        Of the person or program; written into every record of an act.
    roles : frozenset of Role
    how : {"key", "session", "off"}
        What proved it; `off` where access control is off.
    credential : str
        What may be shown of the proof, for the log: the prefix of the key.
    allowance : Allowance
    """

    name: str
    roles: frozenset[Role]
    how: str
    credential: str = ""
    allowance: Allowance = field(default_factory=Allowance)


ANYONE = Principal("anyone", EVERY_ROLE, "off")
"""Everybody, where access control is off."""
