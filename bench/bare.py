"""A Chromium that keeps nothing of what a page fetched for Playwright, which drives it, from when it is told to forget.

``Network.enable``, which Playwright sends each page, has the renderer keep the body of every answer up to 200 MB in all
and, whatever it is asked to keep of bodies, a record of every request for ever: 288 bytes each, strewn over pages of
memory that then cannot be given back. In six hours' events there were 10,000, and the heap they lie in grew by 40 MiB.
"""

import asyncio
import contextlib
import itertools
import json
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import aiohttp
from aiohttp import web

OWN_IDS = 1 << 30
"""Numbers of commands from here on are not Playwright's."""
STARTS_WITHIN_S = 60
ENDS_WITHIN_S = 20
_ALIKE = (
    "--headless", "--hide-scrollbars", "--no-startup-window", "--force-color-profile=srgb",
    "--disable-field-trial-config", "--disable-back-forward-cache", "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows", "--disable-renderer-backgrounding", "--disable-hang-monitor",
    "--metrics-recording-only", "--password-store=basic",
)  # fmt: skip
"""What Playwright starts its own with, as far as a page could tell."""


class Relay:
    """What passes between Playwright and the browser; ``address`` is for ``connect_over_cdp``."""

    def __init__(self) -> None:
        self.address = ""
        self._looking: set[str | None] = set()
        self._back: aiohttp.ClientWebSocketResponse | None = None
        self._forgets = False
        self._asked = itertools.count(OWN_IDS)

    async def forget(self) -> None:
        """Have every session end its look at the network, and those to come never begin one."""
        self._forgets = True
        while self._back and self._looking:
            session = self._looking.pop()
            whose = {"sessionId": session} if session else {}
            await self._back.send_json({"id": next(self._asked), "method": "Network.disable", **whose})

    def passed(self, command: str) -> str:
        """A command on its way to the browser, as it goes on from here."""
        if '"Network.enable"' not in command:
            return command
        said = json.loads(command)
        if said.get("method") != "Network.enable":
            return command
        if self._forgets:
            return json.dumps({**said, "method": "Network.disable", "params": {}})
        self._looking.add(said.get("sessionId"))
        return command

    async def serve(self, request: web.Request, behind: str) -> web.WebSocketResponse:
        """Pass on to ``behind`` and back until either side ends."""
        front = web.WebSocketResponse(max_msg_size=0, compress=False)
        await front.prepare(request)
        async with aiohttp.ClientSession() as http, http.ws_connect(behind, max_msg_size=0) as back:
            self._back = back
            answering = asyncio.create_task(_answer(back, front), name="answers of the browser")
            try:
                async for asked in front:
                    await back.send_str(self.passed(asked.data))
            finally:
                answering.cancel()
                await asyncio.gather(answering, return_exceptions=True)
        return front


async def _answer(back: aiohttp.ClientWebSocketResponse, front: web.WebSocketResponse) -> None:
    async for said in back:
        if not own(said.data):
            await front.send_str(said.data)
    await front.close()


def own(answer: str) -> bool:
    """Whether the relay itself had asked."""
    return answer.startswith('{"id":') and int(json.loads(answer)["id"]) >= OWN_IDS


@contextlib.asynccontextmanager
async def bare(executable: str, flags: Sequence[str]) -> AsyncIterator[Relay]:
    """Give the way to a browser of its own; SystemExit with what it said if it does not start."""
    with tempfile.TemporaryDirectory(prefix="firetower-bench-", ignore_cleanup_errors=True) as folder:
        profile, log = Path(folder) / "profile", Path(folder) / "chromium.log"
        with log.open("wb") as said:
            browser = await asyncio.create_subprocess_exec(
                executable, *flags, *_ALIKE, "--remote-debugging-port=0", f"--user-data-dir={profile}",
                stdout=said, stderr=said,
            )  # fmt: skip
        try:
            behind = await _address(browser, profile / "DevToolsActivePort", log)
            async with _relay(behind) as relay:
                yield relay
        finally:
            await _end(browser)


async def _address(browser: asyncio.subprocess.Process, file: Path, log: Path) -> str:
    until = time.monotonic() + STARTS_WITHIN_S
    while browser.returncode is None and time.monotonic() < until:
        with contextlib.suppress(FileNotFoundError):
            lines = (await asyncio.to_thread(file.read_text, "ascii")).splitlines()
            if len(lines) == 2:
                return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
        await asyncio.sleep(0.1)
    said = (await asyncio.to_thread(log.read_text, "utf-8", "replace"))[-2000:]
    raise SystemExit(f"Chromium did not say within {STARTS_WITHIN_S} s where it is driven from: {said}")


async def _end(browser: asyncio.subprocess.Process) -> None:
    if browser.returncode is None:
        browser.terminate()
    try:
        await asyncio.wait_for(browser.wait(), ENDS_WITHIN_S)
    except TimeoutError:
        browser.kill()
        await browser.wait()


@contextlib.asynccontextmanager
async def _relay(behind: str) -> AsyncIterator[Relay]:
    relay, app = Relay(), web.Application()

    async def serve(request: web.Request) -> web.WebSocketResponse:
        return await relay.serve(request, behind)

    app.router.add_get("/", serve)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        relay.address = f"ws://127.0.0.1:{runner.addresses[0][1]}/"
        yield relay
    finally:
        await runner.cleanup()
