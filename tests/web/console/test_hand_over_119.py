"""The hand-over to 119 on the page: how far it is, red without a receipt, the telephone script, what is told later."""

import pytest
from conftest import Open, until_page
from console_double import Double
from double_facts import at
from waiting import until

pytestmark = pytest.mark.system


async def test_a_verified_fire_shows_how_far_119_is_until_its_receipt(double: Double, sit_down: Open):
    """The words before it are those of a centre with an interface; number and person stand under the steps."""
    double.kpis["command_centre"] = True
    alert = double.acknowledged(double.raise_alert(), "wang")
    page = await sit_down()
    await page.keyboard.press("KeyJ")
    await page.keyboard.press("KeyV")
    await page.check("[data-form=verify] input[value=real]")
    await page.check("[data-form=verify] input[value=video]")
    await page.click("[data-form=verify] .form-end button >> nth=1")
    assert "由接口告知 119" in await page.inner_text(".sure")
    await page.keyboard.press("Escape")
    alert |= {"verification": "real", "verify_method": "video", "verified_by": "wang", "verified_at": at()}
    await double.announce(double.hand_over(alert))
    await page.wait_for_selector("[data-handover=waiting][data-red=false]")
    assert "已告知 119，等待签收" in await page.inner_text(".guidance")
    assert await page.locator("[data-banner=unreceipted]").count() == 0
    await double.announce(double.hand_over(alert, "received"))
    await page.wait_for_selector("[data-handover=received]:has-text('119-000123')")
    assert "接警员 王芳" in await page.inner_text("[data-handover]")
    await page.wait_for_selector("[data-step=close][aria-current=step]")


