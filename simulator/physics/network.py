"""The water mains of a district as a network: what is lost on the way to each main, and who feels water taken where.

A main is a node, at the mean head along it. Mains whose hydrants stand within a street's width of a crossing are
joined. Head loss by Hazen and Williams, h = 10.67 L Q^1.852 / (C^1.852 d^4.87) in SI units, is made linear about the
flows of the mean demand, found by repeated solving. Districts are metered areas of their own: no water between them.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from firetower.devices.readings import Floats, Int64s
from firetower.simulator.physics.demand import HAZEN_WILLIAMS, MEAN_LOSS

ROUGHNESS = 130.0  # C of Hazen and Williams, cast iron with lining
USE_L_S_KM = 1.45  # demand along a kilometre of main: 125 m³ a day
MPA_PER_M = 0.00981
TRUNK_SHARE = 0.5  # of the mean loss lies in the way from the works to the district
FURTHEST = 2.0  # the worst main loses at most so many times the mean within the district: beyond it pumps help
ROUNDS, SETTLED = 12, 0.01
EXACT = 1e-7  # of a solution
MAINS_AN_INLET = 40
JOINED = 1.5  # mains whose hydrants are within so many spacings of each other meet
SPARE_SPACING_M = 300.0


@dataclass(frozen=True, slots=True)
class Pipes:
    """n mains of one district. ``length`` (n,) m, ``diameter`` (n,) m, ``joints`` (e, 2): pairs that meet."""

    length: Floats
    diameter: Floats
    joints: Int64s


class District:
    """One district's network, solved when it is first asked."""

    def __init__(self, pipes: Pipes) -> None:
        self.pipes = pipes

    @property
    def loss(self) -> Floats:
        """MPa lost from the works to each main at the mean demand, shape (n,)."""
        return self._solved[0]

    def felt(self, main: int) -> Floats:
        """Return MPa that each main (n,) loses for each L/s taken from ``main``."""
        _, linear, busier = self._solved
        unit = np.zeros(len(self.pipes.length))
        unit[main] = 1e-3
        # a resistance grows with the 0.852th power of the flow that is there already
        steeper = HAZEN_WILLIAMS * busier ** (HAZEN_WILLIAMS - 1)
        felt: Floats = linear.heads(unit, np.zeros(len(unit))) * steeper * MPA_PER_M
        return felt

    def slope(self, main: int) -> float:
        """Return MPa for each (L/s)^1.852 and metre of ``main``: how steeply the head falls towards an outflow."""
        metre = float(_resistance(np.ones(1), self.pipes.diameter[[main]])[0])
        return metre * math.pow(1e-3, HAZEN_WILLIAMS) * MPA_PER_M

    @cached_property
    def _solved(self) -> "tuple[Floats, _Linear, float]":
        """(loss, the network at the mean demand, how many times USE_L_S_KM the district uses)."""
        pipes = self.pipes
        count = len(pipes.length)
        one, other = _ends(pipes.joints)
        half = _resistance(pipes.length / 2, pipes.diameter)
        joint, feeder = half[one] + half[other], half
        inlet = _inlets(pipes)
        taken = pipes.length * (USE_L_S_KM * 1e-6)
        flow = np.full(len(joint), taken.mean() + 1e-6)
        fed = np.full(len(inlet), taken.sum() / len(inlet))
        head: Floats = np.zeros(count)
        for _ in range(ROUNDS):
            along = 1.0 / (joint * np.maximum(flow, 1e-7) ** (HAZEN_WILLIAMS - 1))
            into = 1.0 / (feeder[inlet] * np.maximum(fed, 1e-7) ** (HAZEN_WILLIAMS - 1))
            linear = _Linear(one, other, along, np.bincount(inlet, into, count).astype(np.float64))
            before = head
            head = linear.heads(taken, before)
            flow = (flow + np.abs(head[one] - head[other]) * along) / 2
            fed = (fed + head[inlet] * into) / 2
            if np.abs(head - before).max() <= SETTLED * head.max():
                break
        # pipes are laid for the demand they have: it is so many times as large as makes the usual losses
        within = MEAN_LOSS * (1 - TRUNK_SHARE)
        scale = within / (MPA_PER_M * max(head.mean(), head.max() / FURTHEST))
        loss: Floats = head * MPA_PER_M * scale
        return loss + (MEAN_LOSS - loss.mean()), linear, scale ** (1 / HAZEN_WILLIAMS)


