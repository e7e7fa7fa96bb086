"""Silence rules 离线: which devices say nothing, found by looking at those whose time may be up."""

from collections.abc import Collection

import numpy as np
import numpy.typing as npt

from firetower.core.clock import Micros
from firetower.devices.columns import Column
from firetower.devices.kinds import KIND_NUMBER, DeviceKind
from firetower.devices.readings import Bools, Int64s
from firetower.devices.registry import Registry
from firetower.rules.book.model import Rule
from firetower.rules.measured.lanes import NEVER
from firetower.rules.measured.scopes import Scopes
from firetower.rules.verdicts import SubjectKind, Verdict, VerdictKind
from firetower.rules.watches.allowances import Allowances, condition_of

TOLD_A_TICK = 64
"""Silences that begin or grow worse, and again as many that end, in one tick: a verdict, with what follows from it,
takes up to 50 µs. Of whatever else may befall very many devices at once, as many.
"""
_JUDGED_A_TICK = 1 << 14
_SORTED_A_TICK = 1 << 18
_TAKEN_IN_A_TICK = 1 << 16
_NONE = -1
Int8s = npt.NDArray[np.int8]


class SilenceWatch:
    """What is silent at present, by device number.

    A device takes the first rule that fits its kind and interval and is not off for it, one list for devices that have
    spoken and one for those that never did. Its silence is over with a message, never by itself. ``scopes``: where the
    rulebook's overrides are in force.

    A tick looks only at devices that may have become silent, and says at most TOLD_A_TICK silences that begin and as
    many that end, the oldest first; the next tick goes on where it stopped, and each is dated when it was, not when it
    was said. So neither a million devices nor 200,000 that fall silent at once hold anything up. In the same way
    devices registered while it runs are taken in tens of thousands a tick.
    """

    def __init__(self, rules: tuple[Rule, ...], registry: Registry, scopes: Scopes | None = None) -> None:
        self._rules = rules
        self._allowances = Allowances(rules, registry, Scopes((), registry) if scopes is None else scopes)
        self._conditions = [condition_of(rule) for rule in rules]
        self._clear_messages = np.array([condition.clear_messages for condition in self._conditions] + [0])
        self._of_never = np.array([condition.of == "never_seen" for condition in self._conditions] + [False])
        self._offline_for = np.array(
            [NEVER if each.offline_for is None else each.offline_for for each in self._conditions] + [NEVER], np.int64
        )
        self._registry = registry
        self._known = 0  # revision of the registry the columns below follow
        self._open: Column[np.int8] = Column(np.int8, _NONE)  # index of the rule whose alert is open
        self._level: Column[np.int8] = Column(np.int8)
        self._reference: Column[np.int64] = Column(np.int64)  # last message that counts as before the silence
        self._messages: Column[np.int16] = Column(np.int16)
        self._doubt: Column[np.bool_] = Column(np.bool_)  # whether the rule of the open alert still holds
        self._unheard: Column[np.bool_] = Column(np.bool_)  # had not spoken yet when ``_due`` was set
        self._seen_rule: Column[np.int8] = Column(np.int8, _NONE)
        self._never_rule: Column[np.int8] = Column(np.int8, _NONE)
        self._said: Column[np.int64] = Column(np.int64, NEVER)  # since when its word ``offline`` stands
        self._saying: Int64s = np.zeros(0, np.int64)
        self._due: Column[np.int64] = Column(np.int64, NEVER)  # nothing begins or grows worse before this instant
        self._floor: Micros = 0
        self._turn = 0
        self._fit(len(registry.kind))

    def seed(self, rule: str, device: int, priority: int, active_since: Micros) -> bool:
        """Take over an open alert; False when the rulebook has no such rule."""
        self._fit(len(self._registry.kind))
        for index, known in enumerate(self._rules):
            if known.id == rule and device < len(self._registry.kind):
                bands = self._conditions[index].bands
                self._open.rows[device] = index
                self._level.rows[device] = max(
                    (n for n, band in enumerate(bands, 1) if band.priority >= priority), default=1
                )
                self._reference.rows[device] = active_since
                self._doubt.rows[device] = True
                self._due.rows[device] = 0
                return True
        return False

    def tick(self, now: Micros, listening_since: Micros | None, *, lag: Micros = 0) -> list[Verdict]:
        """Return the silences that begin, grow worse and end; none begins while nobody listens (None).

        Nor does that of a device that reports more often than ``lag``, how far telemetry is behind in µs: what it said
        may be on its way. Its own word ``offline`` counts all the same.
        """
        self._fit(_TAKEN_IN_A_TICK)
        self._notice(now)
        out: list[Verdict] = []
        self._end(now, NEVER if listening_since is None else listening_since, out)
        if listening_since is not None:
            self._begin(now, listening_since, lag, out)
        return out

    def watches(self, rules: Collection[str], devices: Int64s) -> Bools:
        """Return, shape (n,), which of ``devices`` are silent, once they are, by one of ``rules``."""
        known = devices[devices < len(self._open.rows)]
        fits = np.zeros(len(devices), np.bool_)
        _, rule = self._start_and_rule(known)
        named = np.array([each.id in rules for each in self._rules] + [False])  # the last one stands for _NONE
        fits[devices < len(self._open.rows)] = named[rule]
        return fits

    def _notice(self, now: Micros) -> None:
        """Set the due time of devices that spoke for the first time or said ``offline``."""
        size, registry = len(self._open.rows), self._registry
        spoke = np.flatnonzero(self._unheard.rows & (registry.last_seen[:size] != 0))[:_TAKEN_IN_A_TICK]
        self._unheard.rows[spoke] = False
        offline = np.flatnonzero(registry.offline[:size])
        back = self._saying[~registry.offline[self._saying]]
        self._said.rows[back] = NEVER
        said = offline[
            (self._said.rows[offline] == NEVER) & (self._offline_for[self._seen_rule.rows[offline]] != NEVER)
        ]
        self._said.rows[said] = now
        self._saying = offline
        news = np.concatenate([spoke, said])
        self._due.rows[news] = self._earliest(news)

    def _end(self, now: Micros, floor: Micros, out: list[Verdict]) -> None:
        """Clear what has spoken often enough, and what no rule watches any more."""
        silent = np.flatnonzero(self._open.rows != _NONE)
        if len(silent) > _SORTED_A_TICK:
            self._turn %= len(silent)
            silent = np.roll(silent, -self._turn)[:_SORTED_A_TICK]
            self._turn += _SORTED_A_TICK
        last = self._registry.last_seen[silent]
        moved = (last > self._reference.rows[silent]) | (self._messages.rows[silent] > 0) | self._doubt.rows[silent]
        silent = silent[moved]
        if not len(silent):
            return
        last, rule = last[moved], self._open.rows[silent]
        heard = last > self._reference.rows[silent]
        overdue = (self._first_end(silent, floor) <= now) | (self._told(silent) <= now)
        messages = np.where(overdue, 0, self._messages.rows[silent] + heard)
        self._messages.rows[silent] = messages
        self._reference.rows[silent] = np.where(heard, last, self._reference.rows[silent])
        watched = np.where(self._of_never[rule], self._never_rule.rows[silent], self._seen_rule.rows[silent])
        unwatched = (watched != rule) | self._registry.retired[silent]
        self._doubt.rows[silent] = unwatched
        over = silent[(messages >= self._clear_messages[rule]) | unwatched]
        over = over[np.argsort(self._registry.last_seen[over], kind="stable")[:TOLD_A_TICK]]
        for device in over.tolist():
            index, level = int(self._open.rows[device]), int(self._level.rows[device])
            at = int(self._registry.last_seen[device])
            out.append(self._verdict(VerdictKind.CLEAR, index, level, device, at))
        self._open.rows[over] = _NONE
        self._level.rows[over] = self._messages.rows[over] = 0
        self._doubt.rows[over] = False
        self._due.rows[over] = self._earliest(over)

    def _begin(self, now: Micros, floor: Micros, lag: Micros, out: list[Verdict]) -> None:
        """Raise what has just become silent, and what has been for longer than its next band."""
        due, registry = self._due.rows, self._registry
        if floor < self._floor:  # what was judged from a later instant on is judged again
            np.minimum(due, now, out=due)
        self._floor = floor
        devices = np.flatnonzero(due <= now)[:_SORTED_A_TICK]
        if len(devices) > _JUDGED_A_TICK:
            devices = np.sort(devices[np.argpartition(due[devices], _JUDGED_A_TICK)[:_JUDGED_A_TICK]])
        start, rule = self._start_and_rule(devices)
        np.maximum(start, floor, out=start)
        may = (rule != _NONE) & ~registry.retired[devices]
        may &= (self._open.rows[devices] == _NONE) | (self._open.rows[devices] == rule)
        due[devices[~may]] = NEVER  # until its file changes, or the alert of another rule is over
        on_its_way = (registry.interval[devices] < lag) & (self._told(devices) > now)
        due[devices[may & on_its_way]] = now + 1  # to be asked again at the next tick
        may &= ~on_its_way
        raised: list[Int64s] = []
        for index in np.unique(rule[may]).tolist():
            which = may & (rule == index)
            mine = devices[which]
            level, at, again = self._judge(index, mine, start[which], now)
            due[mine] = again
            worse = np.flatnonzero(level > self._level.rows[mine])
            due[mine[worse]] = at[worse]  # until it is told
            rows = [at, mine, level, again, np.full(len(mine), index), start[which]]
            raised.append(np.stack(rows)[:, worse])
        if not raised:
            return
        oldest = np.concatenate(raised, axis=1)
        if oldest.shape[1] > TOLD_A_TICK:
            oldest = oldest[:, np.argpartition(oldest[0], TOLD_A_TICK)[:TOLD_A_TICK]]
        oldest = oldest[:, np.lexsort((oldest[1], oldest[0]))]
        for at_, device, level_, _, index, since in oldest.T.tolist():
            out.append(self._verdict(VerdictKind.RAISE, index, level_, device, at_, since=since))
        told = oldest[1]
        begun = told[self._open.rows[told] == _NONE]
        self._reference.rows[begun] = registry.last_seen[begun]
        self._level.rows[told], due[told], self._open.rows[told] = oldest[2], oldest[3], oldest[4]

    def _judge(self, index: int, devices: Int64s, silent_since: Int64s, now: Micros) -> tuple[Int8s, Int64s, Int64s]:
        """Return the level each device has reached under a rule, since when, and when it may rise next."""
        condition = self._conditions[index]
        allowed = self._allowances.of(index, devices)[:, : len(condition.bands)]
        ends = (silent_since[:, None] + allowed).T
        if condition.offline_for is not None:
            ends[0] = np.minimum(ends[0], self._told(devices))
        level = np.zeros(len(devices), np.int8)
        for number, end in enumerate(ends, 1):
            level[end <= now] = number
        above = np.maximum(level, self._level.rows[devices])
        later = np.where(np.arange(1, len(ends) + 1)[:, None] > above, ends, NEVER)
        return level, ends[np.maximum(level, 1) - 1, np.arange(len(devices))], later.min(axis=0)

    def _first_end(self, devices: Int64s, floor: Micros) -> Int64s:
        """Return when each device has been silent for as long as its first band allows, counted from ``floor`` on."""
        start, rule = self._start_and_rule(devices)
        np.maximum(start, floor, out=start)
        end = np.full(len(devices), NEVER, np.int64)
        for index in range(len(self._conditions)):
            mine = np.flatnonzero((rule == index) & (start != NEVER))
            if len(mine):
                end[mine] = start[mine] + self._allowances.of(index, devices[mine])[:, 0]
        return end

    def _earliest(self, devices: Int64s) -> Int64s:
        """Return before when nothing can begin for each of ``devices`` if nothing else is heard."""
        at = np.minimum(self._first_end(devices, 0), self._told(devices))
        at[self._registry.retired[devices]] = NEVER
        return at

    def _told(self, devices: Int64s) -> Int64s:
        """Return when each device's own word ``offline`` will have stood for as long as its rule allows."""
        said, allowed = self._said.rows[devices], self._offline_for[self._seen_rule.rows[devices]]
        return np.where((said == NEVER) | (allowed == NEVER), NEVER, np.minimum(said, NEVER - allowed) + allowed)

    def _start_and_rule(self, devices: Int64s) -> tuple[Int64s, Int8s]:
        """Return since when each device has said nothing, µs, and the index of the rule that watches that."""
        last = self._registry.last_seen[devices]
        never = last == 0
        start = np.where(never, self._registry.registered_at[devices], last)
        return start, np.where(never, self._never_rule.rows[devices], self._seen_rule.rows[devices])

    def _fit(self, most: int) -> None:
        """Follow the registry: new devices, changed kinds and intervals; about ``most`` of them, the oldest first."""
        registry = self._registry
        if self._known == registry.revision:
            return
        changed, revision = np.flatnonzero(registry.changed > self._known), registry.revision
        if len(changed) > most:
            revision = int(np.partition(registry.changed[changed], most)[most])
            changed = changed[registry.changed[changed] <= revision]
        self._known = revision
        for column in (
            self._open, self._level, self._reference, self._messages, self._doubt, self._unheard,
            self._seen_rule, self._never_rule, self._said, self._due,
        ):  # fmt: skip
            column.fit(len(registry.kind))
        self._seen_rule.rows[changed] = self._choose("seen", changed)
        self._never_rule.rows[changed] = self._choose("never_seen", changed)
        self._doubt.rows[changed] = True
        self._unheard.rows[changed] = registry.last_seen[changed] == 0
        self._due.rows[changed] = self._earliest(changed)

    def _choose(self, of: str, devices: Int64s) -> Int8s:
        """Return, for each of ``devices``, the first rule that fits."""
        kind, interval = self._registry.kind[devices], self._registry.interval[devices]
        rule = np.full(len(kind), _NONE, np.int8)
        for index, condition in enumerate(self._conditions):
            if condition.of != of:
                continue
            kinds = np.zeros(len(DeviceKind) + 1, np.bool_)  # the last one stands for -1, no device
            kinds[[KIND_NUMBER[each] for each in self._rules[index].kinds]] = True
            fits = kinds[kind] & (rule == _NONE) & (interval >= condition.interval_from)
            if condition.interval_below is not None:
                fits &= interval < condition.interval_below
            fits &= ~self._allowances.off(index, devices)
            rule[fits] = index
        return rule

    def _verdict(
        self, kind: VerdictKind, index: int, level: int, device: int, at: Micros, *, since: Micros | None = None
    ) -> Verdict:
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
            since=since,
        )
