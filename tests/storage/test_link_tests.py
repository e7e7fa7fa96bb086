"""The daily test of the link to 119: done by itself, of every address, and what fails is on record and tried again."""

import pytest
from command_centre import Behaviour, listening
from handover_world import ZONE, World

from firetower.alerts.duty.self_tests import Period
from firetower.alerts.handover.line import Line
from firetower.alerts.selftests.schedule import Kind
from firetower.core.clock import DAY, MINUTE, to_datetime
from firetower.core.outside import Outside
from firetower.storage import follower, self_tests
from firetower.storage.link_tests import LinkTests


async def logged(world: World) -> list[tuple[str, str]]:
    rows = await world.city.pool.fetch("SELECT kind, result FROM self_test ORDER BY id")
    return [(row["kind"], row["result"]) for row in rows]


async def begun(world: World) -> None:
    async with world.city.pool.acquire() as conn, conn.transaction():
        await follower.store_position(conn, self_tests.SCHEDULE, world.clock.now())


DAILY = Period(days=1)


def link_tests(world: World, outside: Outside, *addresses: str, period: Period | None) -> LinkTests:
    line = Line(world.centre(*addresses), outside, world.clock)
    return LinkTests(world.city.pool, world.lease, line, period, zone=ZONE, clock=world.clock)


async def test_the_link_is_tested_once_a_day_and_opens_no_case(world: World) -> None:
    await begun(world)
    with listening() as (desk, url):
        async with Outside() as outside:
            tests = link_tests(world, outside, url, period=DAILY)
            await tests.look()
            await tests.look()
            assert await logged(world) == [(Kind.LINK_119, "passed")]
            await world.city.pool.execute("UPDATE self_test SET at = $1", to_datetime(world.clock.now() - 2 * DAY))
            await link_tests(world, outside, url, period=DAILY).look()
    assert await logged(world) == [(Kind.LINK_119, "passed")] * 2
    assert desk.messages == {}


async def test_a_second_address_that_lies_fails_the_test_until_it_gives_receipts(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("firetower.storage.link_tests.AGAIN", 2 * MINUTE)
    await begun(world)
    with listening() as (_, one), listening(lie="html") as (second, other):
        async with Outside() as outside:
            tests = link_tests(world, outside, one, other, period=DAILY)
            await tests.look()
            world.clock.advance(MINUTE)
            await tests.look()  # too soon
            assert await logged(world) == [(Kind.LINK_119, "failed")]
            assert "no receipt" in await world.city.pool.fetchval("SELECT note FROM self_test")
            second.behaviour = Behaviour()
            world.clock.advance(MINUTE)
            await tests.look()
    assert (await logged(world))[-1] == (Kind.LINK_119, "passed")


async def test_where_the_plan_asks_for_no_link_test_none_is_done(world: World) -> None:
    await begun(world)
    with listening() as (desk, url):
        async with Outside() as outside:
            await link_tests(world, outside, url, period=None).look()
    assert desk.requests == []
