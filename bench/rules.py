"""Cost of the rules: µs per reading and applicable rule, beside a bare numpy loop and two other ways, in the same run.

Run: ``script/bench rules``. Every batch holds 2,000 pressures of different hydrants, each judged by every shipped rule
on a hydrant's pressure; one hydrant in a hundred is low. ``limits`` is the same with the two rules on the pressure as
measured alone. Beside it, on readings of the same kind: ``bare``, one limit with deadband and on delay in numpy,
without verdicts; ``rule-engine``, a general rule library from PyPI that compares each reading with each limit and has
no state; and the oracle of our tests, the same rules in plain Python.
"""

import resource
import sys
import time
from pathlib import Path

import numpy as np
import rule_engine

from firetower.core.clock import SECOND
from firetower.devices.kinds import KIND_NUMBER, DeviceKind
from firetower.devices.metrics import catalogue
from firetower.devices.readings import Readings
from firetower.devices.registry import DeviceRows, Registry
from firetower.rules.book.model import Rule
from firetower.rules.book.quantities import Quantity
from firetower.rules.book.rulebook import Rulebook, load
from firetower.rules.engine import Engine
from firetower.rules.steps import Batch, Tick

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "rules"))
from oracle import Device, Oracle, Sample

START = 1_763_800_000 * SECOND
BATCH = 2_000
_PRESSURE = catalogue().by_name["pressure"].number


def applicable(book: Rulebook) -> list[Rule]:
    """Return the rules on a hydrant's pressure, as measured or derived."""
    return [
        rule
        for rule in book.rules
        if rule.measured is not None and rule.metric == "pressure" and DeviceKind.HYDRANT in rule.kinds
    ]


def measure(devices: int, batches: int = 300) -> dict[str, float]:
    """Return the costs with that many devices registered, every one of them heard of before."""
    rng = np.random.default_rng(7)
    whole, registry = load(), Registry()
    for first in range(1, devices + 1, 50_000):
        _register(registry, np.arange(first, min(first + 50_000, devices + 1)))
    rules = applicable(whole)
    as_measured = tuple(rule for rule in rules if rule.condition.limit is not None)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    engine = Engine(whole, registry)
    _hear(engine, devices, rng)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    work = [_batch(rng, rng.choice(devices, BATCH, replace=False), START + n * SECOND) for n in range(1, batches + 1)]
    all_rules, verdicts = _evaluated(engine, work)
    limits = Engine(Rulebook(as_measured), registry)
    _hear(limits, devices, rng)
    of_limits, _ = _evaluated(limits, work)
    bare = Bare(devices)
    bare_times = [_timed(lambda readings=readings: bare.evaluate(readings)) for readings in work]
    registry.last_seen[1 : devices + 1] = START
    ticks = [_timed(lambda n=n: engine.evaluate(Tick(START + n * SECOND, START))) for n in range(20)]
    mine = float(np.median(all_rules))
    return {
        "devices": devices,
        "rules": len(rules),
        "us_per_reading_and_rule": mine / BATCH / len(rules) * 1e6,
        "us_per_reading": mine / BATCH * 1e6,
        "limits_us_per_reading_and_rule": float(np.median(of_limits)) / BATCH / len(as_measured) * 1e6,
        "bare_us_per_reading": float(np.median(bare_times)) / BATCH * 1e6,
        "p99_batch_ms": float(np.quantile(all_rules, 0.99)) * 1e3,
        "tick_ms": float(np.median(ticks)) * 1e3,
        "state_bytes_per_device": grown * 1024 / devices,
        "verdicts": verdicts,
    }


