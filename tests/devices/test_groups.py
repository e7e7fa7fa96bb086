"""What devices have in common: labels of their files, and the groups that rules speak of."""

import numpy as np
import pytest

from firetower.core.clock import SECOND
from firetower.devices import labels
from firetower.devices.kinds import KIND_NUMBER, DeviceKind
from firetower.devices.registry import DeviceEntry, Registry

SMOKE, GATEWAY, HYDRANT = DeviceKind.SMOKE, DeviceKind.GATEWAY, DeviceKind.HYDRANT


def _registry() -> Registry:
    registry = Registry()
    in_mall = {"district": "Jianghan", "unit_category": "key", "gateway": "gw-1"}
    registry.add(DeviceEntry(1, "mall", "smk-1", SMOKE, zone="A/1/east", model="S1", **in_mall))
    registry.add(DeviceEntry(2, "mall", "smk-2", SMOKE, zone="A/1/east", model="S2", **in_mall))
    registry.add(DeviceEntry(3, "mall", "smk-3", SMOKE, zone="A/2/east", **in_mall))
    registry.add(DeviceEntry(4, "mall", "gw-1", GATEWAY, district="Jianghan", unit_category="key"))
    registry.add(DeviceEntry(5, "school", "smk-1", SMOKE, zone="A/1/east", gateway="gw-1"))
    registry.add(DeviceEntry(6, "water", "hyd-1", HYDRANT, main="M7"))
    registry.add(DeviceEntry(7, "city", "hyd-2", HYDRANT, main="M7"))
    registry.add(DeviceEntry(8, "mall", "smk-8", SMOKE, zone="A/1/east", retired=True))
    return registry


def test_a_label_is_what_the_devices_file_says() -> None:
    """Also after it was changed; None where the file does not say."""
    registry = _registry()
    names = ("district", "unit_category", "model", "gateway", "main", "zone", "building")
    assert [registry.label(name, 1) for name in names] == ["Jianghan", "key", "S1", "gw-1", None, "A/1/east", "A"]
    assert [registry.label(name, 6) for name in names] == [None, None, None, None, "M7", None, None]
    registry.add(DeviceEntry(1, "mall", "smk-1", SMOKE, district="Qiaokou"))
    assert [registry.label(name, 1) for name in names] == ["Qiaokou", None, None, None, None, None, None]


def test_a_gateway_stands_behind_itself() -> None:
    """So what a gateway says holds for its group."""
    registry = _registry()
    assert registry.group_of("gateway", 4) == registry.group_of("gateway", 1) == "mall/gw-1"


@pytest.mark.parametrize(
    ("group", "device", "subject", "members"),
    [
        ("device", 2, "mall/smk-2", [2]),
        ("zone", 2, "mall/A/1/east", [1, 2]),
        ("building", 1, "mall/A", [1, 2, 3]),
        ("unit", 4, "mall", [1, 2, 3]),
        ("gateway", 3, "mall/gw-1", [1, 2, 3]),
        ("zone", 5, "school/A/1/east", [5]),
        ("main", 6, "M7", []),
        ("main", 6, None, []),
    ],
)
def test_a_group_holds_the_devices_of_these_kinds_that_are_not_retired(
    group: str, device: int, subject: str | None, members: list[int]
) -> None:
    """Zones, buildings and gateways of the same name in two units are two groups; a main spans units."""
    registry = _registry()
    if subject is None:
        assert registry.members("main", "M7", (HYDRANT, SMOKE)).tolist() == [6, 7]
        assert registry.group_of("main", 1) is None
        return
    assert registry.group_of(group, device) == subject
    assert registry.members(group, subject, (SMOKE,)).tolist() == members


@pytest.mark.parametrize("subject", ["mall/B", "nowhere/A", "mall", ""])
def test_a_group_nobody_is_in_is_empty(subject: str) -> None:
    """Whatever an old alert may still call it."""
    assert not len(_registry().members("building", subject, (SMOKE,)))


@pytest.mark.parametrize("at_most", [2, 4096], ids=["sorted again", "looked at one by one"])
def test_members_follow_the_registry(at_most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Against a plain look at every device, while devices are added, moved to other zones and retired."""
    monkeypatch.setattr(labels, "_CHANGED_AT_MOST", at_most)
    rng = np.random.default_rng(4)
    registry = Registry()
    for turn in range(120):
        registry.add(
            DeviceEntry(
                int(rng.integers(1, 40)), f"u{turn % 2}", f"d{turn}", (SMOKE, HYDRANT)[turn % 2],
                zone=(None, "A/1/x", "A/2/x", "B/1/x")[int(rng.integers(4))], interval=turn * SECOND,
                retired=bool(rng.random() < 0.2), main=(None, "M1")[int(rng.integers(2))],
            )
        )  # fmt: skip
        for group, subject in (("zone", "u0/A/1/x"), ("building", "u1/A"), ("unit", "u0"), ("main", "M1")):
            expected = [
                number
                for number in registry.numbers().tolist()
                if registry.group_of(group, number) == subject
                and registry.kind[number] == KIND_NUMBER[SMOKE]
                and not registry.retired[number]
            ]
            assert registry.members(group, subject, (SMOKE,)).tolist() == expected
