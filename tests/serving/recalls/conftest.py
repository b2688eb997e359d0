"""A server that replays documents of registers, errors included; a desk over each database."""

from __future__ import annotations

import datetime as dt
import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from pathlib import Path

import orjson
import pytest
from sqlalchemy import Engine

from models.deadlines.clocks import NoticeKind
from models.domain.alert import Alert
from models.domain.listing import Listing
from models.domain.resources import datasets_dir
from models.domain.taxonomy import Taxonomy, load_taxonomy
from models.reasons.marketplace import load_marketplace
from serving.recalls.desk import RecallDesk
from serving.recalls.documents import Document
from serving.recalls.fetching import Fetcher, client_of
from serving.recalls.matches import Proposal
from serving.recalls.polling import Polled, Poller
from serving.recalls.receiving import Receipt, Taken
from serving.recalls.rules import RecallRules
from serving.recalls.sources import Source
from serving.recalls.ways import WAYS
from serving.store.assessments import AssessmentStore

NOW = dt.datetime(2030, 1, 14, 9, 0, tzinfo=dt.UTC)  # a Monday
SAMPLES = datasets_dir() / "samples"
BEAR = Alert(
    "safety-gate", "SR/00007/30", "Plush bear", ("choking",), brand="Softpaw", models=("PB-7",),
    barcodes=("0000000000130",), date=dt.date(2030, 1, 11), description="Bear with glass eyes.",
    country_of_notification="Netherlands", hazard_text="The eyes come off.",
)  # fmt: skip


@dataclass(frozen=True)
class Reply:
    """What the server answers.

    Parameters
    ----------
    cut : int or None
        Bytes after which the connection breaks, although more were announced.
    """

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    conditional: bool = True


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Register:
    """A register on a real port: each path answers what it was told to, in turn, the last answer for ever."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self._replies: dict[str, list[Reply]] = {}
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                asked = Asked(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body)
                outer.asked.append(asked)
                outer._answer(self, asked)

            do_POST = do_GET  # noqa: N815

            def log_message(self, format: str, *args: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def says(self, path: str, *replies: Reply | bytes | object) -> None:
        """Let a path answer so: a reply, bytes, or what becomes JSON."""
        self._replies[path] = [
            each if isinstance(each, Reply) else Reply(each if isinstance(each, bytes) else orjson.dumps(each))
            for each in replies
        ]

    def paths(self) -> list[str]:
        return [each.path for each in self.asked]

    def _answer(self, handler: BaseHTTPRequestHandler, asked: Asked) -> None:
        replies = (
            self._replies.get(asked.path) or self._replies.get(asked.path.partition("?")[0]) or [Reply(status=404)]
        )
        reply = replies.pop(0) if len(replies) > 1 else replies[0]
        tag = f'"{hashlib.sha256(reply.body).hexdigest()[:16]}"'
        if reply.status == 200 and reply.conditional and asked.headers.get("if-none-match") == tag:
            handler.send_response(304)
            handler.end_headers()
            return
        handler.send_response(reply.status)
        headers = {"Content-Length": str(len(reply.body)), **({"ETag": tag} if reply.conditional else {})}
        for name, value in {**headers, **reply.headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(reply.body if reply.cut is None else reply.body[: reply.cut])
        if reply.cut is not None:
            handler.wfile.flush()
            handler.close_connection = True


@pytest.fixture
def register() -> Iterator[Register]:
    found = Register()
    yield found
    found.close()


@cache
def taxonomy() -> Taxonomy:
    return load_taxonomy()


def rules() -> RecallRules:
    return RecallRules(load_marketplace().calendar)


@dataclass
class Desk:
    """A recall desk whose clock the test moves."""

    engine: Engine
    now: dt.datetime = NOW
    desk: RecallDesk = field(init=False)

    def __post_init__(self) -> None:
        self.desk = RecallDesk(self.engine, rules(), load_marketplace())

    def later(self, **by: float) -> dt.datetime:
        self.now += dt.timedelta(**by)
        return self.now

    def receive(
        self, *alerts: Alert, kind: NoticeKind = NoticeKind.MONITORING, data: bytes = b"", **facts: str
    ) -> Taken:
        """Take alerts in as one document, now."""
        document = Document("test", data or orjson.dumps([each.as_json() for each in alerts]), self.now, "test:")
        return self.desk.receiving.take(document, alerts, Receipt(kind, self.now, actor="ada", **facts))

    def case(self, alert: Alert = BEAR, **facts: str) -> int:
        """Take an alert in and return its case."""
        (case_id,) = self.receive(alert, **facts).cases.values()
        return case_id

    def found(self, case_id: int, *listings: Listing, looked_at: int = 1_000) -> list[int]:
        """End a search that found these listings; return their matches."""
        proposals = [Proposal(listing, 0.9, [{"name": "brand", "text": "same brand"}]) for listing in listings]
        self.desk.search_done(case_id, proposals, looked_at, self.now)
        return [each.id for each in self.desk.matches.of_case(case_id)]

    def acts(self, case_id: int) -> list[str]:
        return [event.kind for event in self.desk.cases.history(case_id)]

    def poller(self, *sources: Source) -> Poller:
        client = client_of((ip_network("127.0.0.0/8"),))
        fetcher = Fetcher(client, now=lambda: self.now)
        return Poller(self.engine, sources, self.desk.receiving, fetcher, taxonomy(), WAYS)

    def poll(self, *sources: Source) -> Polled:
        """Ask the sources' first one that is due."""
        found = self.poller(*sources).poll_next()
        assert found is not None
        return found


