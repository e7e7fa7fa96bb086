"""The whole way: an MQTT publish becomes an alert that an operator acknowledges and closes, on real servers."""

import asyncio
import json
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import pytest
from service import Api, now_ms, publisher, running, signed_in
from waiting import until


async def test_a_fire_goes_from_publish_to_close_and_each_step_is_on_record(
    database_url: str, nats: Any, tmp_path: Path
) -> None:
    async with running(database_url, nats.url, tmp_path) as service, signed_in(service) as api:
        with publisher(nats.device_url) as device:
            fire = {"ts": now_ms(), "event": "fire", "component": "2-3-017", "text": "3F corridor"}
            await asyncio.to_thread(device.send, "firetower/v1/mall-01/panel-1/alarm", fire)
            alert = await until(lambda: api.alert(**{"class": "fire"}), 10)
            assert (alert["unit"], alert["device"], alert["component"]) == ("mall-01", "panel-1", "2-3-017")
            assert (alert["priority"], alert["state"], alert["condition"]) == (1, "unacknowledged", "active")
            assert alert["text"] == "3F corridor"

            path = f"/alerts/{alert['id']}"
            status, answer = await api.post(f"{path}/close", {"disposition": "false_alarm", "cause": "cooking"})
            assert status == 409, f"a fire nobody acknowledged cannot be closed: {answer}"
            status, acked = await api.post(f"{path}/acknowledge", {"expected_version": alert["version"]})
            assert (status, acked["state"], acked["acknowledged_by"]) == (200, "acknowledged", "admin")

            await asyncio.to_thread(
                device.send,
                "firetower/v1/mall-01/panel-1/alarm",
                {"ts": now_ms(), "event": "fire", "active": False, "component": "2-3-017", "text": "3F corridor"},
            )
            await until(lambda: api.alert(id=alert["id"], condition="normal"), 10)
            latched = await api.get(path)
            assert latched["state"] == "acknowledged", "return to normal does not end a fire"

            status, refused = await api.post(f"{path}/close", {"disposition": "unknown"})
            assert status in {400, 409, 422}
            assert "unknown" in refused["error"]["message"]
            status, closed = await api.post(f"{path}/close", {"disposition": "false_alarm", "cause": "cooking"})
            assert (status, closed["state"], closed["disposition"]) == (200, "closed", "false_alarm")

        history = (await api.get(f"{path}/history"))["items"]
        assert [row["reason"] for row in history] == ["raised", "acknowledged", "returned", "closed"]
        assert history[1]["actor"] == history[3]["actor"]
        assert "admin" in history[1]["actor"]


async def test_a_limit_broken_raises_and_its_return_ends_it(database_url: str, nats: Any, tmp_path: Path) -> None:
    """Residual current of 350 mA stands for 40 s (in event time) and then falls: one alert, raised and returned."""
    async with running(database_url, nats.url, tmp_path) as service, signed_in(service) as api:
        with publisher(nats.device_url) as device:
            start = now_ms() - 120_000
            high = [{"ts": start + 10_000 * n, "residual_current": 350.0} for n in range(5)]
            await asyncio.to_thread(device.send, "firetower/v1/mall-01/elec-1/telemetry", high)
            alert = await until(lambda: api.alert(metric="residual_current"), 10)
            assert (alert["class"], alert["priority"], alert["value"], alert["limit"]) == ("hazard", 3, 350.0, 300.0)
            low = [{"ts": start + 60_000 + 10_000 * n, "residual_current": 120.0} for n in range(5)]
            await asyncio.to_thread(device.send, "firetower/v1/mall-01/elec-1/telemetry", low)
            back = await until(lambda: api.alert(metric="residual_current", condition="normal"), 10)
            assert back["state"] == "returned", "nobody has seen it yet, so it stays in front of the operator"
            status, acked = await api.post(f"/alerts/{alert['id']}/acknowledge", {})
            assert (status, acked["state"]) == (200, "closed")


BAD = [
    ("firetower/v1/u1/d1/telemetry", b"not json", "bad_json"),
    ("firetower/v1/u1/d1/telemetry", b'{"pressure": "high"}', "bad_value"),
    ("firetower/v1/u1/d1/telemetry", b'{"presure": 0.3}', "unknown_metric"),
    ("firetower/v1/u1/d1/telemetry", b'{"ts": "yesterday", "pressure": 0.3}', "bad_ts"),
    ("firetower/v1/u1/d1/telemetry", b"\xff\xfe", "not_utf8"),
    ("firetower/v1/u1/d1/telemetry", b"[" * 5000, "bad_json"),
    ("firetower/v1/u1/d1/telemetry", b"3", "not_an_object"),
    ("firetower/v1/u1/d1/telemetry", b"", "bad_json"),
    ("firetower/v1/u1/d1/status", b"asleep", "bad_status"),
]


