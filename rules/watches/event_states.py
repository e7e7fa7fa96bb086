"""What devices say themselves: their own alerts, and the event rules over what is active, missing or frequent."""

from bisect import insort
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import Any

from firetower.core.clock import Micros
from firetower.devices.events import Event
from firetower.devices.kinds import KIND_NUMBER
from firetower.devices.registry import Registry
from firetower.rules.book.conditions import EventCondition
from firetower.rules.book.model import Rule
from firetower.rules.book.rulebook import Rulebook
from firetower.rules.checkpoint import devices_in_parts
from firetower.rules.measured.calendars import Days
from firetower.rules.measured.lanes import NEVER
from firetower.rules.measured.off import Off
from firetower.rules.measured.scopes import Scopes
from firetower.rules.verdicts import SubjectKind, Verdict, VerdictKind
from firetower.rules.watches.events import judge
from firetower.rules.watches.holding import Agenda, Holding, Terms, Turn
from firetower.rules.watches.missing import Missing
from firetower.rules.watches.points import Point, Points, met_by

_OWN = "event:"
_Key = tuple[int, int]
"""Index of a rule, device number."""


@dataclass(slots=True)
class _State:
    """One event rule on one device; ``begins``: the newest beginnings, as many as the rule counts, in order.

    ``lag``: how much later than its own time the device's last word arrived.
    """

    holding: Holding = field(default_factory=Holding)
    begins: list[Micros] = field(default_factory=list)
    lag: Micros = 0


