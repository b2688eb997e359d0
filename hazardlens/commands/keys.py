"""``hazardlens keys``: who may use the server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hazardlens.console import AsJson, print_json
from hazardlens.role_words import RoleWords, roles_of
from hazardlens.server_database import server_database
from hazardlens.text_table import day, print_table

if TYPE_CHECKING:
    from serving.store.keys import KeyStore, NewKey, StoredKey

app = typer.Typer(no_args_is_help=True, help="Create, list, rotate and revoke API keys.")

Name = Annotated[str, typer.Argument(help="Whose key it is: a person or a program.")]
ExpiresIn = Annotated[
    int | None, typer.Option("--days", min=1, max=36_500, help="Days that the key is valid; for ever without.")
]


@app.command("create")
def create(
    name: Name,
    role: RoleWords,
    days: ExpiresIn = None,
    requests: Annotated[int | None, typer.Option("--requests", min=1, help="Most requests a minute.")] = None,
    listings: Annotated[int | None, typer.Option("--listings", min=1, help="Most listings a minute.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a key and show it, this once: only its hash is kept."""
    from serving.access.principal import Allowance

    with key_store() as store:
        made = store.create(name, roles_of(role), _expiry(days), Allowance(requests, listings))
    _show_new(made, as_json)


@app.command("rotate")
def rotate(
    name: Name,
    overlap: Annotated[
        int, typer.Option("--overlap", min=0, max=3_650, help="Days that the old key stays valid beside the new one.")
    ] = 7,
    days: ExpiresIn = None,
    as_json: AsJson = False,
) -> None:
    """Make a second key of the same name and roles; the old one ends after the overlap."""
    with key_store() as store:
        made, old = store.rotate(name, timedelta(days=overlap), _expiry(days))
    _show_new(made, as_json)
    if not as_json:
        typer.echo(f"{old.prefix} stays valid until {day(old.expires_at)} UTC.", err=True)


@app.command("revoke")
def revoke(
    which: Annotated[str, typer.Argument(help="Prefix of one key, or a name: then every key of it.")],
    as_json: AsJson = False,
) -> None:
    """End keys at once; running servers follow within two seconds."""
    with key_store() as store:
        ended = store.revoke(which)
    if as_json:
        print_json([_facts(key) for key in ended])
    for key in ended if not as_json else ():
        typer.echo(f"{key.prefix} of {key.name} is revoked.")


@app.command("list")
def list_keys(
    everything: Annotated[bool, typer.Option("--all", help="Expired and revoked ones too.")] = False,
    as_json: AsJson = False,
) -> None:
    """List keys: prefix, name, roles, last use, end. Secrets are not known here."""
    now = datetime.now(UTC)
    with key_store() as store:
        found = [key for key in store.known() if everything or key.state(now) == "valid"]
    if as_json:
        print_json([_facts(key) for key in found])
        return
    print_table(
        ("PREFIX", "STATE", "ROLES", "CREATED", "LAST USED", "EXPIRES", "NAME"),
        (
            (key.prefix, key.state(now), ",".join(sorted(key.roles)), day(key.created_at), day(key.last_used_at),
             day(key.expires_at), key.name)
            for key in found
        ),
    )  # fmt: skip


@contextmanager
def key_store() -> Iterator[KeyStore]:
    """Give the keys of the server's database, migrated."""
    from serving.store.keys import KeyStore

    with server_database() as engine:
        yield KeyStore(engine)


def _expiry(days: int | None) -> datetime | None:
    return None if days is None else datetime.now(UTC) + timedelta(days=days)


def _show_new(made: NewKey, as_json: bool) -> None:
    if as_json:
        print_json({"key": made.secret, **_facts(made.key)})
        return
    typer.echo(made.secret)
    ends = "for ever" if made.key.expires_at is None else f"until {day(made.key.expires_at)} UTC"
    roles = ", ".join(sorted(made.key.roles))
    typer.echo(f"Key of {made.key.name} ({roles}), valid {ends}. It is shown this once; keep it now.", err=True)


def _facts(key: StoredKey) -> dict[str, Any]:
    return {
        "prefix": key.prefix,
        "name": key.name,
        "roles": sorted(key.roles),
        "state": key.state(datetime.now(UTC)),
        "requests_per_minute": key.allowance.requests,
        "listings_per_minute": key.allowance.listings,
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
        "last_used_at": key.last_used_at,
    }
