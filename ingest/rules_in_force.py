"""The engine in force, which another may take the place of between two batches."""

from collections.abc import Sequence

from firetower.devices.events import AlertClass
from firetower.devices.readings import Bools, Int64s, Readings
from firetower.rules.engine import Engine
from firetower.rules.rulebook import Rulebook
from firetower.rules.steps import Batch, Step
from firetower.rules.verdicts import Verdict


class RulesInForce:
    """``ports.Rules``: an engine, and for the time of a reload what it takes in meanwhile.

    From ``tap`` on every batch that is evaluated is kept too; ``tapped`` hands out the oldest of them for the engine
    that is to follow, and ``swap`` puts that one in its place. Between the last ``tapped`` and ``swap`` nothing may be
    awaited, so that no batch is missed. ``untap`` ends a reload that came to nothing. ``burning``: rules that raised a
    fire since ``tap``, whose alerts may not be stored yet.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._tapped: list[Batch] | None = None
        self.burning: set[str] = set()

    @property
    def rulebook(self) -> Rulebook:
        """The rulebook that judges now."""
        return self._engine.rulebook

    # a reload --------------------------------------------------------------------------------------

    def tap(self) -> None:
        """Keep what is evaluated from now on."""
        self._tapped = []
        self.burning.clear()

    def tapped(self) -> Batch | None:
        """Take the oldest batch kept; None when there is none."""
        return self._tapped.pop(0) if self._tapped else None

    def untap(self) -> None:
        """Keep no more."""
        self._tapped = None

    def swap(self, engine: Engine) -> None:
        """Let ``engine`` judge from now on."""
        self._engine, self._tapped = engine, None

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
        if self._tapped is None:
            return verdicts
        if isinstance(step, Batch):
            self._tapped.append(step)
        self.burning |= {each.rule for each in verdicts if each.alert_class is AlertClass.FIRE}
        return verdicts

    def glance(self, readings: Readings, channels: Sequence[str]) -> list[Verdict]:
        """As ``Engine.glance``."""
        return self._engine.glance(readings, channels)
