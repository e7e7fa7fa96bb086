"""The operator's page on the real service while its database is cut off, or hangs."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from fault_proxy import FaultProxy
from playwright.async_api import Page, async_playwright
from service import PASSWORD, now_ms, publisher, running, signed_in
from waiting import until

CHROMIUM = shutil.which("chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-software-rasterizer", "--disable-background-networking",
         "--disable-sync", "--no-first-run", "--autoplay-policy=no-user-gesture-required", "--mute-audio"]  # fmt: skip
PATIENCE_MS = 40_000

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(
        CHROMIUM is None and os.environ.get("CONSOLE_REQUIRE_BROWSER") != "1",
        reason="chromium is not installed (script/test installs it as root on Debian)",
    ),
]


@asynccontextmanager
async def _page() -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = await browser.new_page(locale="zh-CN")
        page.set_default_timeout(PATIENCE_MS)
        yield page
        await browser.close()


async def _fire(nats: Any, device: str) -> None:
    with publisher(nats.device_url) as panel:
        fire = {"ts": now_ms(), "event": "fire", "component": "2-3-017", "text": "三层走廊"}
        await asyncio.to_thread(panel.send, f"firetower/v1/mall-01/{device}/alarm", fire)


async def test_a_fire_in_an_outage_is_shown_to_a_page_opened_anew_and_its_acknowledgement_is_carried_out(
    database_url: str, nats: Any, tmp_path: Path
) -> None:
    """The session outlives the database; the fire is provisional within ten seconds of the page; what the operator did
    to it and to a stored one is done when the database is back, once."""
    async with (
        FaultProxy(database_url) as wire,
        running(wire.url, nats.url, tmp_path) as service,
        signed_in(service) as api,
        _page() as page,
    ):
        await page.goto(f"{service.url}/console/")
        await page.fill("input[autocomplete=username]", "admin")
        await page.fill("input[type=password]", PASSWORD)
        await page.press("input[type=password]", "Enter")
        await page.wait_for_selector("[data-feed=live]")
        await _fire(nats, "panel-1")
        stored = await page.wait_for_selector(".row:not(.provisional)")
        stored_id = (await stored.get_attribute("id") or "").removeprefix("alert-")

        wire.stall()  # the harder of the two: nothing says that the database is away
        await page.wait_for_selector("[data-banner=store]")
        await page.reload()
        await page.wait_for_selector("[data-feed=live]")
        await page.keyboard.press("Space")
        await _fire(nats, "panel-2")
        await page.wait_for_selector(".row.provisional")
        assert "mall-01" in await page.inner_text(".row.provisional")
        await page.click(".row.provisional")
        await page.click(".acknowledge button")
        await page.click(f"#alert-{stored_id}")
        await page.click(".acknowledge button")
        await page.wait_for_selector("[data-waiting='2']")

        wire.heal()
        await page.wait_for_function("() => document.querySelectorAll('.row:not(.provisional)').length === 2")
        await page.wait_for_function("() => !document.querySelector('[data-act=waiting]')")
        assert await page.locator(".row.provisional").count() == 0
        for device in ("panel-1", "panel-2"):
            alert = await until(lambda device=device: api.alert(device=device), 20, f"the alert of {device}")
            assert (alert["state"], alert["acknowledged_by"]) == ("acknowledged", "admin")
            history = (await api.get(f"/alerts/{alert['id']}/history"))["items"]
            assert [entry["reason"] for entry in history] == ["raised", "acknowledged"]
