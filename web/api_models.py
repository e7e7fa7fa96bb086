"""The bases of the API's pydantic models, and the words several of them use."""

import base64
import json
import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from firetower.core.clock import Micros, from_datetime, rfc3339
from firetower.core.errors import InvalidInput

Instant = Annotated[str, Field(json_schema_extra={"format": "date-time"}, examples=["2026-01-22T08:26:40.123Z"])]
"""RFC 3339 with zone."""


def instant(at: Micros) -> str:
    """Return a time as the API writes it."""
    return rfc3339(at)


def instant_or_none(at: Micros | None) -> str | None:
    """Return a time as the API writes it, None for what has not happened."""
    return None if at is None else rfc3339(at)


def is_storable(text: str) -> bool:
    """Say whether PostgreSQL could hold ``text``: no NUL, no half of a surrogate pair."""
    return not any(char == "\0" or "\ud800" <= char <= "\udfff" for char in text)


class Asked(BaseModel):
    """The base of query and body models: unknown names are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _storable(cls, given: Any) -> Any:
        for name, value in given.items():
            if isinstance(value, str) and not is_storable(value):
                raise ValueError(f"{name} holds a NUL or half a surrogate pair, which no text may; take it out")
        return given


class Answered(BaseModel):
    """The base of answers."""

    model_config = ConfigDict(
        frozen=True, validate_by_name=True, serialize_by_alias=True, json_schema_serialization_defaults_required=True
    )


class Nothing(Asked):
    """No query parameters, or an empty body."""


def _split(given: Any) -> Any:
    return [part for part in given.split(",") if part] if isinstance(given, str) else given


def _moment(given: Any) -> Any:
    if not isinstance(given, str):
        return given
    text = _PLUS_LOST.sub(r"+\1", given)
    try:
        at = from_datetime(datetime.fromisoformat(text))
    except (ValueError, OverflowError) as err:
        raise ValueError(f"write RFC 3339 with a zone, for example 2026-01-22T08:26:40+08:00 ({err})") from err
    if not 0 <= at < _LATEST:
        raise ValueError("must lie between 1970 and 2200")
    return at


_PLUS_LOST = re.compile(r" (\d\d:\d\d)$")  # a '+' that was not written %2B arrives as a space
_LATEST = from_datetime(datetime(2200, 1, 1, tzinfo=UTC))

AsMany = BeforeValidator(_split)
"""Several values in one query parameter, with commas between."""

Moment = Annotated[
    int, BeforeValidator(_moment), WithJsonSchema({"type": "string", "format": "date-time"}, mode="validation")
]
"""A time in a query: RFC 3339 in, µs inside."""


def cursor_of(*parts: str) -> str:
    """Return an opaque cursor that remembers ``parts``."""
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def parts_of(cursor: str, count: int) -> tuple[str, ...]:
    """Return what a cursor remembers; InvalidInput for one that no page gave."""
    try:
        parts = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, RecursionError):
        parts = None
    if not (
        isinstance(parts, list)
        and len(parts) == count
        and all(isinstance(part, str) and is_storable(part) for part in parts)
    ):
        raise InvalidInput(f"cursor {cursor[:80]!r} is none of this list; start again without a cursor")
    return tuple(parts)
