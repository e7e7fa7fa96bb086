"""Every panel there is, found in the page's own list, so that a new one is looked at without being named here."""

import re

import pytest
from axe_playwright_python.async_playwright import Axe
from conftest import Open, until_page
from console_double import Double
from screen_checks import CONSOLE, panels

pytestmark = pytest.mark.system

RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]},
    "resultTypes": ["violations"],
}
# Of something that must be chosen first: looked at where it is tested, with what it shows.
OF_SOMETHING = {"device", "unit", "script", "backtest"}
SMALL = """() => [...document.querySelectorAll("#panel button, #panel select, #panel input")]
    .filter(e => e.offsetParent)
    .filter(e => e.type !== "radio" && e.type !== "checkbox")
    .map(e => [e.outerHTML.slice(0, 80), e.getBoundingClientRect()])
    .filter(([, r]) => r.width < 24 || r.height < 24).map(([what]) => what)"""


def keys() -> dict[str, str]:
    """Commands by one key without Shift."""
    text = (CONSOLE / "core" / "keys.js").read_text()
    return {command: code for code, command in re.findall(r'\{ code: "(Key\w)", command: "(\w+)"', text)}


@pytest.mark.timeout(240)  # of fourteen screens
async def test_every_panel_is_reached_has_its_words_fits_and_axe_finds_nothing(double: Double, sit_down: Open):
    """At 1366x768, and at a width of 683, which is what 200 % leaves of it: nothing is scrolled sideways."""
    assert len(panels()) >= 17
    double.raise_alert()
    page = await sit_down(lang="en", theme="light", who="ada", reduced_motion="reduce")
    by_key = keys()
    for name in panels():
        if name in OF_SOMETHING:
            continue
        await page.focus("#queue-list")
        await page.keyboard.press(by_key.get(name, by_key["more"]))
        if name not in by_key:
            await page.click(f"[data-opens='{name}']")
        await page.wait_for_selector(f"[data-panel='{name}']")
        await until_page(page, "!document.querySelector('#panel [aria-busy=true]')")
        found = await Axe().run(page, context="#panel", options=RULES)  # the rest is test_a11y.py's
        faults = [(fault["id"], [node["html"] for node in fault["nodes"]]) for fault in found.response["violations"]]
        assert not faults, name
        assert "⟦" not in await page.inner_text("body"), name
        assert await page.evaluate(SMALL) == [], name
        await page.set_viewport_size({"width": 683, "height": 384})
        assert await page.evaluate("document.documentElement.scrollWidth") <= 683, name
        await page.set_viewport_size({"width": 1366, "height": 768})
        await page.keyboard.press("Escape")
