"""Letters, alerts and channels the notification tests share."""

from dataclasses import replace
from typing import Any

from alert_making import T0, fire, hazard

from firetower.alerts.judge import judge
from firetower.alerts.model import Alert
from firetower.alerts.notify.letters import Letter, LetterState, NewLetter
from firetower.core.clock import SECOND
from firetower.rules.verdicts import Verdict


def alert_of(number: int = 1, verdict: Verdict | None = None, **changes: Any) -> Alert:
    """An alert as it was just raised, at T0 + 5 s."""
    raised = judge(None, verdict or fire(), T0 + 5 * SECOND).alert
    assert raised is not None
    place = {"unit": "u1", "unit_name": "百货大楼", "device": "smk-1", "place": "A座/3层/走廊"}
    return replace(raised, **({"id": number} | place | changes))


def low_pressure(number: int = 2, **changes: Any) -> Alert:
    """A hazard with value and limit."""
    values = {"component": "pressure", "metric": "pressure", "value": 0.0912, "limit_value": 0.14, "device": "h1"}
    return alert_of(number, hazard(), **(values | changes))


def new_letter(key: str = "1", alert_id: int = 1, **more: Any) -> NewLetter:
    fields: dict[str, Any] = {
        "policy": "fires", "level": 1, "reason": "unacknowledged", "channel": "hook", "address": "+86 138 0013 8000",
        "name": "王芳", "role": "responsible", "language": "zh", "due_at": T0,
    }  # fmt: skip
    return NewLetter(key=key, alert_id=alert_id, **(fields | more))


def letter(number: int = 1, **more: Any) -> Letter:
    return Letter(number, new_letter(str(number), **more), LetterState.WAITING, T0, T0, reference=f"reference-{number}")
