"""What the tests of screens share: which there are, the way to one, what holds on each, and files to look at."""

import re
from pathlib import Path
from typing import Any

from axe_playwright_python.async_playwright import Axe
from double_facts import Json, at
from playwright.async_api import Page

import firetower.web

CONSOLE = Path(firetower.web.__file__).parent / "console"

RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]},
    "resultTypes": ["violations"],
}
MODULE = 'document.querySelector("script[src]").src.replace(/app\\/main\\.js$/, "")'


def panels() -> list[str]:
    """Every panel there is, from the page's own list."""
    found = re.search(r"const PANELS = \{(.*?)\};", (CONSOLE / "ui" / "panels.js").read_text(), re.DOTALL)
    assert found
    return re.findall(r"([a-z_]+):", found[1])


async def opened(page: Page, name: str) -> None:
    await page.focus("#queue-list")
    await page.keyboard.press("KeyE")
    await page.click(f"[data-panel=more] [data-opens={name}]")
    await page.wait_for_selector(f"[data-panel={name}]")


async def sound(page: Page) -> None:
    """Nothing untranslated, no value that nobody filled in, nothing wider than the screen, axe clean."""
    text = await page.inner_text("#panel")
    assert not [word for word in ("⟦", "undefined", "NaN", "null", "[object") if word in text], text
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    found = await Axe().run(page, options=RULES)
    faults = [(fault["id"], [node["html"] for node in fault["nodes"]]) for fault in found.response["violations"]]
    assert not faults


def reading(metric: str, seconds_ago: float, value: float) -> Json:
    return {"ts": at(seconds_ago), "metric": metric, "count": 1, "min": value, "max": value, "mean": value,
            "last": value}  # fmt: skip


def device(name: str, **more: Any) -> Json:
    return {
        "unit": "mall-01", "unit_name": "万象城", "device": name, "kind": "electrical", "model": None,
        "status": "online", "place": "配电室", "lon": None, "lat": None, "interval_s": 10, "zone": "A/3/e",
        "main": None, "gateway": "gw-1", "attributes": {}, "registered_by": "import", "registered_at": at(9999),
        "retired_at": None, "last_seen_at": at(5),
        "quality": {"seq_missed": 3, "seq_repeated": 1, "clock_skew_s": None},
    } | more  # fmt: skip


NOTHING: Json = {"rate": None, "count": 0, "of": 0, "target": 0.9, "reached": None}
"""A rate of no device."""


def unit_file() -> Json:
    """What the service says of mall-01."""
    return {
        "unit": "mall-01", "name": "万象城", "category": "mall", "grid": "g1", "address": "路 1",
        "lon": None, "lat": None,
        "devices": {"online": 0, "offline": 0, "never_seen": 0}, "contact_name": None, "contact_phone": None,
        "registered_at": at(9), "buildings": [],
        "connection": {"must_connect": True, "given": None, "connected": False, "since": None},
        "rates": {"online": NOTHING, "intact": NOTHING, "never_reported": 0, "in_maintenance": 0},
    }  # fmt: skip
