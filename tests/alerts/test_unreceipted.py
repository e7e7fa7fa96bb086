"""A missing receipt of 119 is told of while it is missing, and no more once the hand-over was cancelled 撤警."""

from dataclasses import replace

import pytest
from alert_making import T0, fire

from firetower.alerts.deadlines import Limits, next_due
from firetower.alerts.duty.policies import Of, Policy
from firetower.alerts.escalation.situations import began
from firetower.alerts.handover.model import HandedOver, MessageState
from firetower.alerts.judge import judge
from firetower.alerts.model import Alert, State
from firetower.alerts.notify.wanted import wanted
from firetower.core.clock import SECOND

POLICY = Policy.model_validate(
    {
        "name": "119",
        "of": Of.UNRECEIPTED,
        "steps": [
            {"after": "10s", "to": ["duty_lead"], "channels": ["sms"], "repeat": {"every": "1min", "at_most": 9}}
        ],
    }
)
SENT = HandedOver("k", T0 + SECOND, T0 + 11 * SECOND, MessageState.WAITING, tries=1, missed=False)


@pytest.fixture
def forwarded() -> Alert:
    alert = judge(None, fire(), T0).alert
    assert alert is not None
    return replace(alert, id=7, state=State.ACKNOWLEDGED, acknowledged_at=T0, forwarded_at=T0 + SECOND, handover=SENT)


def test_it_is_told_of_while_it_is_missing(forwarded: Alert) -> None:
    assert wanted(forwarded, "unreceipted")
    assert began(POLICY, forwarded) == T0 + SECOND


@pytest.mark.parametrize("cancel", list(MessageState))
def test_a_cancelled_hand_over_reminds_nobody(forwarded: Alert, cancel: MessageState) -> None:
    called_off = replace(forwarded, handover=replace(SENT, cancel=cancel))
    assert not wanted(called_off, "unreceipted")
    assert began(POLICY, called_off) is None
    due = next_due(called_off, Limits())
    assert due is None or due.deadline != "receipt_overdue"
