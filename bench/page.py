"""`script/bench console`: the operator's page on the real service while alarms storm in, as Chromium paints it.

100,000 devices on the map beside the queue; alarms over MQTT through the alarm lane at 5, 200 and 1,000 a second, each
round on top of what the one before left open. Meanwhile somebody presses keys, pans and zooms, and fires of other units
are timed from the instant the sensor was to publish to the frame that shows them.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.console import figures, line
from bench.generator import Load, generator, send
from bench.probe import Publisher, publisher
from bench.screen import Memory, Screen, frames, keys, screen
from bench.stand import PANELS, Stand, connected, stand

DEVICES = 100_000
KINDS = {5: ("fault", "shielded"), 200: ("main_power_lost", "waterflow"), 1000: ("backup_power_lost", "prealarm")}
"""Alarms a second of each round, and what they are: of priority 3, and one in URGENT of priority 2."""
STORMING = 900
"""Panels that storm; each of the others raises fires that are timed."""
URGENT = 10
"""One alarm in so many of a storm is of priority 2, the others are faults."""
FIRE_EACH_S = 0.5
TELEMETRY = 200
"""Messages/s of other devices all the while: each shows one more device as online on the map."""
SETTLE_S = 60
MAP = ".map-ground"


def measure(*, quick: bool, profile: Path | None = None) -> dict[str, Any]:
    """A minute at each rate (quick: 15 s). ``profile``: a folder for a CPU profile of each round."""
    seconds = 15 if quick else 60
    with stand(devices=DEVICES, on_map=True) as (it, _):
        return asyncio.run(_measure(it, seconds, profile))


async def _measure(it: Stand, seconds: int, profile: Path | None) -> dict[str, Any]:
    await send(_load(it, "power_lost", 40, 40))
    async with screen(it) as one, publisher(it.mqtt_url) as to:
        first = await one.first()
        print("first: " + ", ".join(f"{name} {value:.0f}" for name, value in first.items()))
        result: dict[str, Any] = {"devices": DEVICES, "seconds": seconds, "first": first}
        result["rest"] = await _round(it, one, to, 0, seconds, profile=profile)
        async with _telemetry(it, seconds):
            for rate in KINDS:
                result[f"at_{rate}"] = await _round(it, one, to, rate, seconds, profile=profile)
        result["sound_armed"] = int(await one.sound() == "armed")
        result["page_errors"] = len(one.troubles)
        for trouble in one.troubles[:5]:
            print(f"the page threw: {trouble}")
    return result


async def _round(
    it: Stand, one: Screen, to: Publisher, rate: int, seconds: int, *, profile: Path | None
) -> dict[str, Any]:
    before = await one.memory()
    counted = await one.metrics()
    over = asyncio.Event()
    file = profile / f"console-at-{rate}.cpuprofile" if profile else None
    async with one.profiled(file), asyncio.TaskGroup() as tasks:
        await one.begin()
        tasks.create_task(_operate(one, over, rate > 0), name="operator")
        fires = tasks.create_task(_fires(to, f"bench-r{rate}", over), name="fires") if rate else None
        await (_storm(it, rate, seconds) if rate else asyncio.sleep(seconds))
        over.set()
    due = fires.result() if fires else {}
    shown = await _all_shown(it, one)
    recorded = await one.end()
    used = await one.metrics()
    after = await one.memory()
    result: dict[str, Any] = {
        "rate": rate, "frames": frames(recorded["frames"]), "keys": keys(recorded["keys"]),
        "fires": _fires_seen(due, recorded["fires"], recorded["came"], await _stages(it, due)),
        "open": await one.queued(),
        "all_shown_after_s": shown,
        "main_thread_ms_per_s": busy(counted, used),
        "before": asdict(before), "after": asdict(after), **growth(before, after),
        "frame_values_ms": [round(value, 1) for value in recorded["frames"]],
    }  # fmt: skip
    _say(rate, result)
    return result


def busy(before: dict[str, float], after: dict[str, float]) -> float:
    """Milliseconds of processor time the page's main thread used in a second."""
    return 1000 * (after["ThreadTime"] - before["ThreadTime"]) / (after["Timestamp"] - before["Timestamp"])


def growth(before: Memory, after: Memory) -> dict[str, float]:
    """How many times the DOM nodes and listeners of before there are after a round."""
    return {"nodes_times": after.nodes / before.nodes, "listeners_times": after.listeners / before.listeners}


def _say(rate: int, of: dict[str, Any]) -> None:
    seen, key = of["frames"], of["keys"]
    print(f"{rate:5}/s  {of['open']:>6} open  {seen['fps']:5.1f} fps  frame p95 {seen['p95']:6.1f}"
          f" p99 {seen['p99']:6.1f} max {seen['max']:6.0f} ms, {seen['over_33']:.1%} over 33 ms,"
          f" {seen['over_250']:.2%} over 250 ms;  main thread {of['main_thread_ms_per_s']:.0f} ms/s")  # fmt: skip
    print(f"         key handled {line(key['handled'])}")
    print(f"         key painted {line(key['painted'])}, {key['without_result']} without a result")
    if rate:
        fires = of["fires"]
        left = f"{fires['missing']} missing, {fires['not_on_top']} not on top"
        for stage in ("received", "committed", "came"):
            print(f"         fire {stage:9} {line(fires[stage])}")
        print(f"         fire painted   {line(fires['painted'])}, {left}")
        for texts in fires["above"][:3]:
            print(f"         stood above a fire: {texts[0]}")
    after = of["after"]
    print(f"         heap {of['before']['heap_mb']:.1f} -> {after['heap_mb']:.1f} MB, nodes {of['before']['nodes']} ->"
          f" {after['nodes']}, listeners {of['before']['listeners']} -> {after['listeners']},"
          f" renderer {of['before']['pss_mib']:.0f} -> {after['pss_mib']:.0f} MiB", flush=True)  # fmt: skip


