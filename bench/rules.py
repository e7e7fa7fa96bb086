"""Cost of the rules: µs per reading and applicable rule, beside a bare numpy loop in the same run.

Run: ``.venv/bin/python bench/rules.py [--devices 10000,1000000]``. Every batch holds 2,000 pressures of different
hydrants, each judged by the two shipped rules (four bands); one in a hundred is low. ``bare`` does one limit with
deadband and on delay, with no verdicts.
"""

import resource
import time

import numpy as np

from firetower.core.clock import SECOND
from firetower.devices.kinds import DeviceKind
from firetower.devices.metrics import catalogue
from firetower.devices.readings import Readings
from firetower.devices.registry import DeviceEntry, Registry
from firetower.rules.engine import Engine
from firetower.rules.rulebook import load
from firetower.rules.steps import Batch, Tick

START = 1_763_800_000 * SECOND
BATCH, RULES = 2_000, 2


def measure(devices: int, batches: int = 300) -> dict[str, float]:
    """Return the costs with that many devices registered, every one of them heard of before."""
    rng = np.random.default_rng(7)
    metric = catalogue().by_name["pressure"].number
    registry = Registry()
    for number in range(1, devices + 1):
        registry.add(DeviceEntry(number, f"u{number % 997}", f"d{number}", DeviceKind.HYDRANT, interval=60 * SECOND))
        registry.series(number, metric, 0)
    engine = Engine(load(), registry)

    def batch(series: np.ndarray, ts: int) -> Readings:
        count = len(series)
        value = np.where(rng.random(count) < 0.01, 0.12, rng.uniform(0.2, 0.4, count))
        return Readings(
            series.astype(np.int32), (series + 1).astype(np.int32),
            np.full(count, metric, np.int16), np.zeros(count, np.int16),
            np.full(count, ts), np.full(count, ts), value, np.zeros(count, np.int16),
        )  # fmt: skip

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for first in range(0, devices, 50_000):
        engine.evaluate(Batch(batch(np.arange(first, min(first + 50_000, devices)), START), START))
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    work = [
        batch(rng.choice(devices, BATCH, replace=False), START + (number + 1) * SECOND) for number in range(batches)
    ]
    verdicts, times, bare_times = 0, [], []
    bare = Bare(devices)
    for number, readings in enumerate(work):
        began = time.perf_counter()
        verdicts += len(engine.evaluate(Batch(readings, START + number * SECOND)))
        times.append(time.perf_counter() - began)
        began = time.perf_counter()
        bare.evaluate(readings)
        bare_times.append(time.perf_counter() - began)
    registry.last_seen[1 : devices + 1] = START
    ticks = []
    for number in range(20):
        began = time.perf_counter()
        engine.evaluate(Tick(START + number * SECOND, START))
        ticks.append(time.perf_counter() - began)
    mine, other = float(np.median(times)), float(np.median(bare_times))
    return {
        "devices": devices,
        "us_per_reading_and_rule": mine / BATCH / RULES * 1e6,
        "us_per_reading": mine / BATCH * 1e6,
        "bare_us_per_reading": other / BATCH * 1e6,
        "ratio_to_bare_per_band": mine / other / 4,
        "p99_batch_ms": float(np.quantile(times, 0.99)) * 1e3,
        "tick_ms": float(np.median(ticks)) * 1e3,
        "state_bytes_per_device": grown * 1024 / devices,
        "verdicts": verdicts,
    }


class Bare:
    """One limit with deadband and on delay, as bare as numpy allows: no bands, no verdicts, no late readings."""

    def __init__(self, devices: int) -> None:
        self.since = np.zeros(devices, np.int64)
        self.active = np.zeros(devices, np.bool_)

    def evaluate(self, readings: Readings) -> int:
        """Take a batch of different series in and return how many changed."""
        since, active = self.since[readings.series], self.active[readings.series]
        low = readings.value < 0.14
        since = np.where(low, np.where(since > 0, since, readings.ts), 0)
        raised = low & (readings.ts - since >= 900 * SECOND) & ~active
        cleared = active & (readings.value >= 0.16)
        self.since[readings.series] = since
        self.active[readings.series] = (active | raised) & ~cleared
        return int(np.count_nonzero(raised | cleared))


def measure_all(*, quick: bool) -> dict[str, object]:
    """Measure, print a table, and return the figures."""
    rows = [measure(size, batches=100 if quick else 300) for size in (10_000, 1_000_000)]
    print(f"{BATCH} readings a batch, {RULES} rules with 4 bands on each; medians")
    for name in rows[0]:
        print(f"{name:28}" + "".join(f"{row[name]:>14.3f}" for row in rows))
    return {"rules": rows}
