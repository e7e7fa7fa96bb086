"""Alerts that are not stored: what verdicts would do to a desk whose operators answer at once, for back-tests."""

import heapq
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from firetower.alerts.acts import Acknowledge, decide
from firetower.alerts.judge import Outcome, judge, sender_of
from firetower.alerts.lifecycle import Trigger, holds_key
from firetower.alerts.model import Alert, Condition, Hold, State
from firetower.alerts.moves import moved
from firetower.core.clock import MINUTE, Micros
from firetower.devices.events import AlertClass
from firetower.rules.verdicts import Verdict, VerdictKind

Key = tuple[str, str, str, str]
"""Rule, kind of subject, subject, component."""
SAME_WITHIN: Micros = 10 * MINUTE
"""A stored alert and one of a back-test that began this close together are about the same thing."""
_ACTOR = "backtest"
_SOUNDS_AGAIN = {"priority_rose": "rose", "occurred_again": "again", "suppression_over": "released"}


@dataclass(frozen=True, slots=True)
class Answered:
    """What people did with a stored alert: when it was raised, taken on and closed, µs; None: it was not."""

    raised_at: Micros
    acknowledged_at: Micros | None
    closed_at: Micros | None


@dataclass(frozen=True, slots=True)
class Sounded:
    """Something an operator would have been told of, or not: ``seen``.

    ``why``: ``raised``, a new alert; ``rose``, its priority did; ``again``, it happened once more; ``released``, what
    suppressed it by design is over. ``device_at``: event time, ``at``: when it was decided, µs. Not ``seen``: of a rule
    on trial (``shadow``), held back by design (``suppressed``), or of the past (``historical``).
    """

    key: Key
    alert_class: AlertClass
    priority: int
    unit: str | None
    device_number: int | None
    device_at: Micros
    at: Micros
    why: str
    title_zh: str
    title_en: str
    shadow: bool = False
    suppressed: bool = False
    historical: bool = False

    @property
    def seen(self) -> bool:
        """Whether it would have come up on the desk."""
        return not (self.shadow or self.suppressed or self.historical)


@dataclass(frozen=True, slots=True)
class Cleared:
    """The condition of an alert was normal again at event time ``device_at``, µs."""

    key: Key
    unit: str | None
    device_number: int | None
    priority: int
    device_at: Micros


class Rehearsal:
    """Open alerts in memory, moved by the state machine that moves the stored ones; ``sounded``: what came of it;
    ``cleared``: when conditions were normal again.

    Every alert is acknowledged at once, and a latched one closed as soon as its condition is normal; but where a stored
    alert of the same key began within SAME_WITHIN of it, when that one was (``answers``).
    """

    def __init__(self, answers: Mapping[Key, Sequence[Answered]] | None = None) -> None:
        self._answers = answers or {}
        self._open: dict[Key, Alert] = {}
        self._due: list[tuple[Micros, int, Key, Trigger]] = []
        self._acts = 0
        self.sounded: list[Sounded] = []
        self.cleared: list[Cleared] = []

    def take(self, verdicts: Iterable[Verdict], since: Micros, until: Micros) -> None:
        """Take in what was decided from ``since`` to ``until``, µs; what is older is decided at the end of it."""
        for verdict in sorted(verdicts, key=_instant):
            at = verdict.at if since <= verdict.at <= until else until
            self._answer(at)
            if verdict.kind is not VerdictKind.RECORD:
                self._judge(verdict, at)
        self._answer(until)

    def _judge(self, verdict: Verdict, at: Micros) -> None:
        key = verdict.key
        before = self._open.get(key)
        outcome = judge(before, verdict, at)
        if outcome.alert is None:
            return
        why = _why(outcome)
        if why is not None:
            self.sounded.append(_sounded(verdict, outcome.alert, at, why))
        if _is_over(before, outcome.alert):
            sender = sender_of(verdict)[0]
            self.cleared.append(Cleared(key, sender, verdict.device_number, outcome.alert.priority, verdict.at))
        self._keep(key, outcome.alert)
        if outcome.began:
            self._plan(key, outcome.alert, at)
        self._answer_at_once(key, at)

    def _plan(self, key: Key, alert: Alert, at: Micros) -> None:
        """Note when the stored alert that this one is was taken on and closed."""
        stored = self._stored(key, alert.raised_at)
        if stored is None:
            return
        for when, act in ((stored.acknowledged_at, Trigger.ACKNOWLEDGE), (stored.closed_at, Trigger.CLOSE)):
            if when is not None:
                self._acts += 1
                heapq.heappush(self._due, (max(when, at), self._acts, key, act))

    def _stored(self, key: Key, raised_at: Micros) -> Answered | None:
        near = [each for each in self._answers.get(key, ()) if abs(each.raised_at - raised_at) <= SAME_WITHIN]
        return min(near, key=lambda each: abs(each.raised_at - raised_at), default=None)

    def _answer(self, until: Micros) -> None:
        """Do what people did up to ``until``."""
        while self._due and self._due[0][0] <= until:
            at, _, key, act = heapq.heappop(self._due)
            alert = self._open.get(key)
            if alert is None:
                continue
            if alert.state in {State.UNACKNOWLEDGED, State.RETURNED}:
                alert = decide(alert, Acknowledge(), actor=_ACTOR, at=at)[0]
            if act is Trigger.CLOSE and alert.state is State.ACKNOWLEDGED:
                alert = moved(alert, Trigger.CLOSE, actor=_ACTOR, at=at)
            self._keep(key, alert)

    def _answer_at_once(self, key: Key, at: Micros) -> None:
        """Do at once what no stored alert says the time of; what is held back is in front of nobody."""
        alert = self._open.get(key)
        if alert is None or alert.hold is not Hold.NONE or self._stored(key, alert.raised_at) is not None:
            return
        if alert.state in {State.UNACKNOWLEDGED, State.RETURNED}:
            alert = decide(alert, Acknowledge(), actor=_ACTOR, at=at)[0]
        if alert.latched and alert.state is State.ACKNOWLEDGED and alert.condition is Condition.NORMAL:
            alert = moved(alert, Trigger.CLOSE, actor=_ACTOR, at=at)
        self._keep(key, alert)

    def _keep(self, key: Key, alert: Alert) -> None:
        if holds_key(alert):
            self._open[key] = alert
        else:
            self._open.pop(key, None)


def by_key(answers: Iterable[tuple[Key, Answered]]) -> dict[Key, list[Answered]]:
    """Return what people did, by the key of what they did it to."""
    found: dict[Key, list[Answered]] = defaultdict(list)
    for key, answered in answers:
        found[key].append(answered)
    return dict(found)


def _is_over(before: Alert | None, after: Alert) -> bool:
    return before is not None and before.condition is Condition.ACTIVE and after.condition is Condition.NORMAL


def _why(outcome: Outcome) -> str | None:
    if outcome.began:
        return "raised"
    return None if outcome.transition is None else _SOUNDS_AGAIN.get(outcome.transition.reason)


def _sounded(verdict: Verdict, alert: Alert, at: Micros, why: str) -> Sounded:
    return Sounded(
        key=verdict.key,
        alert_class=alert.alert_class,
        priority=alert.priority,
        unit=sender_of(verdict)[0],
        device_number=verdict.device_number,
        device_at=verdict.at,
        at=at,
        why=why,
        title_zh=verdict.title_zh,
        title_en=verdict.title_en,
        shadow=verdict.shadow,
        suppressed=alert.hold is Hold.SUPPRESSED,
        historical=verdict.for_the_record,
    )


def _instant(verdict: Verdict) -> Micros:
    return verdict.at
