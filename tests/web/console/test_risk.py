"""Four-colour risk on the page: worst first, in words and letters, never like an alarm, and never stale in silence."""

import json
from typing import Any

import pytest
from conftest import Open, until_page
from console_double import Double
from double_facts import at
from playwright.async_api import Page, Route
from test_map import LAT, LON, WALL, populate

from firetower.alerts.risk import telling
from firetower.alerts.risk.facts import Facts
from firetower.alerts.risk.grids import rate_grids
from firetower.alerts.risk.model import CATEGORIES, shipped
from firetower.alerts.risk.rating import rate
from firetower.storage.risk import Standing
from firetower.web.risk_json import RiskPage, counted, model_out, risk_out

pytestmark = pytest.mark.system

MODEL = shipped()
WELL = {"category": CATEGORIES.index("mall"), "devices": 20, "seen": 20, "watched": 1, "contacts": 1, "reachable": 1}
PLACED = {"lon": LON, "lat": LAT, "water_m": 100, "station_m": 100}
FACTS = Facts.of(
    {"id": 1, "grid": 1, **WELL, **PLACED, "fires": 1, "open_gas": 1},
    {"id": 2, "grid": 1, **WELL, "not_working": 4},
    {"id": 3, "category": CATEGORIES.index("other")},
)
RING = [[LON + x, LAT + y] for x, y in ((-0.02, -0.02), (0.02, -0.02), (0.02, 0.02), (-0.02, 0.02), (-0.02, -0.02))]
TOO_BRIGHT = """() => {
  const canvas = document.querySelector(".map-risk");
  const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  let [drawn, bright] = [0, 0];
  for (let i = 0; i < pixels.length; i += 4) {
    if (pixels[i + 3] < 100) continue;
    drawn += 1;
    const [least, most] = [Math.min(...pixels.slice(i, i + 3)), Math.max(...pixels.slice(i, i + 3))];
    if (most - least > 110) bright += 1;
  }
  return { drawn, bright };
}"""


class Served:
    """The risk as the service would answer it, of real ratings."""

    def __init__(self) -> None:
        self.ago = 5

    def page(self, by: str) -> dict[str, Any]:
        ratings = rate(FACTS, MODEL)
        rows = []
        if by == "unit":
            for n, name in enumerate(("万象城", "会展中心", "")):
                score = int(ratings.score[n]) if ratings.score[n] >= 0 else None
                rows.append(
                    (f"unit-{n}", name, score, float(ratings.known[n]), *telling.of_unit(FACTS, ratings, n), ())
                )
        else:
            (grid,) = rate_grids(FACTS, ratings, MODEL)
            rows.append(("g1", "东网格", grid.score, grid.known, *telling.of_grid(grid), [("unit-0", "万象城")]))
        items = [
            risk_out(
                Standing(
                    n, code, name, "g1", None, LON, LAT, score, telling.band_of(score, MODEL), known, parts, rest,
                    0, 0, 0, worst,
                ),
                "unit" if by == "unit" else "grid",
                MODEL,
            )
            for n, (code, name, score, known, parts, rest, worst) in enumerate(rows)
        ]  # fmt: skip
        counts = counted({"extreme": 1, "medium": 1, "unknown": 1})
        page = RiskPage(
            computed_at=at(self.ago), every_s=60, counts=counts, items=items, next_cursor=None, model=model_out(MODEL)
        )
        return page.model_dump(mode="json", by_alias=True)

    async def stand_in(self, page: Page) -> None:
        async def risk(route: Route) -> None:
            await route.fulfill(json=self.page("grid" if "by=grid" in route.request.url else "unit"))

        async def grids(route: Route) -> None:
            grid = {"grid": "g1", "name": "东网格", "district": None, "boundary": RING, "units": 2}
            await route.fulfill(body=json.dumps({"items": [grid], "next_cursor": None}))

        await page.route("**/api/v1/risk?**", risk)
        await page.route("**/api/v1/grids?**", grids)


async def test_risk_is_told_in_words_drawn_below_every_alarm_and_said_to_be_old_when_it_is(
    double: Double, sit_down: Open
):
    populate(double, 300)
    double.raise_alert(lon=LON, lat=LAT)
    page = await sit_down(lang="en", **WALL)
    served = Served()
    await served.stand_in(page)
    await page.wait_for_selector(".map[data-ready=true]")
    await page.keyboard.press("KeyE")
    await page.click("[data-opens=risk]")
    await page.wait_for_selector(".risk-item")
    shown = await page.eval_on_selector_all(".risk-item", "all => all.map((one) => [one.dataset.band, one.innerText])")
    assert [band for band, _ in shown] == ["extreme", "medium", "unknown"]
    assert "an open fire: extreme until it is closed" in shown[0][1]
    assert "open combustible-gas hazards: 1" in shown[0][1]
    assert "safety 0" in shown[0][1]
    assert "E" in shown[0][1].split()
    assert "safety" not in shown[2][1], "what nobody knows has no score"
    assert "rests on 78.5%" in shown[1][1]
    assert await page.inner_text("[data-count=extreme] b") == "1"
    await page.click(".risk-item[data-band=medium] summary")
    assert await page.eval_on_selector("[data-band=medium] [data-part=facilities] progress", "bar => bar.value") == 80
    assert await page.inner_text("[data-band=medium] [data-part=response] dd") == "not known"

    await page.click(".risk-mode")
    await until_page(page, "document.querySelector('.map-risk')")
    await until_page(page, f"({TOO_BRIGHT})().drawn > 3000")
    assert (await page.evaluate(TOO_BRIGHT))["bright"] == 0, "no colour of an alarm"
    order = await page.eval_on_selector_all(".map-ground canvas", "all => all.map((one) => one.className)")
    assert order.index("map-risk") < order.index("map-alarms"), "alarms are painted after it"
    assert await page.evaluate("localStorage.getItem('firetower.risk')") == "on"
    assert "Extreme" in await page.inner_text("[data-risk-legend]")

    served.ago = 600
    await page.click("[data-by=grid]")
    await page.wait_for_selector(".risk[data-risk=grid][data-old=true]")
    assert "Do not rely on it" in await page.inner_text(".risk")
    assert "2 units" in await page.inner_text(".risk-item")
    await page.click(".risk-item p:has-text('Worst') button")
    await until_page(page, "document.querySelector('#panel[data-panel=unit]')")
