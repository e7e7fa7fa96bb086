"""A dead channel raises an alert itself 通知通道中断, and clears it when it takes letters again."""

from firetower.core.clock import Micros
from firetower.devices.events import AlertClass
from firetower.rules.verdicts import SubjectKind, Verdict, VerdictKind

RULE = "system_channel"
_ORANGE = 2


def verdict(channel: str, trouble: str | None, at: Micros) -> Verdict:
    """Return what is said of ``channel``: that it is dead, and why, or with ``trouble`` None that it is not."""
    text = "" if trouble is None else f"通知通道 {channel} 无法送出，请改用其他方式通知。 Channel {channel}: {trouble}"
    return Verdict(
        kind=VerdictKind.CLEAR if trouble is None else VerdictKind.RAISE,
        rule=RULE,
        rule_version=1,
        subject_kind=SubjectKind.SYSTEM,
        subject="firetower",
        component=channel,
        alert_class=AlertClass.FAULT,
        priority=_ORANGE,
        latch=False,
        at=at,
        title_zh="通知通道中断",
        title_en="A channel takes no letters",
        text=text[:500],
    )
