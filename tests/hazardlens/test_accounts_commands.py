"""Accounts and erasure on the command line."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from serving.store.accounts import AccountStore
from serving.store.assessments import AssessmentStore
from serving.store.database import open_database
from serving.store.keys import KeyStore
from tests.hazardlens.conftest import RunCommand
from tests.serving.conftest import free_port
from tests.serving.review.conftest import answered

PASSWORD = "four words by chance"


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The server's database."""
    address = f"sqlite:///{tmp_path / 'h.db'}"
    monkeypatch.setenv("HAZARDLENS_DATABASE_URL", address)
    return address


def test_the_first_admin_is_made_and_the_password_is_shown_once(run: RunCommand, url: str) -> None:
    made = run("accounts", "add", "ada", "--role", "admin", "--display", "Ada Byron")
    assert made.code == 0
    password = made.out.strip()
    assert len(password) == 23
    assert "for one sign-in until" in made.err
    listed = run("accounts", "list")
    assert "Ada Byron" in listed.out
    assert password not in listed.out + run("accounts", "list", "--json").out


def test_a_password_can_be_given_but_not_as_an_argument(
    run: RunCommand, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
    assert run("accounts", "add", "ada", "--role", "reviewer", "--password-stdin").out.strip() == PASSWORD
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    refused = run("accounts", "reset", "ada", "--password-stdin")
    assert (refused.code, "holds no password" in refused.err) == (1, True)


def test_roles_change_and_accounts_are_disabled_and_enabled(run: RunCommand, url: str) -> None:
    for name in ("ada", "ben"):
        run("accounts", "add", name, "--role", "admin")
    assert (
        "has the roles reviewer, scientist"
        in run("accounts", "role", "ben", "--role", "scientist", "--role", "reviewer").out
    )
    assert run("accounts", "disable", "ben", "--json").json["state"] == "disabled"
    assert [each["name"] for each in run("accounts", "list", "--json").json] == ["ada"]
    assert len(run("accounts", "list", "--all", "--json").json) == 2
    assert run("accounts", "enable", "ben").out == "ben can sign in.\n"
    last = run("accounts", "disable", "ada")
    assert (last.code, "last admin" in last.err) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("add", "x", "--role", "god"), "no role"),
        (("add", "server", "--role", "admin"), "taken by the server"),
        (("reset", "nobody"), "no account is called 'nobody'"),
        (("role", "nobody", "--role", "admin"), "no account is called 'nobody'"),
    ],
)
def test_what_cannot_be_is_told(run: RunCommand, url: str, arguments: tuple[str, ...], why: str) -> None:
    ended = run("accounts", *arguments)
    assert (ended.code, why in ended.err, "Traceback" in ended.err) == (1, True, False)


@pytest.mark.parametrize("command", [("keys", "list"), ("accounts", "list"), ("erase", "--seller", "x")])
def test_a_database_that_does_not_answer_is_said_so(
    run: RunCommand, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.setenv("HAZARDLENS_DATABASE_URL", f"postgresql://me:secret@127.0.0.1:{free_port()}/h")
    ended = run(*command)
    assert ended.code == 1
    assert ended.err.startswith("hazardlens: error: HAZARDLENS_DATABASE_URL: the database does not answer")
    assert "secret" not in ended.err
    assert ended.err.count("\n") == 1


def test_a_seller_is_erased_after_a_dry_run_and_the_log_is_whole(run: RunCommand, url: str) -> None:
    run("accounts", "add", "ada", "--role", "admin")
    engine = open_database(url)
    AssessmentStore(engine).save([answered(f"l{n}", seller="s-17") for n in range(3)])
    assert run("erase", "--seller", "s-17", "--dry-run", "--json").json["assessments"] == 3
    assert AssessmentStore(engine).count() == 3
    done = run("erase", "--seller", "s-17")
    assert ("3  assessments removed" in done.out, done.err) == (True, "erased\n")
    assert AssessmentStore(engine).count() == 0
    nothing = run("erase", "--listing", "nothing", "--json").json
    assert (nothing.pop("dry_run"), set(nothing.values())) == (False, {0})
    verified = run("audit", "verify")
    assert (verified.code, verified.err) == (0, "whole: 1 on reviews, 0 on cases\n")
    engine.dispose()


def test_an_account_is_erased_by_name(run: RunCommand, url: str) -> None:
    for name, role in (("ada", "admin"), ("ben", "reviewer")):
        run("accounts", "add", name, "--role", role)
    assert run("erase", "--account", "ben", "--json").json["accounts"] == 1
    assert run("erase", "--account", "ben").code == 1
    engine = open_database(url)
    assert [each.state for each in AccountStore(engine).all()] == ["active", "erased"]
    assert KeyStore(engine).usable().sessions == []
    engine.dispose()
    assert run("audit", "verify").code == 0


@pytest.mark.parametrize("arguments", [(), ("--seller", "a", "--account", "b")])
def test_it_must_be_clear_whom_to_erase(run: RunCommand, url: str, arguments: tuple[str, ...]) -> None:
    ended = run("erase", *arguments)
    assert (ended.code, "give one of --seller" in ended.err) == (1, True)
