"""Announced windows: what may be asked for, who decides, how long it lasts, and that it ends by itself."""

from dataclasses import replace
from typing import Any

import pytest

from firetower.alerts.windows import (
    LATE_START,
    Actor,
    NotYours,
    Wanted,
    Window,
    WindowKind,
    WindowState,
    approve,
    end,
    refuse,
    request,
)
from firetower.core.clock import DAY, HOUR, MINUTE, ManualClock
from firetower.core.errors import Conflict, InvalidInput

NOW = ManualClock().now()
CENTRE, MALL, SCHOOL = Actor("olga"), Actor("mall-room", "mall-01"), Actor("school-room", "school-02")


def wanted(kind: str = "test", **changes: Any) -> Wanted:
    fields: dict[str, Any] = {"ends_at": NOW + 2 * HOUR, "reason": "yearly check", "unit": "mall-01"}
    return Wanted(WindowKind(kind), **{**fields, **changes})


def window(actor: Actor = CENTRE, kind: str = "test", **changes: Any) -> Window:
    return request(wanted(kind, measure="patrols", person="mall-room", **changes), actor, NOW, vouched=True)


def test_what_a_unit_asks_for_is_only_requested_and_what_the_centre_announces_is_in_force() -> None:
    """A unit cannot put itself in test."""
    assert window(MALL).state(NOW) is WindowState.REQUESTED
    announced = window(CENTRE)
    assert announced.state(NOW) is WindowState.ACTIVE
    assert (announced.requested_by, announced.approved_by, announced.person) == ("olga", "olga", "mall-room")


@pytest.mark.parametrize("changes", [{"unit": "school-02"}, {"unit": None, "main": "m1"}, {"unit": None}])
def test_a_unit_asks_for_nobody_but_itself(changes: dict[str, Any]) -> None:
    """Neither another unit nor a water main."""
    with pytest.raises(NotYours, match="mall-01"):
        request(wanted("water_permit", **changes), MALL, NOW)


@pytest.mark.parametrize(
    ("kind", "hours", "told"),
    [
        ("test", 4, "4 hours"),
        ("drill", 24, "24 hours"),
        ("maintenance", 7 * 24, "7 days"),
        ("impairment", 30 * 24, "30 days"),
        ("water_permit", 24, "24 hours"),
    ],
)
def test_a_window_lasts_no_longer_than_its_kind_may(kind: str, hours: int, told: str) -> None:
    """The longest is taken, a microsecond more is refused, and the error says how long it may be."""
    longest = window(kind=kind, starts_at=NOW + HOUR, ends_at=NOW + HOUR + hours * HOUR)
    assert longest.state(longest.ends_at - 1) is WindowState.ACTIVE
    with pytest.raises(InvalidInput, match=f"longer than {told}"):
        window(kind=kind, starts_at=NOW + HOUR, ends_at=NOW + HOUR + hours * HOUR + 1)


def test_a_window_follows_from_its_times_alone() -> None:
    """Planned, in force, over: nobody has to do anything for it, and nothing runs on after its end."""
    planned = window(starts_at=NOW + HOUR, ends_at=NOW + 3 * HOUR)
    states = [planned.state(at) for at in (NOW, NOW + HOUR, NOW + 3 * HOUR - 1, NOW + 3 * HOUR)]
    assert states == [WindowState.PLANNED, WindowState.ACTIVE, WindowState.ACTIVE, WindowState.ENDED]
    assert window(MALL).state(NOW + 2 * HOUR) is WindowState.ENDED  # a request that nobody answered


