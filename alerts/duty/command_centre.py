"""The command centre 119: where alerts are handed over to."""

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from firetower.alerts.duty.deadlines import bounded
from firetower.alerts.duty.section import Section
from firetower.core.clock import HOUR, MINUTE, SECOND
from firetower.core.config import LEAST_SECRET
from firetower.rules.book.quantities import Duration


class CommandCentre(Section):
    """The command centre 119: where alerts are handed over to, through its upstream interface (docs/handover.md).

    ``addresses``: one, or two that are tried in turn. ``secret``: signs what is sent, shared with the other side.
    ``sender``: our code there. Durations in µs, written ``10s``: ``receipt_within``: after that every seat is red;
    ``answers_within``: of one try. ``tries``: quick ones, with growing waits; then one every ``slow``, until ``within``
    of the newest message, and of an open fire that nobody took until somebody does.
    """

    addresses: tuple[str, ...] = Field(min_length=1, max_length=2)
    secret: SecretStr
    sender: str = Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")
    receipt_within: Annotated[Duration, bounded(3 * SECOND, 60 * SECOND)] = 10 * SECOND
    answers_within: Annotated[Duration, bounded(SECOND, 10 * SECOND)] = 4 * SECOND
    tries: int = Field(10, ge=2, le=100)
    slow: Annotated[Duration, bounded(5 * SECOND, 30 * SECOND)] = 30 * SECOND
    within: Annotated[Duration, bounded(10 * MINUTE, 24 * HOUR)] = HOUR
    coordinate_system: Literal["WGS-84", "CGCS2000"] = "WGS-84"

    @field_validator("addresses")
    @classmethod
    def _are_addresses(cls, addresses: tuple[str, ...]) -> tuple[str, ...]:
        for address in addresses:
            parts = urlsplit(address)
            if parts.scheme not in {"http", "https"} or not parts.hostname:
                raise ValueError("must be http:// or https:// addresses, for example https://119.example/alarms")
            if parts.username is not None or parts.password is not None:
                raise ValueError("an address must hold no credentials; the signature takes their place")
        if len(set(addresses)) < len(addresses):
            raise ValueError("the second address must be another one; leave it out if there is none")
        return addresses

    @field_validator("secret")
    @classmethod
    def _is_long(cls, secret: SecretStr) -> SecretStr:
        if len(secret.get_secret_value()) < LEAST_SECRET:
            raise ValueError(f"must have at least {LEAST_SECRET} characters; for example from `openssl rand -hex 32`")
        return secret
