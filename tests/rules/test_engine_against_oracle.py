"""The engine and the oracle agree on every verdict and time, whatever the rules, the stream and its batches."""

from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import Oracle, Said, Sample, Series

from firetower.core.clock import SECOND
from firetower.devices.kinds import DeviceKind
from firetower.devices.metrics import catalogue
from firetower.devices.readings import Mark, Readings
from firetower.devices.registry import DeviceEntry, Registry
from firetower.rules.engine import Engine
from firetower.rules.model import Rule
from firetower.rules.rulebook import Rulebook
from firetower.rules.steps import Batch, Tick
from firetower.rules.verdicts import Verdict

START = 1_763_800_000 * SECOND
PRESSURE = catalogue().by_name["pressure"].number
INTERVALS = (2, 10, 40)
STUCK = int(Mark.CLOCK_STUCK)
LIMITS = (0.1, 0.2, 0.3, 0.4)
VALUES = st.sampled_from([0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45])
DELAYS = st.sampled_from(["0s", "5s", "10s", "30s", "90s"])


@st.composite
def rules(draw: st.DrawFn, rule_id: str) -> Rule:
    side = draw(st.sampled_from(["above", "at_or_above", "below", "at_or_below"]))
    count = draw(st.integers(1, 3))
    limits = sorted(draw(st.permutations(LIMITS))[:count], reverse="below" in side)
    away = -1 if "above" in side else 1
    bands = []
    for number, limit in enumerate(limits):
        band: dict[str, object] = {
            "priority": 4 - number,
            "limit": f"{limit} MPa",
            "on_delay": draw(DELAYS),
            "off_delay": draw(DELAYS),
            "source": "J, generated",
            "latch": True,
        }
        if draw(st.booleans()):
            band["clear"] = f"{limit + away * 0.05:.2f} MPa"
        samples = draw(st.sampled_from([None, "and_samples", "or_samples"]))
        if samples:
            band[samples] = draw(st.integers(1, 3))
        if draw(st.integers(0, 4)) == 0:
            band["one_sample_over"] = draw(DELAYS)
        bands.append(band)
    words = {"zh": "规则", "en": "rule"}
    return Rule.model_validate(
        {
            "id": rule_id, "version": 1, "title": words, "advice": words, "class": "hazard", "kinds": ["hydrant"],
            "metric": "pressure", "condition": {"limit": {"side": side, "bands": bands}},
        }
    )  # fmt: skip


@st.composite
def quality_rules(draw: st.DrawFn, of: str) -> Rule:
    words = {"zh": "规则", "en": "rule"}
    samples = st.integers(1, 4)
    return Rule.model_validate(
        {
            "id": of.replace("_", "-"), "version": 1, "title": words, "advice": words,
            "class": "quality", "kinds": ["hydrant"],
            "condition": {
                "quality": {
                    "of": of, "priority": 4, "samples": draw(samples), "clear_samples": draw(samples),
                    "source": "J, generated",
                }
            },
        }
    )  # fmt: skip


@st.composite
def streams(draw: st.DrawFn) -> list[tuple[int, Sample] | int]:
    """Readings (series, sample) of three devices, mostly in order, and ticks (their instant)."""
    stream: list[tuple[int, Sample] | int] = []
    now = START
    for _ in range(draw(st.integers(1, 40))):
        now += draw(st.sampled_from([0, 1, 1, 3, 5, 5, 10, 10, 30, 90, 200])) * SECOND
        if draw(st.integers(0, 3)) == 0:
            stream.append(now)
            continue
        slow = draw(st.sampled_from([0, 0, 0, 1, 7, 40, -20])) * SECOND  # late, or a clock that is ahead
        quality = draw(st.sampled_from([0, 0, 0, 0, 1, 2, 2, STUCK, STUCK]))
        stream.append((draw(st.integers(0, 2)), Sample(now - slow, now, draw(VALUES), quality)))
    return stream


def city() -> Registry:
    registry = Registry()
    for number, interval in enumerate(INTERVALS, 1):
        registry.add(DeviceEntry(number, "water", f"hyd-{number}", DeviceKind.HYDRANT, interval=interval * SECOND))
        registry.series(number, PRESSURE, 0)
    return registry


def columns(batch: list[tuple[int, Sample]]) -> Readings:
    return Readings.of(
        [series for series, _ in batch],
        [series + 1 for series, _ in batch],
        [PRESSURE] * len(batch),
        [0] * len(batch),
        [sample.ts for _, sample in batch],
        [sample.received for _, sample in batch],
        [sample.value for _, sample in batch],
        [sample.quality for _, sample in batch],
    )


