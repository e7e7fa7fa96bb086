"""The operator of `script/bench console-soak`: rounds through all of the page, and the one state it is measured in."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial

from playwright.async_api import Page
from playwright.async_api import TimeoutError as PlaywrightTimeout

from bench.screen import Screen
from bench.shift import Shift

PANELS = ("KeyB", "KeyD", "KeyO", "KeyN", "KeyI", "KeyE", "KeyH")
FORMS = ("KeyV", "KeyF", "KeyC", "KeyL", "KeyT")
THEMES = ("dark", "dim", "light")
LANGUAGES = ("en", "zh-CN")
KEY_S, PANEL_S, ZOOM_S, SETTING_S = 0.4, 1.5, 0.5, 5.0
"""How long an operator looks at what a key, a panel, a turn of the wheel or a setting shows, s."""
ANSWERED_S = 0.1
"""As long a panel stays open in the most hurried shift, so that what it asks for has come."""
PATIENCE_MS = 5_000
_SAME = """() => Boolean(!document.querySelector('.help, #panel, #detail, .row.selected, [data-banner=missed]')
    && !document.querySelector('#queue-filter')?.value && document.getElementById('queue-list').scrollTop === 0
    && document.documentElement.dataset.theme === 'dark' && document.documentElement.lang === 'zh-CN'
    && !document.querySelector('.map-edge') && document.querySelector('[data-feed=live]'))"""
"""Yes or no: an element as the answer would be kept for ever, one more each time it is asked."""
Step = Callable[[], Awaitable[None]]


class Operator:
    """Works until cancelled; between two steps the page may be taken by whoever waits for ``hand``."""

    def __init__(self, one: Screen, shift: Shift) -> None:
        self._one, self._shift = one, shift
        self.hand = asyncio.Lock()
        self.rounds = 0
        self._cut_at = time.monotonic() + shift.each(shift.cut_s)

    async def work(self) -> None:
        """Round after round, the next when it is due or the last one is over."""
        due = time.monotonic()
        while True:
            await self.round()
            due = max(due + self._shift.each(self._shift.round_s), time.monotonic())
            await asyncio.sleep(due - time.monotonic())

    async def round(self) -> None:
        """Everything a shift does with the page, once.

        Where the machine is too busy for one step the round is left and noted: what is measured is what the page keeps.
        """
        number = self.rounds
        try:
            async for step in self._steps(number):
                async with self.hand:
                    await step()
        except PlaywrightTimeout as err:
            self._one.stumbles += 1
            print(f"a round of the operator was left: {str(err).splitlines()[0]}", flush=True)
        self.rounds = number + 1

    async def _steps(self, number: int) -> AsyncIterator[Step]:
        yield self._look_around
        for key in FORMS:
            yield partial(self._form, key)
        for key in PANELS:
            yield partial(self._panel, key)
        names: list[str] = []
        yield partial(self._read_more, names)
        for name in names:
            yield partial(self._panel, "KeyE", name)
        yield self._map
        yield partial(self._setting, THEMES[number % 3], LANGUAGES[number % 2])
        if time.monotonic() > self._cut_at:
            self._cut_at = time.monotonic() + self._shift.each(self._shift.cut_s)
            yield self._cut

    async def _pause(self, seconds: float, least: float = 0.0) -> None:
        """Look at it; hurried, until it is painted."""
        if not self._shift.hurried:
            await asyncio.sleep(seconds)
            return
        await self._one.page.evaluate("new Promise(requestAnimationFrame)")
        await asyncio.sleep(least)

    async def _press(self, *keys: str) -> None:
        for key in keys:
            await self._one.page.keyboard.press(key)
            await self._pause(KEY_S)

    async def _look_around(self) -> None:
        await self._one.page.focus("#queue-list")
        await self._press("Home", "KeyJ", "KeyJ", "KeyA", "KeyJ", "KeyK")

    async def _form(self, key: str) -> None:
        """The form of an act on the first alert that has it; nothing is written."""
        await self._one.page.focus("#queue-list")
        await self._press("Home", key, "Escape", "Escape")

    async def _panel(self, key: str, name: str = "") -> None:
        page = self._one.page
        await page.focus("#queue-list")
        await page.keyboard.press(key)
        await _there(page, "#panel")
        if name:
            await page.click(f"#panel [data-opens={name}]")
            await _there(page, f"#panel[data-panel={name}]")
        await self._pause(PANEL_S, ANSWERED_S)
        await self._press("Escape")
        if await page.locator("#panel").count():  # a field of it had the first one
            await self._press("Escape")

    async def _read_more(self, names: list[str]) -> None:
        """Which panels are behind "more"; the map is one of them where it has no place of its own."""
        page = self._one.page
        await page.focus("#queue-list")
        await page.keyboard.press("KeyE")
        await _there(page, "#panel [data-opens] >> nth=0")
        names += await page.eval_on_selector_all("#panel [data-opens]", "all => all.map((one) => one.dataset.opens)")
        await self._press("Escape")

    async def _map(self) -> None:
        box = await self._one.page.locator(".map-ground").bounding_box()
        if box is None:
            return
        mouse, x, y = self._one.page.mouse, box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        await self._press("KeyP")
        await mouse.move(x, y)
        for by in (-300, 300):
            await mouse.wheel(0, by)
            await self._pause(ZOOM_S)

    async def _setting(self, theme: str, language: str) -> None:
        await choose(self._one, theme, language)
        await self._pause(SETTING_S)

    async def _cut(self) -> None:
        await self._one.page.evaluate("firetowerBench.socket.close()")
        await _there(self._one.page, "[data-feed=live]", within_s=60)


async def _there(page: Page, selector: str, *, within_s: float = 30) -> None:
    """Wait for an element without a handle to it: what ``wait_for_selector`` gives keeps the element for ever."""
    await page.locator(selector).wait_for(timeout=1000 * within_s)


async def choose(one: Screen, theme: str, language: str) -> None:
    """Set theme and language with the header's own switches."""
    button = f".switches button[lang='{language}']"
    if await one.page.locator(button).count():
        await one.page.click(button)
    await one.page.select_option(".switches select", theme)


async def alike(one: Screen) -> bool:
    """Bring the page to the state each sample is taken in; return whether it was quiet then, though alarms still come.

    Live, in Chinese and dark; nothing selected, filtered or open; the queue at its top; the map at the whole city.
    Raises playwright's TimeoutError where that does not come about.
    """
    page = one.page
    await _there(page, "[data-feed=live]", within_s=60)
    await choose(one, THEMES[0], LANGUAGES[1])
    read = page.locator("[data-banner=missed] button")
    if await read.count():
        await read.click()
    await page.mouse.move(0, 0)
    await page.focus("#queue-list")
    for attempt in itertools.count(1):
        for key in ("Escape", "Escape"):
            await page.keyboard.press(key)
        await page.evaluate("location.hash = ''; document.getElementById('queue-list').scrollTop = 0")
        await page.keyboard.press("KeyP")  # back to where the map was before an alarm was looked at, if any was
        await page.evaluate(f"firetowerBench.quiet({PATIENCE_MS})")
        await page.keyboard.press("KeyP")  # from there to the whole city
        quiet = bool(await page.evaluate(f"firetowerBench.quiet({PATIENCE_MS})"))
        try:
            await page.wait_for_function(_SAME, timeout=PATIENCE_MS)
        except PlaywrightTimeout:
            if attempt == 3:
                raise
        else:
            return quiet
    raise AssertionError("the attempts end")
