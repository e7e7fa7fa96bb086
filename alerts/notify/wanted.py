"""Whether an alert still asks for a letter, and which of those that wait are handed to a channel now.

A reminder never goes out for something already handled: a letter asks its reason of the alert as it stands, at the
moment it is taken into hand. Of several that wait for one address about one alert only the newest is sent.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from firetower.alerts.flags import IN_TEST
from firetower.alerts.model import Alert, Condition, Hold, State, Verification
from firetower.alerts.notify.letters import Letter

HANDLED = "handled"
"""Why a letter was cancelled: what it told of was handled first."""
SUPERSEDED = "superseded"
"""Why a letter was cancelled: a newer one to the same address about the same alert waits too."""


def _unanswered(alert: Alert) -> bool:
    return alert.state is State.UNACKNOWLEDGED


def _stands(alert: Alert) -> bool:
    return alert.condition is Condition.ACTIVE


_ASKS: dict[str, Callable[[Alert], bool]] = {
    "unacknowledged": _unanswered,
    "unshown": lambda alert: alert.shown_at is None and _unanswered(alert),
    "unverified": lambda alert: alert.verification is None and alert.forwarded_at is None,
    "unforwarded": lambda alert: alert.verification is Verification.UNVERIFIABLE and alert.forwarded_at is None,
    "unattended": _stands,
    "uncovered": _stands,
    "presence": _stands,
    "self_test": _stands,
    "channel": _stands,
}
"""What an open alert must be like for a letter of that reason; any other, such as ``raised``, is news while it is."""


def wanted(alert: Alert, reason: str) -> bool:
    """Say whether ``alert`` still asks for a letter of that reason.

    Never once it is closed or put aside; nor once it is false, tested or normal again, but for the receipt 119 owes.
    """
    if alert.state is State.CLOSED or alert.hold is not Hold.NONE:
        return False
    if reason == "unreceipted":
        return alert.is_forwarded and alert.receipted_at is None
    if alert.state is State.RETURNED or alert.verification is Verification.FALSE or IN_TEST in alert.flags:
        return False
    asks = _ASKS.get(reason)
    return asks is None or asks(alert)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A letter that is due, and its alert as it stands."""

    letter: Letter
    alert: Alert

    def in_hand(self) -> "Candidate":
        """Return it as it stands once it is taken into hand: that is a try."""
        return replace(self, letter=replace(self.letter, tries=self.letter.tries + 1))


def urgency(candidate: Candidate) -> tuple[bool, int, int, int]:
    """Return what due letters are ordered by: fires, then priority, then the one that has waited longest."""
    alert, letter = candidate.alert, candidate.letter
    return (not alert.is_fire, alert.priority, letter.next_try_at, letter.id)


@dataclass(frozen=True, slots=True)
class Sorted:
    """What becomes of candidates: to be sent now, and to be cancelled with the reason."""

    send: tuple[Candidate, ...]
    cancel: tuple[tuple[Letter, str], ...]


def sort_out(candidates: Sequence[Candidate], most: int) -> Sorted:
    """Decide about candidates; at most ``most`` are to be sent, the others wait on."""
    newest: dict[tuple[int, str], int] = {}
    for each in candidates:
        if wanted(each.alert, each.letter.new.reason):
            to = (each.alert.id, each.letter.new.address)
            newest[to] = max(newest.get(to, 0), each.letter.id)
    send: list[Candidate] = []
    cancel: list[tuple[Letter, str]] = []
    for each in sorted(candidates, key=urgency):
        if not wanted(each.alert, each.letter.new.reason):
            cancel.append((each.letter, HANDLED))
        elif newest[each.alert.id, each.letter.new.address] != each.letter.id:
            cancel.append((each.letter, SUPERSEDED))
        elif len(send) < most:
            send.append(each)
    return Sorted(tuple(send), tuple(cancel))
