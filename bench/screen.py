"""A console on a real screen: Debian's Chromium without a graphics card, its frames, keys, memory and bytes."""

import asyncio
import contextlib
import json
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from playwright.async_api import CDPSession, Page, async_playwright

from bench.bare import Relay, bare
from bench.console import figures
from bench.stand import PASSWORD, Stand, resident_mib

FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-software-rasterizer", "--disable-background-networking",
    "--disable-component-update", "--disable-default-apps", "--disable-dev-shm-usage", "--disable-sync",
    "--no-first-run", "--autoplay-policy=no-user-gesture-required", "--mute-audio",
)  # fmt: skip
SIZE = {"width": 1920, "height": 1080}
PROBES = Path(__file__).parent / "screen.js"
LATE_FRAME_MS, STALLED_FRAME_MS = 33.4, 250


def chromium() -> str:
    """Return where the browser is; SystemExit with what to install where there is none."""
    path = shutil.which("chromium")
    if path is None:
        raise SystemExit("no chromium on this machine: apt-get install chromium fonts-noto-cjk")
    return path


def frames(times: list[float]) -> dict[str, float]:
    """Percentiles of some frame times in ms, frames a second, and the shares of late and stalled ones."""
    if not times:
        return {}
    total = np.array(times)
    p50, p95, p99 = np.percentile(total, [50, 95, 99])
    return {
        "fps": 1000 * len(times) / float(total.sum()), "p50": float(p50), "p95": float(p95), "p99": float(p99),
        "max": float(total.max()), "over_33": float((total > LATE_FRAME_MS).mean()),
        "over_250": float((total > STALLED_FRAME_MS).mean()), "n": len(times),
    }  # fmt: skip


def keys(pressed: list[dict[str, Any]]) -> dict[str, Any]:
    """Milliseconds from a key press until it was handled, and until its result was painted."""
    return {
        "handled": figures([one["handled"] for one in pressed if one["handled"] is not None]),
        "painted": figures([one["painted"] for one in pressed if one["painted"] is not None]),
        "without_result": sum(one["painted"] is None for one in pressed),
    }


@dataclass(frozen=True, slots=True)
class Memory:
    """What the page holds after a garbage collection; ``pss_mib``: of the process that draws it.

    Without files: a browser shares those with every other that runs, so they change when another starts or ends.
    """

    heap_mb: float
    nodes: int
    listeners: int
    pss_mib: float


NOT_KEPT = {"code", "native"}
"""Nodes of a heap snapshot that a page's script does not keep: compiled code, and what is the browser's own."""


def kept_mb(snapshot: str) -> float:
    """Return MB of the nodes of a V8 heap snapshot (JSON) that a page's script keeps."""
    read = json.loads(snapshot)
    meta = read["snapshot"]["meta"]
    fields, kinds = meta["node_fields"], meta["node_types"][0]
    nodes = np.array(read["nodes"], np.int64).reshape(-1, len(fields))
    left_out = [number for number, kind in enumerate(kinds) if kind in NOT_KEPT]
    counts = ~np.isin(nodes[:, fields.index("type")], left_out)
    return float(nodes[counts, fields.index("self_size")].sum()) / 1e6