class EventWatch:
    """Event rules, by device: what costs grows with the events, and with the delays that run.

    Senders that are not registered get the verdicts of their events and no others. A rule on trial sharpens nothing,
    nor does one that an override turns off for the device, which raises nothing there either. A delay ends in the
    device's time, and at a tick measured from the arrival of its last word, as that of a limit.
    """

    def __init__(self, rulebook: Rulebook, registry: Registry, scopes: Scopes) -> None:
        self._rules = tuple(rule for rule in rulebook.rules if rule.condition.event is not None)
        self._registry = registry
        self._conditions = [_condition(rule) for rule in self._rules]
        days = Days(rulebook.calendar)
        self._terms = [
            Terms.of(rule, days, condition.on_delay, condition.off_delay)
            for rule, condition in zip(self._rules, self._conditions, strict=True)
        ]
        self._index = {rule.id: index for index, rule in enumerate(self._rules)}
        self._watching: dict[tuple[int, str], list[int]] = defaultdict(list)  # by kind and event
        self._sharpening: dict[tuple[int, str], list[int]] = defaultdict(list)
        self._missing: dict[int, Missing] = {}
        for index, (rule, condition) in enumerate(zip(self._rules, self._conditions, strict=True)):
            if condition.own_alert and rule.shadow:
                continue
            for kind in rule.kinds:
                for event in condition.events:
                    table = self._sharpening if condition.own_alert else self._watching
                    table[KIND_NUMBER[kind], event].append(index)
            if condition.missing_for is not None:
                self._missing[index] = Missing(rule.kinds, condition.missing_for, registry)
        self._off = Off(self._rules, scopes)
        self._counting = frozenset(index for index, each in enumerate(self._conditions) if each.count is not None)
        self._points = Points()
        self._states: dict[_Key, _State] = {}
        self._agenda: Agenda[_Key] = Agenda()
        self._seeded: dict[int, Micros] = {}  # by device, how late the last of its stored words arrived
        self._open_since: dict[tuple[int, Point], Micros] = {}  # of points whose alerts were taken over
        self._before = Points()  # what these said up to then, as far as it is stored

    # start -----------------------------------------------------------------------------------------

    def seed(self, rule: str, device: int, component: str, active_since: Micros) -> bool:
        """Take over an open alert, of an event rule or of an event (``event:<name>``)."""
        if rule.startswith(_OWN):
            event = rule.removeprefix(_OWN)
            watched, point = (int(self._registry.kind[device]), event) in self._watching, (event, component)
            if watched:
                known = self._points.word(device, point)
                if self._points.said(device, point, active_since, active=True):
                    if (device, point) not in self._open_since:
                        self._before.load(known)
                    self._seeded.setdefault(device, 0)
                    self._open_since[device, point] = active_since
            self.seed_last(device, event, active_since, component=component)
            return True
        index = self._index.get(rule)
        if index is None or self._conditions[index].own_alert:
            return False
        if index in self._missing:
            self._missing[index].seed(device, active_since)
        else:
            holding = self._states.setdefault((index, device), _State()).holding
            if not holding.raised:
                holding.seed(active_since)
        return True

    @property
    def awaited(self) -> frozenset[str]:
        """The events of rules on what is missing."""
        return frozenset(event for index in self._missing for event in self._conditions[index].events)

    def seed_last(self, device: int, event: str, at: Micros, *, component: str = "") -> None:
        """Take over when a device said last that an event is active at a point; whether it still is, is not known."""
        for index in self._watching.get((int(self._registry.kind[device]), event), ()):
            if index in self._missing and self._conditions[index].component in {None, component}:
                self._missing[index].note(device, at)

    # evaluation ------------------------------------------------------------------------------------

    def step(self, events: Sequence[Event]) -> list[Verdict]:
        """Take alarms in, in their order; return their own verdicts and those of the event rules."""
        own = judge(events)
        if not self._rules:
            return own
        out: list[Verdict] = []
        for event, verdict in zip(events, own, strict=True):
            device = event.device_number
            if device is None:
                out.append(verdict)
                continue
            key = (int(self._registry.kind[device]), event.event)
            sharpening = [index for index in self._sharpening.get(key, ()) if not self._off.of(index, device)]
            out.append(self._sharpened(verdict, sharpening))
            watching = self._watching.get(key)
            if watching is None:
                continue
            point = (event.event, event.component or event.text)
            begins = event.active and not self._points.is_active(device, point)
            if device in self._seeded:
                self._seeded[device] = event.received_at - event.at
            if self._points.said(device, point, event.at, active=event.active):
                for index in watching:
                    if self._conditions[index].component in {None, point[1]}:
                        out += self._heard(index, device, event, begins=begins)
            elif event.at <= self._open_since.get((device, point), -NEVER):
                out += self._heard_before(watching, device, point, event)
        return self._in_force(out)

    def tick(self, now: Micros) -> list[Verdict]:
        """Return what the passing of time decides: delays that are over, and what is missing."""
        out: list[Verdict] = []
        for device, lag in sorted(self._seeded.items()):
            out += self._begun_before(device, lag)
        self._seeded, self._open_since, self._before = {}, {}, Points()
        for key in self._agenda.due(now):
            if (state := self._states.get(key)) is not None:
                out += self._said(key, self._advance(key, now - state.lag))
        for index, missing in self._missing.items():
            begun, gone = missing.tick(now)
            out += [self._verdict(VerdictKind.RAISE, index, device, at) for device, at in begun]
            out += [self._verdict(VerdictKind.CLEAR, index, device, now) for device in gone]
        return self._in_force(out)

    def _in_force(self, verdicts: list[Verdict]) -> list[Verdict]:
        """Return the verdicts without raises of rules that are off for their device."""
        if not self._off.rules:
            return verdicts
        raised = VerdictKind.RAISE
        return [
            each
            for each in verdicts
            if each.kind is not raised or not self._off.of(self._index.get(each.rule, -1), each.device_number or 0)
        ]

    def _sharpened(self, verdict: Verdict, rules: Iterable[int]) -> Verdict:
        """Return an event's own verdict with the priority and title of the most urgent rule that sharpens it."""
        if verdict.kind is VerdictKind.RECORD:
            return verdict
        for index in rules:
            rule, condition, terms = self._rules[index], self._conditions[index], self._terms[index]
            here = condition.component in {None, verdict.component} and terms.is_active(verdict.at)
            if here and condition.priority <= verdict.priority:
                verdict = replace(verdict, priority=condition.priority, title_zh=rule.title.zh, title_en=rule.title.en)
        return verdict

    def _heard(self, index: int, device: int, event: Event, *, begins: bool) -> list[Verdict]:
        """Return what an event that is news does to one rule."""
        if index in self._missing:
            return self._came(index, device, event.at) if event.active else []
        key, condition = (index, device), self._conditions[index]
        if condition.count is not None:
            return self._counted(key, event, begins=begins) if begins or key in self._states else []
        known = self._states.get(key)
        if known is not None and known.holding.met:  # a panel may have thousands of points that are active
            at, met = event.at, event.active or self._is_met(condition, device)
        else:
            met_since = self._met_since(condition, device)
            if met_since is None and known is None:
                return []
            at, met = max(event.at, met_since or event.at), met_since is not None
        turns = self._advance(key, event.at)
        self._states[key].lag = event.received_at - event.at
        turns += self._states[key].holding.turn(self._terms[index], at, met=met)
        return self._said(key, turns)

    def _heard_before(self, watching: Iterable[int], device: int, point: Point, event: Event) -> list[Verdict]:
        """Return what a stored word does that is no news, for the alert it led to is open: its beginnings count."""
        begins = event.active and not self._before.is_active(device, point)
        if not self._before.said(device, point, event.at, active=event.active) or not begins:
            return []
        counting = [index for index in watching if index in self._counting]
        here = [index for index in counting if self._conditions[index].component in {None, point[1]}]
        return [verdict for index in here for verdict in self._counted((index, device), event)]

    def _came(self, index: int, device: int, at: Micros) -> list[Verdict]:
        """Return what an event does to a rule that may have missed it, also where no tick came in between."""
        since, said = self._missing[index].heard(device, at)
        if since is None:
            return []
        clear = self._verdict(VerdictKind.CLEAR, index, device, max(at, since))
        return [clear] if said else [self._verdict(VerdictKind.RAISE, index, device, since), clear]

    def _counted(self, key: _Key, event: Event, *, begins: bool = True) -> list[Verdict]:
        """Return what one more beginning does to a rule that counts them; any other word only lets time pass."""
        condition = self._conditions[key[0]]
        assert condition.count is not None  # asked for by the caller
        turns = self._advance(key, event.at)
        state = self._states[key]
        state.lag = event.received_at - event.at
        if begins:
            insort(state.begins, event.at)
            del state.begins[: -condition.count]
        enough = begins and len(state.begins) == condition.count
        if enough and state.begins[-1] - state.begins[0] <= (condition.within or 0):
            turns += state.holding.turn(self._terms[key[0]], state.begins[-1], met=True)
        return self._said(key, turns)

    def _advance(self, key: _Key, until: Micros) -> list[Turn]:
        """Let time pass for one rule on one device."""
        state, terms = self._states.setdefault(key, _State()), self._terms[key[0]]
        end = self._end(key[0], state)
        turns = state.holding.turn(terms, end, met=False) if end < until else []
        return turns + state.holding.advance(terms, until)

    def _end(self, index: int, state: _State) -> Micros:
        """Return the last instant at which a rule that counts is met if nothing more begins."""
        condition = self._conditions[index]
        if condition.count is None or not state.holding.met:
            return NEVER
        first = state.begins[-condition.count] if len(state.begins) >= condition.count else state.holding.since
        return first + (condition.within or 0)

    def _is_met(self, condition: EventCondition, device: int) -> bool:
        return met_by(condition, self._points.active(device)) is not None

    def _met_since(self, condition: EventCondition, device: int) -> Micros | None:
        """Return since when what is active of a device meets a rule; None: it does not."""
        return met_by(condition, sorted(self._points.active(device), key=itemgetter(1)))

    def _begun_before(self, device: int, lag: Micros) -> list[Verdict]:
        """Return what the events taken over at the start mean for the rules; what they leave open stays as it was."""
        out: list[Verdict] = []
        kind = int(self._registry.kind[device])
        watching = {index for (of, _), rules in self._watching.items() if of == kind for index in rules}
        for index in sorted(watching - self._missing.keys()):
            since = self._met_since(self._conditions[index], device)
            if since is None or self._conditions[index].count is not None:
                continue
            key = (index, device)
            turns = self._advance(key, since)
            self._states[key].lag = lag
            out += self._said(key, turns + self._states[key].holding.turn(self._terms[index], since, met=True))
        return out

    def _said(self, key: _Key, turns: Sequence[Turn]) -> list[Verdict]:
        """Return the verdicts of turns; note when to look again, or forget what is over."""
        index, device = key
        state = self._states[key]
        end = self._end(index, state)
        holding = state.holding
        look = min(holding.next_look(self._terms[index]), end if end == NEVER else end + 1)
        self._agenda.note(key, look if look == NEVER else look + state.lag)
        if not (holding.met or holding.raised or state.begins):
            del self._states[key]
        kinds = {True: VerdictKind.RAISE, False: VerdictKind.CLEAR}
        return [self._verdict(kinds[raised], index, device, at, state) for at, raised in turns]

    def _verdict(self, kind: VerdictKind, index: int, device: int, at: Micros, state: _State | None = None) -> Verdict:
        rule, condition = self._rules[index], self._conditions[index]
        asked = condition.count or (condition.components if condition.components > 1 else None)
        found = None if asked is None or state is None else self._number(condition, device, state)
        return Verdict(
            kind=kind,
            rule=rule.id,
            rule_version=rule.version,
            subject_kind=SubjectKind.DEVICE,
            subject="/".join(self._registry.name(device)),
            component=condition.component or "",
            alert_class=rule.alert_class,
            priority=condition.priority,
            latch=condition.latch,
            at=at,
            title_zh=rule.title.zh,
            title_en=rule.title.en,
            device_number=device,
            value=found,
            limit=None if found is None or asked is None else float(asked),
            flags=("retired",) * bool(self._registry.retired[device]),
        )

    def _number(self, condition: EventCondition, device: int, state: _State) -> float:
        """Return how many beginnings, or points, there are."""
        if condition.count is not None:
            return float(len(state.begins))
        active = self._points.active(device)
        return float(len({point for (event, point), _ in active if event in condition.events}))

    # checkpoint ------------------------------------------------------------------------------------

    def save(self) -> Iterator[Any]:
        """Yield the state, of JSON's types, in portions: all of one device at once, so that nothing counts twice."""
        rules, known = range(len(self._rules)), self._states
        for devices in devices_in_parts(self._points.devices, known):
            keys = [key for device in devices for index in rules if (key := (index, device)) in known]
            states = [(self._rules[index].id, device, known[index, device]) for index, device in keys]
            saved = [[rule, device, each.holding.save(), list(each.begins), each.lag] for rule, device, each in states]
            yield {"points": self._points.save(devices), "states": saved, "missing": {}}
        for index, missing in self._missing.items():
            for part in missing.save():
                yield {"points": [], "states": [], "missing": {self._rules[index].id: part}}

    def load(self, saved: Any) -> None:
        """Take over what ``save`` returned."""
        self._points.load(saved["points"])
        for rule, device, holding, begins, lag in saved["states"]:
            key = (self._index[rule], device)
            self._states[key] = _State(Holding.load(holding), list(begins), lag)
            self._said(key, [])
        for rule, missing in saved["missing"].items():
            self._missing[self._index[rule]].load(missing)


def _condition(rule: Rule) -> EventCondition:
    assert rule.condition.event is not None  # only event rules are asked
    return rule.condition.event
