"""Passwords: how one is chosen, kept and checked."""

from __future__ import annotations

import re
import secrets
import string
import unicodedata

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from models.domain.errors import InputError

SHORTEST, LONGEST = 12, 256
_FEWEST_LETTERS = 5
_SHORTEST_NAME, _NO_CHANCE = 3, 5
"""Letters of a name: one of fewer is in most passwords by chance, one of so many in none."""
_EASY = string.ascii_lowercase.replace("l", "").replace("o", "") + "23456789"
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1_024, parallelism=1, hash_len=32, salt_len=16, type=Type.ID)
"""Argon2id with 19 MiB, two passes, one lane: a minimum that the OWASP Password Storage Cheat Sheet names."""
_NOBODYS = _HASHER.hash(secrets.token_hex(16))


def hash_of(password: str) -> str:
    """Return what is kept of a password; takes some 20 ms and 19 MiB."""
    return _HASHER.hash(_one_form(password))


def is_password(password: str, kept: str | None) -> bool:
    """Tell whether a password is the kept one, in the same time also where none is kept."""
    try:
        fits = _HASHER.verify(kept or _NOBODYS, _one_form(password))
    except (VerificationError, InvalidHashError):
        return False
    return fits and kept is not None


def is_outdated(kept: str) -> bool:
    """Tell whether a kept hash was made with other parameters than today's."""
    return _HASHER.check_needs_rehash(kept)


def new_password() -> str:
    """Return a random password that can be read out: 20 of 32 letters, 100 bits."""
    letters = [secrets.choice(_EASY) for _ in range(20)]
    return "-".join("".join(letters[start : start + 5]) for start in range(0, 20, 5))


def check_new(password: str, name: str) -> None:
    """Refuse a password that is guessed first. Length counts; no kind of character is asked for (NIST SP 800-63B).

    Raises
    ------
    InputError
        If it is too short or too long, rests on the name, or hardly differs from letter to letter.
    """
    form = unicodedata.normalize("NFKC", password)
    hint = f"choose {SHORTEST} characters or more, such as four words that nobody would put together"
    if not SHORTEST <= len(form) <= LONGEST:
        raise InputError(f"it has {len(form)} characters, of {SHORTEST} to {LONGEST}", place="password", hint=hint)
    plain = form.casefold()
    if _rests_on(name.casefold(), plain) or _rests_on("hazardlens", plain):
        raise InputError("it holds your name or that of this program", place="password", hint=hint)
    if len(set(plain)) < _FEWEST_LETTERS or plain in string.ascii_lowercase + string.digits * 3:
        raise InputError("it hardly differs from letter to letter", place="password", hint=hint)


def _rests_on(name: str, plain: str) -> bool:
    """Tell whether a name is in a password: a short one by itself, or with little else that is left to guess."""
    if len(name) < _SHORTEST_NAME or name not in plain:
        return False
    by_itself = re.search(rf"(?<![^\W_]){re.escape(name)}(?![^\W_])", plain) is not None
    return len(name) >= _NO_CHANCE or by_itself or len(plain.replace(name, "")) < SHORTEST


def _one_form(password: str) -> bytes:
    """The same characters are typed in several ways on several keyboards."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
