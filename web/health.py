"""Liveness, readiness and metrics: open to whoever reaches the port, so keep that port inside."""

import asyncio

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel, Field

from firetower.web import meters
from firetower.web.api import Access, Call, Route
from firetower.web.api_models import Answered, Nothing


class Alive(Answered):
    """The process answers."""

    status: str = Field("ok")


class Check(Answered):
    """One thing the service needs."""

    name: str
    ok: bool
    detail: str


class Readiness(Answered):
    """Whether the service can do its work (status 200) or not (503), and why."""

    ready: bool
    checks: list[Check]


async def healthz(call: Call[Nothing, None]) -> BaseModel:  # noqa: ARG001  # reason: the signature of every handler
    """Answer as long as the process runs."""
    return Alive(status="ok")


async def readyz(call: Call[Nothing, None]) -> web.StreamResponse:
    """Say whether database and broker answer and the ingest keeps up; 503 with the reasons when not."""
    checks = [Check(name=name, ok=ok, detail=detail) for name, ok, detail in call.deps.health.ready()]
    ready = all(check.ok for check in checks)
    return web.Response(
        status=200 if ready else 503,
        body=Readiness(ready=ready, checks=checks).model_dump_json().encode(),
        content_type="application/json",
    )


async def metrics(call: Call[Nothing, None]) -> web.StreamResponse:
    """Return the service's figures as Prometheus reads them."""
    hub = call.site.hub
    meters.alerts_open.clear()
    for (alert_class, priority), count in hub.open_counts().items():
        meters.alerts_open.labels(alert_class, str(priority)).set(count)
    counts = hub.device_counts()
    for status in ("online", "offline", "never_seen"):
        meters.devices.labels(status).set(getattr(counts, status))
    for hold, held in hub.kpis().held.items():
        meters.alerts_held.labels(hold).set(held)
    meters.alarm_flood.set(hub.flood.active)
    meters.consoles.set(hub.consoles)
    body = await asyncio.to_thread(generate_latest)
    return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})


ROUTES = (
    Route("GET", "/healthz", healthz, "Liveness", "operation", access=Access.OPEN, answer=Alive),
    Route("GET", "/readyz", readyz, "Readiness", "operation", access=Access.OPEN, answer=Readiness, errors=(503,)),
    Route("GET", "/metrics", metrics, "Prometheus metrics", "operation", access=Access.OPEN, media="text/plain"),
)
