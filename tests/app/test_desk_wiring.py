"""What the desk of this release is made of; tests/integration/test_desk.py sees it act in the service."""

import asyncio
import contextlib

import asyncpg
import pytest
from alert_making import T0, commit, fire
from waiting import until

from firetower.alerts.duty.plan import shipped
from firetower.core.clock import SECOND, ManualClock
from firetower.core.config import Settings
from firetower.core.outside import Outside
from firetower.desk_wiring import make_desk


async def test_all_steps_are_there_fires_first_and_figures_last() -> None:
    """A step left out, or one that looks at figures before a fire is confirmed or escalated, is noticed here."""
    url = "postgresql://127.0.0.1:9/nowhere"
    desk = make_desk(Settings(), url, asyncpg.create_pool(url), ManualClock(), duty=shipped(), outside=Outside())
    assert [step.name for step in desk._steps] == [
        "test_overruled", "second_signal", "escalations", "incidents", "windows",
        "causes", "telling", "shelving", "chatter", "letters", "sealer", "self_tests", "floods",
    ]  # fmt: skip


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
