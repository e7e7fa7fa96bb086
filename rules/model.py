"""What a rule is: its words, its class, whom it watches, and its one condition with bands."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from firetower.core.clock import SECOND, Micros
from firetower.devices.events import AlertClass
from firetower.devices.kinds import DeviceKind
from firetower.rules.quantities import Amount, Duration, Limit

Side = Literal["above", "at_or_above", "below", "at_or_below"]
RuleId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,63}$")]
Source = Annotated[str, Field(pattern=r"^(S1|S2|K|D|J)(/(S1|S2|K|D|J))*, \S")]
"""The basis of a limit (S1, S2, K, D, J: ``docs/rulebook.md``), then the place: ``S1, GB 55036-2022 3.0.3``."""
Text = Annotated[str, Field(min_length=1, max_length=400)]
Samples = Annotated[int, Field(ge=1, le=100)]
Priority = Annotated[int, Field(ge=1, le=4)]


def _kinds(given: Any) -> Any:
    return tuple(DeviceKind) if given == "any" else given


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=False, allow_inf_nan=False)


class Words(_Part):
    """The same words in Chinese and in English."""

    zh: Text
    en: Text


class Band(_Part):
    """One priority of an alert: it holds beyond ``limit`` for ``on_delay``, until past ``clear`` for ``off_delay``.

    ``and_samples``: that many readings in a row beyond the limit, too. ``or_samples``: that many readings in a row are
    enough before the delay is over. ``one_sample_over``: devices with a longer reporting interval need one reading only
    (absent: the on delay itself). ``deadband``: instead of ``clear``, its distance from the limit.
    ``latch``: the alert closes only with a disposition.
    """

    priority: Priority
    limit: Limit
    clear: Amount | None = None
    deadband: Amount | None = None
    on_delay: Duration = 0
    and_samples: Samples | None = None
    or_samples: Samples | None = None
    one_sample_over: Duration | None = None
    off_delay: Duration = 0
    latch: bool = False
    title: Words | None = None
    source: Source

    @property
    def enough_over(self) -> Micros | None:
        """The reporting interval over which one reading is enough; None when it never is (no delay given)."""
        if self.one_sample_over is not None:
            return self.one_sample_over
        return self.on_delay or None


class LimitCondition(_Part):
    """A measured value beyond a limit. Bands from the mildest to the worst, one alert."""

    side: Side
    bands: Annotated[tuple[Band, ...], Field(min_length=1, max_length=4)]


class SilenceBand(_Part):
    """How long a device may say nothing: ``intervals`` of its own reporting interval within bounds, or ``after``."""

    priority: Priority
    after: Duration | None = None
    intervals: Annotated[int, Field(ge=1, le=100)] | None = None
    at_least: Duration | None = None
    at_most: Duration | None = None
    source: Source


class SilenceCondition(_Part):
    """A device that says nothing.

    ``of``: ``seen`` counts from the last message, ``never_seen`` from the registration of a device that never spoke.
    ``interval_from``, ``interval_below``: only devices whose reporting interval is at least, is shorter than this.
    ``offline_for``: also this long after the device or its Last Will said ``offline``.
    ``clear_messages``: messages after which it is over.
    """

    of: Literal["seen", "never_seen"]
    interval_from: Duration = 0
    interval_below: Duration | None = None
    offline_for: Duration | None = None
    clear_messages: Annotated[int, Field(ge=1, le=10)] = 1
    bands: Annotated[tuple[SilenceBand, ...], Field(min_length=1, max_length=4)]


class QualityCondition(_Part):
    """How a device reports is wrong, whatever it watches. One priority, never latched.

    ``of``: ``clock_skew``, its clock is further than ``over`` from the true time, until at most ``clear`` from it.
    ``clock_stuck``, ``samples`` readings of a series in a row at a time that has a value already; ``implausible``, that
    many in a row of quality bad; both until ``clear_samples`` in a row are not.
    """

    of: Literal["clock_skew", "clock_stuck", "implausible"]
    priority: Priority
    over: Duration | None = None
    clear: Duration | None = None
    samples: Samples | None = None
    clear_samples: Samples | None = None
    source: Source


class Condition(_Part):
    """Exactly one of the forms of condition."""

    limit: LimitCondition | None = None
    silence: SilenceCondition | None = None
    quality: QualityCondition | None = None


class Rule(_Part):
    """One rule of the rulebook; its ``id`` is part of an alert's key, its ``version`` rises with every change."""

    id: RuleId
    version: Annotated[int, Field(ge=1)]
    title: Words
    advice: Words
    alert_class: AlertClass = Field(alias="class")
    kinds: Annotated[tuple[DeviceKind, ...], Field(min_length=1), BeforeValidator(_kinds)]
    metric: str | None = None
    condition: Condition


class RuleFile(_Part):
    """One file of the rulebook."""

    rules: Annotated[tuple[Rule, ...], Field(min_length=1)]


LONGEST_FIRE_DELAY: Micros = 10 * SECOND
"""10 s: the device's leg of the alarm path; the longest on delay a fire rule may have."""
