"""Fixtures of the page tests: Debian's chromium, a double of the service, a seat signed in at it."""

import asyncio
import contextlib
import os
import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

sys.path.insert(0, str(Path(__file__).parent))  # console_double.py, under importlib mode

from console_double import Double
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-software-rasterizer",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--disable-sync",
    "--no-first-run",
    "--autoplay-policy=no-user-gesture-required",
    "--mute-audio",
]

# Counts the tones a page schedules, by pitch, without any hook in the page itself.
COUNT_TONES = """
globalThis.tones = [];
const create = AudioContext.prototype.createOscillator;
AudioContext.prototype.createOscillator = function () {
  const oscillator = create.call(this);
  const start = oscillator.start;
  oscillator.start = function (at) { globalThis.tones.push(this.frequency.value); return start.call(this, at); };
  return oscillator;
};
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One event loop, and so one browser, for all page tests of a worker."""
    for item in items:
        if Path(__file__).parent in item.path.parents and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Debian's chromium, headless; skipped without it unless CONSOLE_REQUIRE_BROWSER=1."""
    path = shutil.which("chromium")
    if path is None:
        reason = "no chromium on this machine: apt-get install chromium fonts-noto-cjk"
        if os.environ.get("CONSOLE_REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=path, headless=True, args=FLAGS)
        try:
            yield chromium
        finally:
            with contextlib.suppress(TimeoutError):  # it ends with the driver all the same
                async with asyncio.timeout(20):
                    await chromium.close()


@pytest_asyncio.fixture(loop_scope="session")
async def double() -> AsyncIterator[Double]:
    """The service's double, without alerts."""
    async with Double().running() as running:
        yield running


async def until_page(page: Page, expression: str) -> None:
    """Wait until a JavaScript expression is true in the page."""
    await page.wait_for_function(f"() => Boolean({expression})")


Open = Callable[..., Awaitable[Page]]


@pytest_asyncio.fixture(loop_scope="session")
async def sit_down(browser: Browser, double: Double) -> AsyncIterator[Open]:
    """Opens a console already signed in: ``await sit_down(lang="en", arm=True, who="wang", **context options)``.

    Fails when the page broke its content security policy or threw.
    """
    troubles: list[str] = []
    contexts: list[BrowserContext] = []

    async def open_(
        *,
        lang: str = "zh-CN",
        arm: bool = True,
        who: str = "wang",
        theme: str = "",
        signed_in: bool = True,
        **options: Any,
    ) -> Page:
        context = await browser.new_context(**{"locale": lang, "viewport": {"width": 1366, "height": 768}} | options)
        contexts.append(context)
        if signed_in:
            await context.add_cookies([{"name": "firetower_session", "value": who, "url": double.url}])
        await context.add_init_script(COUNT_TONES)
        if theme:
            await context.add_init_script(f"localStorage.setItem('firetower.theme', '{theme}')")
        page = await context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", lambda said: troubles.append(said.text) if "Content Security" in said.text else None)
        await page.goto(f"{double.url}/console/")
        if signed_in:
            await page.wait_for_selector("[data-feed=live]")
        if arm:
            await page.keyboard.press("Space")
            await page.wait_for_selector("[data-sound=armed]")
        return page

    yield open_
    for context in contexts:
        await context.close()
    assert not troubles, troubles
