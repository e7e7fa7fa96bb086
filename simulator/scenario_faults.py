"""Faults of the field by the names scenarios call them, and made from what a scenario says of them."""

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from typing import Any

from firetower.core.clock import SECOND, Micros
from firetower.core.errors import InvalidInput
from firetower.simulator.faults.clocks import FieldClocks, StoppedClock, WrongClock
from firetower.simulator.faults.contacts import Chatter, Tamper
from firetower.simulator.faults.outage import CutOff, ReconnectStorm
from firetower.simulator.faults.payloads import Malformed
from firetower.simulator.faults.power import FlatBattery, Reboot
from firetower.simulator.faults.radio import Delay, Duplicates, Loss, Reordering
from firetower.simulator.faults.sensors import Spikes, Stuck, WrongUnit
from firetower.simulator.faults.sequence import Restart, Wrap
from firetower.simulator.faults.stream import Devices, ReportFault, SpeakingFault, WayFault

FAULTS: Mapping[str, tuple[type, frozenset[str]]] = {
    "cut_off": (CutOff, frozenset({"spread", "will_after"})),
    "reconnect_storm": (ReconnectStorm, frozenset({"every", "within"})),
    "wrong_clock": (WrongClock, frozenset({"offset"})),
    "stopped_clock": (StoppedClock, frozenset()),
    "field_clocks": (FieldClocks, frozenset({"skew"})),
    "loss": (Loss, frozenset()),
    "delay": (Delay, frozenset()),
    "duplicates": (Duplicates, frozenset({"within"})),
    "reordering": (Reordering, frozenset({"by"})),
    "malformed": (Malformed, frozenset()),
    "wrap": (Wrap, frozenset()),
    "restart": (Restart, frozenset()),
    "stuck": (Stuck, frozenset()),
    "spikes": (Spikes, frozenset()),
    "wrong_unit": (WrongUnit, frozenset()),
    "flat_battery": (FlatBattery, frozenset({"over"})),
    "reboot": (Reboot, frozenset({"down"})),
    "tamper": (Tamper, frozenset()),
    "chatter": (Chatter, frozenset({"every"})),
}
"""Name: the fault, and which of its fields a scenario gives in seconds."""
_OURS = {"devices", "gateways", "seed", "start", "end", "clocks"}


@dataclass(frozen=True, slots=True)
class Made:
    """A fault by what it does: one may spoil reports, befall messages on their way, and speak."""

    report: ReportFault | None
    way: WayFault | None
    speaking: SpeakingFault | None


def check(name: str, given: Mapping[str, Any], *, ends: bool) -> None:
    """Raise ValueError, naming what is accepted, when there is no such fault or it is not told what it needs."""
    if name not in FAULTS:
        raise ValueError(f"there is no fault {name!r}; accepted: {', '.join(FAULTS)}")
    known = {each.name: each for each in fields(FAULTS[name][0]) if each.init}
    own = {key: each for key, each in known.items() if key not in _OURS}
    if unknown := given.keys() - own.keys():
        raise ValueError(f"{name} has no {', '.join(sorted(unknown))}; accepted: {', '.join(own) or 'nothing'}")
    missing = [key for key, each in own.items() if each.default is MISSING and key not in given]
    if missing:
        raise ValueError(f"{name} needs {', '.join(missing)} under given:")
    if "end" in known and known["end"].default is MISSING and name != "cut_off" and not ends:
        raise ValueError(f"{name} needs until:, when it ends")
    if ends and "end" not in known:
        raise ValueError(f"{name} does not end by itself; leave until: out")


def make(
    name: str,
    given: Mapping[str, Any],
    *,
    devices: Sequence[int],
    gateways: Sequence[int],
    seed: int,
    start: Micros,
    end: Micros | None,
    clocks: Sequence[ReportFault],
) -> Made:
    """Return the fault ``name`` of ``devices``. ``clocks``: faults of clocks already there, for what it says."""
    kind, seconds = FAULTS[name]
    ours: dict[str, Any] = {
        "devices": Devices.of(devices), "gateways": Devices.of(gateways), "seed": seed,
        "start": start, "end": end, "clocks": tuple(clocks),
    }  # fmt: skip
    names = {each.name for each in fields(kind) if each.init}
    own = {key: round(value * SECOND) if key in seconds else _frozen(value) for key, value in given.items()}
    try:
        fault = kind(**{key: value for key, value in ours.items() if key in names}, **own)
    except (TypeError, ValueError) as err:
        raise InvalidInput(f"the fault {name} cannot be made of {dict(given)}: {err}") from err
    return Made(
        report=fault if hasattr(fault, "spoil") else None,
        way=fault if hasattr(fault, "carry") else None,
        speaking=fault if hasattr(fault, "speak") else None,
    )


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
