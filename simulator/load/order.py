"""What a load is made of: what is asked of all its processes, and of one, as it goes to them in a line of JSON."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from firetower.core.clock import Micros
from firetower.core.errors import ConfigError
from firetower.devices.city import Device
from firetower.devices.readings import Int64s
from firetower.simulator.load.arrivals import ArrivalName
from firetower.simulator.load.connections import DEFAULT, Connections, Plan, Wiring, plan
from firetower.simulator.load.wire import Account
from firetower.simulator.models import Pace


@dataclass(frozen=True, slots=True)
class Order:
    """A load as its processes are told. ``run``: the beginning of its client ids. ``wall``, ``steady``: the clock all
    of them go by, see ``core.clock.SteadyClock``."""

    broker_url: str
    seed: int
    devices: int
    pace: Pace
    arrival: ArrivalName
    run: str
    wall: Micros
    steady: int
    wiring: Wiring = field(default_factory=Wiring)
    workers: int = 1

    def check(self) -> None:
        """Raise ConfigError when its connections do not go round."""
        if self.workers < 1:
            raise ConfigError(f"--workers {self.workers} is not possible: give 1 or more, about one for each core")
        wanted = self.wiring.connections
        if isinstance(wanted, int) and wanted < self.workers:
            raise ConfigError(
                f"{wanted} connections cannot be shared by {self.workers} workers: give --connections {self.workers} "
                "or more, or fewer --workers"
            )

    def line(self) -> dict[str, Any]:
        """Return it as JSON."""
        said = asdict(self)
        said["wiring"]["ca"] = None if self.wiring.ca is None else str(self.wiring.ca)
        return said

    @classmethod
    def of(cls, said: dict[str, Any]) -> "Order":
        """Return the order that ``line`` wrote."""
        given = said["wiring"]
        accounts = given["accounts"]
        wiring = Wiring(
            connections=given["connections"],
            accounts=None if accounts is None else {unit: Account(**one) for unit, one in accounts.items()},
            qos=given["qos"],
            ca=None if given["ca"] is None else Path(given["ca"]),
        )
        return cls(**{**said, "wiring": wiring})

    def share(self, worker: int, devices: Sequence[Device]) -> tuple[Int64s, Plan]:
        """Return the devices of a worker, as positions in ``devices``, and their connections.

        Devices go round the workers; where units have accounts of their own, units do.
        """
        if self.wiring.accounts is None:
            mine: Int64s = np.arange(worker, len(devices), self.workers)
        else:
            units = {code: number for number, code in enumerate(dict.fromkeys(device.unit for device in devices))}
            mine = np.flatnonzero(np.array([units[device.unit] for device in devices]) % self.workers == worker)
        wanted: Connections | None = self.wiring.connections
        if self.wiring.accounts is None:
            wanted = wanted or max(DEFAULT, self.workers)
        if isinstance(wanted, int):
            wanted = wanted // self.workers + (worker < wanted % self.workers)
        return mine, plan([devices[number] for number in mine.tolist()], wanted, self.wiring.accounts)
