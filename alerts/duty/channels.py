"""The channels over which people are told: apprise (mail, SMS, groups), a signed webhook, HTTP gateways (voice)."""

import re
from collections.abc import Callable
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, field_validator, model_validator

from firetower.alerts.duty.section import Section
from firetower.alerts.notify.apprise_library import known
from firetower.core.clock import HOUR, MINUTE, SECOND, Micros
from firetower.rules.book.quantities import Duration, duration_text

LEAST_SECRET = 16
"""Characters of the shortest secret that signs."""

PLACEHOLDERS = ("phone", "address", "name", "title", "text", "long", "language", "key")
"""What a gateway's URL, headers and body may hold in braces; of its status URL ``id`` and ``key``."""

_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
_PATH = re.compile(r"[A-Za-z0-9_-]{1,64}(\.[A-Za-z0-9_-]{1,64}){0,9}")


def _between(low: Micros, high: Micros) -> Callable[[Micros], Micros]:
    def check(given: Micros) -> Micros:
        if not low <= given <= high:
            raise ValueError(f"must be {duration_text(low)} to {duration_text(high)}")
        return given

    return check


def _address(url: str) -> str:
    parts = urlsplit(url)
    try:
        sound = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        sound = False
    if not sound or any(char.isspace() for char in url):
        raise ValueError("must look like https://host/path")
    return url


def _long_enough(secret: str) -> str:
    if len(secret) < LEAST_SECRET:
        raise ValueError(f"must have at least {LEAST_SECRET} characters, for example of openssl rand -hex 24")
    return secret


def _path(given: str) -> str:
    if _PATH.fullmatch(given) is None:
        raise ValueError("must be names with full stops between, for example data.code")
    return given


def _only(*names: str) -> Callable[[str], str]:
    def check(given: str) -> str:
        unknown = sorted(set(_PLACEHOLDER.findall(given)) - set(names))
        if unknown:
            raise ValueError(f"{{{unknown[0]}}} is unknown; accepted: {', '.join(f'{{{name}}}' for name in names)}")
        return given

    return check


Url = Annotated[str, Field(max_length=2000), AfterValidator(_address)]
Secret = Annotated[str, AfterValidator(_long_enough)]
Path = Annotated[str, AfterValidator(_path)]
Filled = AfterValidator(_only(*PLACEHOLDERS))
Word = str | int | bool


class Bounds(Section):
    """What every channel has: its name, how it is spoken to, and how hard it is tried.

    ``address``: which of a contact's addresses it takes (``phone``, ``sms``, ``email`` …); its own name where absent.
    ``rate``: most letters a minute; ``at_once``: most in its hands; ``answers_within``: how long one try may take.
    ``tries``, ``within`` (of its first try): when a letter is given up. ``dead_after``: how long every try fails until
    it counts as dead.
    ``link``: where this service is reached from outside: letters then bear a link that says they were read.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,40}$")]
    language: Literal["zh", "en"] = "zh"
    form: Literal["short", "long"] = "long"
    address: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{0,40}$")] = ""
    rate: int = Field(60, ge=1, le=6000)
    at_once: int = Field(4, ge=1, le=16)
    answers_within: Annotated[Duration, AfterValidator(_between(SECOND, MINUTE))] = 10 * SECOND
    tries: int = Field(200, ge=1, le=1000)
    within: Annotated[Duration, AfterValidator(_between(10 * SECOND, 24 * HOUR))] = 2 * HOUR
    dead_after: Annotated[Duration, AfterValidator(_between(10 * SECOND, HOUR))] = 2 * MINUTE
    link: Url | None = None

    def __repr__(self) -> str:
        """Return it without what is secret in it: URLs and headers may be."""
        return f"{type(self).__name__}({self.name!r})"

    __str__ = __repr__

    @property
    def address_kind(self) -> str:
        """Which of a contact's addresses it takes."""
        return self.address or self.name


