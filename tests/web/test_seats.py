"""Seats as the live feed keeps them: connected, heard of, armed, left."""

import asyncio
from typing import Any

import aiohttp
import pytest
from waiting import until

from firetower.core.clock import SECOND
from firetower.storage import seats
from firetower.web import seat_book


def console(running: Any) -> Any:
    return running.client.ws_connect(f"{running.url}/api/v1/live", headers=running.headers)


async def said(ws: aiohttp.ClientWebSocketResponse, message: dict[str, Any]) -> None:
    """Say something and wait until the node has heard it."""
    await ws.send_json(message)
    await ws.send_json({"type": "ping", "id": 7})
    async with asyncio.timeout(10):
        while (await ws.receive_json())["type"] != "pong":
            pass


async def stored(running: Any) -> list[tuple[str, bool]]:
    return [(seat.account, seat.armed) for seat in await seats.live(running.pool, running.clock.now())]


async def test_a_seat_stands_in_the_store_while_its_console_is_connected_and_says_whether_it_sounds(
    running: Any,
) -> None:
    """It is armed once it says so, with or without an alert to show; two tabs are one seat; it leaves with the last."""
    await running.sign_in()
    async with console(running) as ws:
        await until(lambda: _is(running, [("olga", False)]))
        await said(ws, {"type": "shown", "alerts": [], "armed": True})
        await until(lambda: _is(running, [("olga", True)]))
        async with console(running) as tab:
            await said(tab, {"type": "shown", "alerts": [], "armed": False})
            assert running.site.hub.seats.seats(running.clock.now())[0].armed
        await said(ws, {"type": "shown", "alerts": [], "armed": False})
        await until(lambda: _is(running, [("olga", False)]))
    await until(lambda: _is(running, []))
    assert await running.pool.fetchval("SELECT count(*) FROM seat") == 0


async def _is(running: Any, wanted: list[tuple[str, bool]]) -> bool:
    return await stored(running) == wanted


async def test_a_console_that_says_nothing_for_fifteen_seconds_is_no_seat(running: Any) -> None:
    """A socket may stay open though its computer is gone; a console that lives pings every four seconds."""
    await running.sign_in()
    async with console(running) as ws:
        await said(ws, {"type": "shown", "alerts": [], "armed": True})
        book = running.site.hub.seats
        running.clock.advance(14 * SECOND)
        assert len(book.seats(running.clock.now())) == 1
        running.clock.advance(SECOND)
        assert book.seats(running.clock.now()) == []
        await said(ws, {"type": "ping", "id": 1})
        assert [seat.armed for seat in book.seats(running.clock.now())] == [True]


async def test_seats_that_cannot_be_written_hold_nothing_up_and_are_told_of_once(
    running: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The feed goes on without them; when the store takes them again they stand there."""
    monkeypatch.setattr(seat_book, "EVERY_S", 0.01)
    monkeypatch.setattr(seat_book, "_TOGETHER_S", 0.01)
    tries = 0
    write = seats.write

    async def fails(*given: Any) -> None:
        nonlocal tries
        tries += 1
        raise RuntimeError("no seats today")

    monkeypatch.setattr(seats, "write", fails)
    await running.sign_in()
    async with console(running) as ws:
        await until(lambda: tries >= 3)
        id_ = await running.raise_alert("smk-1")
        async with asyncio.timeout(10):
            while True:
                frame = await ws.receive_json()
                if id_ in {alert["id"] for alert in frame.get("alerts", [])}:
                    break
        assert caplog.text.count("RuntimeError: no seats today") == 1
        monkeypatch.setattr(seats, "write", write)
        await until(lambda: _is(running, [("olga", False)]))
