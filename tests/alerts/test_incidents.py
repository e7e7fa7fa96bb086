"""Incidents decided without a store: who joins whom, what leads, what the headline says, when one closes and opens."""

from dataclasses import replace

from firetower.alerts.incidents import JOINS_WITHIN, Incident, Newcomer, gathered, retold, scene_of, tallied
from firetower.alerts.windows import Where
from firetower.core.clock import MINUTE, SECOND
from firetower.devices.events import AlertClass

T0 = 1_763_800_000 * SECOND
ZONE = "zone:h1/b1/f3/za"


def newcomer(alert_id: int, at: int = T0, scene: str = ZONE, kind: AlertClass = AlertClass.FIRE, **more) -> Newcomer:
    fields = {"priority": 1 if kind is AlertClass.FIRE else 3, "is_open": True}
    return Newcomer(alert_id, scene, kind, raised_at=at, **(fields | more))


def incident(scene: str = ZONE, **more) -> Incident:
    fields = {
        "id": 5,
        "scene": scene,
        "headline_zh": "",
        "headline_en": "",
        "alert_class": AlertClass.FIRE,
        "priority": 1,
        "unit": "h1",
        "unit_name": "人民医院",
        "place": "住院楼/3F/A区",
        "lon": None,
        "lat": None,
        "members": (),
        "opened_at": T0,
        "last_raised_at": T0,
        "closed_at": None,
        "version": 0,
    }
    return Incident(**(fields | more))


def told(scene: str, *members: Newcomer, **more) -> Incident:
    return retold(incident(scene, **more), tallied(members), T0)


def ids(groups) -> list[tuple[int | None, list[int]]]:
    return [(group.incident_id, [each.alert_id for each in group.newcomers]) for group in groups]


def test_alerts_of_one_scene_raised_close_together_are_one_incident() -> None:
    """Each within half an hour of the one before; a scene of its own, or a longer pause, is another incident."""
    late = T0 + 20 * MINUTE + JOINS_WITHIN
    groups = gathered(
        [newcomer(4, late + 1), newcomer(1), newcomer(2, scene="main:M12"), newcomer(3, T0 + 20 * MINUTE)], {}
    )
    assert ids(groups) == [(None, [1, 3]), (None, [2]), (None, [4])]


def test_an_alert_joins_the_incident_that_is_open_in_its_scene() -> None:
    """Only while the last one there is recent; what comes after the join keeps it going."""
    standing = {ZONE: incident(last_raised_at=T0)}
    assert ids(gathered([newcomer(1, T0 + JOINS_WITHIN), newcomer(2, T0 + 2 * JOINS_WITHIN)], standing)) == [
        (5, [1, 2])
    ]
    assert ids(gathered([newcomer(1, T0 + JOINS_WITHIN + 1)], standing)) == [(None, [1])]


def test_what_is_for_the_record_only_opens_no_incident() -> None:
    """A historical alert that began closed belongs to what goes on in its scene, else to nothing."""
    past = newcomer(1, is_open=False, begins=False)
    assert ids(gathered([past], {})) == []
    assert ids(gathered([past], {ZONE: incident()})) == [(5, [1])]


def test_the_headline_says_where_and_what_the_highest_class_first() -> None:
    """In both languages, with the unit's name and the registry's words for the place."""
    now = told(
        ZONE,
        newcomer(1, kind=AlertClass.PREALARM, priority=2),
        newcomer(2),
        newcomer(3),
        newcomer(4, kind=AlertClass.FAULT),
    )
    assert now.headline_zh == "人民医院 住院楼/3F/A区：火警 2、疑似火警 1、故障 1"
    assert now.headline_en == "人民医院, 住院楼/3F/A区: 2 fire alarms, 1 prealarm, 1 fault"


