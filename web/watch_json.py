"""The watch, handovers, the shift log, the roster and scopes as the API writes them."""

from typing import Any

from pydantic import Field

from firetower.alerts.watch.handover import Handover
from firetower.alerts.watch.log import LogEntry
from firetower.alerts.watch.presence import OnDuty
from firetower.alerts.watch.roster import Day, Planned, Swap, Weekly
from firetower.core.clock import Micros
from firetower.storage.watch import Watch
from firetower.storage.watch_handovers import Draft, Passed
from firetower.storage.watch_roster import StoredRoster
from firetower.storage.watch_scopes import Person
from firetower.web.api_models import Answered, Instant, instant, instant_or_none
from firetower.web.window_json import WindowOut, window_out


class OnDutyOut(Answered):
    """Somebody on duty."""

    account: str
    since: Instant
    missed: bool = Field(description="a presence check (查岗) was not answered in time, and still is not")


class PresenceOut(Answered):
    """A presence check that waits for an answer."""

    asked_at: Instant
    until: Instant
    missed: bool = Field(description="`until` is past: it is an alert by now, and can still be answered")


class WatchFrame(Answered):
    """The watch; latest wins."""

    on_duty: list[OnDutyOut]
    seats: int = Field(description="live seats whose sound works, of people who may act")
    unattended_since: Instant | None = Field(description="nobody is at a live seat that sounds (无人值守)")
    uncovered: int = Field(description="units in the scope of no live seat (无人覆盖)")
    handover: str | None = Field(description="id of the open handover")
    presence: PresenceOut | None = Field(description="what this session's own person is asked")


class PlannedOut(Answered):
    """A shift and who is planned for it."""

    id: str = Field(description="the local time it begins", examples=["2026-11-23T08:00"])
    begin: Instant
    end: Instant
    accounts: list[str]
    reason: str = Field(description="why it is not as every week; else empty")


class WatchOut(WatchFrame):
    """The watch with the shift that is on, and the next one."""

    shift: PlannedOut
    next: PlannedOut


class HandoverOut(Answered):
    """A handover 交接班."""

    id: str
    outgoing: str
    incoming: str | None = Field(description="null: nobody has come yet")
    begun_by: str
    begun_at: Instant
    notes: str
    state: str = Field(description="open, completed or cancelled")
    ended_at: Instant | None
    ended_by: str | None


class PassedOut(Answered):
    """An open alarm that passes over."""

    id: str
    title_zh: str
    title_en: str
    alert_class: str = Field(serialization_alias="class")
    priority: int
    state: str
    hold: str
    unit: str | None
    place: str | None
    assignee: str | None
    raised_at: Instant
    notes: int = Field(description="notes written on it")
    calls: int
    last_call: str | None = Field(description="the result of the newest call about it", examples=["no_answer"])
    letters_waiting: int = Field(description="people who are yet to be told of it")
    letters_failed: int
    accepted: bool


class DraftOut(HandoverOut):
    """A handover with all that passes over as it stands now."""

    alerts: list[PassedOut] = Field(description="open alarms, those not accepted first; at most 1000")
    open: int = Field(description="open alarms in all")
    accepted: int = Field(description="of them accepted")
    windows: list[WindowOut] = Field(description="tests, drills, maintenance, impairments and permits asked for or on")


class HandoverPage(Answered):
    """Handovers, newest first."""

    items: list[HandoverOut]
    next_cursor: str | None


class LogEntryOut(Answered):
    """An entry of the shift log 值班日志; none is ever changed."""

    id: str
    at: Instant
    shift: str
    kind: str = Field(examples=["note", "sign_on", "handover", "unattended"])
    actor: str = Field(description="an account, `firetower`, or `timer` for what is done by the clock")
    text: str = Field(description="a person's words; empty in what the system adds")
    refers_to: str | None = Field(description="the entry that this one corrects or adds to")
    alert_id: str | None
    evidence: dict[str, Any]


class LogPage(Answered):
    """Entries in the order asked for."""

    items: list[LogEntryOut]
    next_cursor: str | None


class RosterOut(Answered):
    """The duty roster 排班 in force."""

    revision: int = Field(description="0: there is none yet")
    changed_at: Instant | None
    changed_by: str | None
    weekly: list[Weekly]
    days: list[Day]
    shifts: list[Swap]
    planned: list[PlannedOut] = Field(description="the shift that is on, and the next ones of a week")


class ScopeOut(Answered):
    """What an account answers for; nothing named: everything."""

    units: list[str]
    grids: list[str]
    districts: list[str]


