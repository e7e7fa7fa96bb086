"""A page that stands for days does not grow: what was drawn and is gone is given back."""

import pytest
from conftest import Open, until_page
from console_double import Double

pytestmark = pytest.mark.system


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
