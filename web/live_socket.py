"""The WebSocket of one console: frames out, "shown" and "ping" in, until either side ends it."""

import asyncio
from typing import Annotated, Any, Literal

import msgspec
from aiohttp import WSCloseCode, WSMsgType, web
from pydantic import Field, TypeAdapter, ValidationError

from firetower.core.clock import rfc3339
from firetower.core.errors import StoreUnavailable
from firetower.core.logs import logger
from firetower.web.alert_json import AlertOut
from firetower.web.api import Call, Route
from firetower.web.api_models import Answered, Asked, Instant
from firetower.web.deps import Person
from firetower.web.errors import Refused
from firetower.web.incident_json import IncidentOut
from firetower.web.kpis import DeviceStatus, Kpis
from firetower.web.live_pipe import LivePipe
from firetower.web.provisional_view import ProvisionalOut
from firetower.web.site import Site
from firetower.web.subscription import SESSION_OVER, SLOW_READER, Subscription
from firetower.web.watch_json import WatchFrame
from firetower.web.window_json import WindowOut

_log = logger("web.live")

MESSAGE_LIMIT = 64 * 1024
CHECK_S = 15.0  # how often a socket's session is looked at again
CLOSE_S = 1.0


class LiveQuery(Asked):
    """How to open the feed."""

    after: int | None = Field(None, ge=0, description="resume after this `seq`; absent or too old: a snapshot")


class CanaryOut(Answered):
    """An alarm of Firetower's own, sent every 30 s to prove the whole way."""

    sent_at: Instant
    committed_at: Instant


class LiveFrame(Answered):
    """What the server sends. A heartbeat has none of `alerts` to `devices`; a snapshot replaces what was known."""

    type: Literal["snapshot", "changes", "heartbeat"]
    seq: int = Field(
        description="durable sequence number; covers `alerts`, `incidents` and `windows`; -1 before this node could "
        "read the store"
    )
    t: Instant = Field(description="server time")
    alerts: list[AlertOut] = Field([], description="as they stand now; closed ones only among changes")
    incidents: list[IncidentOut] = Field([], description="as they stand now; closed ones only among changes")
    windows: list[WindowOut] = Field(
        [], description="requested, planned and active ones; refused and ended ones only among changes"
    )
    devices: list[DeviceStatus] = Field([], description="devices whose status changed; latest wins")
    kpis: Kpis
    canary: CanaryOut | None = Field(None, description="the newest canary that was committed; null before the first")
    watch: WatchFrame
    provisional: list[ProvisionalOut] = Field(
        [],
        description="alarms the store could not take yet (未落库), fires first; in the first frame, then when they "
        "changed",
    )
    provisional_more: int = Field(0, description="how many more there are than `provisional` lists")


class Shown(Asked):
    """A seat shows these alerts, or none yet; `armed`: its sound is proven to work. Only an armed seat sets `shown_at`.

    A seat says so when it opens the feed and whenever its sound begins or ceases to work.
    """

    type: Literal["shown"]
    alerts: list[Annotated[str, Field(pattern=r"^[0-9]{1,18}$")]] = Field(max_length=1000)
    armed: bool


class Ping(Asked):
    """A question for the server's time, answered by `{"type": "pong", "id": …, "t": …}`."""

    type: Literal["ping"]
    id: int = Field(ge=0, le=2**53)


class Present(Asked):
    """Somebody pressed a key at this seat, or clicked: it answers a presence check (查岗) and puts the next one off.

    Nothing that a console does by itself may say so; once in ten seconds is enough.
    """

    type: Literal["present"]


_said: TypeAdapter[Shown | Ping | Present] = TypeAdapter(Annotated[Shown | Ping | Present, Field(discriminator="type")])


