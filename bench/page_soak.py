"""`script/bench console-soak`: one page at work for hours; what it holds after a garbage collection must stay level."""

import asyncio
import itertools
import time
from dataclasses import asdict
from typing import Any

import aiohttp
import numpy as np
from playwright.async_api import TimeoutError as PlaywrightTimeout

from bench.generator import Load, generator
from bench.screen import Screen, screen
from bench.stand import Stand, stand

DEVICES = 10_000
TELEMETRY = 20
"""Messages/s all the while."""
ALARMS = 0.5
"""A second; each is acknowledged and closed by somebody else, as many as come."""
OPEN_AT_MOST = 60
SAMPLE_S, RECONNECT_S = 60, 600
SETTLED_S = 300
"""Samples before do not count: caches fill, the compiler has not finished."""
PANELS = ("KeyB", "KeyD", "KeyO", "KeyI", "KeyE", "KeyH")
THEMES = ("dark", "dim", "light")
FIGURES = ("heap_mb", "nodes", "listeners", "pss_mib")


def measure(*, quick: bool, hours: float | None = None) -> dict[str, Any]:
    """Run for ``hours`` (quick: 10 minutes, else 24 hours) and fit a line through each figure."""
    lasts = (hours or (1 / 6 if quick else 24)) * 3600
    with stand(devices=DEVICES, on_map=True) as (it, _):
        return asyncio.run(_measure(it, lasts))


def slope(samples: list[dict[str, float]], name: str, *, settled: float = SETTLED_S) -> dict[str, float]:
    """Fit ``name`` over ``at`` (s), least squares: growth an hour and its standard error; {} of fewer than 3."""
    kept = [one for one in samples if one["at"] >= settled]
    if len(kept) < 3:
        return {}
    hours = np.array([one["at"] for one in kept]) / 3600
    values = np.array([one[name] for one in kept])
    away = hours - hours.mean()
    per_hour = float((away * values).sum() / (away**2).sum())
    rest = values - values.mean() - per_hour * away
    error = float(np.sqrt((rest**2).sum() / (len(kept) - 2) / (away**2).sum()))
    return {"per_hour": per_hour, "error": error, "first": float(values[0]), "last": float(values[-1])}


def slopes(samples: list[dict[str, float]]) -> dict[str, Any]:
    """Growth of each figure; memory in kB an hour beside MB."""
    fitted = {name: slope(samples, name) for name in FIGURES}
    result: dict[str, Any] = {"fitted": fitted}
    for name, figure in (("heap_kb_per_hour", "heap_mb"), ("pss_kb_per_hour", "pss_mib")):
        if fitted[figure]:
            result[name] = 1000 * fitted[figure]["per_hour"]
            result[f"{name}_error"] = 1000 * fitted[figure]["error"]
    for name in ("nodes", "listeners"):
        if fitted[name]:
            result[f"{name}_per_hour"] = fitted[name]["per_hour"]
    return result


async def _measure(it: Stand, lasts: float) -> dict[str, Any]:
    samples: list[dict[str, float]] = []
    load = Load(it.mqtt_url, int(TELEMETRY * lasts) + 1, DEVICES, rate=TELEMETRY, stride=7)
    alarms = Load(
        it.mqtt_url, int(ALARMS * lasts) + 1, 900, time.time_ns() // 1_000_000, ALARMS, "alarm", event="fault", stride=7
    )
    fires = Load(
        it.mqtt_url, int(ALARMS * lasts / 5) + 1, 900, time.time_ns() // 1_000_000, ALARMS / 5, "alarm", stride=7
    )
    async with (
        screen(it) as one,
        generator(load) as readings,
        generator(alarms) as raising,
        generator(fires) as burning,
    ):
        await one.first()
        began = time.monotonic()
        for each in (readings, raising, burning):
            await each.begin()
        tasks = [
            asyncio.create_task(work, name=name)
            for name, work in {
                "readings": readings.done(), "alarms": raising.done(), "fires": burning.done(),
                "desk": _close_the_oldest(it), "operator": _operate(one, began),
            }.items()
        ]  # fmt: skip
        try:
            while (at := time.monotonic() - began) < lasts:
                await asyncio.sleep(min(SAMPLE_S - at % SAMPLE_S, lasts - at))
                samples.append({"at": time.monotonic() - began, **asdict(await one.memory())})
                _say(samples[-1])
                for task in tasks[3:]:
                    if task.done():
                        task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        errors = len(one.troubles)
    result = {
        "hours": lasts / 3600,
        "samples": samples,
        "page_errors": errors,
        "rounds_left": one.stumbles,
        **slopes(samples),
    }
    for name, fitted in result["fitted"].items():
        if fitted:
            span = f"{fitted['first']:10.1f} -> {fitted['last']:10.1f}"
            print(f"{name:10} {span}, {fitted['per_hour']:+.2f} ± {fitted['error']:.2f} an hour")
    return result