class PersonOut(Answered):
    """An account."""

    username: str
    role: str = Field(description="admin, operator, viewer or unit")
    unit: str | None = Field(description="whose account it is, of role `unit`")
    disabled: bool
    on_duty: bool
    scope: ScopeOut


class People(Answered):
    """Accounts, by name."""

    items: list[PersonOut]
    next_cursor: str | None


def presence_of(duty: OnDuty, within: Micros) -> PresenceOut | None:
    """Return what somebody on duty is asked, to be answered ``within`` µs; None while nothing is."""
    if duty.asked_at is None:
        return None
    until = instant(duty.asked_at + within)
    return PresenceOut(asked_at=instant(duty.asked_at), until=until, missed=duty.missed_at is not None)


def members_of(watch: Watch, presence: PresenceOut | None) -> dict[str, Any]:
    """Return the members of a ``WatchFrame``, ``presence`` last."""
    return {
        "on_duty": [
            OnDutyOut(account=each.account, since=instant(each.since), missed=each.missed_at is not None)
            for each in watch.on_duty
        ],
        "seats": len(watch.sounding),
        "unattended_since": instant_or_none(watch.unattended_since),
        "uncovered": watch.uncovered,
        "handover": None if watch.handover is None else str(watch.handover),
        "presence": presence,
    }


def planned_out(planned: Planned) -> PlannedOut:
    """Return a planned shift as the API writes it."""
    shift = planned.shift
    return PlannedOut(
        id=shift.id,
        begin=instant(shift.begin),
        end=instant(shift.end),
        accounts=list(planned.accounts),
        reason=planned.reason,
    )


def handover_out(handover: Handover) -> HandoverOut:
    """Return a handover as the API writes it."""
    return HandoverOut(**_handover(handover))


def draft_out(draft: Draft, now: int) -> DraftOut:
    """Return a handover with what passes over as the API writes it."""
    return DraftOut(
        **_handover(draft.handover),
        alerts=[_passed(each) for each in draft.alerts],
        open=draft.open,
        accepted=draft.accepted,
        windows=[window_out(window, now) for window in draft.windows],
    )


def entry_out(entry: LogEntry, shift: str) -> LogEntryOut:
    """Return an entry of the shift log as the API writes it."""
    return LogEntryOut(
        id=str(entry.id),
        at=instant(entry.at),
        shift=shift,
        kind=entry.kind,
        actor=entry.actor,
        text=entry.text,
        refers_to=None if entry.refers_to is None else str(entry.refers_to),
        alert_id=None if entry.alert_id is None else str(entry.alert_id),
        evidence=dict(entry.evidence),
    )


def roster_out(stored: StoredRoster, planned: list[Planned]) -> RosterOut:
    """Return the roster as the API writes it."""
    return RosterOut(
        revision=stored.revision,
        changed_at=instant_or_none(stored.changed_at),
        changed_by=stored.changed_by,
        weekly=list(stored.roster.weekly),
        days=list(stored.roster.days),
        shifts=list(stored.roster.shifts),
        planned=[planned_out(each) for each in planned],
    )


def person_out(person: Person, *, on_duty: bool) -> PersonOut:
    """Return an account as the API writes it."""
    scope = person.scope
    return PersonOut(
        username=person.username,
        role=person.role,
        unit=person.unit,
        disabled=person.disabled,
        on_duty=on_duty,
        scope=ScopeOut(units=sorted(scope.units), grids=sorted(scope.grids), districts=sorted(scope.districts)),
    )


def _handover(handover: Handover) -> dict[str, Any]:
    return {
        "id": str(handover.id),
        "outgoing": handover.outgoing,
        "incoming": handover.incoming,
        "begun_by": handover.begun_by,
        "begun_at": instant(handover.begun_at),
        "notes": handover.notes,
        "state": handover.state.value,
        "ended_at": instant_or_none(handover.ended_at),
        "ended_by": handover.ended_by,
    }


def _passed(passed: Passed) -> PassedOut:
    alert = passed.alert
    return PassedOut(
        id=str(alert.id),
        title_zh=alert.title_zh,
        title_en=alert.title_en,
        alert_class=alert.alert_class.value,
        priority=alert.priority,
        state=alert.state.value,
        hold=alert.hold.value,
        unit=alert.unit,
        place=alert.place or alert.text or None,
        assignee=alert.assignee,
        raised_at=instant(alert.raised_at),
        notes=passed.notes,
        calls=passed.calls,
        last_call=passed.last_call,
        letters_waiting=passed.letters_waiting,
        letters_failed=passed.letters_failed,
        accepted=passed.accepted,
    )
