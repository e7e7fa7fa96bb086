"""A rulebook is loaded again under a running service: fires meanwhile arrive, and no rule goes from under a fire."""

import asyncio
import shutil
import signal
from pathlib import Path
from typing import Any

from service import now_ms, publisher, running, signed_in
from waiting import until

from firetower.rules.book import rulebook


async def test_a_fire_during_a_reload_arrives_and_its_rule_stays_in_force_until_its_verdict(
    database_url: str, nats: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "rules"
    shutil.copytree(rulebook.shipped_folder(), folder)
    smoke = folder / "smoke.yaml"
    whole = smoke.read_text("utf-8")
    first = whole.index("  - id: smoke-fire")
    fire = whole[first : whole.index("  - id: smoke-prealarm")]
    own = folder / "own.yaml"
    own.write_text("rules:\n" + fire.replace("smoke-fire", "own-smoke-fire", 1), "utf-8")
    async with (
        running(database_url, nats.url, tmp_path, rulebook=str(folder)) as service,
        signed_in(service) as api,
    ):

        async def rule(name: str) -> Any:
            return next((each for each in (await api.get("/rules"))["items"] if each["id"] == name), None)

        with publisher(nats.device_url) as device:
            start = now_ms() - 30_000
            burning = [{"ts": start + 10_000 * n, "smoke": 0.5} for n in range(3)]
            await asyncio.to_thread(device.send, "firetower/v1/mall-01/smk-1/telemetry", burning)
            alert = await until(lambda: api.alert(rule="own-smoke-fire"), 10)

            kept = own.read_text("utf-8")
            own.unlink()
            service.signal(signal.SIGHUP)
            await until(lambda: f"own-smoke-fire: is missing, but fire alert {alert['id']}" in service.log(), 10)
            assert await rule("own-smoke-fire") is not None
            own.write_text(kept, "utf-8")

            smoke.write_text(whole.replace("limit: 0.20 dB/m", "limit: 0.30 dB/m"), "utf-8")
            service.signal(signal.SIGHUP)
            await until(lambda: "smoke-fire: loosens a fire rule" in service.log(), 10)
            assert (await rule("smoke-fire"))["condition"]["limit"]["bands"][0]["limit"]["value"] == 0.2

            smoke.write_text("rules: nonsense", "utf-8")
            service.signal(signal.SIGHUP)
            await until(lambda: "smoke.yaml:1" in service.log(), 10)
            assert await rule("smoke-fire") is not None, "a broken rulebook leaves the one in force"

            smoke.write_text(whole.replace("version: ", "version: 9", 1), "utf-8")
            service.signal(signal.SIGHUP)
            for number in range(20):  # on both sides of the swap
                said = {"ts": now_ms(), "event": "fire", "component": str(number)}
                await asyncio.to_thread(device.send, "firetower/v1/mall-01/panel-1/alarm", said)
            await until(lambda: "rulebook loaded" in service.log(), 10)

            async def fires() -> set[str]:
                return {each["component"] for each in (await api.get("/alerts", device="panel-1"))["items"]}

            await until(lambda: _are(fires(), {str(number) for number in range(20)}), 10)
            changed = await rule("smoke-fire")
            assert str(changed["version"]).startswith("9")
            assert (await api.get(f"/alerts/{alert['id']}"))["state"] == "unacknowledged"


async def _are(found: Any, wanted: set[str]) -> bool:
    return await found == wanted
