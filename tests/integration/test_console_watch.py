"""The watch on the page of the real service: two accounts at two seats, a handover with a fire in the middle of it."""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page
from service import Service, now_ms, publisher, running, signed_in
from test_console_on_the_service import CHROMIUM, _page
from waiting import until

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(
        CHROMIUM is None and os.environ.get("CONSOLE_REQUIRE_BROWSER") != "1",
        reason="chromium is not installed (script/test installs it as root on Debian)",
    ),
]

PASSWORD = "long enough for both"


async def sit_down(page: Page, service: Service, name: str) -> None:
    """Sign in at a seat whose sound works."""
    await page.goto(f"{service.url}/console/")
    await page.fill("input[name=username]", name)
    await page.fill("input[name=password]", PASSWORD)
    await page.keyboard.press("Enter")
    await page.wait_for_selector("[data-feed=live]")
    await page.keyboard.press("Space")
    await page.wait_for_selector("[data-sound=armed]")


async def fire(nats: Any, device: str) -> None:
    """Let a panel say that it burns."""
    with publisher(nats.device_url) as panel:
        said = {"ts": now_ms(), "event": "fire", "text": "三层走廊"}
        await asyncio.to_thread(panel.send, f"firetower/v1/mall-01/{device}/alarm", said)


async def test_a_watch_is_handed_over_between_two_accounts_with_a_fire_arriving_meanwhile(
    database_url: str, nats: Any, tmp_path: Path
) -> None:
    """Accounts made on the page's own routes; the last one stays until the other has accepted everything by name."""
    async with running(database_url, nats.url, tmp_path) as service, signed_in(service) as api:
        for name in ("wang", "li"):
            status, _ = await api.post("/accounts", {"username": name, "password": PASSWORD})
            assert status == 201
        async with _page("zh-CN") as leaves:
            assert leaves.context.browser is not None
            comes = await leaves.context.browser.new_page(locale="en-GB")
            await sit_down(leaves, service, "wang")
            await sit_down(comes, service, "li")
            await fire(nats, "panel-1")
            await leaves.keyboard.press("KeyI")
            await leaves.click("[data-duty=on]")
            await leaves.wait_for_selector("[data-on-duty=wang]")
            await leaves.click(".switches button >> nth=-1")
            await leaves.wait_for_selector("[data-leaving=last]:has-text('li')")
            await leaves.fill("[data-form=relief] textarea", "2 号泵停用")
            await leaves.click("[data-form=relief] .primary")

            await comes.click("[data-banner=relief] button")
            await comes.wait_for_selector("#relief:has-text('2 号泵停用')")
            await comes.locator("[data-take]").first.press("KeyA")
            await comes.wait_for_selector("[data-passing][data-taken=true]")
            await fire(nats, "panel-2")
            await comes.wait_for_selector("[data-open-alarms='2']")
            await leaves.wait_for_selector("[data-open-alarms='2'][data-accepted='1']")
            await comes.locator("[data-passing][data-taken=false] [data-take]").press("Enter")
            await comes.click("[data-relief=complete]:not(:disabled)")
            await leaves.wait_for_selector("[data-relief-ended=completed]")
            await leaves.wait_for_selector("[data-on-duty=li]")
            await leaves.click(".switches button >> nth=-1")
            await leaves.wait_for_selector("input[name=username]")
            watch = await api.get("/watch")
            assert [each["account"] for each in watch["on_duty"]] == ["li"]

            await comes.keyboard.press("KeyE")
            await comes.click("#panel [data-opens=shiftlog]")
            await comes.wait_for_selector("[data-log=handover]:has-text('2 open alarms accepted')")
            await comes.fill("[data-form=shift-log] textarea", "the lift of B is stuck")
            await comes.click("[data-form=shift-log] button")
            await comes.wait_for_selector("[data-log=note]:has-text('the lift of B is stuck')")
            log = (await api.get(f"/shifts/{watch['shift']['id']}/log", order="newest"))["items"]
            assert [entry["kind"] for entry in log[:2]] == ["note", "handover"]
            await until(lambda: _calm(comes), 10)


async def _calm(page: Page) -> bool:
    """Whether no band stands that would need somebody: the seat keeps watch."""
    return await page.locator("[data-banner=unattended], [data-banner=uncovered], [data-banner=presence]").count() == 0