def source(register: Register, kind: str, path: str = "", **facts: object) -> Source:
    values = {"id": kind, "kind": kind, "url": register.url + path, "issuer": "safety-gate", "sure": "yours"}
    return Source.model_validate({**values, **facts})


def listing(name: str, **facts: object) -> Listing:
    return Listing.model_validate({"id": name, "title": "Softpaw plush bear PB-7", "seller_id": "s1", **facts})


def weekly(*alerts: Alert) -> bytes:
    """A weekly report in the register's form."""
    items = "".join(
        f"<notifications><caseNumber>{a.reference}</caseNumber><product>{a.title}</product><brand>{a.brand}</brand>"
        f"<type_numberOfModel>{', '.join(a.models)}</type_numberOfModel><barcode>{', '.join(a.barcodes)}</barcode>"
        f"<riskType>{', '.join(a.risk_types)}</riskType><description>{a.description}</description></notifications>"
        for a in alerts
    )
    return f"<weeklyReportDetail>{items}</weeklyReportDetail>".encode()


def weekly_list(register: Register, reports: dict[str, str]) -> bytes:
    """A list of weekly reports: path -> day of publication."""
    items = "".join(
        f"<weeklyReport><publicationDate>{day}</publicationDate><URL>{register.url}{path}</URL></weeklyReport>"
        for path, day in reports.items()
    )
    return f"<weeklyReports>{items}</weeklyReports>".encode()


def numbered(count: int, start: int = 1) -> list[Alert]:
    return [
        replace(BEAR, reference=f"SR/{number:05}/30", title=f"Bear {number}", barcodes=())
        for number in range(start, start + count)
    ]


@pytest.fixture
def desk(store: AssessmentStore) -> Desk:
    """A desk on an empty database of each kind."""
    return Desk(store.engine)


@pytest.fixture
def small_desk(tmp_path: Path) -> Iterator[Desk]:
    """A desk on SQLite, for what does not hang on the database."""
    from serving.store.database import open_database
    from serving.store.migrating import migrate

    engine = open_database(f"sqlite:///{tmp_path / 'small.db'}")
    migrate(engine)
    yield Desk(engine)
    engine.dispose()
