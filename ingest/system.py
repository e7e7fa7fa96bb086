"""What Firetower finds wrong with itself: telemetry that is behind (监测滞后), canaries that are missing."""

from collections.abc import Callable
from typing import Protocol

from firetower.core.clock import SECOND, Micros
from firetower.devices.events import AlertClass
from firetower.ingest.canary import EVERY, MISSED, CanaryWatch
from firetower.rules.verdicts import SubjectKind, Verdict, VerdictKind

BLIND: Micros = 60 * SECOND
"""Telemetry that is further behind shows values of long ago: the limits are blind."""
SEES: Micros = 30 * SECOND
"""Telemetry that is less behind is watched again."""
SUBJECT = "firetower"
LAG_RULE, CANARY_RULE = "system_lag", "system_canary"
_ORANGE = 2


class Lagging(Protocol):
    """Whoever knows how far telemetry is behind."""

    def lag(self, now: Micros) -> Micros:
        """Return it, µs."""
        ...


class SystemWatch:
    """Decides about Firetower's own alerts, one word a change.

    What was open before the start is not asked for: the first certain look says how it stands, and the alert of the key
    takes a raise as a repeat and a clear as its end. ``certain``: whether a lag near 0 means that telemetry keeps up.
    """

    def __init__(self, telemetry: Lagging, canary: CanaryWatch, *, certain: Callable[[], bool]) -> None:
        self._telemetry = telemetry
        self._canary = canary
        self._certain = certain
        self._blind: bool | None = None
        self._mute: bool | None = None

    def look(self, now: Micros) -> list[Verdict]:
        """Return what has changed, and at the first look how it stands."""
        return [*self._look_at_lag(now), *self._look_at_canary(now)]

    def _look_at_lag(self, now: Micros) -> list[Verdict]:
        lag = self._telemetry.lag(now)
        if lag > BLIND and self._blind is not True:
            self._blind = True
            text = (
                f"遥测滞后 {lag // SECOND} 秒（上限 {BLIND // SECOND} 秒），限值判断失明；火警不受影响。 "
                f"Telemetry is {lag // SECOND} s behind, limit {BLIND // SECOND} s: limits are blind; alarms are not."
            )
            return [_verdict(VerdictKind.RAISE, LAG_RULE, "telemetry", now, text)]
        if lag < SEES and self._blind is not False and self._certain():
            self._blind = False
            return [_verdict(VerdictKind.CLEAR, LAG_RULE, "telemetry", now)]
        return []

    def _look_at_canary(self, now: Micros) -> list[Verdict]:
        if self._canary.missed(now) and self._mute is not True:
            self._mute = True
            text = (
                f"自检信号超过 {MISSED // SECOND} 秒未落库（每 {EVERY // SECOND} 秒一次），"
                "报警通路可能中断，请改用电话值守。 "
                f"No canary was committed for {MISSED // SECOND} s, one flies every {EVERY // SECOND} s: "
                "alarms may not get through; watch by telephone."
            )
            return [_verdict(VerdictKind.RAISE, CANARY_RULE, "alarm", now, text)]
        if self._canary.alive(now) and self._mute is not False:
            self._mute = False
            return [_verdict(VerdictKind.CLEAR, CANARY_RULE, "alarm", now)]
        return []


_TITLES = {
    LAG_RULE: ("监测滞后：限值失明", "Monitoring lags: limits are blind"),
    CANARY_RULE: ("自检信号缺失：报警通路可能中断", "Canaries are missing: alarms may not get through"),
}


def _verdict(kind: VerdictKind, rule: str, component: str, at: Micros, text: str = "") -> Verdict:
    title_zh, title_en = _TITLES[rule]
    return Verdict(
        kind=kind,
        rule=rule,
        rule_version=1,
        subject_kind=SubjectKind.SYSTEM,
        subject=SUBJECT,
        component=component,
        alert_class=AlertClass.FAULT,
        priority=_ORANGE,
        latch=False,
        at=at,
        title_zh=title_zh,
        title_en=title_en,
        text=text,
    )
