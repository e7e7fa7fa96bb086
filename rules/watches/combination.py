"""Combinations: what is active on several devices of a zone, building, unit, main or gateway together."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any

import numpy as np

from firetower.core.clock import Micros
from firetower.devices.kinds import KIND_NUMBER, DeviceKind
from firetower.devices.registry import Registry
from firetower.rules.book.conditions import CombinationCondition
from firetower.rules.book.model import Rule
from firetower.rules.book.rulebook import Rulebook
from firetower.rules.checkpoint import in_parts
from firetower.rules.measured.calendars import Days
from firetower.rules.measured.off import Off
from firetower.rules.measured.scopes import Scopes
from firetower.rules.verdicts import Verdict, VerdictKind
from firetower.rules.watches.clauses import Alarm, Group, Members, differ, followed
from firetower.rules.watches.holding import Agenda, Holding, Terms, Turn
from firetower.rules.watches.points import Points
from firetower.rules.watches.silence import SilenceWatch
from firetower.rules.watches.sources import EVENT, Sources
from firetower.rules.watches.together import Counted, verdict_of
from firetower.rules.watches.whose import Whose

_KINDS = tuple(DeviceKind)
_INSTANT = attrgetter("at")
_Key = tuple[int, str]
"""Index of a rule, subject."""


class CombinationWatch:
    """Combination rules, by group; fed with the verdicts of all other rules and events.

    Cost grows with the verdicts and with the delays that run. A device that is retired or moves to another group leaves
    its own at the next tick; the share of a group of which devices come or go is worked out at its next verdict. A
    device for which an override turns a rule off is a member of no group of that rule.
    """

    def __init__(self, rulebook: Rulebook, registry: Registry, scopes: Scopes, silence: SilenceWatch) -> None:
        self._rules = tuple(rule for rule in rulebook.rules if rule.condition.combination is not None)
        self._registry, self._silence = registry, silence
        self._off = Off(self._rules, scopes)
        self._conditions = [_condition(rule) for rule in self._rules]
        days = Days(rulebook.calendar)
        self._terms = [
            Terms.of(rule, days, condition.on_delay, condition.off_delay)
            for rule, condition in zip(self._rules, self._conditions, strict=True)
        ]
        self._index = {rule.id: index for index, rule in enumerate(self._rules)}
        self._kinds = [frozenset(KIND_NUMBER[kind] for kind in rule.kinds) for rule in self._rules]
        known = {rule.id: rule for rule in rulebook.rules}
        self._asked = [len(condition.all) for condition in self._conditions]
        self._clauses = [(*condition.all, *condition.none) for condition in self._conditions]
        self._sources = Sources(rulebook, self._rules, self._clauses)
        self._may_share = [any(each.classes for each in condition.all) for condition in self._conditions]
        self._silences = frozenset(rule.id for rule in rulebook.rules if rule.condition.silence is not None)
        self._empty = [[Members(each.devices, each.within) for each in clauses] for clauses in self._clauses]
        self._watched: list[list[frozenset[DeviceKind]]] = []  # by rule and clause: kinds that measured rules watch
        said_by = {name: rule for name, rule in known.items() if name not in self._silences}
        for clauses in self._clauses:
            measured = [[said_by[each] for each in clause.rules if each in said_by] for clause in clauses]
            self._watched.append([frozenset(kind for rule in rules for kind in rule.kinds) for rules in measured])
        self._points = Points()
        self._groups: dict[_Key, Group] = {}
        self._where: dict[tuple[int, int], str] = {}  # by rule and device, of those that have an alarm
        self._agenda: Agenda[_Key] = Agenda()
        self._counted = Counted()
        self._seeded: set[_Key] = set()
        self._left: set[_Key] = set()  # groups that a device left while nothing was to be said
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
        if device is not None and self._sources.of(rule):
            point = (rule, component)
            if rule.startswith(EVENT) and not self._points.said(device, point, active_since, active=True):
                return False
            whose = Whose(device, self._registry)
            if rule in self._silences:  # the alert is older than its last word by what a silence takes to be told
                active_since = self._registry.last_seen.item(device) or active_since
            for index in self._sources.of(rule):
                if not self._stays(index, whose):
                    self._left.add(self._taken_out(index, device))
                key, _ = self._take_in(index, whose, point, active_since, priority)
                if key is not None:
                    self._seeded.add(key)
        return False

    def step(self, verdicts: Sequence[Verdict]) -> list[Verdict]:
        """Take in what was decided; return what that makes of the combinations."""
        if not self._rules:
            return []
        news = [verdict for verdict in verdicts if self._sources.of(verdict.rule) and self._is_news(verdict)]
        news.sort(key=_INSTANT)
        out: list[Verdict] = []
        for at, of_instant in groupby(news, key=_INSTANT):
            out += self._taken_at(at, of_instant)
        return out + self._grown()

    def _taken_at(self, at: Micros, news: Iterable[Verdict]) -> list[Verdict]:
        """Take in all that was decided of one instant, and only then say what turned: half of it holds at no time."""
        out: list[Verdict] = []
        touched: dict[_Key, None] = {}
        for verdict in news:
            assert verdict.device_number is not None  # else it is no news
            device, alarm = verdict.device_number, (verdict.rule, verdict.component)
            whose = Whose(device, self._registry)
            begin = verdict.at if verdict.since is None else verdict.since
            for index in self._sources.of(verdict.rule):
                as_it_was = False
                if verdict.kind is VerdictKind.RAISE:
                    out += self._moved_on(index, whose, verdict.at)
                    key, as_it_was = self._take_in(index, whose, alarm, begin, verdict.priority)
                else:
                    key = self._leave(index, device, alarm)
                if key is not None and not as_it_was:
                    touched[key] = None
        return out + [said for key in touched for said in self._turned(key, at)]

    def tick(self, now: Micros) -> list[Verdict]:
        """Return what the passing of time decides, after the verdicts of the tick: delays that are over."""
        out: list[Verdict] = []
        if self._revision != self._registry.revision:
            known, self._revision = self._revision, self._registry.revision
            for device in self._changed(known):
                whose = Whose(device, self._registry)
                for index in range(len(self._rules)):
                    out += self._moved_on(index, whose, now)
        for key in sorted(self._seeded | self._left):
            if key in self._groups:
                out += self._turned(key, now if key in self._left else self._groups[key].last)
        self._seeded, self._left = set(), set()
        for key in self._agenda.due(now):
            if key in self._groups:
                out += self._said(key, self._groups[key].holding.advance(self._terms[key[0]], now))
        out += self._grown()
        out.sort(key=_INSTANT)
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
        subject = self._subject(index, whose)
        if subject is None:
            return None, False
        key, device = (index, subject), whose.number
        group, clauses = self._group(key), self._clauses[index]
        counts = False
        for number in self._sources.of(alarm[0])[index]:
            least = clauses[number].priority
            if least is None or priority <= least:
                group.add(number, device, alarm, begin, doubt=self._doubt(device, alarm))
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

    def _doubt(self, device: int, alarm: Alarm) -> Micros:
        """Return how much later than told an alarm may have begun: a device falls silent after its last word."""
        return self._registry.interval.item(device) if alarm[0] in self._silences else 0

    def _leave(self, index: int, device: int, alarm: Alarm) -> _Key | None:
        """Forget an alarm that is over; return the group it was in."""
        subject = self._where.get((index, device))
        if subject is None:
            return None
        group = self._groups[index, subject]
        for number in self._sources.of(alarm[0])[index]:
            group.clauses[number].remove(device, alarm)
        if not any(device in members for members in group.clauses):
            del self._where[index, device]
        return index, subject

    def _changed(self, known: int) -> list[int]:
        """Return the devices with an alarm that changed since a revision of the registry."""
        changed = np.flatnonzero(self._registry.changed > known)
        if len(changed) < len(self._where):
            rules = range(len(self._rules))
            return [device for device in changed.tolist() if any((index, device) in self._where for index in rules)]
        devices = np.array(sorted({device for _, device in self._where}), np.int64)
        some: list[int] = devices[self._registry.changed[devices] > known].tolist()
        return some

    def _subject(self, index: int, whose: Whose) -> str | None:
        """Return the group that a device is of by a rule; None where it does not count."""
        if whose.kind not in self._kinds[index] or whose.retired or self._off.of(index, whose.number):
            return None
        return whose.group(self._conditions[index].group)

    def _stays(self, index: int, whose: Whose) -> bool:
        """Say whether a device is in no group of a rule but the one it is of."""
        subject = self._where.get((index, whose.number))
        return subject is None or subject == self._subject(index, whose)

    def _taken_out(self, index: int, device: int) -> _Key:
        """Take a device out of the group it was in; return that."""
        key = index, self._where.pop((index, device))
        for members in self._groups[key].clauses:
            members.drop(device)
        return key

    def _moved_on(self, index: int, whose: Whose, at: Micros) -> list[Verdict]:
        """Take a device that is retired, or of another group or kind by now, out of the group it was in."""
        return [] if self._stays(index, whose) else self._turned(self._taken_out(index, whose.number), at)

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
        if self._may_share[key[0]] and not differ(group.clauses[:wanted]):
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
        if clause.events or clause.classes:
            kinds |= {_KINDS[kind] for kind in self._registry.kind[list(members.devices)].tolist()}
        of_rule = self._registry.members(self._conditions[index].group, subject, self._rules[index].kinds)
        counts = np.isin(self._registry.kind[of_rule], [KIND_NUMBER[kind] for kind in kinds])
        if not self._silences.isdisjoint(clause.rules):
            counts |= self._silence.watches(clause.rules, of_rule)
        counts &= ~self._off.of_many(index, of_rule)
        return max(clause.devices, int(np.ceil(clause.share * np.count_nonzero(counts) - 1e-9)))

    def _said(self, key: _Key, turns: Iterable[Turn]) -> list[Verdict]:
        """Return the verdicts of turns; note when to look again, or forget what is over."""
        index, group = key[0], self._groups[key]
        self._agenda.note(key, group.holding.next_look(self._terms[index]))
        if not (group.holding.met or group.holding.raised or any(group.clauses)):
            del self._groups[key]
        out = [self._verdict(key, group, at, raised=raised) for at, raised in turns]
        self._counted.note(key, group.clauses[: self._asked[index]], anew=bool(out), raised=group.holding.raised)
        return out

    def _grown(self) -> list[Verdict]:
        """Return raises again of what is raised, and of more devices by now."""
        return [self._verdict(key, (of := self._groups[key]), of.last, again=True) for key in self._counted.grown()]

    def _verdict(self, key: _Key, group: Group, at: Micros, *, raised: bool = True, again: bool = False) -> Verdict:
        clauses = enumerate(group.clauses[: self._asked[key[0]]])
        asked = [(each, self._needed(key, each, number)) for number, each in clauses]
        return verdict_of(self._rules[key[0]], key[1], at, self._registry, asked, raised=raised, again=again)

    # checkpoint ------------------------------------------------------------------------------------

    def save(self) -> Iterator[Any]:
        """Yield the state, of JSON's types, in portions: first what was said, which would be no news afterwards."""
        for devices in in_parts(self._points.devices):
            yield {"points": self._points.save(devices), "groups": []}
        for keys in in_parts(self._groups):
            groups = [(self._rules[key[0]].id, key[1], self._groups[key]) for key in keys if key in self._groups]
            saved = [
                [rule, subject, group.last, group.holding.save(), [each.save() for each in group.clauses]]
                for rule, subject, group in groups
            ]
            yield {"points": [], "groups": saved}

    def load(self, saved: Any) -> None:
        """Take over what ``save`` returned, without devices that are no members of their groups any more."""
        self._points.load(saved["points"])
        known: dict[int, Whose] = {}
        for rule, subject, last, holding, clauses in saved["groups"]:
            key = (self._index[rule], subject)
            group = self._groups[key] = Group(self._empty[key[0]])
            group.last, group.holding = last, Holding.load(holding)
            for number, alarms in enumerate(clauses):
                for device, source, component, begin in alarms:
                    whose = known.get(device)
                    if whose is None:
                        whose = known[device] = Whose(device, self._registry)
                    if self._subject(key[0], whose) != subject:
                        self._left.add(key)
                        continue
                    alarm = (source, component)
                    group.add(number, device, alarm, begin, doubt=self._doubt(device, alarm))
                    self._where[key[0], device] = subject
            self._said(key, [])


def _condition(rule: Rule) -> CombinationCondition:
    assert rule.condition.combination is not None  # only combinations are asked
    return rule.condition.combination
