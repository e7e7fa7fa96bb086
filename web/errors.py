"""The one error shape of the API, and which status each error has."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import msgspec
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from firetower.core.errors import Conflict, FiretowerError, InvalidInput, NotFound, StoreUnavailable
from firetower.core.logs import logger

_log = logger("web.errors")


class ErrorBody(BaseModel):
    """What went wrong: a stable word, a sentence for a person, and where there is more, details."""

    model_config = ConfigDict(title="ErrorBody")

    code: str = Field(description="stable machine word, for example `not_found`")
    message: str = Field(description="names the thing, the value, the limit and the remedy")
    details: Any = Field(None, description="depends on the code: refused fields, or the alert as it stands now")


class ErrorAnswer(BaseModel):
    """Every answer of 400 and above under `/api`."""

    error: ErrorBody


class Refused(FiretowerError):
    """The request is turned away before it reaches anything: ``status``, ``code`` and extra headers."""

    def __init__(
        self, status: int, code: str, message: str, *, headers: dict[str, str] | None = None, details: object = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = headers or {}
        self.details = details


STATUS: dict[type[FiretowerError], int] = {
    InvalidInput: 400,
    NotFound: 404,
    Conflict: 409,
    StoreUnavailable: 503,
}

_HTTP_WORDS = {
    400: ("bad_request", "the request is not valid HTTP for this address"),
    404: ("not_found", "there is nothing at {path}; GET /api/openapi.json lists what there is"),
    405: ("method_not_allowed", "{method} is not possible at {path}; allowed: {allow}"),
    413: ("too_large", "the body is larger than {limit} bytes; send less"),
}


def error_response(
    status: int, code: str, message: str, details: object = None, headers: dict[str, str] | None = None
) -> web.Response:
    """Return an answer in the error shape."""
    body = {"error": {"code": code, "message": message, "details": details}}
    return web.Response(status=status, body=msgspec.json.encode(body), content_type="application/json", headers=headers)


def answer_of(err: FiretowerError, current: Callable[[Any], Any]) -> web.Response:
    """Return the answer for an error of ours; ``current`` writes a conflict's present state as JSON data."""
    if isinstance(err, Refused):
        return error_response(err.status, err.code, str(err), err.details, err.headers)
    status = next((status for kind, status in STATUS.items() if isinstance(err, kind)), 500)
    details: object = None
    if isinstance(err, InvalidInput):
        details = err.details
    elif isinstance(err, Conflict) and err.current is not None:
        details = {"current": current(err.current)}
    headers = {"Retry-After": "2"} if status == 503 else None
    return error_response(status, err.code, str(err), details, headers)


def invalid(err: ValidationError, accepted: Iterable[str], what: str) -> InvalidInput:
    """Return pydantic's findings as one InvalidInput; ``what`` names the place: query parameter, body field."""
    names = ", ".join(accepted) or "none"
    details = []
    for item in err.errors(include_url=False, include_context=False):
        where = ".".join(map(str, item["loc"]))
        said = item["msg"].removeprefix("Value error, ")
        if item["type"] == "extra_forbidden":
            message = f"unknown {what} {where!r}; accepted: {names}"
        elif not where:  # of the whole: the words name the part
            message = f"{what} {said}"
        else:
            shown = repr(item["input"])
            message = f"{what} {where!r}: {said} (given: {shown[:77] + '...' if len(shown) > 80 else shown})"
        details.append({"where": where, "message": message})
    return InvalidInput("; ".join(entry["message"] for entry in details), details)


def middleware(current: Callable[[Any], Any]) -> Callable[..., Awaitable[web.StreamResponse]]:
    """Return the middleware that gives every failure the error shape."""

    @web.middleware
    async def shaped(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        try:
            return await handler(request)
        except FiretowerError as err:
            return answer_of(err, current)
        except web.HTTPException as err:
            if err.status < 400:
                raise
            code, message = _HTTP_WORDS.get(err.status, ("refused", err.reason))
            allow = err.headers.get("Allow", "")
            message = message.format(
                path=request.path, method=request.method, allow=allow, limit=request.client_max_size
            )
            return error_response(err.status, code, message, headers={"Allow": allow} if allow else None)
        except Exception:  # noqa: BLE001  # reason: the last line of defence; it logs, and the caller gets the shape
            _log.exception("%s %s failed", request.method, request.path)
            return error_response(
                500, "internal", "Firetower failed on this request; its log has the reason under web.errors"
            )

    return shaped
