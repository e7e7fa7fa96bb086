"""What announced windows, causes and the registry make of an alert as it is now."""

import itertools
from dataclasses import replace
from typing import Any

import pytest

from firetower.alerts import flags
from firetower.alerts.circumstances import FOLLOWING, Circumstances, raised_under
from firetower.alerts.judge import judge
from firetower.alerts.model import Alert, Hold, State
from firetower.alerts.windows import Window, WindowKind
from firetower.core.clock import HOUR, SECOND, Micros
from firetower.devices.events import EVENTS, AlertClass
from firetower.rules.verdicts import HISTORICAL, SubjectKind, Verdict, VerdictKind

T0: Micros = 1_763_800_000 * SECOND
MALL = Circumstances(
    alert_id=9, unit="mall", unit_name="万象城", device="s-1", device_kind="smoke", zone="A/3/e", level=3,
    place="A座 / 3层 / 东区", elsewhere="人民路 1 号", lon=121.5, lat=31.25, gateway="gw-1",
)  # fmt: skip


def window(kind: WindowKind, number: int = 1, **more: object) -> Window:
    fields: dict[str, object] = {
        "unit": "mall", "zone": None, "device": None, "component": None, "main": None, "starts_at": T0,
        "ends_at": T0 + HOUR, "reason": "年检", "measure": None, "person": None, "requested_by": "mall",
        "requested_at": T0, "approved_by": "li", "approved_at": T0,
    }  # fmt: skip
    return Window(id=number, kind=kind, **(fields | more))  # type: ignore[arg-type]  # as the fields are


def begun(
    name: str | None = None,
    *,
    of: AlertClass = AlertClass.HAZARD,
    rule: str = "rule-x",
    component: str = "1-1",
    text: str = "",
    kind: SubjectKind = SubjectKind.DEVICE,
    subject: str = "mall/s-1",
    historical: bool = False,
) -> Alert:
    """A new alert: of a device's own event ``name``, or of a rule."""
    if name is not None:
        rule, of = f"event:{name}", EVENTS[name].alert_class or of
    said = Verdict(
        VerdictKind.RAISE, rule, 1, kind, subject, component, of, 3, name is not None and EVENTS[name].latch, T0,
        "题", "title", text=text, flags=(HISTORICAL,) if historical else (),
    )  # fmt: skip
    alert = judge(None, said, T0 + SECOND).alert
    assert alert is not None
    return alert


def raised(alert: Alert, found: Circumstances) -> tuple[Alert, dict[str, Any]]:
    fields, evidence = raised_under(alert, found)
    assert set(fields) == set(FOLLOWING)
    return replace(alert, **fields), evidence


def test_place_zone_gateway_and_scene_are_frozen_and_what_the_device_said_is_not_touched() -> None:
    alert = begun("fire", text="3F east")
    now, evidence = raised(alert, MALL)
    assert (now.place, now.zone, now.gateway, now.scene) == (
        "A座 / 3层 / 东区", "A/3/e", "gw-1", "zone:mall/A/3/e",
    )  # fmt: skip
    assert (now.lon, now.lat, now.unit_name, now.device_kind) == (121.5, 31.25, "万象城", "smoke")
    assert (now.text, now.state, now.hold, now.flags, evidence) == (
        "3F east", State.UNACKNOWLEDGED, Hold.NONE, (), {},
    )  # fmt: skip


def test_without_words_of_its_own_the_units_address_is_the_place() -> None:
    now, _ = raised(begun("fire"), replace(MALL, zone=None, place="", level=None))
    assert (now.place, now.scene) == ("人民路 1 号", "device:mall/s-1")


@pytest.mark.parametrize("kinds", [kinds for n in (1, 2, 5) for kinds in itertools.combinations(WindowKind, n)])
def test_whatever_is_announced_a_fire_or_prealarm_is_shown_and_every_hold_has_its_end_and_its_reason(
    kinds: tuple[WindowKind, ...],
) -> None:
    """Promise 6 in every combination of windows, with a cause beside them and for every event there is."""
    windows = [window(kind, number) for number, kind in enumerate(kinds, 1)]
    out = not {WindowKind.MAINTENANCE, WindowKind.IMPAIRMENT}.isdisjoint(kinds)
    for name, meaning in EVENTS.items():
        now, evidence = raised(begun(name), replace(MALL, device_kind="hydrant", windows=windows, cause=77, turns=9))
        shown = meaning.alert_class in {AlertClass.FIRE, AlertClass.PREALARM}
        assert (flags.IMPAIRED in now.flags) == (out and shown)
        if out or shown:
            assert now.hold is (Hold.NONE if shown else Hold.OUT_OF_SERVICE)
        as_real = name in {"manual_call", "waterflow"}
        assert (flags.DURING_TEST in now.flags) == (WindowKind.TEST in kinds and as_real)
        assert (flags.IN_TEST in now.flags) == (WindowKind.TEST in kinds and not as_real)
        assert (flags.IN_DRILL in now.flags) == (WindowKind.DRILL in kinds)
        why = (now.hold_reason, now.held_until, now.held_by, now.cause_id)
        if now.hold is Hold.NONE:
            assert why == (None, None, None, None)
            continue
        assert evidence["hold"] == now.hold
        if now.cause_id is None:
            assert why[1:] == (T0 + HOUR, "li", None)
            assert "年检" in (now.hold_reason or "")
            assert evidence["window"] == now.window_id
        else:
            assert now.alert_class is AlertClass.FAULT
            assert why == ("cause:77", None, None, 77)


