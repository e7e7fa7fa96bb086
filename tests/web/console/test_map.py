"""The map 消防一张图: alarms above everything, none hidden, without WebGL; and the parts of it that only compute."""

from typing import Any

import numpy as np
import pytest
from conftest import Open, until_page
from console_double import Double
from test_core import Run, run, sign_in_page  # noqa: F401  # reason: fixtures of the parts without a page

from firetower.devices.kinds import KIND_NUMBER, DeviceKind
from firetower.devices.registry import DeviceRows

pytestmark = pytest.mark.system

WALL = {"viewport": {"width": 1920, "height": 1080}}
LON, LAT = 113.26, 23.13


def populate(double: Double, count: int = 2_000) -> None:
    """Put devices around one place, hydrants and smoke detectors in turn."""
    number = np.arange(1, count + 1)
    spread = np.random.default_rng(7).uniform(-0.03, 0.03, (2, count))
    kinds = np.where(number % 2, KIND_NUMBER[DeviceKind.HYDRANT], KIND_NUMBER[DeviceKind.SMOKE]).astype(np.int16)
    zeros = np.zeros(count, np.int64)
    double.registry.add_many(
        DeviceRows(
            number, ["u"] * count, [f"d-{each}" for each in number], kinds, zeros + 60_000_000, zeros,
            np.zeros(count, bool), LON + spread[0], LAT + spread[1], [None] * count, [None] * count, {},
        )
    )  # fmt: skip


SHOWN = """() => {
  const canvas = document.querySelector(".map-alarms");
  if (!canvas) return 0;
  const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  let red = 0;
  const isRed = (i) => pixels[i] > 200 && pixels[i + 1] < 110 && pixels[i + 2] < 110;
  for (let i = 0; i < pixels.length; i += 4) if (isRed(i)) red += 1;
  return red;
}"""
DEVICES = """() => {
  const canvas = document.querySelector(".map-points");
  if (!canvas) return 0;
  const pixels = new Uint32Array(canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.buffer);
  return pixels.filter((pixel) => pixel !== 0).length;
}"""


async def test_devices_and_a_fire_are_on_the_map_without_webgl_and_choosing_it_in_the_queue_looks_at_it(
    double: Double, sit_down: Open
):
    populate(double)
    fire = double.raise_alert(lon=LON + 0.02, lat=LAT + 0.01)
    page = await sit_down(**WALL)
    await page.wait_for_selector(".map[data-ready=true]")
    await until_page(page, f"({DEVICES})() > 1500")
    await until_page(page, f"({SHOWN})() > 30")
    await page.keyboard.press("j")
    await until_page(page, f"document.querySelector('#detail[data-alert=\"{fire['id']}\"]')")
    # it is in the middle now
    await page.wait_for_function(
        """() => {
          const canvas = document.querySelector(".map-alarms");
          const ink = canvas.getContext("2d");
          const [x, y] = [canvas.width / 2, canvas.height / 2];
          const [r, g, b] = ink.getImageData(x - 6, y + 4, 1, 1).data;
          return r > 120 && r > 2 * g && r > 2 * b;
        }"""
    )


async def test_a_click_on_an_alarm_selects_it_and_a_click_on_a_device_says_what_it_is(double: Double, sit_down: Open):
    populate(double, 1)
    double.registry.lon[1], double.registry.lat[1] = LON, LAT
    alert = double.raise_alert("hazard", 3, lon=LON + 0.001, lat=LAT)
    page = await sit_down(lang="en", **WALL)
    await page.wait_for_selector(".map[data-ready=true]")
    await until_page(page, f"({DEVICES})() > 10")
    box = await page.locator(".map-ground").bounding_box()
    assert box is not None
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    await page.mouse.click(*middle)
    await page.wait_for_selector(".map-found[data-device='u/d-1']")
    # a city of one device is looked at from zoom 17: 1.194 m of the map a pixel, 111.3 m of it for 0.001 degrees
    await page.mouse.click(middle[0] + 111.3 / 1.194, middle[1])
    await page.wait_for_selector(f"#detail[data-alert='{alert['id']}']")


