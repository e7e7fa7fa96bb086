"""The screens beside the queue on the real service: alert with readings, device, unit, overview, rules, rejects."""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page
from service import now_ms, publisher, running, signed_in
from test_console_on_the_service import CHROMIUM, _page, _sign_in
from waiting import until

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(
        CHROMIUM is None and os.environ.get("CONSOLE_REQUIRE_BROWSER") != "1",
        reason="chromium is not installed (script/test installs it as root on Debian)",
    ),
]

SCREENS = (("overview", "[data-rate=online]"), ("rules", "[data-rule]"), ("rejects", "[data-reject]"))
AXE = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}


async def faults(page: Page) -> list[Any]:
    """What axe finds in the panel, and words that were not translated."""
    found = await Axe().run(page, context="#panel", options=AXE)
    wrong = [(fault["id"], [node["html"] for node in fault["nodes"]]) for fault in found.response["violations"]]
    missing = await page.evaluate(
        "() => document.querySelector('#panel').innerText.match(/\\b[a-z_]+\\.[a-z_]+(?= |$)/g) || []"
    )
    return wrong + [word for word in missing if not word.endswith((".yaml", ".json"))]


async def test_from_an_alert_to_its_readings_its_device_its_unit_and_what_else_there_is(
    database_url: str, nats: Any, tmp_path: Path
) -> None:
    ago = [600, 540, 480, 420, 360, 120, 60, 30, 20, 10]  # minutes missing in between: a gap
    async with running(database_url, nats.url, tmp_path) as service, signed_in(service) as api, _page("en-GB") as page:
        with publisher(nats.device_url) as device:
            rows = [{"ts": now_ms() - 1000 * each, "pressure": 0.3 - 0.02 * n} for n, each in enumerate(ago)]
            rows += [{"ts": now_ms() - 1000 * each, "pressure": 0.05} for each in (6, 4, 2)]
            await asyncio.to_thread(device.send, "firetower/v1/water-co/hyd-1/telemetry", rows)
            await asyncio.to_thread(device.send, "firetower/v1/water-co/hyd-1/telemetry", {"presure": 0.3})
            await asyncio.to_thread(device.send, "firetower/v1/water-co/hyd-1/telemetry", {"pressure": "low"})
        await until(lambda: _pressure_alert(api), 20)
        await _sign_in(page, service)
        await page.keyboard.press("Space")  # the first key turns the sound on and does nothing else
        alert = await _pressure_alert(api)
        await page.click(f"[id='alert-{alert}']")
        await page.click(".around button")
        await page.wait_for_selector("[data-chart=pressure] canvas")
        assert "0.05" in await page.inner_text("[data-chart=pressure] .chart-table")

        await page.click(".ways button >> nth=0")
        await page.wait_for_selector("[data-device='water-co/hyd-1'] [data-chart=pressure] canvas")
        assert "0.05" in await page.inner_text("#panel .latest")
        assert not await faults(page)

        await page.click("#panel .file > button.link")
        await page.click("[data-unit=water-co] [data-to-device=hyd-1]")
        await page.wait_for_selector("[data-device='water-co/hyd-1']")
        await page.keyboard.press("Escape")

        for name, sign in (
            ("overview", "[data-rate=online]"),
            ("rules", "[data-rule]"),
            ("rejects", "[data-reject]"),
        ):
            await page.keyboard.press("KeyE")
            await page.click(f"#panel [data-opens={name}]")
            await page.wait_for_selector(f"#panel[data-panel={name}] {sign}")
            assert not await faults(page), name
            await page.keyboard.press("Escape")
        await page.keyboard.press("KeyE")
        await page.fill("#panel [name=find]", "hyd-1")
        await page.press("#panel [name=find]", "Enter")
        await page.wait_for_selector("#panel [data-to-device=hyd-1]")
        assert not await faults(page)


async def _pressure_alert(api: Any) -> str | None:
    found = await api.get("/alerts?device=hyd-1&class=hazard")
    return next((item["id"] for item in found["items"] if item["metric"] == "pressure"), None)
