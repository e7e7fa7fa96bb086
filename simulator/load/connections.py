"""Which connection carries which device, with which account, and whether this machine can hold so many."""

import resource
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from firetower.core.errors import ConfigError
from firetower.devices.city import Device
from firetower.devices.readings import Int64s
from firetower.simulator.load.wire import PACKET_IDS, Account

Connections = int | Literal["device"]
DEFAULT = 4
_SPARE_FILES = 64
"""Open files of a process beside its connections."""
_OF_A_DEVICE = 64
"""Messages of one device that may wait for their PUBACK on a connection of its own."""
_PORTS = Path("/proc/sys/net/ipv4/ip_local_port_range")


@dataclass(frozen=True, slots=True)
class Plan:
    """``wire``: for each device the number of its connection; ``accounts``: of each connection, None for the broker
    URL's; ``window``: messages on one that may wait for their PUBACK."""

    wire: Int64s
    accounts: tuple[Account | None, ...]
    window: int


@dataclass(frozen=True, slots=True)
class Wiring:
    """How devices reach the broker: ``connections`` (None: 4, or one a unit where ``accounts`` are given), the account
    of each unit, ``qos`` 0 or 1, and the authority ``ca`` (PEM file) to trust."""

    connections: Connections | None = None
    accounts: Mapping[str, Account] | None = None
    qos: int = 1
    ca: Path | None = None


def connections(text: str) -> Connections:
    """Return what ``--connections`` says; ConfigError unless it is a number above 0, or ``device``."""
    if text == "device":
        return "device"
    if not text.isdigit() or int(text) < 1:
        raise ConfigError(
            f"--connections {text} is not possible: give a number of connections, or 'device' for one each"
        )
    return int(text)


def plan(devices: Sequence[Device], wanted: Connections | None, accounts: Mapping[str, Account] | None) -> Plan:
    """Return who goes over which of the ``wanted`` connections (None: 4, or one a unit where each has an account).

    All of a device goes over one connection, so that its messages keep their order; devices of units with accounts of
    their own share none. Raises ConfigError for a unit without account, or too few connections for the units.
    """
    units = {code: number for number, code in enumerate(dict.fromkeys(device.unit for device in devices))}
    unit: Int64s = np.array([units[device.unit] for device in devices], np.int64)
    if accounts is not None:
        lacking = [code for code in units if code not in accounts]
        if lacking:
            raise ConfigError(
                f"the credentials file has no account for {len(lacking)} of {len(units)} units, the first "
                f"{', '.join(lacking[:3])}; add a line for each"
            )
    if wanted == "device":
        own = [None if accounts is None else accounts[device.unit] for device in devices]
        return Plan(np.arange(len(devices)), tuple(own), _OF_A_DEVICE)
    if accounts is None:
        many = min(wanted or DEFAULT, len(devices))
        return Plan(np.arange(len(devices)) % many, (None,) * many, PACKET_IDS)
    if wanted is not None and wanted < len(units):
        raise ConfigError(
            f"{wanted} connections are too few for {len(units)} units with accounts of their own: give "
            f"--connections {len(units)} or more, or leave it out"
        )
    each = (wanted or len(units)) // len(units)
    place: Int64s = np.zeros(len(devices), np.int64)
    order = np.argsort(unit, kind="stable")
    first = np.searchsorted(unit[order], np.arange(len(units)))
    place[order] = np.arange(len(devices)) - first[unit[order]]
    return Plan(unit * each + place % each, tuple(accounts[code] for code in units for _ in range(each)), PACKET_IDS)


def room_for(count: int, *, of_all: int | None = None) -> None:
    """Make room for ``count`` connections of this process; ``of_all``: of all processes together, to one broker.

    Raises ConfigError when the machine does not allow so many open files or ports.
    """
    needed = count + _SPARE_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and needed > hard:
        raise ConfigError(
            f"{count:,} connections need {needed:,} open files in a process and this machine allows {hard:,} "
            "(RLIMIT_NOFILE): raise it (ulimit -Hn, LimitNOFILE= of the service), spread them over more --workers, or "
            "share connections with --connections N"
        )
    if soft != resource.RLIM_INFINITY and needed > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
    if _PORTS.exists():
        low, high = map(int, _PORTS.read_text("ascii").split())
        if (of_all or count) > high - low:
            raise ConfigError(
                f"{of_all or count:,} connections to one broker are more than this machine has ports for "
                f"({high - low:,}): widen net.ipv4.ip_local_port_range, or share connections with --connections N"
            )
