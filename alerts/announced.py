"""Announced tests and drills: what their end means for what was raised in them. No I/O.

What is still open when its test ends is treated as real from then on. It may still be closed as ``test`` without a
call-back, for all that it says was said in the test; whatever it says later takes that away (``judge.py``). It is the
same with drills.
"""

from collections.abc import Iterable
from dataclasses import replace

from firetower.alerts import flags
from firetower.alerts.deadlines import TIMER
from firetower.alerts.holds import where_of
from firetower.alerts.lifecycle import Trigger, following
from firetower.alerts.model import Alert, State
from firetower.alerts.moves import Decided, awaited_anew, entry
from firetower.alerts.windows import Where, Window, WindowKind, WindowState
from firetower.core.clock import Micros

ANNOUNCED = {
    flags.IN_TEST: WindowKind.TEST,
    flags.DURING_TEST: WindowKind.TEST,
    flags.AFTER_TEST: WindowKind.TEST,
    flags.IN_DRILL: WindowKind.DRILL,
    flags.AFTER_DRILL: WindowKind.DRILL,
}
"""Words on an alert that stand for an announced test or drill, and for which."""

_AFTERWARDS = {flags.IN_TEST: flags.AFTER_TEST, flags.IN_DRILL: flags.AFTER_DRILL}
_ENDED = {flags.IN_TEST: "test_ended", flags.IN_DRILL: "drill_ended"}

IN_FORCE = tuple(_AFTERWARDS)
"""The words among them that end with their window."""

KINDS = frozenset(ANNOUNCED.values())
"""The kinds of windows they name."""


def over(said: Iterable[str], where: Where, windows: Iterable[Window], at: Micros) -> frozenset[str]:
    """Return which of an alert's words name a test or drill though none of ``windows`` that covers it is in force."""
    kinds = {each.kind for each in windows if each.state(at) is WindowState.ACTIVE and each.covers(where)}
    return frozenset(word for word in said if word in ANNOUNCED and ANNOUNCED[word] not in kinds)


def ended(alert: Alert, windows: Iterable[Window], at: Micros) -> Decided | None:
    """Return an open alert after its test or drill ended by time or by a person; None while ``windows`` cover it.

    Its state stays: whoever took it on has it still. A version on where it was in a test, for it sounds otherwise now.
    """
    gone = over(alert.flags, where_of(alert), windows, at).intersection(IN_FORCE)
    if not gone or alert.state is State.CLOSED:
        return None
    was_tested = flags.IN_TEST in gone
    version = alert.version + 1 if was_tested else alert.version
    state = following(alert, Trigger.NOTE)
    words = tuple(_AFTERWARDS[word] if word in gone else word for word in alert.flags)
    anew = awaited_anew(alert, at) if was_tested else {}
    after = replace(alert, state=state, flags=words, version=version, **anew)
    said = {"window": alert.window_id}
    return after, tuple(
        entry(alert, after, _ENDED[word], said, actor=TIMER, at=at) for word in IN_FORCE if word in gone
    )
