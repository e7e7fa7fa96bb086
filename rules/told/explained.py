"""What stands of every rule that applies to a device after a replay, and why: what ``rules explain`` says."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from firetower.core.clock import Micros
from firetower.devices.kinds import DeviceKind
from firetower.devices.metrics import catalogue
from firetower.devices.readings import Mark, Quality
from firetower.devices.registry import Registry
from firetower.rules.book.conditions import EventCondition
from firetower.rules.book.model import Override, Rule
from firetower.rules.book.overrides import resolved
from firetower.rules.book.rulebook import Rulebook
from firetower.rules.measured.calendars import Days
from firetower.rules.measured.limits import component
from firetower.rules.measured.scopes import Scopes
from firetower.rules.told.explain import BandTold, RuleState, Speaker
from firetower.rules.told.explained_groups import Groups
from firetower.rules.told.explained_silence import Silences
from firetower.rules.told.figures import aside_of
from firetower.rules.told.heard import Heard

_NAMED = 5
_MARKED = {"implausible": "implausible", "clock_stuck": "at a time that has a value already"}
_UNSTORED = {"clock_skew": "how wrong its clock was", "sequence_gap": "which seq numbers were missing"}


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
        self._days = Days(book.calendar)
        self._silences = Silences(book, registry, scopes)
        self._groups = Groups(book, registry, heard.standing, speaker, scopes=scopes, silences=self._silences)
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
            why = self._silences.told(rule, self._heard, self._speaker)
        elif condition.combination is not None:
            why = self._groups.told(rule, subject)
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
        own = rule.condition.event if rule.condition.event is not None and rule.condition.event.own_alert else None
        names = {rule.id} if own is None else {f"event:{name}" for name in own.events}
        mine = {
            key
            for key in (*self._heard.standing, *self._heard.past)
            if key[0] in names and key[1] == (subject or self._name) and (not bands or key[2] == component_)
        }
        found = [self._heard.standing[key] for key in mine if key in self._heard.standing]
        since, verdict = min(found, key=lambda each: each[0], default=(None, None))
        schedule = None if rule.schedule is None else self._in_schedule(rule, self._speaker.now)
        if schedule is False and not bands:
            why = f"its schedule is not active now, so everything counts as in order; {why}"
        if verdict is not None:
            held = f", held back while {verdict.suppressed} is active" if verdict.suppressed else ""
            if not bands:
                why = f"it fired at {self._speaker.time(since or verdict.at)}{held}, and holds; {why}"
            elif held:
                why += held
        past = [self._heard.past[key].at for key in mine if key in self._heard.past]
        if past:
            why += (
                f"; by readings that arrived late it fired at {self._speaker.time(max(past))}, as an alert of the past"
            )
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
            aside = self._aside(rule, state, metric, channel)
            bands = self._speaker.bands(rule, state, self._number, self._registry, aside=aside)
            name = component(catalogue().by_number[metric].name, self._registry.channel_name(channel))
            worst = next((band for band in reversed(bands) if band.raised), None)
            worst = worst or next((band for band in reversed(bands) if band.zone == "beyond"), bands[0])
            yield self._told(rule, name, overrides, worst.why, state=state, bands=bands)

    def _aside(self, rule: Rule, state: RuleState, metric: int, channel: int) -> str | None:
        """Return why the newest reading of a series counts as in order whatever it says."""
        if not self._in_schedule(rule, state.at):
            return f"at {self._speaker.time(state.at)} the rule's schedule was not active"
        assert rule.measured is not None  # only measured rules have states
        readings = self._heard.readings()
        at = (readings.metric == metric) & (readings.channel == channel) & (readings.ts == state.at)
        newest = readings.value[at]
        unit = catalogue().by_number[metric].unit
        return aside_of(rule.measured, state.value, float(newest[-1]) if len(newest) else None, unit)

    def _in_schedule(self, rule: Rule, at: Micros) -> bool:
        return rule.schedule is None or bool(self._days.active(rule.schedule, np.array([at], np.int64))[0])

    def _event(self, condition: EventCondition) -> str:
        mine = [
            event
            for event in self._heard.events
            if event.event in condition.events and condition.component in {None, event.component or event.text}
        ]
        names, now, span = ", ".join(condition.events), self._speaker.now, self._speaker.span
        if condition.missing_for is not None:
            last = max((event.at for event in mine if event.active), default=None)
            since = self._registry.registered_at.item(self._number) if last is None else last
            said = "none is known" if last is None else f"the last came at {self._speaker.time(last)}"
            begin = f", registered {self._speaker.time(since)}" if last is None else ""
            return f"{names}: {said}{begin}; {span(now - since)} of {span(condition.missing_for)} without one"
        if condition.count is not None and condition.within is not None:
            recent = [each for each in mine if each.active and each.at > now - condition.within]
            return f"{names}: {len(recent)} within {span(condition.within)}, {condition.count} needed"
        active: dict[tuple[str, str], Micros] = {}
        for event in mine:
            point = (event.event, event.component or event.text)
            if event.active:
                active.setdefault(point, event.at)
            else:
                active.pop(point, None)
        own = f"the alert of the event itself gets priority {condition.priority} by it: " if condition.own_alert else ""
        if not active:
            return f"{own}none of {names} is active"
        said = ", ".join(
            f"{event}{f' at {point}' if point else ''} since {self._speaker.time(since)}"
            for (event, point), since in list(active.items())[:_NAMED]
        )
        more = f" and {len(active) - _NAMED} more" if len(active) > _NAMED else ""
        lacks = sorted(set(condition.events) - {event for event, _ in active}) if condition.all_of else []
        parts = [f"active: {said}{more}"]
        if lacks:
            parts.append(f"not active: {', '.join(lacks)}, all of them are needed")
        if condition.components > 1:
            parts.append(f"{len(active)} of {condition.components} points needed")
        if condition.on_delay:
            parts.append(f"it must hold for {span(condition.on_delay)}")
        return own + "; ".join(parts)

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
            return f"not known: {_UNSTORED[condition.of]} is not stored, it is judged as messages come"
        if not len(marked):
            return f"no reading since {self._speaker.time(self._heard.begin)}"
        worst = max(
            _in_a_row(marked[(readings.metric == metric) & (readings.channel == channel)])
            for metric, channel in set(zip(readings.metric.tolist(), readings.channel.tolist(), strict=True))
        )
        said = "no newest reading is" if not worst else f"the newest {worst} of a series in a row are"
        return f"{said} {_MARKED[condition.of]}; {condition.samples} in a row are needed"


def _in_a_row(marked: np.ndarray) -> int:
    """Return how many of the newest in a row are marked."""
    if not len(marked) or not marked[-1]:
        return 0
    clean = np.flatnonzero(~marked)
    return len(marked) - (int(clean[-1]) + 1 if len(clean) else 0)
