"""The engine in force, which another may take the place of between two batches."""

from collections.abc import Sequence

import numpy as np

from firetower.core.clock import Micros
from firetower.devices.events import AlertClass
from firetower.devices.readings import Bools, Int64s, Mark, Readings
from firetower.rules.book.rulebook import Rulebook
from firetower.rules.engine import Engine
from firetower.rules.steps import Batch, Step
from firetower.rules.verdicts import Verdict, VerdictKind

_LATE = np.int16(Mark.LATE)


class RulesInForce:
    """``ports.Rules``: an engine, and for the time of a reload what it takes in meanwhile.

    ``begin`` notes how old the readings are that come while another engine is made from what is stored. From ``tap`` on
    every batch that is evaluated is kept too; ``tapped`` hands out the oldest of them for the engine that is to follow,
    and ``swap`` puts that one in its place. Between the last ``tapped`` and ``swap`` nothing may be awaited, so that no
    batch is missed. ``untap`` ends a reload that came to nothing. ``whole``: it knows all that its rules remember.
    ``burning``: rules that raised a fire since ``begin``, whose alerts may not be stored yet. ``said``: what rules
    decided since then, of which the engine that is to follow may not have been told by the store.
    """

    def __init__(self, engine: Engine, *, whole: bool = True) -> None:
        self._engine = engine
        self.whole = whole
        self._tapped: list[Batch] | None = None
        self._lowest: Micros | None = None
        self.burning: set[str] = set()
        self.said: list[Verdict] = []

    @property
    def engine(self) -> Engine:
        """The engine that judges now."""
        return self._engine

    @property
    def rulebook(self) -> Rulebook:
        """The rulebook that judges now."""
        return self._engine.rulebook

    # a reload --------------------------------------------------------------------------------------

    def begin(self, at: Micros) -> None:
        """Note from now on how old the readings are that are taken in, if any is older than ``at``; and what burns."""
        self._lowest = at
        self.burning.clear()
        self.said.clear()

    def tap(self) -> Micros:
        """Keep what is evaluated from now on; return from when on stored readings must be read for what was before."""
        self._tapped = []
        assert self._lowest is not None  # ``begin`` comes first
        return self._lowest

    def tapped(self) -> Batch | None:
        """Take the oldest batch kept; None when there is none."""
        return self._tapped.pop(0) if self._tapped else None

    def untap(self) -> None:
        """Keep no more."""
        self._tapped = self._lowest = None
        self.said.clear()

    def swap(self, engine: Engine) -> None:
        """Let ``engine`` judge from now on."""
        self._engine, self.whole = engine, True
        self.untap()

    # judging ---------------------------------------------------------------------------------------

    def newest(self, readings: Readings) -> Int64s:
        """As ``Engine.newest``."""
        return self._engine.newest(readings)

    def unsure(self, readings: Readings) -> Bools:
        """As ``Engine.unsure``."""
        return self._engine.unsure(readings)

    def evaluate(self, step: Step) -> list[Verdict]:
        """As ``Engine.evaluate``."""
        verdicts = self._engine.evaluate(step)
        if self._lowest is None:
            return verdicts
        if isinstance(step, Batch) and self._tapped is not None:
            self._tapped.append(step)
        elif isinstance(step, Batch) and len(step.readings):
            in_time = step.readings.ts[(step.readings.flags & _LATE) == 0]
            self._lowest = min(self._lowest, int(in_time.min(initial=self._lowest)))
        said = [each for each in verdicts if each.event is None and each.kind is not VerdictKind.RECORD]
        self.said += said
        self.burning |= {each.rule for each in said if each.alert_class is AlertClass.FIRE and not each.shadow}
        return verdicts

    def glance(self, readings: Readings, channels: Sequence[str]) -> list[Verdict]:
        """As ``Engine.glance``."""
        return self._engine.glance(readings, channels)
