"""What becomes of alerts whose rule the rulebook in force has no more 规则已删除, or only on trial. No I/O.

Nobody notices their return to normal any more. A plain one is over: what it waits for will not be said. What latches,
a fire first of all, is a person's to end; it stays as it is and says that its rule is gone.
"""

from dataclasses import replace

from firetower.alerts.lifecycle import Trigger, following
from firetower.alerts.model import Alert, Condition, Hold, State
from firetower.alerts.moves import Decided, entry, moved
from firetower.core.clock import Micros
from firetower.rules.verdicts import RULE_GONE

BY = "rulebook"
"""The actor: a rulebook that was loaded."""
RULE_BACK = "rule_back"
"""The reason of the entry when the rule is in force again."""


def gone(alert: Alert, at: Micros, *, on_trial: bool = False) -> Decided | None:
    """Return an alert after its rule went out of force; None when that changes nothing.

    ``on_trial``: the rulebook has the rule still, and what it says raises no alerts.
    """
    said = {"rule": alert.rule, "rule_version": alert.rule_version, "on_trial": on_trial or None}
    if alert.latched and alert.state is not State.CLOSED:
        if RULE_GONE in alert.flags:
            return None
        marked = replace(alert, state=following(alert, Trigger.NOTE), flags=(*alert.flags, RULE_GONE))
        return marked, (entry(alert, marked, RULE_GONE, said, actor=BY, at=at),)
    if alert.condition is Condition.NORMAL:
        return None
    hides = alert.hold in {Hold.SUPPRESSED, Hold.OUT_OF_SERVICE}
    trigger = Trigger.RETURNS_HELD if hides else Trigger.RETURNS
    after = moved(
        alert,
        trigger,
        actor=BY,
        at=at,
        condition=Condition.NORMAL,
        condition_at=max(alert.condition_at, at),
        **({"closed_at": alert.closed_at, "closed_by": alert.closed_by} if alert.state is State.CLOSED else {}),
    )
    return after, (entry(alert, after, RULE_GONE, said, actor=BY, at=at),)


def back(alert: Alert, at: Micros) -> Decided | None:
    """Return an alert that said its rule was gone, its rule being in force again; None when it does not say so."""
    if RULE_GONE not in alert.flags:
        return None
    words = tuple(word for word in alert.flags if word != RULE_GONE)
    after = replace(alert, state=following(alert, Trigger.NOTE), flags=words)
    return after, (entry(alert, after, RULE_BACK, {"rule": alert.rule}, actor=BY, at=at),)