def test_a_water_main_and_a_gateway_are_named_as_such() -> None:
    """A main crosses units, so the main itself is the place."""
    low = newcomer(1, kind=AlertClass.HAZARD)
    main = told("main:M12", low, unit=None, unit_name=None, place="M12")
    assert (main.headline_zh, main.headline_en) == ("供水管 M12：隐患 1", "Water main M12: 1 hazard")
    silent = [newcomer(n, kind=AlertClass.OFFLINE) for n in range(3)]
    gateway = told("gateway:h1/gw-2", *silent)
    assert (gateway.headline_zh, gateway.headline_en) == (
        "人民医院 网关 gw-2：离线 3",
        "人民医院, gateway gw-2: 3 silent",
    )
    own = told("system:firetower", newcomer(1, kind=AlertClass.QUALITY), unit=None, unit_name=None, place=None)
    assert own.headline_zh == "Firetower：数据异常 1"


def test_the_highest_open_class_leads_and_the_most_urgent_priority_counts() -> None:
    """A fire that was closed leads no more while something else is open; when all are closed it leads again."""
    fire, gas = newcomer(1), newcomer(2, kind=AlertClass.HAZARD, priority=2)
    both = told(ZONE, fire, gas)
    assert (both.alert_class, both.priority) == (AlertClass.FIRE, 1)
    one = told(ZONE, replace(fire, is_open=False), gas)
    assert (one.alert_class, one.priority) == (AlertClass.HAZARD, 2)
    assert one.members == ((AlertClass.FIRE, 1, 0), (AlertClass.HAZARD, 1, 1))
    none = told(ZONE, replace(fire, is_open=False), replace(gas, is_open=False))
    assert (none.alert_class, none.priority) == (AlertClass.FIRE, 1)


def test_an_alarm_nobody_could_read_leads_before_a_hazard() -> None:
    """It may be a fire."""
    now = told(ZONE, newcomer(1, kind=AlertClass.HAZARD), newcomer(2, kind=AlertClass.UNREADABLE, priority=2))
    assert now.alert_class is AlertClass.UNREADABLE


def test_an_incident_closes_with_its_last_member_and_opens_again_with_any() -> None:
    """The instant of closing stays; every change is a version, and no change is none."""
    one, two = newcomer(1), newcomer(2)
    first = told(ZONE, one, two)
    assert (first.closed_at, first.version) == (None, 1)
    shut = tallied([replace(one, is_open=False), replace(two, is_open=False)])
    closed = retold(first, shut, T0 + MINUTE)
    assert (closed.closed_at, closed.version) == (T0 + MINUTE, 2)
    assert retold(closed, shut, T0 + 9 * MINUTE) is closed
    again = retold(closed, tallied([one, replace(two, is_open=False)]), T0 + 10 * MINUTE)
    assert (again.closed_at, again.version) == (None, 3)


def test_every_class_has_words_and_a_rank() -> None:
    """No alert can come for which a headline cannot be made."""
    for kind in AlertClass:
        assert told(ZONE, newcomer(1, kind=kind)).headline_zh.endswith(" 1")


def test_a_scene_is_the_main_the_gateway_or_the_zone() -> None:
    """What explains a silence is its gateway; what burns, burns in a zone; and from there a detector was taken."""
    here = Where(unit="h1", zone="b1/f3/za", device="s-1", gateway="gw-2")
    assert scene_of("device", "h1/s-1", AlertClass.FIRE, here) == ZONE
    assert scene_of("device", "h1/s-1", AlertClass.OFFLINE, here) == "gateway:h1/gw-2"
    assert scene_of("gateway", "h1/gw-2", AlertClass.OFFLINE, Where(unit="h1")) == "gateway:h1/gw-2"
    for rule in ("event:fault", "event:power_lost"):
        assert scene_of("device", "h1/s-1", AlertClass.FAULT, here, rule) == "gateway:h1/gw-2"
    for rule in ("event:removed", "event:low_battery", "smoke-removed"):
        assert scene_of("device", "h1/s-1", AlertClass.FAULT, here, rule) == ZONE
    assert scene_of("device", "h1/s-1", AlertClass.HAZARD, here, "event:tamper") == ZONE
    assert scene_of("device", "w/hyd-1", AlertClass.HAZARD, Where(unit="w", main="M12")) == "main:M12"
    assert scene_of("sender", "x/y", AlertClass.FIRE, Where(unit="x")) == "sender:x/y"
