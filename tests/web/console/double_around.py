"""What the service's double knows around an alert: contacts, calls, letters, water nearby, messages to 119."""

from typing import Any

from aiohttp import web
from double_facts import Json, at
from double_plans import Plans

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415478da6338e0a0000002"
    "e40121bfd81b640000000049454e44ae426082"
)
LINES = {
    "zh": (("place", "地点", "中心商场（建设路1号），A座，3层"), ("burns", "情况", "火警：感烟火警，尚未核实")),
    "en": (("place", "Place", "Central Mall (1 Jianshe Road), A, floor 3"), ("burns", "What burns", "fire: Smoke")),
}


class Around(Plans):
    """Lists by alert id; nobody is told of a change here. ``calls_asked``: body and key of every call recorded."""

    def __init__(self) -> None:
        super().__init__()
        self.contacts: dict[str, list[Json]] = {}
        self.calls: dict[str, list[Json]] = {}
        self.letters: dict[str, list[Json]] = {}
        self.near: dict[str, Json] = {}
        self.messages: dict[str, list[Json]] = {}
        self.calls_asked: list[tuple[Json, str]] = []
        self.cameras: dict[str, list[Json]] = {}
        self.snapshots: dict[str, list[Json]] = {}
        self.pictures_asked: list[tuple[str, str]] = []
        self.calls_away = False
        self.script_away = False
        self._called: dict[str, Json] = {}

    def contact(self, alert: Json, name: str, role: str = "control_room", **more: Any) -> Json:
        """Somebody to call about an alert."""
        made: Json = {
            "id": str(next(self._ids)), "scope": "unit", "of": alert["unit"], "role": role, "name": name,
            "phone": "07771234567", "email": None, "addresses": {}, "hours": [], "order": 1, "language": "zh",
            "reachable": True, "why": None, "reachable_from": None, "distance_m": None, "last_call": None,
        } | more  # fmt: skip
        self.contacts.setdefault(alert["id"], []).append(made)
        return made

    def call(self, alert: Json, **more: Any) -> Json:
        """Put a call on record."""
        made: Json = {
            "id": str(next(self._ids)), "at": at(), "by": "wang", "contact_id": None, "role": None, "name": "119",
            "number": "119", "direction": "out", "purpose": "verify", "result": "answered", "said": None,
            "recording": None, "recording_kept": None,
        } | more  # fmt: skip
        made["recording_kept"] = None if made["recording"] is None else made.get("recording_kept") is not False
        self.calls.setdefault(alert["id"], []).append(made)
        return made

    def letter(self, alert: Json, name: str, state: str = "sent", **more: Any) -> Json:
        """Tell somebody of an alert."""
        number = str(next(self._ids))
        made: Json = {
            "id": number, "reference": f"ref-{number}", "alert_id": alert["id"], "policy": "fire-at-the-unit",
            "level": 1, "reason": "raised", "channel": "sms", "address": "13800000000", "name": name,
            "role": "responsible", "language": "zh", "state": state, "tries": 1, "trouble": None, "created_at": at(60),
            "due_at": at(60), "next_try_at": None, "sent_at": None, "delivered_at": None, "read_at": None,
            "acted_at": None, "undelivered": False,
        } | more  # fmt: skip
        self.letters.setdefault(alert["id"], []).append(made)
        return made

    def nearby(self, alert: Json, *, faulty: bool = True) -> Json:
        """A hydrant, one that may give no water, and a micro fire station near an alert."""
        place = {"unit": "water-co", "main": None, "lat": alert["lat"]}
        trouble = [{"alert_id": "9", "class": "hazard", "zh": "压力低", "en": "Pressure low"}] if faulty else []
        water = [
            place | {"device": "h-1", "kind": "hydrant", "place": "建设路口", "status": "online", "faulty": False,
             "lon": alert["lon"] + 0.001, "distance_m": 103, "bearing": "east", "trouble": []},
            place | {"device": "h-2", "kind": "hydrant", "place": "滨江路口", "status": "offline", "faulty": faulty,
             "lon": alert["lon"] - 0.002, "distance_m": 206, "bearing": "west", "trouble": trouble},
        ]  # fmt: skip
        station = {"station": "ws-1", "name": "城西微站", "grid": None, "unit": None, "lon": alert["lon"],
                   "lat": alert["lat"] + 0.003, "distance_m": 334, "bearing": "north"}  # fmt: skip
        found: Json = {"lon": alert["lon"], "lat": alert["lat"], "of": "alert", "water": water, "stations": [station]}
        self.near[alert["id"]] = found
        return found

    def camera(self, alert: Json, code: str, sight: str = "zone", **more: Any) -> Json:
        """A camera of an alert."""
        made: Json = {
            "camera": code, "name": code, "unit": alert["unit"], "sees": ["a"], "lon": None, "lat": None,
            "link": f"https://nvr.example/{code}", "takes_pictures": True, "sight": sight, "distance_m": None,
            "last": None,
        } | more  # fmt: skip
        self.cameras.setdefault(alert["id"], []).append(made)
        return made

    def shot(self, alert: Json, camera: str, moment: str = "raised", *, ago: float = 60, **more: Any) -> Json:
        """A picture of a camera, the newest there is; with ``trouble`` it could not be had."""
        number, trouble = str(next(self._ids)), more.get("trouble")
        taken = None if trouble else at(ago)
        made: Json = {
            "id": number, "camera": camera, "camera_name": camera, "moment": moment, "by": "timer",
            "state": "failed" if trouble else "taken", "due_at": at(ago), "asked_at": at(ago), "taken_at": taken,
            "next_try_at": None, "tries": 1, "trouble": None, "media": "image/png", "bytes": 70, "sha256": "0" * 64,
            "url": None if trouble else f"/api/v1/snapshots/{number}",
        } | more  # fmt: skip
        self.snapshots.setdefault(alert["id"], []).insert(0, made)
        return made

    def message(self, alert: Json, kind: str = "report", state: str = "waiting", **more: Any) -> Json:
        """A message to 119."""
        number = str(next(self._ids))
        made: Json = {
            "key": f"key-{number}", "report_key": "key-1", "kind": kind, "text": "", "actor": "wang", "state": state,
            "created_at": at(), "due_at": at(-10), "missed_at": None, "first_sent_at": at(), "last_sent_at": at(),
            "next_try_at": None, "tries": 1, "trouble": None, "received_at": None, "receipt": None,
        } | more  # fmt: skip
        self.messages.setdefault(alert["id"], []).append(made)
        return made

    def hand_over(self, alert: Json, state: str = "waiting", *, ago: float = 0, **more: Any) -> Json:
        """Forward an alert through the interface to 119, its receipt due in ten seconds of then."""
        receipt = {"number": "119-000123", "person": "接警员 王芳", "at": at(ago - 1)} if state == "received" else None
        alert["forwarded_at"] = at(ago)
        alert["receipted_at"] = at(ago - 1) if receipt else None
        alert["version"] += 1
        alert["handover"] = {
            "state": state, "since": at(ago), "due_at": at(ago - 10), "overdue": ago > 10, "tries": 1, "trouble": None,
            "receipt": receipt, "cancel": None, "unreceived": 0 if receipt else 1, "follow_ups_failed": 0,
        } | more  # fmt: skip
        return alert

    # routes -------------------------------------------------------------------------------------

    def add_around(self, app: web.Application) -> None:
        """Serve it."""
        for part, rows in (
            ("contacts", self.contacts), ("calls", self.calls), ("letters", self.letters), ("handover", self.messages),
            ("cameras", self.cameras), ("snapshots", self.snapshots),
        ):  # fmt: skip
            app.router.add_get(f"/api/v1/alerts/{{id}}/{part}", self._rows(rows))
        app.router.add_get("/api/v1/alerts/{id}/near", self._near)
        self.add_plans(app)
        app.router.add_get("/api/v1/alerts/{id}/script", self._script)
        app.router.add_get("/api/v1/alerts/{id}/record", self._incident_record)
        app.router.add_post("/api/v1/alerts/{id}/calls", self._call)
        app.router.add_post("/api/v1/alerts/{id}/snapshots", self._picture)
        app.router.add_get("/api/v1/snapshots/{id}", self._kept_picture)

    def _rows(self, rows: dict[str, list[Json]]) -> Any:
        async def answer(request: web.Request) -> web.Response:
            return web.json_response({"items": rows.get(request.match_info["id"], [])})

        return answer

    async def _near(self, request: web.Request) -> web.Response:
        nothing = {"lon": None, "lat": None, "of": None, "water": [], "stations": []}
        return web.json_response(self.near.get(request.match_info["id"], nothing))

    async def _script(self, request: web.Request) -> web.Response:
        if self.script_away:
            error = {"code": "store_unavailable", "message": "the database cannot answer", "details": None}
            return web.json_response({"error": error}, status=503)
        lang = request.query["lang"]
        lines = [{"part": part, "label": label, "text": text} for part, label, text in LINES[lang]]
        return web.json_response({"lang": lang, "lines": lines, "text": "\n".join(line["text"] for line in lines)})

    async def _incident_record(self, request: web.Request) -> web.Response:
        return web.Response(text=f"record {request.match_info['id']} {request.query['format']} {request.query['lang']}")

    async def _picture(self, request: web.Request) -> web.Response:
        alert, camera = self.alerts[request.match_info["id"]], (await request.json())["camera"]
        self.pictures_asked.append((camera, request.headers["Idempotency-Key"]))
        waiting = {"state": "waiting", "taken_at": None, "asked_at": None, "url": None, "next_try_at": at()}
        made = self.shot(alert, camera, "by_hand", ago=0, by=request.cookies["firetower_session"], **waiting)
        return web.json_response(made, status=201)

    async def _kept_picture(self, request: web.Request) -> web.Response:  # reason: every one is the same
        return web.Response(body=PIXEL, content_type="image/png")

    async def _call(self, request: web.Request) -> web.Response:
        alert, key, body = (
            self.alerts[request.match_info["id"]],
            request.headers["Idempotency-Key"],
            await request.json(),
        )
        self.calls_asked.append((body, key))
        if key not in self._called:
            people = {each["id"]: each for each in self.contacts.get(alert["id"], [])}
            known = people.get(body.get("contact_id"), {"name": "119", "phone": "119", "role": None})
            whom = {"name": known["name"], "number": known["phone"], "role": known["role"]}
            made = self.call(alert, **whom | body, by=request.cookies["firetower_session"])
            self._called[key] = made
            if body.get("contact_id") in people:
                known["last_call"] = made
        if self.calls_away:  # recorded, and the answer does not arrive
            return web.Response(status=502)
        return web.json_response(self._called[key], status=201)
