"""Alarm objects: event, active, component and text, read so that no alarm is lost over a detail of it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from firetower.core.clock import DAY, MINUTE, Micros
from firetower.devices.wire_batch import Refusals
from firetower.devices.wire_json import clean, shown

REPEATED_WITHIN: Micros = 10 * MINUTE
"""An alarm known by its ``seq`` only counts as the same one within these minutes of arrival."""
UNREADABLE = "unreadable"
"""Name of the event that stands for an alarm nobody could decode (无法解析)."""
ALARM_FIELDS = frozenset({"ts", "seq", "event", "active", "component", "text"})
_EVENT_MAX, _COMPONENT_MAX, _TEXT_MAX = 64, 64, 500
_DIGEST = 16
_OVER = (False, 0, "0", "false")
_ON = (True, 1, "1", "true")


@dataclass(frozen=True, slots=True)
class Alarm:
    """What an alarm object says, before its time and its sender; ``sent`` are its words in full, for the key."""

    event: str
    active: bool
    component: str
    text: str
    sent: tuple[str, bool, str, str]


def read_alarm(item: Mapping[str, Any], wrong: Refusals) -> Alarm | None:
    """Return the alarm in ``item``; None after telling ``wrong`` (``bad_event``) that its event is no name.

    A too long or unusual text or component is cut or replaced and an ``active`` that is neither on nor off counts as
    on; ``wrong`` is told, the alarm stands.
    """
    event = item.get("event")
    if not isinstance(event, str) or not event.strip():
        wrong.add("bad_event", f"event is {shown(event)}; send its name as text, for example 'fire'")
        return None
    active = item.get("active", True)
    if _one_of(active, _OVER):
        is_active = False
    else:
        is_active = True
        if active is not None and not _one_of(active, _ON):
            wrong.add("bad_event", f"active is {shown(active)}; send true or false (it was taken for true)")
    component = _words("component", item.get("component"), wrong)
    text = _words("text", item.get("text"), wrong)
    return Alarm(
        _cut_event(event.strip()),
        is_active,
        _cut_component(component),
        text[:_TEXT_MAX],
        (event, is_active, component, text),
    )


def alarm_key(
    alarm: Alarm, sent_time: Any, seq: int | None, at: Micros, received: Micros, *, usable: bool
) -> str | None:
    """Return what identifies the alarm across redelivery; None without a time and a ``seq``.

    A clock that stands still and a ``seq`` that starts again after a reboot would make a later alarm a repeat of an
    earlier one, so where the time is not near the arrival, the ten minutes of arrival are part of the key: a
    redelivery comes sooner, and doubt makes two alarms of one, never one of two.
    """
    if sent_time is None and seq is None:
        return None
    near = usable and abs(received - at) <= DAY
    which = at if usable else (seq if seq is not None else shown(sent_time))
    parts = (which, "near" if near else received // REPEATED_WITHIN, *alarm.sent)
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


def _one_of(value: Any, words: tuple[object, ...]) -> bool:
    if isinstance(value, str):
        value = value.strip().lower()
    return isinstance(value, bool | int | float | str) and value in words


def _words(name: str, value: Any, wrong: Refusals) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        found = clean(value)
        if found != value:
            wrong.add("bad_text", f"{name} holds NUL or half a surrogate pair; these were replaced, the alarm stands")
        return found
    if isinstance(value, int | float):
        return shown(value)
    wrong.add("bad_text", f"{name} is {shown(value)}; send text (it was left out, the alarm stands)")
    return ""


def _cut_event(event: str) -> str:
    event = clean(event)
    if len(event) <= _EVENT_MAX:
        return event
    # What says fire beyond the cut must still be a fire.
    fire = "fire" in event.lower() or "火" in event
    return f"fire {event}"[:_EVENT_MAX] if fire else event[:_EVENT_MAX]


def _cut_component(component: str) -> str:
    """Cut to 64 characters so that two points never become one: what is cut away leaves its digest."""
    if len(component) <= _COMPONENT_MAX:
        return component
    digest = hashlib.sha256(component.encode()).hexdigest()[:_DIGEST]
    return f"{component[: _COMPONENT_MAX - _DIGEST - 1]}~{digest}"
