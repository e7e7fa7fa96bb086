"""The live feed while the store is away: provisional alarms (未落库), the canary, and who is still let in."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from waiting import until

from firetower.alerts.contacts import to_call
from firetower.core.clock import HOUR, SECOND
from firetower.devices.kinds import DeviceKind
from firetower.devices.registry import DeviceEntry
from firetower.ingest.ports import Work
from firetower.storage import seats, watch
from firetower.storage.ingest import IngestStore
from firetower.storage.seats import Seat
from firetower.web import phone_book
from firetower.web.phone_book import PhoneBook
from firetower.web.provisional_view import FEW, ProvisionalView


async def frames(ws: aiohttp.ClientWebSocketResponse, wanted: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
    """Return every frame up to the first that is wanted."""
    heard: list[dict[str, Any]] = []

    async def come() -> bool:
        heard.append(await ws.receive_json(timeout=15))
        return wanted(heard[-1])

    await until(come, 20)
    return heard


def lists(device: str) -> Callable[[dict[str, Any]], bool]:
    """Whether a frame lists a provisional alarm of ``device``."""
    return lambda frame: any(alarm["device"] == device for alarm in frame.get("provisional") or [])


def connect(running: Any) -> Any:
    """Open the live feed as whoever signed in last."""
    return running.client.ws_connect(f"{running.url}/api/v1/live", headers=running.headers)


async def away(running: Any) -> None:
    """End the database for the web part, and wait until it has noticed."""
    running.pool.terminate()
    await until(lambda: running.site.hub.kpis().store == "unavailable", 15)


async def test_a_provisional_alarm_is_told_while_the_store_is_away_also_to_a_console_that_opens_then(
    running: Any,
) -> None:
    """Seats that are open hear of it at once; one that opens later finds it, with what was stored before, in its first
    frame."""
    await running.sign_in()
    stored = await running.raise_alert("smk-0")
    await until(lambda: running.site.hub.seq == 1)
    async with connect(running) as early:
        await frames(early, lambda frame: frame["type"] == "snapshot")
        await away(running)
        running.board.waiting("batch", [running.verdict("smk-1")])
        frame = (await frames(early, lists("smk-1")))[-1]
        (alarm,) = frame["provisional"]
        assert (alarm["class"], alarm["priority"], alarm["title"]["en"]) == ("fire", 1, "Fire alarm")
        assert frame["kpis"]["store"] == "unavailable"
        async with connect(running) as late:
            first = await late.receive_json(timeout=15)
    assert first["type"] == "snapshot"
    assert [alert["id"] for alert in first["alerts"]] == [stored]
    assert [alarm["device"] for alarm in first["provisional"]] == ["smk-1"]


async def test_a_node_that_never_read_the_store_still_shows_provisional_alarms(running: Any) -> None:
    """Its first frame is a heartbeat of seq -1: no list of stored alerts, but the alarms and the store's state."""
    await running.sign_in()
    await until(lambda: running.site.hub.seq >= 0)  # a reading under way would put the number back
    await away(running)
    running.site.hub._seq = None
    running.board.waiting("batch", [running.verdict("smk-1")])
    async with connect(running) as ws:
        first = await ws.receive_json(timeout=15)
    assert (first["type"], first["seq"], first["kpis"]["store"]) == ("heartbeat", -1, "unavailable")
    assert lists("smk-1")(first)


async def test_an_alarm_stays_provisional_until_the_frame_that_brings_its_stored_alert(running: Any) -> None:
    """Between the two there is no frame in which it is neither, and both have one key."""
    await running.sign_in()
    async with connect(running) as ws:
        verdict = running.verdict("smk-1")
        running.board.waiting("batch", [verdict])
        key = (await frames(ws, lists("smk-1")))[-1]["provisional"][0]["key"]
        await IngestStore(running.pool, running.registry, running.clock).commit(Work("alarm", verdicts=[verdict]))
        running.board.settled("batch")
        heard = await frames(ws, lambda frame: frame.get("provisional") == [])
    brought = [n for n, frame in enumerate(heard) if any(alert["key"] == key for alert in frame.get("alerts", []))]
    assert brought
    assert brought[0] <= len(heard) - 1
    assert all(frame.get("provisional") != [] for frame in heard[: brought[0]])


