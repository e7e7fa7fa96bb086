"""The watch: presence checks, what counts as unattended."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, model_validator

from firetower.alerts.duty.section import Section
from firetower.core.clock import DAY, HOUR, MINUTE, SECOND, Micros
from firetower.rules.book.quantities import Duration, duration_text


def _between(low: Micros, high: Micros) -> AfterValidator:
    def check(given: Micros) -> Micros:
        if not low <= given <= high:
            raise ValueError(f"must lie between {duration_text(low)} and {duration_text(high)}")
        return given

    return AfterValidator(check)


class Watch(Section):
    """The watch: presence checks, what counts as unattended. Durations in µs, written ``60min``.

    ``presence_every``: how often whoever is on duty is asked to show that they are there (查岗), 0: never;
    ``answer_within``: how long they have. ``unattended``: whether a watch without a seat that sounds is an alert.
    """

    presence_every: Annotated[Duration, _between(0, DAY)] = 60 * MINUTE
    answer_within: Annotated[Duration, _between(30 * SECOND, HOUR)] = 3 * MINUTE
    unattended: Literal["on", "off"] = "on"

    @property
    def every(self) -> Micros | None:
        """How often presence is checked; None where it never is."""
        return self.presence_every or None

    @model_validator(mode="after")
    def _answers_before_the_next_question(self) -> Self:
        if self.presence_every and self.presence_every <= self.answer_within:
            raise ValueError(
                "presence_every must be longer than answer_within; ask less often, or 0s to ask never at all"
            )
        return self
