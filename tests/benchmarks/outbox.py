"""A server that is killed again and again between what happens and the webhook that tells of it.

A real server process is asked for things that make events, and ended by SIGKILL at a random moment; the next one goes
on with the same database. Half of the moments are counted from the first request, half from the arrival of a webhook,
so that every step between receipt and webhook is hit. A real receiver, which fails now and then, checks each signature
and handles each event once by its id. In the end: what was answered is kept, for all that is kept an event has arrived,
nothing has arrived that is not kept, and nothing was handled twice. Exit status 1 where one of these does not hold.
"""

from __future__ import annotations

import argparse
import logging
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import orjson
from running import Nursery
from sqlalchemy import Connection, Engine, text

from hazardlens.webhooks import Receiver, WebhookEvent
from serving.hooks.endpoints import EndpointStore
from serving.hooks.outbox import event_id_of
from serving.outgoing.addresses import AddressRules, read_networks
from serving.store.database import open_database
from serving.store.migrating import migrate

HERE = "127.0.0.1"
SETTINGS = {
    "OUTGOING_NETWORKS": HERE, "HOOK_TIMEOUT_SECONDS": "1", "HOOK_BACKOFF_SECONDS": "0.1", "THREADS": "1",
    "MAX_QUEUE_MS": "60000", "REVIEW_LEARN_DAILY": "0",
}  # fmt: skip
FAILS = 0.05
"""Share of the events that the receiver cannot handle the first time."""
_BY_TIME = 0.5
"""Share of the kills whose moment is counted from the first request; the others follow a webhook."""
_HANDLING = 0.04
"""Seconds within which a webhook is answered, and its answer noted."""


@dataclass(frozen=True)
class Producer:
    """A call that makes events, and how the store tells which ones there must be.

    Parameters
    ----------
    kinds : tuple of str
        Kinds that the receiver hears of.
    call : function of (client, number)
        Makes one thing of a number; returns what it is known by once the server has answered.
    promised : function of connection
        What the store holds, by what it is known by, with the ids of its events.
    """

    kinds: tuple[str, ...]
    call: Callable[[httpx.Client, int], str]
    promised: Callable[[Connection], dict[str, set[str]]]


def assess(http: httpx.Client, number: int) -> str:
    """Offer a listing that the plan holds for a person."""
    title = f"Green laser pointer pen 5000 mW no. {number}"
    listing = {"id": f"l{number}", "title": title, "description": "Burns paper, pops balloons. Fun gift for kids."}
    answer = http.post("/v1/assessments", json=[listing])
    answer.raise_for_status()
    return str(answer.json()["results"][0]["assessment"]["id"])


def held(connection: Connection) -> dict[str, set[str]]:
    """Return the listings that are held, each with its event."""
    rows = connection.execute(text("SELECT id FROM assessments WHERE action = 'hold_for_review'"))
    return {row.id: {event_id_of("listing.hold_for_review", f"assessment:{row.id}")} for row in rows}


def order_down(http: httpx.Client, number: int) -> str:
    """Hand in an authority's order that names a listing, and confirm it."""
    assess(http, number)
    notice = {
        "kind": "order", "authority": "NVWA", "country": "NL", "reference": f"SR/{number:05}/30",
        "received_at": "2026-11-26T09:30:00+01:00", "title": "Green laser pointer pen", "listing_ids": [f"l{number}"],
    }  # fmt: skip
    taken = http.post("/v1/recalls/notices", json=notice)
    taken.raise_for_status()
    case = f"/v1/recalls/cases/{taken.json()['case_id']}"
    http.post(f"{case}/matches", json={"listing_ids": [f"l{number}"]}).raise_for_status()
    matches = http.get(f"{case}/matches", params={"state": "proposed"}).json()["matches"]
    if matches:
        judgement = {"state": "confirmed", "matches": [match["id"] for match in matches]}
        http.post(f"{case}/judgements", json=judgement).raise_for_status()
    return str(taken.json()["case_id"])


def ordered(connection: Connection) -> dict[str, set[str]]:
    """Return the cases, each with the events of its alert and of its orders; an order that no event tells has none."""
    cases = connection.execute(text("SELECT id, alert_id FROM recall_cases"))
    promised = {str(row.id): {event_id_of("alert.received", f"alert:{row.alert_id}")} for row in cases}
    events = connection.execute(text("SELECT id, body FROM hook_events WHERE kind = 'case.takedown_ordered'"))
    telling = {order["order_id"]: row.id for row in events for order in orjson.loads(row.body)["orders"]}
    for row in connection.execute(text("SELECT id, case_id FROM takedown_orders")):
        promised[str(row.case_id)].add(telling.get(row.id, f"none for the order {row.id}"))
    return promised


PRODUCERS = {
    "listings": Producer(("listing.hold_for_review",), assess, held),
    "alerts": Producer(("alert.received", "case.takedown_ordered"), order_down, ordered),
}


class Recorder(Receiver):
    """A receiver that notes every request, and what it made of it."""

    def __init__(self, secret: str, chance: random.Random) -> None:
        super().__init__(secret, self._handled)
        self.requests: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()
        self.handled: list[str] = []
        self.arrived = threading.Event()
        self._chance, self._failed = chance, set[str]()

    def take(self, signature: str, content: bytes) -> int:
        """Take one request."""
        self.arrived.set()
        status = super().take(signature, content)
        self.statuses[status] += 1
        if status != httpx.codes.UNAUTHORIZED:
            self.requests[orjson.loads(content)["id"]] += 1
        return status

    def _handled(self, event: WebhookEvent) -> None:
        if event.id not in self._failed and self._chance.random() < FAILS:
            self._failed.add(event.id)
            raise RuntimeError("not now")
        time.sleep(self._chance.uniform(0, 0.02))
        self.handled.append(event.id)


