"""`script/screenshots`: a seeded demo, and the pictures of the documentation taken from it, always named alike."""

import asyncio
import contextlib
import io
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.async_api import Browser, Page, async_playwright

from bench.screen import FLAGS, chromium
from firetower.core.child import free_port

FOLDER = Path(__file__).parent.parent / "docs" / "images"
PASSWORD = "pictures pictures"
SEED, DEVICES = 1, 500
READY_S, BURNING_S = 150, 75
"""Seconds until the demo must be up, and until something must burn in it."""
COLOURS = (256, 128, 64)
LIMIT = 300_000
"""Bytes of a picture."""
DESK, WALL, PHONE = (1366, 768), (1920, 1080), (390, 844)


@dataclass(frozen=True, slots=True)
class Picture:
    """``keys`` are pressed in turn; a key ``click:SELECTOR`` clicks what is there. ``shows`` must be in sight then."""

    name: str
    lang: str
    theme: str
    size: tuple[int, int]
    keys: tuple[str, ...]
    shows: str

    @property
    def file(self) -> str:
        """Its name in the folder."""
        return f"{self.name}-{self.lang[:2]}.png"


SELECT = ("Home", "KeyJ", "KeyK")
DEVICE = (*SELECT, "click:#detail .ways button >> nth=0")
PICTURES = (
    Picture("console", "en", "light", WALL, SELECT, "#detail .acknowledge"),
    Picture("console", "zh-CN", "dark", WALL, SELECT, "#detail .acknowledge"),
    Picture("alert", "en", "light", DESK, SELECT, "#detail .acknowledge"),
    Picture("alert", "zh-CN", "dark", DESK, SELECT, "#detail .acknowledge"),
    Picture("map", "en", "dark", DESK, ("KeyP",), ".map canvas.map-points"),
    Picture("map", "zh-CN", "light", DESK, ("KeyP",), ".map canvas.map-points"),
    Picture("device", "en", "light", DESK, DEVICE, "[data-panel=device] canvas"),
    Picture("device", "zh-CN", "dark", DESK, DEVICE, "[data-panel=device] canvas"),
    Picture("overview", "en", "light", DESK, ("KeyE", "click:[data-opens=overview]"), "[data-panel=overview]"),
    Picture("overview", "zh-CN", "dark", DESK, ("KeyE", "click:[data-opens=overview]"), "[data-panel=overview]"),
    Picture("watch", "en", "light", DESK, ("KeyI",), "[data-panel=watch]"),
    Picture("watch", "zh-CN", "dark", DESK, ("KeyI",), "[data-panel=watch]"),
    Picture("phone", "en", "light", PHONE, (), "#queue-list .row"),
    Picture("phone", "zh-CN", "dark", PHONE, (), "#queue-list .row"),
)


def squeezed(picture: bytes) -> bytes:
    """Return a PNG with a palette of at most LIMIT bytes; SystemExit where 64 colours are still too many."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    for colours in COLOURS:
        out = io.BytesIO()
        image.quantize(colours, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(
            out, "PNG", optimize=True
        )
        if out.tell() <= LIMIT:
            return out.getvalue()
    raise SystemExit(f"a picture has {out.tell():,} bytes with {COLOURS[-1]} colours; at most {LIMIT:,} are wanted")


@contextlib.contextmanager
def demo() -> Iterator[str]:
    """Give the address of a demo of its own, removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="firetower-pictures-") as folder:
        Path(folder).chmod(0o755)
        port = free_port()
        options = ["--port", str(port), "--mqtt-port", "0", "--data-dir", f"{folder}/data"]
        command = [sys.executable, "-m", "firetower", "demo", *options, "--devices", str(DEVICES), "--seed", str(SEED)]
        environment = {**os.environ, "FIRETOWER_ADMIN_PASSWORD": PASSWORD}
        with (Path(folder) / "said").open("wb") as said:
            running = subprocess.Popen(command, env=environment, stdout=said, stderr=said)
        try:
            url = f"http://127.0.0.1:{port}"
            _until_ready(url, running)
            yield url
        finally:
            running.send_signal(signal.SIGTERM)
            running.wait(30)


def _until_ready(url: str, running: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + READY_S
    while running.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/readyz", timeout=2):
            return
        time.sleep(0.2)
    raise SystemExit(f"the demo was not ready within {READY_S} s (status {running.poll()})")


@contextlib.asynccontextmanager
async def seat(browser: Browser, url: str, of: Picture) -> AsyncIterator[Page]:
    """Give a page signed in, its sound armed, in the picture's language, colours and size."""
    width, height = of.size
    phone = of.size == PHONE
    context = await browser.new_context(
        locale=of.lang, viewport={"width": width, "height": height}, has_touch=phone, is_mobile=phone,
        reduced_motion="reduce",
    )  # fmt: skip
    try:
        await context.add_init_script(f"localStorage.setItem('firetower.theme', '{of.theme}')")
        said = await context.request.post(f"{url}/api/v1/session", data={"username": "admin", "password": PASSWORD})
        if not said.ok:
            raise SystemExit(f"the demo refused the sign-in: {said.status}")
        page = await context.new_page()
        page.set_default_timeout(60_000)
        await page.goto(f"{url}/console/")
        await page.wait_for_selector("[data-feed=live]")
        await page.keyboard.press("Space")
        await page.wait_for_selector("[data-sound=armed]")
        yield page
    finally:
        await context.close()


async def take(browser: Browser, url: str, of: Picture) -> bytes:
    """Return one picture as PNG."""
    async with seat(browser, url, of) as page:
        for key in of.keys:
            if key.startswith("click:"):
                await page.click(key.removeprefix("click:"))
            else:
                await page.keyboard.press(key)
            await page.wait_for_timeout(300)
        await page.wait_for_selector(of.shows)
        await page.wait_for_timeout(1500)  # charts, tiles and what is fetched around an alert
        return await page.screenshot()


async def draw(url: str, folder: Path) -> None:
    """Take all pictures once something burns."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        try:
            async with seat(browser, url, PICTURES[0]) as page:
                await page.wait_for_selector("#queue-list .row.p1", timeout=BURNING_S * 1000)
            for each in PICTURES:
                picture = squeezed(await take(browser, url, each))
                (folder / each.file).write_bytes(picture)
                print(f"{each.file:20} {len(picture):>8,} bytes", flush=True)
        finally:
            await browser.close()


def main() -> None:
    """Write the pictures to the folder of the documentation, or to the one named."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    with demo() as url:
        asyncio.run(draw(url, folder))


if __name__ == "__main__":
    main()
