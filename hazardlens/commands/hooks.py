"""``hazardlens hooks``: webhooks at the other end."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from models.domain.errors import InputError

app = typer.Typer(help="Webhooks: listen for them.", no_args_is_help=True)


@app.callback()
def begin() -> None:
    """Webhooks: listen for them."""


@app.command("listen")
def listen(
    secret: Annotated[
        list[str] | None,
        typer.Option("--secret", envvar="HAZARDLENS_HOOK_SECRET", help="Of the endpoint; two while it is replaced."),
    ] = None,
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65_535, help="Port to listen on.")] = 9_000,
) -> None:
    """Print each event that comes, once, as a line of JSON; what is not signed is refused.

    The server must be allowed to ask this machine: HAZARDLENS_OUTGOING_NETWORKS=127.0.0.1.
    """
    import orjson

    from hazardlens.webhooks import Receiver, WebhookEvent

    if not secret:
        raise InputError("there is none", place="--secret", hint="give what was shown when the endpoint was registered")

    def show(event: WebhookEvent) -> None:
        sys.stdout.buffer.write(orjson.dumps(event) + b"\n")
        sys.stdout.buffer.flush()

    receiver = Receiver(secret, show, host, port)
    typer.echo(f"listening on {receiver.url}", err=True)
    try:
        receiver.listen()
    except KeyboardInterrupt:
        return