# the storm --------------------------------------------------------------------------------------


def _load(it: Stand, event: str, count: int, rate: float) -> Load:
    """Alarms of one kind: of each kind a point has one open at a time, so that no two loads share one."""
    return Load(it.mqtt_url, count, STORMING, time.time_ns() // 1_000_000, rate, "alarm", stride=7, event=event)


async def _storm(it: Stand, rate: int, seconds: int) -> None:
    fault, urgent = KINDS[rate]
    few = rate / URGENT
    loads = [_load(it, fault, int((rate - few) * seconds), rate - few), _load(it, urgent, int(few * seconds), few)]
    async with contextlib.AsyncExitStack() as stack:
        ready = [await stack.enter_async_context(generator(load)) for load in loads]
        for each in ready:
            await each.begin()
        await asyncio.gather(*(each.done() for each in ready))


@contextlib.asynccontextmanager
async def _telemetry(it: Stand, seconds: int) -> AsyncIterator[None]:
    """Readings of other devices beside all rounds."""
    load = Load(it.mqtt_url, TELEMETRY * seconds * (len(KINDS) + 1), DEVICES, rate=TELEMETRY, stride=7)
    async with generator(load) as one:
        await one.begin()
        sending = asyncio.create_task(one.done(), name="telemetry")
        try:
            yield
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)


async def _fires(to: Publisher, tag: str, over: asyncio.Event) -> dict[str, float]:
    """Fires of one panel after the other, each named; return the wall-clock second each was to be published."""
    due: dict[str, float] = {}
    at = time.time_ns() / 1e9 + 1
    while not over.is_set():
        await asyncio.sleep(max(0.0, at - time.time_ns() / 1e9))
        name = f"{tag}-{len(due)}x"  # so that its number ends where it ends, whatever stands behind it
        panel = STORMING + len(due) % (PANELS - STORMING)
        to.send(f"firetower/v1/p{panel:04}/panel/alarm", {"ts": int(at * 1000), "event": "fire", "component": name})
        due[name] = at
        at += FIRE_EACH_S
    return due


async def _stages(it: Stand, due: dict[str, float]) -> dict[str, dict[str, float]]:
    """Return when the service received and committed each fire, by name, ms since the epoch."""
    async with connected(it.database_url) as database:
        rows = await database.fetch(
            "SELECT component, extract(epoch FROM received_at)::float8 AS received,"
            " extract(epoch FROM raised_at)::float8 AS committed FROM api.alerts WHERE component = ANY($1)",
            list(due),
        )
    return {stage: {row["component"]: 1000 * row[stage] for row in rows} for stage in ("received", "committed")}


def _fires_seen(
    due: dict[str, float], seen: list[dict[str, Any]], came: dict[str, float], stages: dict[str, dict[str, float]]
) -> dict[str, Any]:
    """How long each fire took to be received and committed, to come to the page, and to be painted there.

    ``not_on_top``: with anything ``above`` it that is no fire; ``came``: by name, ms since the epoch.
    """
    first: dict[str, dict[str, Any]] = {}
    for one in seen:
        first.setdefault(one["name"], one)
    values = [first[name]["at"] - at * 1000 for name, at in due.items() if name in first]
    above = [first[name]["above"] for name in due if name in first and first[name]["above"]]
    passed = {
        stage: figures([when[name] - at * 1000 for name, at in due.items() if name in when])
        for stage, when in {**stages, "came": came}.items()
    }
    missing = len(due) - len(values)
    return {
        **passed,
        "painted": figures(values),
        "values_ms": values,
        "missing": missing,
        "not_on_top": len(above),
        "above": above,
    }


async def _all_shown(it: Stand, one: Screen) -> float:
    """Return the seconds until the page shows as many alerts as the store holds, at most SETTLE_S."""
    began = time.monotonic()
    while time.monotonic() - began < SETTLE_S:
        async with connected(it.database_url) as database:
            open_ = await database.fetchval("SELECT count(*) FROM api.alerts WHERE state <> 'closed' AND hold = 'none'")
        if await one.queued() >= open_:
            break
        await asyncio.sleep(0.5)
    return time.monotonic() - began


# the operator -----------------------------------------------------------------------------------


async def _operate(one: Screen, over: asyncio.Event, acknowledging: bool) -> None:
    """Press keys for a while, pan and zoom for a while, until it is over."""
    box = await one.page.locator(MAP).bounding_box()
    assert box is not None
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    while not over.is_set():
        for key in ("Home", "KeyJ", "KeyJ", "KeyK", "KeyJ", *(("KeyA",) if acknowledging else ())):
            await one.page.keyboard.press(key)
            await asyncio.sleep(0.35)
        await one.page.keyboard.press("KeyP")
        await _pan_and_zoom(one, *middle)
        await one.page.focus("#queue-list")


async def _pan_and_zoom(one: Screen, x: float, y: float) -> None:
    mouse = one.page.mouse
    await mouse.move(x, y)
    await mouse.down()
    for step in range(40):
        await mouse.move(x + 6 * (step if step < 20 else 40 - step), y + 3 * (step % 20))
        await asyncio.sleep(0.02)
    await mouse.up()
    for by in (-300, -300, 300, 300):
        await mouse.wheel(0, by)
        await asyncio.sleep(0.3)
