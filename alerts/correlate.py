"""What alerts say together: a second signal 第二信号 of one zone confirms; fire in two places of a unit is no test."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from operator import attrgetter

from firetower.alerts import flags
from firetower.alerts.lifecycle import Trigger
from firetower.alerts.model import Alert, Method, State, Transition, Verification
from firetower.alerts.moves import Decided, awaited_anew, entry, moved
from firetower.alerts.verification import Verify, verify
from firetower.core.clock import MINUTE, Micros, rfc3339
from firetower.devices.events import AlertClass
from firetower.devices.kinds import DeviceKind
from firetower.rules.book.model import Rule
from firetower.rules.verdicts import HISTORICAL

CONFIRMS_WITHIN: Micros = 5 * MINUTE
"""Two signals of one zone confirm each other when they alarmed within this (T), where the rulebook says nothing."""

CONFIRMED_BY = "rule:second_signal"
OVERRULED_BY = "rule:test_overruled"

SIGNALS = (AlertClass.FIRE, AlertClass.PREALARM)
"""What may confirm a fire; only a fire is confirmed."""
_CONFIRMS_NOTHING = {flags.IN_TEST, flags.AFTER_TEST, HISTORICAL}
_MANUAL_CALL = "event:manual_call"
_SPEAKS_FOR_MANY = {DeviceKind.PANEL, DeviceKind.GATEWAY}


def confirms_within(rules: Iterable[Rule]) -> Micros:
    """Return T: that of the first of ``rules`` with a confirmation that is not on trial, else CONFIRMS_WITHIN."""
    said = (rule.condition.confirmation for rule in rules if not rule.shadow)
    return next((each.within for each in said if each is not None), CONFIRMS_WITHIN)


@dataclass(frozen=True, slots=True)
class Signal:
    """A fire or prealarm that is open, as far as it is looked at for a second one. ``point``: of the zone ``where``.

    Two rules, or two events of one detector, are one point; of a panel each component is one. ``alarmed_at``: event
    time at which it began, or was last said again: what burns again is a signal again.
    """

    alert_id: int
    where: tuple[str, str]
    point: tuple[str, str]
    is_fire: bool
    is_confirmed: bool
    alarmed_at: Micros


@dataclass(frozen=True, slots=True)
class FireInTest:
    """An open fire of a unit in which one is under test.

    ``place``: its zone, or the device itself where nobody knows its zone.
    """

    alert_id: int
    unit: str
    place: str
    in_test: bool


def signal(
    *,
    alert_id: int,
    rule: str,
    unit: str | None,
    zone: str | None,
    device: str | None,
    device_kind: str | None,
    component: str,
    alert_class: AlertClass,
    words: Sequence[str],
    alarmed_at: Micros,
) -> Signal | None:
    """Return an open alert as a signal; None for what can confirm nothing.

    That is what is no fire or prealarm, whatever has no known zone, was said in a test, or tells of the past; and what
    a rule says of a zone, for it follows from the signals of the zone. ``words``: its flags.
    """
    if device is None and not rule.startswith(("event:", "manual:")):
        return None
    if alert_class not in SIGNALS or unit is None or zone is None or not _CONFIRMS_NOTHING.isdisjoint(words):
        return None
    of_many = device_kind in _SPEAKS_FOR_MANY and rule.startswith("event:")
    component = component or (rule if rule == _MANUAL_CALL else "")  # a panel's call point is none of its detectors
    return Signal(
        alert_id=alert_id,
        where=(unit, zone),
        point=(device or "", component if of_many else ""),
        is_fire=alert_class is AlertClass.FIRE,
        is_confirmed=flags.SECOND_SIGNAL in words,
        alarmed_at=alarmed_at,
    )


def confirmed(signals: Iterable[Signal], within: Micros = CONFIRMS_WITHIN) -> Iterator[tuple[int, int | None]]:
    """Yield, for each signal of one zone, its alert id and that of the nearest signal ``within`` that confirms it.

    None where no other point does, or it needs none: it is no fire, or confirmed already.
    """
    ordered = sorted(signals, key=attrgetter("alarmed_at", "alert_id"))
    earlier: Signal | None = None
    said: list[Signal] = []  # by one point, without another's in between
    for _, run in groupby(ordered, key=attrgetter("point")):
        following = list(run)
        yield from _confirmed(said, earlier, following[0], within)
        earlier, said = said[-1] if said else None, following
    yield from _confirmed(said, earlier, None, within)


def _confirmed(
    said: Iterable[Signal], earlier: Signal | None, later: Signal | None, within: Micros
) -> Iterator[tuple[int, int | None]]:
    others = [other for other in (earlier, later) if other is not None]
    for each in said:
        near = [other for other in others if abs(other.alarmed_at - each.alarmed_at) <= within]
        if not near or not each.is_fire or each.is_confirmed:
            yield each.alert_id, None
        else:
            yield each.alert_id, min(near, key=lambda other: abs(other.alarmed_at - each.alarmed_at)).alert_id


def confirm(alert: Alert, other: Alert, at: Micros, *, forward: bool) -> Decided:
    """Mark a fire as confirmed by ``other``; with ``forward`` also verify it as real and forward it, as far as open.

    A rule acknowledges for nobody: the alert stays as unacknowledged as it was, and a person's *false* is not
    overruled. Nor is a drill ever forwarded by itself.
    """
    marked = replace(alert, flags=tuple(dict.fromkeys((*alert.flags, flags.SECOND_SIGNAL))))
    said = {
        "alert_id": str(other.id),
        "rule": other.rule,
        "device": other.device,
        "component": other.component or None,
        "title": other.title_zh,
        "zone": other.zone,
        "raised_at": rfc3339(other.raised_at),
    }
    entries = (entry(alert, marked, "second_signal", said, actor=CONFIRMED_BY, at=at),)
    by_itself = (
        forward
        and alert.forwarded_at is None
        and alert.verification in {None, Verification.UNVERIFIABLE}
        and {flags.IN_DRILL, flags.AFTER_DRILL}.isdisjoint(alert.flags)
    )
    if not by_itself:
        return marked, entries
    taken, more = verify(marked, Verify(Verification.REAL, Method.SECOND_SIGNAL), CONFIRMED_BY, at)
    after = replace(
        taken, state=alert.state, acknowledged_at=alert.acknowledged_at, acknowledged_by=alert.acknowledged_by
    )
    return after, (*entries, *(_unmoved(each, alert.state) for each in more))


def _unmoved(transition: Transition, state: State) -> Transition:
    return replace(transition, old=state, new=state)


def overruled(fires: Iterable[FireInTest], already: Iterable[str]) -> dict[int, list[str]]:
    """Return the fires to be treated as real though announced as a test: alert id, and where it burns in its unit.

    All of a unit with fire in two places, whichever tests cover them or none, and all of a unit in ``already``, of
    which some were overruled before.
    """
    of_unit: dict[str, list[FireInTest]] = defaultdict(list)
    for fire in fires:
        of_unit[fire.unit].append(fire)
    known = set(already)
    return {
        fire.alert_id: sorted(places)
        for unit, of in of_unit.items()
        for places in [{fire.place for fire in of}]
        if len(places) > 1 or unit in known
        for fire in of
        if fire.in_test
    }


def overrule(alert: Alert, places: Sequence[str], at: Micros) -> Decided:
    """Treat a fire announced as a test as real: unacknowledged again, with the reason in its history."""
    kept = (flag for flag in alert.flags if flag != flags.IN_TEST)
    words = tuple(dict.fromkeys((*kept, flags.DURING_TEST)))
    after = moved(alert, Trigger.OVERRULED, actor=OVERRULED_BY, at=at, flags=words, **awaited_anew(alert, at))
    why = "fire in more than one place of the unit" if len(places) > 1 else "other fires under test were overruled"
    said = {"window_id": str(alert.window_id), "why": why, "places": list(places)}
    return after, (entry(alert, after, "overruled", said, actor=OVERRULED_BY, at=at),)
