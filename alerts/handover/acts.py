"""What a person tells 119 after the hand-over: a follow-up 续报, and the cancellation 撤警. Neither is a verdict."""

from dataclasses import dataclass

from firetower.alerts.handover.model import HandedOver
from firetower.alerts.lifecycle import Trigger, following
from firetower.alerts.model import Alert
from firetower.alerts.moves import Decided, entry, moved
from firetower.alerts.words import CAUSE_LIMIT, NOTE_LIMIT, needed
from firetower.core.clock import Micros
from firetower.core.errors import Conflict


@dataclass(frozen=True, slots=True)
class FollowUp:
    """续报: what is known by now."""

    text: str


@dataclass(frozen=True, slots=True)
class Cancel:
    """撤警: 119 need not come; it says nothing of what the alert turned out to be."""

    reason: str


def tell(alert: Alert, act: FollowUp | Cancel, actor: str, at: Micros) -> Decided:
    """Write down what 119 is told further. Raises InvalidInput without words, Conflict where no hand-over stands."""
    return _follow_up(alert, act, actor, at) if isinstance(act, FollowUp) else _cancel(alert, act, actor, at)


def _follow_up(alert: Alert, act: FollowUp, actor: str, at: Micros) -> Decided:
    what = f"a follow-up on alert {alert.id}"
    text = needed(what, "text", act.text, NOTE_LIMIT, "say what is known by now")
    following(alert, Trigger.FOLLOW_UP)
    _standing(alert, what, "note it here")
    return alert, (entry(alert, alert, "followed_up", {"text": text}, actor=actor, at=at),)


def _cancel(alert: Alert, act: Cancel, actor: str, at: Micros) -> Decided:
    what = f"cancelling the hand-over of alert {alert.id}"
    reason = needed(what, "reason", act.reason, CAUSE_LIMIT, "say why 119 need not come")
    following(alert, Trigger.CANCEL)
    standing = _standing(alert, what, "note it here")
    after = moved(alert, Trigger.CANCEL, actor=actor, at=at)
    said = {"reason": reason, "key": standing.key}
    return after, (entry(alert, after, "cancelled", said, actor=actor, at=at),)


def _standing(alert: Alert, what: str, beside: str) -> HandedOver:
    """Return the hand-over of an alert; Conflict when there is none, or it was cancelled."""
    if alert.handover is None:
        raise Conflict(
            f"{what} is not possible: it was not handed over through the interface to 119; call 119, and {beside}",
            current=alert,
        )
    if alert.handover.cancel is not None:
        raise Conflict(
            f"{what} is not possible: its hand-over was cancelled; forward it again, or call 119 and {beside}",
            current=alert,
        )
    return alert.handover