def _say(sample: dict[str, float]) -> None:
    print(f"{sample['at'] / 60:7.1f} min  heap {sample['heap_mb']:.2f} MB  nodes {sample['nodes']}  listeners"
          f" {sample['listeners']}  renderer {sample['pss_mib']:.0f} MiB", flush=True)  # fmt: skip


async def _close_the_oldest(it: Stand) -> None:
    """Somebody else's seat: keeps the queue at OPEN_AT_MOST."""
    keys = itertools.count()
    token = await asyncio.to_thread(it.token)
    async with aiohttp.ClientSession(f"{it.http_url}/api/v1/", headers={"Authorization": f"Bearer {token}"}) as http:
        while True:
            async with http.get(
                "alerts", params={"state": "unacknowledged,acknowledged,returned", "limit": "500"}
            ) as answer:
                answer.raise_for_status()
                items = sorted((await answer.json())["items"], key=lambda alert: alert["raised_at"])
            for alert in items[: max(0, len(items) - OPEN_AT_MOST)]:
                fire = alert["class"] == "fire"
                steps = {
                    "acknowledge": {},
                    "verify": {"result": "false", "method": "video", "cause": "dust"},
                    "close": {"disposition": "false_alarm", "cause": "dust"}
                    if fire
                    else {"disposition": "hazard_fixed"},
                }
                for verb, body in steps.items():
                    if (verb == "verify" and not fire) or (verb == "acknowledge" and alert["state"] == "acknowledged"):
                        continue
                    key = {"Idempotency-Key": f"soak-{time.time_ns()}-{next(keys)}"}
                    async with http.post(f"alerts/{alert['id']}/{verb}", json=body, headers=key) as answer:
                        if answer.status not in {200, 409}:
                            raise SystemExit(f"{verb} of an alert was refused: {answer.status} {await answer.text()}")
            await asyncio.sleep(5)


async def _operate(one: Screen, began: float) -> None:
    """Everything a shift does with the page, round after round; a cut of the connection each RECONNECT_S.

    Where the machine is too busy for one step the round is left and noted: what is measured is what the page keeps.
    """
    cuts = 1
    for number in itertools.count():
        try:
            for act in (_look_around, _panels, _map):
                await act(one)
            await _setting(one, THEMES[number % 3], ("en", "zh-CN")[number % 2])
            if time.monotonic() - began > cuts * RECONNECT_S:
                cuts += 1
                await one.page.evaluate("firetowerBench.socket.close()")
                await one.page.wait_for_selector("[data-feed=live]", timeout=60_000)
        except PlaywrightTimeout as err:
            one.stumbles += 1
            print(f"a round of the operator was left: {str(err).splitlines()[0]}", flush=True)


async def _press(one: Screen, *keys: str, each: float = 0.4) -> None:
    for key in keys:
        await one.page.keyboard.press(key)
        await asyncio.sleep(each)


async def _look_around(one: Screen) -> None:
    await one.page.focus("#queue-list")
    await _press(one, "Home", "KeyJ", "KeyJ", "KeyA", "KeyV", "Escape", "KeyK", "Escape")


async def _panels(one: Screen) -> None:
    for key in PANELS:
        await one.page.focus("#queue-list")
        await _press(one, key, each=1.5)
        await _press(one, "Escape")


async def _map(one: Screen) -> None:
    box = await one.page.locator(".map-ground").bounding_box()
    if box is None:
        return
    mouse, x, y = one.page.mouse, box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    await _press(one, "KeyP")
    await mouse.move(x, y)
    for by in (-300, 300):
        await mouse.wheel(0, by)
        await asyncio.sleep(0.5)


async def _setting(one: Screen, theme: str, language: str) -> None:
    if await one.page.locator(f".switches button[lang='{language}']").count():
        await one.page.click(f".switches button[lang='{language}']")
    await one.page.select_option(".switches select", theme)
    await asyncio.sleep(5)