@dataclass
class Produced:
    """What was asked for, and what the server has answered; what it has not is asked for again, as any client does."""

    producer: Producer
    answered: list[str] = field(default_factory=list)

    @contextmanager
    def going_on(self, url: str) -> Iterator[threading.Event]:
        """Ask on, until the server is gone; gives what is set once the first request is on its way."""
        begun = threading.Event()

        def ask() -> None:
            with httpx.Client(base_url=url, timeout=30) as http:
                try:
                    while True:
                        begun.set()
                        self.answered.append(self.producer.call(http, len(self.answered) + 1))
                except httpx.TransportError:
                    return

        thread = threading.Thread(target=ask)
        thread.start()
        yield begun
        thread.join()


def wait_for_the_moment(chance: random.Random, recorder: Recorder, longest: float) -> None:
    """Wait until a random moment: some time from now, or shortly after a webhook has reached its receiver."""
    if chance.random() < _BY_TIME:
        time.sleep(chance.uniform(0, longest))
        return
    recorder.arrived.clear()
    recorder.arrived.wait(longest)
    time.sleep(chance.uniform(0, _HANDLING))


def unfinished(engine: Engine) -> dict[str, int]:
    """Return how many events stand at each step between what happened and its webhook."""
    queries = {
        "written": "SELECT count(*) FROM hook_events WHERE dispatched_at IS NULL AND withdrawn_at IS NULL",
        "waiting": "SELECT count(*) FROM hook_deliveries WHERE state = 'waiting' AND leased_until IS NULL",
        "on its way": "SELECT count(*) FROM hook_deliveries WHERE state = 'waiting' AND leased_until IS NOT NULL",
    }
    with engine.connect() as connection:
        return {step: connection.execute(text(query)).scalar_one() for step, query in queries.items()}


def breaches(engine: Engine, produced: Produced, recorder: Recorder) -> list[str]:
    """Return what does not hold."""
    with engine.connect() as connection:
        promised = produced.producer.promised(connection)
        tried = connection.execute(text("SELECT count(*) FROM hook_deliveries WHERE state = 'dead'")).scalar_one()
    wanted = set().union(*promised.values())
    handled = set(recorder.handled)
    found = {
        "answered and not kept": set(produced.answered) - promised.keys(),
        "kept and never told": wanted - handled,
        "told and not kept": handled - wanted,
        "handled twice": {each for each, times in Counter(recorder.handled).items() if times > 1},
        "signature refused": set(range(recorder.statuses[401])),
        "given up": set(range(tried)),
    }
    return [f"{what}: {len(those)}" for what, those in found.items() if those]


def main() -> int:
    """Kill, look, and tell."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--model", type=Path, default=Path("var/models/default"))
    arguments.add_argument("--kills", type=int, default=200)
    arguments.add_argument("--minutes", type=float, default=float("inf"), help="after which no further kill is begun")
    arguments.add_argument("--longest", type=float, default=1.5, help="seconds from the first request to the kill")
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--producer", choices=PRODUCERS, default="listings")
    given = arguments.parse_args()
    logging.getLogger("hazardlens.webhooks").setLevel(logging.CRITICAL)  # it fails on purpose
    chance, producer = random.Random(given.seed), PRODUCERS[given.producer]
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        engine = open_database(f"sqlite:///{place / 'h.db'}")
        migrate(engine)
        store = EndpointStore(engine, AddressRules(read_networks(HERE)))
        endpoint = store.add("http://127.0.0.1:1/", producer.kinds, "", "benchmark")
        produced, steps, servers = Produced(producer), Counter[str](), Nursery()
        with Recorder(endpoint.secrets[0].text, chance) as recorder:
            store.change(endpoint.id, url=recorder.url)
            over, number = time.monotonic() + 60 * given.minutes, 0
            while number < given.kills and time.monotonic() < over:
                number += 1
                with servers.running(given.model, place, **SETTINGS) as server, produced.going_on(server.url) as begun:
                    begun.wait()
                    wait_for_the_moment(chance, recorder, given.longest)
                    os.kill(server.pid, signal.SIGKILL)
                steps.update(step for step, count in unfinished(engine).items() if count)
                if number % 20 == 0:
                    print(
                        f"{number} kills, {len(produced.answered)} answered, {len(recorder.handled)} handled",
                        flush=True,
                    )
            with servers.running(given.model, place, **SETTINGS):
                over = time.monotonic() + 120
                while any(unfinished(engine).values()) and time.monotonic() < over:
                    time.sleep(0.1)
        repeated = sum(recorder.requests.values()) - len(recorder.requests)
        print(f"{number} kills, answered {len(produced.answered)}, handled {len(recorder.handled)}")
        print(f"requests of webhooks {sum(recorder.requests.values())}, of these repeated {repeated}")
        print("kills that left events " + ", ".join(f"{step} {steps[step]}" for step in unfinished(engine)))
        wrong = [*breaches(engine, produced, recorder), *(f"left {s}: {n}" for s, n in unfinished(engine).items() if n)]
        engine.dispose()
    print("; ".join(wrong) or "nothing lost, nothing handled twice, every signature valid")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
