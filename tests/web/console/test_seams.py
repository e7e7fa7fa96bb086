"""Where parts of the page meet: a link of alert and file, the map in or beside a panel, files that did not come."""

from typing import Any

import pytest
from conftest import Open, until_page
from console_double import Double
from playwright.async_api import Route
from test_core import Run, run, sign_in_page  # noqa: F401  # reason: fixtures of the parts without a page
from test_map import LAT, LON, SHOWN, WALL, populate

pytestmark = pytest.mark.system

UNIT: dict[str, Any] = {
    "unit": "mall-01", "name": "中心商场", "category": "mall", "address": "", "grid": None, "contact_name": None,
    "contact_phone": None, "buildings": [], "lon": None, "lat": None, "registered_at": "2026-11-20T11:00:00Z",
    "devices": {"online": 3, "offline": 0, "never_seen": 0},
}  # fmt: skip


async def test_a_link_of_an_alert_and_a_units_file_opens_both_and_back_adds_nothing_to_the_way(
    double: Double, sit_down: Open
):
    one = double.raise_alert(unit="mall-01")
    two = double.raise_alert("fault", 3, unit="mall-01")
    double.units["mall-01"] = UNIT
    page = await sit_down()
    await page.evaluate(f"location.hash = '#alert={one['id']}&panel=unit&of=mall-01'")
    await page.wait_for_selector("[data-unit=mall-01]")
    await page.click(f"#alert-{two['id']}")
    await page.wait_for_selector(f"#detail[data-alert='{two['id']}']")
    long = await page.evaluate("history.length")
    await page.go_back()
    await page.wait_for_selector("[data-unit=mall-01]")
    assert await page.evaluate("location.hash") == f"#alert={one['id']}&panel=unit&of=mall-01"
    assert await page.evaluate("history.length") == long
    await page.go_forward()
    await page.wait_for_selector(f"#detail[data-alert='{two['id']}']")

    # what stands in the file is not of the minute it was opened in
    await page.go_back()
    await page.wait_for_selector("[data-unit=mall-01]")
    await page.clock.install()
    await page.reload()
    await page.wait_for_selector("[data-unit=mall-01]:has-text('离线 0')")
    double.units["mall-01"] = UNIT | {"devices": {"online": 1, "offline": 2, "never_seen": 0}}
    closed = one | {"state": "closed", "version": 2, "closed_by": "li", "closed_at": one["raised_at"]}
    double.alerts[one["id"]] = closed
    double.files["GET /alerts"] = {"items": [one], "next_cursor": None}  # read just before it was closed
    await page.clock.run_for(62_000)  # past the minute, not past the patience with the answer it asks for
    await page.wait_for_selector("[data-unit=mall-01]:has-text('离线 2')")
    await double.announce(closed)
    await page.click(".file .entry:has-text('未受理')")
    await page.wait_for_selector(f"#detail[data-alert='{one['id']}']")


async def test_a_display_stays_one_over_a_reload_and_no_link_makes_one_of_a_seat(double: Double, sit_down: Open):
    double.raise_alert()
    page = await sit_down(arm=False)
    await page.evaluate("location.hash = '#panel=wall'")
    await page.wait_for_selector("[data-unfollowed]:has-text('panel=wall')")
    assert await page.locator(".wall").count() == 0
    await page.evaluate("history.replaceState(null, '', '#wall')")
    for _ in range(2):
        await page.reload()
        await page.wait_for_selector("[data-wall-live=true]")
        await page.wait_for_selector("[data-wall-row]")
        assert await page.evaluate("location.hash") == "#wall"


