"""Whom to call, as a registry file and the API write it: contacts of units, grids, micro fire stations, the centre."""

import re
import unicodedata
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

MOST = 50
"""Contacts of one unit, grid, station or of the centre."""


class Role(StrEnum):
    """What somebody is to a place that alarms."""

    CONTROL_ROOM = "control_room"  # 消控室值班员, of a unit
    RESPONSIBLE = "responsible"  # 消防安全责任人, of a unit
    MANAGER = "manager"  # 消防安全管理人, of a unit
    KEEPER = "keeper"  # 看护人: a household's, a hydrant's
    GRID_WORKER = "grid_worker"  # 网格员, of a grid
    STATION = "station"  # 微型消防站, the nearest
    DUTY_LEAD = "duty_lead"  # 值班长, of the centre
    ON_CALL = "on_call"  # 备勤, of the centre: who is called when nobody sits at a seat


_SEPARATORS = re.compile(r"[\s()./·-]+")
_EXTENSION = re.compile(r"(?:转|#|,|ext\.?|x)\s*([0-9]{1,6})$", re.IGNORECASE)
_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}|[0-9]{3,15}")


def dialled(given: str) -> str:
    """Return a telephone number as it is dialled: ``+8613800000000``, ``07771234567``, ``07771234567,8012``.

    Spaces, dashes, dots, brackets and full-width digits are taken; an extension after ``转``, ``#``, ``ext`` or a comma
    follows a comma. Raises ValueError for anything nobody could dial.
    """
    text = unicodedata.normalize("NFKC", given).strip()
    extension = _EXTENSION.search(text)
    number = _SEPARATORS.sub("", text[: extension.start()] if extension else text)
    if not _NUMBER.fullmatch(number):
        raise ValueError(
            f"{given[:40]!r} is no telephone number; write one number: 3 to 15 digits, for example 138 0000 0000,"
            " 0777-1234567 转 8012 or +86 777 1234567"
        )
    return f"{number},{extension[1]}" if extension else number


_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]|24:00")


def _minute(given: str) -> str:
    if not _CLOCK.fullmatch(given):
        raise ValueError(f"{given[:20]!r} is no time of day; write HH:MM, 00:00 to 24:00")
    return given


def _each_day_once(days: tuple[int, ...]) -> tuple[int, ...]:
    if len(set(days)) != len(days):
        raise ValueError(f"days {list(days)} name a day twice; name each once, 1 is Monday, 7 Sunday")
    return tuple(sorted(days))


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, validate_by_name=True)


class HoursEntry(_Part):
    """When somebody can be reached, by the centre's clock. ``to`` at or before ``from``: past midnight."""

    days: Annotated[
        tuple[Annotated[int, Field(ge=1, le=7)], ...], Field(min_length=1), AfterValidator(_each_day_once)
    ] = Field((1, 2, 3, 4, 5, 6, 7), description="1 Monday to 7 Sunday: those on which it begins")
    since: Annotated[str, AfterValidator(_minute)] = Field("00:00", alias="from", description="HH:MM")
    until: Annotated[str, AfterValidator(_minute)] = Field(
        "24:00", alias="to", description="HH:MM; at or before `from`: past midnight"
    )

    @property
    def minutes(self) -> tuple[int, int]:
        """From and to, in minutes of the day."""
        since, until = (int(text[:2]) * 60 + int(text[3:]) for text in (self.since, self.until))
        return since, until


_Line = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]*$")]
_Storable = Annotated[_Line, Field(min_length=1, max_length=100)]


def _trimmed(given: object) -> object:
    return given.strip() if isinstance(given, str) else given


def _by_channel(given: dict[str, str]) -> dict[str, str]:
    reserved = sorted({"phone", "email"} & given.keys())
    if reserved:
        raise ValueError(f"addresses holds {' and '.join(reserved)}; write that as a field of the contact itself")
    return given | ({"sms": dialled(given["sms"])} if "sms" in given else {})


PersonName = Annotated[_Storable, BeforeValidator(_trimmed)]
Phone = Annotated[str, Field(max_length=40), AfterValidator(dialled)]
Email = Annotated[str, Field(max_length=200, pattern=r"^[^@\s\x00-\x1f]+@[^@\s\x00-\x1f]+$")]


class ContactEntry(_Part):
    """Somebody who is called. ``order``: the smaller one first within a role; no ``hours``: at any time."""

    role: Role
    name: PersonName
    phone: Phone | None = None
    email: Email | None = None
    addresses: Annotated[
        dict[
            Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")],
            Annotated[_Line, Field(min_length=1, max_length=500)],
        ],
        Field(max_length=20),
        AfterValidator(_by_channel),
    ] = Field(default_factory=dict, description="others, by `sms` or the name of a channel of the duty plan")
    hours: Annotated[tuple[HoursEntry, ...], Field(max_length=20)] = ()
    order: Annotated[int, Field(ge=1, le=1000)] = 1
    language: Literal["zh", "en"] = "zh"

    @property
    def everywhere(self) -> dict[str, str]:
        """Every address by its kind."""
        own = {"phone": self.phone, "email": self.email}
        return {kind: address for kind, address in own.items() if address is not None} | self.addresses


class UnitContact(ContactEntry):
    """A contact of a networked unit 联网单位."""

    role: Literal[Role.CONTROL_ROOM, Role.RESPONSIBLE, Role.MANAGER, Role.KEEPER]


class GridContact(ContactEntry):
    """A contact of a grid 网格."""

    role: Literal[Role.GRID_WORKER, Role.KEEPER] = Role.GRID_WORKER


class StationContact(ContactEntry):
    """A contact of a micro fire station 微型消防站."""

    role: Literal[Role.STATION] = Role.STATION


class CentreContact(ContactEntry):
    """A contact of the centre itself."""

    role: Literal[Role.DUTY_LEAD, Role.ON_CALL]


AnyContact = UnitContact | GridContact | StationContact | CentreContact


def each_once(contacts: tuple[AnyContact, ...]) -> tuple[AnyContact, ...]:
    """Return ``contacts``; ValueError where one has no address, or a name stands twice under one role."""
    seen: set[tuple[str, str]] = set()
    for contact in contacts:
        if not contact.everywhere:
            raise ValueError(f"contact {contact.name!r} cannot be reached: give a phone, an email or another address")
        if (contact.role, contact.name) in seen:
            raise ValueError(f"contact {contact.name!r} stands twice as {contact.role}; keep one, with all its hours")
        seen.add((contact.role, contact.name))
    return contacts


UnitContacts = Annotated[tuple[UnitContact, ...], Field(max_length=MOST), AfterValidator(each_once)]
GridContacts = Annotated[tuple[GridContact, ...], Field(max_length=MOST), AfterValidator(each_once)]
StationContacts = Annotated[tuple[StationContact, ...], Field(max_length=MOST), AfterValidator(each_once)]
CentreContacts = Annotated[tuple[CentreContact, ...], Field(max_length=MOST), AfterValidator(each_once)]
