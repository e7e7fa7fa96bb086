"""What befalls devices: fires, leaks, bursts and the like, as parameters of the physics, by device and time."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np

from firetower.core.clock import SECOND, Micros
from firetower.core.errors import InvalidInput
from firetower.devices.kinds import DeviceKind
from firetower.devices.readings import Floats, Int64s

EffectKind = Literal[
    "hydrant_open", "burst", "shut", "supply_low", "frost",
    "fire", "smouldering", "glowing", "foam_fire", "solvent_fire", "cooking", "steam", "contamination",
    "earth_fault", "ageing", "overload", "loose_contact",
    "leak", "gas_leak", "power_lost",
]  # fmt: skip

_WATER = frozenset({DeviceKind.HYDRANT, DeviceKind.WATER_CRANE})
_SMOKE = frozenset({DeviceKind.SMOKE})
_FIRE = frozenset({DeviceKind.SMOKE, DeviceKind.HEAT})
_WIRES = frozenset({DeviceKind.ELECTRICAL})
_MAINS = frozenset({DeviceKind.PANEL, DeviceKind.PUMP_ROOM})


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a kind of effect does: the kinds of device it befalls, the unit of its size, and its usual size."""

    kinds: frozenset[DeviceKind]
    unit: str
    usual: float
    says: str


EFFECTS: dict[EffectKind, Meaning] = {
    "hydrant_open": Meaning(_WATER, "L/s", 15.0, "water is taken from the hydrant; its neighbours feel it"),
    "burst": Meaning(_WATER, "L/s", 200.0, "the main bursts beside the hydrant; the whole network feels it"),
    "shut": Meaning(_WATER, "share", 1.0, "the hydrant's valve is shut: so much of its pressure is gone"),
    "supply_low": Meaning(_WATER, "MPa", 0.10, "the hydrant's whole district is fed with so much less"),
    "frost": Meaning(_WATER, "°C", -6.0, "the barrel cools down to this, and stands still once it is frozen"),
    "fire": Meaning(_FIRE, "kW/s²", 0.0469, "flaming fire growing with t² (fast), 3 m and more away"),
    "smouldering": Meaning(_SMOKE, "times", 1.0, "smouldering wood, TF2"),
    "glowing": Meaning(_SMOKE, "times", 1.0, "glowing cotton, TF3"),
    "foam_fire": Meaning(_SMOKE, "times", 1.0, "flaming polyurethane foam, TF4"),
    "solvent_fire": Meaning(_SMOKE, "times", 1.0, "burning n-heptane, TF5"),
    "cooking": Meaning(_SMOKE, "dB/m", 0.15, "fumes of a kitchen: a peak after some minutes, gone in half an hour"),
    "steam": Meaning(_SMOKE, "dB/m", 0.12, "steam of a bath while it lasts"),
    "contamination": Meaning(_SMOKE, "dB/m per day", 0.002, "dust settles in the detector until it is cleaned"),
    "earth_fault": Meaning(_WIRES, "mA", 250.0, "insulation fails at once"),
    "ageing": Meaning(_WIRES, "mA per day", 15.0, "insulation fails day by day"),
    "overload": Meaning(_WIRES, "times", 1.6, "the circuit carries so many times its load"),
    "loose_contact": Meaning(_WIRES, "K", 60.0, "a terminal gets so much warmer at full load"),
    "leak": Meaning(frozenset({DeviceKind.WATER_LEVEL}), "m/h", 0.15, "water runs out and no refill keeps up"),
    "gas_leak": Meaning(frozenset({DeviceKind.GAS}), "%LEL", 60.0, "gas gathers up to this concentration"),
    "power_lost": Meaning(_MAINS, "share", 1.0, "the mains fail; a panel lives on its battery"),
}
"""Every kind of effect. A size is given in its unit; where none is, it has the usual one."""


