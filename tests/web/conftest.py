"""A running web part on a real database, and a client that signs in."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import pytest
from accounts_making import hash_cheaply

from firetower.alerts.provisional import ProvisionalBoard
from firetower.core.clock import ManualClock
from firetower.devices.events import AlertClass, Event
from firetower.devices.registry import Registry
from firetower.ingest.ports import Work
from firetower.rules.book import rulebook
from firetower.rules.verdicts import SubjectKind, Verdict, VerdictKind
from firetower.storage import accounts
from firetower.storage.alerts import AlertStore
from firetower.storage.ingest import IngestStore
from firetower.web.server import Deps, make_app, serve
from firetower.web.site import SITE, Site

PASSWORD = "a long enough one"
_HASH = hash_cheaply(PASSWORD)


@dataclass
class Health:
    """What the composition root would know."""

    checks: list[tuple[str, bool, str]] = field(
        default_factory=lambda: [("database", True, "answers"), ("broker", True, "connected"), ("lag", True, "0.1 s")]
    )

    def ready(self) -> Sequence[tuple[str, bool, str]]:
        return self.checks


@dataclass
class Begun:
    """Whoever would do back-tests: only notes which were begun."""

    backtests: list[str] = field(default_factory=list)

    def begin(self, backtest_id: str) -> None:
        self.backtests.append(backtest_id)


@dataclass
class Running:
    """A running web part, and the store behind it."""

    url: str
    client: aiohttp.ClientSession
    pool: asyncpg.Pool
    registry: Registry
    clock: ManualClock
    health: Health
    site: Site
    board: ProvisionalBoard
    begun: list[str] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)

    async def sign_in(self, username: str = "olga") -> dict[str, str]:
        """Sign in and return the headers a script sends."""
        async with self.client.post(
            f"{self.url}/api/v1/session", json={"username": username, "password": PASSWORD}
        ) as response:
            assert response.status == 200, await response.text()
            self.headers = {"Authorization": f"Bearer {(await response.json())['token']}"}
        return self.headers

    async def call(self, method: str, path: str, **given: Any) -> tuple[int, Any]:
        """Return (status, decoded body) of a request as whoever signed in last."""
        headers = {**self.headers, **given.pop("headers", {})}
        async with self.client.request(method, f"{self.url}{path}", headers=headers, **given) as response:
            is_json = response.content_type == "application/json"
            return response.status, await (response.json() if is_json else response.text())

    async def get(self, path: str, **params: str) -> Any:
        """Return the body of a GET that must succeed."""
        status, body = await self.call("GET", path, params=params)
        assert status == 200, body
        return body

    async def raise_alert(self, device: str = "smk-1", *, event: str = "fire", at: int | None = None) -> str:
        """Commit an alarm the way ingest does, and return the alert's id."""
        await IngestStore(self.pool, self.registry, self.clock).commit(
            Work("alarm", verdicts=[self.verdict(device, event=event, at=at)])
        )
        found = await self.pool.fetchval(
            "select id from alert where subject = $1 order by id desc limit 1", f"mall-01/{device}"
        )
        return str(found)

    def verdict(self, device: str, *, event: str = "fire", at: int | None = None) -> Verdict:
        """A device's own alarm as a verdict."""
        now = self.clock.now() if at is None else at
        said = Event("mall-01", device, None, event, True, "", "3F", now, now, f"{device}-{now}", ("unregistered",))
        fire = event == "fire"
        return Verdict(
            VerdictKind.RAISE,
            f"event:{event}",
            1,
            SubjectKind.SENDER,
            f"mall-01/{device}",
            "",
            AlertClass.FIRE if fire else AlertClass.FAULT,
            1 if fire else 3,
            fire,
            now,
            "火警" if fire else "故障",
            "Fire alarm" if fire else "Fault",
            text="3F corridor",
            flags=("unregistered",),
            event=said,
        )


@pytest.fixture
async def console_folder(tmp_path: Path) -> Path:
    (tmp_path / "app").mkdir()
    (tmp_path / "index.html").write_text(
        '<!doctype html><title>x</title><script type=module src="__ASSETS__/app/main.js"></script>'
    )
    (tmp_path / "app" / "main.js").write_text("export const x = 1; // " + "x" * 500)
    return tmp_path


@pytest.fixture
async def running(pool: asyncpg.Pool, clock: ManualClock, console_folder: Path) -> AsyncIterator[Running]:
    """The web part, listening, with an admin (ada), an operator (olga) and a viewer (vera)."""
    for name, role in (("ada", "admin"), ("olga", "operator"), ("vera", "viewer")):
        await accounts.add(pool, name, _HASH, role, clock.now())  # type: ignore[arg-type]
    registry, health, begun = Registry(), Health(), Begun()
    board = ProvisionalBoard(registry, clock)
    app = make_app(
        Deps(
            pool,
            registry,
            AlertStore(pool, clock),
            clock,
            rulebook.load,
            health,
            lambda: 12.34,
            console_folder,
            provisional=board,
            backtests=begun,
        )
    )
    async with (
        serve(app, "127.0.0.1", 0) as port,
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as client,
    ):
        url = f"http://127.0.0.1:{port}"
        yield Running(url, client, pool, registry, clock, health, app[SITE], board, begun.backtests)
