"""In what a rule is looser than another: it would alarm later, for less, milder, or not at all.

What cannot be compared (another form, another window, a limit from the device's file instead of a number) counts as
looser: two persons and a back-test can tell, the validator cannot. The way back is no part of it.
"""

from collections.abc import Iterator
from typing import Any

from firetower.devices.events import AlertClass
from firetower.rules.book.conditions import (
    Band,
    Clause,
    CombinationCondition,
    Compared,
    Condition,
    EventCondition,
    LimitCondition,
    SilenceBand,
    SilenceCondition,
)
from firetower.rules.book.model import Rule
from firetower.rules.book.quantities import Between, Quantity, duration_text
from firetower.rules.book.wording import said

_GRAVEST = (AlertClass.FIRE, AlertClass.PREALARM)
_GRAVER: dict[AlertClass, tuple[AlertClass, ...]] = {AlertClass.FIRE: (), AlertClass.PREALARM: (AlertClass.FIRE,)}


def looser(than: Rule, rule: Rule | None) -> list[str]:
    """Return in what ``rule`` (None: it is off) is looser than ``than``, each from what to what."""
    if rule is None:
        return ["the rule from on to off"]
    return list(_rule(than, rule))


def _rule(old: Rule, new: Rule) -> Iterator[str]:
    if new.alert_class not in {old.alert_class, *_GRAVER.get(old.alert_class, _GRAVEST)}:
        yield f"class from {old.alert_class} to {new.alert_class}"
    gone = [kind for kind in old.kinds if kind not in new.kinds]
    if gone:
        yield f"kinds from {', '.join(old.kinds)} to {', '.join(new.kinds)}"
    if new.metric != old.metric:
        yield f"metric from {old.metric} to {new.metric}"
    if new.shadow and not old.shadow:
        yield "shadow from false to true"
    if new.schedule is not None and new.schedule != old.schedule:
        yield "schedule from always to at times" if old.schedule is None else "schedule from one to another"
    if new.suppressed is not None and new.suppressed != old.suppressed:
        yield "suppressed from never to at times" if old.suppressed is None else "suppressed from one to another"
    if new.condition.forms != old.condition.forms:
        yield f"condition from {' '.join(old.condition.forms)} to {' '.join(new.condition.forms)}"
    else:
        yield from _condition(old.condition, new.condition)


def _condition(old: Condition, new: Condition) -> Iterator[str]:
    if old.measured is not None and new.measured is not None:
        yield from _form(old.measured, new.measured)
        if old.measured.side != new.measured.side:
            yield f"side from {old.measured.side} to {new.measured.side}"
        else:
            yield from _bands(old.measured.side, old.measured.bands, new.measured.bands)
    if old.silence is not None and new.silence is not None:
        yield from _silence(old.silence, new.silence)
    if old.event is not None and new.event is not None:
        yield from _event(old.event, new.event)
    if old.combination is not None and new.combination is not None:
        yield from _combination(old.combination, new.combination)
    if old.confirmation is not None and new.confirmation is not None:
        yield from _shorter("within", old.confirmation, new.confirmation)


def _form(old: Any, new: Any) -> Iterator[str]:
    """Compare what a value is derived from: more readiness asked for, or another derivation."""
    if isinstance(old, LimitCondition):
        before, after = old.of_last, new.of_last
        if after is not None and (
            after.n > (1 if before is None else before.n) or (before is not None and after.m < before.m)
        ):
            was = "every reading" if before is None else f"{before.n} of the last {before.m}"
            yield f"of_last from {was} to {after.n} of the last {after.m}"
        return
    for name in type(old).model_fields:
        if name in {"samples", "span", "learning"}:
            yield from _more(name, old, new)
        elif name == "least":
            yield from _higher(name, old, new)
        elif name == "within":
            yield from _shorter(name, old, new)
        elif name in {"of", "over", "per", "counting", "to", "channels"}:
            yield from _other(name, old, new)
        elif name == "only":
            yield from _only(old.only, new.only)


def _only(old: Compared | None, new: Compared | None) -> Iterator[str]:
    if new is None or new == old:
        return
    if old is None:
        yield f"only from always to {new.side} {new.limit}"
    elif old.side != new.side or old.limit.unit != new.limit.unit or _further(new.side, old.limit, new.limit):
        yield f"only from {old.side} {old.limit} to {new.side} {new.limit}"


def _bands(side: str, old: tuple[Band, ...], new: tuple[Band, ...]) -> Iterator[str]:
    """Compare band by band: each of the old needs one that is as grave at least, and in nothing looser."""
    for band in old:
        grave = [other for other in new if other.priority <= band.priority]
        if not grave:
            yield f"priority {band.priority} from {band.limit} to none"
            continue
        told = [list(_band(side, band, other)) for other in grave]
        if all(told):
            yield from told[0]


def _band(side: str, old: Band, new: Band) -> Iterator[str]:
    named = f"priority {old.priority} "
    if _further(side, old.limit, new.limit):
        yield f"{named}limit from {old.limit} to {new.limit}"
    if old.latch and not new.latch:
        yield f"{named}latch from true to false"
    if (new.and_samples or 1) > (old.and_samples or 1):
        yield f"{named}and_samples from {old.and_samples or 1} to {new.and_samples}"
    if new.on_delay == 0:
        return  # without a delay nothing that shortens one is missed
    if new.on_delay > old.on_delay:
        yield f"{named}on_delay from {duration_text(old.on_delay)} to {duration_text(new.on_delay)}"
    if old.or_samples is not None and (new.or_samples is None or new.or_samples > old.or_samples):
        yield f"{named}or_samples from {old.or_samples} to {new.or_samples or 'none'}"
    if old.enough_over is not None and (new.enough_over is None or new.enough_over > old.enough_over):
        after = "never" if new.enough_over is None else duration_text(new.enough_over)
        if new.on_delay <= old.on_delay:  # else it is told already
            yield f"{named}one_sample_over from {duration_text(old.enough_over)} to {after}"


