"""What the tests of screens share: the way to one, and what holds on each of them."""

from axe_playwright_python.async_playwright import Axe
from double_facts import Json, at
from playwright.async_api import Page

RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]},
    "resultTypes": ["violations"],
}
MODULE = 'document.querySelector("script[src]").src.replace(/app\\/main\\.js$/, "")'


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
