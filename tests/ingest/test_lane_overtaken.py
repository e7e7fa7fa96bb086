"""What one lane takes in while another one waits: the order of arrival counts, not that of being taken in."""

import asyncio
import sys
from pathlib import Path

from waiting import until

sys.path.insert(0, str(Path(__file__).parent))
from quiet_session import heard, lanes_running, ms, quiet_city, quiet_lane

from firetower.devices.readings import Floats, Mark, Readings


async def test_a_device_that_went_offline_is_not_online_by_what_it_said_before() -> None:
    """Telemetry waits in an outage while the Last Will comes by; only what arrives after it makes the device online."""
    city = quiet_city()
    telemetry, session = quiet_lane(city, "telemetry", batch_messages=1)
    status, status_session = quiet_lane(city, "status")
    async with lanes_running(telemetry, status):
        city.store.held = {"telemetry"}
        city.store.gate.clear()
        session.say(*(heard("smk-1/telemetry", {"ts": ms(-3000 + n), "smoke": 0.01}) for n in range(5)))
        await until(lambda: city.store.attempts)
        status_session.say(heard("smk-1/status", b"offline"))
        await until(lambda: len(status_session.acked) == 1)
        assert city.registry.offline[1]
        city.store.gate.set()
        await until(lambda: len(session.acked) == 5)
        assert city.registry.offline[1], "what waited was said before"
        session.say(heard("smk-1/telemetry", {"ts": ms(), "smoke": 0.01}))
        await until(lambda: len(session.acked) == 6)
        assert not city.registry.offline[1]


async def test_an_alarm_lane_reading_that_telemetry_overtook_while_the_store_was_asked_is_late_not_ignored() -> None:
    """Its batch waits for a look at the store; newer telemetry of its series is judged meanwhile."""
    city = quiet_city()
    telemetry, telemetry_session = quiet_lane(city, "telemetry")
    alarms, alarm_session = quiet_lane(city, "alarm")
    asked, answered = asyncio.Event(), asyncio.Event()
    look = city.store.stored

    async def slow(readings: Readings) -> Floats:
        asked.set()
        await answered.wait()
        return await look(readings)

    city.store.stored = slow  # type: ignore[method-assign]
    async with lanes_running(telemetry, alarms):
        alarm_session.say(
            heard("smk-2/alarm", {"ts": ms(-7_200_000), "smoke": 0.01}),
            *(heard("smk-1/alarm", {"ts": ms(-3000 + n), "smoke": 0.5}) for n in range(4)),
        )
        await asked.wait()
        telemetry_session.say(heard("smk-1/telemetry", {"ts": ms(), "smoke": 0.01}))
        await until(lambda: any(work.lane == "telemetry" for work in city.store.commits))
        answered.set()
        await until(lambda: any(work.lane == "alarm" for work in city.store.commits))
    high = [flags for value, flags in city.store.readings.values() if value == 0.5]
    assert len(high) == 4
    assert all(flags & Mark.LATE for flags in high), "the rules are told that these are late"


async def test_smoke_is_a_fire_though_the_detectors_clock_stands_a_little_ahead() -> None:
    """Its readings are judged as they arrive, not when the true time has come to where its clock stands."""
    city = quiet_city()
    lane, session = quiet_lane(city, "telemetry")
    standing = ms(240_000)
    async with lanes_running(lane):
        session.say(heard("smk-1/telemetry", {"ts": standing, "smoke": 0.01}))
        await until(lambda: len(session.acked) == 1)
        for n in range(5):
            session.say(heard("smk-1/telemetry", {"ts": standing, "smoke": 0.5 + n / 100}))
            await until(lambda n=n: len(session.acked) == n + 2)  # type: ignore[misc]
    assert len(city.store.readings) == 6
    assert "fire" in {verdict.alert_class for verdict in city.store.verdicts}


async def test_an_alarm_that_a_broker_had_kept_is_marked_so_with_and_without_a_time_of_its_own() -> None:
    city = quiet_city()
    lane, session = quiet_lane(city, "alarm")
    async with lanes_running(lane):
        session.say(
            heard("smk-1/alarm", {"event": "fire", "component": "1"}, retain=True),
            heard("smk-1/alarm", {"ts": ms(), "event": "fire", "component": "2"}, retain=True),
            heard("smk-1/alarm", {"ts": ms(), "event": "fire", "component": "3"}),
        )
        await until(lambda: len(session.acked) == 3)
    marked = {event.component: "retained" in event.flags for event in city.store.events}
    assert marked == {"1": True, "2": True, "3": False}
