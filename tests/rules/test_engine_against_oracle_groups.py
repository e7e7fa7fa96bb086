"""Events, event rules and combinations against the oracle: every verdict and its time."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import Said, Sample
from oracle_groups import GroupOracle, bare
from oracle_streams import calls_of, in_spans, led
from oracle_worlds import CALENDARS, FAST, SCHEDULES, START, WORDS, Item, Reading, city, registry_of

from firetower.core.clock import SECOND
from firetower.devices.events import Event
from firetower.rules.book.checks import check
from firetower.rules.book.model import Rule, Suppression
from firetower.rules.book.rulebook import Rulebook
from firetower.rules.engine import Engine

EVENTS = ("fire", "fault", "tamper", "reset", "power_lost")
DELAYS = st.sampled_from(["0s", "0s", "3.5s", "20.5s", "70.5s"])
"""Never whole seconds: what ends at the very instant at which something else begins has tests of its own."""


def rule(rule_id: str, condition: dict[str, Any], **fields: Any) -> Rule:
    made = Rule.model_validate(
        {
            "id": rule_id, "version": 1, "title": WORDS, "advice": WORDS, "kinds": ["hydrant"],
            "condition": condition, "class": "hazard", **fields,
        }
    )  # fmt: skip
    assert list(check(made)) == []
    return made


@st.composite
def event_rules(draw: st.DrawFn, rule_id: str) -> Rule:
    """A rule on what is active, frequent or missing, or one that sharpens the events' own alerts."""
    use = draw(st.sampled_from(["state", "state", "count", "missing", "own"]))
    condition: dict[str, Any] = {
        "events": draw(st.lists(st.sampled_from(EVENTS[1:]), min_size=1, max_size=2, unique=True)),
        "priority": draw(st.integers(2, 4)), "source": "J, generated",
    }  # fmt: skip
    fields: dict[str, Any] = {"shadow": draw(st.integers(0, 5)) == 0}
    if use == "own":
        condition |= {"events": [draw(st.sampled_from(["fault", "tamper"]))], "own_alert": True}
        condition["priority"] = draw(st.integers(1, 3))
        fields["class"] = "fault" if condition["events"] == ["fault"] else "hazard"
    elif use == "missing":
        condition["missing_for"] = draw(st.sampled_from(["20.5s", "300.5s"]))
    elif use == "count":
        condition |= {"count": draw(st.integers(2, 3)), "within": draw(st.sampled_from(["10s", "60s"]))}
    else:
        condition |= {
            "on_delay": draw(DELAYS), "off_delay": draw(DELAYS), "latch": draw(st.booleans()),
            "all_of": len(condition["events"]) > 1 and draw(st.booleans()),
            "components": draw(st.sampled_from([1, 1, 2])),
        }  # fmt: skip
    if draw(st.integers(0, 5)) == 0 and not condition.get("components", 1) > 1:
        condition["component"] = "1"
    if use in {"state", "own"}:
        fields["schedule"] = draw(st.sampled_from([None, None, *SCHEDULES]))
    return rule(rule_id, {"event": condition}, **fields)


HIGH = rule(
    "high",
    {
        "limit": {
            "side": "above",
            "bands": [
                {"priority": 3, "limit": "0.25 MPa", "clear": "0.125 MPa", "source": "J, generated"},
                {"priority": 2, "limit": "0.5 MPa", "clear": "0.375 MPa", "source": "J, generated"},
            ],
        }
    },
    metric="pressure",
)


@st.composite
def clauses(draw: st.DrawFn) -> dict[str, Any]:
    given: dict[str, Any] = {"devices": draw(st.integers(1, 3))}
    what = draw(st.sampled_from(["rules", "events", "both"]))
    if what != "events":
        given["rules"] = draw(st.sampled_from([["high"], ["first"], ["high", "first"]]))
    if what != "rules":
        given["events"] = draw(st.lists(st.sampled_from(EVENTS[:3]), min_size=1, max_size=2, unique=True))
    if given["devices"] > 1 and draw(st.integers(0, 3)) == 0:
        given["within"] = draw(st.sampled_from(["5s", "30s"]))
    if draw(st.integers(0, 5)) == 0:
        given["priority"] = draw(st.integers(2, 3))
    return given


@st.composite
def combinations(draw: st.DrawFn) -> Rule:
    condition: dict[str, Any] = {
        "group": draw(st.sampled_from(["device", "zone", "building", "unit", "main", "gateway"])),
        "all": draw(st.lists(clauses(), min_size=1, max_size=2)), "none": draw(st.lists(clauses(), max_size=1)),
        "priority": draw(st.integers(2, 4)), "on_delay": draw(DELAYS), "off_delay": draw(DELAYS),
        "source": "J, generated",
    }  # fmt: skip
    if condition["group"] == "device":
        for clause in (*condition["all"], *condition["none"]):
            clause["devices"] = 1
            clause.pop("within", None)
    if len(condition["all"]) > 1 and draw(st.booleans()):
        condition["followed_within"] = draw(st.sampled_from(["0s", "10s", "60s"]))
    schedule = draw(st.sampled_from([None, None, None, *SCHEDULES]))
    return rule("together", {"combination": condition}, schedule=schedule, shadow=draw(st.integers(0, 5)) == 0)


