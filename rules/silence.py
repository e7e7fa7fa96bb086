"""Silence rules 离线: which devices say nothing, found by one vectorised pass over the registry a tick."""

import numpy as np

from firetower.core.clock import Micros
from firetower.devices.kinds import KIND_NUMBER, DeviceKind
from firetower.devices.readings import Bools, Int64s
from firetower.devices.registry import Registry
from firetower.rules.lanes import NEVER
from firetower.rules.model import Rule, SilenceBand, SilenceCondition
from firetower.rules.verdicts import SubjectKind, Verdict, VerdictKind

_NONE = -1


class SilenceWatch:
    """What is silent at present, by device number.

    A device takes the first rule that fits its kind and interval, one list for devices that have spoken and one for
    those that never did. Its silence is over with a message, never by itself.
    """

    def __init__(self, rules: tuple[Rule, ...], registry: Registry) -> None:
        self._rules = rules
        self._conditions = [_condition(rule) for rule in rules]
        self._worst = np.array([len(condition.bands) for condition in self._conditions] + [0], np.int8)
        self._registry = registry
        self._known = 0  # revision of the registry the columns below follow
        self._open = np.full(0, _NONE, np.int8)  # index of the rule whose alert is open
        self._level = np.zeros(0, np.int8)
        self._reference = np.zeros(0, np.int64)  # last message that counts as before the silence
        self._messages = np.zeros(0, np.int16)
        self._seen_rule = self._never_rule = np.full(0, _NONE, np.int8)
        self._seen_limit = self._never_limit = np.zeros(0, np.int64)
        self._said_offline: dict[int, Micros] = {}

    def seed(self, rule: str, device: int, priority: int, active_since: Micros) -> bool:
        """Take over an open alert; False when the rulebook has no such rule."""
        self._fit()
        for index, known in enumerate(self._rules):
            if known.id == rule and device < len(self._open):
                bands = self._conditions[index].bands
                self._open[device] = index
                self._level[device] = max(
                    (n for n, band in enumerate(bands, 1) if band.priority >= priority), default=1
                )
                self._reference[device] = active_since
                return True
        return False

    def tick(self, now: Micros, listening_since: Micros | None) -> list[Verdict]:
        """Return the silences that begin, grow worse and end; none begins while nobody listens (None)."""
        self._fit()
        out: list[Verdict] = []
        said = self._say_offline(now)
        floor = NEVER if listening_since is None else listening_since
        registry, size = self._registry, len(self._open)
        last = registry.last_seen[:size]
        never = last == 0
        start = np.where(never, registry.registered_at[:size], last)
        np.maximum(start, floor, out=start)
        limit = np.where(never, self._never_limit, self._seen_limit)
        overdue = now - start >= limit
        overdue[said] = True
        self._end(overdue, out)
        if listening_since is not None:
            self._begin(np.flatnonzero(overdue), start, now, out)
        return out

    def _end(self, overdue: Bools, out: list[Verdict]) -> None:
        """Clear what has spoken often enough, and what no rule watches any more."""
        silent = np.flatnonzero(self._open != _NONE)
        if not len(silent):
            return
        last = self._registry.last_seen[silent]
        heard = last > self._reference[silent]
        self._messages[silent] = np.where(overdue[silent], 0, self._messages[silent] + heard)
        self._reference[silent] = np.where(heard, last, self._reference[silent])
        needed = np.array([condition.clear_messages for condition in self._conditions])[self._open[silent]]
        watched = np.where(
            np.isin(self._open[silent], self._never_indices()), self._never_rule[silent], self._seen_rule[silent]
        )
        unwatched = (watched != self._open[silent]) | self._registry.retired[silent]
        for device in silent[(self._messages[silent] >= needed) | unwatched].tolist():
            index = int(self._open[device])
            at = int(self._registry.last_seen[device])
            out.append(self._verdict(VerdictKind.CLEAR, index, int(self._level[device]), device, at))
            self._open[device], self._level[device], self._messages[device] = _NONE, 0, 0

    def _begin(self, overdue: Int64s, start: Int64s, now: Micros, out: list[Verdict]) -> None:
        """Raise what has just become silent, and what has been for longer than its next band."""
        registry = self._registry
        rule = np.where(registry.last_seen[overdue] == 0, self._never_rule[overdue], self._seen_rule[overdue])
        may = (rule != _NONE) & ~registry.retired[overdue]
        may &= (self._open[overdue] == _NONE) | (self._open[overdue] == rule)
        may &= self._level[overdue] < self._worst[rule]  # what is silent already and can grow no worse costs nothing
        for index, condition in enumerate(self._conditions):
            devices = overdue[may & (rule == index)]
            if not len(devices):
                continue
            silent_since, interval = start[devices], registry.interval[devices]
            level = np.zeros(len(devices), np.int8)
            ends = []
            for number, band in enumerate(condition.bands, 1):
                ends.append(silent_since + _limit(band, interval))
                level[ends[-1] <= now] = number
            if condition.offline_for is not None:
                said = np.array([self._said_offline.get(device, NEVER) for device in devices.tolist()], np.int64)
                told = said <= now - condition.offline_for
                ends[0] = np.where(told, np.minimum(ends[0], said + condition.offline_for * told), ends[0])
                level[told] = np.maximum(level[told], 1)
            for place in np.flatnonzero(level > self._level[devices]).tolist():
                device, new = int(devices[place]), int(level[place])
                at = int(ends[new - 1][place])
                out.append(self._verdict(VerdictKind.RAISE, index, new, device, at))
                if self._open[device] == _NONE:
                    self._reference[device] = registry.last_seen[device]
                self._open[device], self._level[device] = index, new

    def _say_offline(self, now: Micros) -> Int64s:
        """Return the devices whose own word ``offline`` has stood for as long as their rule allows."""
        registry = self._registry
        rules = {
            index: condition.offline_for
            for index, condition in enumerate(self._conditions)
            if condition.offline_for is not None
        }
        devices = np.flatnonzero(registry.offline[: len(self._open)])
        said: dict[int, Micros] = {}
        long: list[int] = []
        for device in devices[np.isin(self._seen_rule[devices], list(rules))].tolist():
            said[device] = self._said_offline.get(device, now)
            if now - said[device] >= rules[int(self._seen_rule[device])]:
                long.append(device)
        self._said_offline = said
        return np.array(long, np.int64)

    def _never_indices(self) -> list[int]:
        return [index for index, condition in enumerate(self._conditions) if condition.of == "never_seen"]

    def _fit(self) -> None:
        """Follow the registry: new devices, changed kinds and intervals."""
        registry = self._registry
        if self._known == registry.revision:
            return
        changed = np.flatnonzero(registry.changed > self._known)
        self._known = registry.revision
        size, old = len(registry.kind), len(self._open)
        if size > old:
            self._open = np.concatenate([self._open, np.full(size - old, _NONE, np.int8)])
            self._level = np.concatenate([self._level, np.zeros(size - old, np.int8)])
            self._reference = np.concatenate([self._reference, np.zeros(size - old, np.int64)])
            self._messages = np.concatenate([self._messages, np.zeros(size - old, np.int16)])
            none, never = np.full(size - old, _NONE, np.int8), np.full(size - old, NEVER, np.int64)
            self._seen_rule = np.concatenate([self._seen_rule, none])
            self._never_rule = np.concatenate([self._never_rule, none])
            self._seen_limit = np.concatenate([self._seen_limit, never])
            self._never_limit = np.concatenate([self._never_limit, never])
        self._seen_rule[changed], self._seen_limit[changed] = self._choose("seen", changed)
        self._never_rule[changed], self._never_limit[changed] = self._choose("never_seen", changed)

    def _choose(self, of: str, devices: Int64s) -> tuple[np.ndarray, Int64s]:
        """Return, for each of ``devices``, the first rule that fits and the silence it allows in µs."""
        kind, interval = self._registry.kind[devices], self._registry.interval[devices]
        rule = np.full(len(kind), _NONE, np.int8)
        limit = np.full(len(kind), NEVER, np.int64)
        for index, condition in enumerate(self._conditions):
            if condition.of != of:
                continue
            kinds = np.zeros(len(DeviceKind) + 1, np.bool_)  # the last one stands for -1, no device
            kinds[[KIND_NUMBER[each] for each in self._rules[index].kinds]] = True
            fits = kinds[kind] & (rule == _NONE) & (interval >= condition.interval_from)
            if condition.interval_below is not None:
                fits &= interval < condition.interval_below
            rule[fits] = index
            limit[fits] = _limit(condition.bands[0], interval[fits])
        return rule, limit

    def _verdict(self, kind: VerdictKind, index: int, level: int, device: int, at: Micros) -> Verdict:
        rule = self._rules[index]
        gateway = self._registry.kind[device] == KIND_NUMBER[DeviceKind.GATEWAY]
        return Verdict(
            kind=kind,
            rule=rule.id,
            rule_version=rule.version,
            subject_kind=SubjectKind.GATEWAY if gateway else SubjectKind.DEVICE,
            subject="/".join(self._registry.name(device)),
            component="",
            alert_class=rule.alert_class,
            priority=self._conditions[index].bands[level - 1].priority,
            latch=False,
            at=at,
            title_zh=rule.title.zh,
            title_en=rule.title.en,
            device_number=device,
        )


def _condition(rule: Rule) -> SilenceCondition:
    assert rule.condition.silence is not None  # the engine hands over silence rules only
    return rule.condition.silence


def _limit(band: SilenceBand, interval: Int64s) -> Int64s:
    """Return the silence a band allows, in µs, for devices that report every ``interval`` µs."""
    if band.after is not None:
        return np.full(len(interval), band.after, np.int64)
    assert band.intervals is not None  # the validator: exactly one of the two
    limit: Int64s = interval * band.intervals
    if band.at_least is not None:
        limit = np.maximum(limit, band.at_least)
    if band.at_most is not None:
        limit = np.minimum(limit, band.at_most)
    return limit
