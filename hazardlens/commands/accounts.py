"""``hazardlens accounts``: the people who sign in to the console."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hazardlens.console import AsJson, print_json
from hazardlens.role_words import RoleWords, roles_of
from hazardlens.server_database import server_database
from hazardlens.text_table import day, print_table
from models.domain.errors import InputError

if TYPE_CHECKING:
    from serving.store.accounts import Account, AccountStore

app = typer.Typer(no_args_is_help=True, help="Add, list, reset and disable accounts of people.")

Name = Annotated[str, typer.Argument(help="Name that the person signs in with, or the account's id.")]
FromStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the first password from standard input, not a random one.")
]


@app.command("add")
def add(
    name: Name,
    role: RoleWords,
    display: Annotated[str, typer.Option("--display", help="What others call the person; the name without.")] = "",
    password_stdin: FromStdin = False,
    as_json: AsJson = False,
) -> None:
    """Add an account and show a password for its first sign-in, this once; the person then chooses another."""
    from serving.access.principal import COMMAND_LINE

    with account_store() as store:
        account, password = store.add(name, roles_of(role), COMMAND_LINE, display, _given(password_stdin))
    _show(account, password, as_json)


@app.command("list")
def list_accounts(
    everything: Annotated[bool, typer.Option("--all", help="Disabled and erased ones too.")] = False,
    as_json: AsJson = False,
) -> None:
    """List accounts: name, id in records, roles, last use."""
    with account_store() as store:
        found = [account for account in store.all() if everything or account.active]
    if as_json:
        print_json([_facts(account) for account in found])
        return
    print_table(
        ("ID", "STATE", "ROLES", "CREATED", "LAST USED", "NAME", "CALLED"),
        (
            (each.id, each.state, ",".join(sorted(each.roles)), day(each.created_at), day(each.last_used_at),
             each.name or "-", each.display_name)
            for each in found
        ),
    )  # fmt: skip


@app.command("reset")
def reset(name: Name, password_stdin: FromStdin = False, as_json: AsJson = False) -> None:
    """Give an account a password for one sign-in, shown this once, and end its sessions."""
    from serving.access.principal import COMMAND_LINE

    with account_store() as store:
        account, password = store.reset(name, COMMAND_LINE, _given(password_stdin))
    _show(account, password, as_json)


@app.command("role")
def role(name: Name, role: RoleWords, as_json: AsJson = False) -> None:
    """Give an account these roles, and no others."""
    from serving.access.principal import COMMAND_LINE

    with account_store() as store:
        _say(store.set_roles(name, roles_of(role), COMMAND_LINE), "has the roles", as_json)


@app.command("disable")
def disable(name: Name, as_json: AsJson = False) -> None:
    """Let nobody sign in to an account, and end its sessions; running servers follow within two seconds."""
    from serving.access.principal import COMMAND_LINE

    with account_store() as store:
        _say(store.disable(name, COMMAND_LINE), "is disabled", as_json)


@app.command("enable")
def enable(name: Name, as_json: AsJson = False) -> None:
    """Let the person of a disabled account sign in again."""
    from serving.access.principal import COMMAND_LINE

    with account_store() as store:
        _say(store.enable(name, COMMAND_LINE), "can sign in", as_json)


@contextmanager
def account_store() -> Iterator[AccountStore]:
    """Give the accounts of the server's database, migrated."""
    from serving.store.accounts import AccountStore

    with server_database() as engine:
        yield AccountStore(engine)


def _given(from_stdin: bool) -> str | None:
    if not from_stdin:
        return None
    password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        raise InputError("standard input holds no password", place="--password-stdin", hint="write it as one line")
    return password


def _show(account: Account, password: str, as_json: bool) -> None:
    if as_json:
        print_json({"password": password, **_facts(account)})
        return
    typer.echo(password)
    roles, until = ", ".join(sorted(account.roles)), day(account.password_until)
    typer.echo(
        f"Password of {account.name} ({roles}) for one sign-in until {until} UTC, where another one is chosen."
        " It is shown this once.",
        err=True,
    )


def _say(account: Account, what: str, as_json: bool) -> None:
    if as_json:
        print_json(_facts(account))
    elif what == "has the roles":
        typer.echo(f"{account.name} has the roles {', '.join(sorted(account.roles))}.")
    else:
        typer.echo(f"{account.name} {what}.")


def _facts(account: Account) -> dict[str, Any]:
    return {
        "id": account.id,
        "name": account.name,
        "display_name": account.display_name,
        "roles": sorted(account.roles),
        "state": account.state,
        "created_at": account.created_at,
        "last_used_at": account.last_used_at,
        "password_until": account.password_until,
    }
