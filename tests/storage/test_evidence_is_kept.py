"""Upkeep never takes evidence away: alarms, alerts and their history stay for more than a year, whatever their size."""

import sys
from pathlib import Path

import asyncpg

sys.path.insert(0, str(Path(__file__).parents[1]))
from alert_making import T0, commit, fire, hazard

from firetower.core.clock import DAY
from firetower.ingest.ports import Reject
from firetower.storage import rejects
from firetower.storage.alerts import apply_verdicts
from firetower.storage.upkeep import upkeep


async def test_alarms_their_alerts_and_history_outlive_a_year_of_upkeep_and_readings_of_a_day(
    pool: asyncpg.Pool,
) -> None:
    said = fire()
    assert said.event is not None
    async with pool.acquire() as conn, conn.transaction():
        await rejects.store(
            conn, [Reject(T0, lane, "firetower/v1/u/d/x", "bad_json", "", b"x") for lane in ("alarm", "telemetry")]
        )
    async with pool.acquire() as conn, conn.transaction():
        await apply_verdicts(conn, [said], at=T0, events=[said.event])
    await commit(pool, [hazard()], T0)
    await pool.execute("UPDATE alert SET state = 'closed', condition = 'normal', disposition = 'test'")
    await upkeep(pool, T0 + 364 * DAY, retention_days=1, snapshot_days=1)
    kept = {
        table: await pool.fetchval(f"SELECT count(*) FROM {table}")
        for table in ("device_event", "alert", "alert_history", "reject")
    }
    assert kept == {"device_event": 1, "alert": 2, "alert_history": 2, "reject": 1}
