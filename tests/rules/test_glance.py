"""A look at single values: what they would raise, under the key and with the words of the real alert."""

from dataclasses import replace

from firetower.core.clock import SECOND
from firetower.devices.kinds import DeviceKind
from firetower.devices.metrics import catalogue
from firetower.devices.readings import Quality, Readings
from firetower.devices.registry import DeviceEntry, Registry
from firetower.rules.book import rulebook
from firetower.rules.engine import Engine
from firetower.rules.steps import Batch
from firetower.rules.verdicts import VerdictKind

METRICS = catalogue().by_name


def made() -> tuple[Engine, Registry]:
    registry = Registry()
    for number, kind in enumerate((DeviceKind.SMOKE, DeviceKind.HEAT, DeviceKind.GAS), 1):
        registry.add(DeviceEntry(number, "mall", f"d-{number}", kind))
    return Engine(rulebook.load(), registry), registry


def single(device: int, metric: str, value: float, *, quality: Quality = Quality.GOOD, at: int = SECOND) -> Readings:
    return Readings.of([0], [device], [METRICS[metric].number], [0], [at], [at], [value], [int(quality)])


def raised(engine: Engine, readings: Readings, channel: str = "") -> list[tuple[str, str, int]]:
    return [(one.rule, one.component, one.priority) for one in engine.glance(readings, [channel])]


def test_one_value_beyond_a_fire_limit_raises_without_a_delay() -> None:
    engine, _ = made()
    assert ("smoke-fire", "smoke", 1) in raised(engine, single(1, "smoke", 0.5))
    assert raised(engine, single(2, "temperature", 90.0)) == [("heat-fire", "temperature", 1)]
    assert raised(engine, single(3, "gas", 60.0), "kitchen") == [("gas-leak", "gas.kitchen", 1)]


def test_what_is_in_order_unbelievable_not_urgent_or_of_nobody_raises_nothing() -> None:
    engine, _ = made()
    assert raised(engine, single(1, "smoke", 0.01)) == []
    assert raised(engine, single(1, "smoke", 0.5, quality=Quality.BAD)) == []
    assert raised(engine, single(1, "battery_percent", 1.0)) == []
    assert raised(engine, single(-1, "smoke", 0.5)) == []
    assert raised(engine, single(2, "smoke", 0.5)) == [], "a heat detector has no limit for smoke"


def test_it_is_said_as_the_rules_say_it_and_leaves_no_trace() -> None:
    engine, registry = made()
    glanced = {one.key: one for one in engine.glance(single(1, "smoke", 0.5), [""])}
    series = registry.series(1, METRICS["smoke"].number, 0)
    judged = []
    for n in (1, 2):
        at = n * SECOND
        readings = Readings.of([series], [1], [METRICS["smoke"].number], [0], [at], [at], [0.5], [0])
        judged += engine.evaluate(Batch(readings, at))
        assert bool(judged) == (n == 2), "the glance counts for no sample"
    fire = next(one for one in judged if one.rule == "smoke-fire")
    seen = glanced[fire.key]
    assert seen.kind is VerdictKind.RAISE
    for field in ("rule_version", "alert_class", "priority", "latch", "title_zh", "title_en", "limit", "value"):
        assert getattr(seen, field) == getattr(fire, field)


def test_a_rule_on_trial_is_not_shown_by_a_look_either() -> None:
    shipped = rulebook.load()
    trial = tuple(rule.model_copy(update={"shadow": True}) if rule.id == "gas-leak" else rule for rule in shipped.rules)
    _, registry = made()
    gas = single(3, "gas", 60.0)
    assert raised(Engine(replace(shipped, rules=trial), registry), gas, "kitchen") == []
