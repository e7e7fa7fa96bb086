"""The bases of the API's pydantic models, and the words several of them use."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from firetower.core.clock import Micros, rfc3339

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
