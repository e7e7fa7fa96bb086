"""What the desk of this release is made of; tests/integration/test_desk.py sees it act in the service."""

import asyncio
import contextlib
from typing import Any

import asyncpg
import pytest
from alert_making import T0, commit, fire
from letter_making import new_letter
from outside_server import receiving
from waiting import until

from firetower.alerts.duty.channels import WebhookChannel
from firetower.alerts.duty.plan import DutyPlan, shipped
from firetower.alerts.notify import pace
from firetower.core.clock import SECOND, ManualClock
from firetower.core.config import Settings
from firetower.core.outside import Outside
from firetower.desk_wiring import make_desk
from firetower.storage.outbox import Outbox


async def test_all_steps_are_there_fires_first_and_figures_last() -> None:
    """A step left out, or one that looks at figures before a fire is confirmed or escalated, is noticed here."""
    url = "postgresql://127.0.0.1:9/nowhere"
    desk = make_desk(Settings(), url, asyncpg.create_pool(url), ManualClock(), duty=shipped(), outside=Outside())
    assert [step.name for step in desk._steps] == [
        "test_overruled", "second_signal", "escalations", "snapshots", "watch", "incidents", "windows",
        "causes", "telling", "shelving", "chatter", "letters", "sealer", "self_tests", "floods",
    ]  # fmt: skip


async def test_what_reads_or_writes_much_takes_no_connection_of_the_commits() -> None:
    """Eight pictures of a burning mall written at once would be all eight connections that alarms are stored over."""
    url = "postgresql://127.0.0.1:9/nowhere"
    commits, aside = asyncpg.create_pool(url), asyncpg.create_pool(url)
    desk = make_desk(Settings(), url, commits, ManualClock(), duty=shipped(), outside=Outside(), aside=aside)
    beside: dict[str, Any] = {each.name: each for each in desk._beside}
    assert beside["rates"]._pool is beside["risk"]._pool is beside["cameras"]._store._pool is aside
    assert desk._pool is commits


@pytest.mark.parametrize("forward", [True, False])
async def test_confirmed_fires_are_forwarded_only_where_that_is_configured(
    database_url: str, pool: asyncpg.Pool, forward: bool
) -> None:
    """FIRETOWER_FORWARD_CONFIRMED=on forwards two fires of one zone without anybody; off only marks them."""
    ids = (await commit(pool, [fire("s-1"), fire("s-2")], T0 + 5 * SECOND)).alert_ids
    await pool.execute("UPDATE alert SET zone = 'b1/f3/za', device_kind = 'smoke'")
    desk = make_desk(
        Settings(forward_confirmed=forward),
        database_url,
        pool,
        ManualClock(T0 + 6 * SECOND),
        duty=shipped(),
        outside=Outside(),
    )
    running = asyncio.create_task(desk.run(), name="desk")
    try:
        marked = "SELECT count(*) = 2 FROM alert WHERE 'second_signal' = ANY(flags)"
        await until(lambda: pool.fetchval(marked), 20, "both are confirmed")
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
    forwarded = await pool.fetchval("SELECT count(*) FROM alert WHERE forwarded_at IS NOT NULL")
    assert forwarded == (len(ids) if forward else 0)


async def test_a_channel_that_refuses_us_is_an_alert_until_it_takes_letters(
    database_url: str, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The password of a channel was changed: operators see that nobody is told, and see it end."""
    monkeypatch.setattr(pace, "PROBED_EVERY_S", 0.2)
    (burning,) = (await commit(pool, [fire("s-1")], T0 + 5 * SECOND)).alert_ids
    outbox = Outbox(pool)
    await outbox.put([new_letter("a", burning, due_at=T0)], T0)
    standing = "SELECT component || ' ' || text FROM alert WHERE rule = 'system_channel' AND state = 'unacknowledged'"
    async with receiving() as receiver, Outside() as outside:
        receiver.statuses = [401]
        hook = WebhookChannel(kind="webhook", name="hook", url=receiver.url, secret="s" * 16)
        clock = ManualClock(T0 + 6 * SECOND)
        plan = DutyPlan(channels=(hook,))
        desk = make_desk(Settings(), database_url, pool, clock, duty=plan, outside=outside)
        running = asyncio.create_task(desk.run(), name="desk")
        try:
            said = await until(lambda: pool.fetchval(standing), 20, "the channel is an alert")
            assert said.startswith("hook ")
            assert "status 401" in said
            assert "secret-path" not in said
            clock.advance(60 * SECOND)
            state = "SELECT state = 'returned' FROM alert WHERE rule = 'system_channel'"
            await until(lambda: pool.fetchval(state), 20, "it takes letters again")
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running
    assert [each.state.value for each in await outbox.of_alert(burning)] == ["sent"]


async def test_two_instances_send_each_letter_once(database_url: str, pool: asyncpg.Pool) -> None:
    """Every instance has a dispatcher; only that of whoever keeps the desk sends."""
    (burning,) = (await commit(pool, [fire("s-1")], T0 + 5 * SECOND)).alert_ids
    outbox = Outbox(pool)
    async with receiving() as receiver, Outside() as outside:
        hook = WebhookChannel(kind="webhook", name="hook", url=receiver.url, secret="s" * 16, rate=6000)
        clock, plan = ManualClock(T0 + 6 * SECOND), DutyPlan(channels=(hook,))
        desks = [make_desk(Settings(), database_url, pool, clock, duty=plan, outside=outside) for _ in range(2)]
        running = [asyncio.create_task(desk.run(), name="desk") for desk in desks]
        try:
            letters = [new_letter(f"{n}", burning, address=f"{n}", due_at=T0) for n in range(12)]
            await outbox.put(letters, T0)

            async def all_are_sent() -> bool:
                return {each.state.value for each in await outbox.of_alert(burning)} == {"sent"}

            await until(all_are_sent, 20, "all letters are sent")
        finally:
            for each in running:
                each.cancel()
            await asyncio.gather(*running, return_exceptions=True)
    assert len(receiver.calls) == len({call.headers["Idempotency-Key"] for call in receiver.calls}) == 12
