"""What the map shows of the city besides alarms: turned off, clicked, chosen, by mouse and by keyboard."""

from typing import Any

import pytest
from conftest import Open, until_page
from console_double import Double
from playwright.async_api import Page
from test_core import Run, run, sign_in_page  # noqa: F401  # reason: fixtures of the parts without a page
from test_map import DEVICES, LAT, LON, SHOWN, WALL, populate

pytestmark = pytest.mark.system

PLACES = DEVICES.replace(".map-points", ".map-places")
METRES = 111.3 / 1.194  # pixels of 0.001 degrees at zoom 17, as a city of one device is looked at
SMALL = """(inside) => [...document.querySelectorAll(inside)].filter((each) => {
  const { width, height } = each.getBoundingClientRect();
  return width < 24 || height < 24;
}).map((each) => each.outerHTML)"""


async def click_at(page: Page, east: float = 0) -> None:
    """Click the map so many pixels east of its middle as it was when the page came."""
    box = await page.locator(".map").bounding_box()
    ground = await page.locator(".map-ground").bounding_box()
    assert box is not None
    assert ground is not None
    await page.mouse.click(box["x"] + box["width"] / 2 + east, ground["y"] + ground["height"] / 2)


def one_device(double: Double) -> None:
    populate(double, 1)
    double.registry.lon[1], double.registry.lat[1] = LON, LAT


async def test_filters_hide_devices_and_places_are_kept_over_a_reload_and_never_touch_an_alarm(
    double: Double, sit_down: Open
):
    populate(double, 300)
    double.unit_at("mall", "中心商场", LON, LAT)
    double.station("ws-1", "城西微站", LON + 0.01, LAT)
    double.grid_around("一号网格", LON, LAT)
    fire = double.raise_alert(lon=LON + 0.02, lat=LAT + 0.01)
    page = await sit_down(lang="en", **WALL)
    await until_page(page, f"({DEVICES})() > 500 && ({PLACES})() > 100 && ({SHOWN})() > 30")
    await page.focus("[data-side-of=layers]")
    await page.keyboard.press("Enter")
    assert await page.evaluate(SMALL, ".map-layers button, .map-layers label, .map-tools button") == []
    assert "150" in await page.inner_text("label:has([data-layer='kind:smoke'])")
    assert "always shown" in await page.inner_text(".map-always")
    before = await page.evaluate(DEVICES)
    await page.focus("[data-layer='kind:smoke']")
    await page.keyboard.press("Space")
    await until_page(page, f"({DEVICES})() < {before} * 0.7")
    await page.click("[data-group=statuses]")  # none of them
    await until_page(page, f"({DEVICES})() === 0")
    for layer in ("unit", "station", "grid"):
        await page.uncheck(f"[data-layer={layer}]")
    await until_page(page, f"({PLACES})() === 0")
    assert await page.evaluate(SHOWN) > 30
    await page.reload()
    await page.wait_for_selector("[data-feed=live]")
    await page.wait_for_selector(".map[data-ready=true] [data-hidden='7']")
    await until_page(page, f"({SHOWN})() > 30")
    assert await page.evaluate(DEVICES) == 0
    await page.click("[data-side-of=sight]")
    await page.wait_for_selector(f"[data-in-sight='{fire['id']}']")
    await page.click("[data-side-of=layers]")
    await page.click("[data-show-all]")
    await until_page(page, f"({DEVICES})() > 500 && ({PLACES})() > 100")


