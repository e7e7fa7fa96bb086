"""The desk runs in the service: what only it does is done, without anybody asking.

Held here: overruled tests aside, every step whose work shows at once; the deadlines of escalation are held by
tests/storage/test_escalations.py, and that every step is there by tests/app/test_desk_wiring.py.
"""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
from service import now_ms, publisher, running, signed_in
from waiting import until

CITY = {
    "format": "firetower-registry/1",
    "units": [
        {
            "code": "u1",
            "buildings": [{"code": "A", "floors": [{"code": "3", "zones": [{"code": "e"}]}]}],
        }
    ],
    "devices": [
        {"unit": "u1", "device": "s-1", "kind": "smoke", "zone": "A/3/e"},
        {"unit": "u1", "device": "s-2", "kind": "smoke", "zone": "A/3/e"},
        {"unit": "u1", "device": "p-1", "kind": "panel"},
    ],
}


async def test_what_the_desk_does_is_done_in_the_service(
    database_url: str, nats: Any, tmp_path: Path, pool: asyncpg.Pool
) -> None:
    """Two fires of a zone confirm each other in one incident, maintenance takes a fault out, the history is sealed."""
    city = tmp_path / "city.json"
    city.write_text(json.dumps(CITY), "utf-8")
    async with running(database_url, nats.url, tmp_path, auto_register="off") as service, signed_in(service) as api:
        assert (await service.command("devices", "import", str(city)))[0] == 0
        with publisher(nats.device_url) as device:
            for name, event in (("s-1", "fire"), ("s-2", "fire"), ("p-1", "fault")):
                await asyncio.to_thread(device.send, f"firetower/v1/u1/{name}/alarm", {"ts": now_ms(), "event": event})

        async def confirmed() -> bool:
            fires = (await api.get("/alerts", **{"class": "fire"}))["items"]
            marked = [each for each in fires if "second_signal" in each["flags"]]
            return len(marked) == 2 and len({each["incident_id"] for each in marked} - {None}) == 1

        await until(confirmed, 20, "two fires of a zone are confirmed, in one incident")
        fault = await until(lambda: api.alert(device="p-1"), 20, "the fault is raised")
        assert fault["hold"] == "none"
        ends = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
        window = {"kind": "maintenance", "unit": "u1", "device": "p-1", "reason": "check", "ends_at": ends}
        status, answer = await api.post("/windows", window)
        assert status == 201, answer
        await until(lambda: api.alert(device="p-1", hold="out_of_service"), 20, "maintenance takes the fault out")
        sealed = "select (select count(*) from alert_history) = (select count(*) from history_seal)"
        await until(lambda: pool.fetchval(sealed), 20, "all of the history is sealed")