async def test_an_alarm_out_of_sight_is_named_at_the_edge_and_leads_there(double: Double, sit_down: Open):
    populate(double, 50)
    far = double.raise_alert(lon=LON + 2, lat=LAT)
    page = await sit_down(**WALL)
    await page.wait_for_selector(".map-edge.e")
    assert "1" in await page.inner_text(".map-edge.e")
    await page.click(".map-edge.e")
    await until_page(page, f"document.querySelector('#detail[data-alert=\"{far['id']}\"]')")
    await until_page(page, "!document.querySelector('.map-edge')")


async def test_without_devices_or_base_map_the_queue_works_on(double: Double, sit_down: Open):
    double.base_map |= {"kind": "geojson", "url": "/api/v1/nothing-there"}
    alert = double.raise_alert(lon=None, lat=None)
    page = await sit_down(lang="en", **WALL)
    await page.wait_for_selector(".map-trouble")
    assert await page.locator("[data-placeless]").inner_text() == "1 without a place on the map"
    await page.keyboard.press("j")
    await page.keyboard.press("a")
    await page.wait_for_selector("[data-outcome=done]")
    assert [verb for verb, *_ in double.acts] == ["acknowledge"]
    assert double.alerts[alert["id"]]["state"] == "acknowledged"


async def test_on_a_phone_the_map_is_a_panel_and_its_key_closes_it(double: Double, sit_down: Open):
    populate(double, 50)
    page = await sit_down(viewport={"width": 390, "height": 844})
    await page.keyboard.press("p")
    await page.wait_for_selector("#panel[data-panel=map] .map[data-ready=true]")
    await page.keyboard.press("Escape")
    await until_page(page, "!document.querySelector('#panel')")


async def test_fires_are_heaped_only_in_the_very_same_place_and_the_worst_is_on_top(run: Run):  # noqa: F811
    found = await run(
        "../map/spots.js",
        """(m) => {
          const open = { lat: 0, state: "unacknowledged", hold: "none", raisedMs: 0 };
          const one = (id, priority, lon, name = "fault") => ({ id, priority, lon, class: name, ...open });
          const fires = [one("c", 1, 102, "fire"), one("d", 1, 112, "fire")];
          const spots = new m.Spots(([lon, lat]) => [lon, lat]);
          spots.take([...fires, one("b", 2, 103), one("a", 3, 100), one("e", 4, 100), one("f", 4, null)]);
          const heaped = m.heaps(spots.all, ({ x, y }) => [x, y]);
          const alarmsOf = (heap) => heap.spots.flatMap(({ alarms }) => alarms);
          return heaped.map((heap) => alarmsOf(heap).map(({ id }) => id));
        }""",
    )
    assert sorted(found) == [["b", "a", "e"], ["c"], ["d"]]


async def test_a_spot_counts_what_waits_there_and_names_the_first_of_it(run: Run):  # noqa: F811
    found = await run(
        "../map/spots.js",
        """(m) => {
          const place = { lon: 1, lat: 2, class: "fault", hold: "none", raisedMs: 0 };
          const one = (id, state) => ({ id, priority: 3, state, ...place });
          let asked = 0;
          const spots = new m.Spots((place) => (asked += 1) && place);
          const [c, b, a] = [one("c", "returned"), one("b", "unacknowledged"), one("a", "acknowledged")];
          spots.take([c, b, a]);
          spots.take([c, b]);
          const [{ waiting, foremost, alarms }] = spots.all;
          return [asked, waiting, foremost.id, alarms.length, spots.of("c") === spots.all[0], spots.of("a")];
        }""",
    )
    assert found == [1, 2, "c", 2, True, None]


async def test_after_one_hitch_of_the_page_the_map_does_not_rest_for_half_a_minute(run: Run):  # noqa: F811
    steps = """(m) => {
        const later = globalThis.setTimeout;
        let wait = null;
        globalThis.setTimeout = (take, ms) => (wait = ms);
        const hitch = { cost: 3_000, takenAt: performance.now(), selected: "", urgent: "0,0,0" };
        m.CityMap.prototype.show.call(hitch, [], [], "");
        globalThis.setTimeout = later;
        return wait;
    }"""
    assert 0 < await run("../map/citymap.js", steps) <= 1_000


