"""The live feed: a snapshot, then every change, without a gap, for readers quick and slow."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from waiting import until

from firetower.core.clock import HOUR, SECOND
from firetower.devices.kinds import DeviceKind
from firetower.devices.registry import DeviceEntry
from firetower.ingest.ports import Work
from firetower.storage.ingest import IngestStore
from firetower.web import live, subscription


class Seat:
    """One console."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self.ws = ws
        self.heard: list[dict[str, Any]] = []

    async def frame(self, *kinds: str) -> dict[str, Any]:
        """Return the next frame of one of these kinds, any other passing by."""
        async with asyncio.timeout(15):
            while True:
                frame: dict[str, Any] = await self.ws.receive_json()
                self.heard.append(frame)
                if frame["type"] in kinds:
                    return frame

    async def alert(self, id_: str, state: str | None = None) -> dict[str, Any]:
        """Return the frame that brings this alert (in that state)."""
        while True:
            frame = await self.frame("changes")
            if any(alert["id"] == id_ and state in {None, alert["state"]} for alert in frame["alerts"]):
                return frame


@asynccontextmanager
async def seat(running: Any, **params: str) -> AsyncIterator[Seat]:
    if not running.headers:
        await running.sign_in()
    async with running.client.ws_connect(f"{running.url}/api/v1/live", headers=running.headers, params=params) as ws:
        yield Seat(ws)


async def test_a_snapshot_then_what_is_committed(running: Any) -> None:
    before = await running.raise_alert("smk-1")
    await until(lambda: running.site.hub.seq == 1)
    async with seat(running) as olga:
        snapshot = await olga.frame("snapshot", "changes")
        assert snapshot["type"] == "snapshot"
        assert [alert["id"] for alert in snapshot["alerts"]] == [before]
        assert snapshot["kpis"]["open"] == {"1": 1, "2": 0, "3": 0, "4": 0}
        assert snapshot["kpis"]["store"] == "ok"
        after = await running.raise_alert("smk-2")
        frame = await olga.alert(after)
        assert frame["seq"] > snapshot["seq"]
        assert frame["kpis"]["unacknowledged"]["1"] == 2
        await running.call("POST", f"/api/v1/alerts/{after}/acknowledge", json={})
        frame = await olga.alert(after, "acknowledged")
        assert frame["kpis"]["unacknowledged"]["1"] == 1
        close = {"disposition": "false_alarm", "cause": "steam"}
        await running.call("POST", f"/api/v1/alerts/{after}/close", json=close)
        assert (await olga.alert(after, "closed"))["kpis"]["open"]["1"] == 1


async def test_resuming_brings_exactly_what_was_missed(running: Any) -> None:
    async with seat(running) as olga:
        await olga.frame("snapshot")
        first = await running.raise_alert("smk-1")
        last_seq = (await olga.alert(first))["seq"]
    missed = [await running.raise_alert(f"smk-{n}") for n in range(2, 6)]
    await until(lambda: running.site.hub.seq == last_seq + 4)
    async with seat(running, after=str(last_seq)) as olga:
        frame = await olga.frame("changes", "snapshot")
        assert frame["type"] == "changes"
        assert [alert["id"] for alert in frame["alerts"]] == missed
        assert frame["seq"] == last_seq + 4
        later = await running.raise_alert("smk-9")
        assert [alert["id"] for alert in (await olga.alert(later))["alerts"]] == [later]


