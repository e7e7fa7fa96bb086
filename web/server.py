"""The HTTP application: every route, the shape of errors, the headers on every answer, and the listening socket."""

import asyncio
import contextlib
import errno
import logging
from collections.abc import AsyncIterator, Callable
from functools import cache
from typing import Any

import msgspec
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

import firetower
from firetower.alerts.deadlines import Limits
from firetower.alerts.model import Alert
from firetower.alerts.windows import Window
from firetower.core.clock import Clock
from firetower.core.errors import ConfigError
from firetower.core.logs import logger
from firetower.web import (
    account_routes,
    act_routes,
    alert_routes,
    backtest_routes,
    call_routes,
    camera_routes,
    contact_routes,
    device_routes,
    device_upkeep_routes,
    docs_page,
    grid_routes,
    handover_routes,
    health,
    incident_record,
    incident_routes,
    letter_routes,
    live_socket,
    map_routes,
    openapi,
    performance_routes,
    plan_routes,
    protection_routes,
    rate_routes,
    record_routes,
    risk_routes,
    rule_routes,
    self_test_routes,
    session_routes,
    watch_handover_routes,
    watch_routes,
    window_routes,
)
from firetower.web.alert_json import alert_out
from firetower.web.api import BODY_LIMIT, Access, Call, Route, register
from firetower.web.api_models import Nothing
from firetower.web.deps import Deps, Health
from firetower.web.errors import middleware
from firetower.web.guard import Guard
from firetower.web.live import Hub
from firetower.web.rate_view import RateView
from firetower.web.site import SITE, Site
from firetower.web.static import ConsoleFiles
from firetower.web.window_json import window_out

__all__ = ["Deps", "Health", "make_app", "routes", "serve"]

_log = logger("web.server")

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}


def routes() -> list[Route]:
    """Return every route of the contract, with the three that describe it."""
    return [
        *session_routes.ROUTES,
        *account_routes.ROUTES,
        *alert_routes.ROUTES,
        *act_routes.ROUTES,
        *handover_routes.ROUTES,
        *incident_record.ROUTES,
        *incident_routes.ROUTES,
        *call_routes.ROUTES,
        *camera_routes.ROUTES,
        *contact_routes.ROUTES,
        *map_routes.ROUTES,  # before a device of those names
        *letter_routes.ROUTES,
        *device_routes.ROUTES,
        *device_upkeep_routes.ROUTES,
        *grid_routes.ROUTES,
        *risk_routes.ROUTES,
        *record_routes.ROUTES,
        *backtest_routes.ROUTES,  # before a rule by the name of backtests
        *rule_routes.ROUTES,
        *window_routes.ROUTES,
        *protection_routes.ROUTES,
        *self_test_routes.ROUTES,
        *performance_routes.ROUTES,
        *rate_routes.ROUTES,
        *plan_routes.ROUTES,
        *watch_routes.ROUTES,
        *watch_handover_routes.ROUTES,
        *live_socket.ROUTES,
        *health.ROUTES,
        Route("GET", "/api/openapi.json", _openapi, "This document", "description", access=Access.OPEN),
        Route("GET", "/api/docs", _docs, "This document to read", "description", access=Access.OPEN, media="text/html"),
        Route("GET", "/api/docs/style.css", _style, "Its style", "description", access=Access.OPEN, media="text/css"),
    ]


def make_app(deps: Deps) -> web.Application:
    """Return the application; it follows the store while it runs. Raises ConfigError for a bad console folder."""
    app = web.Application(
        middlewares=[middleware(_current(deps.clock, deps.limits))],
        client_max_size=BODY_LIMIT,
        handler_args={"max_field_size": 16_384},
    )
    app[SITE] = Site(deps, Guard(deps.pool, deps.clock), Hub(deps), RateView(deps))
    register(app, routes())
    if deps.console is not None:
        ConsoleFiles(deps.console, tiles_from=deps.base_map.origin).add_to(app)
    app.on_response_prepare.append(_add_headers)
    app.cleanup_ctx.append(_run_hub)
    app.on_shutdown.append(_close_consoles)
    return app


@contextlib.asynccontextmanager
async def serve(app: web.Application, host: str, port: int) -> AsyncIterator[int]:
    """Listen on ``host`` and ``port`` (0: any) and yield the port. Raises ConfigError when it cannot be had."""
    logging.getLogger("aiohttp.server").addFilter(_strangers_bytes)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=3.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        try:
            await site.start()
        except OSError as err:
            raise ConfigError(_why_not(host, port, err)) from err
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


def _strangers_bytes(record: logging.LogRecord) -> bool:
    """Log in one line, of level INFO, what aiohttp would log as an error with a traceback: bytes that are no HTTP."""
    err = record.exc_info[1] if record.exc_info else None
    if not isinstance(err, HttpProcessingError):
        return True
    _log.info("%s: %s", record.getMessage(), " ".join(str(err).split())[:200])
    return False


def _why_not(host: str, port: int, err: OSError) -> str:
    remedy = "choose another with FIRETOWER_HTTP_PORT or --port (0: any free one)"
    if err.errno == errno.EADDRINUSE:
        return f"port {port} on {host} is taken by another program (`ss -ltnp 'sport = :{port}'` names it); {remedy}"
    if err.errno in {errno.EACCES, errno.EPERM}:
        return f"port {port} on {host} needs rights this account does not have; {remedy}, 1024 or above"
    return f"cannot listen on {host} port {port}: {err.strerror or err}; check FIRETOWER_HTTP_HOST, or {remedy}"


def _current(clock: Clock, limits: Limits) -> Callable[[object], object]:
    """Return what writes a conflict's present state as the API does."""

    def written(thing: object) -> object:
        if isinstance(thing, Alert):
            return alert_out(thing, limits).model_dump(mode="json", by_alias=True)
        if isinstance(thing, Window):
            return window_out(thing, clock.now()).model_dump(mode="json", by_alias=True)
        return thing

    return written


async def _run_hub(app: web.Application) -> AsyncIterator[None]:
    task = asyncio.create_task(app[SITE].hub.run(), name="live-hub")
    yield
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def _close_consoles(app: web.Application) -> None:
    app[SITE].hub.close()


async def _add_headers(request: web.Request, response: web.StreamResponse) -> None:  # noqa: ARG001  # reason: aiohttp hands it in
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)


@cache
def _description() -> tuple[bytes, str]:
    """Return the OpenAPI document in JSON and as a page; made when first asked for: no start waits for it."""
    document = openapi.document(routes(), firetower.__version__)
    return msgspec.json.encode(document), docs_page.page(document)


async def _openapi(call: Call[Nothing, None]) -> web.StreamResponse:  # noqa: ARG001  # reason: the signature of every handler
    """Return this document."""
    body, _ = await asyncio.to_thread(_description)
    return web.Response(body=body, content_type="application/json")


async def _docs(call: Call[Nothing, None]) -> web.StreamResponse:  # noqa: ARG001  # reason: the signature of every handler
    """Return this document as a page to read."""
    _, page = await asyncio.to_thread(_description)
    headers: dict[str, Any] = {"Content-Security-Policy": docs_page.CSP}
    return web.Response(text=page, content_type="text/html", headers=headers)


async def _style(call: Call[Nothing, None]) -> web.StreamResponse:  # noqa: ARG001  # reason: the signature of every handler
    """Return the style of that page."""
    return web.Response(text=docs_page.STYLE, content_type="text/css")
