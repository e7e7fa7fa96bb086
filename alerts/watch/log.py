"""The shift log 值班日志: what an entry is, and which kinds there are."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from firetower.core.clock import Micros

FIRETOWER = "firetower"
"""Who writes what nobody wrote by hand."""


class LogKind(StrEnum):
    """What an entry tells of. Whoever adds a kind adds its evidence here."""

    NOTE = "note"  # 记事, written by a person; a correction refers to what it corrects
    SIGN_ON = "sign_on"  # 到岗
    SIGN_OFF = "sign_off"  # 离岗; {forced?, reason?, of?}: by an admin
    HANDOVER_BEGUN = "handover_begun"  # {handover}
    HANDOVER = "handover"  # 交接班; {handover, outgoing, incoming, alerts, ...}: the list that was accepted
    HANDOVER_CANCELLED = "handover_cancelled"  # {handover}
    UNATTENDED = "unattended"  # 无人值守
    ATTENDED = "attended"  # {since, seconds}: how long nobody was there
    UNCOVERED = "uncovered"  # 无人覆盖; {count, units}
    COVERED = "covered"  # {since, seconds}
    PRESENCE_MISSED = "presence_missed"  # 查岗未应; {account, asked_at}
    PRESENCE_ANSWERED = "presence_answered"  # {asked_at, seconds}
    MUTE = "mute"  # 消音; {seconds}
    WINDOW = "window"  # {window, kind, unit, act}: requested, announced, approved, refused, ended
    SELF_TEST = "self_test"  # 自检; {kind, unit, result}
    CALL = "call"  # 通话; {name, direction, purpose, result}
    ROSTER = "roster"  # 排班; {revision}
    SCOPE = "scope"  # {account, units, grids, districts}
    ACCOUNT = "account"  # {account, act, role?}: added, role, disabled, enabled, password, signed_out


@dataclass(frozen=True, slots=True)
class LogEntry:
    """An entry as stored. ``actor``: an account, or FIRETOWER; ``text``: a person's words, "" in what the system adds.

    ``evidence``: of JSON's types, by kind; ``refers_to``: the entry that this one corrects or adds to; ``at``: µs.
    """

    id: int
    at: Micros
    kind: str
    actor: str
    text: str = ""
    refers_to: int | None = None
    alert_id: int | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)
