"""The handover 交接班: a draft that the one who comes accepts alarm by alarm, by name, and then completes.

``open`` until it is *completed* by whoever comes, or *cancelled*. One is open at a time. Whoever comes is named at the
beginning or is the first other person who accepts; from then on nobody else accepts or completes it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from firetower.core.clock import Micros
from firetower.core.errors import Conflict

_NAMED = 5


class HandoverState(StrEnum):
    """How far it is."""

    OPEN = "open"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Handover:
    """A handover as stored. ``incoming`` None: nobody has come yet. Times in µs."""

    id: int
    outgoing: str
    incoming: str | None
    begun_by: str
    begun_at: Micros
    notes: str = ""
    state: HandoverState = HandoverState.OPEN
    ended_at: Micros | None = None
    ended_by: str | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """An open alert that nobody accepted yet."""

    id: int
    title: str


def begin(
    outgoing: str, incoming: str | None, *, actor: str, on_duty: Sequence[str], at: Micros, notes: str
) -> Handover:
    """Return the draft of a handover. Raises Conflict where whoever leaves is not on duty, or both are one person."""
    if outgoing not in on_duty:
        there = ", ".join(on_duty) or "nobody"
        raise Conflict(
            f"{outgoing} is not on duty, {there} is; name in `from` who leaves, or sign on with POST /api/v1/watch/on"
        )
    if incoming == outgoing:
        raise Conflict(f"{outgoing} cannot hand over to {outgoing}; name in `to` who comes, or leave it out")
    if actor not in {outgoing, incoming}:
        raise Conflict(f"{actor} neither leaves nor comes; let {outgoing} begin it, or whoever takes over")
    return Handover(0, outgoing, incoming, actor, at, notes)


def accept(handover: Handover, actor: str) -> Handover:
    """Return the handover with whoever comes. Raises Conflict where it is not theirs to accept."""
    _check_open(handover)
    if actor == handover.outgoing:
        raise Conflict(f"{actor} leaves; whoever comes accepts the alarms, signed in under their own name")
    if handover.incoming not in {None, actor}:
        raise Conflict(f"handover {handover.id} is to {handover.incoming}; cancel it and begin another for {actor}")
    return handover if handover.incoming == actor else replace(handover, incoming=actor)


def complete(handover: Handover, actor: str, missing: Sequence[Waiting], at: Micros, *, at_seat: bool) -> Handover:
    """Return the handover, done. Raises Conflict where alarms are not accepted (``missing`` lists them), by anybody but
    whoever comes, and from no live seat whose sound works.
    """
    handover = accept(handover, actor)
    if not at_seat:
        raise Conflict(
            f"{actor} is at no live seat whose sound works; open the console, switch its sound on, and complete there"
        )
    if missing:
        named = "; ".join(f"{each.id} {each.title}" for each in missing[:_NAMED])
        raise Conflict(
            f"{len(missing)} open alarms are not accepted yet: {named}{' …' if len(missing) > _NAMED else ''}; look at"
            f" them and accept them (POST /api/v1/watch/handovers/{handover.id}/accept)",
            current={"missing": [{"id": str(each.id), "title": each.title} for each in missing]},
        )
    return replace(handover, state=HandoverState.COMPLETED, ended_at=at, ended_by=actor)


def cancel(handover: Handover, actor: str, at: Micros, *, admin: bool) -> Handover:
    """Return the handover, cancelled: by whoever leaves, comes or began it, or by an admin. Raises Conflict."""
    _check_open(handover)
    if not admin and actor not in {handover.outgoing, handover.incoming, handover.begun_by}:
        raise Conflict(f"{actor} has no part in handover {handover.id}; {handover.outgoing} or an admin may cancel it")
    return replace(handover, state=HandoverState.CANCELLED, ended_at=at, ended_by=actor)


def noted(handover: Handover, actor: str, notes: str) -> Handover:
    """Return the handover with other notes. Raises Conflict where it is over, or none of the actor's business."""
    _check_open(handover)
    if actor not in {handover.outgoing, handover.incoming, handover.begun_by}:
        raise Conflict(f"{actor} has no part in handover {handover.id}; write a note into the shift log instead")
    return replace(handover, notes=notes)


def _check_open(handover: Handover) -> None:
    if handover.state is not HandoverState.OPEN:
        raise Conflict(
            f"handover {handover.id} was {handover.state} by {handover.ended_by}; begin another"
            " (POST /api/v1/watch/handovers)"
        )
