"""The forms a rule's condition may have. Most compare a value, as measured or derived from readings, with bands."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from firetower.core.clock import Micros
from firetower.devices.events import AlertClass
from firetower.rules.book.quantities import Amount, Duration, Limit, Ratio

Side = Literal["above", "at_or_above", "below", "at_or_below", "outside"]
RuleId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,63}$")]
EventName = Annotated[str, Field(pattern=r"^\S{1,64}$")]
Source = Annotated[str, Field(pattern=r"^(S1|S2|K|D|J)(/(S1|S2|K|D|J))*, \S")]
"""The basis of a limit (S1, S2, K, D, J: ``docs/rulebook.md``), then the place: ``S1, GB 55036-2022 3.0.3``."""
Text = Annotated[str, Field(min_length=1, max_length=400)]
Channel = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,32}$")]
"""What follows the dot in a name: ``a`` of ``current.a``."""
Attribute = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
"""The name of a number in a device's own file."""
Samples = Annotated[int, Field(ge=1, le=100)]
Priority = Annotated[int, Field(ge=1, le=4)]
Group = Literal["device", "zone", "building", "unit", "main", "gateway"]
"""What devices have in common: a zone 防火分区, a building, a unit 联网单位, a water main 管网, a gateway."""
BUCKETS = 12
"""A window slides by a twelfth of its length: it holds the readings of the twelfth of now and of the eleven before.

Twelfths are counted from 1970 (``ts // (over // 12)``), so it reaches back between eleven twelfths and the whole of its
length.
"""


class Part(BaseModel):
    """A part of the rulebook: no unknown field, never changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False, allow_inf_nan=False)


class Words(Part):
    """The same words in Chinese and in English."""

    zh: Text
    en: Text


class Band(Part):
    """One priority of an alert: it holds beyond ``limit`` for ``on_delay``, until past ``clear`` for ``off_delay``.

    ``and_samples``: that many readings in a row beyond the limit, too. ``or_samples``: that many readings in a row are
    enough before the delay is over. ``one_sample_over``: devices with a longer reporting interval need one reading only
    (absent: the on delay itself). ``deadband``: instead of ``clear``, its distance from the limit (from both ends of a
    range). ``latch``: the alert closes only with a disposition.
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


class Bands(Part):
    """A value beyond limits on one ``side``, in bands from the mildest to the worst: one alert.

    ``side``: ``outside`` takes limits that are ranges (``{low: 198 V, high: 242 V}``), their ends in order themselves.
    """

    side: Side
    bands: Annotated[tuple[Band, ...], Field(min_length=1, max_length=4)]


class Compared(Part):
    """A value as measured, compared with one limit."""

    side: Literal["above", "at_or_above", "below", "at_or_below"]
    limit: Amount


class OfLast(Part):
    """N of the last M readings (M 2 to 16). Fewer readings than M known: n of those there are; under n, unknown.

    They are beyond a limit when the n-th highest of them is (the n-th lowest, on the side below): that is compared.
    """

    n: Annotated[int, Field(ge=1, le=16)]
    m: Annotated[int, Field(ge=2, le=16)]


class LimitCondition(Bands):
    """The value as measured, of the newest reading; ``of_last``: of n of the last m readings."""

    of_last: OfLast | None = None


class RateCondition(Bands):
    """How quickly the value changes: the slope of the straight line that fits the twelfths of the window best.

    Each twelfth counts as the mean time and the mean value of its readings, weighted by their number; readings on a
    straight line have their means on it. In the metric's unit per ``per`` (``°C/min``), to six digits, so that a ramp
    of 8 is 8. Known with at least ``samples`` readings in the window, the newest half of the window after the mean time
    of the oldest twelfth with readings. ``only``: while the newest value is that; otherwise the reading counts as in
    order. Here and below what is derived is rounded to nine decimals, so that 0.3 less 0.1 is 0.2.
    """

    over: Duration
    per: Literal["s", "min", "h", "d"]
    samples: Samples = 3
    only: Compared | None = None


Aggregate = Literal["mean", "min", "max", "median", "stdev", "spread", "sum", "change", "rise", "drop", "count"]


