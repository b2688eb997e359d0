"""Counts failed sign-ins, for all workers, so that guessing grows slower and slower."""

from __future__ import annotations

import hashlib
import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine, delete, select

from serving.store.account_tables import SignInFailureRow
from serving.store.database import insert_into, one_at_a_time, writing

_LOCK = 0x5349474E  # "SIGN"
_LONGEST_WAIT = timedelta(minutes=15)
_FORGOTTEN_AFTER = timedelta(hours=24)
_FAILURES = SignInFailureRow.__table__


@dataclass(frozen=True)
class Patience:
    """How failures are met.

    Parameters
    ----------
    free : int
        Failures without a wait; after them it is one second, then two, four and so on, up to a quarter of an hour.
    """

    free: int

    def wait_after(self, failures: int) -> timedelta:
        """Return how long the next attempt must wait.

        Examples
        --------
        >>> [Patience(3).wait_after(n).total_seconds() for n in (1, 3, 4, 5, 50)]
        [0.0, 0.0, 1.0, 2.0, 900.0]
        """
        over = failures - self.free
        return timedelta(0) if over <= 0 else min(_LONGEST_WAIT, timedelta(seconds=2 ** min(over - 1, 20)))


OF_NAME, OF_ADDRESS = Patience(4), Patience(20)
"""Many people may sign in from one address."""


class SignInFailures:
    """Failures in a database. Its methods block: call them from a thread.

    Neither names nor addresses are kept, only digests: people type passwords where a name belongs.

    Parameters
    ----------
    engine : Engine
        From `open_database`, migrated.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def begin(self, name: str, address: str, now: datetime) -> timedelta:
        """Count an attempt as failed before it is made, or return how long it must wait first.

        Attempts that are made at once thus count each other. One that succeeds is taken back by `succeeded`.
        """
        subjects = _subjects(name, address)
        with one_at_a_time(self.engine, _LOCK) as connection:
            found = select(_FAILURES).where(_FAILURES.c.subject.in_(subjects))
            rows = {row.subject: row for row in connection.execute(found)}
            wait = max((row.waits_until - now for row in rows.values()), default=timedelta(0))
            if wait > timedelta(0):
                return wait
            for subject, patience in subjects.items():
                row = rows.get(subject)
                known = 0 if row is None or row.last_at < now - _FORGOTTEN_AFTER else row.failures
                waits = now + patience.wait_after(known + 1)
                values = {"subject": subject, "failures": known + 1, "last_at": now, "waits_until": waits}
                adding = insert_into(self.engine, SignInFailureRow).values(**values)
                connection.execute(adding.on_conflict_do_update(index_elements=[_FAILURES.c.subject], set_=values))
        return timedelta(0)

    def succeeded(self, name: str, address: str) -> None:
        """Forget the failures of a name whose password was given, and of the address."""
        with writing(self.engine) as connection:
            connection.execute(delete(SignInFailureRow).where(_FAILURES.c.subject.in_(_subjects(name, address))))

    def forget_old(self, now: datetime) -> int:
        """Remove what counts no more; return how many."""
        with writing(self.engine) as connection:
            old = delete(SignInFailureRow).where(_FAILURES.c.last_at < now - _FORGOTTEN_AFTER)
            return connection.execute(old).rowcount


def _subjects(name: str, address: str) -> dict[str, Patience]:
    return {_digest("name", name): OF_NAME, _digest("address", network_of(address)): OF_ADDRESS}


def _digest(kind: str, text: str) -> str:
    return hashlib.sha256(f"{kind}\n{text}".encode("utf-8", "surrogatepass")).hexdigest()


def network_of(address: str) -> str:
    """Return what one guesser can easily change no further: an IPv4 address, the /64 of an IPv6 one.

    Examples
    --------
    >>> network_of("2001:db8::7"), network_of("192.0.2.1"), network_of("testclient")
    ('2001:db8::/64', '192.0.2.1', 'testclient')
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return address
    return str(found.ipv4_mapped or ipaddress.IPv6Network((found, 64), strict=False))
