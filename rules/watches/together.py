"""Alerts about a group of devices: what they are about, what they say, which devices they name."""

from collections.abc import Sequence

from firetower.core.clock import Micros
from firetower.devices.registry import Registry
from firetower.rules.book.model import Rule
from firetower.rules.verdicts import SubjectKind, Verdict, VerdictKind
from firetower.rules.watches.clauses import Members

SUBJECT_KIND = {
    "device": SubjectKind.DEVICE,
    "zone": SubjectKind.ZONE,
    "building": SubjectKind.ZONE,
    "unit": SubjectKind.UNIT,
    "main": SubjectKind.MAIN,
    "gateway": SubjectKind.GATEWAY,
}
"""What an alert about a group of that name is about."""
_NAMED = 5
"""Devices an alert names; the others it counts."""


def verdict_of(
    rule: Rule,
    subject: str,
    at: Micros,
    registry: Registry,
    asked: Sequence[tuple[Members, int]],
    *,
    raised: bool,
    again: bool = False,
) -> Verdict:
    """Return the verdict of a combination; ``asked``: the members of each clause, and how many devices it asks for."""
    condition = rule.condition.combination
    assert condition is not None  # only combinations are asked
    members, needed = max(asked, key=lambda each: each[1])
    unit, _, device = subject.partition("/")
    return Verdict(
        kind=VerdictKind.RAISE if raised else VerdictKind.CLEAR,
        rule=rule.id,
        rule_version=rule.version,
        subject_kind=SUBJECT_KIND[condition.group],
        subject=subject,
        component="",
        alert_class=rule.alert_class,
        priority=condition.priority,
        latch=condition.latch,
        at=at,
        title_zh=rule.title.zh,
        title_en=rule.title.en,
        device_number=registry.number(unit, device) if condition.group == "device" else None,
        value=float(len(members)) if raised else None,
        limit=float(needed) if raised else None,
        text=_names([each for each, _ in asked], registry) if raised else "",
        again=again,
    )


class Counted:
    """How many devices make each combination that is raised: one that grows is raised again, once a call.

    What was raised before a start counts from there.
    """

    def __init__(self) -> None:
        self._counts: dict[tuple[int, str], int] = {}
        self._grown: set[tuple[int, str]] = set()

    def note(self, key: tuple[int, str], clauses: Sequence[Members], *, anew: bool, raised: bool) -> None:
        """Count the members of a combination again; ``anew``: they have just been told."""
        if not raised:
            self._counts.pop(key, None)
            self._grown.discard(key)
            return
        count = sum(map(len, clauses))
        if not anew and count > self._counts.get(key, count):
            self._grown.add(key)
        self._counts[key] = count

    def grown(self) -> list[tuple[int, str]]:
        """Return what has grown since this was asked last."""
        keys, self._grown = sorted(self._grown), set()
        return keys


def _names(clauses: Sequence[Members], registry: Registry) -> str:
    """Return the names of the devices that make a combination, those that began first, and how many more."""
    devices = list(dict.fromkeys(device for _, device, _ in sorted(begin for each in clauses for begin in each.begins)))
    names = ", ".join("/".join(registry.name(device)) for device in devices[:_NAMED])
    return f"{names} +{len(devices) - _NAMED}" if len(devices) > _NAMED else names