def _register(registry: Registry, numbers: np.ndarray) -> None:
    count = len(numbers)
    nothing = [None] * count
    registry.add_many(
        DeviceRows(
            number=numbers, units=[f"u{n % 997}" for n in numbers], devices=[f"d{n}" for n in numbers],
            kind=np.full(count, KIND_NUMBER[DeviceKind.HYDRANT], np.int16), interval=np.full(count, 60 * SECOND),
            registered_at=np.zeros(count, np.int64), retired=np.zeros(count, np.bool_), lon=np.full(count, np.nan),
            lat=np.full(count, np.nan), mains=nothing, zones=nothing, attributes={},
        )
    )  # fmt: skip
    registry.series_many(numbers.astype(np.int32), np.full(count, _PRESSURE, np.int16), np.zeros(count, np.int16))


def _hear(engine: Engine, devices: int, rng: np.random.Generator) -> None:
    for first in range(0, devices, 50_000):
        series = np.arange(first, min(first + 50_000, devices))
        engine.evaluate(Batch(_batch(rng, series, START), START))


def _evaluated(engine: Engine, work: list[Readings]) -> tuple[list[float], int]:
    times, verdicts = [], 0
    for readings in work:
        began = time.perf_counter()
        verdicts += len(engine.evaluate(Batch(readings, int(readings.ts[0]))))
        times.append(time.perf_counter() - began)
    return times, verdicts


def _batch(rng: np.random.Generator, series: np.ndarray, ts: int) -> Readings:
    count = len(series)
    level = np.where(series % 100 == 0, 0.12, 0.25 + series % 16 / 100)  # each its own, one in a hundred low
    value = level + rng.uniform(-0.004, 0.004, count)
    return Readings(
        series.astype(np.int32), (series + 1).astype(np.int32),
        np.full(count, _PRESSURE, np.int16), np.zeros(count, np.int16),
        np.full(count, ts), np.full(count, ts), value, np.zeros(count, np.int16),
    )  # fmt: skip


def _timed(act: object) -> float:
    began = time.perf_counter()
    act()  # type: ignore[operator]
    return time.perf_counter() - began


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


def others(readings: int) -> dict[str, float]:
    """Return the cost of the other two ways, µs per reading and rule, over that many readings of 1,000 hydrants."""
    rng = np.random.default_rng(7)
    rules = applicable(load())
    as_measured = [rule for rule in rules if rule.condition.limit is not None]
    bands = [(rule.condition.limit, band) for rule in as_measured for band in rule.condition.limit.bands]  # type: ignore[union-attr]
    compared = [
        rule_engine.Rule(f"value {'<' if limit.side == 'below' else '>'} {band.limit.value}")
        for limit, band in bands
        if limit is not None and isinstance(band.limit, Quantity)
    ]
    values = rng.uniform(0.2, 0.4, readings).tolist()
    things = [{"value": value} for value in values]
    library = _timed(lambda: [rule.matches(thing) for thing in things for rule in compared])
    oracle = Oracle(Rulebook(tuple(rules)), [Device(n, DeviceKind.HYDRANT, 60 * SECOND) for n in range(1, 1001)])
    said = [
        (n % 1000 + 1, "pressure", Sample(START + n // 1000 * 60 * SECOND, START + n // 1000 * 60 * SECOND, value))
        for n, value in enumerate(values)
    ]
    plain = _timed(lambda: [oracle.evaluate(said[first : first + BATCH]) for first in range(0, readings, BATCH)])
    return {
        "rule_engine_us_per_reading_and_limit": library / readings / len(compared) * 1e6,
        "oracle_us_per_reading_and_rule": plain / readings / len(rules) * 1e6,
    }


def measure_all(*, quick: bool) -> dict[str, object]:
    """Measure, print a table, and return the figures."""
    rows = [measure(size, batches=100 if quick else 300) for size in (10_000, 1_000_000)]
    print(f"{BATCH} readings a batch; medians")
    for name in rows[0]:
        print(f"{name:36}" + "".join(f"{row[name]:>14.3f}" for row in rows))
    beside = others(4_000 if quick else 20_000)
    for name, cost in beside.items():
        print(f"{name:36}{cost:>14.3f}")
    return {"rules": rows, "others": beside}