async def test_an_alarm_that_comes_and_is_committed_while_the_store_is_read_stays_until_the_next_reading(
    running: Any,
) -> None:
    """A read that hung in an outage may have been before its commit: it does not bring the stored alert."""
    view = ProvisionalView(running.board, PhoneBook(running.site.deps).of)
    view.reading()
    running.board.waiting("batch", [running.verdict("smk-1")])
    view.look()
    running.board.settled("batch")
    view.settle()
    assert b"smk-1" in view.listing().written()
    view.reading()
    view.settle()
    assert view.listing().written() == b',"provisional":[],"provisional_more":0'


async def test_while_the_store_is_away_nothing_leaves_the_list_of_provisional_alarms(running: Any) -> None:
    """What was settled meanwhile stays until the store could be read: nobody can show what became of it."""
    await running.sign_in()
    async with connect(running) as ws:
        await frames(ws, lambda frame: frame["type"] == "snapshot")
        await away(running)
        running.board.waiting("first", [running.verdict("smk-1")])
        await frames(ws, lists("smk-1"))
        running.board.settled("first")
        running.board.waiting("second", [running.verdict("smk-2")])
        listed = (await frames(ws, lists("smk-2")))[-1]["provisional"]
    assert {alarm["device"] for alarm in listed} == {"smk-1", "smk-2"}


async def test_of_hundreds_a_fire_is_told_at_once_and_the_others_with_the_next_list(running: Any) -> None:
    """A list of hundreds in every frame would keep consoles busy with nothing but the list."""
    running.board.waiting("many", [replace(running.verdict("smk-1"), component=f"k-{n}") for n in range(FEW + 1)])
    view, hub = ProvisionalView(running.board, PhoneBook(running.site.deps).of), running.site.hub
    hub._provisional = view
    view.look()
    hub._broadcast()
    assert not hub._has_list()
    running.board.waiting("fault", [running.verdict("smk-2", event="fault")])
    view.look()
    assert hub._told != view.revision
    assert not hub._has_list()
    running.board.waiting("fire", [running.verdict("smk-3")])
    view.look()
    assert hub._has_list()


async def test_a_committed_canary_is_told(running: Any) -> None:
    """Every frame says when the newest canary was sent and committed; a new one is told as it is committed."""
    await running.sign_in()
    async with connect(running) as ws:
        first = await ws.receive_json(timeout=15)
        assert first["canary"] is None
        sent = running.clock.now() - 2 * SECOND
        await IngestStore(running.pool, running.registry, running.clock).commit(Work("alarm", canary=sent))
        frame = (await frames(ws, lambda frame: frame["canary"] is not None))[-1]
    assert frame["canary"]["sent_at"] < frame["canary"]["committed_at"] <= frame["t"]


async def test_a_page_loaded_anew_in_an_outage_is_let_in_until_its_session_expires(running: Any) -> None:
    """A session seen before stays good while the store is away; one nobody saw, and one expired, do not."""
    await running.sign_in()
    await running.get("/api/v1/session")
    await away(running)
    running.clock.advance(11 * HOUR)
    assert (await running.get("/api/v1/session"))["username"] == "olga"
    status, _ = await running.call("GET", "/api/v1/session", headers={"Authorization": "Bearer nobody-knows-it"})
    assert status == 503
    running.clock.advance(2 * HOUR)
    status, _ = await running.call("GET", "/api/v1/session")
    assert status in {401, 503}


async def test_a_store_that_hangs_holds_up_neither_the_page_nor_the_alarms(running: Any, monkeypatch: Any) -> None:
    """A known session is let in although its lookup never answers."""
    await running.sign_in()
    await running.get("/api/v1/session")
    running.clock.advance(60 * SECOND)  # it would be looked up again
    hangs: Callable[..., Awaitable[None]] = _never
    monkeypatch.setattr("firetower.storage.accounts.find_session", hangs)
    running.board.waiting("batch", [running.verdict("smk-1")])
    assert (await running.get("/api/v1/session"))["username"] == "olga"
    async with connect(running) as ws:
        await frames(ws, lists("smk-1"))


