"""The OpenAPI document against the routes, and its own structure."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from firetower.web import docs_page, openapi
from firetower.web.api import Access
from firetower.web.server import routes


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return openapi.document(routes(), "1.2.3")


def _walk(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from _walk(value)
    elif isinstance(node, list):
        for value in node:
            yield from _walk(value)


def test_every_route_is_in_the_document_and_nothing_else(document: dict[str, Any]) -> None:
    described = {(method.upper(), path) for path, entry in document["paths"].items() for method in entry}
    assert described == {(route.method, route.path) for route in routes()}


def test_the_contract_of_this_release_is_routed() -> None:
    paths = {f"{route.method} {route.path}" for route in routes()}
    assert {
        "POST /api/v1/session",
        "GET /api/v1/alerts",
        "POST /api/v1/alerts",
        *(
            f"POST /api/v1/alerts/{{id}}/{act}"
            for act in (
                *("acknowledge", "verify", "forward", "receipt", "assign"),
                *("shelve", "unshelve", "note", "close", "reopen"),
            )
        ),
        "GET /api/v1/devices/{unit}/{device}/readings",
        "GET /api/v1/live",
        "GET /metrics",
    } <= paths


def test_every_reference_points_at_a_schema(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    references = {node["$ref"] for node in _walk(document) if "$ref" in node}
    assert references
    assert {ref.removeprefix("#/components/schemas/") for ref in references} <= set(schemas)
    used = {ref.removeprefix("#/components/schemas/") for ref in references}
    assert set(schemas) == used, "schemas that nothing refers to"


def test_every_operation_has_what_openapi_31_demands(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    assert {"title", "version"} <= document["info"].keys()
    ids: list[str] = []
    for path, entry in document["paths"].items():
        assert path.startswith("/")
        in_path = set(re.findall(r"{(\w+)}", path))
        for operation in entry.values():
            ids.append(operation["operationId"])
            assert operation["responses"], path
            assert all(re.fullmatch(r"[1-5]\d\d", status) for status in operation["responses"])
            assert all(answer["description"] for answer in operation["responses"].values())
            names = [(entry["in"], entry["name"]) for entry in operation["parameters"]]
            assert len(names) == len(set(names))
            assert {name for where, name in names if where == "path"} == in_path
            assert all("schema" in parameter for parameter in operation["parameters"])
            for requirement in operation["security"]:
                assert requirement.keys() <= document["components"]["securitySchemes"].keys()
    assert len(ids) == len(set(ids))


def test_unsafe_routes_of_alerts_need_an_operator() -> None:
    acts = [route for route in routes() if route.unsafe and "/alerts" in route.path]
    assert acts
    assert all(route.access is Access.OPERATOR for route in acts)


def test_only_signing_in_and_letters_are_open_under_the_api() -> None:
    open_routes = {
        (route.method, route.path)
        for route in routes()
        if route.access is Access.OPEN and route.path.startswith("/api/v1")
    }
    assert open_routes == {
        ("POST", "/api/v1/session"),
        # whoever has a letter's reference, which cannot be guessed; a receipt is signed with its channel's secret
        ("GET", "/api/v1/letters/{reference}"),
        ("POST", "/api/v1/letters/{reference}/read"),
        ("POST", "/api/v1/letters/{reference}/receipt"),
    }


def test_the_page_to_read_names_every_path_and_fetches_nothing_from_elsewhere(document: dict[str, Any]) -> None:
    html = docs_page.page(document)
    for path in document["paths"]:
        assert f"<code>{path}</code>" in html
    assert "<script" not in html
    assert not re.search(r"(src|href)=['\"]?(https?:)?//", html)
    anchors = set(re.findall(r"href='#([^']+)'", html))
    assert anchors <= set(re.findall(r"id='([^']+)'", html))
