"""Incidents 警情: alerts of one building and zone, one water main, one gateway or one device, raised close together.

An alert about a group of devices joins the incident of its members: what burns in a zone, and the rule that says so of
the building, the unit or the gateway, are one (``joins``).
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from firetower.alerts.holds import POWER_RULES
from firetower.alerts.windows import Where
from firetower.core.clock import MINUTE, Micros
from firetower.devices.events import AlertClass
from firetower.rules.verdicts import SubjectKind

JOINS_WITHIN: Micros = 30 * MINUTE
"""An alert joins the open incident of its scene when the one before it there was raised at most so long ago."""

_WORDS: dict[AlertClass, tuple[str, str, str]] = {
    AlertClass.FIRE: ("火警", "fire alarm", "fire alarms"),
    AlertClass.PREALARM: ("疑似火警", "prealarm", "prealarms"),
    AlertClass.UNREADABLE: ("无法解析", "unreadable alarm", "unreadable alarms"),
    AlertClass.SUPERVISORY: ("监管", "supervisory signal", "supervisory signals"),
    AlertClass.HAZARD: ("隐患", "hazard", "hazards"),
    AlertClass.FAULT: ("故障", "fault", "faults"),
    AlertClass.OFFLINE: ("离线", "silent", "silent"),
    AlertClass.QUALITY: ("数据异常", "doubtful figure", "doubtful figures"),
}
"""The words of a headline, the highest class first: what nobody could read may be a fire."""

_RANK = {alert_class: rank for rank, alert_class in enumerate(_WORDS)}

_OF_THE_LINK = {AlertClass.OFFLINE, AlertClass.QUALITY}
_FAULTS_OF_THE_LINK = {"event:fault", *POWER_RULES}
"""Faults that many say at once where a line or its supply fails; any other is of the device and its place."""
_BURNS = (AlertClass.FIRE, AlertClass.PREALARM)
_OF_GROUPS = {SubjectKind.ZONE, SubjectKind.UNIT, SubjectKind.GATEWAY}


@dataclass(frozen=True, slots=True)
class Incident:
    """Alerts that belong together.

    ``alert_class``: the highest of the open members, ``priority``: the most urgent of theirs; of all when none is open.
    ``headline_zh``, ``headline_en``: place and members in a line. ``members``: (class, how many, how many open) by
    class, the highest first. Times in µs; ``closed_at`` None while a member is open. ``version`` rises with each
    change.
    """

    id: int
    scene: str
    headline_zh: str
    headline_en: str
    alert_class: AlertClass
    priority: int
    unit: str | None
    unit_name: str | None
    place: str | None
    lon: float | None
    lat: float | None
    members: tuple[tuple[AlertClass, int, int], ...]
    opened_at: Micros
    last_raised_at: Micros
    closed_at: Micros | None
    version: int


def scene_of(subject_kind: str, subject: str, alert_class: AlertClass, where: Where, rule: str = "") -> str:
    """Return the scene of an alert: of two alerts with one scene, raised soon after each other, one incident is made.

    ``main:<code>`` for what stands on a water main; ``gateway:<unit>/<gateway>`` for silence, bad data and faults of
    line or power of what reports through a gateway, and of the gateway itself; else
    ``zone:<unit>/<building>/<floor>/<zone>`` for what is in a zone, a detector taken away or tampered with among it;
    else ``<kind of subject>:<subject>``.
    """
    if subject_kind == SubjectKind.GATEWAY:
        return f"gateway:{subject}"
    if where.main is not None:
        return f"main:{where.main}"
    of_the_link = alert_class in _OF_THE_LINK or (alert_class is AlertClass.FAULT and rule in _FAULTS_OF_THE_LINK)
    if of_the_link and where.gateway is not None:
        return f"gateway:{where.unit}/{where.gateway}"
    if where.unit is not None and where.zone is not None:
        return f"zone:{where.unit}/{where.zone}"
    return f"{subject_kind}:{subject}"


def joins(subject_kind: str, alert_class: AlertClass) -> tuple[AlertClass, ...]:
    """Return of which classes a member's alert is whose incident an alert joins; none where it is about no group.

    Of the most urgent, and then newest, open alert of those classes within the group, if its incident takes any more
    (``JOINS_WITHIN``). On a water main the scene of all is the same anyway.
    """
    if subject_kind not in _OF_GROUPS:
        return ()
    return _BURNS if alert_class in _BURNS else (alert_class,)


@dataclass(frozen=True, slots=True)
class Newcomer:
    """An alert that has no incident yet. ``begins``: whether it may open one; what is for the record only joins."""

    alert_id: int
    scene: str
    alert_class: AlertClass
    priority: int
    is_open: bool
    raised_at: Micros
    begins: bool = True


@dataclass(slots=True)
class Group:
    """Newcomers of one scene that belong to one incident: the open one ``incident_id``, or a new one (None)."""

    incident_id: int | None
    last_raised_at: Micros
    newcomers: list[Newcomer] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Tally:
    """The members of one class: how many, how many open, the most urgent priority of the open ones (else of all)."""

    alert_class: AlertClass
    count: int
    open: int
    priority: int
    last_raised_at: Micros


def gathered(newcomers: Iterable[Newcomer], standing: Mapping[str, Incident]) -> list[Group]:
    """Say which newcomers join the open incident of their scene, and which of them make new ones together."""
    current = {scene: Group(each.id, each.last_raised_at) for scene, each in standing.items()}
    groups: list[Group] = []
    for newcomer in sorted(newcomers, key=lambda each: (each.raised_at, each.alert_id)):
        group = current.get(newcomer.scene)
        if group is None or newcomer.raised_at - group.last_raised_at > JOINS_WITHIN:
            if not newcomer.begins:
                continue
            group = current[newcomer.scene] = Group(None, newcomer.raised_at)
        if not group.newcomers:
            groups.append(group)
        group.newcomers.append(newcomer)
        group.last_raised_at = max(group.last_raised_at, newcomer.raised_at)
    return groups


def tallied(members: Sequence[Newcomer]) -> list[Tally]:
    """Count members by class."""
    counts = Counter(each.alert_class for each in members)
    return [
        Tally(
            alert_class,
            count,
            sum(each.is_open for each in of),
            min(each.priority for each in of if each.is_open or not any(other.is_open for other in of)),
            max(each.raised_at for each in of),
        )
        for alert_class, count in counts.items()
        for of in [[each for each in members if each.alert_class is alert_class]]
    ]


def retold(incident: Incident, tallies: Iterable[Tally], at: Micros) -> Incident:
    """Return the incident with the members it has ``at`` now; the same object when nothing is new.

    It closes with its last open member, and is open again when a member is.
    """
    ordered = sorted(tallies, key=lambda each: _RANK[each.alert_class])
    if not ordered:
        return incident
    leading = [each for each in ordered if each.open] or ordered
    members = tuple((each.alert_class, each.count, each.open) for each in ordered)
    zh, en = _place_words(incident)
    after = replace(
        incident,
        headline_zh=f"{zh}：{'、'.join(f'{_WORDS[each.alert_class][0]} {each.count}' for each in ordered)}",
        headline_en=f"{en}: {', '.join(f'{each.count} {_word(each)}' for each in ordered)}",
        alert_class=leading[0].alert_class,
        priority=min(each.priority for each in leading),
        members=members,
        last_raised_at=max(each.last_raised_at for each in ordered),
        closed_at=None if leading[0].open else incident.closed_at or at,
    )
    return incident if after == incident else replace(after, version=incident.version + 1)


def _word(tally: Tally) -> str:
    _, one, many = _WORDS[tally.alert_class]
    return one if tally.count == 1 else many


def _place_words(incident: Incident) -> tuple[str, str]:
    """Return where it is, in Chinese and in English."""
    kind, _, subject = incident.scene.partition(":")
    unit = incident.unit_name or incident.unit or ""
    place = incident.place or subject
    match kind:
        case "main":
            return f"供水管 {place}", f"Water main {place}"
        case "gateway":
            gateway = subject.rpartition("/")[2]
            return f"{unit} 网关 {gateway}".strip(), f"{unit}, gateway {gateway}" if unit else f"Gateway {gateway}"
        case SubjectKind.SYSTEM:
            return "Firetower", "Firetower"
        case SubjectKind.UNIT:
            return unit or subject, unit or subject
        case _:
            return f"{unit} {place}".strip(), f"{unit}, {place}" if unit else place
