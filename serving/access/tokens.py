"""Secrets: how they are made, what of them is kept, how one is checked.

What is kept is a plain SHA-256 digest. A slow hash protects words that people choose, since these can be guessed; here
238 random bits stand against guessing, whatever the speed, and a slow hash would cost each request its time and give
whoever floods the server a lever.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import string
from dataclasses import dataclass

KEY, SESSION = "hl", "hs"
"""First letters of an API key, and of the token in a browser's cookie."""
_PREFIX_LETTERS = string.ascii_lowercase + string.digits
_SECRET_LETTERS = string.ascii_letters + string.digits
_PREFIX_LENGTH, _SECRET_LENGTH = 8, 40
_FORM = re.compile(rf"((?:{KEY}|{SESSION})_[a-z0-9]{{{_PREFIX_LENGTH}}})_[A-Za-z0-9]{{{_SECRET_LENGTH}}}")


@dataclass(frozen=True)
class Token:
    """A new secret: shown once, then only its prefix and its digest are known."""

    secret: str
    prefix: str
    digest: str


def new_token(kind: str) -> Token:
    """Make a secret of `KEY` or `SESSION` kind from the system's random numbers."""
    prefix = f"{kind}_" + "".join(secrets.choice(_PREFIX_LETTERS) for _ in range(_PREFIX_LENGTH))
    secret = f"{prefix}_" + "".join(secrets.choice(_SECRET_LETTERS) for _ in range(_SECRET_LENGTH))
    return Token(secret, prefix, digest_of(secret))


def prefix_of(secret: str) -> str | None:
    """Return the part that may be shown; None for a text that is no secret of ours.

    Examples
    --------
    >>> prefix_of("hl_0a1b2c3d_" + "x" * 40)
    'hl_0a1b2c3d'
    """
    found = _FORM.fullmatch(secret)
    return found.group(1) if found else None


def digest_of(secret: str) -> str:
    """Return what is kept of a secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()  # JSON may hold half a character


def is_secret(secret: str, digest: str) -> bool:
    """Compare a secret with what was kept, in a time that does not depend on how far they agree."""
    return hmac.compare_digest(digest_of(secret), digest)
