"""The operator's page on the real service: sign in, hear a fire, acknowledge it by keyboard, survive a cut."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, async_playwright
from service import PASSWORD, Service, now_ms, publisher, running, signed_in
from waiting import until

CHROMIUM = shutil.which("chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-software-rasterizer", "--disable-background-networking",
         "--disable-sync", "--no-first-run", "--autoplay-policy=no-user-gesture-required", "--mute-audio"]  # fmt: skip

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(
        CHROMIUM is None and os.environ.get("CONSOLE_REQUIRE_BROWSER") != "1",
        reason="chromium is not installed (script/test installs it as root on Debian)",
    ),
]


@asynccontextmanager
async def _page(locale: str) -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = await browser.new_page(locale=locale)
        broken: list[str] = []
        page.on("pageerror", lambda error: broken.append(str(error)))
        page.on("console", lambda said: broken.append(said.text) if "Content Security Policy" in said.text else None)
        yield page
        await browser.close()
        assert not broken, broken


async def _sign_in(page: Page, service: Service) -> None:
    await page.goto(f"{service.url}/console/")
    await page.fill("input[autocomplete=username]", "admin")
    await page.fill("input[type=password]", PASSWORD)
    await page.press("input[type=password]", "Enter")
    await page.wait_for_selector("[data-feed=live]")


async def test_a_fire_is_heard_and_acknowledged_by_keyboard_and_the_record_says_by_whom(
    database_url: str, nats: Any, tmp_path: Path
) -> None:
    async with running(database_url, nats.url, tmp_path) as service, signed_in(service) as api, _page("zh-CN") as page:
        await _sign_in(page, service)
        await page.keyboard.press("Space")
        await page.wait_for_selector("[data-sound=armed]")
        with publisher(nats.device_url) as device:
            fire = {"ts": now_ms(), "event": "fire", "text": "三层走廊"}
            await asyncio.to_thread(device.send, "firetower/v1/mall-01/panel-1/alarm", fire)
        row = page.locator("[id^=alert-]").first
        await row.wait_for()
        assert "三层走廊" in await row.inner_text()
        alert = (await row.get_attribute("id") or "").removeprefix("alert-")
        await until(lambda: _field(api, alert, "shown_at"), 10)
        await page.keyboard.press("KeyJ")
        await page.wait_for_selector(f"#detail[data-alert='{alert}']")
        await page.keyboard.press("KeyA")
        await page.wait_for_selector("[data-outcome=done]")
        assert await _field(api, alert, "acknowledged_by") == "admin"
        assert await _field(api, alert, "state") == "acknowledged"


async def test_a_killed_service_is_a_loud_banner_and_what_came_meanwhile_is_there_when_it_returns(
    database_url: str, nats: Any, tmp_path: Path
) -> None:
    service = Service(database_url, nats.url, tmp_path)
    await service.start()
    try:
        async with _page("en-GB") as page:
            await _sign_in(page, service)
            await service.kill()
            await page.wait_for_selector("[data-banner=lost]")
            with publisher(nats.device_url) as device:
                await asyncio.to_thread(
                    device.send, "firetower/v1/mall-01/panel-1/alarm", {"ts": now_ms(), "event": "fire"}
                )
            await service.start()
            await page.wait_for_selector("[data-feed=live]", timeout=30_000)
            await page.wait_for_selector("[id^=alert-]")
            await page.wait_for_selector("[data-banner=lost]", state="detached")
    finally:
        await service.stop()


async def _field(api: Any, alert: str, name: str) -> Any:
    return (await api.get(f"/alerts/{alert}"))[name]