@st.composite
def events_and_readings(draw: st.DrawFn) -> list[Item]:
    """Events and readings in the order of time, now and then one said again or from before, and ticks."""
    stream: list[Item] = [START]
    now = START
    for drawn in draw(
        st.lists(st.integers(0, 5 * 3 * 5 * 3 * 2 * 6 - 1), min_size=draw(st.sampled_from([1, 15])), max_size=40)
    ):
        rest, act = divmod(drawn, 5)
        rest, device = divmod(rest, 3)
        rest, event = divmod(rest, 5)
        rest, point = divmod(rest, 3)
        step, active = divmod(rest, 2)
        now += (1, 2, 5, 10, 30, 100)[step] * SECOND
        if act == 0:
            stream.append(now)
        elif act == 1:
            stream.append(Reading(device + 1, "pressure", Sample(now, now, (event + point) / 8)))
        else:
            at = (
                now - 10 * SECOND
                if act == 2 and heard_lately(stream, device + 1, EVENTS[event], str(point), now)
                else now
            )
            unit = "water" if device < 2 else "south"
            stream.append(
                Event(unit, f"d{device + 1}", device + 1, EVENTS[event], bool(active), str(point), "", at, now, None)
            )
    return stream


def heard_lately(stream: list[Item], device: int, event: str, point: str, now: int) -> bool:
    """Whether something newer than ten seconds ago was said of the point, so that what is older changes nothing."""
    return any(
        isinstance(item, Event)
        and (item.device_number, item.event, item.component) == (device, event, point)
        and item.at > now - 10 * SECOND
        for item in stream
    )


def without_growth(book: Rulebook, calls: list[tuple[int, list[Said]]]) -> list[tuple[int, list[Said]]]:
    """Leave out that more devices joined a combination, which changes its figures only."""
    groups = {rule.id for rule in book.rules if rule.condition.combination is not None}
    stands: dict[object, str] = {}
    kept: list[tuple[int, list[Said]]] = []
    for span, said in calls:
        some = []
        for one in said:
            if not (one.rule in groups and one.again and stands.get(one.key) == one.suppressed):
                some.append(one)
            stands[one.key] = one.suppressed if one.kind == "raise" else one.kind
        kept.append((span, some))
    return kept


def agree(book: Rulebook, calls: list[tuple[int, list[Item] | int]]) -> None:
    devices = city(FAST)
    oracle, registry = GroupOracle(book, devices), registry_of(devices)
    expected = []
    for span, what in calls:
        if isinstance(what, int):
            expected.append((span, bare(oracle.tick(what))))
            continue
        rows = [(each.device, each.component, each.sample) for each in what if isinstance(each, Reading)]
        expected.append((span, bare(oracle.evaluate(rows, [each for each in what if isinstance(each, Event)]))))
    engine = without_growth(book, led(Engine(book, registry), registry, calls))
    assert in_spans([(span, bare(each)) for span, each in engine]) == in_spans(expected)


@settings(max_examples=80)
@given(
    event_rules("first"),
    event_rules("second"),
    st.sampled_from(CALENDARS),
    events_and_readings(),
    st.sets(st.integers(0, 40)),
)
def test_event_rules_say_what_the_oracle_says(
    first: Rule, second: Rule, calendar: Any, stream: list[Item], cuts: set[int]
) -> None:
    """Active, all of them, at several points, frequent, missing: in batches of any size, with ticks between."""
    only_events = [item for item in stream if not isinstance(item, Reading)]
    agree(Rulebook((first, second), calendar=calendar), calls_of(only_events, cuts))


@st.composite
def held_back(draw: st.DrawFn) -> Rule:
    """The rule on pressure, held back by design while a rule or an event is active on the same."""
    by = draw(
        st.sampled_from(
            [{"rules": ["first"]}, {"events": ["fault"]}, {"rules": ["first"], "events": ["tamper", "fault"]}]
        )
    )
    on = draw(st.sampled_from(["device", "gateway", "zone", "main", "unit"]))
    return HIGH.model_copy(update={"suppressed": Suppression.model_validate(by | {"on": on, "reason": WORDS})})


@settings(max_examples=60)
@given(held_back(), event_rules("first"), event_rules("second"), events_and_readings())
def test_what_is_held_back_by_design_is_what_the_oracle_says(
    high: Rule, first: Rule, second: Rule, stream: list[Item]
) -> None:
    """Raised and marked while something else is active on the same; raised again, by itself, when that is over."""
    ticked = [each for item in stream for each in ([item] if isinstance(item, int) else [instant(item), item])]
    agree(Rulebook((high, first, second), calendar=CALENDARS[0]), calls_of(ticked, set()))


@settings(max_examples=80)
@given(event_rules("first"), combinations(), st.sampled_from(CALENDARS), events_and_readings())
def test_combinations_say_what_the_oracle_says(first: Rule, together: Rule, calendar: Any, stream: list[Item]) -> None:
    """Devices of a zone, building, unit, main or gateway, over limits, events and event rules, as they come."""
    ticked = [each for item in stream for each in ([item] if isinstance(item, int) else [instant(item), item])]
    agree(Rulebook((HIGH, first, together), calendar=calendar), calls_of(ticked, set()))


def instant(item: Item) -> int:
    return item.received_at if isinstance(item, Event) else item.sample.ts if isinstance(item, Reading) else item
