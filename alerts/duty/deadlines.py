"""How long each step of a fire may take before it escalates: section ``deadlines`` of the duty plan."""

from typing import Annotated

from pydantic import AfterValidator

from firetower.alerts.deadlines import SHIPPED, Limits
from firetower.alerts.duty.section import Section
from firetower.core.clock import MINUTE, SECOND, Micros
from firetower.rules.book.quantities import Duration, duration_text


def bounded(least: Micros, most: Micros) -> AfterValidator:
    """Return what refuses a duration outside ``least`` to ``most``."""

    def check(given: Micros) -> Micros:
        if not least <= given <= most:
            raise ValueError(f"is out of bounds; accepted: {duration_text(least)} to {duration_text(most)}")
        return given

    return AfterValidator(check)


class Deadlines(Section):
    """How long each step of a fire may take; none can be switched off. docs/duty.md has the basis of each."""

    shown: Annotated[Duration, bounded(2 * SECOND, 60 * SECOND)] = SHIPPED.shown
    acknowledged: Annotated[Duration, bounded(5 * SECOND, 10 * MINUTE)] = SHIPPED.acknowledged
    verified: Annotated[Duration, bounded(30 * SECOND, 30 * MINUTE)] = SHIPPED.verified
    forwarded: Annotated[Duration, bounded(10 * SECOND, 10 * MINUTE)] = SHIPPED.forwarded
    receipted: Annotated[Duration, bounded(SECOND, 5 * MINUTE)] = SHIPPED.receipted

    @property
    def limits(self) -> Limits:
        """What the plan says, as it is decided by."""
        return Limits(
            shown=self.shown,
            acknowledged=self.acknowledged,
            verified=self.verified,
            forwarded=self.forwarded,
            receipted=self.receipted,
        )
