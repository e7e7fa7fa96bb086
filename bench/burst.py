"""A burst of telemetry on a fixed schedule: lag, memory and alarm latency each second, and no loss at the end."""

import asyncio
import shutil
import tempfile
import time
from typing import Any

from bench.console import Console, console, figures, line
from bench.generator import READINGS, Generator, Load, generator
from bench.ingest import memory_line
from bench.probe import Publisher, Series, arrived, fires, publisher
from bench.stand import Stand, stand

DEVICES = 10_000
RATE = 50_000
BYTES_A_MESSAGE = 500
"""Of disk: three stored readings with their index, and the message at the broker while it waits."""
ALARMS = 5
"""A second."""


def measure(*, quick: bool, seconds: int | None = None, rate: int = RATE) -> dict[str, Any]:
    """Offer ``rate`` messages/s for ``seconds`` (quick: 15, else 120), then wait until all of it is stored."""
    lasts = seconds or (15 if quick else 120)
    needed, free = rate * lasts * BYTES_A_MESSAGE, shutil.disk_usage(tempfile.gettempdir()).free
    if needed > 0.8 * free:
        raise SystemExit(
            f"a burst of {lasts} s writes about {needed / 2**30:.0f} GiB and {tempfile.gettempdir()} has"
            f" {free / 2**30:.0f} GiB free: give fewer --seconds, or set TMPDIR to a larger disk"
        )
    with stand(devices=DEVICES) as (it, _):
        return asyncio.run(_measure(it, rate, lasts))


async def _measure(it: Stand, rate: int, seconds: int) -> dict[str, Any]:
    load = Load(it.mqtt_url, rate * seconds, DEVICES, rate=rate)
    before = it.usage()
    over = asyncio.Event()
    async with console(it) as of, publisher(it.mqtt_url) as to, generator(load) as one:
        await one.begin()
        began = time.monotonic()
        alarms = asyncio.create_task(_alarms(to, of, over), name="alarms")
        samples = await _watch(it, one, load.count, within=4 * seconds + 120)
        drained = time.monotonic() - began
        over.set()
        series = await alarms
        sent = one.progress
    stored = await it.stored_readings()
    per_second = [{"at": each.due[next(iter(each.due))] - sent.wall, **figures(each.latencies(of))} for each in series]
    values = [value for each in series for value in each.latencies(of)]
    memory = [sample["memory"]["service"] for sample in samples]
    result: dict[str, Any] = {
        "offered_per_second": rate, "seconds": seconds, "published": sent.acknowledged,
        "published_per_second": sent.acknowledged / (sent.ended - sent.began), "generator_late_s": sent.late,
        "stored_readings": stored, "lost": sent.acknowledged * READINGS - stored, "drained_s": drained,
        "taken_per_second": sent.acknowledged / drained, "lag_most_s": max(sample["lag_s"] for sample in samples),
        "memory_most_mib": max(memory), "memory_first_mib": memory[0], "samples": samples,
        "alarm_ms": figures(values), "alarm_each_second": per_second,
        "alarms_missing": sum(len(each.due) for each in series) - len(values),
        "cpu_us_per_message": it.usage().cost(before, load.count),
    }  # fmt: skip
    print(f"published {sent.acknowledged} at {result['published_per_second']:.0f}/s (late {sent.late:.1f} s), stored at"
          f" {result['taken_per_second']:.0f} messages/s, {result['lost']} readings lost; lag at most"
          f" {result['lag_most_s']:.1f} s; {memory_line(samples[-1]['memory'])}")  # fmt: skip
    print(f"alarms meanwhile: {line(result['alarm_ms'])}")
    return result


async def _watch(it: Stand, one: Generator, count: int, *, within: float) -> list[dict[str, Any]]:
    """Sample each second until the service has acknowledged all of the load."""
    began, samples = time.monotonic(), []
    sending = asyncio.create_task(one.done(), name="load")
    try:
        while True:
            metrics = await asyncio.to_thread(it.metrics)
            taken = int(metrics.get('firetower_messages_acknowledged_total{lane="telemetry"}', 0))
            now = time.monotonic() - began
            lag, memory = metrics.get('firetower_ingest_lag_seconds{lane="telemetry"}', 0.0), it.usage().memory
            published = one.progress.acknowledged
            samples.append({"at": now, "published": published, "taken": taken, "lag_s": lag, "memory": memory})
            if int(now) % 5 == 0:
                print(f"{now:6.0f} s  published {published:>10}  taken {taken:>10}  lag {lag:6.1f} s"
                      f"  service {memory['service']:.0f} MiB")  # fmt: skip
            if sending.done() and taken >= count:
                return samples
            if now > within:
                raise SystemExit(f"the burst was not stored within {within:.0f} s: {taken} of {count} messages")
            await asyncio.sleep(1 - (time.monotonic() - began - now) % 1)
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)


async def _alarms(to: Publisher, of: Console, over: asyncio.Event) -> list[Series]:
    """Fires on schedule until the burst is over."""
    series: list[Series] = []
    while not over.is_set():
        series.append(await fires(to, f"b{len(series)}-", ALARMS, 1 / ALARMS))
    await arrived(series, of, 60)
    return series