async def test_no_receipt_is_red_on_every_seat_and_the_receipt_by_voice_is_recorded_beside_the_script(
    double: Double, sit_down: Open
):
    quiet = double.raise_alert(ago=5)
    alert = double.acknowledged(double.raise_alert(ago=60, unit_name="<b>滨江</b>酒店"), "zhang")
    page = await sit_down(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    other = await sit_down(who="li", lang="en")
    await double.announce(double.hand_over(alert))
    for seat in (page, other):
        await seat.wait_for_selector(f"#alert-{alert['id']} .state:text-matches('已转警|Forwarded')")
        assert await seat.locator("[data-banner=unreceipted]").count() == 0
    alert["handover"]["due_at"] = at(-0.5)  # ten seconds are a long time in a test
    alert["version"] += 1
    await double.announce(alert)
    for seat in (page, other):
        await seat.wait_for_selector(f"[data-banner=unreceipted] [data-unreceipted='{alert['id']}']")
    said = await page.inner_text("[data-banner=unreceipted]")
    assert all(word in said for word in ("119 未签收", "<b>滨江</b>酒店", "转警"))
    assert "119 has not receipted" in await other.inner_text("[data-banner=unreceipted]")

    await page.tap("[data-unreceipted] button")
    await page.wait_for_selector(f"[data-script-of='{alert['id']}'] [data-part=place]:has-text('建设路1号')")
    assert await page.evaluate("parseFloat(getComputedStyle(document.querySelector('.lines dd')).fontSize)") >= 20
    assert await page.get_attribute(".dial.big", "href") == "tel:119"
    await page.tap(".script button[lang=en]")
    await page.wait_for_selector("[data-part=place]:has-text('Central Mall')")
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390
    await page.tap("[data-call-form='119'] [data-result-of=busy]")
    await page.wait_for_selector("[data-call-form='119'] [data-result=done]")
    assert double.calls_asked[-1][0] == {"purpose": "119", "result": "busy"}
    await page.fill(".script [name=person]", "赵队")
    await page.fill(".script [name=reference]", "rec-71")
    await page.tap(".script [data-form=receipt] .primary")
    await until(lambda: bool(double.acts))
    assert double.acts[-1][:2] == ("receipt", alert["id"])
    body = double.acts[-1][3]
    assert body == {
        "person": "赵队",
        "channel": "voice",
        "reference": "rec-71",
        "expected_version": alert["version"] - 1,
    }
    alert["handover"]["state"] = "by_phone"
    alert["version"] += 1
    await double.announce(alert)
    await page.wait_for_selector("[data-handover=by_phone]")
    for seat in (page, other):
        await until_page(seat, "!document.querySelector('[data-banner=unreceipted]')")
    assert quiet["state"] == "unacknowledged"


async def test_without_an_interface_119_is_called_and_the_page_says_so(double: Double, sit_down: Open):
    alert = double.acknowledged(double.raise_alert(ago=60), "wang")
    alert |= {"verification": "real", "forwarded_at": at(11), "version": 3}
    double.script_away = True
    page = await sit_down(lang="en")
    await page.wait_for_selector("[data-banner=unreceipted]:has-text('Call 119')")
    await page.keyboard.press("KeyJ")
    await page.wait_for_selector("[data-handover=call]:has-text('call now')")
    assert "call 119" in (await page.inner_text(".guidance")).lower()
    assert await page.locator("[data-verb=follow-up], [data-verb=cancel]").count() == 0
    await page.keyboard.press("Digit1")  # the script cannot be had: what the page knows stands in its place
    await page.wait_for_selector(".script .trouble")
    assert "A座 / 3层 / 东区" in await page.inner_text("[data-part=place]")
    assert "23.13" in await page.inner_text("[data-part=access]")
    await page.keyboard.press("Digit1")
    await page.wait_for_selector("#detail")


async def test_a_follow_up_and_a_cancellation_are_sent_by_key_and_stand_with_their_receipts(
    double: Double, sit_down: Open
):
    alert = double.acknowledged(double.raise_alert(), "wang")
    alert["verification"] = "real"
    double.hand_over(alert, "received", ago=30)
    double.message(alert, "report", "received", receipt=alert["handover"]["receipt"])
    double.message(alert, "follow_up", "failed", text="三楼有人被困", tries=3, trouble="status 500")
    page = await sit_down()
    await page.keyboard.press("KeyJ")
    told = page.locator("[data-message]")
    await told.nth(1).wait_for()
    assert "119-000123" in await told.nth(0).inner_text()
    failed = await told.nth(1).inner_text()
    assert all(word in failed for word in ("三楼有人被困", "未送达", "status 500"))
    await page.keyboard.press("Shift+KeyF")
    await page.keyboard.type("三楼一人被困")
    await page.click("[data-form=follow-up] .primary")
    await page.wait_for_selector("[data-verb=follow-up][data-outcome=done]")
    assert double.acts[-1][3]["text"] == "三楼一人被困"

    await page.keyboard.press("KeyC")  # it may be on the way for nothing: that is told first
    await page.check("[data-form=close] input[value=test]")
    assert "撤警" in await page.inner_text("[data-form=close] [data-missing]")
    await page.keyboard.press("Escape")
    await page.keyboard.press("Shift+KeyC")
    await page.keyboard.type("厨房蒸汽")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("[data-form=cancel] .sure")
    assert double.acts[-1][0] == "follow-up"
    await page.keyboard.press("Enter")
    await page.wait_for_selector("[data-handover=cancelled]")
    assert double.acts[-1][0] == "cancel"
    assert double.acts[-1][3]["reason"] == "厨房蒸汽"
    assert await page.inner_text(".row.selected .state") == "已撤警"
    await page.wait_for_selector("[data-step=verify][aria-current=step]")


async def test_the_incident_record_opens_in_a_tab_of_its_own(double: Double, sit_down: Open):
    alert = double.raise_alert()
    page = await sit_down(lang="en")
    await page.keyboard.press("KeyJ")
    await page.focus("[data-record=html]")  # by keyboard: what is read above it may still move it under a pointer
    async with page.expect_popup() as opened:
        await page.keyboard.press("Enter")
    record = await opened.value
    await record.wait_for_load_state()
    assert await record.inner_text("body") == f"record {alert['id']} html en"
    assert (await page.get_attribute("[data-record=pdf]", "href") or "").endswith("format=pdf&lang=en")