async def test_the_map_stands_once_and_shows_the_next_fire_however_it_was_opened_and_whatever_failed_first(
    double: Double, sit_down: Open
):
    populate(double, 30)
    page = await sit_down()
    asked: list[str] = []

    async def at_first_away(route: Route) -> None:
        asked.append(route.request.url)
        await (route.fulfill(status=503) if len(asked) == 1 else route.continue_())

    await page.route("**/api/v1/devices/snapshot", at_first_away)
    await page.clock.install()
    await page.keyboard.press("KeyP")
    await page.wait_for_selector(".map-trouble")
    await page.clock.run_for(25_000)
    await page.wait_for_selector(".map[data-ready=true]")
    assert await page.locator(".map-trouble").count() == 0
    await page.clock.resume()
    await page.set_viewport_size(WALL["viewport"])  # the panel of the link, or of the smaller window, gives way
    await page.wait_for_selector("main > .map[data-ready=true]")
    assert await page.locator(".map").count() == 1
    await double.announce(double.raise_alert(lon=LON, lat=LAT))
    await until_page(page, f"({SHOWN})() > 30")
    await page.click(".strip [data-opens=more]")
    await page.wait_for_selector("[data-opens=overview]")
    assert await page.locator("[data-opens=map]").count() == 0


async def test_a_file_that_did_not_come_is_fetched_again_by_itself_and_the_risk_mode_says_so(
    double: Double, sit_down: Open
):
    populate(double, 30)
    page = await sit_down(signed_in=False, arm=False, **WALL)
    away = {"board.js", "risklayer.js"}

    async def missing(route: Route) -> None:
        await (route.abort() if route.request.url.rsplit("/", 1)[-1] in away else route.continue_())

    await page.route("**/board.js", missing)
    await page.route("**/risklayer.js", missing)
    await page.fill("input[name=username]", "wang")
    await page.fill("input[name=password]", "right")
    await page.click(".signin .primary")
    await page.wait_for_selector(".map[data-ready=true]")
    await page.click(".risk-mode")
    await page.wait_for_selector("[data-risk-legend] [role=alert]")
    await page.click("[data-opens=board]")
    await page.wait_for_selector("#panel .trouble")
    away.clear()
    await page.wait_for_selector("#panel .trouble", state="detached")


async def test_of_marks_in_one_place_of_a_plan_the_worst_is_seen_and_still_the_one_looked_at(run: Run):  # noqa: F811
    def mark(key: str, priority: int, **more: Any) -> dict[str, Any]:
        return {"key": key, "x": 0.5, "y": 0.5, "priority": priority, "label": "smk-1", "waiting": False} | more

    (drawn,) = await run(
        "plans.js", "(m, marks) => m.heaped(marks)", [mark("fire", 1, waiting=True), mark("fault", 3, own=True)]
    )
    assert (drawn["key"], drawn["priority"], drawn["own"], drawn["waiting"]) == ("fire", 1, True, True)
    assert drawn["label"] == "smk-1 ×2"


async def test_an_answer_the_page_does_not_understand_breaks_one_panel_and_never_the_queue(
    double: Double, sit_down: Open
):
    """After an update a seat goes on with the page it has, and the service may answer in another shape."""
    first = double.raise_alert(unit="mall-01")
    page = await sit_down()

    async def strange(route: Route) -> None:
        await route.fulfill(json={"items": [{}], "as_of": "soon"})

    for part in ("rates", "rates/days", "not-protected", "alerts/*/cameras", "alerts/*/near", "alerts/*/plan"):
        await page.route(f"**/api/v1/{part}", strange)
        await page.route(f"**/api/v1/{part}?**", strange)
    await page.click(f"#alert-{first['id']}")
    await page.wait_for_selector("#detail [data-broken]")
    assert await page.locator(".acknowledge button").is_enabled()
    await page.click("[data-opens=more]")
    assert "{" not in await page.inner_text("#panel h2")
    await page.click("[data-opens=overview]")
    await page.wait_for_selector("[data-panel=overview] [data-broken]")
    fire = double.raise_alert(unit="hosp-01")
    await double.announce(fire)
    await page.wait_for_selector(f"#alert-{fire['id']}")
    await page.click(".panel-head button")
    await page.click(f"#alert-{fire['id']}")
    await page.keyboard.press("KeyA")
    await page.wait_for_selector("#detail [data-outcome=done]")
