"""The watch as the desk keeps it: nobody there, nobody answers, nobody's units; raised, logged, cleared, restarted."""

from dataclasses import dataclass, field
from typing import Any

import asyncpg
import pytest
from alert_making import T0
from desk_city import City

from firetower.alerts.duty.watch import Watch as Plan
from firetower.alerts.watch.scopes import Scope
from firetower.core.clock import HOUR, SECOND, Micros, to_datetime
from firetower.storage import accounts, seats, watch, watch_scopes
from firetower.storage.lease import Lease
from firetower.storage.seats import Seat
from firetower.storage.watch_step import WatchStep


@dataclass
class Room:
    """A control room: people with sessions and seats, the desk's step, and the time."""

    pool: asyncpg.Pool
    lease: Lease
    plan: Plan = field(default_factory=Plan)
    now: Micros = T0

    def __post_init__(self) -> None:
        self.step = WatchStep(self.pool, self.lease, self.plan)
        self.seated: list[Seat] = []

    async def person(self, name: str, role: Any = "operator") -> Seat:
        """Add an account with a session; return its seat, whose sound works."""
        account = await accounts.add(self.pool, name, "-", role, T0)
        digest = name.encode()
        await accounts.open_session(self.pool, account.id, digest, at=T0, expires_at=T0 + 100 * HOUR)
        return Seat(digest, name, armed=True)

    async def goes_on(self, seconds: int, *, every: int = 5) -> None:
        """Let time pass: seats are written, and the desk looks, every few seconds."""
        for _ in range(0, seconds, every):
            self.now += every * SECOND
            await seats.write(self.pool, "node", self.seated, self.now)
            await self.step.take([], self.now)

    async def restarts(self) -> None:
        """Begin with a step that knows nothing but the store."""
        self.step = WatchStep(self.pool, self.lease, self.plan)

    async def standing(self) -> dict[tuple[str, str], int]:
        """Return the watch's own alerts whose condition stands, by rule and component, with their priority."""
        rows = await self.pool.fetch("SELECT rule, component, priority FROM alert WHERE condition = 'active'")
        return {(row["rule"], row["component"]): row["priority"] for row in rows}

    async def log(self) -> list[str]:
        """Return the kinds of the log's entries, in order."""
        return [row["kind"] for row in await self.pool.fetch("SELECT kind FROM shift_log ORDER BY id")]


@pytest.fixture
async def room(pool: asyncpg.Pool, lease: Lease) -> Room:
    return Room(pool, lease)


async def test_a_seat_that_is_left_is_a_red_alert_after_the_grace_and_is_logged_with_its_length(
    room: Room, city: City
) -> None:
    room.seated = [await room.person("olga")]
    await room.goes_on(60)
    assert await room.standing() == {}
    room.seated = []
    await room.goes_on(15)
    assert await room.standing() == {}, "a page may be loaded anew"
    await room.goes_on(10)
    assert await room.standing() == {("system_unattended", ""): 1}
    await room.goes_on(600)
    assert (await watch.latest(room.pool, room.now)).unattended_since is not None
    room.seated = [Seat(b"olga", "olga", armed=True)]
    await room.goes_on(5)
    assert await room.standing() == {}
    assert await room.log() == ["unattended", "attended"]
    lasted = await room.pool.fetchval("SELECT (evidence->>'seconds')::int FROM shift_log WHERE kind = 'attended'")
    assert 600 <= lasted <= 610
    assert await room.pool.fetchval("SELECT count(*) FROM alert") == 1


async def test_seats_that_do_not_sound_viewers_disabled_accounts_and_ended_sessions_attend_nothing(room: Room) -> None:
    olga, vera, wang, li = [
        await room.person(name, role)
        for name, role in (("olga", "operator"), ("vera", "viewer"), ("wang", "operator"), ("li", "operator"))
    ]
    room.seated = [Seat(olga.digest, "olga", armed=False), vera, wang, li]
    await room.pool.execute("UPDATE account SET disabled_at = now() WHERE username = 'wang'")
    await room.pool.execute("DELETE FROM session WHERE token_digest = 'li'")
    await room.goes_on(70)
    assert await room.standing() == {("system_unattended", ""): 1}
    room.seated[0] = olga
    await room.goes_on(5)
    assert await room.standing() == {}


async def test_a_restart_is_granted_a_minute_and_an_alert_that_stands_goes_on_over_it(room: Room) -> None:
    await room.goes_on(55)
    assert await room.standing() == {}
    await room.goes_on(10)
    assert await room.standing() == {("system_unattended", ""): 1}
    await room.restarts()
    await room.goes_on(120)
    assert await room.standing() == {("system_unattended", ""): 1}
    assert await room.pool.fetchval("SELECT count(*) FROM alert") == 1
    assert await room.log() == ["unattended"]


async def test_a_plan_without_the_alert_still_says_and_logs_that_nobody_is_there(
    pool: asyncpg.Pool, lease: Lease
) -> None:
    room = Room(pool, lease, Plan(unattended="off"))
    await room.goes_on(70)
    assert await room.standing() == {}
    assert await room.log() == ["unattended"]


async def test_whoever_is_forced_out_leaves_an_unattended_watch_at_once(room: Room) -> None:
    room.seated = [await room.person("ada", "admin")]
    await room.goes_on(30)
    await watch.sign_on(room.pool, "ada", room.now)
    await watch.sign_out(room.pool, "ada", b"ada", room.now, reason="fire drill in the hall")
    room.seated = []
    await room.goes_on(5)
    assert await room.standing() == {("system_unattended", ""): 1}
    assert await room.log() == ["sign_on", "sign_off", "unattended"]
    said = await room.pool.fetchval("SELECT evidence FROM shift_log WHERE kind = 'sign_off'")
    assert said == {"forced": True, "of": "ada", "reason": "fire drill in the hall"}


