"""The overview and the display on the wall: true figures, what is old greyed, fires always in sight, and no seat."""

from typing import Any

from axe_playwright_python.async_playwright import Axe
from conftest import Open, until_page
from console_double import Double
from double_facts import at
from playwright.async_api import Page

GAP: dict[str, Any] = {
    "kind": "impairment", "unit": "mall-01", "zone": "A", "device": None, "component": None, "main": None,
    "place": None, "what": {"zh": "消防设施停用", "en": "Impairment"}, "since": at(60), "until": None,
    "reason": "pipe work", "measure": "patrol", "by": "wang", "id": "7", "alert_id": None, "rule": None,
    "scope": None, "approved_by": None, "changes": [],
}  # fmt: skip
RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]},
    "resultTypes": ["violations"],
}


async def _text(page: Page, selector: str) -> str:
    return " ".join((await page.locator(selector).first.inner_text()).split())


async def test_the_overview_tells_each_rate_as_it_is_and_greys_what_is_old(sit_down: Open, double: Double) -> None:
    """Nothing rounded up to a target, nothing of nothing, a day nobody counted as a gap, and old figures not as now."""
    double.days_known = dict.fromkeys(range(1, 11), 0.91) | {4: None, 5: None}
    double.gaps = [GAP | {"id": str(number)} for number in range(6)]
    double.kpis |= {"lag_s": {"alarm": 0.4, "telemetry": None}}
    page = await sit_down(lang="en")
    await page.keyboard.press("e")
    await page.click("[data-opens=overview]")
    intact = "[data-rate=intact]"
    await page.wait_for_selector(intact)
    assert "89.9%" in await _text(page, intact)  # of 899,999 in a million: 90 would be a lie
    assert "not reached" in await _text(page, intact)
    assert "899,999 of 1,000,000 devices" in await _text(page, intact)
    assert "99.9%" in await _text(page, "[data-rate=online]")
    assert "8 of 10 units" in await _text(page, "[data-rate=connection]")
    await page.wait_for_selector(f"{intact} .trend-line", state="attached")
    assert await page.locator(f"{intact} .trend-line").count() == 2  # two runs, a gap between them
    assert "nobody counted" in await _text(page, "[data-late-days]")
    crane, hydrant = page.locator("[data-by=kind] tbody tr").all_inner_texts, "80% 80 / 100"
    rows = [" ".join(row.split()) for row in await crane()]
    assert "– 0 / 0" in rows[0]
    assert hydrant in rows[1]
    assert await _text(page, "[data-unprotected]") == "6"
    assert await page.locator(".overview .gap").count() == 4
    assert "0.4" in await _text(page, "[data-figure=lag_alarm]")
    assert "–" in await _text(page, "[data-figure=lag_telemetry]")
    href = await page.get_attribute(".wall-link", "href")
    assert (href, await page.get_attribute(".wall-link", "target")) == ("?wall=1", "_blank")

    double.rates_old, double.hearing = 300, False
    await page.click(".panel-head button")
    await page.keyboard.press("e")
    await page.click("[data-opens=overview]")
    await page.wait_for_selector(".overview [data-aged=true]")
    assert "old" in await _text(page, ".overview .aged-word")
    assert "not heard" in await _text(page, ".overview .trouble")


async def test_the_wall_shows_fires_by_name_and_is_no_seat(sit_down: Open, double: Double) -> None:
    """More fires than there is room for are counted; the display is never taken for somebody who hears and sees."""
    for number in range(8):
        double.raise_alert("fire", unit_name=f"大厦{number}", ago=100 - number)
    for _ in range(5):
        double.raise_alert("hazard", 2)
    double.gaps = [GAP]
    page = await sit_down(arm=False, theme="light", viewport={"width": 1920, "height": 1080})
    seats = len(double.armed)
    await page.goto(f"{double.url}/console/?wall=1")
    await page.wait_for_selector("[data-wall-live=true]")
    await page.wait_for_selector("[data-wall-row]")
    assert await page.locator("[data-wall-row=fire]").count() == 5
    assert "大厦7" in await _text(page, "[data-wall-row=fire]")  # the newest stands first
    assert "另有火警 3 起 其他待处置 5 条" in await _text(page, "[data-wall-more]")
    assert await _text(page, "[data-open='1']") == "8"
    await page.wait_for_selector(".wall-rate:has-text('80%')")
    await page.wait_for_selector(".wall-gaps:has-text('消防设施停用')")
    fits = "document.documentElement.scrollHeight <= innerHeight && document.documentElement.scrollWidth <= innerWidth"
    assert await page.evaluate(fits)
    smallest = await page.evaluate(
        "Math.min(...[...document.querySelectorAll('.wall *')].filter((e) => e.childNodes.length"
        " && [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()) && !e.closest('svg, .unseen'))"
        ".map((e) => parseFloat(getComputedStyle(e).fontSize)))"
    )
    assert smallest >= 32  # px of 1080: read from five metres
    found = await Axe().run(page, options=RULES)
    assert [(fault["id"], [node["html"] for node in fault["nodes"]]) for fault in found.response["violations"]] == []

    await page.keyboard.press("Space")
    await page.mouse.click(400, 400)
    await page.keyboard.press("a")
    fire = double.raise_alert("fire", unit_name="新大厦")
    await double.announce(fire)
    await until_page(page, "document.querySelector('[data-wall-row=fire]').textContent.includes('新大厦')")
    assert (double.shown, double.presents, double.acts) == ([], [], [])
    assert not any(double.armed[seats:])
    assert await page.evaluate("tones.length") == 0

    await double.cut()
    await page.wait_for_selector("[data-wall-live=false] [data-wall-trouble]")
    assert await page.locator("[data-wall-row=fire]").count() == 5  # what was known stays, marked
    double.heal()
    await page.wait_for_selector("[data-wall-live=true]", timeout=20_000)
    assert await page.locator("[data-wall-trouble]").count() == 0
