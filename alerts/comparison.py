"""What a back-test tells: alerts by rule, class, unit and hour, what operators would have seen, fires and false alarms.

**A confirmed fire** is a stored alert that was verified as real or closed as a real fire. It is missed when nothing of
class fire or prealarm came up within SAME_WITHIN of its event time, before or after, about its device, or its zone
where it has one. What a person reported by word of mouth has no rule that could find it, and is not counted.
**A false alarm** is a stored alert that was closed as one. It is avoided when nothing of its class or a worse kind
(fire, prealarm) came up within SAME_WITHIN about its subject.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from firetower.alerts.floods import BEGINS_OVER
from firetower.alerts.rehearsal import SAME_WITHIN, Answered, Cleared, Key, Sounded
from firetower.core.clock import HOUR, MINUTE, Micros, rfc3339
from firetower.devices.events import AlertClass

TEN_MINUTES: Micros = 10 * MINUTE
LISTED = 500
"""Fires, false alarms and keys named one by one; all of them are counted."""
MARKED = 5000
"""Instants at which rules that differ raised or were over, told one by one."""
_ALERTS_NAMED = 5
"""Stored alerts of one key that are named."""
_DISTRIBUTION = ((0, "0"), (2, "1-2"), (5, "3-5"), (BEGINS_OVER, "6-10"))
_MORE = f"over {BEGINS_OVER}"
_BURNS = (AlertClass.FIRE, AlertClass.PREALARM)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A stored alert of the range: what it was about, what people did with it, and what it turned out to be.

    ``zone``: ``building/floor/zone`` within the unit. ``confirmed``: a real fire. ``false``: a false alarm.
    """

    id: int
    key: Key
    alert_class: AlertClass
    unit: str | None
    zone: str | None
    device_at: Micros
    answered: Answered
    confirmed: bool
    false: bool
    title_zh: str
    title_en: str

    @property
    def by_word_of_mouth(self) -> bool:
        """Whether a person reported it; no device said it."""
        return self.key[0].startswith("manual:")


@dataclass(frozen=True, slots=True)
class Side:
    """What one rulebook made of the range. ``zones``: zone of a device number, ``unit/building/floor/zone``."""

    sounded: Sequence[Sounded]
    zones: Mapping[int, str]
    cleared: Sequence[Cleared] = ()


def compared(
    new: Side,
    in_force: Side,
    outcomes: Sequence[Outcome],
    *,
    since: Micros,
    until: Micros,
    changed: AbstractSet[str] = frozenset(),
) -> dict[str, Any]:
    """Return both sides' figures and how they differ, of JSON's types; times in RFC 3339.

    ``changed``: the rules that are not the same in both, whose instants are told.
    """
    found = [each for each in outcomes if since <= each.device_at < until]
    return {
        "new": figures(new.sounded, since=since, until=until),
        "in_force": figures(in_force.sounded, since=since, until=until),
        "fires": _fires(new, in_force, found),
        "false_alarms": _false_alarms(new, in_force, found),
        "appeared": _keys_of_one(new.sounded, in_force.sounded),
        "gone": _keys_of_one(in_force.sounded, new.sounded),
        "differs": _differs(new.sounded, in_force.sounded, found),
        "changed": sorted(changed),
        "marks": _marks(new, in_force, changed),
    }