class AppriseChannel(Bounds):
    """Whatever the library ``apprise`` reaches. ``urls``: tried in order until one takes the letter; ``{address}`` in
    one is the letter's address; without it, all letters go to whoever the URL names, a group for example.
    """

    kind: Literal["apprise"]
    urls: Annotated[tuple[Annotated[str, Field(max_length=2000)], ...], Field(min_length=1, max_length=5)]

    @field_validator("urls")
    @classmethod
    def _known(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        for number, url in enumerate(urls, 1):
            _only("address")(url)
            if not known(url):
                raise ValueError(f"URL {number} is none that apprise takes; see https://appriseit.com/services/")
        return urls


class WebhookChannel(Bounds):
    """Our own: JSON, signed (``alerts/notify/signing.py``), to one ``url``."""

    kind: Literal["webhook"]
    url: Url
    secret: Secret


class Found(Section):
    """A value in a JSON answer: ``at``: where, names with full stops between; ``equals``: one of these means yes."""

    at: Path
    equals: Annotated[tuple[Word, ...], Field(min_length=1, max_length=20)]


class Status(Section):
    """Where a gateway says what became of a letter: asked ``every`` so often, ``until`` so long after it was sent.

    ``url`` holds ``{id}`` or ``{key}``. ``at``: where the JSON answer has the word; the others: which words mean what.
    """

    url: Annotated[Url, AfterValidator(_only("id", "key"))]
    at: Path
    every: Annotated[Duration, AfterValidator(_between(2 * SECOND, 5 * MINUTE))] = 10 * SECOND
    until: Annotated[Duration, AfterValidator(_between(10 * SECOND, HOUR))] = 10 * MINUTE
    delivered: tuple[Word, ...] = ()
    read: tuple[Word, ...] = ()
    acted: tuple[Word, ...] = ()
    failed: tuple[Word, ...] = ()


class GatewayChannel(Bounds):
    """Any HTTP gateway: ``voice`` calls people who sleep, ``http`` is anything else, a group robot for example.

    ``encoding``: how placeholders are written into ``body``, and its content type. ``markup``: that the text is shown
    in. ``taken``: what an answer of 2xx must hold to mean that the letter was taken; absent: 2xx does. ``id_at``: where
    the answer names the call, for ``status``. ``secret``: signs the receipts the gateway posts.
    """

    kind: Literal["voice", "http"]
    url: Annotated[Url, Filled]
    method: Literal["POST", "PUT", "GET"] = "POST"
    headers: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,60}$")], Annotated[str, Filled]] = Field(
        default_factory=dict, max_length=20
    )
    body: Annotated[str, Filled, Field(max_length=10_000)] = ""
    encoding: Literal["json", "form", "text"] = "json"
    markup: Literal["none", "markdown", "html"] = "none"
    taken: Found | None = None
    id_at: Path | None = None
    status: Status | None = None
    secret: Secret | None = None

    @model_validator(mode="before")
    @classmethod
    def _as_spoken(cls, given: Any) -> Any:
        """What is said by voice is short, and goes to a telephone, unless something else is asked for."""
        if isinstance(given, dict) and given.get("kind") == "voice":
            return {"form": "short", "address": "phone", **given}
        return given

    @model_validator(mode="after")
    def _status_is_of_something(self) -> "GatewayChannel":
        if self.status is not None and "{id}" in self.status.url and self.id_at is None:
            raise ValueError("status asks with {id}, which no answer gives; say with id_at where the answer names it")
        return self


Channel = Annotated[AppriseChannel | WebhookChannel | GatewayChannel, Field(discriminator="kind")]
"""A channel over which people are told."""


def no_name_twice(channels: tuple[Channel, ...]) -> tuple[Channel, ...]:
    """Return ``channels``; ValueError where two have one name."""
    names = [each.name for each in channels]
    for number, name in enumerate(names):
        if name in names[:number]:
            raise ValueError(f"two channels are called {name!r}; letters name their channel, so give each its own name")
    return channels
