"""The webhooks of one server: its parts, over one database and under one set of rules."""

from __future__ import annotations

import uuid

from sqlalchemy import Engine

from serving.hooks.deliveries import DeliveryStore
from serving.hooks.delivery_log import DeliveryLog
from serving.hooks.endpoints import Endpoint, EndpointStore
from serving.hooks.kinds import PING
from serving.hooks.outbox import Outbox
from serving.hooks.schedule import Schedule
from serving.hooks.sender import Observe, Sender, SendingRules
from serving.outgoing.addresses import AddressRules, Guard
from serving.store.database import writing


class Webhooks:
    """Endpoints, deliveries and what sends them. But for the sender its methods block: call them from a thread.

    Parameters
    ----------
    engine : Engine
        Of a migrated database.
    addresses : AddressRules
    schedule : Schedule
    rules : SendingRules
    observe : callable
        Is told what came of each try.
    """

    def __init__(
        self, engine: Engine, addresses: AddressRules, schedule: Schedule, rules: SendingRules, observe: Observe
    ) -> None:
        self.engine = engine
        self.endpoints = EndpointStore(engine, addresses)
        self.log = DeliveryLog(engine, schedule)
        self.sender = Sender(
            DeliveryStore(engine, rules.lease, schedule), self.log, Guard(addresses), rules, observe
        )  # fmt: skip

    def ping(self, endpoint: Endpoint, asked_by: str) -> str:
        """Send an endpoint a test, whatever kinds it hears of; return the id of the event."""
        with writing(self.engine) as connection:
            return Outbox.put(connection, PING, uuid.uuid4().hex, {"asked_by": asked_by}, only_for=endpoint.id)
