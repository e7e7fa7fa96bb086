"""Pressure, outflow and temperature of hydrants 消火栓 and cranes 水鹤, on the mains they stand on."""

import math

import numpy as np

from firetower.core.clock import MINUTE
from firetower.devices.city import City
from firetower.devices.readings import Floats, Int64s
from firetower.simulator import noise
from firetower.simulator.physics.demand import FEED, HAZEN_WILLIAMS, loss_factor
from firetower.simulator.physics.effects import Effect, Happenings
from firetower.simulator.physics.network import JOINED, SPARE_SPACING_M, District, Pipes, meetings
from firetower.simulator.physics.ringing import period, step, transients
from firetower.simulator.physics.weather import outdoor

METRES_PER_DEGREE = 111_320.0
BRANCH = 0.10 / 15.0**2
"""MPa lost in a hydrant and its branch for each (L/s)²: 0.10 at 15 L/s (0.05 to 0.15 when one is opened: K)."""
UNFELT = 0.0005  # MPa: a fall that nobody's sensor shows
MANUAL_DIAMETER = 0.2  # m, of a main whose diameter the registry does not know
FREEZING_S = 1800.0  # e-folding of a barrel that cools down
SUPPLY_S = 60.0  # e-folding of a pump station that fails


class Mains:
    """The water of a whole city. ``device`` numbers are positions in ``city.devices``."""

    def __init__(self, seed: int, city: City, happenings: Happenings) -> None:
        self.seed = seed
        self._happenings = happenings
        numbers = {main.code: number for number, main in enumerate(city.mains)}
        self._main: Int64s = np.array([numbers.get(device.main or "", -1) for device in city.devices], np.int64)
        self._hydrants = np.flatnonzero(self._main >= 0)
        places = [(city.devices[n].lon or 0.0, city.devices[n].lat or 0.0) for n in self._hydrants.tolist()]
        degrees = np.array(places, np.float64).reshape(-1, 2)
        north = math.cos(math.radians(float(degrees[:, 1].mean()))) if len(degrees) else 1.0
        self._xy: Floats = degrees * [METRES_PER_DEGREE * north, METRES_PER_DEGREE]
        grids = {grid.code: grid.district or "" for grid in city.grids}
        names = sorted({*grids.values(), ""})
        of_main = [names.index(grids.get(main.grid or "", "")) for main in city.mains]
        self._district_of: Int64s = np.array(of_main, np.int64)
        self._diameter: Floats = np.array([(main.diameter_mm or 0) / 1000 or MANUAL_DIAMETER for main in city.mains])
        self._district: dict[int, tuple[District, Int64s]] = {}
        self._length = self._lengths()
        self._loss: Floats | None = None

    # what is measured ----------------------------------------------------------------------------------

    def pressure(self, i: Int64s, at: Int64s) -> Floats:
        """Return MPa at hydrants (n,) at instants (n,) µs."""
        seed, main = self.seed, self._main[i]
        height = noise.between(seed, "height of main", main, -0.008, 0.008) + noise.between(
            seed, "height", i, -4e-3, 4e-3
        )
        unrest = 0.006 * noise.smooth(seed, "demand", main, at, 20 * MINUTE)  # neighbours feel it together
        calm = FEED - self._losses()[main] * loss_factor(at) + height + unrest + transients(seed, main, at)
        fallen = calm - self._fall(i, at)
        for hit in self._happenings.hits("shut", i, at):
            fallen[hit.rows] *= 1 - np.clip(hit.size, 0, 1) * (
                step(hit.since, np.ones(1)) - step(hit.after, np.ones(1))
            )
        for hit in self._happenings.hits("frost", i, at):
            # ice holds the pressure it froze with
            cold = self._cooling(i[hit.rows], hit.start, hit.since, hit.after, hit.size) < 0
            fallen[hit.rows[cold]] = (FEED - self._losses()[main[hit.rows[cold]]]) + height[hit.rows[cold]]
        sensor = 0.005 * noise.white(seed, "pressure", i, at)
        read: Floats = np.maximum(0.0, fallen + sensor)
        return read

    def flow(self, i: Int64s, at: Int64s) -> Floats:
        """Return L/s that run out of hydrants (n,)."""
        out = np.zeros(len(i))
        for hit in self._happenings.hits("hydrant_open", i, at):
            open_ = np.clip(hit.since / 3, 0, 1) * (1 - np.clip(hit.after / 3, 0, 1))
            shake = 1 + 0.02 * noise.white(self.seed, "flow", i[hit.rows], at[hit.rows])
            out[hit.rows] += hit.size * open_ * shake
        return out

    def temperature(self, i: Int64s, at: Int64s) -> Floats:
        """Return °C in the barrels of hydrants (n,): half ground, half air, so that a mild winter freezes none."""
        degrees = 8.5 + 0.5 * outdoor(self.seed, at) + noise.between(self.seed, "barrel", i, -0.5, 1.5)
        for hit in self._happenings.hits("frost", i, at):
            colder = self._cooling(i[hit.rows], hit.start, hit.since, hit.after, hit.size)
            degrees[hit.rows] = colder
        read: Floats = degrees + 0.1 * noise.white(self.seed, "barrel", i, at)
        return read

    def _cooling(self, i: Int64s, start: Int64s, since: Floats, after: Floats, to: Floats) -> Floats:
        warm = 8.5 + 0.5 * outdoor(self.seed, start) + noise.between(self.seed, "barrel", i, -0.5, 1.5)
        lasted = since - np.maximum(after, 0.0)
        cold = to + (warm - to) * np.exp(-lasted / FREEZING_S)
        thawed: Floats = warm + (cold - warm) * np.exp(-np.maximum(after, 0.0) / FREEZING_S)
        return thawed

    def _fall(self, i: Int64s, at: Int64s) -> Floats:
        fall = np.zeros(len(i))
        for hit in self._happenings.hits("water taken", i, at):
            beat = period(self.seed, self._main[i[hit.rows]], hit.start)
            fall[hit.rows] += hit.size * (step(hit.since, beat) - step(hit.after, beat))
        for hit in self._happenings.hits("supply falls", i, at):
            gone = np.exp(-np.maximum(hit.after, 0.0) / SUPPLY_S) - np.exp(-hit.since / SUPPLY_S)
            fall[hit.rows] += hit.size * gone
        return fall

    # what befalls it -----------------------------------------------------------------------------------

    def befall(self, effect: Effect) -> None:
        """Let a water effect happen, to its hydrant and to all who feel it."""
        if effect.kind == "supply_low":
            for device in self._hydrants[self._same_district(effect.device)].tolist():
                self._happenings.add("supply falls", device, effect.start, effect.end, effect.strength)
            return
        if effect.kind != "burst":  # which is felt as water taken, and nothing else
            self._happenings.add(effect.kind, effect.device, effect.start, effect.end, effect.strength)
        if effect.kind not in {"hydrant_open", "burst"}:
            return
        felt = self.felt(effect.device, effect.strength)
        if effect.kind == "hydrant_open":
            felt[np.searchsorted(self._hydrants, effect.device)] += BRANCH * effect.strength**2
        for place in np.flatnonzero(felt >= UNFELT).tolist():
            device, fall = int(self._hydrants[place]), float(felt[place])
            self._happenings.add("water taken", device, effect.start, effect.end, fall)

    def felt(self, device: int, flow: float) -> Floats:
        """Return MPa that each hydrant (in order of the devices) loses when ``flow`` L/s run out beside ``device``.

        Other mains of the district feel it as the network has it; along the same main the head falls towards the place
        from both sides, the steeper the more runs there. ``flow`` is what would run at the full pressure; through a
        hole it is less by the root of the pressure that is left, which therefore never ends below nothing.
        """
        main = int(self._main[device])
        district, members = self._network(int(self._district_of[main]))
        here = int(np.flatnonzero(members == main)[0])
        on_main = np.zeros(len(self._diameter))
        on_main[members] = district.felt(here) * flow
        mains = self._main[self._hydrants]
        felt = on_main[mains]
        away = np.hypot(*(self._xy - self._xy[np.searchsorted(self._hydrants, device)]).T)
        reach = max(self._length[main] / 2, 1.0)
        tent = np.maximum(0.0, reach - away) * district.slope(here) * (flow / 2) ** HAZEN_WILLIAMS
        felt += np.where(mains == main, tent, 0.0)
        much = float(felt.max(initial=0.0)) / float(FEED - self._losses()[main])
        lessened: Floats = felt * ((math.sqrt(much * much + 4.0) - much) / 2.0)
        return lessened

    def _same_district(self, device: int) -> Int64s:
        district = self._district_of[self._main[device]]
        return np.flatnonzero(self._district_of[self._main[self._hydrants]] == district)

    # the network ---------------------------------------------------------------------------------------

    def _losses(self) -> Floats:
        """MPa lost on the way to each main at the mean demand."""
        if self._loss is None:
            loss = np.zeros(len(self._diameter))
            for number in np.unique(self._district_of[self._main[self._hydrants]]).tolist():
                district, members = self._network(number)
                loss[members] = district.loss
            self._loss = loss
        return self._loss

    def _network(self, number: int) -> tuple[District, Int64s]:
        if number not in self._district:
            mains = self._main[self._hydrants]
            rows = np.flatnonzero(self._district_of[mains] == number)
            members = np.unique(mains[rows])
            place = np.searchsorted(members, mains[rows])
            joints = meetings(self._xy[rows], place, JOINED * self._spacing)
            pipes = Pipes(self._length[members], self._diameter[members], joints)
            self._district[number] = (District(pipes), members)
        return self._district[number]

    def _lengths(self) -> Floats:
        """m of each main: as far as its hydrants stand apart, and half a spacing beyond at both ends."""
        mains = self._main[self._hydrants]
        same = np.flatnonzero(mains[1:] == mains[:-1])
        apart = np.hypot(*(self._xy[1:] - self._xy[:-1])[same].T)
        self._spacing = float(np.median(apart)) if len(apart) else SPARE_SPACING_M
        between: Floats = np.bincount(mains[same], apart, len(self._diameter)).astype(np.float64)
        return between + self._spacing
