"""``hazardlens serve``: the scoring API and the page."""

from __future__ import annotations

import socket
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hazardlens.model_following import model_place
from hazardlens.server_database import server_database
from models.domain.errors import InputError

if TYPE_CHECKING:
    from serving.settings import Settings


def serve(
    model: Annotated[
        str | None, typer.Option("--model", metavar="DIR|URI", help="Model directory or MLflow URI.")
    ] = None,
    host: Annotated[str | None, typer.Option("--host", help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option("--port", min=0, max=65_535, help="Port to listen on.")] = None,
    plan: Annotated[Path | None, typer.Option("--plan", metavar="F", help="Risk-management plan.")] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, max=256, help="Processes that serve the port together.")
    ] = None,
    demo: Annotated[bool, typer.Option("--demo", help="Fill an empty store with the example listings.")] = False,
) -> None:
    """Serve the API and the page until a signal ends it.

    Another model that the directory, link or alias comes to name is taken while serving. Every option has an
    environment variable HAZARDLENS_MODEL, _HOST, _PORT, _PLAN, _WORKERS, _DEMO; the option wins.
    """
    from serving.settings import Settings

    given: dict[str, Any] = {"host": host, "port": port, "plan": plan, "workers": workers, "demo": demo or None}
    chosen = {name: value for name, value in given.items() if value is not None}
    settings = replace(Settings.from_environment(), **chosen)
    require_free(settings.host, settings.port)
    with model_place(model or str(settings.model), settings.model_watch) as place:
        settings = replace(settings, model=place)
        typer.echo(addresses(settings))
        if settings.access == "off":
            typer.echo("access   OFF: whoever reaches this server may do everything (HAZARDLENS_ACCESS)")
        elif settings.demo:
            typer.echo(way_in(settings, demo_key(settings)))
        ended = _run(settings)
    raise typer.Exit(ended)


def _run(settings: Settings) -> int:
    from serving.early import begin_unpacking
    from serving.process_memory import collecting_later

    alone = settings.workers == 1  # else the workers do both
    if alone:
        begin_unpacking()
    with collecting_later() if alone else nullcontext():
        from serving.app import run

        return run(settings)


def require_free(host: str, port: int) -> None:
    """Raise `InputError` if something listens on the port already, or the address is not one of this machine.

    The server finds that out too, but only after it has loaded, and in its log.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise InputError(
            f"cannot listen on {host} port {port}: {error.strerror}",
            hint="choose another: --port 8001, make run PORT=8001",
        ) from error


def addresses(settings: Settings) -> str:
    """Return where to find what, for people."""
    base = address(settings)
    return f"page     {base}/\nAPI      {base}/openapi.json\nmetrics  {base}/metrics"


def way_in(settings: Settings, key: str) -> str:
    """Return what people copy to use a key: a link for the browser, lines for a shell."""
    base = address(settings)
    return (
        f"\nkey      {key}\n         for this run of the demo; the next one makes another\n"
        f"sign in  {base}/#key={key}\n\n"
        f"export HAZARDLENS_API_KEY={key}\n"
        f'curl -s {base}/v1/assessments -H "Authorization: Bearer $HAZARDLENS_API_KEY" \\\n'
        '  -H \'Content-Type: application/json\' -d \'[{"id": "1", "title": "Green laser pointer pen 5000 mW"}]\'\n'
    )


def demo_key(settings: Settings) -> str:
    """Make the key of the demo anew: nobody has to keep it, and there is never more than one."""
    from serving.access.principal import Role
    from serving.store.keys import KeyStore

    with server_database(settings.database_url) as engine:
        return KeyStore(engine).replace("demo", [Role.UPLOADER, Role.REVIEWER, Role.SCIENTIST]).secret


def address(settings: Settings) -> str:
    """Return the address of the server, as a browser on this machine takes it."""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.host, settings.host)
    scheme = "http" if settings.tls_certificate is None else "https"
    return f"{scheme}://{f'[{host}]' if ':' in host and not host.startswith('[') else host}:{settings.port}"