def test_of_two_windows_that_hold_it_the_one_that_ends_last_does_and_a_test_is_named_first_on_a_fire() -> None:
    """It must not come back when the shorter of two ends; a disposition as test asks for the test's window."""
    both = (window(WindowKind.MAINTENANCE, 1), window(WindowKind.IMPAIRMENT, 2, ends_at=T0 + 2 * HOUR))
    hazard, evidence = raised(begun(), replace(MALL, windows=both))
    assert (hazard.window_id, hazard.held_until) == (2, T0 + 2 * HOUR)
    assert [each["id"] for each in evidence["windows"]] == [1, 2]
    fire, _ = raised(begun("fire"), replace(MALL, windows=(*both, window(WindowKind.TEST, 3))))
    assert (fire.window_id, fire.flags) == (3, (flags.IN_TEST, flags.IMPAIRED))


def test_outside_the_zone_of_a_window_and_where_no_zone_is_registered_nothing_changes() -> None:
    windows = (window(WindowKind.TEST, zone="A/3"), window(WindowKind.MAINTENANCE, 2, zone="A/3/e"))
    for zone in ("A/4/e", "A/33/e", None):
        now, evidence = raised(begun(), replace(MALL, zone=zone, windows=windows))
        assert (now.flags, now.hold, now.window_id, evidence) == ((), Hold.NONE, None, {})


def test_a_panels_own_room_says_nothing_of_its_points_but_of_the_panel_itself() -> None:
    """A test of the control room must not make the fires of the whole building tests."""
    panel = replace(
        MALL, device="panel", device_kind="panel", zone="A/1/room", level=1, place="A座 / 1层 / 消控室",
        windows=(window(WindowKind.TEST, zone="A/1/room"),),
    )  # fmt: skip
    point, _ = raised(begun("fire", text="5F corridor", subject="mall/panel"), panel)
    assert (point.zone, point.flags, point.place) == (None, (), "A座 / 1层 / 消控室")
    itself, _ = raised(begun("main_power_lost", component="", subject="mall/panel"), panel)
    assert (itself.zone, itself.flags) == ("A/1/room", (flags.IN_TEST,))
    registered = replace(panel, of_point=True, zone="A/3/e", level=3, place="A座 / 3层")
    known, _ = raised(begun("fire", text="5F corridor", subject="mall/panel"), registered)
    assert (known.zone, known.flags) == ("A/3/e", (flags.PLACE_MISMATCH,))


def test_a_permit_hides_water_that_is_taken_and_nothing_else_of_a_hydrant() -> None:
    permit = replace(MALL, device_kind="hydrant", main="m1", windows=(window(WindowKind.WATER_PERMIT, main="m1"),))
    flow = replace(begun(rule="hydrant-flow"), metric="flow")
    for taken in (flow, replace(flow, metric="water_used"), begun("cover_open")):
        now, _ = raised(taken, permit)
        assert (now.hold, now.held_until) == (Hold.SUPPRESSED, T0 + HOUR)
        assert "年检" in (now.hold_reason or "")
    for other in (begun("leak"), begun("tilt"), replace(flow, metric="pressure"), begun("fire"), begun("fault")):
        assert raised(other, permit)[0].hold is Hold.NONE
    assert raised(flow, replace(permit, device_kind="pump_room"))[0].hold is Hold.NONE
    assert raised(flow, replace(permit, main="m2"))[0].hold is Hold.NONE


def test_a_cause_explains_faults_and_silence_only_and_never_what_may_itself_be_a_cause() -> None:
    explained = replace(MALL, cause=77)
    for alert in (begun(of=AlertClass.OFFLINE), begun("fault"), begun(of=AlertClass.FAULT)):
        now, evidence = raised(alert, explained)
        assert (now.hold, now.cause_id, now.hold_reason) == (Hold.SUPPRESSED, 77, "cause:77")
        assert evidence == {"hold": "suppressed", "cause": 77}
    unit = begun(of=AlertClass.OFFLINE, kind=SubjectKind.UNIT)
    for alert in (unit, begun("main_power_lost"), begun("fire"), begun("prealarm"), begun("tamper"), begun()):
        assert raised(alert, explained)[0].hold is Hold.NONE


def test_what_tells_of_the_past_has_a_place_and_no_window_of_today_says_anything_of_it() -> None:
    """Neither what begins closed nor a late fire, which is shown as the fire it was."""
    windows = tuple(window(kind, number) for number, kind in enumerate(WindowKind, 1))
    for alert in (begun(historical=True), begun("fire", historical=True), begun("fault", historical=True)):
        now, evidence = raised(alert, replace(MALL, windows=windows, cause=77, turns=9))
        assert (now.zone, now.place) == ("A/3/e", "A座 / 3层 / 东区")
        assert (now.hold, now.flags, now.window_id, evidence) == (Hold.NONE, (HISTORICAL,), None, {})


def test_retired_and_chattering_are_said_once() -> None:
    alert = replace(begun("fault"), flags=("uncertain", flags.RETIRED))
    assert raised(alert, replace(MALL, retired=True, turns=2))[0].flags == (
        "uncertain", flags.RETIRED, flags.CHATTERING,
    )  # fmt: skip
    assert raised(begun("fault"), replace(MALL, turns=1))[0].flags == ()
