"""Streams for the oracle's tests, and how an engine is led through them in batches of any size."""

from math import prod

from hypothesis import strategies as st
from oracle import Said, Sample
from oracle_worlds import DAILY, METRICS, START, Item, Reading

from firetower.devices.events import Event
from firetower.devices.readings import Mark, Readings
from firetower.devices.registry import Registry
from firetower.rules.engine import Engine
from firetower.rules.steps import Batch, Tick
from firetower.rules.verdicts import Verdict

STUCK = int(Mark.CLOCK_STUCK)
ACTS = (True, True, True, False)
LEAST = st.sampled_from([1, 12, 25])
"""Readings and ticks at least: left alone, hypothesis makes mostly short streams."""
STEPS = (0, 1, 1, 3, 3, 5, 5, 10, 10, 30, 72, 90, 200)
LATE = (0, 0, 0, 0, 1, 7, 40, -20)
QUALITIES = (0, 0, 0, 0, 0, 1, 2, STUCK)
COMPONENTS = ("pressure", "pressure", "pressure.2", "water_used")
_SIZES = (len(ACTS), len(STEPS), 3, len(LATE), len(QUALITIES), len(COMPONENTS), 17)
_WAYS = prod(_SIZES)


@st.composite
def streams(draw: st.DrawFn, pace: int, *, late: bool = True) -> list[Item]:
    """Readings, mostly in order, some repeated, late, ahead, unbelievable, and ticks; one integer drawn for each."""
    stream: list[Item] = []
    now = START
    for drawn in draw(st.lists(st.integers(0, _WAYS - 1), min_size=draw(LEAST), max_size=40)):
        digits, rest = [], drawn
        for size in _SIZES:
            rest, digit = divmod(rest, size)
            digits.append(digit)
        act, step, device, slow, quality, component, value = digits
        if pace == DAILY:  # one series, that it may have a pattern
            device = component = 0
        now += STEPS[step] * pace
        if not ACTS[act]:
            stream.append(now)
            continue
        ts = now - (LATE[slow] * pace if late else 0)
        sample = Sample(ts, now, value / 16, QUALITIES[quality])
        stream.append(Reading(device + 1, COMPONENTS[component], sample))
    return stream


def batch_of(registry: Registry, items: list[Item], now: int = START) -> Batch:
    """Return readings and events as a batch."""
    rows = [item for item in items if isinstance(item, Reading)]
    channel = [1 if "." in row.component else 0 for row in rows]
    metric = [METRICS[row.component.partition(".")[0]].number for row in rows]
    return Batch(
        Readings.of(
            [registry.series(row.device, *of) for row, of in zip(rows, zip(metric, channel, strict=True), strict=True)],
            [row.device for row in rows],
            metric,
            channel,
            [row.sample.ts for row in rows],
            [row.sample.received for row in rows],
            [row.sample.value for row in rows],
            [row.sample.quality for row in rows],
        ),
        now,
        [item for item in items if isinstance(item, Event)],
    )


def said(verdicts: list[Verdict]) -> list[Said]:
    """Return what is compared of verdicts."""
    return [
        Said(
            verdict.subject, verdict.component, verdict.rule, verdict.kind.value, verdict.priority, verdict.at,
            None if verdict.value is None else round(verdict.value, 6), verdict.limit, verdict.flags,
            verdict.again and verdict.kind.value == "raise", verdict.suppressed, verdict.shadow,
            verdict.latch,
        )
        for verdict in verdicts
    ]  # fmt: skip


def calls_of(stream: list[Item], cuts: set[int]) -> list[tuple[int, list[Item] | int]]:
    """Return the calls a stream is: what lies between two ticks in one batch, cut where ``cuts`` says; with its span.

    A span is what lies between two ticks, or a tick.
    """
    calls: list[tuple[int, list[Item] | int]] = []
    batch: list[Item] = []
    span = 0
    for place, item in enumerate(stream):
        if batch and (isinstance(item, int) or place in cuts):
            calls.append((span, batch))
            batch = []
        if isinstance(item, int):
            calls.append((span + 1, item))
            span += 2
        else:
            batch.append(item)
    if batch:
        calls.append((span, batch))
    return calls


def in_spans(calls: list[tuple[int, list[Said]]]) -> list[list[Said]]:
    """What was said, span by span; within a span, of one subject and rule in its order."""
    spans: dict[int, list[Said]] = {}
    for span, each in calls:
        spans.setdefault(span, []).extend(each)
    return [
        sorted(each, key=lambda one: (one.subject, one.component, one.rule, one.at))
        for _, each in sorted(spans.items())
        if each
    ]


def led(engine: Engine, registry: Registry, calls: list[tuple[int, list[Item] | int]]) -> list[tuple[int, list[Said]]]:
    """Lead an engine through calls; return what it says, by span."""
    return [
        (
            span,
            said(engine.evaluate(Tick(what, None) if isinstance(what, int) else batch_of(registry, what))),
        )
        for span, what in calls
    ]
