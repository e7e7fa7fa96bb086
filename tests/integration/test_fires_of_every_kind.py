"""A fire reaches the queue wherever it comes from: in a test, a drill, serviced, retired, unknown, twice, clock off."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from service import PASSWORD, now_ms, publisher, running, signed_in
from waiting import until

FLOORS = [{"code": "3", "level": 3, "zones": [{"code": "e"}, {"code": "w"}, {"code": "n"}]}]
CITY = {
    "format": "firetower-registry/1",
    "units": [{"code": "u1", "name": "Ward", "buildings": [{"code": "A", "floors": FLOORS}]}],
    "devices": [
        {"unit": "u1", "device": "tested", "kind": "smoke", "zone": "A/3/n"},
        {"unit": "u1", "device": "drilled", "kind": "smoke", "zone": "A/3/e"},
        {"unit": "u1", "device": "serviced", "kind": "smoke", "zone": "A/3/w"},
        {"unit": "u1", "device": "gone", "kind": "smoke", "retired": True},
        {"unit": "u1", "device": "panel", "kind": "panel"},
        {"unit": "u1", "device": "late", "kind": "smoke"},
    ],
}


def hours(number: float) -> str:
    return (datetime.now(UTC) + timedelta(hours=number)).isoformat()


async def test_every_fire_is_in_the_queue_unheld_and_says_what_is_odd_about_it(
    database_url: str, nats: Any, tmp_path: Path
) -> None:
    city = tmp_path / "city.json"
    city.write_text(json.dumps(CITY), "utf-8")
    async with (
        running(database_url, nats.url, tmp_path, auto_register="off") as service,
        signed_in(service) as api,
    ):
        assert (await service.command("devices", "import", str(city)))[0] == 0
        account = ("users", "add", "ward-room", "--role", "unit", "--unit", "u1")
        status, said = await service.command(*account, given=f"{PASSWORD}\n".encode())
        assert status == 0, said
        caller = {"person": "ward-room", "password": PASSWORD}
        for window in (
            {"kind": "test", "unit": "u1", "zone": "A/3/n", "reason": "yearly check", "ends_at": hours(1)} | caller,
            {"kind": "maintenance", "unit": "u1", "zone": "A/3/w", "reason": "yearly check", "ends_at": hours(2)},
            {"kind": "drill", "unit": "u1", "zone": "A/3/e", "reason": "evacuation", "ends_at": hours(1)},
        ):
            status, answer = await api.post("/windows", window)
            assert status == 201, answer

        with publisher(nats.device_url) as device:

            async def burn(name: str, **said: Any) -> None:
                payload = {"ts": now_ms(), "event": "fire", **said}
                await asyncio.to_thread(device.send, f"firetower/v1/u1/{name}/alarm", payload)

            await until(lambda: _known(api, "u1/gone"), 10)

            async def fire_of(name: str, *, in_test: bool) -> bool:
                items = (await api.get("/alerts", device=name))["items"]
                return bool(items) and ("in_test" in items[0]["flags"]) is in_test

            await burn("tested")
            await until(lambda: fire_of("tested", in_test=True), 15)
            await burn("drilled")
            await burn("serviced")
            await burn("gone")
            await burn("nobody")
            await burn("panel", text="3F east")
            await burn("panel", text="3F west")
            await burn("late", ts=now_ms() - 8 * 3_600_000)

            async def fires() -> dict[str, Any] | None:
                items = (await api.get("/alerts", **{"class": "fire"}))["items"]
                found = {(item["device"] + item["text"]): item for item in items}
                assert len(found) == len(items), "one alert each"
                return found if len(found) == 8 else None

            found = await until(fires, 15)
            odd = {
                "drilled": "in_drill", "serviced": "impaired", "gone": "retired",
                "nobody": "unregistered",
            }  # fmt: skip
            assert {name for name, flag in odd.items() if flag in found[name]["flags"]} == set(odd)
            await until(lambda: fire_of("tested", in_test=False), 15)  # it burns elsewhere in the unit, too
            assert {(fire["state"], fire["hold"], fire["priority"]) for fire in found.values()} == {
                ("unacknowledged", "none", 1)
            }
            assert found["late"]["shown_at"] is None, "no console is open, and it is there all the same"

            # a second fire of one detector, while one shift hands over to the next
            fire = found["drilled"]
            await api.post(f"/alerts/{fire['id']}/acknowledge", {})
            async with signed_in(service, "admin", PASSWORD) as leaving:
                await burn("drilled")
                async with leaving.http.delete(f"{service.url}/api/v1/session") as answer:
                    assert answer.status == 204
            async with signed_in(service) as coming:
                again = await until(lambda: coming.alert(id=fire["id"], state="unacknowledged"), 10)
            assert again["occurrences"] == 2


async def _known(api: Any, name: str) -> Any:
    devices = (await api.get("/devices", retired="true"))["items"]
    return next((each for each in devices if f"{each['unit']}/{each['device']}" == name), None)