async def _never(*_: Any) -> None:
    await asyncio.Event().wait()


async def test_a_seat_of_the_watch_is_let_in_in_an_outage_long_after_its_twelve_hours(running: Any) -> None:
    """The database went away in the eleventh hour of somebody's shift; their page is loaded anew in the twentieth."""
    await running.sign_in()
    await watch.sign_on(running.pool, "olga", running.clock.now())
    running.clock.advance(11 * HOUR)
    digest = hashlib.sha256(running.headers["Authorization"].split()[1].encode()).digest()
    await seats.write(running.pool, "n", [Seat(digest, "olga", armed=True)], running.clock.now())
    assert (await running.get("/api/v1/session"))["shows_until"] is not None
    await away(running)
    running.clock.advance(9 * HOUR)
    async with running.client.ws_connect(f"{running.url}/api/v1/live", headers=running.headers) as ws:
        assert (await ws.receive_json())["type"] in {"snapshot", "heartbeat"}


async def test_a_provisional_alarm_says_where_it_is_and_whom_to_call_though_the_store_is_away(running: Any) -> None:
    """Of what was read before: the unit's own people, whoever is there first, and nobody without a telephone."""
    await running.pool.execute(
        "INSERT INTO unit (code, name, address) VALUES ('mall-01', '城西购物中心', '建设路1号'), ('bare', '', '')"
    )
    await running.pool.execute(
        "INSERT INTO contact (scope, owner, role, name, addresses, hours, changed_by, changed_at) VALUES"
        """ ('unit', 'mall-01', 'manager', '李经理', '{"phone": "0750-2"}', '[]', 'ada', now()),
            ('unit', 'mall-01', 'control_room', '王师傅', '{"phone": "0750-1"}', '[]', 'ada', now()),
            ('unit', 'mall-01', 'keeper', '只有邮件', '{"email": "a@b.cn"}', '[]', 'ada', now()),
            ('centre', '', 'duty_lead', '值班长', '{"phone": "0750-9"}', '[]', 'ada', now())"""
    )
    running.registry.add(DeviceEntry(1, "mall-01", "smk-1", DeviceKind.SMOKE, lon=113.1, lat=22.3))
    phones = running.site.hub.phones
    await phones.look()
    await running.sign_in()
    async with connect(running) as ws:
        await frames(ws, lambda frame: frame["type"] == "snapshot")
        await away(running)
        await phones.look()  # without an answer what was read stands
        running.board.waiting("batch", [running.verdict("smk-1"), running.verdict("never-heard-of")])
        listed = (await frames(ws, lists("smk-1")))[-1]["provisional"]
    known, stranger = sorted(listed, key=lambda alarm: alarm["device_kind"] is None)
    assert (known["unit_name"], known["address"], known["device_kind"]) == ("城西购物中心", "建设路1号", "smoke")
    assert (known["lon"], known["lat"]) == (113.1, 22.3)
    assert [(each["name"], each["phone"], each["reachable"]) for each in known["contacts"]] == [
        ("王师傅", "0750-1", True),
        ("李经理", "0750-2", True),
    ]
    assert (stranger["lon"], stranger["device_kind"]) == (None, None)
    assert stranger["contacts"] == known["contacts"]  # its unit is known all the same


async def test_two_hundred_points_of_one_unit_are_asked_for_its_people_once(
    running: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who is to be called takes a third of a millisecond to say: in a flood the loop would do nothing else."""
    asked = 0

    def counted(*given: Any) -> Any:
        nonlocal asked
        asked += 1
        return to_call(*given)

    monkeypatch.setattr(phone_book, "to_call", counted)
    view = ProvisionalView(running.board, PhoneBook(running.site.deps).of)
    running.board.waiting("batch", [running.verdict(f"smk-{n}") for n in range(200)])
    view.look()
    assert view.listing().written().count(b'"device"') == 200
    assert asked <= 2, "the minute may turn"
