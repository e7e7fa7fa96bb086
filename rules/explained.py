"""What stands of every rule that applies to a device after a replay, and why: what ``rules explain`` says."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields

import numpy as np

from firetower.core.clock import Micros
from firetower.devices.events import Event
from firetower.devices.kinds import DeviceKind
from firetower.devices.metrics import catalogue
from firetower.devices.readings import Mark, Quality, Readings
from firetower.devices.registry import Registry
from firetower.rules.calendars import Days
from firetower.rules.conditions import Clause, EventCondition, SilenceBand, SilenceCondition
from firetower.rules.explain import BandTold, RuleState, Speaker
from firetower.rules.limits import component
from firetower.rules.model import Override, Rule
from firetower.rules.overrides import resolved
from firetower.rules.quantities import duration_text
from firetower.rules.rulebook import Rulebook
from firetower.rules.scopes import Scopes
from firetower.rules.verdicts import Verdict, VerdictKind

_NAMED = 5


@dataclass(slots=True)
class Heard:
    """What a replay took in and what was decided. ``device``: the number of the one asked about.

    ``states``: by metric and channel number, the states of its measured rules. ``last_heard``: µs, 0 for never.
    """

    begin: Micros
    device: int
    events: list[Event] = field(default_factory=list)
    states: dict[tuple[int, int], list[RuleState]] = field(default_factory=dict)
    last_heard: Micros = 0
    standing: dict[tuple[str, str, str], tuple[Micros, Verdict]] = field(default_factory=dict)
    ended: dict[tuple[str, str, str], Verdict] = field(default_factory=dict)
    _pages: list[Readings] = field(default_factory=list)

    def take(self, page: Readings) -> None:
        """Keep the readings of the device asked about."""
        mine = page.take(page.device == self.device)
        if len(mine):
            self._pages.append(mine)

    def readings(self) -> Readings:
        """Return the readings of the device asked about, by time."""
        if not self._pages:
            return Readings.empty()
        whole = Readings(
            *(np.concatenate([getattr(page, each.name) for page in self._pages]) for each in fields(Readings))
        )
        return whole.take(whole.ts.argsort(kind="stable"))

    def decided(self, verdicts: Iterable[Verdict]) -> None:
        """Keep what stands, of any device and group: since when, and the newest verdict of it."""
        for verdict in verdicts:
            key = (verdict.rule, verdict.subject, verdict.component)
            if verdict.historical:
                continue
            if verdict.kind is VerdictKind.RAISE:
                since = self.standing[key][0] if key in self.standing else verdict.at
                self.standing[key] = since, verdict
            elif verdict.kind is VerdictKind.CLEAR:
                self.standing.pop(key, None)
                self.ended[key] = verdict


@dataclass(frozen=True, slots=True)
class Explained:
    """One rule for a device, or for one series of it. ``value``: what is compared, None where nothing or unknown.

    ``active``: its alarm stands, ``since``, µs, with ``priority``. ``schedule_active``: None without a schedule.
    """

    rule: Rule
    where: str | None
    component: str
    active: bool
    since: Micros | None
    priority: int | None
    suppressed_by: str
    schedule_active: bool | None
    overrides: Sequence[Override]
    value: float | None
    bands: Sequence[BandTold]
    why: str


def explained(book: Rulebook, registry: Registry, number: int, heard: Heard, speaker: Speaker) -> list[Explained]:
    """Return every rule of ``book`` that applies to a device, in the order of the book."""
    case = _Case(book, registry, number, heard, speaker)
    return [each for rule in book.rules for each in case.of(rule)]


class _Case:
    """What every rule is asked about."""

    def __init__(self, book: Rulebook, registry: Registry, number: int, heard: Heard, speaker: Speaker) -> None:
        self._book = book
        self._registry = registry
        self._number = number
        self._heard = heard
        self._speaker = speaker
        self._name = "/".join(registry.name(number))
        scopes = Scopes(book.overrides, registry)
        self._overrides = scopes.variants[int(scopes.of(np.array([number]))[0])]
        self._kind = tuple(DeviceKind)[int(registry.kind[number])]

    def of(self, rule: Rule) -> Iterator[Explained]:
        condition = rule.condition
        if self._kind not in rule.kinds or condition.confirmation is not None:
            return
        subject: str | None = self._name
        if condition.combination is not None:
            subject = self._registry.group_of(condition.combination.group, self._number)
            if subject is None:
                return
        overrides = [each for each in self._overrides if each.rule == rule.id]
        here = resolved(rule, overrides)
        if here is None:
            off = next(each for each in reversed(overrides) if "off" in each.model_fields_set)
            why = f"it is turned off in {off.scope.level} {off.scope.value}: {off.reason}"
            yield self._told(rule, "", overrides, why)
        elif rule.measured is not None:
            yield from self._measured(here, overrides)
        else:
            yield self._other(here, subject or self._name, overrides)

    def _other(self, rule: Rule, subject: str, overrides: Sequence[Override]) -> Explained:
        condition = rule.condition
        component_ = ""
        if condition.event is not None:
            why, component_ = self._event(condition.event), condition.event.component or ""
        elif condition.silence is not None:
            why = self._silence(rule, condition.silence)
        elif condition.combination is not None:
            parts = [("and none may be", each) for each in condition.combination.none]
            clauses = [("", each) for each in condition.combination.all] + parts
            why = f"{subject}: " + "; ".join(f"{said} {self._clause(each, subject)}".strip() for said, each in clauses)
        else:
            why = self._quality(rule)
        return self._told(rule, component_, overrides, why, subject=subject)

    def _told(
        self,
        rule: Rule,
        component_: str,
        overrides: Sequence[Override],
        why: str,
        *,
        subject: str | None = None,
        state: RuleState | None = None,
        bands: Sequence[BandTold] = (),
    ) -> Explained:
        found = [
            stands
            for (name, about, point), stands in self._heard.standing.items()
            if name == rule.id
            and about == (subject or self._name)
            and point in {component_, *([] if bands else [point])}
        ]
        since, verdict = min(found, key=lambda each: each[0], default=(None, None))
        schedule = None
        if rule.schedule is not None:
            active = Days(self._book.calendar).active(rule.schedule, np.array([self._speaker.now], np.int64))
            schedule = bool(active[0])
            if not schedule:
                why = f"its schedule is not active now, so everything counts as in order; {why}"
        if verdict is not None:
            held = f", held back by {verdict.suppressed}" if verdict.suppressed else ""
            if not bands:
                why = f"it fired at {self._speaker.time(since or verdict.at)}{held}, and holds; {why}"
            elif held:
                why += held
        value = None if state is None or not np.isfinite(state.value) else state.value
        return Explained(
            rule=rule,
            where=self._book.where.get(rule.id),
            component=component_,
            active=verdict is not None,
            since=since,
            priority=None if verdict is None else verdict.priority,
            suppressed_by="" if verdict is None else verdict.suppressed,
            schedule_active=schedule,
            overrides=overrides,
            value=value,
            bands=bands,
            why=why,
        )

    # the forms -------------------------------------------------------------------------------------

    def _measured(self, rule: Rule, overrides: Sequence[Override]) -> Iterator[Explained]:
        mine = [
            (metric, channel, state)
            for (metric, channel), states in sorted(self._heard.states.items())
            for state in states
            if state.rule == rule.id
        ]
        if not mine:
            begin = self._speaker.time(self._heard.begin)
            yield self._told(
                rule, rule.metric or "", overrides, f"no reading of {rule.metric} since {begin}: nothing is known"
            )
        for metric, channel, state in mine:
            bands = self._speaker.bands(rule, state, self._number, self._registry)
            name = component(catalogue().by_number[metric].name, self._registry.channel_name(channel))
            worst = next((band for band in reversed(bands) if band.raised), None)
            worst = worst or next((band for band in reversed(bands) if band.zone == "beyond"), bands[0])
            yield self._told(rule, name, overrides, worst.why, state=state, bands=bands)

    def _event(self, condition: EventCondition) -> str:
        mine = [
            event
            for event in self._heard.events
            if event.event in condition.events and condition.component in {None, event.component or event.text}
        ]
        names = ", ".join(condition.events)
        if condition.missing_for is not None:
            last = max((event.at for event in mine if event.active), default=None)
            since = self._registry.registered_at.item(self._number) if last is None else last
            said = "none is known" if last is None else f"the last came at {self._speaker.time(last)}"
            return (
                f"{names}: {said}; {self._speaker.span(self._speaker.now - since)} of"
                f" {duration_text(condition.missing_for)} without one"
            )
        if condition.count is not None and condition.within is not None:
            recent = [each for each in mine if each.active and each.at > self._speaker.now - condition.within]
            return f"{names}: {len(recent)} of {condition.count} within {duration_text(condition.within)}"
        active: dict[tuple[str, str], Micros] = {}
        for event in mine:
            point = (event.event, event.component or event.text)
            if event.active:
                active.setdefault(point, event.at)
            else:
                active.pop(point, None)
        if not active:
            return f"none of {names} is active"
        said = ", ".join(
            f"{event}{f' at {point}' if point else ''} since {self._speaker.time(since)}"
            for (event, point), since in list(active.items())[:_NAMED]
        )
        delay = f", on delay {duration_text(condition.on_delay)}" if condition.on_delay else ""
        needed = f" of {condition.components} points needed" if condition.components > 1 else ""
        return f"active: {said} ({len(active)}{needed}{delay})"

    def _silence(self, rule: Rule, condition: SilenceCondition) -> str:
        interval, now = int(self._registry.interval[self._number]), self._speaker.now
        never = self._heard.last_heard <= 1
        if never != (condition.of == "never_seen"):
            return "it is about devices that never spoke" if not never else "it is about devices that have spoken"
        below = condition.interval_below
        if interval < condition.interval_from or (below is not None and interval >= below):
            return f"it is about devices that report less or more often than every {duration_text(interval)}"
        first = self._first_silence(condition.of, interval)
        if first is not None and first.id != rule.id:
            return f"rule {first.id} stands before it in the rulebook, and judges the silence of this device"
        start = self._heard.last_heard
        if never:
            start = int(self._registry.registered_at[self._number])
        said = f"{'registered' if never else 'last heard'} {self._speaker.time(start)}, silent for"
        allowed = ", ".join(
            f"{duration_text(_allowed(band, interval))} (priority {band.priority})" for band in condition.bands
        )
        return f"{said} {self._speaker.span(now - start)} of {allowed}"

    def _first_silence(self, of: str, interval: Micros) -> Rule | None:
        for rule in self._book.rules:
            each = rule.condition.silence
            fits = each is not None and each.of == of and self._kind in rule.kinds and interval >= each.interval_from
            if each is not None and fits and (each.interval_below is None or interval < each.interval_below):
                return rule
        return None

    def _quality(self, rule: Rule) -> str:
        condition = rule.condition.quality
        assert condition is not None  # the last of the forms
        if condition.attributes is not None:
            file = {name: float(self._registry.attribute(name)[self._number]) for name in condition.attributes}
            lacks = [name for name, value in file.items() if value != value]  # noqa: PLR0124  # reason: NaN
            return (
                f"the device's own file lacks {', '.join(lacks)}" if lacks else "the device's own file has its limits"
            )
        readings = self._heard.readings()
        if rule.metric is not None:
            readings = readings.take(readings.metric == catalogue().by_name[rule.metric].number)
        marks = {
            "implausible": readings.quality == Quality.BAD,
            "clock_stuck": (readings.flags & np.int16(Mark.CLOCK_STUCK)) != 0,
        }
        marked = marks.get(condition.of)
        if marked is None:
            return f"{condition.of} is judged by messages as they come, which are not stored: a replay does not know"
        if not len(marked):
            return f"no reading since {self._speaker.time(self._heard.begin)}"
        worst = max(
            _in_a_row(marked[(readings.metric == metric) & (readings.channel == channel)])
            for metric, channel in set(zip(readings.metric.tolist(), readings.channel.tolist(), strict=True))
        )
        return f"the newest {worst} readings in a row of one series are {condition.of}, {condition.samples} are needed"

    def _clause(self, clause: Clause, subject: str) -> str:
        sources = {*clause.rules, *(f"event:{name}" for name in clause.events)}
        numbers = {self._registry_name(number): number for number in self._of_group(subject)}
        found: dict[str, tuple[str, Micros]] = {}
        for (rule, about, _), (since, _) in self._heard.standing.items():
            if rule in sources and (about in numbers or about == self._name):
                found.setdefault(about, (rule, since))
        needed = f"{clause.devices} devices" if clause.devices > 1 else "1 device"
        share = f" and {clause.share:.0%} of them" if clause.share is not None else ""
        within = f" within {duration_text(clause.within)}" if clause.within is not None else ""
        named = ", ".join(
            f"{device} ({rule} since {self._speaker.time(since)})"
            for device, (rule, since) in list(found.items())[:_NAMED]
        )
        return f"{len(found)} of {needed}{share}{within} with {' or '.join(sorted(sources))}" + (
            f": {named}" if named else ""
        )

    def _of_group(self, subject: str) -> list[int]:
        groups = ("zone", "building", "unit", "main", "gateway")
        for group in groups:
            if self._registry.group_of(group, self._number) == subject:
                return [int(each) for each in self._registry.members(group, subject, tuple(DeviceKind))]
        return [self._number]

    def _registry_name(self, number: int) -> str:
        return "/".join(self._registry.name(number))


def _allowed(band: SilenceBand, interval: Micros) -> Micros:
    if band.after is not None:
        return band.after
    allowed = interval * (band.intervals or 1)
    allowed = max(allowed, band.at_least or 0)
    return min(allowed, band.at_most) if band.at_most is not None else allowed


def _in_a_row(marked: np.ndarray) -> int:
    """Return how many of the newest in a row are marked."""
    if not len(marked) or not marked[-1]:
        return 0
    clean = np.flatnonzero(~marked)
    return len(marked) - (int(clean[-1]) + 1 if len(clean) else 0)
