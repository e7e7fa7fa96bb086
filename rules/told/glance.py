"""Values beyond an urgent limit, by a look at single readings: for what waits while nothing can be judged.

No state, no delays, no counts of readings: one value beyond the limit raises, for in an outage doubt is an alarm.
"""

from collections.abc import Sequence

import numpy as np

from firetower.devices.events import AlertClass
from firetower.devices.readings import Bools, Int16s, Quality, Readings
from firetower.devices.registry import Registry
from firetower.rules.measured.limits import LimitTable
from firetower.rules.verdicts import Verdict, VerdictKind

_URGENT = (AlertClass.FIRE, AlertClass.PREALARM)
_RED = 1


class Glance:
    """Looks at readings with the limits of ``tables``; ``table_of``: their index by (kind, metric), -1 for none."""

    def __init__(self, tables: Sequence[LimitTable], table_of: Int16s, registry: Registry) -> None:
        self._tables = tables
        self._table_of = table_of
        self._registry = registry
        self._urgent = [_urgent(table) for table in tables]

    def raised(self, readings: Readings, channels: Sequence[str]) -> list[Verdict]:
        """Return what the values of ``readings`` would raise: fires, prealarms, and whatever is of priority 1.

        ``channels``: the suffix of each reading's metric, for it may have no number yet. Of devices without a number
        nothing is known. A rule raises its worst band, under the key that it will have when it is judged.
        """
        kind = self._registry.kind
        known = (readings.device > 0) & (readings.device < len(kind)) & (readings.quality != Quality.BAD)
        place = np.flatnonzero(known)
        table_of = self._table_of[kind[readings.device[place]], readings.metric[place]]
        out: list[Verdict] = []
        for index in np.unique(table_of[table_of >= 0]).tolist():
            out += self._of_table(index, readings, place[table_of == index].tolist(), channels)
        return out

    def _of_table(self, index: int, readings: Readings, which: list[int], channels: Sequence[str]) -> list[Verdict]:
        table = self._tables[index]
        lanes = table.lanes
        device = readings.device[which]
        zone = lanes.zones(readings.value[which], device, readings.ts[which], lanes.variant(device))
        worst: dict[tuple[int, int], int] = {}
        for row, lane in np.argwhere((zone == 1) & self._urgent[index]).tolist():
            worst[which[row], int(lanes.rule[lane])] = int(lanes.number[lane])
        return [
            table.verdict(
                VerdictKind.RAISE,
                (rule, band),
                (int(readings.device[place]), channels[place]),
                int(readings.ts[place]),
                float(readings.value[place]),
                uncertain=bool(readings.quality[place] == Quality.UNCERTAIN),
            )
            for (place, rule), band in worst.items()
        ]


def _urgent(table: LimitTable) -> Bools:
    lanes = table.lanes
    return np.array(
        [
            not table.rules[rule].shadow
            and (table.rules[rule].alert_class in _URGENT or lanes.bands[rule][number - 1].priority == _RED)
            for rule, number in zip(lanes.rule.tolist(), lanes.number.tolist(), strict=True)
        ]
    )
