"""Names of values on the wire: ``metric`` or ``metric.channel``, and how far a value is to be believed."""

import math
import re
from typing import Any

from firetower.devices.metrics import Catalogue
from firetower.devices.readings import Quality
from firetower.devices.registry import Registry
from firetower.devices.wire_batch import Decoded, Refusals
from firetower.devices.wire_json import DOUBLED, shown
from firetower.devices.wire_shapes import Field

_SUFFIX = re.compile(r"[A-Za-z0-9_]{1,16}")
MOST_CHANNELS = 4096
"""Channel names in one city; each is stored for ever, so that a sender cannot be let to invent them without end."""
TELEMETRY_FIELDS = frozenset({"ts", "seq"})
"""Names of a telemetry object that are no values."""
_REMEDY = "see the metric catalogue (devices/metrics.yaml) for names and units"


class Fields:
    """Resolves names once; names that mean nothing are not remembered, so that nonsense takes no memory."""

    def __init__(self, catalogue: Catalogue, registry: Registry) -> None:
        self._metrics = catalogue.by_name
        self._registry = registry
        self._known: dict[str, Field] = {}

    def get(self, name: str, into: Decoded) -> Field | None:
        """Return the field of ``name``; a new channel is provisional in ``into``. None: unknown."""
        found = self._known.get(name)
        if found is not None:
            return found
        metric_name, dot, suffix = name.partition(".")
        metric = self._metrics.get(metric_name)
        if metric is None or (dot and not _SUFFIX.fullmatch(suffix)):
            return None
        channel = self._registry.channel(suffix)
        provisional = channel is None
        if channel is None:
            if suffix not in into.new_channels and self._registry.channels + len(into.new_channels) >= MOST_CHANNELS:
                return None
            channel = into.new_channel(suffix)
        uncertain, bad = int(Quality.UNCERTAIN), int(Quality.BAD)
        made = Field(
            metric.number,
            channel,
            *metric.plausible,
            uncertain if metric.danger == "low" else bad,
            uncertain if metric.danger == "high" else bad,
        )
        if not provisional:
            self._known[name] = made
        return made

    def settled(self, name: str) -> Field | None:
        """Return the field of ``name`` where its channel has a stored number; else None, and nothing is provisional."""
        found = self.get(name, Decoded())
        return found if found is not None and found.channel >= 0 else None

    def why_unknown(self, name: str, value: Any) -> str:
        """Return what is wrong with a name that ``get`` does not know."""
        metric, dot, suffix = name.partition(".")
        if name == "event":
            return f"event {shown(value)} does not belong into telemetry; publish it on the device's topic …/alarm"
        if metric not in self._metrics or not dot:
            return f"metric {shown(name)} is unknown; {_REMEDY}"
        if not _SUFFIX.fullmatch(suffix):
            return f"channel {shown(suffix)} of {metric} is not 1 to 16 of A-Z a-z 0-9 _"
        return f"channel {shown(suffix)} would be one of more than {MOST_CHANNELS}; number the channels"


def number(name: str, value: Any, wrong: Refusals) -> float | None:
    """Return a value as a finite number (true: 1.0); None after telling ``wrong`` why it is none."""
    if value is True or value is False:
        return float(value)
    if isinstance(value, int | float):
        try:
            found = float(value)
        except OverflowError:
            found = math.inf
        if math.isfinite(found):
            return found
        wrong.add("bad_value", f"{shown(name)} is not a finite number; leave a value out when there is none")
    elif value is DOUBLED:
        wrong.add("bad_json", f"{shown(name)} stands twice in one object; send each name once")
    else:
        wrong.add("bad_value", f"{shown(name)} is {shown(value)}; send a number, true or false")
    return None