async def test_every_bad_payload_stands_in_the_ledger_and_its_good_neighbours_are_stored(
    database_url: str, nats: Any, tmp_path: Path, pool: asyncpg.Pool
) -> None:
    async with running(database_url, nats.url, tmp_path) as service, signed_in(service) as api:
        with publisher(nats.device_url) as device:
            for number, (topic, payload, _) in enumerate(BAD):
                await asyncio.to_thread(device.send, topic, payload)
                good = {"ts": now_ms(), "seq": number, "pressure": 0.30 + number / 1000}
                await asyncio.to_thread(device.send, "firetower/v1/u1/neighbour/telemetry", good)

        async def rejects() -> list[Any]:
            rows = (await api.get("/rejects"))["items"]
            return rows if len(rows) >= len(BAD) else []

        rows = await until(rejects, 15)
        found = {(row["topic"], row["reason"]) for row in rows}
        for topic, payload, reason in BAD:
            assert (topic, reason) in found or payload.startswith(b"[["), (reason, found)
        assert len(rows) == len(BAD)
        stored = await pool.fetchval("select count(*) from api.readings where device = 'neighbour'")
        assert stored == len(BAD)


async def test_the_console_is_told_over_the_websocket_without_asking(
    database_url: str, nats: Any, tmp_path: Path
) -> None:
    async with (
        running(database_url, nats.url, tmp_path) as service,
        signed_in(service) as api,
        api.http.ws_connect(f"{service.url}/api/v1/live") as live,
    ):
        first = json.loads((await live.receive(timeout=10)).data)
        assert first["type"] == "snapshot"
        with publisher(nats.device_url) as device:
            topic = "firetower/v1/mall-01/smk-1/alarm"
            await asyncio.to_thread(device.send, topic, {"event": "fire", "ts": now_ms()})
        seen = await _first_change(live)
        assert seen["alerts"][0]["class"] == "fire"
        assert seen["seq"] > first["seq"]
        fire = seen["alerts"][0]["id"]
        await live.send_json({"type": "shown", "alerts": [fire], "armed": True})
        await until(lambda: _shown(api, fire), 10)


async def _first_change(live: aiohttp.ClientWebSocketResponse) -> Any:
    async with asyncio.timeout(10):
        while True:
            frame = json.loads((await live.receive()).data)
            if frame["type"] == "changes" and frame["alerts"]:
                return frame


async def _shown(api: Api, alert: str) -> Any:
    return (await api.get(f"/alerts/{alert}"))["shown_at"]


async def test_a_strangers_alarm_is_shown_and_its_telemetry_waits_in_the_ledger_when_registration_is_off(
    database_url: str, nats: Any, tmp_path: Path
) -> None:
    async with running(database_url, nats.url, tmp_path, auto_register="off") as service, signed_in(service) as api:
        with publisher(nats.device_url) as device:
            await asyncio.to_thread(device.send, "firetower/v1/u9/ghost/telemetry", {"pressure": 0.3, "ts": now_ms()})
            await asyncio.to_thread(device.send, "firetower/v1/u9/ghost/alarm", {"event": "fire", "ts": now_ms()})
        alert = await until(lambda: api.alert(**{"class": "fire"}), 10)
        assert "unregistered" in alert["flags"]
        assert (alert["unit"], alert["device"]) == ("u9", "ghost")

        async def reasons() -> list[str]:
            return [row["reason"] for row in (await api.get("/rejects"))["items"]]

        await until(lambda: _holds(reasons, "unknown_device"), 10)


async def _holds(rows: Any, wanted: str) -> bool:
    return wanted in await rows()


async def test_an_alarm_nobody_can_read_is_orange_and_its_bytes_stand_in_its_history(
    database_url: str, nats: Any, tmp_path: Path
) -> None:
    async with running(database_url, nats.url, tmp_path) as service, signed_in(service) as api:
        with publisher(nats.device_url) as device:
            for topic, payload in (("panel-1", b'{"event": "strange word"}'), ("panel-2", b"\x00\xffgarbage")):
                await asyncio.to_thread(device.send, f"firetower/v1/mall-01/{topic}/alarm", payload)
        for name, shown in (("panel-1", '{"event": "strange word"}'), ("panel-2", "\\x00\\xffgarbage")):
            alert = await until(lambda name=name: api.alert(**{"class": "unreadable", "device": name}), 10)
            assert (alert["priority"], alert["latched"]) == (2, True)
            raised = (await api.get(f"/alerts/{alert['id']}/history"))["items"][0]
            assert raised["evidence"]["payload"] == shown


async def test_ctrl_c_ends_the_service_in_order(database_url: str, nats: Any, tmp_path: Path) -> None:
    async with running(database_url, nats.url, tmp_path) as service:
        status = await service.stop()
        assert status == 0, service.log()
        assert "Traceback" not in service.log()


@pytest.mark.parametrize("setting", ["FIRETOWER_HTTP_PORT"])
async def test_a_taken_port_is_named_with_the_setting_that_moves_it(
    database_url: str, nats: Any, tmp_path: Path, setting: str
) -> None:
    async with running(database_url, nats.url, tmp_path) as first:
        from service import Service

        second = Service(database_url, nats.url, tmp_path / "data2", http_port=str(first.port))
        (tmp_path / "data2").mkdir()
        with pytest.raises(AssertionError) as told:
            await second.start()
        assert setting in str(told.value)
        assert str(first.port) in str(told.value)
