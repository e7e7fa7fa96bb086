"""Devices whose own file lacks what they are judged by 未设限值: at the tick, by device."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from firetower.core.clock import Micros
from firetower.devices.columns import Column
from firetower.devices.kinds import KIND_NUMBER, DeviceKind
from firetower.devices.readings import Bools, Int64s
from firetower.devices.registry import Registry
from firetower.rules.book.model import Rule
from firetower.rules.measured.off import Off
from firetower.rules.measured.scopes import Scopes
from firetower.rules.verdicts import SubjectKind, Verdict, VerdictKind
from firetower.rules.watches.quality import NONE, condition_of
from firetower.rules.watches.silence import TOLD_A_TICK


class NoLimitWatch:
    """Devices that have spoken and whose own file lacks an attribute. A device takes the first rule for its kind,
    and where an override turns that off, none.

    A tick looks at the devices whose file has changed, and at those that had not spoken yet; it tells TOLD_A_TICK
    findings that begin and as many that end.
    """

    def __init__(self, rules: tuple[Rule, ...], registry: Registry, scopes: Scopes) -> None:
        self._rules = tuple(rule for rule in rules if condition_of(rule).of == "no_limit")
        self._registry = registry
        self._off = Off(self._rules, scopes)
        self._rule_of = np.full(len(DeviceKind) + 1, NONE, np.int8)  # the last one stands for -1, no device
        for index, rule in reversed(list(enumerate(self._rules))):
            self._rule_of[[KIND_NUMBER[kind] for kind in rule.kinds]] = index
        self._open: Column[np.int8] = Column(np.int8, NONE)  # by device
        self._waits: Int64s = np.zeros(0, np.int64)
        self._revision = 0

    def seed(self, rule: str, device: int) -> bool:
        """Take over an open finding; False when the rulebook has no such rule."""
        for index, known in enumerate(self._rules):
            if known.id == rule:
                self._open.fit(len(self._registry.kind))[device] = index
                self._wait(np.array([device]))
                return True
        return False

    def tick(self, now: Micros) -> list[Verdict]:
        """Return the findings that begin and end at ``now``."""
        registry = self._registry
        if not self._rules or (self._revision == registry.revision and not len(self._waits)):
            return []
        if self._revision != registry.revision:
            self._wait(np.flatnonzero(registry.changed > self._revision).astype(np.int64))
            self._revision = registry.revision
        held = self._open.fit(len(registry.kind))
        devices = self._waits
        rule = self._rule_of[registry.kind[devices]]
        watched = (rule != NONE) & ~registry.retired[devices] & ~self._off.of_each(rule, devices)
        spoken = registry.last_seen[devices] != 0
        lacks = watched & self._lacks(devices, rule)
        is_open, same = held[devices] != NONE, held[devices] == rule
        begins, ends = devices[lacks & spoken & ~is_open], devices[is_open & ~(lacks & same)]
        later = np.concatenate([begins[TOLD_A_TICK:], ends[TOLD_A_TICK:], devices[lacks & ~spoken & ~is_open]])
        begins, ends = begins[:TOLD_A_TICK], ends[:TOLD_A_TICK]
        out = [self._verdict(VerdictKind.CLEAR, int(held[device]), device, now) for device in ends.tolist()]
        held[ends] = NONE
        held[begins] = self._rule_of[registry.kind[begins]]
        out += [self._verdict(VerdictKind.RAISE, int(held[device]), device, now) for device in begins.tolist()]
        self._waits = np.sort(later)
        return out

    def _lacks(self, devices: Int64s, rule: np.ndarray[Any, np.dtype[np.int8]]) -> Bools:
        """Return whether the file of each device lacks an attribute that its rule asks for."""
        lacks = np.zeros(len(devices), np.bool_)
        for index, known in enumerate(self._rules):
            mine = np.flatnonzero(rule == index)
            for name in condition_of(known).attributes or ():
                lacks[mine] |= np.isnan(self._registry.attribute(name)[devices[mine]])
        return lacks

    def _wait(self, devices: Int64s) -> None:
        self._waits = np.union1d(self._waits, devices).astype(np.int64)

    def _verdict(self, kind: VerdictKind, index: int, device: int, at: Micros) -> Verdict:
        rule = self._rules[index]
        return Verdict(
            kind=kind,
            rule=rule.id,
            rule_version=rule.version,
            subject_kind=SubjectKind.DEVICE,
            subject="/".join(self._registry.name(device)),
            component="",
            alert_class=rule.alert_class,
            priority=condition_of(rule).priority,
            latch=False,
            at=at,
            title_zh=rule.title.zh,
            title_en=rule.title.en,
            device_number=device,
        )

    # checkpoint ------------------------------------------------------------------------------------

    def save(self) -> Iterator[Any]:
        """Yield the state, of JSON's types: the open findings, by rule; the rest is in the devices' files."""
        for index, rule in enumerate(self._rules):
            yield {rule.id: np.flatnonzero(self._open.rows == index).tolist()}

    def load(self, saved: Any) -> None:
        """Take over what ``save`` returned."""
        for rule, devices in saved.items():
            for device in devices:
                if device < len(self._registry.kind):
                    self.seed(rule, device)
