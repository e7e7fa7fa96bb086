"""Event names mean what the contract says; in doubt about a name with fire in it, it is a fire."""

import pytest

from firetower.devices.events import EVENTS, AlertClass, meaning

CONTRACT = {
    "fire": ("fire", 1), "manual_call": ("fire", 1),
    "prealarm": ("prealarm", 2), "waterflow": ("prealarm", 2), "pump_start": ("prealarm", 2), "arc": ("prealarm", 2),
    "supervisory": ("supervisory", 2), "valve_closed": ("supervisory", 2), "shielded": ("supervisory", 2),
    "gas": ("hazard", 2),
    "fault": ("fault", 3), "removed": ("fault", 3), "main_power_lost": ("fault", 3),
    "backup_power_lost": ("fault", 3), "power_lost": ("fault", 3), "low_battery": ("fault", 4),
    "tamper": ("hazard", 3), "tilt": ("hazard", 3), "collision": ("hazard", 3), "cover_open": ("hazard", 3),
    "leak": ("hazard", 3),
    "feedback": (None, None), "reset": (None, None), "test": (None, None),
    "manual_mode": (None, None), "manual_start": (None, None),
}  # fmt: skip


@pytest.mark.parametrize(("event", "wanted"), CONTRACT.items())
def test_an_event_of_the_contract_has_its_class_and_priority(event: str, wanted: tuple[str, int]) -> None:
    got = meaning(event)
    assert got.alert_class == wanted[0]
    if wanted[0] is not None:
        assert got.priority == wanted[1]


def test_no_event_is_known_that_the_contract_does_not_name() -> None:
    assert set(EVENTS) == set(CONTRACT)


@pytest.mark.parametrize("event", ["FIRE", "fire_zone_3", "一层火警", "confirmed-fire"])
def test_an_unknown_name_with_fire_in_it_is_a_latched_fire(event: str) -> None:
    got = meaning(event)
    assert (got.alert_class, got.priority, got.latch) == (AlertClass.FIRE, 1, True)


@pytest.mark.parametrize("event", ["smoek", "", "报警"])
def test_any_other_unknown_name_is_unreadable_orange_and_latched(event: str) -> None:
    got = meaning(event)
    assert (got.alert_class, got.priority, got.latch) == (AlertClass.UNREADABLE, 2, True)
