"""What the header says of held alerts, tests and floods: counted from the store, alike on every node."""

from typing import Any

import pytest
from waiting import until

from firetower.core.clock import MINUTE, SECOND, to_datetime
from firetower.ingest.ports import Work
from firetower.storage import alarm_rate, seats
from firetower.storage.ingest import IngestStore
from firetower.web.flood_watch import FloodWatch


async def raise_many(running: Any, count: int) -> None:
    """Commit as many faults at once."""
    verdicts = [running.verdict(f"smk-{n}", event="fault") for n in range(count)]
    await IngestStore(running.pool, running.registry, running.clock).commit(Work("alarm", verdicts=verdicts))


async def test_a_flood_is_found_from_the_store_and_ends_when_it_is_over(running: Any) -> None:
    """Past ten new alarms in ten minutes for one operator; a second operator with sound eases it, time ends it."""
    await running.sign_in()
    now = running.clock.now()
    watch = FloodWatch(running.site.deps)
    await raise_many(running, 10)
    await watch.look()
    assert (watch.flood.alarms, watch.flood.operators, watch.flood.active) == (10, 1, False)
    await running.raise_alert("smk-99")
    await watch.look()
    assert (watch.flood.alarms, watch.flood.since) == (11, now)
    two = [seats.Seat(b"1", "olga", armed=True), seats.Seat(b"2", "ada", armed=True)]
    await seats.write(running.pool, "elsewhere", two, now)
    await watch.look()
    assert (watch.flood.operators, watch.flood.active) == (2, True)
    running.clock.advance(10 * MINUTE + SECOND)
    await watch.look()
    assert (watch.flood.alarms, watch.flood.operators, watch.flood.active) == (0, 1, False)


async def test_a_node_begun_in_the_middle_of_a_flood_knows_it_from_the_record(running: Any) -> None:
    """Seven alarms begin no flood and end none: whether there is one is what the others know already."""
    began = running.clock.now() - MINUTE
    await raise_many(running, 7)
    watch = FloodWatch(running.site.deps)
    await watch.look()
    assert not watch.flood.active
    await running.pool.execute(
        "INSERT INTO flood (started_at, alarms, peak, operators) VALUES ($1, 12, 12, 1)", to_datetime(began)
    )
    await watch.look()
    assert watch.flood.since == began


@pytest.mark.parametrize(
    "change",
    ["hold = 'suppressed'", "flags = '{in_test}'", "flags = '{historical}'", "priority = 4"],
)
async def test_what_asks_nobody_to_act_is_no_new_alarm(running: Any, change: str) -> None:
    """Held, in an announced test, long past, or a word of advice only."""
    await raise_many(running, 3)
    await running.pool.execute(f"UPDATE alert SET {change} WHERE subject = 'mall-01/smk-1'")
    assert (await alarm_rate.alarm_rate(running.pool, running.clock.now())).alarms == 2


async def test_the_figures_say_what_is_held_what_is_in_test_and_whether_there_is_a_flood(
    running: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same by the feed, the API and the metrics."""
    await running.sign_in()
    await raise_many(running, 12)
    hub = running.site.hub
    await until(lambda: hub.seq == 1)
    await running.pool.execute(
        "UPDATE alert SET hold = 'shelved', held_until = now() WHERE subject IN ('mall-01/smk-1', 'mall-01/smk-2')"
    )
    await running.pool.execute("UPDATE alert SET hold = 'out_of_service' WHERE subject = 'mall-01/smk-3'")
    await running.pool.execute("UPDATE alert SET flags = flags || '{in_test}'::text[] WHERE subject = 'mall-01/smk-4'")
    hub._seq = None  # as after a restart
    await running.raise_alert("smk-20")
    await running.raise_alert("smk-21")
    await running.raise_alert("smk-22")
    await until(lambda: hub.seq == 4)
    await hub._floods.look()
    kpis = await running.get("/api/v1/kpis")
    assert kpis["held"] == {"shelved": 2, "suppressed": 0, "out_of_service": 1}
    assert kpis["in_test"] == 1
    now = kpis["flood"].pop("since")
    assert kpis["flood"] == {"active": True, "alarms_10min": 11, "operators": 1}
    assert now is not None
    text = (await running.call("GET", "/metrics"))[1]
    assert 'firetower_alerts_held{hold="shelved"} 2.0' in text
    assert "firetower_alarm_flood 1.0" in text
