"""Signs a person in by name and password: throttled, and in the same time whether or not the name is known."""

from __future__ import annotations

import asyncio
import logging
import math
from datetime import UTC, datetime

from sqlalchemy import Engine

from models.domain.errors import InputError
from serving.access.passwords import LONGEST, is_outdated, is_password
from serving.api.problems import TOO_MANY_SIGN_INS, WRONG_PASSWORD, ProblemError
from serving.store.accounts import Account, AccountStore, sign_in_name
from serving.store.sign_in_failures import SignInFailures

_log = logging.getLogger("hazardlens.access")
_AT_ONCE = 2
"""Passwords hashed at once in a process: each takes 19 MiB and a core for a while."""


class PasswordSignIn:
    """Checks names and passwords. Used from the event loop only.

    Parameters
    ----------
    engine : Engine
        Of the server's database.
    """

    def __init__(self, engine: Engine) -> None:
        self.accounts = AccountStore(engine)
        self.failures = SignInFailures(engine)
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def account(self, name: str, password: str, address: str) -> Account:
        """Return the account of a name and its password.

        Parameters
        ----------
        address : str
            Where the attempt comes from.

        Raises
        ------
        ProblemError
            429 with Retry-After where too many attempts have failed, also for a name that nobody has; 401 otherwise,
            without telling which of name, password and account is wrong.
        """
        known = _known_form(name)
        wait = await asyncio.to_thread(self.failures.begin, known, address, datetime.now(UTC))
        if wait:
            seconds = math.ceil(wait.total_seconds())
            detail = f"Too many sign-ins with this name or from this address have failed. Try again in {seconds} s."
            raise ProblemError(TOO_MANY_SIGN_INS, detail, headers={"Retry-After": str(seconds)})
        async with self._places:
            found = await asyncio.to_thread(self._check, known, password)
        if found is None:
            _log.warning("a sign-in by password from %s has failed", address)
            raise ProblemError(WRONG_PASSWORD, "Name and password do not fit, or the account cannot be used.")
        await asyncio.to_thread(self.failures.succeeded, known, address)
        return found

    async def confirm(self, account_id: str, password: str, address: str) -> None:
        """Check the password of somebody who is signed in, before they change it.

        Raises
        ------
        ProblemError
            As `account` does.
        """
        account = await asyncio.to_thread(self.accounts.find, account_id)
        await self.account(account.name or "" if account is not None else "", password, address)

    def _check(self, name: str, password: str) -> Account | None:
        account = self.accounts.find(name) if name else None
        kept = account.password if account is not None else None
        fits = len(password) <= LONGEST and is_password(password, kept)
        if account is None or kept is None or not fits or not account.active:
            return None
        if account.password_until is not None and account.password_until <= datetime.now(UTC):
            return None
        if is_outdated(kept):
            self.accounts.rehash(account.id, password, kept)
        return account


def _known_form(name: str) -> str:
    """Return a name as it is kept; empty for what can be none, which then fails like any that nobody has."""
    try:
        return sign_in_name(name)
    except InputError:
        return ""
