"""Why a silence rule does or does not speak of a device, in words."""

from firetower.core.clock import Micros
from firetower.devices.kinds import DeviceKind
from firetower.devices.registry import Registry
from firetower.rules.book.conditions import SilenceCondition
from firetower.rules.book.model import Rule
from firetower.rules.book.quantities import duration_text
from firetower.rules.book.rulebook import Rulebook
from firetower.rules.measured.off import Off
from firetower.rules.measured.scopes import Scopes
from firetower.rules.told.explain import Speaker
from firetower.rules.told.heard import Heard
from firetower.rules.watches.allowances import allowed, condition_of

_KINDS = tuple(DeviceKind)


class Silences:
    """The silence rules of a rulebook, and which of them judges a device: the first that fits and is not off for it."""

    def __init__(self, book: Rulebook, registry: Registry, scopes: Scopes) -> None:
        self._rules = [rule for rule in book.rules if rule.condition.silence is not None]
        self._registry = registry
        self._off = Off(self._rules, scopes)

    def judge(self, number: int, *, spoke: bool) -> Rule | None:
        """Return the rule that judges the silence of a device; ``spoke``: it has ever said anything."""
        kind, interval = _KINDS[int(self._registry.kind[number])], int(self._registry.interval[number])
        for index, rule in enumerate(self._rules):
            condition = condition_of(rule)
            fits = (condition.of == "seen") == spoke and kind in rule.kinds and _fits(condition, interval)
            if fits and not self._off.of(index, number):
                return rule
        return None

    def told(self, rule: Rule, heard: Heard, speaker: Speaker) -> str:
        """Return how long the device that was replayed has said nothing, or why ``rule`` does not ask that of it."""
        number, condition = heard.device, condition_of(rule)
        interval, never = int(self._registry.interval[number]), heard.last_heard <= 1
        if condition.of == "seen" and never:
            return "it is about devices that have spoken, this one never did"
        if condition.of == "never_seen" and not never:
            return "it is about devices that never spoke, this one has"
        if not _fits(condition, interval):
            bounds, its_own = _bounds(condition), duration_text(interval)
            return f"it is about devices that report every {bounds}, this one does every {its_own}"
        first = self.judge(number, spoke=not never)
        if first is not None and first.id != rule.id:
            return f"rule {first.id} stands before it in the rulebook, and judges the silence of this device"
        start = int(self._registry.registered_at[number]) if never else heard.last_heard
        bands = ", ".join(
            f"{speaker.span(allowed(band, interval))} (priority {band.priority})" for band in condition.bands
        )
        said = f"{'registered' if never else 'last heard'} {speaker.time(start)}, silent for"
        over = f"; over after {condition.clear_messages} messages" if condition.clear_messages > 1 else ""
        return f"{said} {speaker.span(speaker.now - start)}; allowed: {bands}{over}"


def _fits(condition: SilenceCondition, interval: Micros) -> bool:
    below = condition.interval_below
    return interval >= condition.interval_from and (below is None or interval < below)


def _bounds(condition: SilenceCondition) -> str:
    low, below = condition.interval_from, condition.interval_below
    if below is None:
        return f"{duration_text(low)} or less often"
    return f"{duration_text(low)} to {duration_text(below)}" if low else f"less than {duration_text(below)}"
