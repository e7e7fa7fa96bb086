"""Whom a step reaches: everybody of its roles who is on at this hour, each over the first channel that lives."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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


def reached(step: Step, contacts: Sequence[Contact], ways: Ways, now: Micros) -> Reached:
    """Return whom ``step`` reaches at ``now`` of all who may be called for a place."""
    found: dict[tuple[str, str], Addressee] = {}
    nobody: dict[Role, Why] = {}
    for role in step.to:
        people = on_call(contacts, role, now, ways.zone)
        told = list(_addressed(people, step, ways))
        for each in told:
            found.setdefault((each.channel, each.address), each)
        if not told:
            has_any = any(each.role is role for each in contacts)
            nobody[role] = Why.NO_ADDRESS if people else Why.OFF_HOURS if has_any else Why.NO_CONTACT
    return Reached(tuple(found.values()), nobody)


def _addressed(people: Sequence[Contact], step: Step, ways: Ways) -> Iterator[Addressee]:
    for contact in people:
        usable = [
            Addressee(contact, channel, address)
            for channel in step.channels
            if (address := contact.addresses.get(ways.kinds[channel]))
        ]
        # where all are dead, the first: its letters wait for it
        living = (each for each in usable if not ways.is_dead(each.channel))
        yield from usable and [next(living, usable[0])]
