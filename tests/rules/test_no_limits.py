"""A device whose own file lacks the limits it is judged by is a finding, once it speaks, until it has them all."""

from estate import Estate, rule, turns
from scenario import at

from firetower.devices.kinds import DeviceKind
from firetower.rules.checkpoint import decode, encode
from firetower.rules.watches.silence import TOLD_A_TICK

RULE = rule(
    "no-limit", "quality", {"of": "no_limit", "attributes": ["level_low", "level_90"], "priority": 4},
    kinds=["water_level"], **{"class": "quality"},
)  # fmt: skip
BOTH = {"level_low": 1.2, "level_90": 2.7}
TANK = DeviceKind.WATER_LEVEL


class Tanks(Estate):
    """Tanks on that rule alone; one has spoken at START unless told otherwise."""

    def __init__(self) -> None:
        super().__init__(RULE)

    def tank(self, *, spoken: bool = True, **more: object) -> int:
        number = self.put(TANK, **more)
        if spoken:
            self.heard(number, 0)
        return number


def test_a_tank_without_one_of_its_limits_is_a_finding_until_its_file_has_both() -> None:
    """Half a file is none; another number in it does not matter. Told once, and again when a limit goes."""
    tanks = Tanks()
    tank = tanks.tank(attributes={"level_low": 1.2, "level_overflow": 3.1})
    tanks.tank(attributes=BOTH)
    said = tanks.tick(10)
    assert [(each.device_number, each.component, each.priority) for each in said] == [(tank, "", 4)]
    assert tanks.tick(20) == []
    tanks.put(TANK, number=tank, attributes=BOTH)
    assert turns(tanks.tick(30)) == [("clear", "no-limit", 30)]
    tanks.put(TANK, number=tank, attributes={"level_90": 2.7})
    assert turns(tanks.tick(40)) == [("raise", "no-limit", 40)]


def test_a_tank_that_never_spoke_is_not_told_of_before_it_does() -> None:
    """It is another finding that it never spoke; and who watches no level needs no limit."""
    tanks = Tanks()
    tank = tanks.tank(spoken=False)
    tanks.heard(tanks.put(DeviceKind.HYDRANT), 0)
    assert tanks.tick(10) == []
    assert tanks.tick(20) == []
    tanks.heard(tank, 25)
    assert turns(tanks.tick(30)) == [("raise", "no-limit", 30)]


def test_a_retired_tank_and_one_that_became_something_else_are_over() -> None:
    tanks = Tanks()
    one, other, gone = tanks.tank(), tanks.tank(), tanks.tank(retired=True)
    assert {each.device_number for each in tanks.tick(10)} == {one, other} != {gone}
    tanks.put(TANK, number=one, retired=True)
    tanks.put(DeviceKind.HYDRANT, number=other)
    assert {(each.device_number, each.kind.value) for each in tanks.tick(20)} == {(one, "clear"), (other, "clear")}


def test_many_tanks_at_once_are_told_in_turns() -> None:
    """A city registered without limits does not come at one tick."""
    tanks = Tanks()
    for _ in range(TOLD_A_TICK + 3):
        tanks.tank()
    assert [len(tanks.tick(second)) for second in (1, 2, 3)] == [TOLD_A_TICK, 3, 0]


def test_a_finding_outlives_a_restart_and_a_checkpoint() -> None:
    """It is not told again; and a file that was filled meanwhile ends it."""
    before = Tanks()
    before.tank(), before.tank()
    assert len(before.tick(10)) == 2
    pieces = [decode(encode(each)) for each in before.engine.checkpoint()]
    for way in ("seeded", "restored"):
        after = Tanks()
        open_still, filled = after.tank(), after.tank(attributes=BOTH)
        if way == "seeded":
            assert all(after.engine.seed("no-limit", each, "", 4, at(10)) for each in (open_still, filled))
        else:
            after.engine.restore(pieces)
        assert [(each.device_number, each.kind.value) for each in after.tick(20)] == [(filled, "clear")], way
    assert not after.engine.seed("other", open_still, "", 4, at(10))
