"""Who asks: a name and roles, however they were proven."""

from __future__ import annotations

import re
import secrets
import string
from dataclasses import dataclass, field
from enum import StrEnum

SERVER, COMMAND_LINE, ANYBODY = "server", "command line", "anyone"
"""What records name for acts of no person."""
_ACCOUNT_ID = re.compile(r"\bu_[a-z0-9]{8}\b")


class Role(StrEnum):
    """What a key or a session is for."""

    UPLOADER = "uploader"
    REVIEWER = "reviewer"
    SCIENTIST = "scientist"
    ADMIN = "admin"


EVERY_ROLE = frozenset(Role)


def new_account_id() -> str:
    """Return the id of a new account: random, so that it says nothing of the person.

    Records name it, not the person; once the account's name is erased nobody can tell whose it was.
    """
    return "u_" + "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(8))


def account_ids_in(text: str) -> list[str]:
    """Return what looks like ids of accounts in a text.

    Examples
    --------
    >>> account_ids_in("Item 5 is with u_0a1b2c3d until 10:00 UTC.")
    ['u_0a1b2c3d']
    """
    return _ACCOUNT_ID.findall(text)


def is_pseudonym(name: str) -> bool:
    """Whether what a record names tells nothing of a person: an account's id, or no person at all."""
    return name in (SERVER, COMMAND_LINE, ANYBODY) or _ACCOUNT_ID.fullmatch(name) is not None


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
        Written into every record of an act: the id of an account, or the name of a key.
    roles : frozenset of Role
    how : {"key", "session", "off"}
        What proved it; `off` where access control is off.
    credential : str
        What may be shown of the proof, for the log: the prefix of the key.
    allowance : Allowance
    display : str
        What other people call an account; may change.
    password_due : bool
        The person must choose a password of their own before anything else.
    """

    name: str
    roles: frozenset[Role]
    how: str
    credential: str = ""
    allowance: Allowance = field(default_factory=Allowance)
    display: str = ""
    password_due: bool = False

    @property
    def shown(self) -> str:
        """What people are shown."""
        return self.display or self.name

    @property
    def account(self) -> str | None:
        """The id of the account; None for a key."""
        return self.name if _ACCOUNT_ID.fullmatch(self.name) else None


ANYONE = Principal(ANYBODY, EVERY_ROLE, "off")
"""Everybody, where access control is off."""