@pytest.mark.parametrize(
    ("kind", "changes", "field", "told"),
    [
        ("test", {"person": None}, "person", "口令"),
        ("test", {"unit": None}, "unit", "^a test needs unit"),
        ("impairment", {"unit": None}, "unit", "^an impairment needs unit"),
        ("maintenance", {"unit": None}, "unit", "^maintenance needs unit"),
        ("test", {"main": "m1"}, "main", "only a water_permit"),
        ("test", {"component": "2-1"}, "component", "give device"),
        ("test", {"zone": "A/1", "device": "p-1"}, "zone", "not both"),
        ("test", {"starts_at": NOW - LATE_START - 1}, "starts_at", "is past"),
        ("test", {"starts_at": NOW + 7 * DAY + 1, "ends_at": NOW + 7 * DAY + HOUR}, "starts_at", "7 days ahead"),
        ("test", {"ends_at": NOW}, "ends_at", "not after the start"),
        ("impairment", {"measure": None}, "measure", "临时防范措施"),
        ("water_permit", {"main": "m1"}, "main", "give main or unit"),
        ("water_permit", {"zone": "A"}, "zone", "the whole unit"),
        ("water_permit", {"unit": None, "main": "m1", "device": "h-1"}, "device", "give unit"),
    ],
)
def test_what_may_not_be_announced_is_refused_by_its_field(
    kind: str, changes: dict[str, Any], field: str, told: str
) -> None:
    """Each refusal names the field and what would be right."""
    given = {"measure": "patrols", "person": "mall-room", **changes}
    with pytest.raises(InvalidInput, match=told) as refused:
        request(wanted(kind, **given), CENTRE, NOW, vouched=True)
    assert refused.value.details == {"field": field}


def test_the_centre_announces_no_test_on_its_own_word() -> None:
    """A person of the unit asks, and proves it by the password."""
    with pytest.raises(InvalidInput, match="asked for by a person of the unit"):
        request(wanted(person="mall-room"), CENTRE, NOW, vouched=False)


def test_a_start_a_moment_ago_is_now() -> None:
    """A form takes minutes to fill in; the four hours count from now."""
    late = window(starts_at=NOW - 2 * MINUTE, ends_at=NOW + 4 * HOUR)
    assert late.starts_at == NOW


def test_the_centre_decides_once_and_for_all() -> None:
    """Approving or refusing again changes nothing; the other one is a conflict that shows the window."""
    asked = window(MALL)
    approved, refused = approve(asked, CENTRE, NOW + 1), refuse(asked, CENTRE, "no", NOW + 1)
    assert approved.state(NOW + 1) is WindowState.ACTIVE
    assert approve(approved, Actor("ada"), NOW + 2) is approved
    assert (refused.state(NOW + 1), refused.refusal) == (WindowState.REFUSED, "no")
    assert refuse(refused, Actor("ada"), "never", NOW + 2) is refused
    for act in (
        lambda: refuse(approved, CENTRE, "no", NOW + 2),
        lambda: approve(refused, CENTRE, NOW + 2),
        lambda: approve(asked, CENTRE, asked.ends_at),
        lambda: end(refused, CENTRE, None, NOW + 2),
        lambda: end(asked, CENTRE, None, NOW + 2),
    ):
        with pytest.raises(Conflict, match=r"mall|olga|its own time") as conflict:
            act()
        assert isinstance(conflict.value.current, Window)


@pytest.mark.parametrize("kind", list(WindowKind))
def test_a_unit_withdraws_its_request_and_ends_its_test_and_no_more(kind: WindowKind) -> None:
    """It may give its protection back, and decides nothing else."""
    asked = window(MALL, kind)
    assert end(asked, MALL, None, NOW).state(NOW) is WindowState.ENDED
    approved = approve(asked, CENTRE, NOW)
    if kind is WindowKind.TEST:
        assert end(approved, MALL, "done", NOW + 1).ended_by == "mall-room"
    else:
        with pytest.raises(NotYours, match="call the centre"):
            end(approved, MALL, None, NOW + 1)
    assert end(approved, CENTRE, "done", NOW + 1).state(NOW + 1) is WindowState.ENDED
    for act in (
        lambda: end(approved, SCHOOL, None, NOW),
        lambda: approve(asked, MALL, NOW),
        lambda: refuse(asked, MALL, "x", NOW),
    ):
        with pytest.raises(NotYours):
            act()


def test_ending_what_is_over_changes_nothing() -> None:
    """Twice is once."""
    over = replace(window(), ended_by="olga", ended_at=NOW)
    assert end(over, CENTRE, "again", NOW + 1) is over
