"""A double of the service for page tests: the real console files, the API's shapes, a state the test scripts."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import WSMsgType, web

import firetower.web
from firetower.web.static import ConsoleFiles

CONSOLE = Path(firetower.web.__file__).parent / "console"
TITLES = {
    "fire": ("火警", "Fire alarm"),
    "prealarm": ("疑似火警", "Prealarm"),
    "hazard": ("管网压力低", "Hydrant pressure low"),
    "fault": ("主电故障", "Main power lost"),
    "offline": ("设备离线", "Device offline"),
    "unreadable": ("无法解析的报警", "Unreadable alarm"),
}

Json = dict[str, Any]


def at(seconds_ago: float = 0) -> str:
    """An instant as the API writes it."""
    return (datetime.now(UTC) - timedelta(seconds=seconds_ago)).isoformat().replace("+00:00", "Z")


class Double:
    """One service with its alerts; ``cut`` and ``heal`` break and mend its live feed."""

    def __init__(self) -> None:
        self.alerts: dict[str, Json] = {}
        self.history: dict[str, list[Json]] = {}
        self.sockets: set[web.WebSocketResponse] = set()
        self.seq = 0
        self.shown: list[str] = []
        self.acts: list[tuple[str, str, str, Json]] = []  # verb, alert, idempotency key, body
        self.answers: dict[str, Json] = {}
        self.refuse: Json | None = None  # error body for every act
        self.hold = asyncio.Event()  # acts wait for it
        self.hold.set()
        self.away = False  # the store: every act is answered 503
        self.provisional: list[Json] = []
        self.more = 0
        self.canary: Json = {}  # {"canary": …} once the service says something of it
        self.unread = False  # the service itself has not read the store yet
        self.silent = False
        self.closed_to_live = False
        self.kpis: Json = {"store": "ok", "broker": "ok"}
        self.session = True
        self.url = ""
        self._ids = itertools.count(101)

    # state --------------------------------------------------------------------------------------

    def raise_alert(self, alert_class: str = "fire", priority: int = 1, *, ago: float = 0, **more: Any) -> Json:
        """Add an alert without telling anybody."""
        number = next(self._ids)
        zh, en = TITLES[alert_class]
        alert: Json = {
            "id": str(number), "key": f"key-{number}", "class": alert_class, "priority": priority,
            "state": "unacknowledged", "hold": "none", "condition": "active", "disposition": None, "cause": None,
            "unit": f"unit-{number}", "unit_name": f"单位{number}", "device": f"dev-{number}",
            "device_kind": "smoke", "component": "", "subject_kind": "device",
            "subject": f"unit-{number}/dev-{number}", "rule": f"event:{alert_class}",
            "rule_version": 1, "title": {"zh": zh, "en": en}, "metric": None, "value": None, "limit": None, "uom": None,
            "text": "", "place": "A座 / 3层 / 东区", "lon": 113.26, "lat": 23.13, "flags": [],
            "latched": alert_class == "fire", "occurrences": 1, "repeats": 0, "version": 1, "assignee": None,
            "device_at": at(ago + 1), "received_at": at(ago + 0.4), "raised_at": at(ago), "condition_at": at(ago + 1),
            "last_event_at": at(ago), "shown_at": None, "acknowledged_at": None, "acknowledged_by": None,
            "verified_at": None, "forwarded_at": None, "receipted_at": None, "closed_at": None, "closed_by": None,
        } | more  # fmt: skip
        self.alerts[alert["id"]] = alert
        self.history[alert["id"]] = []
        self._remember(alert, None, "device", "raised", {"text": alert["text"]})
        return alert

    def hold_back(
        self, alert_class: str = "fire", priority: int = 1, *, key: str = "", ago: float = 0, **more: Any
    ) -> Json:
        """Add a provisional alarm without telling anybody."""
        zh, en = TITLES[alert_class]
        number = next(self._ids)
        alarm: Json = {
            "key": key or f"key-{number}", "class": alert_class, "priority": priority, "title": {"zh": zh, "en": en},
            "unit": f"unit-{number}", "device": f"dev-{number}", "component": "2-3-017", "text": "3F 走廊",
            "place": "b1/f3/z2", "device_at": at(ago + 1), "received_at": at(ago), "flags": [],
        } | more  # fmt: skip
        self.provisional = [*self.provisional, alarm]
        return alarm

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

    def acknowledged(self, alert: Json, by: str, *, ago: float = 0) -> Json:
        """Acknowledge an alert without telling anybody."""
        alert |= {"state": "acknowledged", "acknowledged_by": by, "acknowledged_at": at(ago)}
        alert["version"] += 1
        self._remember(alert, "unacknowledged", by, "acknowledged", {})
        return alert

    def _remember(self, alert: Json, old: str | None, actor: str, reason: str, evidence: Json) -> None:
        log = self.history[alert["id"]]
        log.append(
            {"seq": len(log) + 1, "at": at(), "old": old, "new": alert["state"], "actor": actor, "reason": reason,
             "evidence": evidence}
        )  # fmt: skip

    # feed ---------------------------------------------------------------------------------------

    def _kpis(self) -> Json:
        devices = {"online": 996, "offline": 3, "never_seen": 1, "total": 1000}
        return {"devices": devices, "open": {}, "unacknowledged": {}, "messages_per_second": 41.5, **self.kpis}

    def _frame(self, kind: str, **more: Any) -> Json:
        frame = {"type": kind, "seq": -1 if self.unread else self.seq, "t": at(), "kpis": self._kpis()}
        frame |= {"provisional": self.provisional, "provisional_more": self.more}
        return frame | self.canary | more

    async def _send(self, frame: Json) -> None:
        for socket in list(self.sockets):
            if not self.silent and not socket.closed:
                with contextlib.suppress(ConnectionError):
                    await socket.send_json(frame)

    async def announce(self, *alerts: Json) -> None:
        """Tell every console that these alerts changed."""
        self.seq += 1
        await self._send(self._frame("changes", alerts=list(alerts), devices=[]))

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
        await socket.send_json(self._frame("heartbeat") if self.unread else self._frame("snapshot", alerts=open_))
        self.sockets.add(socket)
        try:
            async for message in socket:
                if message.type is not WSMsgType.TEXT:
                    break
                said = message.json()
                if said["type"] == "ping" and not self.silent:
                    await socket.send_json({"type": "pong", "id": said["id"], "t": at()})
                if said["type"] == "shown":
                    self.shown += said["alerts"]
        finally:
            self.sockets.discard(socket)
        return socket

    async def _session(self, request: web.Request) -> web.Response:
        if request.method == "DELETE":
            return web.Response(status=204)
        if request.method == "POST":
            said = await request.json()
            if said["password"] != "right":
                return _error(401, "unauthenticated", "wrong user name or password")
            self.session = True
            answer = web.json_response(_who(said["username"]) | {"token": "t"})
            answer.set_cookie("firetower_session", said["username"], httponly=True, samesite="Strict")
            return answer
        name = request.cookies.get("firetower_session")
        return web.json_response(_who(name)) if name and self.session else _error(401, "unauthenticated", "no session")

    async def _one(self, request: web.Request) -> web.Response:
        return web.json_response(self.alerts[request.match_info["id"]])

    async def _history(self, request: web.Request) -> web.Response:
        return web.json_response({"items": self.history[request.match_info["id"]]})

    async def _act(self, request: web.Request) -> web.Response:
        who = request.cookies["firetower_session"]
        verb, alert = request.match_info["verb"], self.alerts[request.match_info["id"]]
        key, body = request.headers["Idempotency-Key"], await request.json()
        self.acts.append((verb, alert["id"], key, body))
        await self.hold.wait()
        if self.away:
            return _error(503, "store_unavailable", "the database cannot answer")
        if self.refuse:
            return _error(400, **self.refuse)
        if key in self.answers:
            return web.json_response(self.answers[key])
        if body.get("expected_version", alert["version"]) != alert["version"]:
            return _error(409, "conflict", f"alert {alert['id']} has changed", {"current": alert})
        if verb == "acknowledge":
            self.acknowledged(alert, who)
        elif verb == "note":
            self._remember(alert, alert["state"], who, "noted", {"text": body["text"]})
        else:
            if alert["state"] == "unacknowledged":
                return _error(409, "conflict", "acknowledge the alert before closing it", {"current": alert})
            alert |= {"state": "closed", "closed_by": who, "closed_at": at(), "disposition": body["disposition"]}
            alert["version"] += 1
            self._remember(alert, "acknowledged", who, "closed", body)
        self.answers[key] = dict(alert)
        await self.announce(alert)
        return web.json_response(alert)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Double"]:
        """Serve on a port of its own."""
        app = web.Application()
        ConsoleFiles(CONSOLE).add_to(app)
        app.router.add_get("/api/v1/live", self._live)
        app.router.add_route("*", "/api/v1/session", self._session)
        app.router.add_get("/api/v1/alerts/{id}", self._one)
        app.router.add_get("/api/v1/alerts/{id}/history", self._history)
        app.router.add_post("/api/v1/alerts/{id}/{verb}", self._act)
        runner = web.AppRunner(app, shutdown_timeout=0.2)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
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


def _who(name: str) -> Json:
    return {"username": name, "role": "operator", "expires_at": at(-43200)}


def _error(status: int, code: str, message: str, details: Json | None = None) -> web.Response:
    return web.json_response({"error": {"code": code, "message": message, "details": details}}, status=status)