class WindowCondition(Bands):
    """One figure of the readings within a sliding window of length ``over``.

    ``mean``, ``min``, ``max``, ``stdev`` (of the population); ``median``: of the means of the window's twelfths;
    ``spread``: max less min; ``sum``: what a counter grew by from reading to reading (after a fall it began at 0, its
    very first reading adds nothing); ``change``: newest less oldest; ``rise``: newest less min; ``drop``: max less
    newest; ``count``: readings that are as ``counting`` says (absent: all), in the unit ``readings``. Known with at
    least ``samples`` readings that reach over at least ``span`` (absent: 0; never longer than eleven twelfths of
    ``over``, what a window is sure to hold). ``only``: as with a rate.
    """

    of: Aggregate
    over: Duration
    samples: Samples = 1
    span: Duration = 0
    counting: Compared | None = None
    only: Compared | None = None


class PatternCondition(Bands):
    """How far the value is from what is usual for the device at this hour and kind of day (working day or rest day).

    Usual is the mean of past hours of the same hour of day and kind of day, each hour counted once, a new one with the
    weight 1/n up to the 28th. Known once the series is ``learning`` old and has at least three such hours. An hour
    counts as the mean of its readings, once the first reading of a later hour has come; not if the rule was beyond its
    mildest limit in it (its own: overrides do not count). What is usual counts to six digits, ages in whole seconds.
    """

    learning: Duration


class TrendCondition(Bands):
    """In how many days the value reaches ``to`` if it goes on as in the window (``side`` below, limits in ``d``).

    From the line of a rate, at its newest reading, to six digits; at ``to`` it is 0. A value that does not
    approach ``to`` never does, one that is past it and goes on included: ``to`` is the very end (0 %), no limit of its
    own. Known when a rate is.
    """

    to: Amount
    over: Duration
    samples: Samples = 5


class ImbalanceCondition(Bands):
    """How far the channel furthest from the mean of ``channels`` is from it, as a share of that mean (``side`` above).

    Limits are in ``%``: of 20, 20 and 50 A, 66.7 % (NEMA MG 1's way of saying it). Judged with each reading of the
    first of ``channels``, to which the alert belongs: one a device. The others count with their newest reading that is
    not newer than it. Known when each has one at most ``within`` older; a channel of which a newer one had come already
    is not. ``least``, in the metric's unit, more than 0: while the mean is below it, the reading counts as in order.
    """

    channels: Annotated[tuple[Channel, ...], Field(min_length=2, max_length=6)]
    within: Duration
    least: Amount


class EventCondition(Part):
    """What a device says itself in the alarm lane. Exactly one of four uses:

    ``own_alert``: the alert of the event itself gets this ``priority`` (never a lower one than its own) and the rule's
    title; it keeps its own key. ``missing_for``: no such event came for that long (since the device was registered).
    ``count`` and ``within``: that many began within that time. Otherwise: any of ``events`` (``all_of``: each of them)
    is active, at ``components`` points at least, for ``on_delay``, until it is not for ``off_delay``.
    ``component``: only what is said of that point.

    A point is the event's component, or its text where it has none. An event begins when it says active of a point
    where it was not; one older than the newest word of its event and point changes nothing, nor does one said again.
    ``count`` holds up to ``within`` after the first of the newest ``count`` beginnings, that instant included.
    """

    events: Annotated[tuple[EventName, ...], Field(min_length=1, max_length=8)]
    priority: Priority
    component: Text | None = None
    own_alert: bool = False
    missing_for: Duration | None = None
    count: Annotated[int, Field(ge=2, le=100)] | None = None
    within: Duration | None = None
    all_of: bool = False
    components: Annotated[int, Field(ge=1, le=1000)] = 1
    on_delay: Duration = 0
    off_delay: Duration = 0
    latch: bool = False
    source: Source


class SilenceBand(Part):
    """How long a device may say nothing: ``intervals`` of its own reporting interval within bounds, or ``after``."""

    priority: Priority
    after: Duration | None = None
    intervals: Annotated[int, Field(ge=1, le=100)] | None = None
    at_least: Duration | None = None
    at_most: Duration | None = None
    source: Source


class SilenceCondition(Part):
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


