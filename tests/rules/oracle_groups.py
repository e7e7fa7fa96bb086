"""The oracle's events, combinations and suppression: all words and verdicts are kept and gone through again each time.

Time goes on from call to call: what is said of an instant must not be followed by something about an earlier one.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from oracle import Device, Oracle, Said, Sample
from oracle_calendar import is_active

from firetower.core.clock import MINUTE
from firetower.devices.events import Event, meaning
from firetower.rules.book.conditions import Clause, CombinationCondition, EventCondition
from firetower.rules.book.model import Rule
from firetower.rules.book.rulebook import Rulebook


@dataclass(frozen=True)
class Word:
    """What a device said of a point; ``news``: not said before, and not older than what was."""

    device: int
    event: str
    point: str
    at: int
    active: bool


@dataclass
class GroupOracle:
    """Everything: measured rules by ``Oracle``, events, and over all of it combinations and suppression."""

    book: Rulebook
    devices: list[Device]
    words: list[Word] = field(default_factory=list)
    log: list[Said] = field(default_factory=list)  # of all but combinations
    told: dict[tuple[str, str], int] = field(default_factory=dict)  # by rule and subject: turns said
    now: int = 0
    looked: int = 0  # newest instant at which something was said
    held: dict[tuple[str, str, str], Said] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.measured = Oracle(self.book, self.devices)

    def tick(self, now: int) -> list[Said]:
        return self._whole(self.measured.tick(now) + self._event_rules(now), now)

    def evaluate(self, readings: list[tuple[int, str, Sample]], events: list[Event]) -> list[Said]:
        said = self.measured.evaluate(readings)
        for event in events:
            said.append(self._own(event))
            word = Word(event.device_number, event.event, event.component or event.text, event.at, event.active)
            if self._is_news(word):
                said += self._event_rules(word.at, word)
                self.words.append(word)
                said += self._event_rules(word.at, word)
        return self._whole(said, None)

    # events ----------------------------------------------------------------------------------------

    def _own(self, event: Event) -> Said:
        """The alert of the event itself; a rule may make it more urgent."""
        known, device = meaning(event.event), self._device(event.device_number)
        priority = known.priority
        for rule in self.book.rules:
            condition = rule.condition.event
            if condition is None or not condition.own_alert or rule.shadow or device.kind not in rule.kinds:
                continue
            at_it = condition.component in {None, event.component or event.text}
            if event.event in condition.events and at_it and is_active(rule.schedule, event.at, self.book.calendar):
                priority = min(priority, condition.priority)
        if known.alert_class is None:
            return Said(
                device.name, event.component or event.text, f"event:{event.event}", "record", known.priority, event.at
            )
        kind = "raise" if event.active else "clear"
        return Said(device.name, event.component or event.text, f"event:{event.event}", kind, priority, event.at)

    def _is_news(self, word: Word) -> bool:
        mine = [
            each
            for each in self.words
            if (each.device, each.event, each.point) == (word.device, word.event, word.point)
        ]
        return not any(each.at > word.at or (each.at == word.at and each.active == word.active) for each in mine)

    def _event_rules(self, until: int, of: Word | None = None) -> list[Said]:
        """Let time go on for the rules on what ``of`` says, or for all of them."""
        said: list[Said] = []
        for rule in self.book.rules:
            condition = rule.condition.event
            if condition is None or condition.own_alert:
                continue
            if of is not None and (of.event not in condition.events or condition.component not in {None, of.point}):
                continue
            if of is not None and condition.missing_for is not None and not of.active:
                continue
            for device in self.devices:
                if device.kind in rule.kinds and (of is None or of.device == device.number):
                    said += self._event_rule(rule, condition, device, until)
        return said

    def _event_rule(self, rule: Rule, condition: EventCondition, device: Device, until: int) -> list[Said]:
        words = [
            word
            for word in self.words
            if word.device == device.number and word.event in condition.events
            and condition.component in {None, word.point}
        ]  # fmt: skip
        changes = {word.at for word in words}
        if condition.missing_for is not None:
            changes |= {last + condition.missing_for for last in (device.registered, *changes)}
        if condition.count is not None:
            changes |= {word.at + condition.within + 1 for word in words}

        def holds(at: int) -> bool:
            return is_so(condition, [word for word in words if word.at <= at], device, at)

        turns = self._turns(rule, condition.on_delay, condition.off_delay, changes, holds, until)
        if condition.count is not None:  # it held up to the instant before: that is when it ended
            turns = [(at if raised else at - 1, raised) for at, raised in turns]
        return self._said(rule, device.name, condition.component or "", condition.priority, turns)

    # what follows ----------------------------------------------------------------------------------

    def _whole(self, said: list[Said], until: int | None) -> list[Said]:
        said.sort(key=lambda one: one.at)
        self.log += [one for one in said if not any(is_past(one, known) for known in self.log)]
        self.now = max([self.now, *(one.at for one in said)] if until is None else [self.now, until])
        for rule in self.book.rules:
            condition = rule.condition.combination
            if condition is None:
                continue
            for subject in sorted(
                {name for name in (self._group(condition.group, each) for each in self.devices) if name}
            ):
                said += self._combination(rule, condition, subject, self.now)
        return self._held_back(said)

    # suppression -----------------------------------------------------------------------------------

    def _held_back(self, said: list[Said]) -> list[Said]:
        """Mark what something holds back by design; raise again what nothing holds back any more."""
        out: list[Said] = []
        by_name = {rule.id: rule for rule in self.book.rules}
        for at in sorted({one.at for one in said}):
            is_now = at >= self.looked  # else a word from before, which ends nothing
            self.looked = max(self.looked, at)
            free = {key for key, one in self.held.items() if not self._holding(by_name[one.rule], one.subject, at)}
            before = {key: self.held[key] for key in sorted(free) if is_now}
            gone = {one.key for one in said if one.at == at}
            for key, one in before.items():
                del self.held[key]
                if key not in gone:
                    out.append(replace(one, at=at, again=True, suppressed=""))
            for one in (one for one in said if one.at == at):
                key, rule = one.key, by_name.get(one.rule)
                self.held.pop(key, None)
                may_be = rule is not None and rule.suppressed is not None and one.kind == "raise"
                holding = self._holding(rule, one.subject, at) if may_be else ""
                out.append(replace(one, suppressed=holding))
                if holding:
                    self.held[key] = out[-1]
        return out

    def _holding(self, rule: Rule, subject: str, at: int) -> str:
        """Return what holds an alert of a rule about a device back at an instant: what has been active the longest."""
        given = rule.suppressed
        names = {*given.rules, *(f"event:{event}" for event in given.events)}
        on_trial = {each.id for each in self.book.rules if each.shadow}
        groups = {device.name: self._group(given.on, device) for device in self.devices}
        active: dict[tuple[str, str, str], int] = {}
        for one in self.log:
            if one.at > at or one.rule not in names or (one.rule in on_trial and not rule.shadow):
                continue
            if groups[one.subject] == groups[subject]:
                key = one.key
                active.pop(key, None) if one.kind == "clear" else active.setdefault(key, one.at)
        if not active:
            return ""
        source = min(active, key=lambda key: (active[key], key))[0]
        return source if source.startswith("event:") else f"rule:{source}"

    def _combination(self, rule: Rule, condition: CombinationCondition, subject: str, until: int) -> list[Said]:
        here = {
            device.name: device
            for device in self.devices
            if device.kind in rule.kinds and self._group(condition.group, device) == subject
        }
        changes = {one.at for one in self.log if one.subject in here}

        def holds(at: int) -> bool:
            begins = [self._begins(rule, clause, here, at) for clause in condition.all]
            if not all(self._met(clause, each, here) for clause, each in zip(condition.all, begins, strict=True)):
                return False
            if condition.followed_within is not None and not follow(begins, condition.followed_within):
                return False
            return not any(self._met(clause, self._begins(rule, clause, here, at), here) for clause in condition.none)

        turns = self._turns(rule, condition.on_delay, condition.off_delay, changes, holds, until)
        return self._said(rule, subject, "", condition.priority, turns)

    def _begins(self, rule: Rule, clause: Clause, here: Iterable[str], at: int) -> list[tuple[int, str]]:
        """Return since when alarms of a clause are active, and of which device, as of an instant."""
        active: dict[tuple[str, str, str], int] = {}
        names = {*clause.rules, *(f"event:{event}" for event in clause.events)}
        for one in self.log:
            if one.at > at or one.rule not in names or one.subject not in here or (one.shadow and not rule.shadow):
                continue
            key = one.key
            if one.kind == "raise" and (clause.priority is None or one.priority <= clause.priority):
                active.setdefault(key, one.at)
            elif one.kind in {"raise", "clear"}:
                active.pop(key, None)
        return [(since, subject) for (_, subject, _), since in active.items()]

    def _met(self, clause: Clause, begins: list[tuple[int, str]], here: dict[str, Device]) -> bool:
        """Whether as many devices as a clause asks for have something active, begun within its time."""
        if clause.share is not None and len({name for _, name in begins}) < clause.share * len(here):
            return False
        starts = [0] if clause.within is None else [since for since, _ in begins]
        return any(
            len({name for since, name in begins if clause.within is None or start <= since <= start + clause.within})
            >= clause.devices
            for start in starts
        )

    def _turns(
        self, rule: Rule, on_delay: int, off_delay: int, changes: set[int], holds: Callable[[int], bool], until: int
    ) -> list[tuple[int, bool]]:
        """Go through all instants at which something may change; return when it counts as raised and as over."""
        if rule.schedule is not None:
            first = min(changes, default=until) // MINUTE
            changes = changes | {minute * MINUTE for minute in range(first, until // MINUTE + 1)}
        stretches: list[tuple[int, bool]] = [(0, False)]
        for at in sorted(change for change in changes if change <= until):
            now = holds(at) and is_active(rule.schedule, at, self.book.calendar)
            if now != stretches[-1][1]:
                stretches.append((at, now))
        turns: list[tuple[int, bool]] = []
        raised, ends = False, [start for start, _ in stretches[1:]] + [until]
        for (start, now), end in zip(stretches, ends, strict=True):
            due = start + (on_delay if now else off_delay)
            if now != raised and due <= end:
                turns.append((due, now))
                raised = now
        return turns

    def _said(
        self, rule: Rule, subject: str, component: str, priority: int, turns: list[tuple[int, bool]]
    ) -> list[Said]:
        """Return the turns that were not said yet."""
        known = self.told.get((rule.id, subject), 0)
        self.told[rule.id, subject] = len(turns)
        return [
            Said(subject, component, rule.id, "raise" if raised else "clear", priority, at, shadow=rule.shadow)
            for at, raised in turns[known:]
        ]

    def _group(self, group: str, device: Device) -> str | None:
        if group in {"device", "unit"}:
            return device.name if group == "device" else device.unit
        label = device.labels["zone"].partition("/")[0] if group == "building" else device.labels[group]
        return label if group == "main" else f"{device.unit}/{label}"

    def _device(self, number: int) -> Device:
        return next(device for device in self.devices if device.number == number)


def is_so(condition: EventCondition, words: list[Word], device: Device, at: int) -> bool:
    """Whether an event rule's condition is so at an instant, of the words said until then."""
    if condition.missing_for is not None:
        return at - max((word.at for word in words if word.active), default=device.registered) >= condition.missing_for
    active: dict[tuple[str, str], bool] = {}
    begins: list[int] = []
    for word in words:
        if word.active and not active.get((word.event, word.point), False):
            begins.append(word.at)
        active[word.event, word.point] = word.active
    if condition.count is not None:
        newest = begins[-condition.count :]
        return len(newest) == condition.count and at <= newest[0] + condition.within and (
            newest[-1] - newest[0] <= condition.within
        )  # fmt: skip
    now = [key for key, is_on in active.items() if is_on]
    events, points = {event for event, _ in now}, {point for _, point in now}
    return len(points) >= condition.components and (
        events >= set(condition.events) if condition.all_of else bool(events)
    )


def follow(begins: list[list[tuple[int, str]]], within: int) -> bool:
    """Whether alarms, one of each clause, began in the order of the clauses, all within so long of the first."""
    for first, _ in begins[0]:
        at = first
        for clause in begins[1:]:
            later = [since for since, _ in clause if since >= at]
            if not later:
                break
            at = min(later)
        else:
            if at - first <= within:
                return True
    return False


def is_past(one: Said, known: Said) -> bool:
    """Whether a word of a device is older than what it said of the same point, so that it tells nothing of now."""
    return one.key == known.key and one.at < known.at


def bare(said: list[Said]) -> list[Said]:
    """Leave out figures and flags, which events and groups show in their own way."""
    return [replace(one, value=None, limit=None, flags=(), again=False, latch=False) for one in said]
