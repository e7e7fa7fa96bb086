"""Devices whose messages get lost: gaps in their ``seq``, judged at the tick, by device."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from firetower.core.clock import Micros
from firetower.devices.columns import Column
from firetower.devices.kinds import KIND_NUMBER, DeviceKind
from firetower.devices.quality import DeviceQuality
from firetower.devices.readings import Bools, Int64s
from firetower.devices.registry import Registry
from firetower.rules.book.conditions import BUCKETS
from firetower.rules.book.model import Rule
from firetower.rules.measured.off import Off
from firetower.rules.measured.scopes import Scopes
from firetower.rules.verdicts import SubjectKind, Verdict, VerdictKind
from firetower.rules.watches.quality import condition_of
from firetower.rules.watches.silence import TOLD_A_TICK

_MOST_PARTS = 8 * BUCKETS
"""Ticks at which something went missing that are kept apart, before those of one twelfth are added up."""


class _Window:
    """Numbers missing within ``over``, of the devices of one rule: those of this twelfth of it, and of eleven before.

    ``missing``: their sum by device; below zero where more came late than went missing meanwhile.
    """

    def __init__(self, rule: Rule) -> None:
        condition = condition_of(rule)
        assert condition.over is not None  # the validator
        assert condition.samples is not None
        self.rule, self.over, self.samples = rule, condition.over, condition.samples
        self.kinds: Bools = np.zeros(len(DeviceKind) + 1, np.bool_)  # the last one stands for -1, no device
        self.kinds[[KIND_NUMBER[kind] for kind in rule.kinds]] = True
        self.missing: Column[np.int32] = Column(np.int32)
        self.open: Column[np.bool_] = Column(np.bool_)
        self.parts: list[tuple[int, Int64s, Int64s]] = []
        self.concerned: Int64s = np.zeros(0, np.int64)  # looked at again: they changed, or were not told of yet
        self.seeded: Int64s = np.zeros(0, np.int64)
        self.known_from: Micros | None = None

    def fit(self, size: int) -> None:
        """Make room for devices."""
        self.missing.fit(size)
        self.open.fit(size)

    def slide(self, now: Micros) -> int:
        """Let go of what is older than the window; return the twelfth of now."""
        part = BUCKETS * now // self.over
        while self.parts and self.parts[0][0] <= part - BUCKETS:
            _, devices, counts = self.parts.pop(0)
            self.missing.rows[devices] -= counts.astype(np.int32)
            self._concern(devices)
        return part

    def count(self, part: int, devices: Int64s, counts: Int64s) -> None:
        """Add what went missing of ``devices``, each there once."""
        self.missing.rows[devices] += counts.astype(np.int32)
        self.parts.append((part, devices, counts))
        if len(self.parts) > _MOST_PARTS:
            self._merge()
        self._concern(devices)

    def _merge(self) -> None:
        """Make one part of all that are of one twelfth."""
        merged: list[tuple[int, Int64s, Int64s]] = []
        for part in sorted({part for part, _, _ in self.parts}):
            mine = [(devices, counts) for of, devices, counts in self.parts if of == part]
            devices, place = np.unique(np.concatenate([each for each, _ in mine]), return_inverse=True)
            counts = np.zeros(len(devices), np.int64)
            np.add.at(counts, place, np.concatenate([each for _, each in mine]))
            merged.append((part, devices, counts))
        self.parts = merged

    def _concern(self, devices: Int64s) -> None:
        self.concerned = np.union1d(self.concerned, devices).astype(np.int64)


class SequenceWatch:
    """Devices of whose numbers as many are missing as a rule allows within its time. Each takes the first for its kind,
    and where an override turns that off, none.

    What went missing is counted from tick to tick, in twelfths of the rule's time; what comes late after all is taken
    off again. What went missing before a start without a checkpoint is not known: a finding that is open then stays so
    for the rule's time at least. A tick tells TOLD_A_TICK findings that begin and as many that end.
    """

    def __init__(
        self, rules: tuple[Rule, ...], registry: Registry, quality: DeviceQuality | None, scopes: Scopes
    ) -> None:
        self._registry, self._quality = registry, quality
        self._windows = [_Window(rule) for rule in rules if condition_of(rule).of == "sequence_gap"]
        self._off = Off([window.rule for window in self._windows], scopes)
        taken: Bools = np.zeros(len(DeviceKind) + 1, np.bool_)
        for window in self._windows:
            window.kinds &= ~taken
            taken |= window.kinds
        self._seen: Column[np.uint32] = Column(np.uint32)  # what was missed up to the tick before
        self._new = True
        self._revision = registry.revision

    def seed(self, rule: str, device: int) -> bool:
        """Take over an open finding; False when the rulebook has no such rule."""
        for window in self._windows:
            if window.rule.id == rule:
                window.fit(len(self._registry.kind))
                if not window.open.rows[device]:
                    window.open.rows[device] = True
                    window.seeded = np.union1d(window.seeded, [device]).astype(np.int64)
                    window.concerned = np.union1d(window.concerned, [device]).astype(np.int64)
                return True
        return False

    def tick(self, now: Micros) -> list[Verdict]:
        """Return the findings that begin and end at ``now``."""
        if self._quality is None or not self._windows:
            return []
        devices, counts = self._lost(self._quality)
        changed = self._changed()
        out: list[Verdict] = []
        for index, window in enumerate(self._windows):
            window.fit(len(self._registry.kind))
            part = window.slide(now)
            mine = window.kinds[self._registry.kind[devices]]
            if mine.any():
                window.count(part, devices[mine], counts[mine])
            if window.known_from is None:
                window.known_from = now
            if len(window.seeded) and now >= window.known_from + window.over:
                window.concerned = np.union1d(window.concerned, window.seeded).astype(np.int64)
                window.seeded = window.seeded[:0]
            if len(changed):
                over = changed[window.open.rows[changed]]
                window.concerned = np.union1d(window.concerned, over).astype(np.int64)
            out += self._judge(window, index, now)
        return out

    def _lost(self, quality: DeviceQuality) -> tuple[Int64s, Int64s]:
        """Return the devices of which numbers went missing, or came after all, since the last tick, and how many."""
        quality.fit()
        missed, size = quality.missed, len(quality.missed)
        seen = self._seen.fit(size)[:size]
        if self._new:
            self._new = False
            seen[:] = missed
        devices = np.flatnonzero(missed != seen).astype(np.int64)
        counts = missed[devices].astype(np.int64) - seen[devices]
        seen[devices] = missed[devices]
        return devices, counts

    def _changed(self) -> Int64s:
        """Return the devices of which something else is known than at the last tick."""
        known, self._revision = self._revision, self._registry.revision
        if known == self._revision:
            return np.zeros(0, np.int64)
        return np.flatnonzero(self._registry.changed > known).astype(np.int64)

    def _judge(self, window: _Window, index: int, now: Micros) -> list[Verdict]:
        devices, registry = window.concerned, self._registry
        if not len(devices):
            return []
        is_open, lossy = window.open.rows[devices], window.missing.rows[devices] >= window.samples
        watched = window.kinds[registry.kind[devices]] & ~registry.retired[devices]
        watched &= ~self._off.of_many(index, devices)
        waits = np.isin(devices, window.seeded)
        begins = devices[~is_open & lossy & watched]
        ends = devices[is_open & (~watched | (~lossy & ~waits))]
        window.concerned = np.sort(np.concatenate([begins[TOLD_A_TICK:], ends[TOLD_A_TICK:]]))
        begins, ends = begins[:TOLD_A_TICK], ends[:TOLD_A_TICK]
        window.open.rows[begins], window.open.rows[ends] = True, False
        window.seeded = np.setdiff1d(window.seeded, ends)
        return [
            self._verdict(kind, window, device, now)
            for kind, which in ((VerdictKind.RAISE, begins), (VerdictKind.CLEAR, ends))
            for device in which.tolist()
        ]

    def _verdict(self, kind: VerdictKind, window: _Window, device: int, at: Micros) -> Verdict:
        rule = window.rule
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
            value=float(window.missing.rows[device]),
            limit=float(window.samples),
        )

    # checkpoint ------------------------------------------------------------------------------------

    def save(self) -> Iterator[Any]:
        """Yield the state, of JSON's types: what is missing in each window, part by part, and which findings are open.

        As it stands at first: parts are added and left out, but never changed.
        """
        stands = [
            (window.rule.id, window.known_from, tuple(window.parts), np.flatnonzero(window.open.rows), window.concerned)
            for window in self._windows
        ]
        for rule, known_from, parts, is_open, concerned in stands:
            of_rule: dict[str, Any] = {"known_from": known_from, "parts": [], "open": [], "concerned": []}
            for part, devices, counts in parts:
                yield {rule: of_rule | {"parts": [[part, devices.tolist(), counts.tolist()]]}}
            yield {rule: of_rule | {"open": is_open.tolist(), "concerned": concerned.tolist()}}

    def load(self, saved: Any) -> None:
        """Take over what ``save`` returned."""
        for window in self._windows:
            of = saved.get(window.rule.id)
            if of is None:
                continue
            window.fit(len(self._registry.kind))
            window.known_from = of["known_from"]
            for part, devices, counts in of["parts"]:
                window.count(part, np.array(devices, np.int64), np.array(counts, np.int64))
            window.open.rows[np.array(of["open"], np.int64)] = True
            window.concerned = np.array(of["concerned"], np.int64)
