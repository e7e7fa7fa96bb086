"""A double of the service for page tests: the real console files, the API's shapes, a state the test scripts."""

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from aiohttp import WSMsgType, web
from double_around import Around
from double_facts import Json, at
from double_map import CityDouble
from double_rates import RatesDouble
from double_screens import Screens
from double_watch import WatchDouble, error, role_of

import firetower.web
from firetower.devices.kinds import DeviceKind
from firetower.devices.registry import Registry
from firetower.web.map_routes import columns
from firetower.web.static import ConsoleFiles

CONSOLE = Path(firetower.web.__file__).parent / "console"


class Double(CityDouble, WatchDouble, Around, RatesDouble, Screens):
    """One service with its alerts; ``cut`` and ``heal`` break and mend its live feed."""

    def __init__(self) -> None:
        super().__init__()
        self.sockets: set[web.WebSocketResponse] = set()
        self.seq = 0
        self.shown: list[str] = []
        self.armed: list[bool] = []  # what seats said of their sound
        self.acts: list[tuple[str, str, str, Json]] = []  # verb, alert, idempotency key, body
        self.answers: dict[str, Json] = {}
        self.refuse: Json | None = None  # error body for every act
        self.hold = asyncio.Event()  # acts wait for it
        self.hold.set()
        self.away = False  # the store: every act is answered 503
        self.more = 0
        self.canary: Json = {}  # {"canary": …} once the service says something of it
        self.unread = False  # the service itself has not read the store yet
        self.silent = False
        self.closed_to_live = False
        self.kpis: Json = {"store": "ok", "broker": "ok", "command_centre": False}
        self.session = True
        self.url = ""
        self.tiles_from = ""
        self.gaps: list[Json] = []
        self.advice: dict[str, Json] = {}  # by rule
        self.units: dict[str, Json] = {}
        self.registry = Registry()
        self.base_map: Json = {"kind": "none", "url": None, "attribution": None, "review_number": None, "crs": "wgs84"}

    async def tell(self) -> None:
        """Tell every console what is latest-wins."""
        await self._send(self._frame("heartbeat"))

    async def store_takes(self, alarm: Json, **more: Any) -> Json:
        """Store a provisional alarm: its alert takes its place in one frame."""
        same = {name: alarm[name] for name in ("key", "unit", "device", "component", "text", "device_at")}
        same["last_event_at"] = alarm["device_at"]
        alert = self.raise_alert(alarm["class"], alarm["priority"], **same, **more)
        self.provisional = [one for one in self.provisional if one["key"] != alarm["key"]]
        await self.announce(alert)
        return alert

    # feed ---------------------------------------------------------------------------------------

    def _kpis(self) -> Json:
        devices = {"online": 996, "offline": 3, "never_seen": 1, "total": 1000}
        flood = {"active": False, "alarms_10min": 0, "operators": 1, "since": None}
        held = {"shelved": 0, "suppressed": 0, "out_of_service": 0}
        return {
            "devices": devices, "open": {}, "unacknowledged": {}, "held": held, "in_test": 0, "flood": flood,
            "messages_per_second": 41.5, "lag_s": {"alarm": 0.2, "telemetry": 0.6}, **self.kpis,
        }  # fmt: skip

    def _frame(self, kind: str, **more: Any) -> Json:
        frame = {"type": kind, "seq": -1 if self.unread else self.seq, "t": at(), "kpis": self._kpis()}
        frame |= {"provisional": self.provisional, "provisional_more": self.more}
        return frame | self.canary | more

    def _snapshot(self, alerts: list[Json]) -> Json:
        around = {"incidents": list(self.incidents.values()), "windows": list(self.windows.values())}
        return self._frame("snapshot", alerts=alerts, **around)

    async def _send(self, frame: Json) -> None:
        for socket in list(self.sockets):
            if not self.silent and not socket.closed:
                with contextlib.suppress(ConnectionError):
                    await socket.send_json(frame | {"watch": self.watch_of(self.seats[socket][0])})

    async def announce(self, *alerts: Json, incidents: tuple[Json, ...] = (), windows: tuple[Json, ...] = ()) -> None:
        """Tell every console that these alerts, incidents and windows changed."""
        self.seq += 1
        around = {"incidents": list(incidents), "windows": list(windows)}
        await self._send(self._frame("changes", alerts=list(alerts), devices=[], **around))

    async def cut(self) -> None:
        """Close every live connection and refuse new ones."""
        self.closed_to_live = True
        for socket in list(self.sockets):
            await socket.close()

    def heal(self) -> None:
        self.closed_to_live = False

    async def _heartbeats(self) -> None:
        while True:
            await asyncio.sleep(1)
            await self._send(self._frame("heartbeat"))

    # routes -------------------------------------------------------------------------------------

    async def _live(self, request: web.Request) -> web.StreamResponse:
        if self.closed_to_live or not self.session:
            raise web.HTTPServiceUnavailable
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        open_ = [alert for alert in self.alerts.values() if alert["state"] != "closed"]
        who = request.cookies["firetower_session"]
        first = self._frame("heartbeat") if self.unread else self._snapshot(open_)
        await socket.send_json(first | {"watch": self.watch_of(who)})
        self.sockets.add(socket)
        self.seats[socket] = (who, False)
        try:
            async for message in socket:
                if message.type is not WSMsgType.TEXT:
                    break
                said = message.json()
                if said["type"] == "ping" and not self.silent:
                    await socket.send_json({"type": "pong", "id": said["id"], "t": at()})
                if said["type"] == "shown":
                    self.shown += said["alerts"]
                    self.seats[socket] = (who, said["armed"])
                    if not said["alerts"]:
                        self.armed.append(said["armed"])
                if said["type"] == "present":
                    self.presents.append(who)
                    if self.asked.pop(who, None):
                        await self.tell()
        finally:
            self.sockets.discard(socket)
            del self.seats[socket]
        return socket

    async def _session(self, request: web.Request) -> web.Response:
        if request.method == "DELETE":
            current = self.left_by(request.cookies["firetower_session"])
            if current:
                return error(409, "conflict", "the watch is never without an owner", {"current": current})
            return web.Response(status=204)
        if request.method == "POST":
            said = await request.json()
            if said["password"] != "right":
                return error(401, "unauthenticated", "wrong user name or password")
            self.session, self.expired = True, False
            answer = web.json_response(_who(said["username"]) | {"token": "t"})
            answer.set_cookie("firetower_session", said["username"], httponly=True, samesite="Strict")
            return answer
        name = request.cookies.get("firetower_session")
        return web.json_response(_who(name)) if name and self.session else error(401, "unauthenticated", "no session")

    async def _one(self, request: web.Request) -> web.Response:
        alert = self.alerts.get(request.match_info["id"])
        if alert is None:
            return error(404, "not_found", f"there is no alert {request.match_info['id']}")
        return web.json_response(alert | {"advice": self.advice.get(alert["rule"])})

    async def _history(self, request: web.Request) -> web.Response:
        return web.json_response({"items": self.history[request.match_info["id"]]})

    async def _act(self, request: web.Request) -> web.Response:
        who = request.cookies["firetower_session"]
        verb, alert = request.match_info["verb"], self.alerts[request.match_info["id"]]
        key, body = request.headers["Idempotency-Key"], await request.json()
        self.acts.append((verb, alert["id"], key, body))
        await self.hold.wait()
        if self.away:
            return error(503, "store_unavailable", "the database cannot answer")
        if self.refuse:
            return error(400, **self.refuse)
        if key in self.answers:
            return web.json_response(self.answers[key])
        if body.get("expected_version", alert["version"]) != alert["version"]:
            return error(409, "conflict", f"alert {alert['id']} has changed", {"current": alert})
        if verb == "close" and alert["state"] == "unacknowledged":
            return error(409, "conflict", "acknowledge the alert before closing it", {"current": alert})
        self.carry_out(alert, verb, who, body)
        self.answers[key] = dict(alert)
        await self.announce(alert)
        return web.json_response(alert)

    async def _list(self, request: web.Request) -> web.Response:
        if "state" not in request.query:
            return await self._file(request)
        states, unit = request.query["state"].split(","), request.query.get("unit")
        items = [alert for alert in self.alerts.values() if alert["state"] in states and unit in {None, alert["unit"]}]
        limit = int(request.query["limit"])
        return web.json_response({"items": items[:limit], "next_cursor": "more" if items[limit:] else None})

    async def _report(self, request: web.Request) -> web.Response:
        key, body = request.headers["Idempotency-Key"], await request.json()
        self.requests.append(("/alerts", key, body))
        if self.away:
            return error(503, "store_unavailable", "the database cannot answer")
        if key not in self.answers:
            alert = self.raise_alert(body["class"], flags=["manual"], text=body["text"], place=body.get("place"))
            self.answers[key] = alert
            await self.announce(alert)
        return web.json_response(self.answers[key], status=201)

    async def _announce(self, request: web.Request) -> web.Response:
        key, body = request.headers["Idempotency-Key"], await request.json()
        self.requests.append(("/windows", key, body))
        if self.refuse:
            return error(400, **self.refuse)
        window = self.announce_window(**{name: value for name, value in body.items() if name != "password"})
        await self.announce(windows=(window,))
        return web.json_response(window, status=201)

    async def _on_window(self, request: web.Request) -> web.Response:
        window, verb = self.windows[request.match_info["id"]], request.match_info["verb"]
        body, who = await request.json(), request.cookies["firetower_session"]
        self.requests.append((f"/windows/{window['id']}/{verb}", request.headers["Idempotency-Key"], body))
        match verb:
            case "approve":
                window |= {"state": "active", "approved_by": who, "approved_at": at()}
            case "refuse":
                window |= {"state": "refused", "refused_by": who, "refused_at": at(), "refusal": body["reason"]}
            case "end":
                window |= {"state": "ended", "ended_by": who, "ended_at": at()}
        await self.announce(windows=(window,))
        return web.json_response(window)

    async def _board(self, request: web.Request) -> web.Response:
        return web.json_response({"items": self.gaps, "more": 0})

    async def _units(self, request: web.Request) -> web.Response:
        return web.json_response({"items": list(self.units.values()), "next_cursor": None})

    async def _unit(self, request: web.Request) -> web.Response:
        found = self.units.get(request.match_info["unit"])
        return web.json_response(found) if found else error(404, "not_found", "there is no such unit")

    async def _columns(self, request: web.Request) -> web.Response:
        return web.Response(body=columns(self.registry, 0), content_type="application/octet-stream")

    async def _base_map(self, request: web.Request) -> web.Response:
        return web.json_response(self.base_map)

    async def _devices(self, request: web.Request) -> web.Response:
        if "number" not in request.query:
            return await self._file(request)
        number = int(request.query["number"])
        unit, device = self.registry.name(number)
        kind = list(DeviceKind)[self.registry.kind[number]]
        return web.json_response(
            {
                "items": [
                    {"unit": unit, "unit_name": "", "device": device, "kind": kind, "status": "online", "place": ""}
                ]
            }
        )

    @contextlib.asynccontextmanager
    async def running(self, port: int = 0) -> AsyncIterator["Double"]:
        """Serve on ``port`` while it is free, else on one of its own."""
        app = web.Application()
        _console_files(self.tiles_from).add_to(app)
        app.router.add_get("/api/v1/live", self._live)
        app.router.add_route("*", "/api/v1/session", self._session)
        app.router.add_get("/api/v1/alerts", self._list)
        app.router.add_post("/api/v1/alerts", self._report)
        app.router.add_get("/api/v1/not-protected", self._board)
        app.router.add_get("/api/v1/units", self._units)
        app.router.add_get("/api/v1/devices/snapshot", self._columns)
        app.router.add_get("/api/v1/devices", self._devices)
        app.router.add_get("/api/v1/map", self._base_map)
        app.router.add_get("/api/v1/units/{unit}", self._unit)
        app.router.add_post("/api/v1/windows", self._announce)
        app.router.add_post("/api/v1/windows/{id}/{verb}", self._on_window)
        app.router.add_get("/api/v1/alerts/{id}", self._one)
        app.router.add_get("/api/v1/alerts/{id}/history", self._history)
        self.add_around(app)
        self.add_city(app)
        app.router.add_post("/api/v1/alerts/{id}/{verb}", self._act)
        self.add_watch_to(app)
        self.add_rates_to(app)
        self.add_screens_to(app)  # last: whatever nothing else answers
        runner = web.AppRunner(app, shutdown_timeout=0.2)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", port).start()
        except OSError:  # somebody else was given it meanwhile
            await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        beats = asyncio.create_task(self._heartbeats(), name="heartbeats")
        try:
            yield self
        finally:
            beats.cancel()
            self.hold.set()
            for socket in list(self.sockets):
                await socket.close()
            await runner.cleanup()


@functools.cache
def _console_files(tiles_from: str) -> ConsoleFiles:
    return ConsoleFiles(CONSOLE, tiles_from=tiles_from)


def _who(name: str) -> Json:
    unit = name if name.startswith("unit-") else None
    return {
        "username": name, "role": role_of(name), "unit": unit, "expires_at": at(-43200), "timezone": "Asia/Shanghai",
    }  # fmt: skip