async def test_a_station_a_unit_and_a_device_are_what_a_click_says_with_phone_distance_values_and_alerts(
    double: Double, sit_down: Open
):
    one_device(double)
    double.station("ws-1", "城西微站", LON + 0.001, LAT)
    double.unit_at("mall", "中心商场", LON - 0.001, LAT)
    then = "2026-11-23T00:00:00Z"
    double.latest = [
        {
            "ts": then,
            "metric": "smoke",
            "value": 0.31,
            "uom": "dB/m",
            "quality": "good",
            "marks": [],
            "received_at": then,
        }
    ]
    alert = double.raise_alert("fault", 3, unit="u", device="d-1", lon=None, lat=None)
    page = await sit_down(**WALL)
    await until_page(page, f"({DEVICES})() > 10 && ({PLACES})() > 100")
    await click_at(page)
    await page.wait_for_selector("[data-device='u/d-1'] .map-values:has-text('0.31')")
    await page.click(f"[data-to-alert='{alert['id']}']")
    await page.wait_for_selector(f"#detail[data-alert='{alert['id']}']")
    double.nearby(alert | {"lon": LON, "lat": LAT})["water"] = []
    await page.reload()
    await page.wait_for_selector("[data-feed=live]")
    await page.keyboard.press("Space")
    await page.wait_for_selector("[data-sound=armed]")
    await page.keyboard.press("j")
    await page.wait_for_selector("#detail [data-near]")
    await until_page(page, f"({DEVICES})() > 10 && ({PLACES})() > 100")
    await click_at(page, METRES)
    card = page.locator(".map-found[data-thing='station ws-1']")
    await card.locator("a[href='tel:13900000001']").wait_for()
    assert "周队长" in await card.inner_text()
    assert "102" in await card.locator("[data-from-alert]").inner_text()  # metres, as the crow flies
    await click_at(page, -METRES)
    await page.wait_for_selector("[data-thing='unit mall']:has-text('41')")
    await page.click(".map-found .link")
    await page.wait_for_selector("#panel[data-panel=unit]")


async def test_of_several_things_in_one_place_the_keyboard_chooses_and_escape_goes_back_to_the_map(
    double: Double, sit_down: Open
):
    one_device(double)
    double.unit_at("mall", "中心商场", LON, LAT)
    worse = double.raise_alert("hazard", 2, lon=LON, lat=LAT)
    milder = double.raise_alert("fault", 3, lon=LON, lat=LAT)
    page = await sit_down(lang="en", **WALL)
    await until_page(page, f"({DEVICES})() > 10 && ({PLACES})() > 100")
    await page.focus(".map-ground")
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".map-here")
    listed = await page.eval_on_selector_all(".map-here [data-thing]", "(all) => all.map((each) => each.dataset.thing)")
    assert listed == [f"alarm {worse['id']}", f"alarm {milder['id']}", "unit mall", "device u/d-1"]
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await page.wait_for_selector(f"#detail[data-alert='{milder['id']}']")
    await page.focus(".map-ground")
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".map-here")
    await page.keyboard.press("Escape")
    await until_page(page, "document.activeElement.className === 'map-ground' && !document.querySelector('.map-found')")
    assert await page.get_attribute("#detail", "data-alert") == milder["id"]


async def test_alarms_in_sight_are_a_list_in_order_that_follows_the_keyboards_panning(double: Double, sit_down: Open):
    one_device(double)
    notice = double.raise_alert("fault", 4, lon=LON + 0.001, lat=LAT)
    fire = double.raise_alert(lon=LON - 0.001, lat=LAT)
    page = await sit_down(lang="en", **WALL)
    await page.wait_for_selector("[data-sight='2']")
    await page.click("[data-side-of=sight]")
    inside = "[...document.querySelectorAll('[data-in-sight]')].map((each) => each.dataset.inSight).join()"
    await until_page(page, f"{inside} === '{fire['id']},{notice['id']}'")
    await page.focus(".map-ground")
    for _ in range(2):
        await page.keyboard.press("ArrowRight")
        await page.wait_for_timeout(150)
    await until_page(page, f"{inside} === '{notice['id']}'")
    await page.wait_for_selector(".map-edge.w")  # the fire is named at the edge
    assert await page.locator("#detail[data-alert]").count() == 0  # the arrows moved the map, not the selection
    await page.focus(f"[data-in-sight='{notice['id']}']")
    await page.keyboard.press("Enter")
    await page.wait_for_selector(f"#detail[data-alert='{notice['id']}']")


