"""A page that stands for days does not grow: what was drawn and is gone is given back."""

import pytest
from conftest import Open, until_page
from console_double import Double
from playwright.async_api import CDPSession, Page
from screen_checks import device, panels, reading, unit_file
from waiting import until

pytestmark = pytest.mark.system

FORMS = ("KeyV", "KeyF", "KeyC", "KeyT")


async def test_rows_that_fires_pushed_out_of_sight_are_given_back(double: Double, sit_down: Open):
    """Each fire draws the whole page anew, as it is announced: no old page may be kept, nor a row of it."""
    for _ in range(30):
        double.raise_alert("fault", 3)
    page = await sit_down()
    await page.keyboard.press("KeyJ")
    await page.wait_for_selector("#detail")
    chromium = await page.context.new_cdp_session(page)
    await chromium.send("Performance.enable")

    async def kept() -> float:
        """Nodes that live on and stand in no document."""
        await chromium.send("HeapProfiler.collectGarbage")
        said = await chromium.send("Performance.getMetrics")
        alive = next(each["value"] for each in said["metrics"] if each["name"] == "Nodes")
        return alive - await page.evaluate("document.evaluate('count(//node())', document).numberValue")

    async def fires(count: int) -> None:
        for _ in range(count):
            fire = double.raise_alert()
            await double.announce(fire)
            await until_page(
                page, f"document.getElementById('alert-{fire['id']}')"
            )  # a handle would keep the row itself

    await fires(5)
    before = await kept()
    await fires(20)
    assert await kept() < before + 200  # a row has about 33
    await chromium.detach()


async def held(chromium: CDPSession) -> tuple[int, int]:
    """Nodes and listeners that live on after a garbage collection."""
    for _ in range(2):  # what only a finalizer held goes with the second
        await chromium.send("HeapProfiler.collectGarbage")
    said = {one["name"]: one["value"] for one in (await chromium.send("Performance.getMetrics"))["metrics"]}
    return int(said["Nodes"]), int(said["JSEventListeners"])


async def opened_and_closed(page: Page, alert: str) -> None:
    """Every panel, filled or not by then; the forms of an alert; the help."""
    for name in panels():
        of = {"unit": "&of=mall-01", "device": "&of=mall-01/elec-1"}.get(name, "")
        await page.evaluate(f"location.hash = 'alert={alert}&panel={name}{of}'")
        drawn = {"map": ".map[data-ready=true] canvas", "device": ".uplot canvas"}.get(name, ":not(:empty)")
        await until_page(page, f"document.querySelector('[data-panel={name}] {drawn}')")
    await page.evaluate(f"location.hash = 'alert={alert}'")
    await until_page(page, "document.querySelector('#detail') && !document.querySelector('#panel')")
    for key in FORMS:
        await page.focus("#queue-list")
        await page.keyboard.press(key)
        await until_page(page, "document.querySelector('[data-form]')")
        await page.keyboard.press("Escape")
    await page.focus("#queue-list")
    await page.keyboard.press("Shift+Slash")
    await page.click(".help button")
    await page.evaluate("location.hash = ''")
    await until_page(page, "!document.querySelector('#detail, #panel, .help')")


async def test_whatever_is_opened_and_closed_leaves_nothing_behind(double: Double, sit_down: Open) -> None:
    """Each panel with its map, chart and timers, each form and the help: after another two rounds through all of them
    the page holds as many nodes and listeners as before."""
    double.units["mall-01"] = unit_file()
    path = "GET /devices/mall-01/elec-1"
    latest = reading("residual_current.a", 5, 480) | {"value": 480, "uom": "mA", "quality": "good", "marks": []}
    double.files |= {
        path: device("elec-1") | {"points": []},
        f"{path}/latest": {"items": [latest]},
        f"{path}/readings": {"items": [reading("residual_current.a", n, 480) for n in (90, 60, 30)], "width_s": 9.0},
    }
    double.has_rules()
    for _ in range(5):
        double.raise_alert("fault", 3)
    fire = double.raise_alert()
    page = await sit_down(who="ada", reduced_motion="reduce")
    chromium = await page.context.new_cdp_session(page)
    await chromium.send("Performance.enable")

    for _ in range(2):  # what is kept once: components, icons, the map's own
        await opened_and_closed(page, fire["id"])
    before = [await held(chromium)]

    async def level() -> bool:
        """Whether the answers that were still on their way have come."""
        before.append(await held(chromium))
        return before[-1] == before[-2]

    await until(level)
    for _ in range(2):
        await opened_and_closed(page, fire["id"])

    async def nothing_more() -> bool:
        return all(now <= then for now, then in zip(await held(chromium), before[-1], strict=True))

    await until(nothing_more, what=f"no more than {before[-1]} nodes and listeners")
    await chromium.detach()
