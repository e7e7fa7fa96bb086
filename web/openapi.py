"""Writes the OpenAPI 3.1 document from the table of routes, over pydantic's own JSON schemas."""

import re
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from firetower.web.api import Access, Route
from firetower.web.errors import ErrorAnswer

REF = "#/components/schemas/{model}"
_PART = re.compile(r"{(\w+)}")

_TAKES = {
    Access.SIGNED_IN: "Takes the role viewer, operator or admin.",
    Access.OPERATOR: "Takes the role operator or admin.",
    Access.ADMIN: "Takes the role admin.",
    Access.EVERYBODY: "An account of a unit is shown what is its unit's.",
    Access.ASKING: "Takes the role operator, admin or unit.",
}

_MEANING = {
    200: "as asked",
    101: "the connection becomes a WebSocket; the schema is that of each frame sent",
    201: "made, as it stands now",
    202: "begun; it goes on after the answer",
    204: "done; no body",
    400: "a parameter, a field or the JSON is wrong; `details` names each",
    401: "not signed in, or the session has ended",
    403: "the role may not do this, or the request came from another site",
    404: "there is nothing by that name",
    409: "the state does not allow it, or it changed meanwhile; `details.current` is how it stands now",
    413: "the body is too large",
    415: "the body is of another type than the one that is taken",
    422: "the image cannot be used; the message says why",
    429: "too many failed attempts; `Retry-After` says when to try again",
    500: "Firetower failed; its log has the reason",
    503: "the database cannot answer now; try again",
}


def errors_of(route: Route) -> list[int]:
    """Return every error status a route can answer with."""
    found = set(route.errors)
    if route.path.startswith("/api/v1"):
        found |= {400, 500, 503}
    if route.access is not Access.OPEN:
        found |= {401}
    if route.access is not Access.OPEN or route.unsafe:
        found |= {403}
    if route.body is not None or route.takes:
        found |= {413, 415}
    if _PART.search(route.path):
        found |= {404}
    return sorted(found)


def document(routes: Sequence[Route], version: str) -> dict[str, Any]:
    """Return the document describing ``routes``."""
    wanted: set[tuple[type[BaseModel], JsonSchemaMode]] = {(ErrorAnswer, "serialization")}
    for route in routes:
        wanted.add((route.query, "validation"))
        if route.body is not None:
            wanted.add((route.body, "validation"))
        if route.answer is not None:
            wanted.add((route.answer, "serialization"))
    inputs = sorted(wanted, key=lambda pair: (pair[0].__name__, pair[1]))
    names, schemas = models_json_schema(inputs, ref_template=REF)
    shared = schemas.get("$defs", {})
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, names, shared)
    for model in {route.query for route in routes}:
        shared.pop(names[model, "validation"]["$ref"].rpartition("/")[2], None)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Firetower (望火楼)",
            "version": version,
            "summary": "Monitoring of a city's fire protection",
            "description": 'Errors have one shape, `{"error": {"code", "message", "details"}}`. Lists are '
            '`{"items": […], "next_cursor": …}`. Ids are opaque strings; times are RFC 3339 with zone. '
            "Unknown parameters and fields are refused.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": tag} for tag in dict.fromkeys(route.tag for route in routes)],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(shared.items())),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "cookie": {"type": "apiKey", "in": "cookie", "name": "firetower_session"},
            },
        },
    }


def _operation(route: Route, names: Any, shared: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.handler.__name__,
        "summary": route.summary,
        "tags": [route.tag],
        "parameters": _parameters(route, shared[names[route.query, "validation"]["$ref"].rpartition("/")[2]]),
        "responses": _responses(route, names),
        "security": [] if route.access is Access.OPEN else [{"bearer": []}, {"cookie": []}],
    }
    if route.handler.__doc__:
        operation["description"] = route.handler.__doc__
    operation["description"] = " ".join(filter(None, (operation.get("description"), _TAKES.get(route.access))))
    if route.body is not None:
        operation["requestBody"] = {
            "required": any(field.is_required() for field in route.body.model_fields.values()),
            "content": {"application/json": {"schema": names[route.body, "validation"]}},
        }
    elif route.takes:
        operation["requestBody"] = {"required": True, "content": {media: {} for media in route.takes}}
    return operation


def _parameters(route: Route, query: dict[str, Any]) -> list[dict[str, Any]]:
    found = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PART.findall(route.path)
    ]
    required = set(query.get("required", ()))
    for name, schema in query.get("properties", {}).items():
        entry = {"name": name, "in": "query", "required": name in required}
        described = dict(schema)
        text = described.pop("description", None)
        if text:
            entry["description"] = text
        entry["schema"] = described
        found.append(entry)
    for name, text in route.headers:
        found.append(
            {"name": name, "in": "header", "required": False, "description": text, "schema": {"type": "string"}}
        )
    return found


def _responses(route: Route, names: Any) -> dict[str, Any]:
    good: dict[str, Any] = {"description": _MEANING[route.status]}
    if route.answer is not None:
        good["content"] = {route.media: {"schema": names[route.answer, "serialization"]}}
    elif route.status == 200:
        good["content"] = {route.media: {"schema": {"type": "string"}}}
    shape = {"application/json": {"schema": names[ErrorAnswer, "serialization"]}}
    bad = {str(status): {"description": _MEANING[status], "content": shape} for status in errors_of(route)}
    return {str(route.status): good, **bad}
