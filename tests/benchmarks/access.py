"""What it costs a request to be let in, beside the same app with access control off; both in this run, by turns.

>>> python tests/benchmarks/access.py                                                       # doctest: +SKIP
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from serving.access.allowances import Allowances
from serving.access.guard import Guard
from serving.access.keyring import Keyring
from serving.access.principal import Allowance, Role
from serving.store.database import open_database
from serving.store.keys import KeyStore
from serving.store.migrating import migrate

KEYS, CALLS, ROUNDS = 300, 1_000, 9


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answer at once, so that only the way in costs time."""


async def measure(guard: Guard, secret: str) -> float:
    """Return the microseconds of one request."""
    headers = [(b"host", b"x"), (b"accept", b"*/*"), (b"authorization", f"Bearer {secret}".encode())]
    begun = time.perf_counter()
    for _ in range(CALLS):
        scope = {"type": "http", "method": "POST", "path": "/v1/assessments", "headers": headers, "state": {}}
        await guard(scope, None, None)  # type: ignore[arg-type]
    return (time.perf_counter() - begun) / CALLS * 1e6


async def main() -> None:
    """Print microseconds a request."""
    with tempfile.TemporaryDirectory() as place:
        store = KeyStore(open_database(f"sqlite:///{place}/h.db"))
        migrate(store.engine)
        made = [store.replace(f"key {i}", [Role.UPLOADER]) for i in range(KEYS)]
        ring = Keyring(store)
        begun = time.perf_counter()
        await ring.refresh()
        read = (time.perf_counter() - begun) * 1e3
        many = Allowance(10**9, 10**9)
        ways = {
            "off": Guard(app, None, Allowances(Allowance()), False),
            "a key": Guard(app, ring.principal, Allowances(Allowance()), False),
            "a key with limits": Guard(app, ring.principal, Allowances(many), False),
        }
        taken: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(ROUNDS):
            for name, guard in ways.items():
                taken[name].append(await measure(guard, made[-1].secret))
        for name, times in taken.items():
            print(f"{name:20s} {statistics.median(times):6.1f} µs a request (least {min(times):.1f})")
        print(f"{KEYS} keys are read in {read:.0f} ms, on a thread of their own, every two seconds")
        store.engine.dispose()


if __name__ == "__main__":
    asyncio.run(main())