async def test_presence_is_asked_missed_alerted_and_answered(room: Room) -> None:
    room.seated = [await room.person("olga")]
    await room.goes_on(5)
    await watch.sign_on(room.pool, "olga", room.now)
    await room.goes_on(59 * 60, every=10)
    assert (await watch.on_duty(room.pool))[0].asked_at is None
    await room.goes_on(70, every=10)
    asked = (await watch.on_duty(room.pool))[0].asked_at
    assert asked is not None
    await room.goes_on(160, every=10)
    assert await room.standing() == {}
    await room.goes_on(20, every=10)
    assert await room.standing() == {("system_presence", "olga"): 2}
    await room.restarts()
    await room.goes_on(20)
    assert await room.standing() == {("system_presence", "olga"): 2}
    await watch.show_presence(room.pool, "olga", room.now)
    await room.goes_on(5)
    assert await room.standing() == {}
    assert await room.log() == ["sign_on", "presence_missed", "presence_answered"]


async def test_whoever_may_act_no_more_is_on_duty_no_more(room: Room) -> None:
    room.seated = [await room.person("olga"), await room.person("wang")]
    await watch.sign_on(room.pool, "olga", T0)
    await watch.sign_on(room.pool, "wang", T0)
    await room.pool.execute("UPDATE account SET disabled_at = now() WHERE username = 'olga'")
    await room.goes_on(5)
    assert [each.account for each in await watch.on_duty(room.pool)] == ["wang"]
    assert await room.log() == ["sign_on", "sign_on", "sign_off"]


async def test_units_in_the_scope_of_no_live_seat_are_one_alert_that_counts_them(room: Room) -> None:
    await room.pool.execute("INSERT INTO grid (code, district) VALUES ('g-east', 'east'), ('g-west', 'west')")
    await room.pool.execute(
        "INSERT INTO unit (code, grid_id) SELECT 'u-' || n, g.id FROM generate_series(10, 24) n JOIN grid g"
        " ON g.code = CASE WHEN n < 12 THEN 'g-east' ELSE 'g-west' END"
    )
    east, everybody = await room.person("olga"), await room.person("wang")
    await watch_scopes.put(
        room.pool, "olga", Scope(units=frozenset({"u-24"}), districts=frozenset({"east"})), actor="ada", at=T0
    )
    room.seated = [east, everybody]
    await room.goes_on(60)
    assert await room.standing() == {}
    room.seated = [east]
    await room.goes_on(45)
    assert await room.standing() == {("system_uncovered", ""): 2}
    text = await room.pool.fetchval("SELECT text FROM alert")
    assert "12 units" in text
    assert "u-12, " in text
    assert "u-22" not in text
    assert (await watch.latest(room.pool, room.now)).uncovered == 12
    await watch_scopes.put(room.pool, "olga", Scope(grids=frozenset({"g-west"})), actor="ada", at=room.now)
    await room.goes_on(5)
    assert "2 units" in await room.pool.fetchval("SELECT text FROM alert")
    room.seated = [east, everybody]
    await room.goes_on(5)
    assert await room.standing() == {}
    assert await room.log() == ["scope", "uncovered", "scope", "covered"]


async def test_quiet_looks_write_nothing(room: Room) -> None:
    """The desk looks every second, all year."""
    room.seated = [await room.person("olga")]
    await watch.sign_on(room.pool, "olga", T0)
    await room.goes_on(10)
    before = await room.pool.fetchval("SELECT xmin::text FROM watch_state")
    await room.goes_on(60)
    assert await room.pool.fetchval("SELECT xmin::text FROM watch_state") == before
    assert await room.pool.fetchval("SELECT count(*) FROM live_change") == 0


async def test_a_live_seat_of_somebody_on_duty_keeps_its_session_showing_and_nobody_elses(room: Room) -> None:
    olga, wang = await room.person("olga"), await room.person("wang")
    await room.pool.execute("UPDATE session SET expires_at = $1", to_datetime(T0 + 12 * HOUR))
    await watch.sign_on(room.pool, "olga", T0)
    room.seated, room.now = [olga, wang], T0 + 12 * HOUR - 5 * SECOND
    await room.goes_on(10)
    assert (await accounts.find_session(room.pool, b"olga", room.now + 11 * HOUR)) is not None
    assert (await accounts.find_session(room.pool, b"wang", room.now)) is None
    await accounts.purge_sessions(room.pool, room.now)
    assert await room.pool.fetchval("SELECT count(*) FROM session") == 1
    await room.pool.execute("UPDATE account SET disabled_at = now() WHERE username = 'olga'")
    assert (await accounts.find_session(room.pool, b"olga", room.now)) is None, "a disabled account ends at once"


async def test_the_shift_log_refuses_to_be_changed_or_emptied(room: Room) -> None:
    await room.person("olga")
    await watch.sign_on(room.pool, "olga", T0)
    for statement in ("UPDATE shift_log SET text = 'x'", "DELETE FROM shift_log", "TRUNCATE shift_log CASCADE"):
        with pytest.raises(asyncpg.RaiseError, match="only added to"):
            await room.pool.execute(statement)
    assert await room.log() == ["sign_on"]


async def test_minutes_of_the_plan_are_those_of_the_check(pool: asyncpg.Pool, lease: Lease) -> None:
    room = Room(pool, lease, Plan.model_validate({"presence_every": "10min", "answer_within": "1min"}))
    room.seated = [await room.person("olga")]
    await room.goes_on(5)
    await watch.sign_on(room.pool, "olga", room.now)
    await room.goes_on(11 * 60 + 10, every=10)
    assert await room.standing() == {("system_presence", "olga"): 2}