async def test_resuming_in_a_storm_brings_what_was_missed_though_the_hub_reads_on_meanwhile(
    running: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is missed takes longer to read than the next of the storm: that is no reason for everything anew."""
    missed = [await running.raise_alert(f"smk-{n}") for n in range(3)]
    store, hub = running.site.deps.alerts, running.site.hub
    await until(lambda: hub.seq == 3)
    read = store.changes

    async def slowly(after: int) -> Any:
        found = await read(after)
        if after == 1:
            missed.append(await running.raise_alert("smk-9"))
            await until(lambda: hub.seq == 4)
        return found

    monkeypatch.setattr(store, "changes", slowly)
    async with seat(running, after="1") as olga:
        assert [alert["id"] for alert in (await olga.alert(missed[1]))["alerts"]] == missed[1:]
    assert [frame["type"] for frame in olga.heard] == ["changes"]


@pytest.mark.parametrize("after", ["999999", "0"])
async def test_resuming_from_what_is_forgotten_or_never_was_gives_a_snapshot(running: Any, after: str) -> None:
    alerts = [await running.raise_alert(f"smk-{n}") for n in range(3)]
    await running.pool.execute("delete from live_change where seq < 3")
    await until(lambda: running.site.hub.seq == 3)
    async with seat(running, after=after) as olga:
        frame = await olga.frame("snapshot", "changes")
        assert frame["type"] == "snapshot"
        assert {alert["id"] for alert in frame["alerts"]} == set(alerts)


async def test_joining_in_the_middle_of_a_storm_leaves_no_gap_and_every_seat_ends_up_the_same(running: Any) -> None:
    await running.sign_in()
    store = IngestStore(running.pool, running.registry, running.clock)

    async def storm() -> None:
        for n in range(60):
            await store.commit(Work("alarm", verdicts=[running.verdict(f"smk-{n}")]))

    async def follow(delay: float, after: str | None) -> set[str]:
        await asyncio.sleep(delay)
        known: set[str] = set()
        async with seat(running, **({} if after is None else {"after": after})) as one:
            while True:
                frame = await one.frame("snapshot", "changes")
                if frame["type"] == "snapshot":
                    known = set()
                known |= {alert["id"] for alert in frame["alerts"]}
                if frame["seq"] >= 60:
                    return known

    seats = [follow(n * 0.01, None if n % 2 else "0") for n in range(10)]
    _, *known = await asyncio.gather(storm(), *seats)
    assert [len(ids) for ids in known] == [60] * 10


async def test_a_seat_cut_off_amid_a_flood_too_big_for_a_frame_gets_all_of_it_when_it_comes_back(
    running: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What goes ahead of a reading's last frame moves no number: nobody counts as told before all of it is out."""
    monkeypatch.setattr(live, "FRAME_ALERTS", 3)
    store = IngestStore(running.pool, running.registry, running.clock)
    async with seat(running) as quick:
        before = (await quick.frame("snapshot"))["seq"]
        await store.commit(Work("alarm", verdicts=[running.verdict(f"smk-{n}") for n in range(10)]))
        frames = [await quick.frame("changes") for _ in range(4)]
    assert [len(frame["alerts"]) for frame in frames] == [3, 3, 3, 1]
    assert [frame["seq"] for frame in frames] == [before, before, before, before + 1]
    assert len({alert["id"] for frame in frames for alert in frame["alerts"]}) == 10
    assert frames[-1]["kpis"]["open"]["1"] == 10
    async with seat(running, after=str(frames[2]["seq"])) as back:
        assert len((await back.frame("changes"))["alerts"]) == 10


async def test_shown_counts_once_and_only_from_an_armed_seat(running: Any) -> None:
    id_ = await running.raise_alert("smk-1")
    await until(lambda: running.site.hub.seq == 1)
    running.clock.advance(2_000_000)
    async with seat(running) as olga, seat(running) as vera:
        await olga.frame("snapshot")
        await olga.ws.send_json({"type": "shown", "alerts": [id_], "armed": False})
        await olga.ws.send_json({"type": "ping", "id": 7})
        pong = await olga.frame("pong")
        assert pong["id"] == 7
        assert (await running.get(f"/api/v1/alerts/{id_}"))["shown_at"] is None
        await olga.ws.send_json({"type": "shown", "alerts": [id_, "999"], "armed": True})

        async def shown_at() -> Any:
            return (await running.get(f"/api/v1/alerts/{id_}"))["shown_at"]

        first = await until(shown_at)
        running.clock.advance(5_000_000)
        await vera.ws.send_json({"type": "shown", "alerts": [id_], "armed": True})
        await vera.ws.send_json({"type": "ping", "id": 1})
        await vera.frame("pong")
        assert await shown_at() == first
    async with seat(running) as later:
        assert (await later.frame("snapshot"))["alerts"][0]["shown_at"] == first
    text = (await running.call("GET", "/metrics"))[1]
    assert 'firetower_alarm_latency_seconds_count{stage="shown"}' in text


async def test_nonsense_from_a_console_is_answered_and_survived(running: Any) -> None:
    async with seat(running) as olga:
        for text in ("{", "[]", '{"type":"x"}', '{"type":"shown","alerts":["x"],"armed":true}', '{"type":"ping"}'):
            await olga.ws.send_str(text)
            assert (await olga.frame("error"))["error"]["code"] == "invalid"
        await olga.ws.send_json({"type": "ping", "id": 2})
        assert (await olga.frame("pong"))["id"] == 2


async def test_a_socket_with_the_cookie_must_come_from_the_console(running: Any) -> None:
    token = (await running.sign_in())["Authorization"].split()[1]
    cookie = {"Cookie": f"firetower_session={token}"}
    for origin in ({}, {"Origin": "http://evil.example"}):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await running.client.ws_connect(f"{running.url}/api/v1/live", headers={**cookie, **origin})
        assert refused.value.status == 403
    async with running.client.ws_connect(f"{running.url}/api/v1/live", headers={**cookie, "Origin": running.url}) as ws:
        assert (await ws.receive_json())["type"] in {"snapshot", "heartbeat"}


async def test_signing_out_closes_the_live_connection(running: Any) -> None:
    async with seat(running) as olga:
        await olga.frame("snapshot")
        await running.call("DELETE", "/api/v1/session")
        async with asyncio.timeout(10):
            while (await olga.ws.receive()).type is aiohttp.WSMsgType.TEXT:
                pass
        assert olga.ws.close_code == subscription.SESSION_OVER


async def test_while_the_store_is_away_seats_stay_and_are_told(running: Any) -> None:
    id_ = await running.raise_alert("smk-1")
    await until(lambda: running.site.hub.seq == 1)
    async with seat(running) as olga:
        await olga.frame("snapshot")
        running.pool.terminate()

        async def told() -> bool:
            return (await olga.frame("heartbeat"))["kpis"]["store"] == "unavailable"

        await until(told, 15)
        async with seat(running, after="0") as late:  # who joins now still sees what stands
            snapshot = await late.frame("snapshot")
            assert [alert["id"] for alert in snapshot["alerts"]] == [id_]
            assert snapshot["kpis"]["store"] == "unavailable"


async def test_a_failure_inside_the_feed_is_logged_and_the_feed_goes_on(
    running: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with seat(running) as olga:
        await olga.frame("snapshot")
        with monkeypatch.context() as broken:

            def fail() -> None:
                raise RuntimeError("no rate today")

            broken.setattr(running.health, "ready", fail)
            await until(lambda: "no rate today" in caplog.text, 15)
        await olga.frame("snapshot")  # begun again: it replaces what was known
        id_ = await running.raise_alert("smk-1")
        await olga.alert(id_)


async def test_while_nothing_is_heard_no_device_is_said_to_fall_silent(running: Any) -> None:
    """With the broker away for an hour every device is overdue, and nobody knows of any of them."""
    await running.sign_in()
    running.registry.add(DeviceEntry(1, "mall", "smk-1", DeviceKind.SMOKE, interval=60 * SECOND))
    running.registry.last_seen[1] = running.clock.now()
    async with seat(running) as olga:
        await until(lambda: running.site.hub.device_counts().online == 1)
        running.health.checks = [("database", True, ""), ("broker", False, "refused"), ("lag", True, "")]
        running.clock.advance(HOUR)
        while (await olga.frame("snapshot", "changes", "heartbeat"))["kpis"]["broker"] != "unavailable":
            assert running.site.hub.device_counts().online == 1
        await olga.frame("heartbeat")
        assert running.site.hub.device_counts().online == 1
        running.health.checks = [("database", True, ""), ("broker", True, ""), ("lag", True, "")]
        await until(lambda: running.site.hub.device_counts().offline == 1)
