"""Who is told of what, over which channel, after how long: section ``policies`` of the duty plan."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from firetower.alerts.duty.deadlines import bounded
from firetower.alerts.duty.section import Section
from firetower.core.clock import HOUR, SECOND
from firetower.devices.contacts import Role
from firetower.devices.events import AlertClass
from firetower.rules.book.quantities import Duration


class Of(StrEnum):
    """What people are told of; the reason that stands on a letter."""

    RAISED = "raised"  # it alarms
    UNSHOWN = "unshown"  # no live, sound-armed seat shows it
    UNACKNOWLEDGED = "unacknowledged"  # 未受理
    UNVERIFIED = "unverified"  # 未核实
    UNFORWARDED = "unforwarded"  # 无法核实且未转警
    UNRECEIPTED = "unreceipted"  # 转警未签收
    UNATTENDED = "unattended"  # 无人值守
    UNCOVERED = "uncovered"  # 无人覆盖
    PRESENCE = "presence"  # 查岗未应答
    SELF_TEST = "self_test"  # 自检逾期
    CHANNEL = "channel"  # 通知渠道中断


class Until(StrEnum):
    """What ends a policy early; closing the alert always does."""

    ACKNOWLEDGED = "acknowledged"
    VERIFIED = "verified"
    RECEIPTED = "receipted"


OWN: dict[Of, str] = {
    Of.UNATTENDED: "system_unattended",
    Of.UNCOVERED: "system_uncovered",
    Of.PRESENCE: "system_presence",
    Of.SELF_TEST: "system_self_test",
    Of.CHANNEL: "system_channel",
}
"""Words that name one alert of Firetower's own, by its rule; no other word takes in these alerts."""

UNTIL: dict[Of, Until] = dict.fromkeys(Of, Until.ACKNOWLEDGED) | {
    Of.UNVERIFIED: Until.VERIFIED,
    Of.UNFORWARDED: Until.VERIFIED,
    Of.UNRECEIPTED: Until.RECEIPTED,
}
"""What ends a policy that does not say; only one of what is raised may say otherwise."""

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,40}$")]


class Covered(Section):
    """Which alerts a policy is for; what is left out excludes nothing."""

    classes: tuple[AlertClass, ...] = ()
    priorities: tuple[Annotated[int, Field(ge=1, le=4)], ...] = ()
    units: tuple[str, ...] = ()
    grids: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()


class Repeat(Section):
    """How often a step is repeated: ``every`` so long after the last time, ``at_most`` so many times."""

    every: Annotated[Duration, bounded(10 * SECOND, 24 * HOUR)]
    at_most: int = Field(ge=1, le=200)


class Step(Section):
    """Who is told ``after`` how long, each over the first of ``channels`` that lives and reaches them."""

    after: Annotated[Duration, bounded(0, 24 * HOUR)]
    to: Annotated[tuple[Role, ...], Field(min_length=1, max_length=8)]
    channels: Annotated[tuple[Name, ...], Field(min_length=1, max_length=8)]
    repeat: Repeat | None = None

    @property
    def most(self) -> int:
        """How often it is told at most."""
        return 1 if self.repeat is None else 1 + self.repeat.at_most


class Policy(Section):
    """Who is told of what, over which channel, after how long. ``until``: what ends it; ``ends`` where it says none."""

    name: Name
    of: Of
    covered: Covered = Field(Covered(), alias="for")
    steps: Annotated[tuple[Step, ...], Field(min_length=1, max_length=20)]
    until: Until | None = None

    @property
    def ends(self) -> Until:
        """What ends it early."""
        return self.until or UNTIL[self.of]

    @property
    def takes_fires(self) -> bool:
        """Whether a fire may come under it."""
        return self.of not in OWN and (not self.covered.classes or AlertClass.FIRE in self.covered.classes)
