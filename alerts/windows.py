"""Announced windows 公告窗口: tests, drills, maintenance, impairments and hydrant-use permits, and what they cover.

Unit people request, the centre approves: what a unit's account asks for is ``requested`` and protects as before until
somebody of the centre approves it; what the centre announces is approved by whoever announces it. Every window ends
by itself at ``ends_at``, and what is in force follows from the times alone.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from firetower.core.clock import DAY, HOUR, MINUTE, Micros, rfc3339
from firetower.core.errors import Conflict, FiretowerError, InvalidInput
from firetower.devices.kinds import DeviceKind

LONGEST_TEST: Micros = 4 * HOUR
"""The longest a test may be announced for."""
LATE_START: Micros = 5 * MINUTE
"""So far in the past may a start lie and still mean "now": two clocks, and the time it takes to fill in a form."""
WATER_KINDS = frozenset({DeviceKind.HYDRANT, DeviceKind.WATER_CRANE, DeviceKind.WATER_POINT})
"""What a hydrant-use permit may be for, beside a main or all of a unit's."""


class WindowKind(StrEnum):
    """What is announced."""

    TEST = "test"  # 测试
    DRILL = "drill"  # 演练
    MAINTENANCE = "maintenance"  # 维保
    IMPAIRMENT = "impairment"  # 消防设施停用
    WATER_PERMIT = "water_permit"  # 消火栓用水许可


LONGEST: dict[WindowKind, Micros] = {
    WindowKind.TEST: LONGEST_TEST,
    WindowKind.DRILL: DAY,
    WindowKind.MAINTENANCE: 7 * DAY,
    WindowKind.IMPAIRMENT: 30 * DAY,
    WindowKind.WATER_PERMIT: DAY,
}
"""How long a window may last. That of a test is the operators' rule; the others are judgement: a drill or a permit is
looked at anew each day, work each week, an impairment each month, before it goes on."""

AHEAD: dict[WindowKind, Micros] = {kind: 7 * DAY if kind is WindowKind.TEST else 30 * DAY for kind in WindowKind}
"""How far ahead a window may begin (judgement): what is planned for later is announced nearer its time."""


class WindowState(StrEnum):
    """Where a window stands; it follows from its times and from what was decided."""

    REQUESTED = "requested"  # 待审批
    REFUSED = "refused"  # 未批准
    PLANNED = "planned"  # 待生效
    ACTIVE = "active"  # 生效中
    ENDED = "ended"  # 已结束


@dataclass(frozen=True, slots=True)
class Where:
    """Where a point is, by codes; None or "" where nobody registered it. ``zone``: ``building/floor/zone``."""

    unit: str | None = None
    zone: str | None = None
    device: str | None = None
    component: str = ""
    main: str | None = None
    gateway: str | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """One announced window. Times in µs.

    It covers ``unit``, or within it ``zone`` (``building``, ``building/floor`` or ``building/floor/zone``), ``device``,
    and of that ``component``; a permit may cover a water ``main`` instead. ``person``: who asked, as named on the
    phone. ``measure``: what protects meanwhile (临时防范措施), of an impairment. ``refusal``: why it was refused, or
    ended early. In force from ``starts_at`` to
    ``ends_at`` once ``approved_by`` somebody of the centre, until ``ended_at`` if that is earlier.
    """

    id: int
    kind: WindowKind
    unit: str | None
    zone: str | None
    device: str | None
    component: str | None
    main: str | None
    starts_at: Micros
    ends_at: Micros
    reason: str
    measure: str | None
    person: str | None
    requested_by: str
    requested_at: Micros
    approved_by: str | None = None
    approved_at: Micros | None = None
    refused_by: str | None = None
    refused_at: Micros | None = None
    refusal: str | None = None
    ended_by: str | None = None
    ended_at: Micros | None = None

    def state(self, now: Micros) -> WindowState:
        """Return where the window stands at ``now``."""
        if self.refused_at is not None:
            return WindowState.REFUSED
        if self.ended_at is not None or now >= self.ends_at:
            return WindowState.ENDED
        if self.approved_at is None:
            return WindowState.REQUESTED
        return WindowState.ACTIVE if now >= self.starts_at else WindowState.PLANNED

    def covers(self, where: Where) -> bool:
        """Say whether a point lies within; a point whose zone nobody registered lies in no zone."""
        if self.main is not None and where.main != self.main:
            return False
        if self.unit is not None and where.unit != self.unit:
            return False
        if self.zone is not None and not _within(self.zone, where.zone):
            return False
        if self.device is not None and where.device != self.device:
            return False
        return self.component is None or where.component == self.component