@dataclass(frozen=True, slots=True)
class Effect:
    """Something that happens at a device (position in ``city.devices``) from ``start`` to ``end`` (µs; None: for ever).

    ``size``: in the unit of its kind (``EFFECTS``), None for the usual. ``reach_m``: how far a fire, fumes or gas are
    felt by other detectors of the same zone; 0: by this one only. Water effects reach whom they reach.
    """

    kind: EffectKind
    device: int
    start: Micros
    end: Micros | None = None
    size: float | None = None
    reach_m: float = 0.0

    @property
    def strength(self) -> float:
        """The size, or the usual one."""
        return EFFECTS[self.kind].usual if self.size is None else self.size


@dataclass(frozen=True, slots=True)
class Hit:
    """Readings that an effect is felt in. ``rows`` (m,): positions in the batch. ``since`` (m,): s since it began.

    ``after`` (m,): s since it ended, negative while it lasts. ``size`` (m,) in its unit; ``far`` (m,): m away.
    ``start`` (m,): µs.
    """

    rows: Int64s
    since: Floats
    after: Floats
    size: Floats
    far: Floats
    start: Int64s


_FOREVER = np.iinfo(np.int64).max


@dataclass(slots=True)
class Happenings:
    """All effects by kind and device, so that a batch finds its own at once. Kinds are free: shadows are among them."""

    _rows: dict[str, list[tuple[int, Micros, Micros, float, float]]] = field(default_factory=dict)
    _tables: dict[str, tuple[Int64s, Int64s, Int64s, Floats, Floats]] = field(default_factory=dict)

    def add(self, kind: str, device: int, start: Micros, end: Micros | None, size: float, *, far: float = 0.0) -> None:
        """Let something happen at one device."""
        self._rows.setdefault(kind, []).append((device, start, _FOREVER if end is None else end, size, far))
        self._tables.pop(kind, None)

    def hits(self, kind: str, device: Int64s, at: Int64s) -> Iterator[Hit]:
        """Yield what of ``kind`` has begun for devices (n,) at instants (n,) µs; a row at most once in a Hit."""
        if kind not in self._rows:
            return
        number, start, end, size, far = self._table(kind)
        first = np.searchsorted(number, device, "left")
        count = np.searchsorted(number, device, "right") - first
        for turn in range(int(count.max(initial=0))):
            rows = np.flatnonzero(count > turn)
            which = first[rows] + turn
            begun = at[rows] >= start[which]
            rows, which = rows[begun], which[begun]
            if len(rows):
                since, after = (at[rows] - start[which]) / SECOND, (at[rows] - end[which].astype(np.float64)) / SECOND
                yield Hit(rows, since, after, size[which], far[which], start[which])

    def _table(self, kind: str) -> tuple[Int64s, Int64s, Int64s, Floats, Floats]:
        if kind not in self._tables:
            number, start, end, size, far = zip(*sorted(self._rows[kind]), strict=True)
            whole = [np.array(column, np.int64) for column in (number, start, end)]
            self._tables[kind] = (*whole, np.array(size, np.float64), np.array(far, np.float64))  # type: ignore[assignment]  # three of the one, two of the other
        return self._tables[kind]


def checked(effect: Effect, kind: DeviceKind) -> Effect:
    """Return ``effect``; InvalidInput when a device of ``kind`` cannot suffer it, or not of that size."""
    meaning = EFFECTS.get(effect.kind)
    if meaning is None:
        raise InvalidInput(f"there is no effect {effect.kind!r}; known: {', '.join(get_args(EffectKind))}")
    if kind not in meaning.kinds:
        raise InvalidInput(
            f"the effect {effect.kind!r} ({meaning.says}) cannot befall a device of kind {kind}; "
            f"take one of {', '.join(sorted(meaning.kinds))}"
        )
    if not math.isfinite(effect.strength) or (effect.strength < 0 and meaning.unit != "°C"):
        raise InvalidInput(
            f"the effect {effect.kind!r} cannot have the size {effect.strength}; "
            f"give a number from 0 on in {meaning.unit} (usual: {meaning.usual:g})"
        )
    return effect
