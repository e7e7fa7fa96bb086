"""What alerts say together: a second signal 第二信号 of one zone confirms; fire in two zones of a test is no test."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from firetower.alerts import flags
from firetower.alerts.lifecycle import Trigger
from firetower.alerts.model import Alert, Method, State, Transition, Verification
from firetower.alerts.moves import Decided, entry, moved
from firetower.alerts.verification import Verify, verify
from firetower.core.clock import MINUTE, Micros, rfc3339
from firetower.devices.events import AlertClass
from firetower.devices.kinds import DeviceKind
from firetower.rules.verdicts import HISTORICAL

CONFIRMS_WITHIN: Micros = 5 * MINUTE
"""Two signals of one zone confirm each other when they were raised within this (T)."""

CONFIRMED_BY = "rule:second_signal"
OVERRULED_BY = "rule:test_overruled"

SIGNALS = (AlertClass.FIRE, AlertClass.PREALARM)
"""What may confirm a fire; only a fire is confirmed."""
_CONFIRMS_NOTHING = {flags.IN_TEST, HISTORICAL}
_MANUAL_CALL = "event:manual_call"
_SPEAKS_FOR_MANY = {DeviceKind.PANEL, DeviceKind.GATEWAY}


@dataclass(frozen=True, slots=True)
class Signal:
    """A fire or prealarm that is open, as far as it is looked at for a second one. ``point``: of the zone ``where``.

    Two rules, or two events of one detector, are one point; of a panel each component is one.
    """

    alert_id: int
    where: tuple[str, str]
    point: tuple[str, str]
    is_fire: bool
    is_confirmed: bool
    raised_at: Micros


@dataclass(frozen=True, slots=True)
class FireInTest:
    """An open fire of a test window. ``place``: its zone, or the device itself where nobody knows its zone."""

    alert_id: int
    window_id: int
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
    raised_at: Micros,
) -> Signal | None:
    """Return an open alert as a signal; None for what can confirm nothing.

    That is what is no fire or prealarm, whatever has no known zone, is in a test, or tells of the past.
    ``words``: its flags.
    """
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
        raised_at=raised_at,
    )


def confirmed(signals: Iterable[Signal]) -> dict[int, int]:
    """Return which unconfirmed fires of one zone another point confirms: alert id, and that of its nearest signal."""
    ordered = sorted(signals, key=lambda each: (each.raised_at, each.alert_id))
    before, after = _others(ordered), _others(ordered[::-1])[::-1]
    found: dict[int, int] = {}
    for each, earlier, later in zip(ordered, before, after, strict=True):
        if not each.is_fire or each.is_confirmed:
            continue
        near = [other for other in (earlier, later) if other is not None]
        nearest = min(near, key=lambda other: abs(other.raised_at - each.raised_at), default=None)
        if nearest is not None and abs(nearest.raised_at - each.raised_at) <= CONFIRMS_WITHIN:
            found[each.alert_id] = nearest.alert_id
    return found


def _others(ordered: Sequence[Signal]) -> list[Signal | None]:
    """Return, for each signal, the last one before it that is of another point."""
    found: list[Signal | None] = []
    for number, each in enumerate(ordered):
        previous = ordered[number - 1] if number else None
        found.append(found[-1] if previous is not None and previous.point == each.point else previous)
    return found


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
        and flags.IN_DRILL not in alert.flags
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


def overruled(fires: Iterable[FireInTest], already: Iterable[int]) -> dict[int, list[str]]:
    """Return the fires to be treated as real though announced as a test: alert id, and where it burns in its window.

    All of a window with fire in two places, and all of a window in ``already``, of which some were overruled before.
    """
    of_window: dict[int, list[FireInTest]] = defaultdict(list)
    for fire in fires:
        of_window[fire.window_id].append(fire)
    known = set(already)
    return {
        fire.alert_id: sorted(places)
        for window_id, of in of_window.items()
        for places in [{fire.place for fire in of}]
        if len(places) > 1 or window_id in known
        for fire in of
        if fire.in_test
    }


def overrule(alert: Alert, places: Sequence[str], at: Micros) -> Decided:
    """Treat a fire announced as a test as real: unacknowledged again, with the reason in its history."""
    kept = (flag for flag in alert.flags if flag != flags.IN_TEST)
    words = tuple(dict.fromkeys((*kept, flags.DURING_TEST)))
    after = moved(alert, Trigger.OVERRULED, actor=OVERRULED_BY, at=at, flags=words)
    why = "fire in more than one place of one test" if len(places) > 1 else "other fires of this test were overruled"
    said = {"window_id": str(alert.window_id), "why": why, "places": list(places)}
    return after, (entry(alert, after, "overruled", said, actor=OVERRULED_BY, at=at),)
