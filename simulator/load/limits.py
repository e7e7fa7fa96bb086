"""When a figure may be published, and when a load was held: the stated limits, and the reasons in words."""

from dataclasses import dataclass

from firetower.core.clock import SECOND
from firetower.simulator.load.fleet import MILLI, Outcome
from firetower.simulator.load.tally import Tally

BEHIND = 0.5
"""Seconds of messages that may be open when the schedule ends; with more the system has fallen behind."""


@dataclass(frozen=True, slots=True)
class Limits:
    """``lateness_ms``: the 99th percentile of the generator's own lateness; ``lost``: messages of all kinds of loss;
    ``p99_ms``: of the latency, None for no limit."""

    lateness_ms: float = 50.0
    lost: int = 0
    p99_ms: float | None = None


def refused(tally: Tally, limits: Limits) -> str | None:
    """Return why a load gives no figure of the system under test: the generator could not keep up; None if it could."""
    if not tally.sent:
        return "nothing was sent"
    late = tally.lateness.percentile(99) / MILLI
    if late > limits.lateness_ms:
        return (
            f"the generator was late: 1 % of its messages left its hands {late:,.1f} ms or more after their time, and "
            f"{limits.lateness_ms:g} ms is the limit (--allow-lateness); take more --workers, an idle machine, or "
            "less load"
        )
    if tally.dropped:
        return (
            f"the generator lost {tally.dropped:,} messages: too many waited for the broker to take them; offer less, "
            "or give more --workers and --connections"
        )
    return None


def broken(tally: Tally, limits: Limits) -> list[str]:
    """Return what went beyond the limits on the side of the system under test."""
    found = []
    lost = tally.unacknowledged + tally.unsent
    if lost > limits.lost:
        found.append(
            f"{lost:,} of {tally.intended:,} messages were not acknowledged ({tally.cut_off:,} cut off with their "
            f"connection, {tally.refused:,} refused, {tally.in_flight:,} without answer, {tally.unsent:,} never sent), "
            f"{limits.lost:,} may be (--allow-lost)"
        )
    p99 = tally.latency.percentile(99) / MILLI
    if limits.p99_ms is not None and p99 > limits.p99_ms:
        found.append(f"p99 of the latency is {p99:,.1f} ms, {limits.p99_ms:g} ms is the limit (--allow-p99)")
    return found


def not_held(outcome: Outcome, limits: Limits) -> str | None:
    """Return why a rate did not hold: the system fell behind, lost messages, or passed p99; None where it held."""
    offered = outcome.profile.messages / outcome.profile.seconds
    if outcome.open_at_end > BEHIND * offered:
        behind = outcome.open_at_end / offered
        return (
            f"the system fell behind: {outcome.open_at_end:,} messages were open after {outcome.profile.seconds:g} s, "
            f"{behind:.1f} s of them (limit {BEHIND:g} s)"
        )
    return "; ".join(broken(outcome.tally, limits)) or None


def speed(outcome: Outcome) -> tuple[float, float]:
    """Return messages a second, sent while the schedule ran and acknowledged until the last answer."""
    elapsed = max(outcome.elapsed, 1) / SECOND
    lasted = min(outcome.profile.seconds, elapsed)
    return outcome.tally.sent / lasted, outcome.tally.acknowledged / elapsed
