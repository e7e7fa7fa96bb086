"""Base maps with real data: PMTiles of their makers' writer, tiles of a server that is not ours, and broken ones."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web
from conftest import Open, until_page
from console_double import Double
from double_map import archive, colour_at, pad, picture, vector_layer
from playwright.async_api import Page
from pmtiles.tile import TileType
from test_map import LAT, LON, SHOWN, populate

pytestmark = pytest.mark.system

WALL = {"viewport": {"width": 1600, "height": 900}}
PLUM = (150, 40, 160)
WATER = {"dark": (0x17, 0x24, 0x2F), "light": (0xC6, 0xD6, 0xE2)}


class TileServer:
    """Somebody else's tiles on another port."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.away = False
        self.url = ""

    async def tile(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        return web.Response(status=503) if self.away else web.Response(body=picture(PLUM), content_type="image/png")


@pytest_asyncio.fixture(loop_scope="session")
async def tiles() -> AsyncIterator[TileServer]:
    server = TileServer()
    app = web.Application()
    app.router.add_get("/{z}/{x}/{y}.png", server.tile)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield server
    await runner.cleanup()


@pytest_asyncio.fixture(loop_scope="session")
async def double(tiles: TileServer) -> AsyncIterator[Double]:
    """The service's double, whose page may ask that server and nobody else."""
    made = Double()
    made.tiles_from = tiles.url
    populate(made, 1)
    made.registry.lon[1], made.registry.lat[1] = LON, LAT
    async with made.running() as running:
        yield running


GREYED = (72, 72, 72)
"""PLUM as what is old is shown: no colour, the same brightness."""


async def ground_is(page: Page, colour: tuple[int, int, int]) -> None:
    """Wait until the ground beside the middle has a colour."""
    seen = None
    for _ in range(60):
        box = await page.locator(".map-ground").bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"] / 2 + 70, box["y"] + box["height"] / 2 + 50
        seen = colour_at(await page.screenshot(clip={"x": x, "y": y, "width": 2, "height": 2}), 1, 1)
        if max(abs(one - other) for one, other in zip(seen, colour, strict=True)) <= 3:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"the ground is {seen}, not {colour}")


async def test_a_small_raster_file_is_kept_whole_so_that_a_lost_connection_leaves_no_blank_ground(
    double: Double, sit_down: Open, tmp_path: Path
):
    double.ground = archive(tmp_path / "city.pmtiles", TileType.PNG, lambda *_: picture(PLUM), 3)
    double.base_map |= {
        "kind": "pmtiles",
        "url": "/api/v1/map/base",
        "attribution": "© 测绘院",
        "review_number": "GS(2026)1",
    }
    page = await sit_down(theme="light", **WALL)
    await ground_is(page, PLUM)
    assert await page.inner_text(".map-source") == "© 测绘院 · GS(2026)1"
    assert double.ground_asked == ["HEAD", "GET"]
    await double.cut()
    double.ground = None
    for _ in range(6):  # to levels of the file that nothing was drawn of yet
        await page.click(".map-tools button >> nth=1")
    await page.wait_for_timeout(900)
    await ground_is(page, GREYED)
    assert double.ground_asked == ["HEAD", "GET"]
    double.heal()


async def test_a_large_vector_file_is_read_in_parts_and_drawn_in_the_colours_of_the_theme(
    double: Double, sit_down: Open, tmp_path: Path
):
    def tile(*_: int) -> bytes:
        sea = vector_layer("water", 3, [(0, 0), (2400, 0), (2400, 4096), (0, 4096)], kind="ocean")
        return sea + vector_layer("roads", 2, [(0, 10), (4096, 10)], kind="highway", name="环城路")

    double.ground = pad(archive(tmp_path / "city.pmtiles", TileType.MVT, tile, 2), 9 * 2**20)
    double.base_map |= {"kind": "pmtiles", "url": "/api/v1/map/base", "attribution": "© OpenStreetMap"}
    page = await sit_down(theme="dark", **WALL)
    await ground_is(page, WATER["dark"])
    assert double.ground_asked[0] == "HEAD"
    assert all(each.startswith("GET bytes=") for each in double.ground_asked[1:])
    await page.select_option("header select", "light")
    await ground_is(page, WATER["light"])


async def test_tiles_of_a_server_that_is_not_ours_and_what_is_said_when_they_do_not_come(
    double: Double, tiles: TileServer, sit_down: Open
):
    double.base_map |= {"kind": "tiles", "url": tiles.url + "/{z}/{x}/{y}.png", "attribution": "© tiles"}
    fire = double.raise_alert(lon=LON + 0.0003, lat=LAT)
    page = await sit_down(lang="en", theme="light", **WALL)
    await ground_is(page, PLUM)
    tiles.away = True
    for _ in range(3):
        await page.click(".map-tools button >> nth=1")
    await page.wait_for_selector(".map-trouble:has-text('Most of the base map does not come')")
    await until_page(page, f"({SHOWN})() > 30")
    await page.click("[data-side-of=sight]")
    await page.wait_for_selector(f"[data-in-sight='{fire['id']}']")
    tiles.away = False
    for _ in range(3):
        await page.click(".map-tools button >> nth=1")
    await page.wait_for_selector(".map-trouble", state="detached")


@pytest.mark.parametrize("broken", [b"PMTiles\x03", None])
async def test_a_broken_or_missing_file_says_so_and_alarms_are_on_the_map_all_the_same(
    double: Double, sit_down: Open, tmp_path: Path, broken: bytes | None
):
    if broken is not None:
        double.ground = tmp_path / "city.pmtiles"
        double.ground.write_bytes(broken)
    double.base_map |= {"kind": "pmtiles", "url": "/api/v1/map/base", "attribution": "© nobody"}
    double.raise_alert(lon=LON + 0.0003, lat=LAT)
    page = await sit_down(lang="en", **WALL)
    await page.wait_for_selector(".map-trouble:has-text('No base map')")
    await until_page(page, f"({SHOWN})() > 30")