async def live(call: Call[LiveQuery, None]) -> web.StreamResponse:
    """Serve one console until it leaves, reads too slowly, its session ends or the node goes down."""
    if call.request.headers.get("Upgrade", "").lower() != "websocket":
        raise Refused(400, "bad_request", "the live feed is a WebSocket; connect to it with one, see docs/api.md")
    socket = web.WebSocketResponse(
        heartbeat=None,
        max_msg_size=MESSAGE_LIMIT,
        compress=False,
        timeout=CLOSE_S / 2,
        writer_limit=0,
        autoping=False,
    )
    await socket.prepare(call.request)
    transport = call.request.transport
    if transport is None:
        return socket  # gone already
    pipe = LivePipe(socket, transport)
    seats = call.site.hub.seats
    async with call.site.hub.subscribe(
        call.person.digest, call.query.after, account=call.person.username
    ) as subscription:
        seats.join(subscription, call.person)
        tasks = [
            asyncio.create_task(_send(pipe, subscription), name="live-send"),
            asyncio.create_task(_drop_when_stuck(pipe, subscription), name="live-stuck"),
            asyncio.create_task(_receive(socket, pipe, subscription, call.site), name="live-receive"),
            asyncio.create_task(_watch_session(subscription, call.site, call.person), name="live-session"),
            asyncio.create_task(subscription.ended.wait(), name="live-ended"),  # _send may hang on a slow peer
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            seats.leave(subscription)
            for failure in await asyncio.gather(*tasks, return_exceptions=True):
                if isinstance(failure, Exception) and not isinstance(failure, ConnectionError):
                    _log.error("a live connection failed", exc_info=failure)
        await _close(socket, call.request, subscription.dropped or WSCloseCode.OK)
    return socket


async def _send(pipe: LivePipe, subscription: Subscription) -> None:
    while True:
        await pipe.ready()
        frame = await subscription.next()
        if frame is None:
            return
        await pipe.send(frame)


async def _drop_when_stuck(pipe: LivePipe, subscription: Subscription) -> None:
    await pipe.until_stuck()
    subscription.drop(SLOW_READER)


async def _receive(socket: web.WebSocketResponse, pipe: LivePipe, subscription: Subscription, site: Site) -> None:
    async for message in socket:
        if message.type is WSMsgType.PONG:
            pipe.answered(bytes(message.data))
            continue
        if message.type is WSMsgType.PING:
            await socket.pong(message.data)
            continue
        if message.type is not WSMsgType.TEXT:
            subscription.drop(WSCloseCode.UNSUPPORTED_DATA)
            return
        try:
            said = _said.validate_json(message.data)
        except ValidationError as err:
            found = err.errors(include_url=False, include_input=False)[0]
            _answer(
                subscription,
                {"type": "error", "error": {"code": "invalid", "message": found["msg"], "details": None}},
            )
            continue
        site.hub.seats.heard(subscription, armed=said.armed if isinstance(said, Shown) else None)
        if isinstance(said, Ping):
            _answer(subscription, {"type": "pong", "id": said.id, "t": rfc3339(site.deps.clock.now())})
        elif isinstance(said, Present):
            site.hub.watch.pressed(subscription.account)
        elif said.armed:
            site.hub.shown([int(id_) for id_ in said.alerts], subscription.account)


async def _watch_session(subscription: Subscription, site: Site, person: Person) -> None:
    while True:
        await asyncio.sleep(CHECK_S)
        try:
            if await site.guard.whose(person.digest) is None:
                subscription.drop(SESSION_OVER)
                return
        except StoreUnavailable:
            continue  # an outage signs nobody out


def _answer(subscription: Subscription, message: dict[str, Any]) -> None:
    subscription.answer(msgspec.json.encode(message))


async def _close(socket: web.WebSocketResponse, request: web.Request, code: int) -> None:
    try:
        async with asyncio.timeout(CLOSE_S):
            await socket.close(code=code)
    except (TimeoutError, asyncio.CancelledError):
        # it does not even read the close frame; where a frame was on its way to it aiohttp says at once: cancelled
        if request.transport is not None:
            request.transport.abort()
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise


ROUTES = (
    Route(
        "GET",
        "/api/v1/live",
        live,
        "Open the live feed: a snapshot, then every change",
        "live",
        query=LiveQuery,
        answer=LiveFrame,
        status=101,
        socket=True,
    ),
)
