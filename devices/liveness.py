"""Which devices are alive: never seen, online or offline (在线/离线), and how long each may be silent."""

import numpy as np
import numpy.typing as npt

from firetower.core.clock import HOUR, MINUTE, SECOND, Micros
from firetower.devices.kinds import KIND_NUMBER, DeviceKind
from firetower.devices.readings import Int64s
from firetower.devices.registry import Registry

STATUS_NAMES = ("never_seen", "online", "offline")
"""The words of the values 0, 1, 2 of a status."""
NEVER_SEEN, ONLINE, OFFLINE = 0, 1, 2
NO_DEVICE = -1
"""The status of a number that no device has."""

MISSED_INTERVALS = 3
"""Reports missed before a device counts as silent."""
SLEEPER_FROM, SLEEPER_BELOW, SLEEPER_SILENCE = 12 * HOUR, 25 * HOUR, 25 * HOUR
"""A smoke detector that reports once or twice a day (NB-IoT, 24 h heartbeat) is silent after 25 h."""
PANEL_AT_LEAST, PANEL_AT_MOST = 100 * SECOND, 2 * HOUR
"""A panel's keep-alives: silent after three, at least 100 s, never more than 2 h."""
LEAST_STANDING = MINUTE
"""A reading stands for the present for MISSED_INTERVALS of its device, at least this long; then it is stale."""


def silence_after(kind: DeviceKind, interval: Micros) -> Micros:
    """Return how long (µs) a device of ``kind`` that promised a report every ``interval`` may say nothing."""
    if kind is DeviceKind.SMOKE and SLEEPER_FROM <= interval < SLEEPER_BELOW:
        return SLEEPER_SILENCE
    silence = MISSED_INTERVALS * interval
    if kind is DeviceKind.PANEL:
        return min(max(silence, PANEL_AT_LEAST), PANEL_AT_MOST)
    return silence


def statuses(registry: Registry, now: Micros, part: slice = slice(None)) -> npt.NDArray[np.int8]:
    """Return the status of every device by its number: 0, 1, 2 as in STATUS_NAMES, -1 for a number not in use.

    A device is offline when it said so itself (status topic, Last Will) or has been silent for ``silence_after``.
    ``part``: of these numbers only.
    """
    kind, interval, last = registry.kind[part], registry.interval[part], registry.last_seen[part]
    silence: Int64s = interval * MISSED_INTERVALS
    sleepers = (kind == KIND_NUMBER[DeviceKind.SMOKE]) & (interval >= SLEEPER_FROM) & (interval < SLEEPER_BELOW)
    silence[sleepers] = SLEEPER_SILENCE
    panels = kind == KIND_NUMBER[DeviceKind.PANEL]
    silence[panels] = np.clip(silence[panels], PANEL_AT_LEAST, PANEL_AT_MOST)
    status = np.full(len(kind), ONLINE, np.int8)
    status[registry.offline[part] | (last + silence <= now)] = OFFLINE
    status[last == 0] = NEVER_SEEN
    status[kind < 0] = NO_DEVICE
    return status
