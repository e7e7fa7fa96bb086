"""Shift reports and bad actors as the console asks for them."""

from typing import Any
from zoneinfo import ZoneInfo

from firetower.core.clock import DAY, SECOND
from firetower.storage.lease import DESK, Lease
from firetower.storage.sealer import Sealer


async def test_a_shift_that_is_listed_has_a_report_with_the_hash_of_its_day(running: Any, database_url: str) -> None:
    await running.sign_in()
    alert = await running.raise_alert()
    await running.call("POST", f"/api/v1/alerts/{alert}/acknowledge", json={})
    lease = Lease(database_url, DESK)
    await lease.take()
    sealer = Sealer(running.pool, lease, ZoneInfo("Asia/Shanghai"))
    await sealer.take(None, running.clock.now())
    shifts = (await running.get("/api/v1/shifts", limit="3"))["items"]
    assert [shift["is_over"] for shift in shifts] == [False, True, True]
    report = await running.get(f"/api/v1/shifts/{shifts[0]['id']}")
    assert report["raised"] == [{"class": "fire", "priority": 1, "count": 1}]
    assert [each["operator"] for each in report["operators"]] == ["olga"]
    assert (report["everyone"]["acknowledge_fire"]["count"], report["sealed"]["is_over"]) == (1, False)
    assert report["false_alarms"] == report["handled"] == {"rate": None, "count": 0, "of": 0}  # nothing is closed yet

    running.clock.advance(2 * DAY)
    await sealer.take([], running.clock.now() + SECOND)
    lease.release()
    await running.sign_in()
    later = await running.get(f"/api/v1/shifts/{shifts[0]['id']}")
    assert later["sealed"]["is_over"]
    assert len(later["sealed"]["hash"]) == 64

    status, answer = await running.call("GET", "/api/v1/shifts/2026-01-01T09:00")
    assert (status, answer["error"]["code"]) == (404, "not_found")


async def test_the_points_that_raise_most_are_listed(running: Any) -> None:
    await running.sign_in()
    for device in ("smk-1", "smk-2"):
        await running.raise_alert(device)
    found = (await running.get("/api/v1/bad-actors", days="1", limit="1"))["items"]
    assert [(actor["unit"], actor["class"], actor["raised"]) for actor in found] == [("mall-01", "fire", 1)]
