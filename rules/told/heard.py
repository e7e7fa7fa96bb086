"""What a replay took in of the device that is asked about, and what was decided of any."""

from collections.abc import Iterable
from dataclasses import dataclass, field, fields

import numpy as np

from firetower.core.clock import Micros
from firetower.devices.events import Event
from firetower.devices.readings import Readings
from firetower.rules.told.explain import RuleState
from firetower.rules.verdicts import Verdict, VerdictKind

Standing = dict[tuple[str, str, str], tuple[Micros, Verdict]]
"""By rule, subject and component, what is active: since when, µs, and the newest verdict of it."""


@dataclass(slots=True)
class Heard:
    """What a replay took in and what was decided. ``device``: the number of the one asked about.

    ``states``: by metric and channel number, the states of its measured rules. ``last_heard``: µs, 0 for never.
    ``past``: by rule, subject and component, what readings that came late say of the time they are of.
    """

    begin: Micros
    device: int
    events: list[Event] = field(default_factory=list)
    states: dict[tuple[int, int], list[RuleState]] = field(default_factory=dict)
    last_heard: Micros = 0
    standing: Standing = field(default_factory=dict)
    past: dict[tuple[str, str, str], Verdict] = field(default_factory=dict)
    _pages: list[Readings] = field(default_factory=list)

    def take(self, page: Readings) -> None:
        """Keep the readings of the device asked about."""
        mine = page.take(page.device == self.device)
        if len(mine):
            self._pages.append(mine)

    def readings(self) -> Readings:
        """Return the readings of the device asked about, by time."""
        if not self._pages:
            return Readings.empty()
        whole = Readings(
            *(np.concatenate([getattr(page, each.name) for page in self._pages]) for each in fields(Readings))
        )
        return whole.take(whole.ts.argsort(kind="stable"))

    def decided(self, verdicts: Iterable[Verdict]) -> None:
        """Keep what stands, of any device and group: since when, and the newest verdict of it."""
        for verdict in verdicts:
            key = (verdict.rule, verdict.subject, verdict.component)
            if verdict.historical:
                self.past[key] = verdict
            elif verdict.kind is VerdictKind.RAISE:
                since = self.standing[key][0] if key in self.standing else verdict.at
                self.standing[key] = since, verdict
            elif verdict.kind is VerdictKind.CLEAR:
                self.standing.pop(key, None)
