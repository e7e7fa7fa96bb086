"""Which policy is for which alert, since when, and until when: what a policy's words mean of an alert as it stands.

Nobody is told of what is closed, held (shelved, suppressed, out of service), normal again without being latched, false,
or in an announced test; the one exception is a receipt that 119 owes. An alert of Firetower's own that has a word of
its own (``OWN``) comes under policies of that word only.
"""

from collections.abc import Callable, Iterable

from firetower.alerts.duty.policies import OWN, Of, Policy, Until
from firetower.alerts.escalation.ports import Case
from firetower.alerts.flags import IN_TEST
from firetower.alerts.model import Alert, Condition, Hold, State, Verification
from firetower.core.clock import Micros
from firetower.devices.events import AlertClass

_OWN_RULES = frozenset(OWN.values())


def is_for(policy: Policy, case: Case) -> bool:
    """Say whether ``policy`` is for an alert like this, whatever its state."""
    alert, covered = case.alert, policy.covered
    own = OWN.get(policy.of)
    return (
        (alert.rule == own if own is not None else alert.rule not in _OWN_RULES)
        and (not covered.classes or alert.alert_class in covered.classes)
        and (not covered.priorities or alert.priority in covered.priorities)
        and (not covered.units or alert.unit in covered.units)
        and (not covered.grids or case.grid in covered.grids)
        and (not covered.categories or case.category in covered.categories)
    )


def classes_of(policies: Iterable[Policy]) -> frozenset[AlertClass] | None:
    """Return the classes of which somebody is told; None where a policy is for all."""
    named = [policy.covered.classes for policy in policies]
    return frozenset(each for classes in named for each in classes) if all(named) else None


def began(policy: Policy, alert: Alert) -> Micros | None:
    """Return since when ``policy`` has something to tell of an alert as it stands; None when it has nothing."""
    if alert.state is State.CLOSED or alert.hold is not Hold.NONE:
        return None
    if policy.of is Of.UNRECEIPTED:
        return alert.forwarded_at if alert.is_forwarded and alert.receipted_at is None else None
    if alert.state is State.RETURNED or alert.verification is Verification.FALSE or IN_TEST in alert.flags:
        return None
    if _ENDED[policy.ends](alert):
        return None
    return _SINCE[policy.of](alert)


def _unacknowledged(alert: Alert) -> Micros | None:
    return alert.alarmed_at if alert.state is State.UNACKNOWLEDGED else None


def _stands(alert: Alert) -> Micros | None:
    return _unacknowledged(alert) if alert.condition is Condition.ACTIVE else None


def _unshown(alert: Alert) -> Micros | None:
    return _unacknowledged(alert) if alert.shown_at is None else None


def _unverified(alert: Alert) -> Micros | None:
    waits = alert.state is State.ACKNOWLEDGED and alert.verification is None and alert.acknowledged_at is not None
    return max(alert.acknowledged_at or 0, alert.alarmed_at) if waits else None


def _unforwarded(alert: Alert) -> Micros | None:
    waits = alert.state is State.ACKNOWLEDGED and alert.verification is Verification.UNVERIFIABLE
    if not waits or alert.forwarded_at is not None or alert.verified_at is None:
        return None
    return max(alert.verified_at, alert.acknowledged_at or 0, alert.alarmed_at)


_SINCE: dict[Of, Callable[[Alert], Micros | None]] = {
    Of.RAISED: lambda alert: alert.alarmed_at,
    Of.UNSHOWN: _unshown,
    Of.UNACKNOWLEDGED: _unacknowledged,
    Of.UNVERIFIED: _unverified,
    Of.UNFORWARDED: _unforwarded,
    **dict.fromkeys(OWN, _stands),
}
_ENDED: dict[Until, Callable[[Alert], bool]] = {
    Until.ACKNOWLEDGED: lambda alert: alert.state is State.ACKNOWLEDGED,
    Until.VERIFIED: lambda alert: alert.verification is Verification.REAL or alert.forwarded_at is not None,
    Until.RECEIPTED: lambda alert: alert.receipted_at is not None,
}
