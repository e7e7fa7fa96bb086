"""Combinations: what is active on several devices of a zone, building, unit, main or gateway together."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from firetower.core.clock import Micros
from firetower.devices.kinds import KIND_NUMBER, DeviceKind
from firetower.devices.registry import Registry
from firetower.rules.calendars import Days
from firetower.rules.clauses import Alarm, Group, Members, followed
from firetower.rules.conditions import Clause, CombinationCondition
from firetower.rules.holding import Agenda, Holding, Terms, Turn
from firetower.rules.model import Rule
from firetower.rules.points import Points
from firetower.rules.rulebook import Rulebook
from firetower.rules.verdicts import SubjectKind, Verdict, VerdictKind
from firetower.rules.whose import Whose

SUBJECT_KIND = {
    "device": SubjectKind.DEVICE,
    "zone": SubjectKind.ZONE,
    "building": SubjectKind.ZONE,
    "unit": SubjectKind.UNIT,
    "main": SubjectKind.MAIN,
    "gateway": SubjectKind.GATEWAY,
}
"""What an alert about a group of that name is about."""
_EVENT = "event:"
_NAMED = 5
"""Devices an alert names; the others it counts."""
_KINDS = tuple(DeviceKind)
_Key = tuple[int, str]
"""Index of a rule, subject."""


class CombinationWatch:
    """Combination rules, by group; fed with the verdicts of all other rules and events.

    Cost grows with the verdicts and with the delays that run. A device that is retired or moves to another group leaves
    its own at the next tick; the share of a group of which devices come or go is worked out at its next verdict.
    """

    def __init__(self, rulebook: Rulebook, registry: Registry) -> None:
        self._rules = tuple(rule for rule in rulebook.rules if rule.condition.combination is not None)
        self._registry = registry
        self._conditions = [_condition(rule) for rule in self._rules]
        days = Days(rulebook.calendar)
        self._terms = [
            Terms.of(rule, days, condition.on_delay, condition.off_delay)
            for rule, condition in zip(self._rules, self._conditions, strict=True)
        ]
        self._index = {rule.id: index for index, rule in enumerate(self._rules)}
        self._kinds = [frozenset(KIND_NUMBER[kind] for kind in rule.kinds) for rule in self._rules]
        known = {rule.id: rule for rule in rulebook.rules}
        self._sources: dict[str, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
        self._asked = [len(condition.all) for condition in self._conditions]
        self._clauses = [(*condition.all, *condition.none) for condition in self._conditions]
        self._empty = [[Members(each.devices, each.within) for each in clauses] for clauses in self._clauses]
        self._watched: list[list[frozenset[DeviceKind]]] = []  # by rule and clause: the kinds that its rules watch
        for index, (rule, clauses) in enumerate(zip(self._rules, self._clauses, strict=True)):
            for number, clause in enumerate(clauses):
                for source in _sources(clause):
                    if rule.shadow or source not in known or not known[source].shadow:
                        self._sources[source][index].append(number)
            self._watched.append(
                [frozenset(kind for each in clause.rules if each in known for kind in known[each].kinds)
                 for clause in clauses]
            )  # fmt: skip
        self._points = Points()
        self._groups: dict[_Key, Group] = {}
        self._where: dict[tuple[int, int], str] = {}  # by rule and device, of those that have an alarm
        self._agenda: Agenda[_Key] = Agenda()
        self._seeded: set[_Key] = set()
        self._revision = registry.revision

    def seed(
        self, rule: str, subject: str, device: int | None, component: str, active_since: Micros, *, priority: int
    ) -> bool:
        """Take over an open alert, of a combination (then True) or of one of its members."""
        own = self._index.get(rule)
        if own is not None:
            holding = self._group((own, subject)).holding
            if not holding.raised:
                holding.seed(active_since)
            self._seeded.add((own, subject))
            return True
        if device is not None and rule in self._sources:
            point = (rule, component)
            if rule.startswith(_EVENT) and not self._points.said(device, point, active_since, active=True):
                return False
            whose = Whose(device, self._registry)
            for index in self._sources[rule]:
                key, _ = self._take_in(index, whose, point, active_since, priority)
                if key is not None:
                    self._seeded.add(key)
        return False

    def step(self, verdicts: Sequence[Verdict]) -> list[Verdict]:
        """Take in what was decided; return what that makes of the combinations."""
        if not self._rules:
            return []
        news = [verdict for verdict in verdicts if verdict.rule in self._sources and self._is_news(verdict)]
        news.sort(key=_instant)
        out: list[Verdict] = []
        for verdict in news:
            assert verdict.device_number is not None  # else it is no news
            device, alarm = verdict.device_number, (verdict.rule, verdict.component)
            whose = Whose(device, self._registry)
            for index in self._sources[verdict.rule]:
                as_it_was = False
                if verdict.kind is VerdictKind.RAISE:
                    if (index, device) in self._where:
                        out += self._moved_on(index, device, verdict.at)
                    key, as_it_was = self._take_in(index, whose, alarm, verdict.at, verdict.priority)
                else:
                    key = self._leave(index, device, alarm)
                if key is not None and not as_it_was:
                    out += self._turned(key, verdict.at)
        return out

    def tick(self, now: Micros) -> list[Verdict]:
        """Return what the passing of time decides, after the verdicts of the tick: delays that are over."""
        out: list[Verdict] = []
        if self._revision != self._registry.revision:
            known, self._revision = self._revision, self._registry.revision
            devices = np.array(sorted({device for _, device in self._where}), np.int64)
            for device in devices[self._registry.changed[devices] > known].tolist():
                for index in range(len(self._rules)):
                    out += self._moved_on(index, device, now)
        for key in sorted(self._seeded):
            if key in self._groups:
                out += self._turned(key, self._groups[key].last)
        self._seeded = set()
        for key in self._agenda.due(now):
            if key in self._groups:
                out += self._said(key, self._groups[key].holding.advance(self._terms[key[0]], now))
        out.sort(key=_instant)
        return out

    # members ---------------------------------------------------------------------------------------

    def _is_news(self, verdict: Verdict) -> bool:
        """Say whether a verdict tells of the present of a device, and was not told before."""
        device = verdict.device_number
        if device is None or verdict.kind is VerdictKind.RECORD or verdict.historical:
            return False
        point, active = (verdict.rule, verdict.component), verdict.kind is VerdictKind.RAISE
        return verdict.event is None or self._points.said(device, point, verdict.at, active=active)

    def _take_in(
        self, index: int, whose: Whose, alarm: Alarm, begin: Micros, priority: int
    ) -> tuple[_Key | None, bool]:
        """Note an alarm that is active; return the group it is in, None where it counts for nothing.

        True: the group is as it was, short of devices. Most alarms are one of too few, so that is said quickly.
        """
        if whose.kind not in self._kinds[index] or whose.retired:
            return None, False
        subject = whose.group(self._conditions[index].group)
        if subject is None:
            return None, False
        key, device = (index, subject), whose.number
        group, clauses = self._group(key), self._clauses[index]
        counts = False
        for number in self._sources[alarm[0]][index]:
            least = clauses[number].priority
            if least is None or priority <= least:
                group.add(number, device, alarm, begin)
                counts = True
            else:
                group.clauses[number].remove(device, alarm)
        if counts:
            self._where[index, device] = subject
            group.last = max(group.last, begin)
            if not (group.holding.met or group.holding.raised):
                for members in group.clauses[: self._asked[index]]:
                    if members.too_few:
                        return key, True
        elif not any(device in members for members in group.clauses):
            self._where.pop((index, device), None)
        return key, False

    def _leave(self, index: int, device: int, alarm: Alarm) -> _Key | None:
        """Forget an alarm that is over; return the group it was in."""
        subject = self._where.get((index, device))
        if subject is None:
            return None
        group = self._groups[index, subject]
        for number in self._sources[alarm[0]][index]:
            group.clauses[number].remove(device, alarm)
        if not any(device in members for members in group.clauses):
            del self._where[index, device]
        return index, subject

    def _moved_on(self, index: int, device: int, at: Micros) -> list[Verdict]:
        """Take a device that is retired, or of another group or kind by now, out of the group it was in."""
        subject, registry = self._where.get((index, device)), self._registry
        if subject is None:
            return []
        stays = registry.group_of(self._conditions[index].group, device) == subject and not registry.retired[device]
        if stays and int(registry.kind[device]) in self._kinds[index]:
            return []
        for members in self._groups[index, subject].clauses:
            members.drop(device)
        del self._where[index, device]
        return self._turned((index, subject), at)

    def _group(self, key: _Key) -> Group:
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = Group(self._empty[key[0]])
        return group

    # what they make --------------------------------------------------------------------------------

    def _turned(self, key: _Key, at: Micros) -> list[Verdict]:
        """Return the verdicts of a group of which something was said at ``at``."""
        group = self._groups[key]
        group.last = max(group.last, at)
        met, holding = self._is_met(key, group), group.holding
        if not (met or holding.met or holding.raised) and any(group.clauses):
            return []  # as it was: most alarms are one of too few
        return self._said(key, holding.turn(self._terms[key[0]], group.last, met=met))

    def _is_met(self, key: _Key, group: Group) -> bool:
        condition, wanted = self._conditions[key[0]], self._asked[key[0]]
        for members in group.clauses[:wanted]:  # quickly, for most are too few
            if members.too_few:
                return False
        if not all(self._clause_is_met(key, group, number) for number in range(wanted)):
            return False
        if any(self._clause_is_met(key, group, wanted + number) for number in range(len(condition.none))):
            return False
        within = condition.followed_within
        return within is None or followed(group.clauses[:wanted], within)

    def _clause_is_met(self, key: _Key, group: Group, number: int) -> bool:
        members = group.clauses[number]
        return members.near and len(members) >= self._needed(key, members, number)

    def _needed(self, key: _Key, members: Members, number: int) -> int:
        """Return how many devices a clause asks for in a group."""
        index, subject = key
        clause = self._clauses[index][number]
        if clause.share is None or len(members) < clause.devices:
            return clause.devices
        kinds = set(self._watched[index][number])
        if clause.events:
            kinds |= {_KINDS[kind] for kind in self._registry.kind[list(members.devices)].tolist()}
        all_of_them = self._registry.members(
            self._conditions[index].group, subject, kinds & set(self._rules[index].kinds)
        )
        return max(clause.devices, int(np.ceil(clause.share * len(all_of_them) - 1e-9)))

    def _said(self, key: _Key, turns: Iterable[Turn]) -> list[Verdict]:
        """Return the verdicts of turns; note when to look again, or forget what is over."""
        index, subject = key
        group = self._groups[key]
        self._agenda.note(key, group.holding.next_look(self._terms[index]))
        if not (group.holding.met or group.holding.raised or any(group.clauses)):
            del self._groups[key]
        return [self._verdict(index, subject, group, at, raised=raised) for at, raised in turns]

    def _verdict(self, index: int, subject: str, group: Group, at: Micros, *, raised: bool) -> Verdict:
        rule, condition = self._rules[index], self._conditions[index]
        needed = [self._needed((index, subject), group.clauses[each], each) for each in range(len(condition.all))]
        most = max(range(len(needed)), key=needed.__getitem__)
        unit, _, device = subject.partition("/")
        return Verdict(
            kind=VerdictKind.RAISE if raised else VerdictKind.CLEAR,
            rule=rule.id,
            rule_version=rule.version,
            subject_kind=SUBJECT_KIND[condition.group],
            subject=subject,
            component="",
            alert_class=rule.alert_class,
            priority=condition.priority,
            latch=condition.latch,
            at=at,
            title_zh=rule.title.zh,
            title_en=rule.title.en,
            device_number=self._registry.number(unit, device) if condition.group == "device" else None,
            value=float(len(group.clauses[most])) if raised else None,
            limit=float(needed[most]) if raised else None,
            text=self._names(group.clauses[: len(condition.all)]) if raised else "",
        )

    def _names(self, clauses: Sequence[Members]) -> str:
        """Return the names of the devices that make a combination, those that began first, and how many more."""
        devices = list(
            dict.fromkeys(device for _, device in sorted(begin for each in clauses for begin in each.begins))
        )
        names = ", ".join("/".join(self._registry.name(device)) for device in devices[:_NAMED])
        return f"{names} +{len(devices) - _NAMED}" if len(devices) > _NAMED else names

    # checkpoint ------------------------------------------------------------------------------------

    def save(self) -> Any:
        """Return the state, of JSON's types."""
        groups = [
            [self._rules[index].id, subject, group.last, group.holding.save(), [each.save() for each in group.clauses]]
            for (index, subject), group in self._groups.items()
        ]
        return {"points": self._points.save(), "groups": groups}

    def load(self, saved: Any) -> None:
        """Take over what ``save`` returned."""
        self._points.load(saved["points"])
        for rule, subject, last, holding, clauses in saved["groups"]:
            key = (self._index[rule], subject)
            group = self._groups[key] = Group(self._empty[key[0]])
            group.last, group.holding = last, Holding.load(holding)
            for number, alarms in enumerate(clauses):
                for device, source, component, begin in alarms:
                    group.add(number, device, (source, component), begin)
                    self._where[key[0], device] = subject
            self._said(key, [])


def _condition(rule: Rule) -> CombinationCondition:
    assert rule.condition.combination is not None  # only combinations are asked
    return rule.condition.combination


def _sources(clause: Clause) -> list[str]:
    """Return the rules whose verdicts count in a clause; an event counts as its own verdict's."""
    return [*clause.rules, *(_EVENT + event for event in clause.events)]


def _instant(verdict: Verdict) -> Micros:
    return verdict.at
