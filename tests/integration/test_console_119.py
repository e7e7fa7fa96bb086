"""From a fire to the receipt of 119 on the operator's page, with the reference receiver on the other side."""

import asyncio
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from command_centre import SECRET, Behaviour, listening
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

CITY = {
    "format": "firetower-registry/1",
    "units": [
        {
            "code": "mall-01",
            "name": "城西购物中心",
            "address": "建设路1号",
            "lon": 113.1,
            "lat": 22.3,
            "contacts": [{"role": "control_room", "name": "王师傅 <b>", "phone": "0750-110 2233"}],
        },
        {"code": "water-co", "name": "自来水公司"},
    ],
    "devices": [
        {"unit": "mall-01", "device": "s-1", "kind": "smoke", "lon": 113.1, "lat": 22.3},
        {"unit": "water-co", "device": "h-12", "kind": "hydrant", "place": "建设路口", "lon": 113.1, "lat": 22.301},
    ],
}
PLAN = """
command_centre: {{addresses: ["{address}"], secret: {secret}, sender: fz-01, receipt_within: 3s}}
channels:
- {{kind: http, name: sms, address: phone, url: "{closed}", body: '{{"to": "{{phone}}", "say": "{{text}}"}}'}}
policies:
- name: at-the-unit
  of: raised
  for: {{classes: [fire]}}
  until: receipted
  steps: [{{after: 0s, to: [control_room], channels: [sms], repeat: {{every: 5min, at_most: 6}}}}]
"""


async def test_a_fire_is_called_about_verified_handed_over_red_without_a_receipt_and_received(
    database_url: str, nats: Any, tmp_path: Path
) -> None:
    """The gateway for texts refuses the connection: that, too, stands on the page."""
    city, plan = tmp_path / "city.json", tmp_path / "duty.yaml"
    city.write_text(json.dumps(CITY), "utf-8")
    with listening(fail=503, retry_after="1") as (desk, address):
        plan.write_text(PLAN.format(address=address, secret=SECRET, closed="http://127.0.0.1:9/sms"), "utf-8")
        settings = {"duty": str(plan), "auto_register": "off"}
        async with (
            running(database_url, nats.url, tmp_path, **settings) as service,
            signed_in(service) as api,
            _page("zh-CN") as page,
        ):
            status, told = await service.command("devices", "import", str(city))
            assert status == 0, told
            await _sign_in(page, service)
            await page.keyboard.press("Space")
            with publisher(nats.device_url) as device:
                fire = {"ts": now_ms(), "event": "fire", "text": "三层走廊"}
                await asyncio.to_thread(device.send, "firetower/v1/mall-01/s-1/alarm", fire)
            await page.wait_for_selector(".row [data-due=acknowledgement_overdue]")
            await page.keyboard.press("KeyJ")
            await page.keyboard.press("KeyA")
            await page.wait_for_selector(".due-line[data-due=verification_overdue]")
            await page.wait_for_selector("[data-contact] a[href='tel:07501102233']")
            assert "王师傅 <b>" in await page.inner_text("[data-contact]")
            await page.wait_for_selector("[data-water='water-co/h-12']:has-text('111 米 · 北')")
            await page.wait_for_selector(".letter.bad:has-text('王师傅')")
            await page.fill("[data-contact] [name=said]", "三楼仓库冒烟")
            await page.click("[data-contact] [data-result-of=answered]")
            await page.wait_for_selector(".calls [data-result=answered]:has-text('三楼仓库冒烟')")

            await page.focus("#queue-list")
            await page.keyboard.press("KeyV")
            await page.check("[data-form=verify] input[value=real]")
            await page.check("[data-form=verify] input[value=phone]")
            assert await page.input_value("[data-form=verify] [name=person]") == "王师傅 <b>"
            await page.click("[data-form=verify] .form-end button >> nth=1")
            assert "由接口告知 119" in await page.inner_text(".sure")
            await page.keyboard.press("Enter")
            await page.wait_for_selector("[data-handover=waiting]")

            await page.wait_for_selector("[data-banner=unreceipted]:has-text('城西购物中心')")
            await page.click("[data-unreceipted] button")
            await page.wait_for_selector(".script [data-part=place]:has-text('建设路1号')")
            assert "王师傅 <b> 07501102233" in await page.inner_text(".script [data-part=contacts]")
            desk.behaviour = Behaviour()
            await page.wait_for_selector("[data-handover=received]")
            number = re.search(r"119-\d{6}", await page.inner_text("[data-handover]"))
            assert number
            assert number[0] in {each["number"] for each in desk.receipts.values()}
            await page.wait_for_selector("[data-banner=unreceipted]", state="detached")
            await page.keyboard.press("Escape")
            await page.keyboard.press("Shift+KeyF")
            await page.keyboard.type("三楼一人被困")
            await page.click("[data-form=follow-up] .primary")
            await until(lambda: any(each["kind"] == "follow_up" for each in desk.messages.values()), 20)
            await page.wait_for_selector("[data-message=follow_up][data-message-state=received]", timeout=20_000)
            async with page.expect_popup() as opened:
                await page.click("[data-record=html]")
            record = await opened.value
            await record.wait_for_load_state()
            assert number[0] in await record.inner_text("body")
            assert not [flag for flag in (await api.get("/alerts"))["items"] if flag["due"]]