@dataclass(slots=True)
class Screen:
    """One page at 1920x1080 with probes laid over it."""

    page: Page
    cdp: CDPSession
    renderer: int
    relay: Relay | None = None
    received: list[tuple[float, int]] = field(default_factory=list)
    devices: int = 0
    stumbles: int = 0
    troubles: list[str] = field(default_factory=list)

    async def first(self) -> dict[str, float]:
        """Return when what was first to be seen, in ms after the navigation began, and what had come over the wire.

        ``page_kb``: until the queue was live; ``map_kb``: until the map was drawn, with what the page fetches meanwhile
        for later; the list of devices is left out of both, it stands in ``wire_kb``.
        """
        await self.page.wait_for_function("() => Boolean(firetowerBench.ready.map)", timeout=60_000)
        ready = await self.page.evaluate("firetowerBench.ready")

        def until(name: str) -> float:
            began = self.received[0][0]  # when the page was asked for
            return sum(size for at, size in self.received if 1000 * (at - began) <= ready[name]) / 1000

        came = {"page_kb": until("live"), "map_kb": until("map"), "requests": len(self.received) - 1}
        came |= {"wire_kb": (sum(size for _, size in self.received) + self.devices) / 1000}
        paint = await self.page.evaluate(
            "performance.getEntriesByType('paint').find(one => one.name === 'first-contentful-paint')?.startTime"
        )
        return {"first_paint_ms": paint, "live_ms": ready["live"], "map_ms": ready["map"], **came}

    async def forget(self) -> None:
        """Let the renderer keep nothing of what it fetches from now on; its bytes are no longer counted."""
        if self.relay is None:
            raise RuntimeError("this browser keeps what it fetches for Playwright: ask for a screen that does not")
        await self.relay.forget()

    async def metrics(self) -> dict[str, float]:
        """Return what Chromium counts of the page."""
        said = await self.cdp.send("Performance.getMetrics")
        return {one["name"]: one["value"] for one in said["metrics"]}

    async def memory(self) -> Memory:
        """Collect garbage and return what is left."""
        for _ in range(2):  # what only a finalizer held goes with the second
            await self.cdp.send("HeapProfiler.collectGarbage")
        now = await self.metrics()
        own = resident_mib(self.renderer, "Pss_Anon", "Pss_Shmem")
        return Memory(now["JSHeapUsedSize"] / 1e6, int(now["Nodes"]), int(now["JSEventListeners"]), own)

    async def objects(self) -> float:
        """Collect garbage and return MB of what the page's script keeps: its heap but for code that V8 compiled of it.

        The page stands still for a second meanwhile.
        """
        parts: list[str] = []

        def take(of: dict[str, str]) -> None:
            parts.append(of["chunk"])

        self.cdp.on("HeapProfiler.addHeapSnapshotChunk", take)
        try:
            await self.cdp.send("HeapProfiler.collectGarbage")
            await self.cdp.send("HeapProfiler.takeHeapSnapshot", {"reportProgress": False})
        finally:
            self.cdp.remove_listener("HeapProfiler.addHeapSnapshotChunk", take)
            await self.cdp.send("HeapProfiler.disable")  # else the page notes each object of a snapshot for ever
        return await asyncio.to_thread(kept_mb, "".join(parts))

    async def begin(self) -> None:
        """Begin to record frames, keys and fires."""
        await self.page.evaluate("firetowerBench.begin()")

    async def end(self) -> dict[str, Any]:
        """Return what was recorded: ``frames`` in ms, ``keys`` and ``fires`` as bench/screen.js writes them."""
        recorded: dict[str, Any] = await self.page.evaluate("firetowerBench.end()")
        return recorded

    async def queued(self) -> int:
        """How many alerts the queue says it holds."""
        text = await self.page.inner_text("[data-queue-count]")
        return int("".join(digit for digit in text.split("/")[-1] if digit.isdigit()) or 0)

    async def sound(self) -> str:
        """What the page says of its sound: ``armed``, ``off``, ``muted``."""
        return await self.page.get_attribute("[data-sound]", "data-sound") or ""

    @contextlib.asynccontextmanager
    async def profiled(self, file: Path | None) -> AsyncIterator[None]:
        """Write a CPU profile of what happens meanwhile, for Chromium's developer tools; without a file do nothing."""
        if file is None:
            yield
            return
        await self.cdp.send("Profiler.enable")
        await self.cdp.send("Profiler.start")
        yield
        said = await self.cdp.send("Profiler.stop")
        await asyncio.to_thread(file.write_text, json.dumps(said["profile"]), "utf-8")


@contextlib.asynccontextmanager
async def screen(it: Stand, *, keeps: bool = True) -> AsyncIterator[Screen]:
    """Give the page of a seat that is signed in and whose sound is armed, from a cold cache.

    ``keeps``: as Playwright starts a browser, which holds what it fetched; else one that can `Screen.forget`.
    """
    async with async_playwright() as playwright, contextlib.AsyncExitStack() as stack:
        chrome, relay = playwright.chromium, None
        if keeps:
            browser = await chrome.launch(executable_path=chromium(), headless=True, args=list(FLAGS))
        else:
            relay = await stack.enter_async_context(bare(chromium(), FLAGS))
            browser = await chrome.connect_over_cdp(relay.address)
        try:
            context = await browser.new_context(viewport=SIZE, locale="zh-CN")  # type: ignore[arg-type]
            said = await context.request.post(
                f"{it.http_url}/api/v1/session", data={"username": "admin", "password": PASSWORD}
            )
            if not said.ok:
                raise SystemExit(f"the console's sign-in was refused: {said.status} {await said.text()}")
            await context.add_init_script(path=PROBES)
            page = await context.new_page()
            cdp = await context.new_cdp_session(page)
            whole = await browser.new_browser_cdp_session()
            one = Screen(page, cdp, 0, relay)
            page.on("pageerror", lambda error: one.troubles.append(str(error)))
            _count(one)
            for domain in ("Network", "Performance"):
                await cdp.send(f"{domain}.enable")
            await page.goto(f"{it.http_url}/console/")
            await page.wait_for_selector("[data-feed=live]", timeout=60_000)
            processes = (await whole.send("SystemInfo.getProcessInfo"))["processInfo"]
            renderers = [known["id"] for known in processes if known["type"] == "renderer"]
            one.renderer = max(renderers, key=resident_mib)  # the spare one is small
            await page.keyboard.press("Space")
            await page.wait_for_selector("[data-sound=armed]")
            yield one
        finally:
            await browser.close()


def _count(one: Screen) -> None:
    """Count what comes over the wire; of it what the list of devices on the map takes."""
    listed: set[str] = set()

    def begins(said: dict[str, Any]) -> None:
        if not one.received:
            one.received.append((said["timestamp"], 0))
        if said["request"]["url"].endswith("/devices/snapshot"):
            listed.add(said["requestId"])

    def finished(said: dict[str, Any]) -> None:
        size = int(said["encodedDataLength"])
        if said["requestId"] in listed:
            one.devices += size
        else:
            one.received.append((said["timestamp"], size))

    one.cdp.on("Network.requestWillBeSent", begins)
    one.cdp.on("Network.loadingFinished", finished)
