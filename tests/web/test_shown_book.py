"""When alerts were shown: noted as a seat says so, written together, whatever the store does meanwhile."""

import asyncio
from typing import Any

import pytest
from waiting import until

from firetower.alerts.watch.scopes import EVERYTHING, Scope
from firetower.core.clock import SECOND, from_datetime
from firetower.core.errors import StoreUnavailable
from firetower.ingest.meters import alarm_latency
from firetower.web import shown_book


async def shown_at(running: Any) -> dict[int, int | None]:
    """What is on record, by alert."""
    rows = await running.pool.fetch("SELECT id, shown_at FROM alert")
    return {row["id"]: None if row["shown_at"] is None else from_datetime(row["shown_at"]) for row in rows}


def counted() -> float:
    """How many alerts the metric says were shown."""
    (metric,) = alarm_latency.collect()
    return sum(
        sample.value
        for sample in metric.samples
        if sample.name.endswith("_count") and sample.labels["stage"] == "shown"
    )


@pytest.fixture
async def alerts(running: Any) -> list[int]:
    """Three open alerts that the hub knows."""
    ids = [int(await running.raise_alert(f"smk-{n}")) for n in range(3)]
    await until(lambda: running.site.hub.seq == 3)
    return ids


async def test_each_has_the_time_at_which_the_first_seat_said_so(running: Any, alerts: list[int]) -> None:
    """Not that of the write, nor that of another seat, by whatever scope; the metric counts each once."""
    hub, begin, before = running.site.hub, running.clock.now(), counted()
    hub._shown.note(alerts[:1], Scope(frozenset({"mall-01"})))
    running.clock.advance(SECOND)
    hub._shown.note([*alerts[:2], 999], EVERYTHING)
    running.clock.advance(SECOND)
    hub._shown.note(alerts, Scope(frozenset({"elsewhere"})))
    running.clock.advance(SECOND)
    await until(lambda: not hub._shown._noted)
    found = await shown_at(running)
    assert [found[id_] for id_ in alerts] == [begin, begin + SECOND, None]
    hub.shown(alerts)
    await until(lambda: not hub._shown._noted)
    found = await shown_at(running)
    assert [found[id_] for id_ in alerts] == [begin, begin + SECOND, begin + 3 * SECOND]
    assert counted() - before == 3


async def test_what_the_store_does_not_take_is_written_when_it_does(
    running: Any, alerts: list[int], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """With the time at which it was shown; the trouble is told once."""
    monkeypatch.setattr(shown_book, "_RETRY_S", 0.01)
    hub, begin, tries = running.site.hub, running.clock.now(), 0

    async def fails(_shown: Any) -> set[int]:
        nonlocal tries
        tries += 1
        raise StoreUnavailable("the database is away")

    with monkeypatch.context() as away:
        away.setattr(running.site.deps.alerts, "mark_shown", fails)
        hub.shown(alerts)
        await until(lambda: tries >= 3)
    running.clock.advance(SECOND)
    await until(lambda: not hub._shown._noted)
    assert set((await shown_at(running)).values()) == {begin}
    assert caplog.text.count("when alerts were shown") == 1


async def test_more_than_one_write_takes_are_written_all_the_same(
    running: Any, alerts: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some a write, until nothing is left."""
    monkeypatch.setattr(shown_book, "AT_ONCE", 2)
    running.site.hub.shown(alerts)
    await until(lambda: not running.site.hub._shown._noted)
    assert None not in (await shown_at(running)).values()


async def test_what_is_noted_when_the_feed_ends_is_written(running: Any, alerts: list[int]) -> None:
    """A restart loses no time at which an alarm was shown."""
    book = shown_book.ShownBook(running.site.deps, lambda: running.site.hub._state)
    book.note(alerts, EVERYTHING)
    task = asyncio.create_task(book.run())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert None not in (await shown_at(running)).values()
