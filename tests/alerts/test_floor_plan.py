"""Where an alert is on its floor's plan: its own point and none beside it; in doubt on another drawing."""

from dataclasses import replace
from typing import Any

import pytest

from firetower.alerts.floor_plan import Spot, Stood, floor_of, is_doubtful, plan_for, spot_of
from firetower.alerts.judge import judge
from firetower.alerts.model import Alert
from firetower.devices.events import AlertClass
from firetower.rules.verdicts import SubjectKind, Verdict, VerdictKind

T0 = 1_763_800_000_000_000
SPOTS = {
    ("fap-1", ""): Spot(0.1, 0.1, T0, "ada"),
    ("fap-1", "2-3-017"): Spot(0.7, 0.4, T0, "ada"),
    ("smk-1", ""): Spot(0.3, 0.3, T0, "ada"),
}


def said(**more: Any) -> Alert:
    subject = (VerdictKind.RAISE, "event:fire", 1, SubjectKind.DEVICE, "h1/s-1", "")
    raised = judge(None, Verdict(*subject, AlertClass.FIRE, 1, True, T0, "火警", "Fire"), T0).alert
    assert raised is not None
    return replace(raised, **({"zone": "A/3/e", "unit": "h1"} | more))


@pytest.mark.parametrize(
    ("device", "kind", "component", "alert_class", "metric", "at"),
    [
        ("fap-1", "panel", "2-3-017", AlertClass.FIRE, None, 0.7),
        # where the panel hangs says nothing of a point nobody has marked
        ("fap-1", "panel", "2-3-018", AlertClass.FIRE, None, None),
        ("fap-1", "panel", "2-3-018", AlertClass.FAULT, None, None),
        ("fap-1", "panel", "", AlertClass.FIRE, None, None),
        ("fap-1", "gateway", "", AlertClass.HAZARD, None, None),
        ("fap-1", "panel", "", AlertClass.FAULT, None, 0.1),
        ("fap-1", "panel", "battery", AlertClass.FAULT, "battery", 0.1),
        ("smk-1", "smoke", "smoke", AlertClass.FIRE, "smoke", 0.3),
        ("smk-1", "smoke", "", AlertClass.FIRE, None, 0.3),
        ("smk-2", "smoke", "", AlertClass.FIRE, None, None),
        (None, None, "", AlertClass.OFFLINE, None, None),
    ],
)
def test_an_alert_is_where_its_own_point_is_or_nowhere(
    device: str | None, kind: str | None, component: str, alert_class: AlertClass, metric: str | None, at: float | None
) -> None:
    alert = said(device=device, device_kind=kind, component=component, alert_class=alert_class, metric=metric)
    found = spot_of(alert, SPOTS)
    assert (found and found.x) == at


def plan(number: int, put_at: int, ended_at: int | None = None) -> Stood:
    return Stood(bytes([number]) * 32, "image/png", 100, 50, 9, put_at, "ada", ended_at)


def test_a_closed_alert_shows_the_plan_that_stood_then_and_an_open_one_that_of_now() -> None:
    plans = [plan(2, T0 + 100), plan(1, T0, T0 + 100)]
    assert plan_for(said(), plans) is plans[0]
    assert plan_for(said(closed_at=T0 + 50), plans) is plans[1]
    assert plan_for(said(closed_at=T0 - 5), plans) is plans[0], "there was none then: better one than none"
    assert plan_for(said(), [plans[1]]) is None, "a withdrawn one is not shown for what is open"


@pytest.mark.parametrize(
    ("placed_at", "doubtful"),
    [(T0 - 10, False), (T0 + 50, True), (T0 + 150, False), (T0 + 250, True), (T0 + 350, False)],
)
def test_a_place_is_in_doubt_on_another_drawing_than_it_was_marked_on(placed_at: int, *, doubtful: bool) -> None:
    """Before any plan, on the first, on none, on the second, on the first again, which is shown."""
    plans = [plan(1, T0 + 300), plan(2, T0 + 200, T0 + 300), plan(1, T0, T0 + 100)]
    plans[2] = replace(plans[2], sha256=bytes([7]) * 32)
    assert is_doubtful(Spot(0.5, 0.5, placed_at, "ada"), plans[0], plans) is doubtful
    assert not is_doubtful(Spot(0.5, 0.5, placed_at, "ada"), None, plans)


def test_the_floor_is_the_first_two_parts_of_a_zone() -> None:
    assert floor_of("A/3/east") == ("A", "3")
    assert floor_of(None) is None