class QualityCondition(Part):
    """How a device reports is wrong, whatever it watches. One priority, never latched.

    ``of``: ``clock_skew``, its clock is further than ``over`` from the true time, until at most ``clear`` from it.
    ``clock_stuck``, ``samples`` readings of a series in a row at a time that has a value already; ``implausible``, that
    many in a row of quality bad; both until ``clear_samples`` in a row are not. ``sequence_gap``, ``samples`` numbers
    or more missing from a device's ``seq`` within ``over``, until fewer are within the last ``over``. ``no_limit``, the
    own file of a device that has spoken lacks one of ``attributes``, until it has them all.
    """

    of: Literal["clock_skew", "clock_stuck", "implausible", "sequence_gap", "no_limit"]
    priority: Priority
    over: Duration | None = None
    clear: Duration | None = None
    samples: Samples | None = None
    clear_samples: Samples | None = None
    attributes: Annotated[tuple[Attribute, ...], Field(min_length=1, max_length=8)] | None = None
    source: Source


class Clause(Part):
    """Something active: an alarm of any of ``rules``, ``events`` or ``classes``, on ``devices`` devices at least.

    ``classes``: any alarm of these classes, of whatever rule (no combination) or event; no alarm then meets two clauses
    of ``all``: each has one of its own (a waterflow is a prealarm; that of another point is another one).
    ``share``: and on that share of the group's devices: those that the rules watch (of silence: that have spoken, and
    by their interval are watched by one of them), and those of the kinds that said the events or are of the classes.
    ``within``: the newest of them began at most this long after one another: ``devices`` of them did. A silence began
    with the last word heard.
    ``priority``: only alarms that are at least this urgent, now (a band that rises joins and so begins, one that falls
    back leaves). What raises no alert (``reset``), is on record only, or is on trial where the combination is not, does
    not count.
    """

    rules: tuple[RuleId, ...] = ()
    events: tuple[EventName, ...] = ()
    classes: tuple[AlertClass, ...] = ()
    devices: Annotated[int, Field(ge=1, le=10_000)] = 1
    share: Ratio | None = None
    within: Duration | None = None
    priority: Priority | None = None


class CombinationCondition(Part):
    """Several devices of one ``group`` together: every clause of ``all`` holds at once, and none of ``none``.

    The alert is about the group (``device``: about the device). It holds for ``on_delay``, and is over once it has not
    held for ``off_delay``. Only devices of the rule's ``kinds`` count. ``followed_within``: the alarms of ``all`` began
    in the order of the clauses, one of the last at most this long after one of the first (at once counts, too). What
    fell silent did so within one reporting interval after its last word: that word came at the earliest an interval
    before the alarm it follows, at the latest this long after the first. It counts when the silence is told, whenever
    that is. What is of no such group (a panel without a zone is in no building) does not count.
    """

    group: Group
    all: Annotated[tuple[Clause, ...], Field(min_length=1, max_length=4)]
    none: Annotated[tuple[Clause, ...], Field(max_length=4)] = ()
    followed_within: Duration | None = None
    priority: Priority
    on_delay: Duration = 0
    off_delay: Duration = 0
    latch: bool = False
    source: Source


class ConfirmationCondition(Part):
    """Two alarms of one zone within this time, two detectors or a detector and a manual call point, confirm a fire.

    Judged over alerts, beside the rules (``storage/correlation.py``): what a person reported counts, too. It raises
    nothing; it recommends 建议确认.
    """

    within: Duration
    source: Source


Measured = LimitCondition | RateCondition | WindowCondition | PatternCondition | TrendCondition | ImbalanceCondition


class Condition(Part):
    """Exactly one of the forms of condition."""

    limit: LimitCondition | None = None
    rate: RateCondition | None = None
    window: WindowCondition | None = None
    pattern: PatternCondition | None = None
    trend: TrendCondition | None = None
    imbalance: ImbalanceCondition | None = None
    event: EventCondition | None = None
    silence: SilenceCondition | None = None
    quality: QualityCondition | None = None
    combination: CombinationCondition | None = None
    confirmation: ConfirmationCondition | None = None

    @property
    def measured(self) -> Measured | None:
        """The form with bands on a value; None for the others."""
        return self.limit or self.rate or self.window or self.pattern or self.trend or self.imbalance

    @property
    def forms(self) -> tuple[str, ...]:
        """The names of the forms given: one, in a rule that is in order."""
        return tuple(name for name in type(self).model_fields if getattr(self, name) is not None)
