"""Incidents and announced windows on the live feed: under the same numbers as alerts, the same on every node."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from live_making import end_window, incident, write_incident, write_window
from waiting import until

from firetower.alerts.acts import Acknowledge
from firetower.core.clock import HOUR, MINUTE
from firetower.web import live
from firetower.web.live import Hub
from firetower.web.live_state import LiveState
from firetower.web.subscription import Subscription

Json = dict[str, Any]


@asynccontextmanager
async def node(running: Any) -> AsyncIterator[Hub]:
    """Another web node on the same database."""
    hub = Hub(running.site.deps)
    task = asyncio.create_task(hub.run())
    try:
        yield hub
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def heard(subscription: Subscription, seq: int) -> list[Json]:
    """Return the frames that carry anything, up to the one of number ``seq``."""
    frames: list[Json] = []
    async with asyncio.timeout(15):
        while True:
            frame = json.loads(await subscription.next() or b"")
            if frame["type"] != "heartbeat":
                frames.append(frame)
                if frame["seq"] >= seq:
                    return frames


def told(frames: list[Json]) -> list[Any]:
    """What consoles are told, without what is latest-wins."""
    return [(each["type"], each["seq"], each["alerts"], each["incidents"], each["windows"]) for each in frames]


async def test_a_snapshot_has_the_open_incidents_and_the_windows_that_are_not_over(running: Any) -> None:
    """All read at the snapshot's one number; what is closed, ended or past is not among it."""
    now = running.clock.now()
    alert = int(await running.raise_alert("smk-1"))
    await write_incident(running.pool, incident(1, now), now, alert)
    await write_incident(running.pool, incident(2, now, closed_at=now), now)
    active = await write_window(running.pool, now - MINUTE)
    planned = await write_window(running.pool, now + HOUR)
    requested = await write_window(running.pool, now, approved=False)
    await write_window(running.pool, now - 2 * HOUR)
    await end_window(running.pool, await write_window(running.pool, now - MINUTE), now)
    async with node(running) as hub:
        await until(lambda: hub.seq == 9)
        async with hub.subscribe(b"seat") as subscription:
            (frame,) = await heard(subscription, 9)
    assert [each["id"] for each in frame["alerts"]] == [str(alert)]
    assert frame["alerts"][0]["incident_id"] == "1"
    (only,) = frame["incidents"]
    assert (only["id"], only["headline"]["en"], only["class"]) == ("1", "Mall, 3F: fire", "fire")
    assert only["members"] == [{"class": "fire", "count": 1, "open": 1}]
    windows = {each["id"]: each["state"] for each in frame["windows"]}
    assert windows == {str(active): "active", str(planned): "planned", str(requested): "requested"}


async def test_every_node_tells_the_same_in_the_same_order_and_one_begun_again_goes_on_without_a_gap(
    running: Any,
) -> None:
    """Alerts, incidents and windows of each commit are one frame on both nodes; a restart misses none of them."""
    pool, now = running.pool, running.clock.now()

    async def story(begin: int) -> int:
        alert = int(await running.raise_alert(f"smk-{begin}"))
        await write_incident(pool, incident(begin, now), now, alert)
        await both(begin + 1)
        window = await write_window(pool, now - MINUTE)
        await both(begin + 2)
        await running.site.deps.alerts.act(alert, Acknowledge(), actor="olga")
        await write_incident(pool, replace(incident(begin, now), version=2, closed_at=now), now, alert)
        await both(begin + 4)
        await end_window(pool, window, now)
        return begin + 5

    async with node(running) as first, first.subscribe(b"a") as one:
        nodes = [first]

        async def both(seq: int) -> None:
            await until(lambda: all(hub.seq >= seq for hub in nodes))

        async with node(running) as second, second.subscribe(b"b") as other:
            nodes.append(second)
            await both(0)
            last = await story(1)
            by_one, by_other = await heard(one, last), await heard(other, last)
        nodes.remove(second)
        assert _final(by_one) == _final(by_other)
        assert [frame["seq"] for frame in by_other] == sorted({frame["seq"] for frame in by_other})
        missed_from = last
        last = await story(last + 1)
        by_one += await heard(one, last)
        async with node(running) as again:
            await until(lambda: again.seq == last and again.kpis().store == "ok")
            async with again.subscribe(b"b", after=missed_from) as resumed, again.subscribe(b"c", after=last) as idle:
                (frame,) = await heard(resumed, last)
                (nothing,) = await heard(idle, last)
        assert frame["type"] == "changes"
        assert _final([*by_other, frame]) == _final(by_one)
        assert [each["closed_at"] is not None for each in frame["incidents"]] == [True]
        assert [each["state"] for each in frame["windows"]] == ["ended"]
        assert told([nothing]) == [("changes", last, [], [], [])]


def _final(frames: list[Json]) -> dict[tuple[str, str], Json]:
    """What a console that keeps the last word of each has in the end, closed and ended ones too."""
    kinds = ("alerts", "incidents", "windows")
    return {(kind, each["id"]): each for frame in frames for kind in kinds for each in frame[kind]}


async def test_a_window_that_begins_or_ends_by_the_clock_is_told_though_nothing_was_committed(
    running: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The state of a window follows from its times: consoles hear of it with the next heartbeat."""
    monkeypatch.setattr(live, "HEARTBEAT_S", 0.05)
    now = running.clock.now()
    window = str(await write_window(running.pool, now + MINUTE))
    async with node(running) as hub:
        await until(lambda: hub.seq == 1)
        async with hub.subscribe(b"seat") as subscription:
            (frame,) = await heard(subscription, 1)
            assert [each["state"] for each in frame["windows"]] == ["planned"]
            for passed, state in ((2 * MINUTE, "active"), (HOUR, "ended")):
                running.clock.advance(passed)
                (frame,) = await heard(subscription, 1)
                assert [(each["id"], each["state"]) for each in frame["windows"]] == [(window, state)]
        async with hub.subscribe(b"later") as subscription:
            assert (await heard(subscription, 1))[0]["windows"] == []


async def test_a_thousand_alerts_at_once_are_written_without_holding_the_feed_up(running: Any) -> None:
    """While a snapshot of many alerts is written, other things of the loop have their turn in between."""
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    await running.pool.execute(
        "INSERT INTO alert"
        " SELECT (jsonb_populate_record(a, jsonb_build_object('id', 1000 + n, 'subject', 'x/' || n))).*"
        " FROM alert a, generate_series(1, 1000) AS n WHERE a.id = $1",
        int(await running.raise_alert("smk-1")),
    )
    view = await running.site.deps.alerts.snapshot()
    assert len(view.alerts) == 1001
    busy = asyncio.create_task(others())
    try:
        state = await LiveState.of(view, running.clock.now())
    finally:
        busy.cancel()
    assert len(state.told().alerts) == 1001
    assert turns >= 15