def _within(outer: str, inner: str | None) -> bool:
    return inner is not None and (inner == outer or inner.startswith(f"{outer}/"))


# What people do with windows ----------------------------------------------------------------------


class NotYours(FiretowerError):
    """A unit's account asked for what only the centre does, or for another unit's."""

    code = "forbidden"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, by account; ``unit`` None: somebody of the centre, else whose account it is."""

    username: str
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """A window as asked for; see ``Window``. ``starts_at`` None: now."""

    kind: WindowKind
    ends_at: Micros
    reason: str
    unit: str | None = None
    zone: str | None = None
    device: str | None = None
    component: str | None = None
    main: str | None = None
    starts_at: Micros | None = None
    measure: str | None = None
    person: str | None = None


def request(wanted: Wanted, actor: Actor, at: Micros, *, vouched: bool = False) -> Window:
    """Return the window ``actor`` asks for at ``at``, without an id yet: approved where the centre asks.

    ``vouched``: the password 口令 of ``person``, an account of the unit, was given. Raises InvalidInput for what may
    not be announced, NotYours for another unit's. That what it names exists is the registry's to say.
    """
    if actor.unit is not None and (wanted.unit != actor.unit or wanted.main is not None):
        raise NotYours(
            f"{actor.username} is an account of unit {actor.unit} and asks for that unit only;"
            " leave main out, and unit out or that"
        )
    _check_where(wanted)
    starts_at = _start(wanted, at)
    if wanted.kind is WindowKind.TEST and actor.unit is None and not (vouched and wanted.person):
        raise InvalidInput(
            "a test is asked for by a person of the unit: give person, the username of the unit's account, and its"
            " password (口令), or approve what the unit itself requests",
            {"field": "person" if not wanted.person else "password"},
        )
    if wanted.kind is WindowKind.IMPAIRMENT and not wanted.measure:
        raise InvalidInput(
            "an impairment needs measure: say what protects meanwhile (临时防范措施), for example a patrol every hour",
            {"field": "measure"},
        )
    return Window(
        id=0,
        kind=wanted.kind,
        unit=wanted.unit,
        zone=wanted.zone,
        device=wanted.device,
        component=wanted.component,
        main=wanted.main,
        starts_at=starts_at,
        ends_at=wanted.ends_at,
        reason=wanted.reason,
        measure=wanted.measure,
        person=wanted.person,
        requested_by=actor.username,
        requested_at=at,
        approved_by=actor.username if actor.unit is None else None,
        approved_at=at if actor.unit is None else None,
    )


_ONE = {kind: f"a {kind}" for kind in WindowKind} | {
    WindowKind.MAINTENANCE: "maintenance",
    WindowKind.IMPAIRMENT: "an impairment",
}
"""One of a kind, in a sentence."""


def _check_where(wanted: Wanted) -> None:
    permit = wanted.kind is WindowKind.WATER_PERMIT
    if permit and (wanted.main is None) == (wanted.unit is None):
        raise InvalidInput(
            "a water_permit is for a main, or for a unit and perhaps one device of it; give main or unit",
            {"field": "main"},
        )
    if wanted.unit is None and not permit:
        raise InvalidInput(
            f"{_ONE[wanted.kind]} needs unit: the code of the unit it is announced for", {"field": "unit"}
        )
    refused = (
        (
            "main",
            wanted.main is not None and not permit,
            f"{_ONE[wanted.kind]} covers no main; only a water_permit does",
        ),
        ("zone", wanted.zone is not None and permit, "a water_permit covers a device or the whole unit; leave it out"),
        ("zone", wanted.zone is not None and wanted.device is not None, "give zone or device, not both"),
        ("device", wanted.device is not None and wanted.unit is None, "a device is named with its unit; give unit"),
        (
            "component",
            wanted.component is not None and (wanted.device is None or permit),
            "a component is a point of a device that is tested or worked on; give device, or leave it out",
        ),
    )
    for field, wrong, why in refused:
        if wrong:
            raise InvalidInput(f"{field} {getattr(wanted, field)!r}: {why}", {"field": field})


def _start(wanted: Wanted, at: Micros) -> Micros:
    """Return when it begins; InvalidInput for times no such window may have."""
    given = at if wanted.starts_at is None else wanted.starts_at
    if given < at - LATE_START:
        raise InvalidInput(
            f"starts_at {rfc3339(given)} is past (now {rfc3339(at)}); leave it out for a window that begins now",
            {"field": "starts_at"},
        )
    starts_at = max(given, at)
    ahead, longest = AHEAD[wanted.kind], LONGEST[wanted.kind]
    if starts_at > at + ahead:
        raise InvalidInput(
            f"starts_at {rfc3339(starts_at)} is more than {_long(ahead)} ahead; announce the {wanted.kind} nearer then",
            {"field": "starts_at"},
        )
    if wanted.ends_at <= starts_at:
        raise InvalidInput(
            f"ends_at {rfc3339(wanted.ends_at)} is not after the start at {rfc3339(starts_at)}; give a later one",
            {"field": "ends_at"},
        )
    if wanted.ends_at - starts_at > longest:
        raise InvalidInput(
            f"{_ONE[wanted.kind]} from {rfc3339(starts_at)} to {rfc3339(wanted.ends_at)} is longer than"
            f" {_long(longest)}, the longest; let it end by {rfc3339(starts_at + longest)}, and announce another if"
            " that is not enough",
            {"field": "ends_at"},
        )
    return starts_at


def _long(span: Micros) -> str:
    return f"{span // DAY} days" if span > DAY else f"{span // HOUR} hours"


def approve(window: Window, actor: Actor, at: Micros) -> Window:
    """Return the window approved by somebody of the centre; itself where it is already, Conflict where it is over."""
    _centre_only(actor, "approves")
    state = window.state(at)
    if state in {WindowState.PLANNED, WindowState.ACTIVE}:
        return window
    if state is not WindowState.REQUESTED:
        raise Conflict(f"{_told(window, at)} and cannot be approved any more; announce a new one", current=window)
    return replace(window, approved_by=actor.username, approved_at=at)


def refuse(window: Window, actor: Actor, why: str, at: Micros) -> Window:
    """Return the window refused; itself where it was already, Conflict where it is approved or over."""
    _centre_only(actor, "refuses")
    state = window.state(at)
    if state is WindowState.REFUSED:
        return window
    if state is not WindowState.REQUESTED:
        remedy = "it needs no refusal" if state is WindowState.ENDED else "end it instead"
        raise Conflict(f"{_told(window, at)} and cannot be refused any more; {remedy}", current=window)
    return replace(window, refused_by=actor.username, refused_at=at, refusal=why)


def end(window: Window, actor: Actor, why: str | None, at: Micros) -> Window:
    """Return the window ended early; itself where it is over, Conflict where it never began to be one.

    A unit's account withdraws its request or ends its test, from which its protection comes back; NotYours for more.
    """
    state = window.state(at)
    if state is WindowState.ENDED:
        return window
    if state is WindowState.REFUSED:
        raise Conflict(f"{_told(window, at)}; there is nothing to end", current=window)
    if actor.unit is None:
        if state is WindowState.REQUESTED:
            raise Conflict(f"{_told(window, at)} only; approve or refuse it", current=window)
    elif window.unit != actor.unit or not (state is WindowState.REQUESTED or window.kind is WindowKind.TEST):
        raise NotYours(
            f"{_told(window, at)}: a unit withdraws its own requests and ends its own tests; for {_ONE[window.kind]}"
            " call the centre"
        )
    return replace(window, ended_by=actor.username, ended_at=at, refusal=why)


def _centre_only(actor: Actor, does: str) -> None:
    if actor.unit is not None:
        raise NotYours(f"{actor.username} is an account of unit {actor.unit}; only the centre {does}")


def _told(window: Window, at: Micros) -> str:
    state = window.state(at)
    by = {
        WindowState.REFUSED: window.refused_by,
        WindowState.REQUESTED: window.requested_by,
        WindowState.ENDED: window.ended_by or "its own time",
    }.get(state, window.approved_by)
    return f"{window.kind} window {window.id} is {state} (by {by})"
