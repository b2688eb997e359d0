"""The application and its start."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI

from serving import pages
from serving.access.asking import authorise
from serving.access.guard import Guard
from serving.api import (
    assessments,
    authorities,
    buyers,
    explanations,
    figures,
    health,
    jobs,
    model,
    oidc,
    pictures,
    plans,
    recall_cases,
    recall_matches,
    recall_notices,
    recall_orders,
    sessions,
    shadow,
    statements,
    webhooks,
)
from serving.api.errors import install_error_handlers, internal_error
from serving.api.frame import RequestFrame
from serving.api.gate import Gate
from serving.api.openapi import SUMMARY, TAGS, TITLE, complete_openapi
from serving.console import (
    account,
    dashboard,
    golden,
    item,
    oversight,
    people,
    pledge,
    public,
    queue,
    recall_notice,
    views,
)
from serving.console import recalls as recall_pages
from serving.console import webhooks as webhook_pages
from serving.console.errors import install_console_errors
from serving.http_head import BoundedHead
from serving.logs import begin_logging
from serving.process_memory import few_arenas
from serving.services import Services
from serving.settings import Settings
from serving.tracing import OFF

_log = logging.getLogger("hazardlens.access")
_ROUTERS = (
    assessments,
    jobs,
    explanations,
    pictures,
    statements,
    plans,
    recall_notices,
    recall_cases,
    recall_matches,
    recall_orders,
    shadow,
    webhooks,
    authorities,
    buyers,
    figures,
    model,
    sessions,
    oidc,
    health,
)
_CONSOLE = (
    queue,
    views,
    item,
    oversight,
    dashboard,
    golden,
    account,
    people,
    pledge,
    recall_notice,
    public,
    webhook_pages,
    recall_pages,
)
_KEPT_ALIVE = 75
"""Seconds without a call after which a connection is closed: longer than the 60 that balancers and clients keep one,
since who sends a call at the moment in which it is closed gets no answer."""
_WORKER_ANSWERS = 60
"""Seconds that a worker may leave its supervisor without an answer. It answers none while it imports, on a busy machine
for longer than the usual 5, and would be replaced by one that takes as long; one that has ended is seen at once."""
API_VERSION = "1.0.0"
"""Version of the HTTP interface, not of the model."""


def create_app(settings: Settings | None = None) -> FastAPI:
    """Build the application.

    Parameters
    ----------
    settings : Settings, optional
        By default read from the environment, now.

    Returns
    -------
    FastAPI
        `app.state.services` holds its parts. Loading begins with its lifespan.

    Raises
    ------
    InputError
        If a setting is not valid.
    """
    services = Services(settings or Settings.from_environment())

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        if chosen.access == "off":
            _log.warning("ACCESS CONTROL IS OFF (HAZARDLENS_ACCESS): whoever reaches this server may do everything")
        services.begin()
        if services.settings.workers > 1:
            # A worker that is not ready must not take requests from one that is.
            await services.until_loaded()
        try:
            yield
        finally:
            await services.end()

    # The usual documentation pages fetch scripts from elsewhere, so there are none; /openapi.json is complete.
    app = FastAPI(
        title=TITLE,
        version=API_VERSION,
        summary=SUMMARY,
        openapi_tags=TAGS,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        dependencies=[Depends(authorise)],
        telemetry=OFF if services.tracing is None else services.tracing.telemetry,
    )
    app.state.services = services
    chosen = services.settings
    # The last one added is the outermost.
    app.add_middleware(Gate, services=services)
    app.add_middleware(
        Guard,
        identify=services.keyring.principal if chosen.access == "keys" else None,
        allowances=services.allowances,
        open_metrics=chosen.metrics_open,
    )
    app.add_middleware(
        RequestFrame,
        metrics=services.metrics,
        on_fault=internal_error,
        tracing=services.tracing,
        hsts_seconds=chosen.hsts_seconds,
    )
    install_error_handlers(app)
    install_console_errors(app)
    for part in (*_ROUTERS, pages, *_CONSOLE):
        app.include_router(part.router)
    pages.mount_static(app)
    complete_openapi(app)
    return app


def run(settings: Settings | None = None) -> int:
    """Serve until a signal ends it; for the command line.

    Returns
    -------
    int
        0 after a normal end, 1 when the model or the database could not be opened (the log says why).

    Raises
    ------
    InputError
        If a setting is not valid.
    """
    import uvicorn

    from serving.server import DrainingServer
    from serving.workers import run_workers

    chosen = settings or Settings.from_environment()
    few_arenas()
    log = begin_logging(chosen.log_level, chosen.log_format, chosen.log_listings)
    app = create_app(chosen) if chosen.workers == 1 else None
    config = uvicorn.Config(
        app or "serving.app",  # a worker builds its own
        workers=chosen.workers,
        host=chosen.host,
        port=chosen.port,
        log_config=None,
        log_level=chosen.log_level,
        access_log=False,  # one line a request is ours
        server_header=False,
        http=BoundedHead,
        timeout_keep_alive=_KEPT_ALIVE,
        timeout_graceful_shutdown=30,
        timeout_worker_healthcheck=_WORKER_ANSWERS,
        ssl_certfile=chosen.tls_certificate,
        ssl_keyfile=chosen.tls_key,
        proxy_headers=chosen.trusted_proxies is not None,
        forwarded_allow_ips=chosen.trusted_proxies,
    )
    if app is None:
        ended = run_workers(chosen, config)
        log.stop()
        return ended
    server = DrainingServer(config, app.state.services, chosen.drain_seconds)

    def stop() -> None:
        server.should_exit = True

    app.state.services.on_failure = stop
    try:
        server.run()
    finally:
        log.stop()
    return 1 if app.state.services.failure else 0