def figures(sounded: Sequence[Sounded], *, since: Micros, until: Micros) -> dict[str, Any]:
    """Return how many alerts there were, by what, and how many operators would have seen in each ten minutes.

    Counted are new alerts, in ``by_…`` those not of rules on trial; seen is also what rose or came again.
    """
    new = [each for each in sounded if each.why == "raised"]
    alerts = [each for each in new if not each.shadow]
    return {
        "alerts": len(alerts),
        "suppressed": sum(each.suppressed for each in alerts),
        "historical": sum(each.historical for each in alerts),
        "on_trial": _counts(each.key[0] for each in new if each.shadow),
        "by_rule": _counts(each.key[0] for each in alerts),
        "by_class": _counts(each.alert_class.value for each in alerts),
        "by_priority": _counts(str(each.priority) for each in alerts),
        "by_unit": _counts(each.unit or "" for each in alerts),
        "by_hour": dict(sorted(Counter(rfc3339(each.at // HOUR * HOUR) for each in alerts).items())),
        "seen_in_ten_minutes": _seen([each.at for each in sounded if each.seen], since, until),
    }


def _counts(names: Iterable[str]) -> dict[str, int]:
    """Count, the most first."""
    return dict(sorted(Counter(names).items(), key=lambda pair: (-pair[1], pair[0])))


def _seen(times: Sequence[Micros], since: Micros, until: Micros) -> dict[str, Any]:
    stretches = max(-(-(until - since) // TEN_MINUTES), 1)
    counts = Counter((at - since) // TEN_MINUTES for at in times)
    spread = dict.fromkeys([*(name for _, name in _DISTRIBUTION), _MORE], 0)
    spread["0"] = stretches - len(counts)
    for count in counts.values():
        spread[next((name for most, name in _DISTRIBUTION if count <= most), _MORE)] += 1
    worst = max(counts, key=lambda place: (counts[place], -place), default=None)
    return {
        "max": 0 if worst is None else counts[worst],
        "max_from": None if worst is None else rfc3339(since + worst * TEN_MINUTES),
        "mean": round(len(times) / stretches, 3),
        "stretches": spread,
    }


# fires and false alarms ---------------------------------------------------------------------------


class _Said:
    """When something of a kind came up, by what it was about: its subject, and its zone."""

    def __init__(self, side: Side, classes: Iterable[AlertClass]) -> None:
        wanted = set(classes)
        self._times: dict[str, list[Micros]] = defaultdict(list)
        for each in side.sounded:
            if each.seen and each.alert_class in wanted:
                about = {each.key[2]}
                if each.device_number is not None and each.device_number in side.zones:
                    about.add(side.zones[each.device_number])
                for subject in about:
                    self._times[subject].append(each.device_at)

    def near(self, subjects: Iterable[str], at: Micros) -> bool:
        return any(abs(time - at) <= SAME_WITHIN for subject in subjects for time in self._times.get(subject, ()))


def _fires(new: Side, in_force: Side, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    confirmed = [each for each in outcomes if each.confirmed and not each.by_word_of_mouth]
    ours, theirs = _Said(new, _BURNS), _Said(in_force, _BURNS)
    missed = [each for each in confirmed if not ours.near(_subjects(each), each.device_at)]
    missed_before = {each.id for each in confirmed if not theirs.near(_subjects(each), each.device_at)}
    return {
        "confirmed": len(confirmed),
        "by_word_of_mouth": sum(each.confirmed and each.by_word_of_mouth for each in outcomes),
        "missed": len(missed),
        "missed_by_rules_in_force": len(missed_before),
        "list": [_named(each) | {"missed_by_rules_in_force": each.id in missed_before} for each in missed[:LISTED]],
    }


def _subjects(outcome: Outcome) -> list[str]:
    zone = [f"{outcome.unit}/{outcome.zone}"] if outcome.unit and outcome.zone else []
    return [outcome.key[2], *zone]


def _false_alarms(new: Side, in_force: Side, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    false = [each for each in outcomes if each.false]
    said: dict[AlertClass, tuple[_Said, _Said]] = {}
    avoided: list[Outcome] = []
    before: set[int] = set()
    for each in false:
        if each.alert_class not in said:
            classes = {each.alert_class, *_BURNS}
            said[each.alert_class] = _Said(new, classes), _Said(in_force, classes)
        ours, theirs = said[each.alert_class]
        if not ours.near([each.key[2]], each.device_at):
            avoided.append(each)
        if not theirs.near([each.key[2]], each.device_at):
            before.add(each.id)
    return {
        "found": len(false),
        "avoided": len(avoided),
        "avoided_by_rules_in_force": len(before),
        "list": [_named(each) | {"avoided_by_rules_in_force": each.id in before} for each in avoided[:LISTED]],
    }


def _named(outcome: Outcome) -> dict[str, Any]:
    rule, _, subject, component = outcome.key
    return {
        "alert": str(outcome.id), "class": outcome.alert_class.value, "rule": rule, "subject": subject,
        "component": component, "device_at": rfc3339(outcome.device_at),
        "title": {"zh": outcome.title_zh, "en": outcome.title_en},
    }  # fmt: skip


def _keys_of_one(ours: Sequence[Sounded], theirs: Sequence[Sounded]) -> dict[str, Any]:
    """Return the keys that only one side has alerts of, with how many, the most first."""
    there = {each.key for each in theirs}
    counts = Counter(each.key for each in ours if each.why == "raised" and each.key not in there)
    keys = sorted(counts, key=lambda key: (-counts[key], key))
    return {
        "keys": len(keys),
        "list": [
            {"rule": rule, "subject_kind": kind, "subject": subject, "component": component, "alerts": counts[key]}
            for key in keys[:LISTED]
            for rule, kind, subject, component in (key,)
        ],
    }


def _differs(ours: Sequence[Sounded], theirs: Sequence[Sounded], outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return the keys of which one side has more new alerts than the other, the greatest difference first."""
    counts = [Counter(each.key for each in side if each.why == "raised" and not each.shadow) for side in (ours, theirs)]
    keys = [key for key in counts[0].keys() | counts[1].keys() if counts[0][key] != counts[1][key]]
    keys.sort(key=lambda key: (-abs(counts[0][key] - counts[1][key]), key))
    stored: dict[Key, list[str]] = defaultdict(list)
    for each in outcomes:
        stored[each.key].append(str(each.id))
    return {
        "keys": len(keys),
        "list": [
            {
                "rule": rule, "subject_kind": kind, "subject": subject, "component": component,
                "new": counts[0][key], "in_force": counts[1][key],
                "stored": stored[key][-_ALERTS_NAMED:] if key in stored else [],
            }
            for key in keys[:LISTED]
            for rule, kind, subject, component in (key,)
        ],
    }  # fmt: skip


def _marks(new: Side, in_force: Side, changed: AbstractSet[str]) -> dict[str, Any]:
    """Return when each side's rules of ``changed`` raised, rose and were over, in order of event time."""
    marks = []
    for name, side in (("new", new), ("in_force", in_force)):
        marks += [_mark(name, each, each.why) for each in side.sounded if each.key[0] in changed]
        marks += [_mark(name, each, "cleared") for each in side.cleared if each.key[0] in changed]
    marks.sort(key=lambda mark: (mark["at"], mark["side"], mark["subject"]))
    return {"count": len(marks), "list": marks[:MARKED]}


def _mark(side: str, each: Sounded | Cleared, what: str) -> dict[str, Any]:
    rule, _, subject, component = each.key
    return {
        "side": side, "what": what, "rule": rule, "subject": subject, "component": component,
        "priority": each.priority, "at": rfc3339(each.device_at),
    }  # fmt: skip
