"""What a load came to, for people and for programs: text, JSON, and the percentile table."""

from dataclasses import dataclass, field
from typing import Any

from firetower.core.clock import rfc3339
from firetower.core.mqtt_address import parse_url
from firetower.simulator.load import limits as judge
from firetower.simulator.load.fleet import MILLI, Outcome
from firetower.simulator.load.histogram import HALF, Histogram
from firetower.simulator.load.knee import Search
from firetower.simulator.load.limits import Limits
from firetower.simulator.load.order import Order

PERCENTILES = {"p50": 50.0, "p90": 90.0, "p99": 99.0, "p99.9": 99.9, "max": 100.0}
_MOST_SAMPLES = 600


@dataclass(slots=True)
class Report:
    """A load that is over: its order, what it is called, what it came to, and the limits it is held to.

    ``search``: of find-the-limit; ``outcome`` is then that of the last rate that held, None where none did.
    """

    order: Order
    shape: str
    outcome: Outcome | None
    limits: Limits
    search: Search | None = None
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.outcome is not None:
            refused = judge.refused(self.outcome.tally, self.limits)
            if refused is not None:
                self.problems.append(f"no figure: {refused}")
            self.problems += judge.broken(self.outcome.tally, self.limits)

    @property
    def figure(self) -> bool:
        """Whether the latencies may be published."""
        return self.outcome is not None and judge.refused(self.outcome.tally, self.limits) is None

    # for programs -------------------------------------------------------------------------------------

    def json(self) -> dict[str, Any]:
        """Return all of it; ``figure`` is null where there is none."""
        order, outcome = self.order, self.outcome
        said: dict[str, Any] = {
            "load": {
                "shape": self.shape, "arrival": order.arrival, "seed": order.seed, "devices": order.devices,
                "qos": order.wiring.qos, "connections": order.wiring.connections, "workers": order.workers,
                "broker": str(parse_url(order.broker_url)),
            },
            "limits": {
                "lateness_p99_ms": self.limits.lateness_ms, "lost": self.limits.lost, "p99_ms": self.limits.p99_ms
            },
            "problems": self.problems,
        }  # fmt: skip
        if self.search is not None:
            held, failed = self.search.held, self.search.failed
            said["limit"] = {
                "held_messages_per_second": held and held.rate,
                "did_not_hold": failed and {"messages_per_second": failed.rate, "why": failed.why},
                "trials": [{"messages_per_second": one.rate, "why_not": one.why} for one in self.search.trials],
            }
        if outcome is not None:
            said |= self._measured(outcome)
        return said

    def _measured(self, outcome: Outcome) -> dict[str, Any]:
        tally = outcome.tally
        sent, acknowledged = judge.speed(outcome)
        return {
            "began": rfc3339(outcome.began),
            "seconds": outcome.elapsed / MILLI / 1000,
            "stopped_early": outcome.stopped,
            "offered": [
                {"seconds": leg.seconds, "from_per_second": leg.first, "to_per_second": leg.last}
                for leg in outcome.profile.legs
            ],
            "accounting": accounting(outcome),
            "errors": dict(tally.errors.most_common()),
            "generator": {
                "lateness_ms": spread(tally.lateness),
                "cpu_us_per_message": sum(outcome.cpu) / max(tally.sent, 1) * 1e6,
                "cpu_seconds": outcome.cpu,
            },
            "figure": {
                "sent_per_second": sent,
                "acknowledged_per_second": acknowledged,
                "latency_ms": spread(tally.latency),
                "never_acknowledged": tally.in_flight + tally.cut_off + tally.waiting,
                "precision": 1 / HALF,
            }
            if self.figure
            else None,
            "each_second": [] if not self.figure else _samples(outcome),
        }

    # for people ---------------------------------------------------------------------------------------

    def text(self) -> str:
        """Return it as lines."""
        lines = [] if self.outcome is None else self._lines(self.outcome)
        if self.search is not None:
            lines = [*_search_lines(self.search), *lines]
        lines += [f"BEYOND LIMITS: {problem}" for problem in self.problems]
        return "\n".join(lines)

    def _lines(self, outcome: Outcome) -> list[str]:
        tally, order = outcome.tally, self.order
        sent, acknowledged = judge.speed(outcome)
        lasted = f"{outcome.elapsed / 1e6:.1f} s{', stopped early' if outcome.stopped else ''}"
        cost = sum(outcome.cpu) / max(tally.sent, 1) * 1e6
        rates = f"{sent:,.0f}/s sent, {acknowledged:,.0f}/s acknowledged"
        of_latency = "until the PUBACK" if order.wiring.qos else "until the network took it (QoS 0)"
        lines = [
            f"{self.shape} load, {order.arrival} arrivals, {lasted}: {rates}",
            "messages   " + ", ".join(f"{name.replace('_', ' ')} {n:,}" for name, n in accounting(outcome).items()),
            f"generator  {_spread_line(tally.lateness)} late, its own; {cost:.1f} us of processor a message",
        ]
        if self.figure:
            lines.append(f"latency    {_spread_line(tally.latency)} from the intended instant {of_latency}")
        lines += [f"error      {count:,} x {kind}" for kind, count in tally.errors.most_common(10)]
        return lines


def accounting(outcome: Outcome) -> dict[str, int]:
    """Return what became of every message; at QoS 1 the last three of them together are the first."""
    tally = outcome.tally
    return {
        "intended": tally.intended, "sent": tally.sent, "acknowledged": tally.acknowledged,
        "unacknowledged": tally.unacknowledged, "lost_at_generator": tally.unsent,
    }  # fmt: skip


def spread(of: Histogram) -> dict[str, float]:
    """Return the percentiles in ms, the mean and the count."""
    values = of.percentiles(list(PERCENTILES.values()))
    return {
        **{name: value / MILLI for name, value in zip(PERCENTILES, values, strict=True)},
        "mean": of.mean / MILLI,
        "count": of.count,
    }


def _spread_line(of: Histogram) -> str:
    values = of.percentiles(list(PERCENTILES.values()))
    return "  ".join(f"{name} {value / MILLI:,.1f}" for name, value in zip(PERCENTILES, values, strict=True)) + " ms"


def _search_lines(search: Search) -> list[str]:
    held, failed = search.held, search.failed
    lines = [f"  {one.rate:>10,.0f}/s  {'held' if one.why is None else one.why}" for one in search.trials]
    if held is None:
        return [*lines, "no rate held"]
    lines.append(f"the last rate that held: {held.rate:,.0f} messages/s")
    if failed is not None:
        lines.append(f"the next, {failed.rate:,.0f}/s, did not: {failed.why}")
    return lines


def _samples(outcome: Outcome) -> list[dict[str, float]]:
    """A row for each second; of a long load, of every nth."""
    return outcome.seconds[:: len(outcome.seconds) // _MOST_SAMPLES + 1]
