"""How much each principal may ask for in a minute."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from serving.access.principal import Allowance, Principal
from serving.api.problems import RATE_LIMITED, ProblemError

_MINUTE = 60.0


class Bucket:
    """A token bucket: it holds the tokens of one minute and fills evenly.

    Parameters
    ----------
    per_minute : int
    clock : callable
        Seconds that never go back.

    Examples
    --------
    >>> bucket = Bucket(2, clock=lambda: 0.0)
    >>> bucket.take(1), bucket.take(1), bucket.take(1)
    (0.0, 0.0, 30.0)
    """

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.per_minute = per_minute
        self._clock = clock
        self._level = float(per_minute)
        self._seen = clock()

    def take(self, tokens: int) -> float:
        """Take tokens and return 0, or take none and return the seconds after which they can be had.

        More tokens than the bucket holds are given once it is full, and the next ones wait the longer: the rate holds,
        and no request is impossible.
        """
        level = self._fill()
        wanted = min(tokens, self.per_minute)
        if level < wanted:
            return (wanted - level) * _MINUTE / self.per_minute
        self._level -= tokens
        return 0.0

    @property
    def left(self) -> int:
        """Tokens that could be taken now."""
        return max(0, math.floor(self._fill()))

    @property
    def full_in(self) -> int:
        """Seconds until it is full again."""
        return math.ceil((self.per_minute - self._fill()) * _MINUTE / self.per_minute)

    def _fill(self) -> float:
        now = self._clock()
        self._level = min(self.per_minute, self._level + (now - self._seen) * self.per_minute / _MINUTE)
        self._seen = now
        return self._level


class Allowances:
    """The buckets of one process; used from the event loop only.

    Two keys of one name, as after a rotation, share their buckets.

    Parameters
    ----------
    usual : Allowance
        For whoever has none of their own.
    clock : callable
        Seconds that never go back.
    """

    def __init__(self, usual: Allowance, clock: Callable[[], float] = time.monotonic) -> None:
        self._usual = usual
        self._clock = clock
        self._buckets: dict[tuple[str, str], Bucket] = {}

    def take(self, principal: Principal, unit: str, number: int) -> None:
        """Take from the allowance of `unit`: "requests" or "listings".

        Raises
        ------
        ProblemError
            429 with Retry-After where it does not reach.
        """
        bucket = self._bucket(principal, unit)
        wait = bucket.take(number) if bucket else 0.0
        if bucket and wait:
            seconds = math.ceil(wait)
            detail = f"{principal.name} may ask for {bucket.per_minute:,} {unit} a minute. Try again in {seconds} s."
            raise ProblemError(RATE_LIMITED, detail, headers={"Retry-After": str(seconds)})

    def headers(self, principal: Principal) -> dict[str, str]:
        """Return the headers that tell what is left; none where nothing is limited.

        Their form is that of draft-ietf-httpapi-ratelimit-headers-10.
        """
        found = [(unit, self._bucket(principal, unit)) for unit in ("requests", "listings")]
        held = [(unit, bucket) for unit, bucket in found if bucket is not None]
        if not held:
            return {}
        return {
            "RateLimit-Policy": ", ".join(f'"{unit}";q={bucket.per_minute};w=60' for unit, bucket in held),
            "RateLimit": ", ".join(f'"{unit}";r={bucket.left};t={bucket.full_in}' for unit, bucket in held),
        }

    def _bucket(self, principal: Principal, unit: str) -> Bucket | None:
        own, usual = principal.allowance, self._usual
        per_minute = (own.requests or usual.requests) if unit == "requests" else (own.listings or usual.listings)
        if not per_minute:
            return None
        bucket = self._buckets.get((principal.name, unit))
        if bucket is None or bucket.per_minute != per_minute:
            bucket = self._buckets[principal.name, unit] = Bucket(per_minute, self._clock)
        return bucket
