"""Whom a step reaches: everybody of its roles who is on at this hour, over the first channel that takes letters."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from zoneinfo import ZoneInfo

from firetower.alerts.contacts import Contact, Role, on_call
from firetower.alerts.duty.channels import Channel
from firetower.alerts.duty.policies import Step
from firetower.core.clock import Micros


class Why(StrEnum):
    """Why nobody of a role can be told."""

    NO_CONTACT = "no_contact"  # 无联系人
    OFF_HOURS = "off_hours"  # 不在值守时段
    NO_ADDRESS = "no_address"  # 该渠道无地址


@dataclass(frozen=True, slots=True)
class Ways:
    """How people are reached. ``kinds``: by name of a channel of the plan, which of a contact's addresses it takes;
    ``zone``: whose clock their hours go by; ``is_dead``: says of a channel that it takes nothing now.
    """

    kinds: Mapping[str, str]
    zone: ZoneInfo
    is_dead: Callable[[str], bool]


def ways(channels: Iterable[Channel], zone: ZoneInfo, is_dead: Callable[[str], bool]) -> Ways:
    """Return how people are reached over the channels of a plan."""
    return Ways({each.name: each.address_kind for each in channels}, zone, is_dead)


@dataclass(frozen=True, slots=True)
class Addressee:
    """Somebody who is told, and over what."""

    contact: Contact
    channel: str
    address: str


@dataclass(frozen=True, slots=True)
class Reached:
    """Whom a step reaches, each address once, and why it reaches nobody of a role."""

    people: tuple[Addressee, ...]
    nobody: Mapping[Role, Why] = field(default_factory=dict)


def reached(
    step: Step,
    contacts: Sequence[Contact],
    ways: Ways,
    now: Micros,
    failed: Collection[tuple[str, str]] = frozenset(),
) -> Reached:
    """Return whom ``step`` reaches at ``now`` of all who may be called for a place.

    ``failed``: (channel, address) to avoid where somebody can be told otherwise.
    """
    found: dict[tuple[str, str], Addressee] = {}
    nobody: dict[Role, Why] = {}
    for role in step.to:
        people = on_call(contacts, role, now, ways.zone)
        told = list(_addressed(people, step, ways, failed))
        for each in told:
            found.setdefault((each.channel, each.address), each)
        if not told:
            has_any = any(each.role is role for each in contacts)
            nobody[role] = Why.NO_ADDRESS if people else Why.OFF_HOURS if has_any else Why.NO_CONTACT
    return Reached(tuple(found.values()), nobody)


def _addressed(
    people: Sequence[Contact], step: Step, ways: Ways, failed: Collection[tuple[str, str]]
) -> Iterator[Addressee]:
    for contact in people:
        usable = [
            Addressee(contact, channel, address)
            for channel in step.channels
            if (address := contact.addresses.get(ways.kinds[channel]))
        ]
        # what refused one letter for good would refuse the next; a dead channel keeps what waits until it lives again
        known = [each for each in usable if (each.channel, each.address) not in failed] or usable
        living = (each for each in known if not ways.is_dead(each.channel))
        yield from known and [next(living, known[0])]