def said(verdicts: list[Verdict]) -> list[Said]:
    return [
        Said(
            verdict.device_number - 1, verdict.rule, verdict.kind.value, verdict.priority,
            verdict.at, verdict.value, verdict.flags,
        )
        for verdict in verdicts
    ]  # fmt: skip


def in_spans(calls: list[tuple[int, list[Said]]]) -> list[list[Said]]:
    """What was said, between one tick and the next; within a span, of one series and rule in its order."""
    spans: dict[int, list[Said]] = {}
    for span, each in calls:
        spans.setdefault(span, []).extend(each)
    return [sorted(each, key=lambda one: (one.series, one.rule)) for _, each in sorted(spans.items()) if each]


def run(engine: Engine, stream: list[tuple[int, Sample] | int], cuts: set[int]) -> list[tuple[int, list[Said]]]:
    """Feed the stream; readings between two ticks go in one batch, cut where ``cuts`` says."""
    out: list[tuple[int, list[Said]]] = []
    batch: list[tuple[int, Sample]] = []
    for place, item in enumerate(stream):
        if batch and (isinstance(item, int) or place in cuts):
            out.append((place, said(engine.evaluate(Batch(columns(batch), START)))))
            batch = []
        if isinstance(item, int):
            out.append((place, said(engine.evaluate(Tick(item, None)))))
        else:
            batch.append(item)
    if batch:
        out.append((len(stream), said(engine.evaluate(Batch(columns(batch), START)))))
    return out


def between(calls: list[tuple[int, list[Said]]], ticks: list[int]) -> list[tuple[int, list[Said]]]:
    """Forget where batches were cut: keep only which two ticks a call lies between, and the tick's own calls."""
    return [
        (2 * sum(tick < place for tick in ticks) + (place in ticks and is_tick), each)
        for (place, each), is_tick in zip(calls, last_of_place(calls), strict=True)
    ]


def last_of_place(calls: list[tuple[int, list[Said]]]) -> list[bool]:
    """A tick is the last call of its place; the batch it closes comes before it."""
    places = [place for place, _ in calls]
    return [index + 1 == len(places) or places[index + 1] != place for index, place in enumerate(places)]


@settings(max_examples=400, deadline=None)
@given(rules("first"), rules("second"), quality_rules("implausible"), streams(), st.sets(st.integers(0, 40)))
def test_engine_says_what_the_oracle_says(
    first: Rule, second: Rule, doubt: Rule, stream: list[tuple[int, Sample] | int], cuts: set[int]
) -> None:
    oracle = Oracle()
    oracle.series = {
        number: Series([first, second], interval * SECOND, implausible=doubt)
        for number, interval in enumerate(INTERVALS)
    }
    expected: list[tuple[int, list[Said]]] = []
    batch: list[tuple[int, Sample]] = []
    for place, item in enumerate(stream):
        if batch and (isinstance(item, int) or place in cuts):
            expected.append((place, oracle.evaluate(batch)))
            batch = []
        if isinstance(item, int):
            expected.append((place, oracle.tick(item)))
        else:
            batch.append(item)
    expected.append((len(stream), oracle.evaluate(batch)))
    engine = Engine(Rulebook((first, second, doubt)), city())
    assert in_spans(run(engine, stream, cuts)) == in_spans(expected)


@settings(max_examples=200, deadline=None)
@given(
    rules("first"),
    rules("second"),
    quality_rules("implausible"),
    quality_rules("clock_stuck"),
    streams(),
    st.sets(st.integers(0, 40)),
    st.sets(st.integers(0, 40)),
)
def test_cutting_a_stream_into_other_batches_changes_no_verdict(
    first: Rule,
    second: Rule,
    doubt: Rule,
    stuck: Rule,
    stream: list[tuple[int, Sample] | int],
    cuts: set[int],
    other_cuts: set[int],
) -> None:
    in_order: list[tuple[int, Sample] | int] = []
    newest: dict[int, int] = {}
    for item in stream:  # what is late for one way of cutting is not for another; late readings have tests of their own
        if not isinstance(item, int):
            if item[1].ts <= newest.get(item[0], 0):
                continue
            newest[item[0]] = item[1].ts
        in_order.append(item)
    book = Rulebook((first, second, doubt, stuck))
    one = run(Engine(book, city()), in_order, cuts)
    other = run(Engine(book, city()), in_order, other_cuts)
    ticks = [place for place, item in enumerate(in_order) if isinstance(item, int)]
    assert in_spans(between(one, ticks)) == in_spans(between(other, ticks))
