"""What a silent gateway or lost power explains is hidden, and comes back by itself."""

import pytest
from alert_making import T0, clear
from desk_city import NOW, fault, silent

from firetower.alerts.holds import GRACE
from firetower.core.clock import MINUTE, SECOND
from firetower.rules.verdicts import VerdictKind
from firetower.storage.alert_moves import BATCH
from firetower.storage.causes import Causes

U_NONE = ("unacknowledged", "none")
HIDDEN = ("unacknowledged", "suppressed")
BACK = NOW + 2 * MINUTE


@pytest.fixture
def causes(pool, lease) -> Causes:
    return Causes(pool, lease)


def heard(verdict, at):
    """The gateway or device reports again."""
    return silent(
        verdict.subject.partition("/")[2], gateway=verdict.subject_kind == "gateway", at=at, kind=VerdictKind.CLEAR
    )


async def test_a_silent_gateway_hides_its_points_and_what_stays_silent_comes_up_by_itself(city, causes):
    """Points of another gateway stay in view; after the gateway is heard again its points have their turn; the second
    time nothing is written."""
    still, well, other = await city.raised(silent("h1"), silent("h2"), silent("h3"), gateway="gw")
    await city.pool.execute("UPDATE alert SET gateway = 'gw2' WHERE id = $1", other)
    await causes.take(None, T0 + MINUTE)
    assert await city.seen(still, well, other) == [U_NONE] * 3
    (gateway,) = await city.raised(silent("gw", gateway=True), at=NOW)
    await causes.take([gateway], NOW)
    assert await city.seen(still, well, other, gateway) == [HIDDEN, HIDDEN, U_NONE, U_NONE]
    assert ((await city.alert(still)).cause_id, (await city.alert(still)).hold_reason) == (gateway, f"cause:{gateway}")
    await city.raised(heard(silent("gw", gateway=True), BACK), at=BACK)
    await causes.take([gateway], BACK)
    assert await city.seen(still, well) == [HIDDEN, HIDDEN]
    assert await city.at(still, "held_until") == BACK + GRACE
    await city.raised(heard(silent("h2"), BACK + SECOND), at=BACK + SECOND)
    seq = await city.seq()
    await causes.take([still, well], BACK + GRACE - SECOND)
    assert await city.seq() == seq
    await causes.take([], BACK + GRACE)
    assert await city.seen(still) == [U_NONE]
    assert (await city.alert(well)).state == "closed"
    assert (await city.told(still))[-2:] == [("timer", "suppressed"), ("timer", "cause_over")]
    seq = await city.seq()
    await causes.take(None, BACK + GRACE + SECOND)
    assert await city.seq() == seq


async def test_a_gateway_silent_again_within_the_grace_keeps_its_points_hidden(city, causes):
    """The same alert again, or, where it was closed meanwhile, the new one."""
    (point,) = await city.raised(silent("h1"), gateway="gw")
    (gateway,) = await city.raised(silent("gw", gateway=True), at=NOW)
    await causes.take(None, NOW)
    await city.raised(heard(silent("gw", gateway=True), BACK), at=BACK)
    await causes.take([gateway], BACK)
    again = silent("gw", gateway=True, at=BACK + MINUTE)
    await city.raised(again, at=BACK + MINUTE)
    await causes.take([gateway], BACK + MINUTE)
    assert (await city.seen(point), await city.at(point, "held_until")) == ([HIDDEN], None)
    await city.pool.execute("UPDATE alert SET state = 'closed', condition = 'normal' WHERE id = $1", gateway)
    await causes.take([gateway], BACK + 2 * MINUTE)
    assert await city.at(point, "held_until") == BACK + 2 * MINUTE + GRACE
    (anew,) = await city.raised(silent("gw", gateway=True, at=BACK + 3 * MINUTE), at=BACK + 3 * MINUTE)
    assert anew != gateway
    await causes.take([anew], BACK + 3 * MINUTE)
    await causes.take([], BACK + 9 * MINUTE)
    after = await city.alert(point)
    assert (after.hold, after.cause_id, after.held_until) == ("suppressed", anew, None)


async def test_a_gateway_closed_by_a_person_though_silent_gives_its_points_back_at_once(city, causes, pool, lease):
    """Also where that happened while nobody looked."""
    (point,) = await city.raised(silent("h1"), gateway="gw")
    (gateway,) = await city.raised(silent("gw", gateway=True), at=NOW)
    await causes.take(None, NOW)
    await pool.execute("UPDATE alert SET state = 'closed', disposition = 'unknown' WHERE id = $1", gateway)
    await Causes(pool, lease).take(None, NOW + MINUTE)
    assert await city.seen(point) == [U_NONE]


async def test_lost_power_hides_its_own_panels_faults_only(city, causes):
    """Whatever the panel says of its loops; neither its other power alert nor another panel's."""
    loop, other, battery = await city.raised(fault("p1"), fault("p2"), fault("p1", "backup_power_lost"))
    (power,) = await city.raised(fault("p1", "main_power_lost"), at=NOW)
    await causes.take([power], NOW)
    await causes.take(None, NOW)
    assert await city.seen(loop, other, battery, power) == [HIDDEN, U_NONE, U_NONE, U_NONE]
    await city.raised(clear(fault("p1", "main_power_lost"), BACK), at=BACK)
    await causes.take([power], BACK)
    await causes.take([], BACK + GRACE)
    # the backup's loss explains the fault just as well
    assert (await city.alert(loop)).cause_id == battery


async def test_a_point_given_back_by_something_else_while_its_gateway_is_silent_is_hidden(city, causes):
    """Its shelving ended during the outage: it is one of the many again."""
    (gateway,) = await city.raised(silent("gw", gateway=True))
    await causes.take(None, T0 + MINUTE)
    (point,) = await city.raised(silent("h1"), gateway="gw", hold="none", cause_id=None, version=4)
    await causes.take([point], NOW)
    assert ((await city.alert(point)).hold, (await city.alert(point)).cause_id) == ("suppressed", gateway)


async def test_a_thousand_points_are_hidden_in_bounded_calls(city, causes, pool):
    """A batch a call, and the rest without being told again."""
    count = 2 * BATCH + 10
    for start in range(0, count, BATCH):
        some = range(start, min(start + BATCH, count))
        await city.raised(*(silent(f"h{number}") for number in some), gateway="gw")
    (gateway,) = await city.raised(silent("gw", gateway=True), at=NOW)
    await causes.take(None, NOW)
    hidden = []
    for _ in range(3):
        hidden.append(await pool.fetchval("SELECT count(*) FROM alert WHERE cause_id = $1", gateway))
        await causes.take([], NOW)
    assert hidden == [BATCH, 2 * BATCH, count]
