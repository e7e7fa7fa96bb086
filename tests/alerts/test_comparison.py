"""Which real fires and false alarms another rulebook would have found: by what came up about them, and when."""

from typing import Any

import pytest
from alert_making import T0

from firetower.alerts.comparison import Outcome, Side, compared
from firetower.alerts.rehearsal import SAME_WITHIN, Answered, Key, Sounded
from firetower.core.clock import HOUR, MINUTE, SECOND, Micros
from firetower.devices.events import AlertClass

FIRE, PREALARM, HAZARD, FAULT = AlertClass.FIRE, AlertClass.PREALARM, AlertClass.HAZARD, AlertClass.FAULT
AT = T0 + 3 * HOUR
"""When what is stored began."""


def stored(alert_class: AlertClass = FIRE, *, confirmed: bool = True) -> Outcome:
    """An alert about the detector smk-1 in its zone, which was a real fire, or a false alarm."""
    return Outcome(
        id=7, key=_key("u1/smk-1"), alert_class=alert_class, unit="u1", zone="A/1/e", device_at=AT,
        answered=Answered(AT, None, None), confirmed=confirmed, false=not confirmed, title_zh="烟雾", title_en="Smoke",
    )  # fmt: skip


def said(alert_class: AlertClass, at: Micros = AT, subject: str = "u1/smk-1", **more: Any) -> Sounded:
    """Something that came up about a device, number 1 for smk-1 and 2 for others."""
    number = 1 if subject == "u1/smk-1" else 2
    return Sounded(_key(subject), alert_class, 2, "u1", number, at, at, "raised", "烟雾", "Smoke", **more)


def _key(subject: str) -> Key:
    return ("smoke-rule", "device", subject, "smoke")


def told(outcome: Outcome, *new: Sounded) -> dict[str, Any]:
    """What the comparison says of fires and false alarms when these came up under the new rules, and nothing before."""
    zones = {1: "u1/A/1/e", 2: "u1/A/1/e"}
    found = compared(Side(new, zones), Side([], zones), [outcome], since=T0, until=T0 + 24 * HOUR)
    return {name: found["fires"][name] for name in ("confirmed", "missed", "missed_by_rules_in_force")} | {
        "avoided": found["false_alarms"]["avoided"]
    }


@pytest.mark.parametrize("found", [said(FIRE), said(PREALARM), said(PREALARM, subject="u1/smk-2")])
def test_a_fire_is_found_by_a_fire_or_a_prealarm_of_its_device_or_zone(found: Sounded) -> None:
    assert told(stored(), found) == {"confirmed": 1, "missed": 0, "missed_by_rules_in_force": 1, "avoided": 0}


@pytest.mark.parametrize(
    "other",
    [said(HAZARD), said(FAULT), said(FIRE, shadow=True), said(FIRE, suppressed=True), said(FIRE, historical=True)],
)
def test_a_fire_is_missed_where_only_something_milder_or_nothing_anybody_saw_came_up(other: Sounded) -> None:
    assert told(stored(), other)["missed"] == 1


@pytest.mark.parametrize("sign", [-1, 1])
def test_ten_minutes_before_or_after_are_the_same_fire_and_more_are_another(sign: int) -> None:
    """A prealarm an hour before would else excuse a rulebook that lets the fire burn."""
    assert SAME_WITHIN == 10 * MINUTE
    assert told(stored(), said(FIRE, AT + sign * 10 * MINUTE))["missed"] == 0
    assert told(stored(), said(FIRE, AT + sign * (10 * MINUTE + SECOND)))["missed"] == 1
    assert told(stored(), said(FIRE, AT + sign * HOUR))["missed"] == 1


def test_a_false_alarm_is_avoided_where_nothing_as_grave_came_up_about_its_subject() -> None:
    """A fire in place of a false hazard is no better; one beside it, or an hour later, is another matter."""
    false = stored(HAZARD, confirmed=False)
    for same in (said(HAZARD), said(PREALARM), said(FIRE)):
        assert told(false, same)["avoided"] == 0
    for other in (said(FAULT), said(HAZARD, subject="u1/smk-2"), said(HAZARD, AT + HOUR)):
        assert told(false, other)["avoided"] == 1
