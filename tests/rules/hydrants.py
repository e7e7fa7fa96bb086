"""Three hydrants, generated limit rules on their pressure, and samples as columns of readings."""

from hypothesis import strategies as st
from oracle import Sample

from firetower.core.clock import SECOND
from firetower.devices.kinds import DeviceKind
from firetower.devices.metrics import catalogue
from firetower.devices.readings import Readings
from firetower.devices.registry import DeviceEntry, Registry
from firetower.rules.book.model import Rule

PRESSURE = catalogue().by_name["pressure"].number
INTERVALS = (2, 10, 40)
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
