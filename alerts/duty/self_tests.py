"""The self-tests 自检 and how often each is due; docs/duty.md says what each period rests on."""

from typing import Self

from pydantic import Field, model_validator

from firetower.alerts.duty.section import Section


class Period(Section):
    """How often: again within so many days of the last, by the calendar of the centre; due so many days ahead."""

    days: int = Field(ge=1, le=366)
    notice_days: int = Field(default=0, ge=0, le=60)

    @model_validator(mode="after")
    def _ends(self) -> Self:
        if self.notice_days >= self.days:
            raise ValueError(f"notice_days {self.notice_days} is not under days {self.days}; it would always be due")
        return self


class SelfTests(Section):
    """The self-tests and how often each is due; None: this centre does none of that kind.

    Within 14 days is twice in every month, also in February. ``clock_error_s``: by how much clocks may differ.
    """

    link_119: Period | None = Period(days=1)
    clocks: Period | None = Period(days=1)
    unit_fire_test: Period | None = Period(days=14, notice_days=3)
    power_changeover: Period | None = Period(days=182, notice_days=14)
    clock_error_s: float = Field(default=5.0, gt=0, le=60)
