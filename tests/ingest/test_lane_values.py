"""In an outage the alarm lane sees values beyond a limit, too, whatever hangs in front of them."""

import sys
from pathlib import Path
from typing import Any

import pytest
from waiting import until

sys.path.insert(0, str(Path(__file__).parent))
from lane_city import CLOCK
from quiet_session import heard, lanes_running, ms, quiet_city, quiet_lane
from test_lane_provisional import Shown

from firetower.core.clock import SECOND


@pytest.mark.parametrize(
    ("hangs", "auto_register"),
    [
        pytest.param(("smk-1/alarm", {"ts": ms(-7_200_000), "smoke": 0.01}), False, id="a reading that may be stored"),
        pytest.param(("new-9/alarm", {"event": "fault", "component": "1"}), True, id="a stranger to be registered"),
        pytest.param(("smk-1/alarm", {"seq": 1, "smoke": 0.01}), False, id="a message that may come again"),
    ],
)
async def test_smoke_behind_a_message_that_needs_the_store_is_shown(
    hangs: tuple[str, Any], auto_register: bool
) -> None:
    """Under the key that the alert will have; and it leaves with its commit."""
    shown = Shown()
    city = quiet_city(provisional=shown)
    lane, session = quiet_lane(city, "alarm", auto_register=auto_register)
    async with lanes_running(lane):
        city.store.failing = True
        old = CLOCK.now() - 3 * SECOND
        session.say(heard(*hangs, received_at=old))
        await until(lambda: lane.store_trouble)
        session.say(*(heard("smk-2/alarm", {"ts": ms(-1000 + n), "smoke": 0.5}, received_at=old) for n in range(3)))
        await until(lambda: "smoke-fire smoke" in shown.names())
        assert not session.acked
        city.store.failing = False
        await until(lambda: len(session.acked) == 4)
    assert ("smoke-fire", "smoke") in {(verdict.rule, verdict.component) for verdict in city.store.verdicts}
    assert not shown.tokens


async def test_a_value_in_order_shows_nothing_and_one_of_a_device_nobody_registered_an_unreadable_alarm() -> None:
    shown = Shown()
    city = quiet_city(provisional=shown)
    lane, session = quiet_lane(city, "alarm")
    async with lanes_running(lane):
        city.store.failing = True
        old = CLOCK.now() - 3 * SECOND
        session.say(heard("smk-1/alarm", {"ts": ms(-7_200_000), "smoke": 0.01}, received_at=old))
        await until(lambda: lane.store_trouble)
        session.say(
            heard("smk-2/alarm", {"ts": ms(), "smoke": 0.01}, received_at=old),
            heard("nobody/alarm", {"ts": ms(), "smoke": 0.5}, received_at=old),
            heard("smk-3/alarm", {"ts": ms(), "event": "fault"}, received_at=old),
        )
        await until(lambda: "event:fault " in shown.names())
    assert shown.names() == {"event:fault ", "event:unreadable unknown_device"}