async def test_on_a_phone_what_explains_the_map_stands_under_it_and_the_panel_has_no_sideways_scroll(
    double: Double, sit_down: Open
):
    one_device(double)
    page = await sit_down(viewport={"width": 390, "height": 844})
    await page.keyboard.press("p")
    await page.wait_for_selector("#panel .map[data-ready=true]")
    await page.click("[data-side-of=layers]")
    ground, side = [await page.locator(name).bounding_box() for name in (".map-stage", ".map-side")]
    assert ground is not None
    assert side is not None
    assert side["y"] >= ground["y"] + ground["height"] - 1
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert await page.evaluate(SMALL, ".map button, .map-layers label") == []


async def test_gcj02_and_bd09_move_known_points_to_where_their_maps_have_them(run: Run):  # noqa: F811
    moved = await run(
        "../map/crs.js",
        """(m) => {
          const to = (crs, place) => m.shiftTo(crs)(place);
          let back = [116.404, 39.915]; // the WGS-84 place of this GCJ-02 one, by going there
          for (let i = 0; i < 9; i += 1) {
            const [lon, lat] = to("gcj02", back);
            back = [back[0] + 116.404 - lon, back[1] + 39.915 - lat];
          }
          const wgs84 = [[121.5272106, 31.1774276], [113.912316, 22.543847], [116.377817, 39.911954],
            [116.404, 39.915]];
          return [...wgs84.map((place) => to("gcj02", place)), to("bd09", back)];
        }""",
    )
    known = [  # the points that published implementations of both are tried with
        [121.531541859215, 31.17530398364597],
        [113.9171764808363, 22.540796131694766],
        [116.38404722455657, 39.91334545536069],
        [116.41024449916938, 39.91640428150164],
        [116.41036949371029, 39.92133699351021],
    ]
    for place, there in zip(moved, known, strict=True):
        assert place == pytest.approx(there, abs=1e-6)  # a tenth of a metre


async def test_layers_of_known_makers_are_drawn_as_what_they_are(run: Run):  # noqa: F811
    found: Any = await run(
        "../map/groundstyle.js",
        """(m) => {
          const names = ["water", "green", "built", "building", "street", "area", "label", "ground"];
          const theme = { ...Object.fromEntries(names.map((name, i) => [name, `#00000${i + 1}`])), lang: "en" };
          const style = m.groundStyle(theme);
          const of = (resolution, properties, type = "Polygon") => {
            const feature = { get: (name) => properties[name], getType: () => type };
            const got = [style(feature, resolution)].flat()[0];
            return got && (got.getFill()?.getColor() ?? got.getStroke()?.getColor() ?? got.getText().getText());
          };
          const line = (resolution, properties) => of(resolution, properties, "LineString");
          return [
            of(5, { layer: "water" }), of(5, { layer: "ocean" }), of(5, { layer: "landuse", kind: "park" }),
            of(5, { layer: "landcover", class: "wood" }), of(5, { layer: "landuse", class: "residential" }),
            of(2, { layer: "buildings" }), of(2, { layer: "building" }), of(50, { layer: "building" }),
            line(5, { layer: "roads", kind: "major_road" }), line(5, { layer: "transportation", class: "primary" }),
            line(5, { layer: "boundaries" }),
            of(100, { layer: "places", kind: "locality", name: "广州", "name:en": "Guangzhou" }, "Point"),
            of(5, { layer: "earth" }), of(5, { layer: "pois" }, "Point"), line(5, { layer: "somebody_elses" }),
          ];
        }""",
    )
    water, green, built, building, street, area = (f"#00000{i}" for i in range(1, 7))
    assert found == [
        water, water, green, green, built, building, building, None,
        street, street, area, "Guangzhou", None, None, street,
    ]  # fmt: skip