def _resistance(length: Floats, diameter: Floats) -> Floats:
    """Head loss in m at 1 m³/s by Hazen and Williams."""
    metres: Floats = 10.67 * length / (ROUGHNESS**HAZEN_WILLIAMS * diameter**4.87)
    return metres


@dataclass(frozen=True, slots=True)
class _Linear:
    """A network of conductances: ``along`` (e,) between mains ``one`` and ``other``, ``fed`` (n,) to the inlets."""

    one: Int64s
    other: Int64s
    along: Floats
    fed: Floats

    def heads(self, taken: Floats, guess: Floats) -> Floats:
        """Return the heads lost (n,) where ``taken`` (n,) runs out, by conjugate gradients from ``guess`` (n,)."""
        count = len(self.fed)
        joined = np.bincount(self.one, self.along, count) + np.bincount(self.other, self.along, count)
        diagonal = joined + self.fed

        def flows(heads: Floats) -> Floats:
            over = self.along * (heads[self.one] - heads[self.other])
            out: Floats = np.bincount(self.one, over, count) - np.bincount(self.other, over, count) + self.fed * heads
            return out

        heads = guess
        rest = taken - flows(heads)
        way = rest / diagonal
        reached = float(rest @ way)
        enough = EXACT**2 * float(taken @ (taken / diagonal))
        for _ in range(10 * count):
            if reached <= enough:
                break
            moved = flows(way)
            length = reached / float(way @ moved)
            heads = heads + length * way
            rest = rest - length * moved
            scaled = rest / diagonal
            before, reached = reached, float(rest @ scaled)
            way = scaled + way * (reached / before)
        return heads


def _ends(joints: Int64s) -> tuple[Int64s, Int64s]:
    return joints.reshape(-1, 2)[:, 0], joints.reshape(-1, 2)[:, 1]


def _inlets(pipes: Pipes) -> Int64s:
    """Where a district is fed: some of its largest mains, and one main of each part that hangs on none of them."""
    largest = np.flatnonzero(pipes.diameter == pipes.diameter.max())
    wanted = min(len(largest), 1 + len(pipes.length) // MAINS_AN_INLET)
    chosen = largest[np.linspace(0, len(largest) - 1, wanted).round().astype(int)]
    part = _parts(len(pipes.length), pipes.joints)
    fed = np.isin(part, part[chosen])
    more = []
    for alone in np.unique(part[~fed]):
        members = np.flatnonzero(part == alone)
        more.append(members[np.argmax(pipes.diameter[members])])
    return np.unique(np.concatenate([chosen, np.array(more, np.int64)]))


def _parts(count: int, joints: Int64s) -> Int64s:
    """Number of the connected part of each node: the smallest node in it."""
    part = np.arange(count)
    while len(joints):
        least = np.minimum(part[joints[:, 0]], part[joints[:, 1]])
        before = part.copy()
        np.minimum.at(part, joints[:, 0], least)
        np.minimum.at(part, joints[:, 1], least)
        part = part[part]
        if np.array_equal(part, before):
            break
    return part


def meetings(xy: Floats, main: Int64s, within: float) -> Int64s:
    """Return pairs of mains, (e, 2), each once, with hydrants at ``xy`` (n, 2) m ``within`` m of each other."""
    cell = np.floor((xy - xy.min(0)) / within).astype(np.int64)
    wide = int(cell[:, 1].max()) + 3
    key = (cell[:, 0] + 1) * wide + cell[:, 1] + 1
    order = np.argsort(key, kind="stable")
    keys = key[order]
    pairs: list[npt.NDArray[np.int64]] = []
    for aside in (0, 1, wide - 1, wide, wide + 1):
        first = np.searchsorted(keys, key + aside, "left")
        count = np.searchsorted(keys, key + aside, "right") - first
        one = np.repeat(np.arange(len(key)), count)
        turn = np.arange(len(one)) - np.repeat(np.cumsum(count) - count, count)
        other = order[np.repeat(first, count) + turn]
        near = (np.hypot(*(xy[one] - xy[other]).T) <= within) & (main[one] != main[other])
        ends = np.stack([main[one[near]], main[other[near]]], 1)
        pairs.append(np.sort(ends, axis=1))
    met: Int64s = np.unique(np.concatenate(pairs), axis=0)
    return met
