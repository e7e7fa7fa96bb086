"""The score as a tester reads it: lines of text, and the same as JSON; whether it stays within the limits."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from firetower.core.clock import SECOND, rfc3339
from firetower.simulator.score.accounting import Account
from firetower.simulator.score.figures import Times, confusion, times_by_class
from firetower.simulator.score.judge import Score, Seen
from firetower.simulator.truth import Expected, TruthLog

_LISTED = 20


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may go wrong: alerts missed, false, duplicate, late; and of each kind of loss."""

    missed: int = 0
    false: int = 0
    duplicate: int = 0
    late: int = 0
    lost: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """A run, judged."""

    log: TruthLog
    score: Score
    account: Account
    limits: Limits

    @property
    def counts(self) -> dict[str, tuple[int, int]]:
        """Return what is judged: its number, and the limit."""
        score, limits = self.score, self.limits
        counts = {
            "missed": (len(score.missed), limits.missed),
            "false": (len(score.false), limits.false),
            "duplicate": (len(score.duplicate), limits.duplicate),
            "late": (len(score.late), limits.late),
            "acts failed": (len(self.failed), 0),
        }
        told = {
            "messages lost": self.account.lost_on_the_way,
            "rejected": self.account.rejected_beyond,
            "readings lost": self.account.readings_lost,
        }
        return counts | {name: (count, limits.lost) for name, count in told.items() if count is not None}

    @property
    def failed(self) -> tuple[str, ...]:
        """Acts that could not be done."""
        return () if self.log.sent is None else self.log.sent.failed

    @property
    def passed(self) -> bool:
        """Whether everything is within its limit."""
        return all(count <= limit for count, limit in self.counts.values())

    def times(self) -> dict[str, Times]:
        """Return seconds from cause to alarm by class."""
        return times_by_class(self.score)

    def as_json(self) -> dict[str, Any]:
        """Return all of it as what JSON can say."""
        score, run = self.score, self.log.run
        return {
            "run": asdict(run) | {"start": rfc3339(run.start), "wall": rfc3339(run.wall)},
            "passed": self.passed,
            "counts": {name: {"count": count, "limit": limit} for name, (count, limit) in self.counts.items()},
            "found": len(score.found),
            "explained": len(score.explained),
            "undecided": [each.words for each in score.undecided],
            "seconds_to_alarm": {name: asdict(each) for name, each in self.times().items()},
            "confusion": confusion(score),
            "messages": asdict(self.account) | {"readings_lost": self.account.readings_lost},
            "missed": [_expected(each) for each in score.missed],
            "false": [{**_alert(alert), "why": why} for alert, why in score.false],
            "duplicate": [{**_alert(alert), "of": each.words} for alert, each in score.duplicate],
            "late": [
                {**_alert(each.alert), "of": each.expected.words, "after_s": each.after / SECOND} for each in score.late
            ],
            "after_the_end": [_alert(alert) for alert in score.afterwards],
            "about_itself": [_alert(alert) for alert in score.own],
            "acts_failed": list(self.failed),
        }

    def text(self) -> Iterator[str]:
        """Yield it in lines."""
        score = self.score
        yield f"{', '.join(self.log.run.scenarios)}: {len(score.found)} alerts found of {self._due} that were due"
        for name, (count, limit) in self.counts.items():
            allowed = f" (allowed: {limit})" if limit else ""
            yield f"  {name:<14}{count:>6}{allowed}{'' if count <= limit else '  <<<'}"
        if score.afterwards:
            yield f"  after the end {len(score.afterwards):>6}"
        if score.undecided:
            yield f"  not due yet   {len(score.undecided):>6}"
        yield from self._listed("missed", [each.words for each in score.missed])
        yield from self._listed("false", [f"{alert.words}: {why}" for alert, why in score.false])
        yield from self._listed(
            "duplicate", [f"{alert.words}: one more of {each.words}" for alert, each in score.duplicate]
        )
        yield from self._listed(
            "late",
            [f"{each.alert.words}: after {each.after / SECOND:.1f} s: {each.expected.words}" for each in score.late],
        )
        yield from self._listed("not due yet", [each.words for each in score.undecided])
        yield from self._listed("acts failed", list(self.failed))
        yield from self._listed("about itself", [alert.words for alert in score.own])
        times = self.times()
        if times:
            yield "seconds to alarm      n     p50     p90     p99     most"
        for name, each in times.items():
            yield f"  {name:<14}{each.count:>7}{each.p50:>8.2f}{each.p90:>8.2f}{each.p99:>8.2f}{each.most:>9.2f}"
        table = confusion(score)
        if table:
            yield "which rule said what"
        for truth, said in table.items():
            yield f"  {truth:<14} {', '.join(f'{rule} {count}' for rule, count in said.items())}"
        yield from self._messages()

    @property
    def _due(self) -> int:
        return len(self.score.found) + len(self.score.missed)

    def _messages(self) -> Iterator[str]:
        of = self.account
        lanes = ", ".join(f"{lane} {count:,}" for lane, count in of.published.items())
        yield f"messages published: {lanes}; acknowledged by the broker {of.acked:,}, lost {of.lost_on_the_way:,}"
        if not of.known:
            yield "the service does not tell what it received and stored (no /metrics there, or it was restarted)"
            return
        received = ", ".join(f"{lane} {count:,}" for lane, count in of.received.items())
        yield f"messages received (Firetower's own among them): {received}"
        yield f"readings sent {of.readings:,}: stored {of.stored:,}, repeats {of.repeated:,}"
        rejected = ", ".join(f"{reason} {count:,}" for reason, count in of.rejected.items()) or "none"
        yield f"messages rejected: {rejected}; unusable on purpose {of.unusable:,}, of strangers {of.strangers:,}"

    @staticmethod
    def _listed(name: str, lines: list[str]) -> Iterator[str]:
        if lines:
            yield f"{name}:"
        yield from (f"  {line}" for line in lines[:_LISTED])
        if len(lines) > _LISTED:
            yield f"  … and {len(lines) - _LISTED:,} more; the report has them all"


def _expected(each: Expected) -> dict[str, Any]:
    return {
        "scenario": each.scenario, "step": each.step, "about": each.about.words, "class": each.alert_class,
        "priority": list(each.priority), "component": each.component, "rule": each.rule,
        "from": rfc3339(each.at), "by": rfc3339(each.by),
    }  # fmt: skip


def _alert(alert: Seen) -> dict[str, Any]:
    return asdict(alert) | {"raised_at": rfc3339(alert.raised_at)}
