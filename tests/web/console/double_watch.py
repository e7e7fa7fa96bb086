"""The watch of the service's double: who is on duty, presence, handovers, shift log, self-tests, accounts."""

from typing import Any

from aiohttp import web
from double_facts import Facts, Json, at

SHIFT = "2026-11-23T08:00"
SCOPE: Json = {"units": [], "grids": [], "districts": []}


def error(status: int, code: str, message: str, details: Json | None = None) -> web.Response:
    """The shape of every failure."""
    return web.json_response({"error": {"code": code, "message": message, "details": details}}, status=status)


def role_of(name: str) -> str:
    """ada is the administrator, vera looks on, units' accounts are called by their unit."""
    return "unit" if name.startswith("unit-") else {"ada": "admin", "vera": "viewer"}.get(name, "operator")


class WatchDouble(Facts):
    """``seats``: by socket, who sits there and whether the sound works. ``asked``: who is to show they are there."""

    def __init__(self) -> None:
        super().__init__()
        self.seats: dict[Any, tuple[str, bool]] = {}
        self.duty: list[Json] = []
        self.asked: dict[str, Json] = {}
        self.presents: list[str] = []  # who said that they are there
        self.unattended_since: str | None = None
        self.uncovered = 0
        self.handovers: list[Json] = []
        self.accepted: set[str] = set()
        self.log: list[Json] = []
        self.self_tests: list[Json] = []
        self.tests_done: list[Json] = []
        self.people = {name: self.person(name) for name in ("ada", "li", "wang")}
        self.expired = False  # sessions act no more
        self.muted: list[int] = []
        self.keys: dict[str, Json] = {}

    # facts --------------------------------------------------------------------------------------

    def person(self, name: str, role: str = "", unit: str | None = None) -> Json:
        """An account."""
        return {
            "username": name, "role": role or role_of(name), "unit": unit, "disabled": False,
            "on_duty": False, "scope": dict(SCOPE),
        }  # fmt: skip

    def put_on(self, name: str, *, ago: float = 0) -> None:
        """Put somebody on duty without telling anybody."""
        self.duty.append({"account": name, "since": at(ago), "missed": False})

    def ask(self, name: str, *, left: float = 180, missed: bool = False) -> None:
        """Ask somebody whether they are there, without telling anybody."""
        self.asked[name] = {"asked_at": at(180 - left), "until": at(-left), "missed": missed}

    @property
    def open_handover(self) -> Json | None:
        return next((each for each in self.handovers if each["state"] == "open"), None)

    def watch_of(self, name: str) -> Json:
        """The member ``watch`` of a frame for somebody."""
        handover = self.open_handover
        return {
            "on_duty": self.duty, "seats": sum(armed for _, armed in self.seats.values()),
            "unattended_since": self.unattended_since, "uncovered": self.uncovered,
            "handover": None if handover is None else handover["id"], "presence": self.asked.get(name),
        }  # fmt: skip

    def draft(self, handover: Json) -> Json:
        """A handover with what passes over."""
        alerts = [
            {
                "id": alert["id"], "title_zh": alert["title"]["zh"], "title_en": alert["title"]["en"],
                **{name: alert[name] for name in
                   ("class", "priority", "state", "hold", "unit", "place", "assignee", "raised_at")},
                "notes": 1, "calls": 2, "last_call": "no_answer", "letters_waiting": 0, "letters_failed": 1,
                "accepted": alert["id"] in self.accepted,
            }
            for alert in self.alerts.values()
            if alert["state"] != "closed"
        ]  # fmt: skip
        alerts.sort(key=lambda each: (each["accepted"], each["priority"]))
        taken = sum(each["accepted"] for each in alerts)
        windows = list(self.windows.values())
        return handover | {"alerts": alerts, "open": len(alerts), "accepted": taken, "windows": windows}

    def write(self, kind: str, actor: str, text: str = "", refers_to: str | None = None, **evidence: Any) -> Json:
        """Add to the shift log."""
        entry = {
            "id": str(len(self.log) + 1), "at": at(), "shift": SHIFT, "kind": kind, "actor": actor, "text": text,
            "refers_to": refers_to, "alert_id": None, "evidence": evidence,
        }  # fmt: skip
        self.log.append(entry)
        return entry

    def lack(self, kind: str, state: str = "overdue", unit: str | None = None, **more: Any) -> Json:
        """Add a self-test."""
        test = {
            "kind": kind, "unit": unit, "unit_name": unit and "中心商场", "state": state, "due_at": at(86400),
            "last": None, "suggested": "suggestion" in more, "suggestion": None,
        } | more  # fmt: skip
        self.self_tests.append(test)
        return test

    def left_by(self, name: str, socket: Any = None) -> Json | None:
        """Why somebody may not leave: the refusal's ``current``, None where they may."""
        others = {who for seat, (who, armed) in self.seats.items() if armed and who != name and seat is not socket}
        duty = [each["account"] for each in self.duty]
        if name in duty and not others & set(duty):
            return {"on_duty": duty, "could_take_over": sorted(others) or ["li"]}
        return None

    # routes -------------------------------------------------------------------------------------

    async def _watch(self, request: web.Request) -> web.Response:
        planned: Json = {"id": SHIFT, "begin": at(3600), "end": at(-39600), "accounts": ["wang", "li"], "reason": ""}
        return web.json_response(
            self.watch_of(request.cookies["firetower_session"]) | {"shift": planned, "next": planned | {"accounts": []}}
        )

    async def _duty(self, request: web.Request) -> web.Response:
        who, body = request.cookies["firetower_session"], await request.json()
        match request.match_info["verb"]:
            case "mute":
                self.muted.append(body["seconds"])
                return web.Response(status=204)
            case "on":
                if not any(name == who and armed for name, armed in self.seats.values()):
                    return error(409, "conflict", f"{who} is at no live seat whose sound works")
                if all(each["account"] != who for each in self.duty):
                    self.put_on(who)
            case "off":
                leaves = body.get("account", who)
                current = None if body.get("reason") else self.left_by(leaves)
                if current:
                    return error(409, "conflict", f"{who} cannot leave", {"current": current})
                self.duty = [each for each in self.duty if each["account"] != leaves]
        await self.tell()
        return await self._watch(request)

    async def _handovers(self, request: web.Request) -> web.Response:
        who, body = request.cookies["firetower_session"], await request.json()
        if self.open_handover:
            return error(409, "conflict", "another handover is open already")
        outgoing = body.get("from", who)
        incoming = who if outgoing != who else body.get("to")
        self.accepted.clear()
        made = {
            "id": str(len(self.handovers) + 1), "outgoing": outgoing, "incoming": incoming, "begun_by": who,
            "begun_at": at(), "notes": body.get("notes", ""), "state": "open", "ended_at": None, "ended_by": None,
        }  # fmt: skip
        self.handovers.append(made)
        await self.tell()
        return web.json_response(self.draft(made), status=201)

    async def _handover(self, request: web.Request) -> web.Response:
        return web.json_response(self.draft(self.handovers[int(request.match_info["id"]) - 1]))

    async def _on_handover(self, request: web.Request) -> web.Response:
        found, who = self.handovers[int(request.match_info["id"]) - 1], request.cookies["firetower_session"]
        body = await request.json()
        draft = self.draft(found)
        match request.match_info["verb"]:
            case "accept":
                found["incoming"] = who
                self.accepted |= set(body["alerts"])
            case "notes":
                found["notes"] = body["notes"]
            case "complete":
                missing = [each for each in draft["alerts"] if not each["accepted"]]
                if missing:
                    said = {"current": {"missing": [{"id": each["id"], "title": "…"} for each in missing]}}
                    return error(409, "conflict", f"{len(missing)} open alarms are not accepted yet", said)
                found |= {"state": "completed", "ended_at": at(), "ended_by": who}
                self.duty = [each for each in self.duty if each["account"] != found["outgoing"]]
                self.put_on(who)
            case "cancel":
                found |= {"state": "cancelled", "ended_at": at(), "ended_by": who}
        await self.tell()
        return web.json_response(self.draft(found) if found["state"] == "open" else found)

    async def _shifts(self, request: web.Request) -> web.Response:  # reason: aiohttp hands it in
        older = "2026-11-22T20:00"
        items = [{"id": each, "begin": at(3600), "end": at(), "is_over": each == older} for each in (SHIFT, older)]
        return web.json_response({"items": items, "next_cursor": None})

    async def _shift(self, request: web.Request) -> web.Response:  # reason: aiohttp hands it in
        delay = {"count": 1, "median_s": 12.0, "p95_s": 40.0}
        answers = {"acknowledged": 3, "verified": 2, "closed": 1, "noted": 4} | dict.fromkeys(
            ("acknowledge", "acknowledge_fire", "verify", "verify_fire"), delay
        )
        report = {
            "raised": [{"class": "fire", "priority": 1, "count": 2}],
            "rate": {"operators": 1, "average_10min": 0.5, "peak_10min": 2, "in_flood_percent": 0},
            "everyone": answers | {"operator": None}, "operators": [answers | {"operator": "wang"}],
            "open_at_end": 3, "stale": 1, "chattering": 0, "fleeting": 0, "escalations": 1,
        }  # fmt: skip
        return web.json_response(report)

    async def _log(self, request: web.Request) -> web.Response:
        entries = list(reversed(self.log)) if request.match_info["id"] == SHIFT else []
        begin = int(request.query.get("cursor", 0))
        kept = entries[begin : begin + 20]
        more = str(begin + 20) if entries[begin + 20 :] else None
        return web.json_response({"items": kept, "next_cursor": more})

    async def _write(self, request: web.Request) -> web.Response:
        key, body = request.headers["Idempotency-Key"], await request.json()
        if self.expired:
            return error(401, "session_expired", "sign in again to act")
        if key not in self.keys:
            who = request.cookies["firetower_session"]
            self.keys[key] = self.write("note", who, body["text"], body.get("refers_to"))
        return web.json_response(self.keys[key], status=201)

    async def _tests(self, request: web.Request) -> web.Response:
        states = request.query.get("state")  # a unit's file asks for all of them
        items = [each for each in self.self_tests if states is None or each["state"] in states.split(",")]
        return web.json_response({"items": items, "next_cursor": None})

    async def _tests_done(self, request: web.Request) -> web.Response:  # reason: aiohttp hands it in
        return web.json_response({"items": self.tests_done[::-1], "next_cursor": None})

    async def _record(self, request: web.Request) -> web.Response:
        kind, unit, body = request.match_info["kind"], request.match_info.get("unit"), await request.json()
        done = {"note": None, "evidence": None} | body
        done |= {"id": str(len(self.tests_done)), "kind": kind, "unit": unit, "at": at()}
        done["by"] = request.cookies["firetower_session"]
        self.tests_done.append(done)
        test = next(each for each in self.self_tests if (each["kind"], each["unit"]) == (kind, unit))
        test |= {"state": "done" if body["result"] == "passed" else "failed", "last": done, "suggestion": None}
        return web.json_response(done, status=201)

    async def _accounts(self, request: web.Request) -> web.Response:
        if request.method == "GET":
            items = [each for _, each in sorted(self.people.items())]
            return web.json_response({"items": items, "next_cursor": None})
        body = await request.json()
        if body["username"] in self.people:
            return error(409, "conflict", f"account {body['username']!r} exists already")
        made = self.people[body["username"]] = self.person(body["username"], body["role"], body.get("unit"))
        return web.json_response(made, status=201)

    async def _account(self, request: web.Request) -> web.Response:
        name, verb = request.match_info["account"], request.match_info["verb"]
        body = await request.json() if request.can_read_body else None
        self.requests.append((f"/accounts/{name}/{verb}", request.method, body or {}))
        person = self.people[name]
        match verb:
            case "disable" | "enable":
                person["disabled"] = verb == "disable"
            case "role":
                person["role"] = body["role"]
            case "scope":
                person["scope"] = body
            case "sessions":
                return web.Response(status=204)
        return web.json_response(person)

    def add_watch_to(self, app: web.Application) -> None:
        """Add the routes of the watch."""
        for method, path, handler in (
            ("GET", "/watch", self._watch),
            ("POST", "/watch/handovers", self._handovers),
            ("GET", "/watch/handovers/{id}", self._handover),
            ("POST", "/watch/handovers/{id}/{verb}", self._on_handover),
            ("POST", "/watch/{verb}", self._duty),
            ("GET", "/shifts", self._shifts),
            ("POST", "/shifts/log", self._write),
            ("GET", "/shifts/{id}", self._shift),
            ("GET", "/shifts/{id}/log", self._log),
            ("GET", "/self-tests", self._tests),
            ("GET", "/self-tests/log", self._tests_done),
            ("POST", "/self-tests/{kind}", self._record),
            ("POST", "/self-tests/{kind}/{unit}", self._record),
            ("*", "/accounts", self._accounts),
            ("*", "/accounts/{account}/{verb}", self._account),
        ):
            app.router.add_route(method, f"/api/v1{path}", handler)
