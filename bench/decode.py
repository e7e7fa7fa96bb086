"""Cost of decoding: µs of CPU per telemetry message of three values, from payload to the columns of a batch.

``take`` is the short way of ordinary messages, ``readings`` makes the columns (with series numbers), ``heard`` notes
who was heard of; ``careful`` is the way of every other message, with messages like these. ``bare`` is nothing but the
JSON decoder. Messages are of devices in random order, each of which was heard of before.
"""

import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import msgspec
import numpy as np

from firetower.core.clock import SECOND, Micros
from firetower.devices.kinds import KIND_NUMBER, DeviceKind
from firetower.devices.metrics import catalogue
from firetower.devices.registry import DeviceRows, Registry
from firetower.devices.wire import Decoder
from firetower.devices.wire_batch import Decoded

START = 1_763_800_000 * SECOND
MESSAGES, BATCH, UNITS = 20_000, 2_000, 1_000
_ROWS = 10_000
NAMES = ("residual_current", "cable_temperature.1", "cable_temperature.2")


@dataclass(slots=True)
class Message:
    """A message as the lane hands it over."""

    topic: str
    payload: bytes
    received_at: Micros


def city(devices: int) -> Registry:
    """Return a registry of so many electrical devices, each with the series of its three values."""
    registry = Registry()
    registry.add_channel("1", 1)
    registry.add_channel("2", 2)
    registry.reserve(devices)
    metrics = catalogue().by_name
    metric = np.array([metrics[name.partition(".")[0]].number for name in NAMES], np.int16)
    for first in range(1, devices + 1, _ROWS):
        number = np.arange(first, min(first + _ROWS, devices + 1))
        count = len(number)
        registry.add_many(
            DeviceRows(
                number,
                [f"unit-{n % UNITS:04}" for n in number.tolist()],
                [f"el-{n:07}" for n in number.tolist()],
                np.full(count, KIND_NUMBER[DeviceKind.ELECTRICAL], np.int16),
                np.full(count, 60 * SECOND),
                np.zeros(count, np.int64),
                np.zeros(count, np.bool_),
                np.full(count, np.nan),
                np.full(count, np.nan),
                [None] * count,
                [None] * count,
                {},
            )
        )
        device, channel = np.repeat(number, 3).astype(np.int32), np.tile(np.arange(3, dtype=np.int16), count)
        registry.series_many(device, np.tile(metric, count), channel)
    return registry


def messages(numbers: Iterable[int], chance: random.Random) -> list[Message]:
    """Return an ordinary message of each of these devices."""
    made = []
    for number in numbers:
        ts = START // 1000 - chance.randrange(60_000)
        values = ", ".join(f'"{name}": {chance.uniform(0, 90):.1f}' for name in NAMES)
        payload = f'{{"ts": {ts}, "seq": {chance.randrange(10_000)}, {values}}}'
        topic = f"firetower/v1/unit-{number % UNITS:04}/el-{number:07}/telemetry"
        made.append(Message(topic, payload.encode(), START + chance.randrange(1000)))
    return made


def measure_at(devices: int, rounds: int) -> dict[str, float]:
    """Return the costs with so many devices registered."""
    chance = random.Random(7)
    registry = city(devices)
    decoder = Decoder(catalogue(), registry)
    costs: dict[str, list[float]] = {name: [] for name in ("take", "readings", "heard", "careful", "bare")}

    def timed(name: str, work: Callable[[], object]) -> None:
        began = time.process_time_ns()
        work()
        costs[name].append((time.process_time_ns() - began) / MESSAGES / 1000)

    def bare(arrived: list[Message]) -> None:
        for message in arrived:
            msgspec.json.decode(message.payload)

    def careful(arrived: list[Message]) -> None:
        for first in range(0, MESSAGES, BATCH):
            into = Decoded()
            for message in arrived[first : first + BATCH]:
                decoder.decode(message.topic, message.payload, message.received_at, into)

    everybody = range(1, devices + 1)
    for first in range(0, devices, MESSAGES):
        decoder.take(messages(everybody[first : first + MESSAGES], chance), Decoded())
    for _ in range(rounds):
        arrived = messages(chance.choices(everybody, k=MESSAGES), chance)
        batches = [(Decoded(), arrived[first : first + BATCH]) for first in range(0, MESSAGES, BATCH)]
        timed("take", lambda batches=batches: [decoder.take(batch, into) for into, batch in batches])
        timed("readings", lambda batches=batches: [into.readings(registry) for into, _ in batches])
        timed("heard", lambda batches=batches: [into.note_heard(registry) for into, _ in batches])
        timed("bare", lambda arrived=arrived: bare(arrived))
        others = messages(chance.choices(everybody, k=MESSAGES), chance)
        timed("careful", lambda others=others: careful(others))
    found = {name: float(np.median(times)) for name, times in costs.items()}
    return {"devices": devices, "us_per_message": found["take"] + found["readings"], **found}


def measure(*, quick: bool) -> dict[str, object]:
    """Measure, print a table, and return the figures."""
    rows = [measure_at(devices, rounds=3 if quick else 9) for devices in (1_000, 1_000_000)]
    print(f"µs of CPU per message of three values, batches of {BATCH}, medians of rounds of {MESSAGES} messages")
    for name in rows[0]:
        print(f"{name:28}" + "".join(f"{row[name]:>14.3f}" for row in rows))
    return {"decode": rows}
