"""``hazardlens keys``: what is printed, what is refused, and that a server takes the keys."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hazardlens.commands.serve import demo_key, way_in
from serving.access.principal import Role
from serving.access.tokens import is_secret, prefix_of
from serving.settings import Settings
from serving.store.database import open_database
from serving.store.keys import KeyStore, StoredKey
from tests.hazardlens.conftest import RunCommand


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Address of a database that is not there yet, as the commands find it."""
    url = f"sqlite:///{tmp_path / 'var' / 'h.db'}"
    monkeypatch.setenv("HAZARDLENS_DATABASE_URL", url)
    return url


def known(url: str) -> list[StoredKey]:
    engine = open_database(url)
    try:
        return KeyStore(engine).known()
    finally:
        engine.dispose()


def test_a_key_is_printed_alone_on_stdout_and_kept_as_a_hash(run: RunCommand, url: str) -> None:
    ended = run("keys", "create", "upload-pipeline", "--role", "uploader", "--days", 30, "--listings", 500)

    (kept,) = known(url)
    secret = ended.out.strip()
    assert ended.code == 0
    assert prefix_of(secret) == kept.prefix
    assert is_secret(secret, kept.digest)
    assert "upload-pipeline" in ended.err
    assert "this once" in ended.err
    assert (kept.roles, kept.allowance.listings) == ({Role.UPLOADER}, 500)
    assert kept.expires_at is not None
    assert abs(kept.expires_at - datetime.now(UTC) - timedelta(days=30)) < timedelta(minutes=1)


def test_machines_get_json(run: RunCommand, url: str) -> None:
    made = run("keys", "create", "p", "--role", "uploader", "--role", "scientist", "--json").json
    turned = run("keys", "rotate", "p", "--overlap", 3, "--json").json
    listed = run("keys", "list", "--json").json
    ended = run("keys", "revoke", made["prefix"], "--json").json

    assert made["roles"] == ["scientist", "uploader"]
    assert turned["key"] != made["key"]
    assert {row["prefix"] for row in listed} == {made["prefix"], turned["prefix"]}
    assert all("key" not in row and "digest" not in row for row in listed)
    assert [row["state"] for row in ended] == ["revoked"]


def test_the_list_shows_what_is_valid_and_everything_on_request(run: RunCommand, url: str) -> None:
    run("keys", "create", "stays", "--role", "reviewer")
    run("keys", "create", "leaves", "--role", "reviewer")
    run("keys", "revoke", "leaves")

    assert "leaves" not in run("keys", "list").out
    everything = run("keys", "list", "--all").out
    assert "revoked" in everything
    assert everything.splitlines()[0].split()[0] == "PREFIX"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("create", "p", "--role", "boss"), "uploader, reviewer, scientist, admin"),
        (("create", " ", "--role", "admin"), "is no name"),
        (("create", "server", "--role", "admin"), "choose another"),
        (("rotate", "nobody"), "hazardlens keys list"),
        (("revoke", "hl_00000000"), "hazardlens keys list"),
    ],
)
def test_what_is_wrong_ends_with_1_and_says_how_to_mend_it(
    run: RunCommand, url: str, arguments: tuple[str, ...], words: str
) -> None:
    ended = run("keys", *arguments)

    assert ended.code == 1
    assert words in ended.err
    assert known(url) == []


def test_a_name_that_is_taken_is_told_how_to_rotate(run: RunCommand, url: str) -> None:
    run("keys", "create", "p", "--role", "uploader")
    ended = run("keys", "create", "P", "--role", "uploader")

    assert ended.code == 1
    assert "keys rotate" in ended.err


def test_the_demo_prints_lines_that_work_as_they_are_and_keeps_one_key(url: str) -> None:
    settings = Settings(database_url=url, port=81)
    demo_key(settings)
    key = demo_key(settings)
    printed = way_in(settings, key)

    assert f"http://127.0.0.1:81/#key={key}" in printed
    assert f"export HAZARDLENS_API_KEY={key}" in printed
    assert 'curl -s http://127.0.0.1:81/v1/assessments -H "Authorization: Bearer $HAZARDLENS_API_KEY"' in printed
    (kept,) = known(url)
    assert is_secret(key, kept.digest)
    assert Role.ADMIN not in kept.roles
