"""Judges a run: each alert of the service against the truth, without any I/O.

Alerts that are due are paired with alerts that fit, as many as possible, and in time before late. What is left over
explains itself by what may be there, is one too many of what is expected, or is false: nothing is forgiven silently.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from firetower.core.clock import SECOND, Micros
from firetower.devices.events import AlertClass
from firetower.simulator.score.matching import paired
from firetower.simulator.truth import About, Expected, Forbidden, Run, TruthLog

BEFORE: Micros = SECOND
"""An alert may stand this long before its cause by the service's clock, which is another one."""


@dataclass(frozen=True, slots=True)
class Seen:
    """An alert as the service tells it; times in µs. ``raised_at``: when it was committed."""

    id: str
    subject_kind: str
    subject: str
    unit: str | None
    device: str | None
    component: str
    alert_class: str
    priority: int
    rule: str
    raised_at: Micros
    flags: tuple[str, ...] = ()
    occurrences: int = 1
    text: str = ""

    @property
    def words(self) -> str:
        """Say what it is, in a line."""
        point = f" {self.component!r}" if self.component else ""
        what = f"{self.unit}/{self.device}" if self.device else f"{self.subject_kind} {self.subject}"
        return f"{self.alert_class} {self.priority} of {what}{point} by {self.rule} (alert {self.id})"

    @property
    def of_itself(self) -> bool:
        """Whether Firetower tells of itself, or a person told it."""
        return self.subject_kind == "system" or self.rule.startswith("manual:")


@dataclass(frozen=True, slots=True)
class Found:
    """An alert that was expected. ``after``: µs from its cause, in device time; ``late``: after it was due."""

    expected: Expected
    alert: Seen
    after: Micros
    late: bool


@dataclass(slots=True)
class Score:
    """How a run went. ``explained``: alerts that may be there; ``undecided``: expected and not due yet; ``own``: what
    the service tells of itself, or a person told it; ``afterwards``: expected by nobody, but raised after the last
    message, when everybody is silent."""

    found: list[Found] = field(default_factory=list)
    missed: list[Expected] = field(default_factory=list)
    false: list[tuple[Seen, str]] = field(default_factory=list)
    duplicate: list[tuple[Seen, Expected]] = field(default_factory=list)
    explained: list[tuple[Seen, Expected]] = field(default_factory=list)
    undecided: list[Expected] = field(default_factory=list)
    own: list[Seen] = field(default_factory=list)
    afterwards: list[Seen] = field(default_factory=list)

    @property
    def late(self) -> list[Found]:
        """Those found late."""
        return [each for each in self.found if each.late]

    def complete(self, until: Micros) -> bool:
        """Whether nothing is missing of what is due before ``until`` (µs, device time)."""
        return not self.missed and all(each.by >= until for each in self.undecided)


def judge(log: TruthLog, alerts: Sequence[Seen], *, now: Micros, grace: Micros = 0) -> Score:
    """Return the score of ``alerts``, asked for at ``now`` (µs). ``grace``: µs the way through the service may take.

    Alerts raised before the run are none of its business.
    """
    score = Score()
    run = log.run
    about: dict[tuple[str, str, str], list[Seen]] = defaultdict(list)
    for alert in sorted({alert.id: alert for alert in alerts}.values(), key=lambda alert: (alert.raised_at, alert.id)):
        if alert.raised_at < run.wall - BEFORE:
            continue
        if alert.of_itself:
            score.own.append(alert)
        else:
            about[(*_key_of(alert), alert.alert_class)].append(alert)
    expected: dict[tuple[str, str, str], list[Expected]] = defaultdict(list)
    for each in log.expected:
        expected[(*_key(each.about), each.alert_class)].append(each)
    forbidden: dict[tuple[str, str], list[Forbidden]] = defaultdict(list)
    for never in log.forbidden:
        forbidden[_key(never.about)].append(never)
    for key in dict.fromkeys((*expected, *about)):
        group = _Group(run, expected.get(key, []), about.get(key, []), grace)
        group.judge(score, log, now, forbidden.get(key[:2], []))
    return score


def _key(about: About) -> tuple[str, str]:
    return about.kind, about.code


