"""`script/bench console-soak`: one page at work for hours; what it holds after a garbage collection must stay level."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, ExitStack
from dataclasses import asdict
from typing import Any

from playwright.async_api import TimeoutError as PlaywrightTimeout

from bench.generator import Generator, generator, send
from bench.operating import Operator, alike
from bench.screen import Screen, screen
from bench.shift import DEVICES, Shift, close_the_oldest
from bench.stand import Stand, stand
from bench.trend import FIGURES, HOUR, OBJECTS, growth

SAMPLE_S = 60
SAMPLE_LEAST_S = 10
"""A sample stops the operator for a second or two: no more often than this, however hurried."""
SETTLED_S = 900
"""Samples before do not count, at most a quarter of the run: caches fill, the compiler has not finished, and the page
counts the alarms of ten minutes."""
REMEMBERED = 20_000
"""Closed alerts a page remembers at most (core/alarms.js): until then it grows."""
PARTS = 12
"""So often in all the heap is looked into for what is no compiled code: each look stops the page for a second."""
WARMING = 3
"""Rounds before anything counts: every panel, theme and language was there."""

Sample = dict[str, float]


def measure(*, quick: bool, hours: float | None = None, times: float = 1.0) -> dict[str, Any]:
    """Run a shift of ``hours`` (quick: 10 minutes, else 24 hours), ``times`` as fast as the clock.

    Beside a hurried one stands a second page at rest as long, at a service of its own, where only the clock goes on.
    """
    if times < 1:
        raise SystemExit(f"--times {times}: a shift is hurried, not slowed down; at least 1")
    shift, lasts = Shift(times), (hours or (1 / 6 if quick else 24)) * 3600
    with ExitStack() as stack:
        its = [stack.enter_context(stand(devices=DEVICES, on_map=True))[0] for _ in range(1 + shift.hurried)]
        return asyncio.run(_measure(its, shift, lasts))


async def _measure(its: Sequence[Stand], shift: Shift, lasts: float) -> dict[str, Any]:
    async with AsyncExitStack() as stack:
        watching = [await _warmed(stack, it, shift) for it in its]
        working, *rests = await asyncio.gather(
            _work(its[0], shift, watching[0], lasts), *(each.rest(lasts) for each in watching[1:])
        )
        resting = rests[0] if rests else []
        one = watching[0].one
        result = {
            "hours": lasts / 3600, "times": shift.times, "samples": working, "samples_at_rest": resting,
            "samples_left_out": watching[0].left, "page_errors": sum(len(each.one.troubles) for each in watching),
            "rounds_left": one.stumbles, "rounds": watching[0].operator.rounds,
            "alarms": working[-1]["alarms"] if working else 0,
            "open_most": max((sample["open"] for sample in working), default=0),
        }  # fmt: skip
    grown = [
        growth(settled(working, lasts), compiled(resting, lasts), shift.day),
        growth(settled(working, lasts), settled(resting, lasts), shift.day, (OBJECTS,)),
    ]
    result |= {**grown[0], **grown[1], "fitted": grown[0]["fitted"] | grown[1]["fitted"]}
    for trouble in one.troubles[:5]:
        print(f"the page threw: {trouble}")
    tell(result)
    return result


async def _warmed(stack: AsyncExitStack, it: Stand, shift: Shift) -> "_Watching":
    """Give a page on which as many alarms stand open as all the while, and whose every panel was opened."""
    await send(shift.first(it.mqtt_url))
    one = await stack.enter_async_context(screen(it, keeps=False))
    await one.first()
    await one.forget()
    operator = Operator(one, shift)
    for _ in range(WARMING):
        await operator.round()
    operator.rounds = 0
    return _Watching(one, operator, max(SAMPLE_LEAST_S, shift.each(SAMPLE_S)))


async def _work(it: Stand, shift: Shift, watching: "_Watching", lasts: float) -> list[Sample]:
    """Let the shift happen and watch; whatever of it fails ends it."""
    async with AsyncExitStack() as stack:
        sending = [await stack.enter_async_context(generator(load)) for load in shift.loads(it.mqtt_url, lasts)]
        for each in sending:
            await each.begin()
        endless = [
            asyncio.create_task(close_the_oldest(it, shift), name="desk"),
            asyncio.create_task(watching.operator.work(), name="operator"),
        ]
        tasks = [*endless, *(asyncio.create_task(each.done(), name="load") for each in sending)]
        try:
            return await watching.watch(lasts, lambda: _sent(sending[1:]), endless)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def _sent(of: list[Generator]) -> int:
    return sum(each.progress.sent for each in of)


class _Watching:
    """Takes samples of the page in one state, between two steps of its operator."""

    def __init__(self, one: Screen, operator: Operator, every: float) -> None:
        self.one, self.operator = one, operator
        self.left = 0
        self._every = every
        self._parts = 0

    async def rest(self, lasts: float) -> list[Sample]:
        """A sample a minute for ``lasts`` seconds of a page that nobody touches, not even to bring it to one state."""
        await alike(self.one)
        samples: list[Sample] = []
        began = time.monotonic()
        while (at := time.monotonic() - began) < lasts:
            await asyncio.sleep(min(SAMPLE_S - at % SAMPLE_S, lasts - at))
            at = time.monotonic() - began
            samples.append({"at": at, HOUR: at / 3600, **await self._held(at, lasts)})
            _say("at rest", samples[-1])
        return samples

    async def watch(
        self, lasts: float, alarms: Callable[[], int], meant: list[asyncio.Task[None]] | None = None
    ) -> list[Sample]:
        """A sample each so many seconds for ``lasts`` seconds; ends with the error of a task meant to go on."""
        samples: list[Sample] = []
        began = time.monotonic()
        while (at := time.monotonic() - began) < lasts:
            await asyncio.sleep(min(self._every - at % self._every, lasts - at))
            for task in meant or ():
                if task.done():
                    task.result()
            sample = await self._sample(began, alarms, lasts)
            if sample:
                samples.append(sample)
                counted = f"{sample['open']} open  {sample['alarms']} alarms  {sample['rounds']} rounds"
                _say(f"{counted}{'' if sample['quiet'] else '  not quiet'}", sample)
        return samples

    async def _held(self, at: float, lasts: float) -> Sample:
        """What the page holds; once in each part of ``lasts`` seconds without compiled code, too."""
        held = asdict(await self.one.memory())
        if at >= self._parts * lasts / PARTS:
            self._parts = int(at / lasts * PARTS) + 1
            held[OBJECTS] = await self.one.objects()
        return held

    async def _sample(self, began: float, alarms: Callable[[], int], lasts: float) -> Sample | None:
        one = self.one
        async with self.operator.hand:
            try:
                quiet = await alike(one)
            except PlaywrightTimeout as err:
                self.left += 1
                print(f"a sample was left out: {str(err).splitlines()[0]}", flush=True)
                return None
            at = time.monotonic() - began
            counts = {"alarms": alarms(), "rounds": self.operator.rounds, "open": await one.queued(), "quiet": quiet}
            return {"at": at, HOUR: at / 3600, **counts, **await self._held(at, lasts)}


def settled(samples: list[Sample], lasts: float) -> list[Sample]:
    """Those that count of a phase of ``lasts`` seconds; of one long enough, from when it remembers all it ever will."""
    counted = [one for one in samples if one["at"] >= min(SETTLED_S, lasts / 4)]
    if counted and counted[-1].get("alarms", 0) >= 2 * REMEMBERED:
        counted = [one for one in counted if one["alarms"] >= REMEMBERED]
    return counted


def compiled(samples: list[Sample], lasts: float) -> list[Sample]:
    """Those that count of a page at rest for ``lasts`` seconds: its second half.

    For some thirty minutes its heap rises by code that V8 compiles of what runs each second, by a megabyte in all; 24
    times as much an hour would be judged as if that went on for ever.
    """
    return [one for one in samples if one["at"] >= lasts / 2]


def _say(what: str, sample: Sample) -> None:
    print(f"{sample['at'] / 60:7.1f} min  heap {sample['heap_mb']:.3f} MB  nodes {sample['nodes']}  listeners"
          f" {sample['listeners']}  renderer {sample['pss_mib']:.1f} MiB  {what}"
          + (f"  objects {sample[OBJECTS]:.3f} MB" if OBJECTS in sample else ""), flush=True)  # fmt: skip


def tell(result: dict[str, Any]) -> None:
    """Print each line and what it makes of a day."""
    for name, fitted in result["fitted"].items():
        print(f"{name:10} {fitted['first']:10.2f} -> {fitted['last']:10.2f}")
        for by, line in fitted["over"].items():
            print(f"           {1000 * line['slope']:+.4g} ± {1000 * line['error']:.2g} a thousand {by}")
        if rest := fitted["at_rest"]:
            print(f"           {rest['slope']:+.4g} ± {rest['error']:.2g} an hour at rest")
    for name in (*FIGURES, OBJECTS):
        unit = name if f"{name}_in_24h" in result else f"{name}_percent"
        if f"{unit}_in_24h" in result:
            bound = result.get(f"{unit}_in_24h_at_most")
            sure = f"at most {bound:.2f} at 95 %" if bound is not None else "too few samples for a bound"
            print(f"{unit} in 24 h: {result[f'{unit}_in_24h']:+.2f}, {sure}")
