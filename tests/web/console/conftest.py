"""Fixtures of the page tests: Debian's chromium, a double of the service, a seat signed in at it."""

import asyncio
import contextlib
import os
import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, Literal

import pytest
import pytest_asyncio

sys.path.insert(0, str(Path(__file__).parent))  # console_double.py, under importlib mode

from console_double import Double
from playwright.async_api import Browser, ConsoleMessage, Error, Page, ViewportSize, async_playwright

from firetower.core.child import free_port

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

# A theme is chosen once, before the page is first read; afterwards it is the page's own.
TAKE_THEME = """
const [, wanted] = /wanted_theme=(\\w+)/.exec(document.cookie) ?? [];
if (wanted && !localStorage.getItem("firetower.theme")) localStorage.setItem("firetower.theme", wanted);
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


@pytest.fixture(scope="session")
def port() -> int:
    """Where one double listens after the other: a page that is used again knows the files by their address."""
    return free_port()


@pytest_asyncio.fixture(loop_scope="session")
async def double(port: int) -> AsyncIterator[Double]:
    """The service's double, without alerts."""
    async with Double().running(port) as running:
        yield running


async def until_page(page: Page, expression: str) -> None:
    """Wait until a JavaScript expression is true in the page."""
    await page.wait_for_function(f"() => Boolean({expression})")


Open = Callable[..., Awaitable[Page]]


class Pages:
    """Pages that are used again by one test after the other.

    A page in a process of its own costs four times what loading the console into one that is warm does: fonts, compiled
    modules, the cache. What a test could leave behind is taken away: cookies, storage, routes, listeners, pointer and
    size.
    """

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._free: dict[str, list[Page]] = {}

    async def take(self, options: dict[str, Any]) -> Page:
        """A blank page of a context with these options."""
        free = self._free.setdefault(repr(sorted(options.items())), [])
        if free:
            return free.pop()
        context = await self._browser.new_context(**options)
        await context.add_init_script(COUNT_TONES)
        await context.add_init_script(TAKE_THEME)
        return await context.new_page()

    async def give_back(self, page: Page, options: dict[str, Any]) -> None:
        """Leave nothing of the test in it; one that cannot be cleaned is closed."""
        try:
            await page.unroute_all(behavior="ignoreErrors")
            await page.evaluate("localStorage.clear(), sessionStorage.clear()")
            await page.mouse.move(0, 0)
            await page.goto("about:blank")
            await page.context.clear_cookies()
        except Error:
            await page.context.close()
        else:
            self._free[repr(sorted(options.items()))].append(page)


@pytest.fixture(scope="session")
def pages(browser: Browser) -> Pages:
    return Pages(browser)


@pytest_asyncio.fixture(loop_scope="session")
async def sit_down(browser: Browser, pages: Pages, double: Double) -> AsyncIterator[Open]:
    """Opens a console already signed in: ``await sit_down(lang="en", arm=True, who="wang", **context options)``.

    Two of one test never share cookies or storage. Fails when the page broke its content security policy or threw.
    """
    troubles: list[str] = []
    opened: list[tuple[Page, dict[str, Any]]] = []

    def threw(error: Exception) -> None:
        troubles.append(str(error))

    def said(message: ConsoleMessage) -> None:
        if "Content Security" in message.text:
            troubles.append(message.text)

    async def open_(
        *,
        lang: str = "zh-CN",
        arm: bool = True,
        who: str = "wang",
        theme: str = "",
        signed_in: bool = True,
        viewport: ViewportSize | None = None,
        reduced_motion: Literal["reduce", "no-preference"] = "no-preference",
        forced_colors: Literal["active", "none"] = "none",
        **options: Any,
    ) -> Page:
        options["locale"] = lang
        page = await pages.take(options)
        opened.append((page, options))
        page.set_default_timeout(10_000)
        page.set_default_navigation_timeout(30_000)
        await page.set_viewport_size(viewport or {"width": 1366, "height": 768})
        await page.emulate_media(reduced_motion=reduced_motion, forced_colors=forced_colors)
        cookies = {"firetower_session": who} if signed_in else {}
        cookies |= {"wanted_theme": theme} if theme else {}
        await page.context.add_cookies(
            [{"name": name, "value": value, "url": double.url} for name, value in cookies.items()]
        )
        page.on("pageerror", threw)
        page.on("console", said)
        await page.goto(f"{double.url}/console/")
        if signed_in:
            await page.wait_for_selector("[data-feed=live]")
        if arm:
            await page.keyboard.press("Space")
            await page.wait_for_selector("[data-sound=armed]")
        return page

    yield open_
    for page, options in opened:
        page.remove_listener("pageerror", threw)
        page.remove_listener("console", said)
        await pages.give_back(page, options)
    assert not troubles, troubles
