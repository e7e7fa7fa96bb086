"""Topics of the wire contract: ``firetower/v1/{unit}/{device}/{leaf}``."""

import re
from dataclasses import dataclass

ROOT = "firetower/v1"
NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
GATEWAY = "gateway"
"""The reserved device whose messages carry many devices of its unit."""
_PARTS = 5
OWN_UNIT = "_firetower"
"""The reserved unit of Firetower's own probes and canary."""
LEAVES = frozenset({"telemetry", "alarm", "status", "command", "response"})


@dataclass(frozen=True, slots=True)
class Topic:
    """A parsed topic; ``leaf`` is telemetry, alarm, status, command or response."""

    unit: str
    device: str
    leaf: str

    def __str__(self) -> str:
        return f"{ROOT}/{self.unit}/{self.device}/{self.leaf}"


def parse_topic(topic: str) -> Topic:
    """Return the parts of ``topic``; ValueError says which part breaks the contract and what is accepted."""
    parts = topic.split("/")
    if len(parts) != _PARTS or parts[0] != "firetower" or parts[1] != "v1":
        raise ValueError(f"topic {topic!r} is not {ROOT}/{{unit}}/{{device}}/{{telemetry|alarm|status}}")
    unit, device, leaf = parts[2], parts[3], parts[4]
    if not NAME.fullmatch(unit):
        raise ValueError(f"unit {unit!r} in the topic is not 1 to 64 of A-Z a-z 0-9 _ -")
    if not NAME.fullmatch(device):
        raise ValueError(f"device {device!r} in the topic is not 1 to 64 of A-Z a-z 0-9 _ -")
    if leaf not in LEAVES:
        raise ValueError(f"topic ends in {leaf!r}; accepted: {', '.join(sorted(LEAVES))}")
    return Topic(unit, device, leaf)


def lane_filters(lane: str) -> list[str]:
    """Return the subscription filters of a lane: alarm, telemetry or status."""
    return [f"{ROOT}/+/+/{lane}"]