async def test_after_a_cut_statuses_are_read_again_and_what_frames_say_meanwhile_is_newer(run: Run):  # noqa: F811
    steps = """async m => {
        const about = { count: 3, kinds: ["smoke"], statuses: ["online", "offline"] };
        const head = new TextEncoder().encode(JSON.stringify(about).padEnd(80));
        const snapshot = (...status) => {
            const bytes = new Uint8Array(8 + head.length + 30);
            bytes.set([70, 84, 68, 49]); new DataView(bytes.buffer).setUint32(4, head.length, true);
            bytes.set(head, 8); bytes.set(status, bytes.length - 3);
            return { ok: true, arrayBuffer: async () => bytes.buffer };
        };
        const real = globalThis.fetch;
        const answers = [snapshot(0, 0, 0)];
        globalThis.fetch = async () => answers.shift();
        const plant = new m.Plant({ api: { base: "", request: async () => ({ ok: true, data: {} }) } });
        await plant.load();
        let answer;
        globalThis.fetch = () => new Promise((done) => (answer = done));
        const again = plant.again();
        plant.take([{ number: 2, status: "offline" }]);
        answer(snapshot(0, 1, 0)); // as it was when it was asked for
        await again;
        globalThis.fetch = real;
        return [0, 1, 2].map((number) => plant.columns.statusOf(number));
    }"""
    assert await run("plant.js", steps) == ["online", "offline", "offline"]


async def test_the_grid_finds_every_point_of_a_view_and_survives_a_stray_one(run: Run):  # noqa: F811
    found: Any = await run(
        "../map/grid.js",
        """(m) => {
          const count = 5000;
          const x = Float64Array.from({ length: count }, (_, i) => (i * 7919) % 30011);
          const y = Float64Array.from({ length: count }, (_, i) => (i * 104729) % 29989);
          x[7] = 4e7; // somebody's device in the Pacific
          const grid = new m.PointGrid(x, y, Array.from({ length: count }, (_, i) => i), 500);
          const view = [5000, 6000, 9000, 9500];
          const seen = new Set();
          grid.within(view, (point) => seen.add(point));
          let missed = 0;
          for (let i = 0; i < count; i += 1) {
            const inside = x[i] >= view[0] && x[i] <= view[2] && y[i] >= view[1] && y[i] <= view[3];
            if (inside && !seen.has(i)) missed += 1;
          }
          return { missed, far: seen.size < count / 2, all: grid.members.length };
        }""",
    )
    assert found == {"missed": 0, "far": True, "all": 5000}


async def test_gcj02_moves_a_place_in_china_by_hundreds_of_metres_and_none_abroad(run: Run):  # noqa: F811
    moved = await run(
        "../map/crs.js",
        """async (m) => {
          const { metresBetween } = await import(m.base + "devices.js");
          const far = (crs, place) => metresBetween(...place, ...m.shiftTo(crs)(place));
          const [beijing, paris] = [[116.39, 39.9], [2.35, 48.85]];
          return [far("wgs84", beijing), far("gcj02", beijing), far("bd09", beijing), far("gcj02", paris)];
        }""",
    )
    assert moved[0] == 0
    assert 450 < moved[1] < 650  # the well-known offset at Tian'anmen, about 550 m
    assert 900 < moved[2] < 1700
    assert moved[3] == 0


async def test_the_nearest_water_is_found_by_distance_on_the_ground(run: Run):  # noqa: F811
    found = await run(
        "devices.js",
        """(m) => {
          const degrees = (places) => Int32Array.from(places, (each) => Math.round(each * 1e7));
          const columns = new m.DeviceColumns({ count: 4, kinds: ["smoke", "hydrant"], statuses: ["online"],
            lon: degrees([113.26, 113.262, 113.261, 113.3]), lat: degrees([23.13, 23.13, 23.13, 23.13]),
            kind: Uint8Array.from([0, 1, 1, 1]), status: new Uint8Array(4) });
          return columns.nearestWater(113.26, 23.13, 2).map(({ number, metres }) => [number, Math.round(metres)]);
        }""",
    )
    assert found == [[2, 102], [1, 205]]
