"""The members of one clause of a combination in one group: which devices' alarms are active, and since when."""

from bisect import bisect_left, bisect_right, insort
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, combinations, islice

from firetower.core.clock import Micros
from firetower.rules.measured.lanes import NEVER
from firetower.rules.watches.holding import Holding

Alarm = tuple[str, str]
"""A rule, or ``event:<name>``, and the component."""
Begin = tuple[Micros, int, Micros]
"""When an alarm began at the earliest, its device's number, and how much later it may have begun, µs.

A device that is silent fell silent between its last word and the one that did not come.
"""


class Members:
    """Alarms by device. ``devices`` and ``within``: how many are to have begun within which time, µs (None: any)."""

    __slots__ = ("_devices", "_near", "_of", "_within", "begins")

    def __init__(self, devices: int, within: Micros | None) -> None:
        self._devices, self._within = devices, within
        self._of: dict[int, dict[Alarm, Begin]] = {}
        self.begins: list[Begin] = []
        """In their order."""
        self._near = False

    def fresh(self) -> "Members":
        """Return a clause that asks for the same, without any members."""
        return Members(self._devices, self._within)

    def __len__(self) -> int:
        """Return how many devices have an alarm."""
        return len(self._of)

    @property
    def too_few(self) -> bool:
        """Whether fewer devices have an alarm than asked for, whatever their share of the group."""
        return len(self._of) < self._devices

    def __contains__(self, device: int) -> bool:
        return device in self._of

    @property
    def devices(self) -> Iterable[int]:
        """The devices that have an alarm."""
        return self._of.keys()

    @property
    def alarms(self) -> Iterator[tuple[int, Alarm]]:
        """Each alarm with its device."""
        return ((device, alarm) for device, alarms in self._of.items() for alarm in alarms)

    @property
    def near(self) -> bool:
        """Whether as many as asked for began within the time asked for."""
        return self._within is None or self._near

    def add(self, device: int, alarm: Alarm, begin: Micros, *, doubt: Micros = 0) -> None:
        """Take in an alarm; one that is known began when it did. ``doubt``: how much later it may have begun, µs."""
        alarms, when = self._of.get(device), (begin, device, doubt)
        if alarms is None:
            self._of[device] = {alarm: when}
        elif alarm in alarms:
            return
        else:
            alarms[alarm] = when
        insort(self.begins, when)
        if self._within is not None and not self._near:
            low = bisect_left(self.begins, (begin - self._within, -1, 0))
            high = bisect_right(self.begins, (begin + self._within + 1, -1, 0))
            self._near = _are_near(self.begins[low:high], self._devices, self._within)

    def remove(self, device: int, alarm: Alarm) -> None:
        """Forget an alarm, as far as it is known."""
        alarms = self._of.get(device, {})
        begin = alarms.pop(alarm, None)
        if begin is None:
            return
        if not alarms:
            del self._of[device]
        del self.begins[bisect_left(self.begins, begin)]
        if self._within is not None and self._near:
            self._near = _are_near(self.begins, self._devices, self._within)

    def drop(self, device: int) -> None:
        """Forget a device."""
        for alarm in list(self._of.get(device, ())):
            self.remove(device, alarm)

    def save(self) -> list[tuple[int, str, str, Micros]]:
        """Return device, rule, component and begin of each alarm."""
        return [(device, *alarm, begin[0]) for device, alarms in self._of.items() for alarm, begin in alarms.items()]


class Group:
    """One combination in one group. ``clauses``: those of ``all``, then those of ``none``; at first ``empty``.

    Most groups are of one alarm: what has no members is common to all of them.
    """

    __slots__ = ("clauses", "holding", "last")

    def __init__(self, empty: list[Members]) -> None:
        self.clauses = empty.copy()
        self.holding = Holding()
        self.last: Micros = -NEVER  # newest instant of what was said of its members

    def add(self, number: int, device: int, alarm: Alarm, begin: Micros, *, doubt: Micros = 0) -> None:
        """Take an alarm into a clause."""
        members = self.clauses[number]
        if not members:
            members = self.clauses[number] = members.fresh()
        members.add(device, alarm, begin, doubt=doubt)


def followed(parts: Sequence[Members], within: Micros) -> bool:
    """Say whether an alarm of each part may have begun after one of the part before, all of them within a time."""
    newest = [begin for begin, _, _ in parts[0].begins]
    oldest = newest  # of the chain that ends there, and begins as late as it can
    for part in parts[1:]:
        latest = list(accumulate(oldest, max))  # of all chains that end there or before
        chains = [
            (begin, latest[place - 1])
            for begin, _, doubt in part.begins
            if (place := bisect_right(newest, begin + doubt))
        ]  # fmt: skip
        newest, oldest = [begin for begin, _ in chains], [first for _, first in chains]
    return any(last - first <= within for last, first in zip(newest, oldest, strict=True))


def differ(parts: Sequence[Members]) -> bool:
    """Say whether each part has an alarm of its own: one that is of several counts for one of them."""
    most = len(parts)  # of a part with so many there is one left, whatever the others take
    found = [set(islice(each.alarms, most)) for each in parts]
    return all(len(set().union(*some)) >= count for count in range(2, most + 1) for some in combinations(found, count))


def _are_near(begins: Iterable[Begin], devices: int, within: Micros) -> bool:
    """Say whether that many devices have an alarm that began within a time; ``begins`` in order."""
    recent: deque[Begin] = deque()
    count: Counter[int] = Counter()
    for begin, device, doubt in begins:
        recent.append((begin, device, doubt))
        count[device] += 1
        while begin - recent[0][0] > within:
            _, gone, _ = recent.popleft()
            count[gone] -= 1
            if not count[gone]:
                del count[gone]
        if len(count) >= devices:
            return True
    return False
