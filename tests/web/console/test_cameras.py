"""Cameras of the alert's place: opened in one press, pictures kept from before and after, why one could not be had."""

import pytest
from axe_playwright_python.async_playwright import Axe
from conftest import Open, until_page
from console_double import Double

pytestmark = pytest.mark.system

HOSTILE = '<img src=x onerror="globalThis.broken=1">'
WHY = {"code": "status", "status": 503, "message": "the camera answered 503"}


async def test_the_operator_looks_at_the_fire_before_the_last_picture_is_an_hour_old(double: Double, sit_down: Open):
    """Nothing of a camera is shown as live, nothing lies over the queue, and the keys go on working there."""
    alert = double.acknowledged(double.raise_alert(), "wang")
    double.camera(alert, "zone-cam", name=HOSTILE)
    double.camera(alert, "hall-cam", "building")
    double.camera(alert, "link-only", "outdoor", takes_pictures=False, distance_m=42)
    double.camera(alert, "far-cam", "unit")
    raised = double.shot(alert, "zone-cam", ago=3700)
    after = double.shot(alert, "zone-cam", "after", ago=3670)
    double.shot(alert, "hall-cam", trouble=WHY, ago=3700)
    page = await sit_down()
    other = double.raise_alert(ago=5)
    await double.announce(other)
    await page.click(f"#alert-{alert['id']}")
    await page.keyboard.press("Shift+KeyV")
    await until_page(page, "document.activeElement.id === 'video'")

    link = page.locator("[data-camera='zone-cam'] a.dial")
    assert await link.get_attribute("href") == "https://nvr.example/zone-cam"
    assert (await link.get_attribute("target"), await link.get_attribute("rel")) == ("_blank", "noopener noreferrer")
    assert await page.locator("[data-camera]").count() == 3
    assert await page.locator("[data-camera='link-only'] [data-take]").count() == 0
    assert "42 米" in await page.inner_text("[data-camera='link-only']")
    assert HOSTILE in await page.inner_text("[data-camera='zone-cam']")
    failed = await page.inner_text("[data-camera='hall-cam'] [data-shot-state=failed]")
    assert "摄像机返回错误 (503)" in failed

    large = page.locator("[data-large]")
    assert await large.get_attribute("data-large") == after["id"]
    assert "非实时" in await large.inner_text()
    assert "1 时 01 分前" in await large.inner_text()
    await until_page(page, "document.querySelector('[data-large] img').naturalWidth > 0")
    rules = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]}}
    found = await Axe().run(page, context="#video", options=rules | {"resultTypes": ["violations"]})
    assert [fault["id"] for fault in found.response["violations"]] == []
    await page.click(f"[data-shot='{raised['id']}'] button")
    assert await large.get_attribute("data-large") == raised["id"]
    await page.click(f"[data-shot='{raised['id']}'] button")
    assert await large.count() == 0
    await page.click("[data-elsewhere]")
    assert await page.locator("[data-camera='far-cam']").count() == 1

    await page.click("[data-camera='hall-cam'] [data-take]")
    await page.wait_for_selector("[data-camera='hall-cam'] [data-moment=by_hand][data-shot-state=waiting]")
    assert [camera for camera, _ in double.pictures_asked] == ["hall-cam"]
    assert "已要求抓拍" in await page.inner_text("[data-camera='hall-cam'] [data-result=done]")
    assert not await page.evaluate("Boolean(globalThis.broken)")

    await page.keyboard.press("KeyV")
    await page.check("input[value=video]")
    await page.wait_for_selector(f"[data-looked-at='{after['id']}']")
    await page.keyboard.press("Escape")
    await page.click(f"#alert-{other['id']}")
    await page.wait_for_selector("[data-no-camera]")
