"""Alarms that the store cannot take yet (未落库): shown, sounded and told of all the same, until they are committed."""

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2s

from firetower.alerts.judge import holds_back, sender_of
from firetower.core.clock import Clock, Micros
from firetower.devices.events import AlertClass
from firetower.devices.registry import Registry
from firetower.rules.verdicts import SubjectKind, Verdict, VerdictKind

MOST = 2000
"""Provisional alarms that are kept in detail."""

_RANKS = 5  # fires, then priorities 1 to 4


@dataclass(frozen=True, slots=True)
class ProvisionalAlarm:
    """An alarm nobody could store yet. Times are µs since the epoch UTC.

    ``key``: ``key_of`` the alert it will become. ``place``: the zone or main of the registry, as codes.
    ``device_at``: the newest event's; ``received_at``: since when the alarm is here.
    """

    key: str
    alert_class: AlertClass
    priority: int
    title_zh: str
    title_en: str
    unit: str | None
    device: str | None
    component: str
    text: str
    place: str | None
    device_at: Micros
    received_at: Micros
    flags: tuple[str, ...]

    @property
    def is_fire(self) -> bool:
        """Whether promise 6 protects it."""
        return self.alert_class is AlertClass.FIRE


def key_of(rule: str, subject_kind: str, subject: str, component: str) -> str:
    """Return an alert's key as one opaque word, the same in every process and release.

    A sender nobody registered has the key of the device it is registered as: while the store is away nobody can be.
    """
    if subject_kind == SubjectKind.SENDER:
        subject_kind = SubjectKind.DEVICE
    return blake2s(f"{rule}\0{subject_kind}\0{subject}\0{component}".encode(), digest_size=12).hexdigest()


class ProvisionalBoard:
    """What waits for the store, by key; an alarm leaves when the last token it waits under is settled.

    When full (2,000 alarms in detail) an alarm takes the place of the oldest of the lowest rank below its own, fires
    ranking above everything, then by priority; where there is none, it is counted only (``more``), like the one that
    had to go. What is counted is as much as those who tell of it keep waiting, beside what they say they could not keep
    (``beyond``). ``revision`` rises with every change.
    """

    def __init__(self, registry: Registry, clock: Clock) -> None:
        self._registry = registry
        self._clock = clock
        self._keys_of: dict[Hashable, frozenset[str]] = {}
        self._tokens_of: Counter[str] = Counter()
        self._ranks: tuple[dict[str, ProvisionalAlarm], ...] = tuple({} for _ in range(_RANKS))
        self._detailed = 0
        self._beyond = 0
        self._listeners: list[Callable[[], None]] = []
        self._listed: tuple[int, tuple[ProvisionalAlarm, ...]] = (0, ())
        self.revision = 0

    def listen(self, on_change: Callable[[], None]) -> None:
        """Have ``on_change`` called after every change; it must be quick and must not raise."""
        self._listeners.append(on_change)

    @property
    def more(self) -> int:
        """How many alarms wait beyond those that are kept in detail."""
        return len(self._tokens_of) - self._detailed + self._beyond

    def alarms(self) -> tuple[ProvisionalAlarm, ...]:
        """Return the alarms in detail, fires first, then by priority, the newest first."""
        if self._listed[0] != self.revision:
            newest = (
                alarm
                for rank in self._ranks
                for alarm in sorted(rank.values(), key=lambda alarm: (-alarm.device_at, alarm.key))
            )
            self._listed = (self.revision, tuple(newest))
        return self._listed[1]

    def waiting(self, token: Hashable, verdicts: Sequence[Verdict]) -> None:
        """Show what ``verdicts`` raise until ``token`` is settled; said again for a token, nothing changes.

        Where there is room by now, an alarm that was only counted is kept in detail when it is said again.
        """
        known = self._keys_of.get(token)
        if known is not None and (len(self._tokens_of) == self._detailed or self._detailed >= MOST):
            return
        raised = [each for each in verdicts if _calls(each)]
        alarms = [self._alarm(verdict) for verdict in raised]
        if known is None:
            self._keys_of[token] = keys = frozenset(alarm.key for alarm in alarms)
            self._tokens_of.update(keys)
        if not alarms:
            return
        changed = known is None
        for alarm in alarms:
            changed |= self._keep(alarm)
        if changed:
            self._change()

    def settled(self, token: Hashable) -> None:
        """Take back what waits under ``token``, if anything does."""
        keys = self._keys_of.pop(token, frozenset())
        for key in keys:
            self._tokens_of[key] -= 1
            if self._tokens_of[key] == 0:
                del self._tokens_of[key]
                for rank in self._ranks:
                    if rank.pop(key, None) is not None:
                        self._detailed -= 1
        if keys:
            self._change()

    def beyond(self, count: int) -> None:
        """Say that ``count`` more alarms may wait, of which whoever told of the others could keep nothing."""
        if count != self._beyond:
            self._beyond = count
            self._change()

    def _keep(self, alarm: ProvisionalAlarm) -> bool:
        """Keep an alarm in detail, joined to what is known under its key; say whether that changed anything."""
        for rank in self._ranks:
            if (known := rank.get(alarm.key)) is not None:
                joined = _joined(known, alarm)
                if joined == known:
                    return False
                del rank[alarm.key]
                self._ranks[_rank(joined)][alarm.key] = joined
                return True
        if self._detailed >= MOST and not self._make_room(_rank(alarm)):
            return False
        self._ranks[_rank(alarm)][alarm.key] = alarm
        self._detailed += 1
        return True

    def _make_room(self, rank: int) -> bool:
        for lower in reversed(self._ranks[rank + 1 :]):
            if lower:
                del lower[next(iter(lower))]
                self._detailed -= 1
                return True
        return False

    def _alarm(self, verdict: Verdict) -> ProvisionalAlarm:
        unit, device = sender_of(verdict)
        place = None
        number = verdict.device_number
        if number is not None:
            named_unit, named_device = self._registry.name(number)
            unit, device = unit or named_unit, device or named_device
            place = self._registry.zone(number) or self._registry.main(number)
        return ProvisionalAlarm(
            key=key_of(*verdict.key),
            alert_class=verdict.alert_class,
            priority=1 if verdict.alert_class is AlertClass.FIRE else verdict.priority,
            title_zh=verdict.title_zh,
            title_en=verdict.title_en,
            unit=unit,
            device=device,
            component=verdict.component,
            text=verdict.text,
            place=place,
            device_at=verdict.at,
            received_at=self._clock.now() if verdict.event is None else verdict.event.received_at,
            flags=verdict.flags,
        )

    def _change(self) -> None:
        self.revision += 1
        for on_change in self._listeners:
            on_change()


def _calls(verdict: Verdict) -> bool:
    """Say whether an operator is to be called: neither of the past, nor of a rule on trial, nor held by design."""
    held = verdict.shadow or holds_back(verdict)
    return verdict.kind is VerdictKind.RAISE and not (held or verdict.for_the_record)


def _rank(alarm: ProvisionalAlarm) -> int:
    return 0 if alarm.is_fire else alarm.priority


def _joined(known: ProvisionalAlarm, said: ProvisionalAlarm) -> ProvisionalAlarm:
    """Return one alarm of two under one key: the higher level's words, the newest event, the first arrival."""
    upper, lower = (said, known) if (_rank(said), -said.device_at) < (_rank(known), -known.device_at) else (known, said)
    return replace(
        upper,
        text=upper.text or lower.text,
        device_at=max(known.device_at, said.device_at),
        received_at=min(known.received_at, said.received_at),
        flags=tuple(dict.fromkeys(upper.flags + lower.flags)),
    )
