"""What the watch raises about itself: nobody there, somebody who does not answer, units in nobody's scope."""

from collections.abc import Mapping, Sequence

from firetower.core.clock import MINUTE, Micros
from firetower.devices.events import AlertClass
from firetower.rules.verdicts import SubjectKind, Verdict, VerdictKind

UNATTENDED, PRESENCE, UNCOVERED = "system_unattended", "system_presence", "system_uncovered"
RULES = (UNATTENDED, PRESENCE, UNCOVERED)
NAMED = 10
"""Units that a text names; of more it says how many."""

Key = tuple[str, str]
"""Rule and component."""

_SUBJECT = "firetower"
_LEVEL: dict[str, tuple[int, str, str]] = {  # red: while nobody is there every fire goes unheard
    UNATTENDED: (1, "无人值守：没有可发声的在线席位", "Unattended: no seat is live and sounds"),
    PRESENCE: (2, "查岗未应答", "No answer to the presence check"),
    UNCOVERED: (2, "无人覆盖：有单位不在任何席位的职责范围内", "Units in nobody's scope"),
}


def unattended() -> tuple[Key, str]:
    """Return the alert of a watch without anybody at a live seat that sounds."""
    return (UNATTENDED, ""), (
        "没有一个有处置权限的人坐在在线且声音有效的席位前，火警无人听见：立即电话通知备勤人员。 "
        "Nobody who may act is at a live seat whose sound works, so nobody hears a fire: call whoever is on call."
    )


def absent(account: str, within: Micros) -> tuple[Key, str]:
    """Return the alert of somebody on duty who did not answer within ``within``, µs."""
    minutes = f"{within / MINUTE:g}"
    return (PRESENCE, account), (
        f"值班员 {account} 在 {minutes} 分钟内未应答查岗。 "
        f"{account} is on duty and did not answer the presence check within {minutes} min."
    )


def uncovered(count: int, units: Sequence[str]) -> tuple[Key, str]:
    """Return the alert of units, ``count`` in all, that no live seat answers for."""
    named = ", ".join(units[:NAMED]) + (" …" if count > NAMED else "")
    return (UNCOVERED, ""), (
        f"{count} 个单位不在任何在线席位的职责范围内：{named}。 "
        f"{count} units lie in the scope of no live seat: {named}."
    )


def differences(wanted: Mapping[Key, str], standing: Mapping[Key, str | None], now: Micros) -> list[Verdict]:
    """Return what makes of the alerts that are ``standing`` those that are ``wanted``, each with its text.

    None: somebody closed it while it stands; it is not told anew what it says.
    """
    raised = [
        _verdict(VerdictKind.RAISE, key, now, text, again=key in standing)
        for key, text in wanted.items()
        if key not in standing or standing[key] not in {None, text}
    ]
    return raised + [_verdict(VerdictKind.CLEAR, key, now) for key in standing if key not in wanted]


def _verdict(kind: VerdictKind, key: Key, at: Micros, text: str = "", *, again: bool = False) -> Verdict:
    rule, component = key
    priority, title_zh, title_en = _LEVEL[rule]
    return Verdict(
        kind=kind,
        rule=rule,
        rule_version=1,
        subject_kind=SubjectKind.SYSTEM,
        subject=_SUBJECT,
        component=component,
        alert_class=AlertClass.FAULT,
        priority=priority,
        latch=False,
        at=at,
        title_zh=title_zh,
        title_en=title_en,
        text=text,
        again=again,
    )
