"""How far back readings are replayed: as long as a rule's window, delays and counted readings reach, and two hours."""

from rule_texts import LOW, PATTERN, RATE, book, rule
from scenario import World

from firetower.core.clock import HOUR, MINUTE, Micros
from firetower.devices.kinds import DeviceKind
from firetower.devices.metrics import catalogue
from firetower.rules.book.rulebook import load_texts
from firetower.rules.memory import LONGEST, SHORTEST, memory_of

SPREAD = rule(
    "unsteady",
    "window: {side: above, of: spread, over: 3h, bands: [{priority: 3, limit: 0.2 MPa, clear: 0.1 MPa, on_delay: 10min,"
    " off_delay: 30min, source: 'J, x'}]}",
    more="metric: pressure",
)
ROUGH = SPREAD.replace("id: unsteady", "id: rough").replace("over: 3h", "over: 5h")
ROW = rule(
    "low-for-four",
    "limit: {side: below, bands: [{priority: 3, limit: 0.14 MPa, clear: 0.16 MPa, and_samples: 4, source: 'J, x'}]}",
    more="metric: pressure",
)
LAST = rule(
    "low-in-five-of-six",
    "limit: {side: below, of_last: {n: 5, m: 6}, bands: [{priority: 3, limit: 0.14 MPa, clear: 0.16 MPa,"
    " source: 'J, x'}]}",
    more="metric: pressure",
)


def remembered(*rules: str, overrides: str = "", world: World | None = None) -> Micros | None:
    """How long pressures are remembered for these rules, None: no longer than everything."""
    found = memory_of(load_texts({"mine.yaml": book(*rules, overrides=overrides)}), (world or World()).registry)
    assert found.keys() <= {catalogue().by_name["pressure"].number}
    return found.get(catalogue().by_name["pressure"].number)


def reporting(hours: float, kind: DeviceKind = DeviceKind.HYDRANT) -> World:
    """A device that reports every minute, and one of that kind that does so after so many hours."""
    world = World()
    world.device()
    world.device(kind, interval=hours * 3600)
    return world


def test_a_window_is_remembered_with_the_longer_of_its_delays() -> None:
    """Three hours of it, and half an hour for what it showed before; of several rules on a metric the longest."""
    assert remembered(SPREAD) == 3 * HOUR + 30 * MINUTE + SHORTEST
    assert remembered(SPREAD, ROUGH) == remembered(ROUGH, SPREAD) == 5 * HOUR + 30 * MINUTE + SHORTEST


def test_a_limit_without_delay_needs_no_more_than_everything_does() -> None:
    assert remembered(LOW) is None


def test_a_delay_that_an_override_makes_longer_somewhere_is_remembered_everywhere() -> None:
    """A shorter one takes nothing away: elsewhere the rule waits as long as it says."""
    given = "{{rule: unsteady, scope: {{unit: mall}}, reason: why, source: 'J, x', bands: [{{priority: 3, {}}}]}}"
    for delay in ("on_delay: 26h", "off_delay: 26h"):
        assert remembered(SPREAD, overrides=given.format(delay)) == 3 * HOUR + 26 * HOUR + SHORTEST
    shorter = given.format("off_delay: 1min")
    assert remembered(SPREAD, overrides=shorter) == remembered(SPREAD)


def test_counted_readings_reach_as_far_back_as_the_device_that_reports_least_often() -> None:
    """Four low ones in a row and the one before them, at one in six hours; five of the last six, the same way."""
    assert remembered(ROW, world=reporting(6)) == 5 * 6 * HOUR + SHORTEST
    assert remembered(LAST, world=reporting(6)) == 7 * 6 * HOUR + SHORTEST
    assert remembered(LOW, world=reporting(6)) == 3 * 6 * HOUR + SHORTEST


def test_devices_that_a_rule_does_not_watch_do_not_lengthen_its_memory() -> None:
    assert remembered(SPREAD, world=reporting(24, DeviceKind.SMOKE)) == remembered(SPREAD)


def test_a_pattern_is_remembered_longest_and_nothing_longer_than_that() -> None:
    assert remembered(PATTERN) == LONGEST
    assert remembered(ROW, world=reporting(20 * 24)) == LONGEST


def test_only_the_rules_asked_for_count() -> None:
    """Those whose state a checkpoint lacks."""
    world = World()
    made = load_texts({"mine.yaml": book(LOW, SPREAD, RATE)})
    pressure = catalogue().by_name["pressure"].number
    assert memory_of(made, world.registry, [made.rules[0]]) == {}
    assert memory_of(made, world.registry, made.rules[1:2]) == {pressure: 3 * HOUR + 30 * MINUTE + SHORTEST}
