"""Signatures of webhooks: HMAC-SHA256 over the time of sending and the body, one for each secret that is valid."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Iterable

ID_HEADER = "Hazardlens-Event-Id"
TIME_HEADER = "Hazardlens-Timestamp"
SIGNATURE_HEADER = "Hazardlens-Signature"
TOLERANCE = 300.0
"""Seconds between sending and receiving that a receiver allows by default."""

_SECRET = "whsec_"
_PART = re.compile(r"(t|v1)=([0-9a-f]+)")


class WebhookRefusedError(Exception):
    """A webhook was not sent by the server that it claims to be from, or is too old; the message says which."""


def new_secret() -> str:
    """Return a secret that nobody guesses: 256 bits."""
    return _SECRET + secrets.token_urlsafe(32)


def signature_header(signing: Iterable[str], timestamp: int, body: bytes) -> str:
    """Return what is sent as `SIGNATURE_HEADER`.

    Parameters
    ----------
    signing : iterable of str
        Secrets, newest first. While one replaces another there are two, so that a receiver may know either.
    timestamp : int
        Seconds since 1970.
    body : bytes

    Examples
    --------
    >>> signature_header(["whsec_example"], 1700000000, b"{}")[:30]
    't=1700000000,v1=7fd3f63e358a5b'
    """
    return ",".join([f"t={timestamp}", *(f"v1={_mac(secret, timestamp, body)}" for secret in signing)])


def verify_webhook(
    secret: str | Iterable[str],
    header: str,
    body: bytes,
    tolerance: float = TOLERANCE,
    now: float | None = None,
) -> int:
    """Check that a webhook comes from the server that shares a secret with us, and was sent just now.

    What passes can still be the second copy of an event: a delivery is repeated until it is answered, and within the
    tolerance anybody who overheard one can send it again. Keep the ``id`` of what was handled, and pass over an event
    whose id is known.

    Parameters
    ----------
    secret : str or iterable of str
        The secret of the endpoint; several while one replaces another.
    header : str
        The header ``Hazardlens-Signature``.
    body : bytes
        As received, before anything reads it.
    tolerance : float
        Seconds that the time of sending may be off, either way.
    now : float, optional
        Seconds since 1970; by default the clock's.

    Returns
    -------
    int
        The time of sending, in seconds since 1970.

    Raises
    ------
    WebhookRefusedError
        If no signature fits, or the time is off.

    Examples
    --------
    >>> header = signature_header(["whsec_example"], 1700000000, b"{}")
    >>> verify_webhook("whsec_example", header, b"{}", now=1700000012)
    1700000000
    """
    known = [secret] if isinstance(secret, str) else list(secret)
    parts = [_PART.fullmatch(part.strip()) for part in header.split(",")] if len(header) <= 4_096 else []
    times = [part[2] for part in parts if part is not None and part[1] == "t"]
    if len(times) != 1 or not times[0].isdecimal() or len(times[0]) > 12:
        raise WebhookRefusedError(f"{SIGNATURE_HEADER} is not t=...,v1=...")
    timestamp = int(times[0])
    given = [part[2] for part in parts if part is not None and part[1] == "v1"]
    expected = [_mac(each, timestamp, body) for each in known]
    # Every pair is compared, and each in constant time: the duration tells nobody which one nearly fitted.
    fits = [hmac.compare_digest(one, other) for one in given for other in expected]
    if not any(fits):
        raise WebhookRefusedError("no signature fits: another secret, or the body was changed")
    away = abs((time.time() if now is None else now) - timestamp)
    if away > tolerance:
        raise WebhookRefusedError(f"it was sent {away:.0f} s from now; at most {tolerance:.0f} s are allowed")
    return timestamp


def _mac(secret: str, timestamp: int, body: bytes) -> str:
    return hmac.new(secret.encode(), b"%d." % timestamp + body, hashlib.sha256).hexdigest()
