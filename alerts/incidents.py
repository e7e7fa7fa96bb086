"""Incidents 警情: alerts of one building and zone, one water main, one gateway or one device, raised close together."""

from dataclasses import dataclass

from firetower.alerts.windows import Where
from firetower.core.clock import MINUTE, Micros
from firetower.devices.events import AlertClass
from firetower.rules.verdicts import SubjectKind

JOINS_WITHIN: Micros = 30 * MINUTE
"""An alert joins the open incident of its scene when the one before it there was raised at most so long ago."""

_OF_THE_LINK = {AlertClass.OFFLINE, AlertClass.FAULT, AlertClass.QUALITY}


@dataclass(frozen=True, slots=True)
class Incident:
    """Alerts that belong together. ``alert_class`` and ``priority``: of the highest open member, else of all.

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


def scene_of(subject_kind: str, subject: str, alert_class: AlertClass, where: Where) -> str:
    """Return the scene of an alert: of two alerts with one scene, raised soon after each other, one incident is made.

    ``main:<code>`` for what stands on a water main; ``gateway:<unit>/<gateway>`` for silence, faults and bad data of
    what reports through a gateway, and of the gateway itself; ``zone:<unit>/<building>/<floor>/<zone>`` for what is in
    a zone; else ``<kind of subject>:<subject>``.
    """
    if subject_kind == SubjectKind.GATEWAY:
        return f"gateway:{subject}"
    if where.main is not None:
        return f"main:{where.main}"
    if alert_class in _OF_THE_LINK and where.gateway is not None:
        return f"gateway:{where.unit}/{where.gateway}"
    if where.unit is not None and where.zone is not None:
        return f"zone:{where.unit}/{where.zone}"
    return f"{subject_kind}:{subject}"
