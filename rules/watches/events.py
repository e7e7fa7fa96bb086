"""A device's own alarms (the alarm lane) as verdicts; doubt raises an alert, and no key merges two points."""

from collections.abc import Sequence

from firetower.devices.events import UNREADABLE, AlertClass, Event, meaning
from firetower.rules.verdicts import SubjectKind, Verdict, VerdictKind

VERSION = 1
"""Version of the meanings in ``devices.events``; alerts name it as their rule's version."""
_RECORDED_AS = AlertClass.SUPERVISORY
_UNREADABLE = "unreadable"


def judge(events: Sequence[Event]) -> list[Verdict]:
    """Return one verdict for each event, in their order.

    ``active`` false clears; what has no class (feedback, reset, test, manual mode and start) is recorded; a name nobody
    knows is a fire when it says so, else unreadable.
    """
    return [_judge(event) for event in events]


def _judge(event: Event) -> Verdict:
    known = meaning(event.event)
    point = event.component or event.text
    rule = f"event:{event.event}"
    title_zh, title_en = known.zh, known.en
    if known is UNREADABLE:
        rule = f"event:{_UNREADABLE}"
        if event.event != _UNREADABLE:
            point = f"{event.event}: {point}" if point else event.event
            title_zh, title_en = f"{known.zh}({event.event})", f"{known.en} ({event.event})"
    registered = event.device_number is not None
    kind = VerdictKind.RAISE if event.active else VerdictKind.CLEAR
    if known.alert_class is None:
        kind = VerdictKind.RECORD
    return Verdict(
        kind=kind,
        rule=rule,
        rule_version=VERSION,
        subject_kind=SubjectKind.DEVICE if registered else SubjectKind.SENDER,
        subject=f"{event.unit}/{event.device}",
        component=point,
        alert_class=_RECORDED_AS if known.alert_class is None else known.alert_class,
        priority=known.priority,
        latch=known.latch,
        at=event.at,
        title_zh=title_zh,
        title_en=title_en,
        device_number=event.device_number,
        text=event.text,
        flags=event.flags if registered or "unregistered" in event.flags else (*event.flags, "unregistered"),
        event=event,
    )
