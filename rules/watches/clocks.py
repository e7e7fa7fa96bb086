"""Devices whose clock is wrong or stands still 时钟: judged at the tick, by device.

Whether a clock stands still shows in the series of its device; which of them comes first must not matter, so that
they are counted as they come and the device is judged afterwards.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from firetower.core.clock import DAY, HOUR, MINUTE, SECOND, Micros
from firetower.devices.columns import Column
from firetower.devices.kinds import KIND_NUMBER, DeviceKind
from firetower.devices.quality import DeviceQuality
from firetower.devices.readings import Bools, Int32s, Int64s, Mark, Readings
from firetower.devices.registry import Registry
from firetower.rules.book.model import Rule
from firetower.rules.measured.off import Off
from firetower.rules.measured.scopes import Scopes
from firetower.rules.verdicts import SubjectKind, Verdict, VerdictKind
from firetower.rules.watches.quality import NONE, Indices, condition_of, samples_of
from firetower.rules.watches.streaks import Streaks

ZONE_TOLERANCE = MINUTE
"""A clock this near to a whole number of hours off is taken for a time zone error."""
_ZONES = range(1, 15)
_UNITS = ((DAY, "天", "d"), (HOUR, "小时", "h"), (MINUTE, "分钟", "min"))


class ClockWatch:
    """Devices whose clock is wrong or stands still. A device takes the first rule of each for its kind, and where an
    override turns that off, none.

    ``quality``: where the clocks are measured; None: they are not.
    """

    def __init__(
        self, rules: tuple[Rule, ...], registry: Registry, quality: DeviceQuality | None, scopes: Scopes
    ) -> None:
        self._rules = tuple(rule for rule in rules if condition_of(rule).of in {"clock_skew", "clock_stuck"})
        self._registry, self._quality = registry, quality
        self._off = Off(self._rules, scopes)
        self._looked = 0  # revision of ``quality``
        self._samples, self._clear = samples_of(self._rules)
        self._over, self._back = (
            np.array([(getattr(condition_of(rule), name) or 0) / SECOND for rule in self._rules] + [np.inf], np.float32)
            for name in ("over", "clear")
        )
        self._skew_of, self._stuck_of = (_by_kind(self._rules, of) for of in ("clock_skew", "clock_stuck"))
        self._skewed: Column[np.int8] = Column(np.int8, NONE)  # by device, as the two below
        self._standing: Column[np.int8] = Column(np.int8, NONE)
        self._stuck_series: Column[np.int16] = Column(np.int16)
        self._streaks = Streaks()
        self._stuck: Column[np.bool_] = Column(np.bool_)  # by series
        self._turned: dict[int, Micros] = {}
        self._awaited: set[int] = set()

    def seed(self, rule: str, device: int) -> bool:
        """Take over an open finding; False when the rulebook has no such rule."""
        for index, known in enumerate(self._rules):
            if known.id != rule:
                continue
            self._fit()
            if condition_of(known).of == "clock_skew":
                self._skewed.rows[device] = index
            else:
                self._standing.rows[device] = index
                self._awaited.add(device)
            return True
        return False

    def save(self, series: slice) -> dict[str, npt.NDArray[Any]]:
        """Return copies of the state of some series."""
        self._fit()
        return {"stuck": self._stuck.rows[series].copy(), **self._streaks.save(series)}

    def load(self, series: Int32s, saved: dict[str, npt.NDArray[Any]], newest: Int64s) -> None:
        """Take over what ``save`` returned, for ``series`` in its order; ``newest``: their newest readings, µs.

        Whose clock stands still is found at the next tick: what was said of it is known from the open alerts.
        """
        self._fit()
        stuck = saved["stuck"]
        self._stuck.rows[series] = stuck
        self._streaks.load(series, saved)
        device = self._registry.series_device[series[stuck]]
        np.add.at(self._stuck_series.rows, device, 1)
        for of, at in zip(device.tolist(), newest[stuck].tolist(), strict=True):
            self._turned[of] = max(self._turned.get(of, 0), at)

    def step(self, readings: Readings, first: Bools | None) -> None:
        """Take in readings as ``ImplausibleWatch.step`` does; what follows from them is said at the tick."""
        self._fit()
        if self._awaited:
            waited = np.isin(readings.device, list(self._awaited))
            self._streaks.hold(readings.series[waited])
        marked = (readings.flags & np.int16(Mark.CLOCK_STUCK)) != 0
        if self._off.rules and marked.any():
            marked &= ~self._off.of_each(self._stuck_of[self._registry.kind[readings.device]], readings.device)
        which, stuck, count = self._streaks.step(readings.series, marked, first)
        if not len(which):
            return
        series, device = readings.series[which], readings.device[which]
        held = self._standing.rows[device]
        rule = np.where(held == NONE, self._stuck_of[self._registry.kind[device]], held)
        begins = stuck & (rule != NONE) & (count == self._samples[rule])
        ends = ~stuck & (count == self._clear[rule])
        for place in np.flatnonzero(begins | ends).tolist():
            number, of = int(series[place]), int(device[place])
            if begins[place] and not self._stuck.rows[number]:
                self._stuck.rows[number] = True
                self._stuck_series.rows[of] += 1
                self._streaks.hold(number)
            elif ends[place] and (self._stuck.rows[number] or of in self._awaited):
                self._stuck_series.rows[of] -= int(self._stuck.rows[number])
                self._stuck.rows[number] = False
                self._streaks.release(number)
            else:
                continue
            self._turned[of] = max(self._turned.get(of, 0), int(readings.ts[which[place]]))

    def tick(self, now: Micros) -> list[Verdict]:
        """Return the findings that begin and end; a clock that is wrong is found to be so at ``now``."""
        self._fit()
        out = [*self._stood(), *self._went_wrong(now)]
        out.sort(key=lambda verdict: verdict.at)
        return out

    def _stood(self) -> list[Verdict]:
        out: list[Verdict] = []
        for device, at in sorted(self._turned.items()):
            index, stuck = int(self._standing.rows[device]), bool(self._stuck_series.rows[device])
            if stuck and index == NONE:
                index = int(self._stuck_of[self._registry.kind[device]])
                self._standing.rows[device] = index
                out.append(self._verdict(VerdictKind.RAISE, index, device, at))
            elif index != NONE and not stuck:
                self._standing.rows[device] = NONE
                out.append(self._verdict(VerdictKind.CLEAR, index, device, at))
            self._awaited.discard(device)
        self._turned = {}
        return out

    def _went_wrong(self, now: Micros) -> list[Verdict]:
        quality = self._quality
        if quality is None:
            return []
        devices = np.flatnonzero(quality.moved > self._looked)
        self._looked = quality.revision
        if not len(devices):
            return []
        registry, held, skew = self._registry, self._skewed.rows[devices], quality.skew[devices]
        rule = self._skew_of[registry.kind[devices]]
        rule = np.where(self._off.of_each(rule, devices), np.int8(NONE), rule)
        size, retired = np.abs(skew), registry.retired[devices]
        begins = (held == NONE) & (rule != NONE) & (size > self._over[rule]) & ~retired
        ends = (held != NONE) & ((size <= self._back[held]) | (rule == NONE) | retired)
        out: list[Verdict] = []
        for place in np.flatnonzero(begins | ends).tolist():
            device, raised = int(devices[place]), bool(begins[place])
            index = int(rule[place] if raised else held[place])
            self._skewed.rows[device] = index if raised else NONE
            verdict = self._verdict(VerdictKind.RAISE if raised else VerdictKind.CLEAR, index, device, now)
            zh, en = how_wrong(float(skew[place]))
            out.append(
                replace(verdict, title_zh=f"{verdict.title_zh}:{zh}", title_en=f"{verdict.title_en}: {en}")
                if raised
                else verdict
            )
        return out

    def _fit(self) -> None:
        devices, series = len(self._registry.kind), len(self._registry.series_device)
        if devices > len(self._standing.rows):
            self._skewed.fit(devices)
            self._standing.fit(devices)
            self._stuck_series.fit(devices)
        if series > len(self._stuck.rows):
            self._stuck.fit(series)
            self._streaks.fit(series)

    def _verdict(self, kind: VerdictKind, index: int, device: int, at: Micros) -> Verdict:
        rule, registry = self._rules[index], self._registry
        return Verdict(
            kind=kind,
            rule=rule.id,
            rule_version=rule.version,
            subject_kind=SubjectKind.DEVICE,
            subject="/".join(registry.name(device)),
            component="",
            alert_class=rule.alert_class,
            priority=condition_of(rule).priority,
            latch=False,
            at=at,
            title_zh=rule.title.zh,
            title_en=rule.title.en,
            device_number=device,
        )


def how_wrong(skew: float) -> tuple[str, str]:
    """Say in Chinese and English how far a clock is off, which way, and what mistake that looks like.

    ``skew``: seconds the clock is behind (positive) or ahead.
    """
    size = round(abs(skew)) * SECOND
    zh, en = ("快", "ahead") if skew < 0 else ("慢", "behind")
    hours = round(size / HOUR)
    if hours in _ZONES and abs(size - hours * HOUR) <= ZONE_TOLERANCE:
        zone_zh, zone_en = (
            ("像是把当地时间当作 UTC 发送", "looks like local time sent as UTC")
            if skew < 0
            else ("像是时区设置有误", "looks like a wrong time zone")
        )
        return f"{zh} {hours} 小时,{zone_zh}", f"{hours} h {en}, {zone_en}"
    unit, unit_zh, unit_en = next((row for row in _UNITS if size >= 2 * row[0]), (SECOND, "秒", "s"))
    return f"{zh} {size // unit} {unit_zh}", f"{size // unit} {unit_en} {en}"


def _by_kind(rules: tuple[Rule, ...], of: str) -> Indices:
    """Return the first rule for each kind; the last kind stands for -1, no device."""
    rule_of: Indices = np.full(len(DeviceKind) + 1, NONE, np.int8)
    for index, rule in reversed(list(enumerate(rules))):
        if condition_of(rule).of == of:
            rule_of[[KIND_NUMBER[kind] for kind in rule.kinds]] = index
    return rule_of
