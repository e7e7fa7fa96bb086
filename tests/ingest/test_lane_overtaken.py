"""What one lane takes in while another one waits: the order of arrival counts, not that of being taken in."""

import sys
from pathlib import Path

from waiting import until

sys.path.insert(0, str(Path(__file__).parent))
from quiet_session import heard, lanes_running, ms, quiet_city, quiet_lane


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