def _further(side: str, old: Any, new: Any) -> bool:
    """Whether a limit is further in the dangerous direction, or cannot be compared."""
    if old == new:
        return False
    if isinstance(old, Between) and isinstance(new, Between) and old.unit == new.unit:
        return new.low < old.low or new.high > old.high
    if isinstance(old, Quantity) and isinstance(new, Quantity) and old.unit == new.unit:
        return new.value > old.value if side.endswith("above") else new.value < old.value
    return True


def _silence(old: SilenceCondition, new: SilenceCondition) -> Iterator[str]:
    """Compare how long a device may say nothing; whose interval fits is compared rule by rule (``guard``), too."""
    yield from _other("of", old, new)
    yield from _more("interval_from", old, new)
    yield from _shorter("interval_below", old, new)
    yield from _longer("offline_for", old, new)
    for band in old.bands:
        grave = [other for other in new.bands if other.priority <= band.priority]
        told = [list(_wait(band, other)) for other in grave]
        if not grave:
            yield f"priority {band.priority} from {_waited(band)} to none"
        elif all(told):
            yield from told[0]


def _wait(old: SilenceBand, new: SilenceBand) -> Iterator[str]:
    named = f"priority {old.priority} "
    if (old.after is None) != (new.after is None):
        yield f"{named}from {_waited(old)} to {_waited(new)}"
        return
    for name in ("after", "intervals", "at_least"):
        yield from (named + text for text in _more(name, old, new))
    yield from (named + text for text in _longer("at_most", old, new))


def _waited(band: SilenceBand) -> str:
    return f"{band.intervals} intervals" if band.after is None else duration_text(band.after)


def _event(old: EventCondition, new: EventCondition) -> Iterator[str]:
    for name in ("own_alert", "component"):
        yield from _other(name, old, new)
    gone = [event for event in old.events if event not in new.events]
    asked = [event for event in new.events if event not in old.events] if new.all_of else []
    if gone or asked:
        yield f"events from {', '.join(old.events)} to {', '.join(new.events)}"
    if new.all_of and not old.all_of:
        yield "all_of from false to true"
    for name in ("count", "missing_for"):
        same_use = (getattr(old, name) is None) == (getattr(new, name) is None)
        yield from _more(name, old, new) if same_use else _other(name, old, new)
    for name in ("priority", "on_delay", "components"):
        yield from _more(name, old, new)
    yield from _shorter("within", old, new)
    yield from _latch(old, new)


def _combination(old: CombinationCondition, new: CombinationCondition) -> Iterator[str]:
    yield from _other("group", old, new)
    for name in ("priority", "on_delay"):
        yield from _more(name, old, new)
    yield from _shorter("followed_within", old, new)
    yield from _latch(old, new)
    if len(new.all) != len(old.all):
        yield f"clauses of all from {len(old.all)} to {len(new.all)}"
    else:
        for number, (before, after) in enumerate(zip(old.all, new.all, strict=True), 1):
            for text in _clause(before, after):
                yield f"all[{number}].{text}"
    if any(clause not in old.none for clause in new.none):
        yield f"none from {len(old.none)} clauses to {len(new.none)}, not all of them the same"


def _clause(old: Clause, new: Clause) -> Iterator[str]:
    for name in ("rules", "events", "classes"):
        before, after = getattr(old, name), getattr(new, name)
        if set(before) - set(after):
            yield f"{name} from {', '.join(before)} to {', '.join(after) or 'none'}"
    for name in ("devices", "share"):
        yield from _more(name, old, new)
    for name in ("within", "priority"):
        yield from _shorter(name, old, new)


def _latch(old: Any, new: Any) -> Iterator[str]:
    if old.latch and not new.latch:
        yield "latch from true to false"


def _more(name: str, old: Any, new: Any) -> Iterator[str]:
    before, after = getattr(old, name), getattr(new, name)
    if (after or 0) > (before or 0):
        yield f"{name} from {said(name, before)} to {said(name, after)}"


def _higher(name: str, old: Any, new: Any) -> Iterator[str]:
    before, after = getattr(old, name), getattr(new, name)
    if after.unit != before.unit or after.value > before.value:
        yield f"{name} from {before} to {after}"


def _shorter(name: str, old: Any, new: Any) -> Iterator[str]:
    before, after = getattr(old, name), getattr(new, name)
    if after is not None and (before is None or after < before):
        yield f"{name} from {said(name, before)} to {said(name, after)}"


def _longer(name: str, old: Any, new: Any) -> Iterator[str]:
    before, after = getattr(old, name), getattr(new, name)
    if before is not None and (after is None or after > before):
        yield f"{name} from {said(name, before)} to {said(name, after)}"


def _other(name: str, old: Any, new: Any) -> Iterator[str]:
    before, after = getattr(old, name), getattr(new, name)
    if before != after:
        yield f"{name} from {said(name, before)} to {said(name, after)}"