def _key_of(alert: Seen) -> tuple[str, str]:
    # somebody nobody registered, or a gateway, is a device as far as the truth goes
    return ("device", f"{alert.unit}/{alert.device}") if alert.device else (alert.subject_kind, alert.subject)


@dataclass(slots=True)
class _Group:
    """What is expected, and what was alarmed, of one class about one thing."""

    run: Run
    expected: list[Expected]
    alerts: list[Seen]
    grace: Micros

    def judge(self, score: Score, log: TruthLog, now: Micros, forbidden: Sequence[Forbidden]) -> None:
        """Add what is found to ``score``."""
        due = [each for each in self.expected for _ in range(each.least)]
        fits = [[n for n, alert in enumerate(self.alerts) if self._fits(each, alert)] for each in due]
        in_time = [
            [n for n in fit if not self._is_late(each, self.alerts[n])] for each, fit in zip(due, fits, strict=True)
        ]
        pairs = paired(fits, paired(in_time))
        for number, each in enumerate(due):
            if number in pairs:
                alert = self.alerts[pairs[number]]
                after = round((alert.raised_at - self.run.real(each.at)) * self.run.speed)
                score.found.append(Found(each, alert, after, self._is_late(each, alert)))
            elif self._may_come(each, log, now):
                score.undecided.append(each)
            else:
                score.missed.append(each)
        awaited = set(pairs.values())
        left = [alert for n, alert in enumerate(self.alerts) if n not in awaited]
        ended = None if log.sent is None else self.run.real(log.sent.at)
        self._explain(left, score, forbidden, ended)

    def _explain(self, left: list[Seen], score: Score, forbidden: Sequence[Forbidden], ended: Micros | None) -> None:
        """Find out what alerts that nobody waited for are."""
        room = [(each, number) for each in self.expected for number in range(min(each.most - each.least, len(left)))]
        edges = [[n for n, (each, _) in enumerate(room) if self._fits(each, alert)] for alert in left]
        pairs = paired(edges)
        for number, alert in enumerate(left):
            if number in pairs:
                score.explained.append((alert, room[pairs[number]][0]))
                continue
            like = next((each for each in self.expected if self._fits(each, alert)), None)
            is_after = ended is not None and alert.raised_at > ended
            if is_after and (like is None or alert.alert_class == AlertClass.OFFLINE):
                score.afterwards.append(alert)  # the end of the run itself silences every device
            elif like is not None:
                score.duplicate.append((alert, like))
            else:
                score.false.append((alert, self._why(alert, forbidden)))

    def _why(self, alert: Seen, forbidden: Sequence[Forbidden]) -> str:
        for never in forbidden:
            if never.alert_class in {None, alert.alert_class}:
                return f"must not be: {never.scenario}: {never.name}"
        near = [each for each in self.expected if self._alike(each, alert)]
        for each in near:
            if alert.raised_at + BEFORE < self.run.real(each.at):
                return f"it came before its cause ({each.words})"
        for each in near:
            return f"expected otherwise: {each.words}{_conditions(each)}"
        return "nothing happened there"

    def _fits(self, each: Expected, alert: Seen) -> bool:
        most_urgent, least_urgent = each.priority
        return (
            self._alike(each, alert)
            and most_urgent <= alert.priority <= least_urgent
            and alert.raised_at + BEFORE >= self.run.real(each.at)
            and set(each.flags) <= set(alert.flags)
            and alert.occurrences >= each.occurrences
        )

    @staticmethod
    def _alike(each: Expected, alert: Seen) -> bool:
        return each.component in {None, alert.component} and each.rule in {None, alert.rule}

    def _is_late(self, each: Expected, alert: Seen) -> bool:
        return alert.raised_at > self.run.real(each.by) + self.grace

    def _may_come(self, each: Expected, log: TruthLog, now: Micros) -> bool:
        """Whether it is not due yet, or its cause was not played any more."""
        never_played = log.sent is not None and each.at > log.sent.at
        return never_played or self.run.real(each.by) + self.grace > now


def _conditions(each: Expected) -> str:
    said = f", saying {', '.join(each.flags)}" if each.flags else ""
    return said + (f", {each.occurrences} times at least" if each.occurrences > 1 else "")
